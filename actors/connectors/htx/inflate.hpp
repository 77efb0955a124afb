#pragma once

/// HTX compresses each frame by itself (gzip). Bounded: a frame that would become larger than the limit is
/// refused while it grows, whatever its header says.

#include "actors/feeds/events.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace troupe::htx {

/// True for a gzip frame; JSON text never begins so.
constexpr bool is_gzip(std::string_view frame) noexcept {
  return frame.size() >= 2 && frame[0] == '\x1f' && frame[1] == '\x8b';
}

/// Not thread-safe; keeps its buffers.
class inflater {
public:
  explicit inflater(std::size_t max_bytes = 16 << 20);
  ~inflater();
  inflater(const inflater&) = delete;
  inflater& operator=(const inflater&) = delete;

  /// The text of `frame`: inflated if it is gzip, else itself. The view is valid until the next call.
  /// `damage`: not_json for what is no whole gzip, too_large beyond the limit.
  std::string_view text_of(std::string_view frame, frame_damage& damage) noexcept;

private:
  struct stream;
  std::string_view inflate_all(std::string_view frame, frame_damage& damage) noexcept;

  std::size_t max_bytes_;
  std::unique_ptr<stream> stream_;
  std::vector<char> buffer_;
};

} // namespace troupe::htx
