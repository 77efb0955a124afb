#pragma once

/// The file that keeps what a decider has learned over restarts of its actor: text behind a magic word, a
/// version and a checksum. Pure.

#include "actors/orchestrator/fusion.hpp"
#include "messages/error.hpp"

#include <string>

namespace troupe {

/// The file's content.
[[nodiscard]] std::string encode_memory(const decider_memory& memory);

/// Reads it back. Error (bad_message, with what is wrong) for anything that `encode_memory` did not write.
[[nodiscard]] result<decider_memory> decode_memory(std::string_view bytes);

} // namespace troupe
