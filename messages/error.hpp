#pragma once

/// Errors as values: every fallible function of Troupe returns `result<T>`.
/// An error carries the code of its module (an `errc` enum registered as a `std::error_code`) and
/// a text for an operator: what happened, where, and what to do. Exceptions of libraries are
/// turned into errors where the library is called; none crosses an actor.

#include <cassert>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace troupe {

/// A failure: machine-readable code, human-readable text.
struct error {
  std::error_code code;
  std::string text;

  /// Returns "text (module: code)", for logs and the command line.
  [[nodiscard]] std::string message() const {
    std::string out = text;
    if (!out.empty()) out += ' ';
    out += '(';
    out += code.category().name();
    out += ": ";
    out += code.message();
    out += ')';
    return out;
  }
};

/// Tag of a result that carries nothing on success.
struct nothing {
  friend constexpr bool operator==(nothing, nothing) noexcept { return true; }
};

/// Either a value or an error. Not thread-safe, like any value.
template <class T>
class [[nodiscard]] result {
public:
  using value_type = T;

  result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
  result(troupe::error err) : state_{std::in_place_index<1>, std::move(err)} {}
  /// Builds the error in place: `return {errc::bad_magic, "tape x.ttape: …"}`.
  template <class Code>
    requires std::is_error_code_enum_v<Code>
  result(Code code, std::string text)
      : state_{std::in_place_index<1>, troupe::error{make_error_code(code), std::move(text)}} {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// @pre has_value()
  [[nodiscard]] T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  [[nodiscard]] const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// @pre !has_value()
  [[nodiscard]] troupe::error& error() & { return *std::get_if<1>(&state_); }
  [[nodiscard]] const troupe::error& error() const& { return *std::get_if<1>(&state_); }
  [[nodiscard]] troupe::error&& error() && { return std::move(*std::get_if<1>(&state_)); }

  [[nodiscard]] T value_or(T fallback) const& { return has_value() ? value() : std::move(fallback); }

private:
  std::variant<T, troupe::error> state_;
};

/// Result of an operation that yields nothing but success.
using status = result<nothing>;

/// The one success value of a `status`.
inline constexpr nothing ok{};

} // namespace troupe
