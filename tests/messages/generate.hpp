#pragma once

/// Random messages of any type, by the one field list.

#include "messages/fields.hpp"

#include <limits>
#include <random>

namespace troupe::test {

/// Integers of all magnitudes and the extremes; short containers of everything.
class generator {
public:
  explicit generator(std::uint64_t seed) : random_{seed} {}

  template <class T>
  T make(int depth = 0) {
    T x{};
    fill(x, depth);
    return x;
  }

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

private:
  template <class T>
  void fill(T& x, int depth) {
    if constexpr (std::is_same_v<T, bool>)
      x = below(2) == 1;
    else if constexpr (std::is_enum_v<T>)
      x = static_cast<T>(integer<std::underlying_type_t<T>>());
    else if constexpr (std::is_integral_v<T>)
      x = integer<T>();
    else if constexpr (std::is_same_v<T, std::string>)
      x = text();
    else if constexpr (std::is_same_v<T, nanoseconds>)
      x = nanoseconds{integer<std::int64_t>()};
    else if constexpr (strong_type<T>)
      fill(strong_member(x), depth);
    else if constexpr (detail::is_vector<T>::value) {
      const auto n = depth > 2 ? below(2) : below(5);
      for (std::uint64_t i = 0; i < n; ++i)
        x.push_back(make<typename T::value_type>(depth + 1));
    } else if constexpr (detail::is_map<T>::value) {
      const auto n = below(4);
      for (std::uint64_t i = 0; i < n; ++i)
        x.emplace(make<typename T::key_type>(depth + 1), make<typename T::mapped_type>(depth + 1));
    } else
      for_each_field(x, [&](std::string_view, auto& value) { fill(value, depth + 1); });
  }

  template <class T>
  T integer() {
    switch (below(6)) {
    case 0:
      return std::numeric_limits<T>::min();
    case 1:
      return std::numeric_limits<T>::max();
    case 2:
      return static_cast<T>(below(3));
    default:
      return static_cast<T>(random_() >> below(64));
    }
  }

  std::string text() {
    std::string out;
    const auto n = below(8) == 0 ? below(400) : below(12);
    for (std::uint64_t i = 0; i < n; ++i)
      out += static_cast<char>(below(256));
    return out;
  }

  std::mt19937_64 random_;
};

} // namespace troupe::test
