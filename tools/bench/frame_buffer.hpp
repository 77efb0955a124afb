#pragma once

/// Recorded frames laid out one behind the other in one padded buffer, so that no way of decoding
/// has to copy them.

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::bench {

struct frame_place {
  market_time received;
  std::size_t offset = 0;
  std::uint32_t length = 0;
  bool depth = false; ///< a change of the book
};

/// Frames of one recording.
class frame_buffer {
public:
  static constexpr std::size_t padding = 64; ///< readable bytes behind the last frame

  static result<frame_buffer> load(const std::vector<std::filesystem::path>& files);

  void add(market_time received, std::string_view text);
  /// Call once after the last `add`.
  void pad() { bytes_.append(padding, '\0'); }

  [[nodiscard]] const std::vector<frame_place>& frames() const noexcept { return frames_; }
  [[nodiscard]] std::string_view text(const frame_place& f) const noexcept {
    return std::string_view{bytes_}.substr(f.offset, f.length);
  }
  /// Readable bytes from a frame's start on.
  [[nodiscard]] std::size_t readable(const frame_place& f) const noexcept { return bytes_.size() - f.offset; }
  [[nodiscard]] std::size_t payload_bytes() const noexcept { return bytes_.size() - padding; }
  [[nodiscard]] std::string_view image() const noexcept { return image_; }

private:
  std::string bytes_;
  std::string image_;
  std::vector<frame_place> frames_;
};

} // namespace troupe::bench
