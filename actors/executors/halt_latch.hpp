#pragma once

/// The file that keeps a halt over restarts: a few lines of text behind a magic word, a version and
/// a checksum. What can't be read with certainty counts as halted.

#include "actors/executors/errc.hpp"
#include "messages/trading.hpp"

#include <string>

namespace troupe {

/// The file's content.
[[nodiscard]] std::string encode_halt(const halt_state& state);

/// Reads it back; `damaged` for anything that was not written by `encode_halt`.
[[nodiscard]] result<halt_state> decode_halt(std::string_view bytes);

} // namespace troupe
