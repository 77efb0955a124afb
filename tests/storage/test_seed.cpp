#include "tests/storage/disks.hpp"

#include <cstdlib>
#include <iostream>

namespace troupe::test {

std::uint64_t run_seed(const char* test) {
  const char* named = std::getenv("TROUPE_SEED");
  const auto seed = named != nullptr ? std::strtoull(named, nullptr, 10) : std::random_device{}();
  std::cout << test << ": TROUPE_SEED=" << seed << std::endl;
  return seed;
}

} // namespace troupe::test
