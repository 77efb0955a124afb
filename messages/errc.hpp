#pragma once

/// Error codes of the encodings.

#include <system_error>

namespace troupe {

enum class codec_errc { truncated = 1, wrong_type, too_large, wrong_length, unknown_value, trailing_bytes, bad_checksum, wrong_schema };

std::error_code make_error_code(codec_errc code) noexcept;

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::codec_errc> : std::true_type {};
