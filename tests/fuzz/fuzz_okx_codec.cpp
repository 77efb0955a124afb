// Any bytes as OKX's frames and REST answers. See in_band_venue_fuzz.hpp.

#include "actors/connectors/okx/description.hpp"
#include "tests/fuzz/in_band_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static const auto spec = test::fuzzed_instrument("BTC-USDT");
  static const auto& venue = okx::description();
  static test::fuzzed_feed feeds[] = {
      test::fuzzed_feed{venue.decoder(spec), venue.books[0].rules},
      test::fuzzed_feed{venue.decoder(spec), venue.books[1].rules},
  };
  test::fuzz_venue(venue, spec, feeds, {reinterpret_cast<const char*>(data), size});
  return 0;
}
