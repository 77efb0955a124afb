// The registry of venues.

#include "actors/connectors/binance/description.hpp"
#include "actors/connectors/bitfinex/description.hpp"
#include "actors/connectors/bybit/description.hpp"
#include "actors/connectors/coinbase/description.hpp"
#include "actors/connectors/deribit/description.hpp"
#include "actors/connectors/gate/description.hpp"
#include "actors/connectors/htx/description.hpp"
#include "actors/connectors/kraken/description.hpp"
#include "actors/connectors/kucoin/description.hpp"
#include "actors/connectors/mexc/description.hpp"
#include "actors/connectors/okx/description.hpp"

#include <algorithm>
#include <array>

namespace troupe {

std::span<const venue_description* const> all_venues() noexcept {
  static const std::array all{&binance::description(), &binance::usdm_description(), &bybit::description(),
                              &deribit::description(), &mexc::description(),         &coinbase::description(),
                              &kraken::description(),  &okx::description(),          &kucoin::description(),
                              &gate::description(),    &bitfinex::description(),     &htx::description()};
  return all;
}

const venue_description* find_venue(std::string_view name) noexcept {
  const auto all = all_venues();
  const auto at = std::ranges::find(all, name, &venue_description::name);
  return at == all.end() ? nullptr : *at;
}

} // namespace troupe
