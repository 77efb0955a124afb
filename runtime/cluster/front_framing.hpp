#pragma once

/// Reads the frames of a CAF link (BASP 0.17.6) as they pass, so that no peer can make CAF reserve memory
/// at will: CAF takes the 32 bits of a header's length field for granted and allocates them at once.
///
/// A frame is a header of 32 bytes, all fields big-endian, and its payload:
/// ```
/// 0 operation (0 to 6)   1-2 zero   3 flags   4-7 payload bytes   8-15 operation data
/// 16-23 source actor     24-31 destination actor
/// ```
/// The listening side's first frame is a server hand-shake, the dialling side's a client hand-shake. CAF may
/// say it again, when both sides have dialled at once: then it must say the same. Pure, not thread-safe: one
/// object per direction of a link.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

struct basp_limits {
  std::uint64_t payload = std::uint64_t{64} << 20;   ///< largest frame that is let through, bytes
  std::uint64_t handshake = std::uint64_t{64} << 10; ///< largest first frame, bytes
};

/// Who writes the stream.
enum class basp_side : std::uint8_t { listening, dialling };

class basp_stream {
public:
  static constexpr std::size_t header_size = 32;

  basp_stream(basp_side side, basp_limits limits) noexcept : side_{side}, limits_{limits} {}

  /// `bytes`: what was read of the stream and has not been passed on, in order. Returns how many of them
  /// may be passed on; what remains is the beginning of a header (fewer than 32 bytes) and is to be
  /// handed in again with what follows. An error means that the link must be closed: nothing of `bytes`
  /// is to be passed on, and the stream stays refused.
  result<std::size_t> admit(std::string_view bytes);

  /// Frames whose header was admitted.
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  /// First bytes of the first frame's payload (at most 64); the dialling side's begin with its node id.
  [[nodiscard]] const std::string& greeting() const noexcept { return greeting_; }
  /// The first frame is complete.
  [[nodiscard]] bool greeted() const noexcept { return frames_ > 1 || (frames_ == 1 && payload_left_ == 0); }

private:
  static constexpr std::size_t greeting_size = 64;
  /// Checks one header; sets how much payload follows.
  status open_frame(std::string_view header);

  basp_side side_;
  basp_limits limits_;
  /// Takes payload of a hand-shake: remembers the first one's begin, compares later ones with it.
  status take_greeting(std::string_view bytes);

  std::uint64_t payload_left_ = 0;
  std::uint64_t greeting_length_ = 0;
  std::size_t greeting_at_ = 0; // bytes of the current hand-shake looked at
  bool greeting_open_ = false;  // the current frame is one
  std::uint64_t frames_ = 0;
  bool refused_ = false;
  std::string greeting_;
};

} // namespace troupe
