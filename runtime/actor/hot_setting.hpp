#pragma once

/// Settings of an actor that may be changed while it runs. Which there are is declared by the actor
/// itself; a value lasts until its next start, which takes the configured one again.

#include "messages/error.hpp"

#include <concepts>
#include <cstdint>
#include <charconv>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

namespace troupe {

/// One setting. Both functions run inside the actor.
struct hot_setting {
  std::string key;
  std::string meaning; ///< one line, with the unit
  std::string allowed; ///< "1 to 100", "on or off"
  std::function<std::string()> read;
  /// Takes the value or says in words why not, and then has changed nothing.
  std::function<status(std::string_view)> set;
};

/// A setting as others see it.
struct setting_view {
  std::string key;
  std::string value;
  std::string allowed;
  std::string meaning;
};

/// Somebody wants a value changed. `answer` is called once, inside the actor: no code = done.
struct setting_order {
  std::string key;
  std::string value;
  std::function<void(const error&)> answer;
};

/// A whole number from `least` to `most`. `read` and `write` run inside the actor.
template <std::invocable Read, std::invocable<std::int64_t> Write>
hot_setting whole_setting(std::string key, std::string meaning, std::int64_t least, std::int64_t most,
                          Read read, Write write) {
  const auto allowed = std::to_string(least) + " to " + std::to_string(most);
  auto set = [key, allowed, least, most, write](std::string_view text) -> status {
    std::int64_t value = 0;
    const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (why != std::errc{} || end != text.data() + text.size() || value < least || value > most)
      return error{std::make_error_code(std::errc::invalid_argument),
                   key + ": '" + std::string{text} + "' is not a whole number from " + allowed};
    write(value);
    return ok;
  };
  return {std::move(key), std::move(meaning), allowed,
          [read] { return std::to_string(read()); }, std::move(set)};
}

} // namespace troupe
