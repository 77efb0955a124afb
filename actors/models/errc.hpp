#pragma once

/// Error codes of models and checkpoints.

#include <system_error>

namespace troupe {

enum class model_errc {
  bad_container = 1,
  too_large,
  unknown_tensor,
  missing_tensor,
  wrong_type,
  wrong_shape,
  not_finite,
  wrong_hash,
  wrong_frame,
  wrong_architecture,
  no_weights,
  bad_chunk,
  overloaded,
  expired,
  library_failure,
};

std::error_code make_error_code(model_errc code) noexcept;

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::model_errc> : std::true_type {};
