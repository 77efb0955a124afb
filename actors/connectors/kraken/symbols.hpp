#pragma once

/// Kraken's names of assets and pairs. The v2 socket says BTC/USD, the v1 socket and REST say
/// XBT/USD and XBTUSD. Kraken "WebSocket v2" and "REST Asset Pairs".

#include <string>
#include <string_view>

namespace troupe::kraken {

/// v2 and our spelling of an asset: XBT → BTC, XDG → DOGE; any other is itself.
constexpr std::string_view asset_of(std::string_view name) noexcept {
  if (name == "XBT") return "BTC";
  return name == "XDG" ? "DOGE" : name;
}

/// The spelling of v1 and REST: BTC → XBT, DOGE → XDG.
constexpr std::string_view old_asset_of(std::string_view name) noexcept {
  if (name == "BTC") return "XBT";
  return name == "DOGE" ? "XDG" : name;
}

struct pair_parts {
  std::string_view base;
  std::string_view quote; ///< empty when the text is no pair
};

/// "BTC/USD" → BTC, USD
constexpr pair_parts split_pair(std::string_view pair) noexcept {
  const auto at = pair.find('/');
  if (at == std::string_view::npos || at == 0 || at + 1 == pair.size()) return {pair, {}};
  return {pair.substr(0, at), pair.substr(at + 1)};
}

/// "XBT/USD" and "BTC/USD" → "BTC/USD"; empty when it is no pair.
std::string pair_of_v2(std::string_view pair);

/// "BTC/USD" → "XBT/USD"
std::string pair_of_v1(std::string_view pair);

/// "BTC/USD" → "XBTUSD", as REST takes it.
std::string pair_of_rest(std::string_view pair);

} // namespace troupe::kraken
