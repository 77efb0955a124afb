#pragma once

/// Why the console can't run.

#include <system_error>

namespace troupe::console {

enum class console_errc { no_terminal = 1, no_wake };

const std::error_category& console_category() noexcept;
inline std::error_code make_error_code(console_errc code) noexcept {
  return {static_cast<int>(code), console_category()};
}

} // namespace troupe::console

template <>
struct std::is_error_code_enum<troupe::console::console_errc> : std::true_type {};
