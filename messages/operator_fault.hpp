#pragma once

/// Faults that a restart can't mend: damaged files, files of another machine or of a newer program,
/// checkpoints that do not fit the configuration. An actor that meets one at its start ends with
/// `for_operator(why)`; its supervisor does not start it again but gives up with the same reason, and so
/// does the one above, until the process ends and says it to a person.

#include "messages/error.hpp"

namespace troupe {

enum class operator_errc {
  must_mend = 1, ///< a person has to change something before a restart can help
};

std::error_code make_error_code(operator_errc code) noexcept;

/// The same text (what, where, remedy) with the code that says: not again before a person has acted.
[[nodiscard]] error for_operator(error why);

[[nodiscard]] bool is_for_operator(const error& why) noexcept;

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::operator_errc> : std::true_type {};
