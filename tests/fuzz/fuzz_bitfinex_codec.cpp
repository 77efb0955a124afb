// Any bytes as Bitfinex's frames. See in_band_venue_fuzz.hpp.

#include "actors/connectors/bitfinex/codec.hpp"
#include "actors/connectors/bitfinex/description.hpp"
#include "tests/fuzz/in_band_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static const auto spec = test::fuzzed_instrument("tBTCUSD");
  static test::fuzzed_feed feeds[] = {
      test::fuzzed_feed{bitfinex::make_decoder(spec), bitfinex::description().books[0].rules},
  };
  test::fuzz_venue(bitfinex::description(), spec, feeds,
                   {reinterpret_cast<const char*>(data), size});
  return 0;
}
