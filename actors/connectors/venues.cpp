// The registry of venues.

#include "actors/connectors/binance/description.hpp"
#ifdef TROUPE_HAS_BITFINEX
#include "actors/connectors/bitfinex/description.hpp"
#endif
#ifdef TROUPE_HAS_BYBIT
#include "actors/connectors/bybit/description.hpp"
#endif
#ifdef TROUPE_HAS_COINBASE
#include "actors/connectors/coinbase/description.hpp"
#endif
#ifdef TROUPE_HAS_DERIBIT
#include "actors/connectors/deribit/description.hpp"
#endif
#ifdef TROUPE_HAS_GATE
#include "actors/connectors/gate/description.hpp"
#endif
#ifdef TROUPE_HAS_HTX
#include "actors/connectors/htx/description.hpp"
#endif
#ifdef TROUPE_HAS_KRAKEN
#include "actors/connectors/kraken/description.hpp"
#endif
#ifdef TROUPE_HAS_KUCOIN
#include "actors/connectors/kucoin/description.hpp"
#endif
#ifdef TROUPE_HAS_MEXC
#include "actors/connectors/mexc/description.hpp"
#endif
#ifdef TROUPE_HAS_OKX
#include "actors/connectors/okx/description.hpp"
#endif

#include <algorithm>
#include <array>

namespace troupe {

std::span<const venue_description* const> all_venues() noexcept {
  static const std::array all{
      &binance::description(),
      &binance::usdm_description(),
#ifdef TROUPE_HAS_BYBIT
      &bybit::description(),
#endif
#ifdef TROUPE_HAS_DERIBIT
      &deribit::description(),
#endif
#ifdef TROUPE_HAS_MEXC
      &mexc::description(),
#endif
#ifdef TROUPE_HAS_COINBASE
      &coinbase::description(),
#endif
#ifdef TROUPE_HAS_KRAKEN
      &kraken::description(),
#endif
#ifdef TROUPE_HAS_OKX
      &okx::description(),
#endif
#ifdef TROUPE_HAS_KUCOIN
      &kucoin::description(),
#endif
#ifdef TROUPE_HAS_GATE
      &gate::description(),
#endif
#ifdef TROUPE_HAS_BITFINEX
      &bitfinex::description(),
#endif
#ifdef TROUPE_HAS_HTX
      &htx::description(),
#endif
  };
  return all;
}

const venue_description* find_venue(std::string_view name) noexcept {
  const auto all = all_venues();
  const auto at = std::ranges::find(all, name, &venue_description::name);
  return at == all.end() ? nullptr : *at;
}

} // namespace troupe
