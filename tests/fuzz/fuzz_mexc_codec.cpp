// Any bytes as MEXC frames (protobuf and JSON) and answers: never a crash, every event keeps its promise, no wrong book is valid.

#include "actors/connectors/mexc/description.hpp"
#include "tests/fuzz/joined_venue_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  static const auto spec = fuzz::instrument("ABCUSDT", contract_kind::spot);
  fuzz::run(mexc::description(), "aggre.depth@100ms", spec, input);
  fuzz::run_rest(mexc::description(), spec, input);
  return 0;
}
