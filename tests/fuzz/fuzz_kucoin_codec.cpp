// Any bytes as KuCoin frames and answers: never a crash, every event keeps its promise, no wrong book is valid.

#include "actors/connectors/kucoin/description.hpp"
#include "tests/fuzz/joined_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  static const auto spec = fuzz::instrument("ABC-USDT", contract_kind::spot);
  fuzz::run(kucoin::description(), "level2", spec, input);
  fuzz::run_rest(kucoin::description(), spec, input);
  return 0;
}
