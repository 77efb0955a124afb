#pragma once

/// What the venues' REST interfaces tell of past public trades, each in its own order, format and bounds.
/// After the venues' documents and published examples (state of August 2026). Internal to the dialects.

#include "tools/venue_sim/data/dialect.hpp"
#include "tools/venue_sim/parameters.hpp"

namespace troupe::venue_sim {

/// GET /v5/market/recent-trade: the newest, at most 60 of spot and 1,000 of contracts, newest first. The list.
std::string bybit_past_trades(const data_market& market, std::string_view symbol, const parameters& asked);

/// GET /api/v5/market/history-trades: newest first, in front of `after`, at most 100. The list.
std::string okx_past_trades(const data_market& market, std::string_view symbol, const parameters& asked);

/// GET /0/public/Trades: from `since` (ns) on, oldest first, at most 1,000. The result.
std::string kraken_past_trades(const data_market& market, std::string_view pair, const parameters& asked);

/// GET …/products/ID/ticker: between two seconds, newest first. The whole body.
std::string coinbase_past_trades(const data_market& market, std::string_view product, const parameters& asked);

/// GET /v2/trades/SYMBOL/hist: at most 10,000, `sort` 1 oldest first. The whole body.
std::string bitfinex_past_trades(const data_market& market, const parameters& asked);

/// GET /api/v4/spot/trades: between two seconds, newest first, at most 1,000. The whole body.
std::string gate_past_trades(const data_market& market, std::string_view symbol, const parameters& asked);

/// GET /api/v1/market/histories: the newest 100, oldest first. The data.
std::string kucoin_past_trades(const data_market& market);

/// GET /market/history/trade and /linear-swap-ex/market/history/trade: the newest, at most 2,000, newest
/// first. The whole body. `contract_e8`: value of a contract; 0 for spot.
std::string htx_past_trades(const data_market& market, std::string_view symbol, const parameters& asked,
                            std::int64_t contract_e8, std::int64_t now_ms);

/// public/get_last_trades_by_instrument_and_time: at most 1,000. The result.
std::string deribit_past_trades(const data_market& market, std::string_view instrument, const parameters& asked);

/// GET /api/v3/trades: the newest, at most 1,000, newest first, without ids. The whole body.
std::string mexc_past_trades(const data_market& market, const parameters& asked);

/// GET /api/v3/aggTrades and /fapi/v1/aggTrades: from an id or a time on, oldest first, at most 1,000.
std::vector<public_trade> binance_past_trades(const data_market& market, const parameters& asked);

} // namespace troupe::venue_sim
