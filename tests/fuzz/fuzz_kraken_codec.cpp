// Any bytes as Kraken's frames, v2 and v1. See in_band_venue_fuzz.hpp.

#include "actors/connectors/kraken/codec.hpp"
#include "actors/connectors/kraken/description.hpp"
#include "tests/fuzz/in_band_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static const auto spec = test::fuzzed_instrument("BTC/USD");
  static test::fuzzed_feed feeds[] = {
      test::fuzzed_feed{kraken::make_decoder(spec), kraken::description().books[0].rules},
      test::fuzzed_feed{kraken::replay_decoder(spec), kraken::description().books[1].rules},
  };
  test::fuzz_venue(kraken::description(), spec, feeds, {reinterpret_cast<const char*>(data), size});
  return 0;
}
