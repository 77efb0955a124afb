// Any bytes as HTX frames (gzip and JSON) and answers: never a crash, every event keeps its promise, no wrong book is valid.

#include "actors/connectors/htx/description.hpp"
#include "tests/fuzz/joined_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  static const auto spot = fuzz::instrument("abcusdt", contract_kind::spot);
  static const auto swap = fuzz::instrument("ABC-USDT", contract_kind::linear);
  fuzz::run(htx::description(), "mbp.150", spot, input);
  fuzz::run(htx::description(), "depth.size_150.high_freq", swap, input);
  fuzz::run_rest(htx::description(), spot, input);
  return 0;
}
