#pragma once

/// Lines of a text file, plain or gzip, without holding it in memory.

#include "storage/file.hpp"

#include <memory>

namespace troupe {

/// Not thread-safe; movable.
class line_source {
public:
  /// Longest line accepted.
  static constexpr std::size_t max_line = 32u << 20;

  static result<line_source> open(disk& on, const std::filesystem::path& path);
  line_source(line_source&&) noexcept;
  line_source& operator=(line_source&&) noexcept;
  ~line_source();

  /// The next line without its end; false at the end of the file. The view is valid until the next call.
  result<bool> next(std::string_view& line);
  /// Number of the line last returned, from 1.
  [[nodiscard]] std::uint64_t number() const noexcept;
  /// Bytes of the file read so far, and in all.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept;
  [[nodiscard]] std::uint64_t file_bytes() const noexcept;
  /// "file:line" of the line last returned.
  [[nodiscard]] std::string place() const;

private:
  struct state;
  explicit line_source(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace troupe
