#pragma once

/// A file in the data folder of all nodes of a host that says: a rolling upgrade is under way. While it is there
/// and young, nodes of this host accept peers of another build with the same message schema.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"

#include <filesystem>
#include <fstream>

namespace troupe {

class rolling_mark {
public:
  /// A mark that an upgrade which crashed left behind counts no longer than this.
  static constexpr auto lifetime = std::chrono::minutes{15};

  /// Sets it; it is gone with this object.
  static result<rolling_mark> set(const std::filesystem::path& data) {
    const auto file = data / name;
    std::ofstream out{file, std::ios::trunc};
    out << "a rolling upgrade is under way\n";
    if (!out.flush()) return {cluster_errc::unreadable, file.string() + " can't be written"};
    return rolling_mark{file};
  }

  /// Whether one is there, as of the file system's clock.
  static bool is_set(const std::filesystem::path& data) {
    std::error_code failed;
    const auto at = std::filesystem::last_write_time(data / name, failed);
    return !failed && std::filesystem::file_time_type::clock::now() - at < lifetime;
  }

  rolling_mark(rolling_mark&& other) noexcept : file_{std::exchange(other.file_, {})} {}
  rolling_mark& operator=(rolling_mark&&) = delete;
  ~rolling_mark() {
    std::error_code ignored;
    if (!file_.empty()) std::filesystem::remove(file_, ignored);
  }

private:
  static constexpr auto name = "ROLLING";
  explicit rolling_mark(std::filesystem::path file) : file_{std::move(file)} {}
  std::filesystem::path file_;
};

} // namespace troupe
