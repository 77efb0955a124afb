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
};

/// Calls `take` with every frame; stops at its first error. Files of one line-form recording come in the
/// order given; two-way files (socket and REST of one venue) are merged by time.
status read_recordings(const std::vector<std::filesystem::path>& files,
                       const std::function<status(const recorded_frame&)>& take);

} // namespace troupe
