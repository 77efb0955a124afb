#pragma once

/// Error codes of predictors.

#include <system_error>

namespace troupe {

enum class predictor_errc { wrong_answer = 1, known_id, table_full, wrong_instrument, too_late };

std::error_code make_error_code(predictor_errc code) noexcept;

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::predictor_errc> : std::true_type {};
