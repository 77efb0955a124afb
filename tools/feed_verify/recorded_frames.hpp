#pragma once

/// Recordings of venue sockets as one stream of frames in order of receipt: gzip or plain lines
/// (`<ns> <frame>`), two-way text (`URL -> ts: body`, `ts: text`), and our own tapes.

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One received frame or REST reply.
struct recorded_frame {
  market_time received;
  std::string_view text;
  bool rest = false;       ///< body of a REST reply
  std::string_view symbol; ///< of a REST reply's request, "BTCUSDT"; empty where the recording does not say
  const std::filesystem::path* file = nullptr; ///< one of the files given, which outlive the reading
  std::uint64_t number = 0;                    ///< line of a text, frame of a tape, from 1
  bool in_tape = false;
};

/// Where a frame stands: "spot.gz:17" (line) or "spot.ttape:frame 17".
std::string place_of(const recorded_frame& frame);

/// Calls `take` with every frame; stops at its first error. Files of one line-form recording come in the
/// order given; two-way files (socket and REST of one venue) are merged by time.
/// @param unfinished null: a tape that was never finished or is cut off is refused. Else its readable part is
///   taken, and a line for people is added that names the file and says how much that is.
status read_recordings(const std::vector<std::filesystem::path>& files,
                       const std::function<status(const recorded_frame&)>& take,
                       std::vector<std::string>* unfinished = nullptr);

} // namespace troupe
