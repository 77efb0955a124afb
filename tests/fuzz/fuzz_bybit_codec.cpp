// Any bytes as Bybit's frames and REST answers. See in_band_venue_fuzz.hpp.

#include "actors/connectors/bybit/description.hpp"
#include "tests/fuzz/in_band_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static const auto spec = test::fuzzed_instrument("BTCUSDT");
  static const auto& venue = bybit::description();
  static test::fuzzed_feed feeds[] = {
      test::fuzzed_feed{venue.decoder(spec), venue.books[0].rules},
      test::fuzzed_feed{venue.decoder(spec), venue.books[1].rules},
  };
  test::fuzz_venue(venue, spec, feeds, {reinterpret_cast<const char*>(data), size});
  return 0;
}
