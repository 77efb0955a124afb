// Any bytes as Coinbase's frames, Advanced Trade and Exchange. See in_band_venue_fuzz.hpp.

#include "actors/connectors/coinbase/codec.hpp"
#include "actors/connectors/coinbase/description.hpp"
#include "tests/fuzz/in_band_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static const auto spec = test::fuzzed_instrument("BTC-USD");
  static test::fuzzed_feed feeds[] = {
      test::fuzzed_feed{coinbase::make_decoder(spec), coinbase::description().books[0].rules},
      test::fuzzed_feed{coinbase::replay_decoder(spec), coinbase::description().books[0].rules},
  };
  test::fuzz_venue(coinbase::description(), spec, feeds,
                   {reinterpret_cast<const char*>(data), size});
  return 0;
}
