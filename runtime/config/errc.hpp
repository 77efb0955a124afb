#pragma once

/// Error codes of the configuration.

#include <system_error>

namespace troupe {

enum class config_errc {
  unreadable = 1, bad_syntax, unknown_key, bad_value, missing_value, wrong_permissions, duplicate_key
};

std::error_code make_error_code(config_errc code) noexcept;

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::config_errc> : std::true_type {};
