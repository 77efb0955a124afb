#pragma once

/// Error codes of execution.

#include "messages/error.hpp"

namespace troupe {

enum class executor_errc {
  bad_input = 1, ///< an argument or a configuration that makes no sense
  overflow,      ///< an amount does not fit
  contradiction, ///< two facts that can't both be true
  damaged,       ///< a file of ours is damaged
  fenced,        ///< a newer executor of the account exists
};

std::error_code make_error_code(executor_errc code) noexcept;

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::executor_errc> : std::true_type {};
