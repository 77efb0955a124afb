#define CAF_SUITE incarnation
#include "runtime/cluster/incarnation.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace troupe;

namespace {

struct fixture {
  fixture() {
    char name[] = "/tmp/troupe-incarnation-XXXXXX";
    data = ::mkdtemp(name);
  }
  ~fixture() { std::filesystem::remove_all(data); }
  std::string read() const {
    std::ifstream in{data / "INCARNATION", std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void write(const std::string& text) const {
    std::ofstream{data / "INCARNATION", std::ios::binary} << text;
  }
  std::filesystem::path data;
};

/// The raised value; 0 on an error.
std::uint64_t raise(const std::filesystem::path& data, std::uint64_t wall) {
  auto raised = raise_incarnation(data, wall);
  return raised ? raised->value : 0;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(incarnation_tests, fixture)

CAF_TEST(grows_and_never_falls_back) {
  CAF_CHECK_EQUAL(raise(data, 1000), 1000u);
  CAF_CHECK_EQUAL(raise(data, 1000), 1001u);
  CAF_CHECK_EQUAL(raise(data, 10), 1002u); // the wall clock was set back
  CAF_CHECK_EQUAL(raise(data, 5000), 5000u);
}

CAF_TEST(flipped_bits_and_cut_files_are_found) {
  CAF_REQUIRE(raise_incarnation(data, 1'700'000'000).has_value());
  const auto good = read();
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 3) {
    auto damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write(damaged);
    auto raised = raise_incarnation(data, 1'700'000'500);
    CAF_REQUIRE(raised.has_value());
    CAF_CHECK_EQUAL(raised->value, 1'700'000'500u);
    CAF_CHECK(!raised->repaired.empty());
  }
  for (std::size_t n = 0; n < good.size(); n += 5) {
    write(good.substr(0, n));
    auto raised = raise_incarnation(data, 1'700'000'500);
    CAF_CHECK(raised && !raised->repaired.empty());
  }
}

CAF_TEST(unwritable_directory_is_an_error_with_its_name) {
  auto raised = raise_incarnation("/nonexistent/place", 1);
  CAF_REQUIRE(!raised.has_value());
  CAF_CHECK(raised.error().text.find("/nonexistent/place") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
