#include "actors/connectors/kraken/symbols.hpp"

namespace troupe::kraken {

namespace {

std::string joined(std::string_view base, std::string_view between, std::string_view quote) {
  std::string out{base};
  out += between;
  out += quote;
  return out;
}

} // namespace

std::string pair_of_v2(std::string_view pair) {
  const auto parts = split_pair(pair);
  return parts.quote.empty() ? std::string{}
                             : joined(asset_of(parts.base), "/", asset_of(parts.quote));
}

std::string pair_of_v1(std::string_view pair) {
  const auto parts = split_pair(pair);
  return parts.quote.empty() ? std::string{}
                             : joined(old_asset_of(parts.base), "/", old_asset_of(parts.quote));
}

std::string pair_of_rest(std::string_view pair) {
  const auto parts = split_pair(pair);
  return parts.quote.empty() ? std::string{}
                             : joined(old_asset_of(parts.base), "", old_asset_of(parts.quote));
}

} // namespace troupe::kraken
