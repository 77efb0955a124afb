#pragma once

/// Seeds of random tests: fixed by default so that a run can be repeated, printed always, replaced by
/// $TROUPE_TEST_SEED.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace troupe::test {

inline std::uint64_t seed_of(std::string_view test, std::uint64_t fallback) {
  const char* given = std::getenv("TROUPE_TEST_SEED");
  const auto seed = given != nullptr && *given != '\0' ? std::strtoull(given, nullptr, 10) : fallback;
  std::cout << test << ": seed " << seed << std::endl;
  return seed;
}

/// Multiplies a count of random operations: $TROUPE_TEST_SCALE, default 1.
inline std::uint64_t scaled(std::uint64_t count) {
  const char* given = std::getenv("TROUPE_TEST_SCALE");
  const auto factor = given != nullptr && *given != '\0' ? std::strtoull(given, nullptr, 10) : 1;
  return count * (factor == 0 ? 1 : factor);
}

} // namespace troupe::test
