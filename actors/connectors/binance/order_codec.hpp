#pragma once

/// Binance spot's order requests and what the venue says of orders, trades, balances and rules. Pure:
/// text in, values out. Prices, sizes and fees are read from their text into scaled integers; no floating
/// point. Source: binance-spot-api-docs (rest-api.md, user-data-stream.md, errors.md, filters.md).

#include "actors/connectors/binance/signer.hpp"
#include "actors/connectors/order_words.hpp"

namespace troupe::binance {

// Costs after facts of 2026: place and cancel 1, query 4, open orders 6, trades 20, account 20, rules 20, time 1.

/// POST /api/v3/order with the intent's client id and full answer. An error when the quantity or price
/// isn't a positive multiple of lot and tick.
result<api_call> place_call(const intent& order, const instrument_spec& spec);
/// What `place_call` refuses: that the order can't be written down at all. Limits of size and value are
/// risk's and the venue's business.
api_call cancel_call(const instrument_spec& spec, const std::string& client_id);
api_call query_call(const instrument_spec& spec, const std::string& client_id);
api_call open_orders_call(const instrument_spec& spec);
/// Trades with id ≥ `from_id` (empty: the first), at most `limit` ≤ 1000.
api_call trades_call(const instrument_spec& spec, const std::string& from_id, int limit = 1000);
api_call account_call();
api_call time_call();
api_call rules_call(const std::string& venue_symbol);

/// One order: the answer to place (ACK, RESULT or FULL), cancel and query. After a cancel the client id
/// is the original one. Fills are those of FULL; their fee may be absent.
result<order_report> parse_order(std::string_view body, const order_context& context);
result<std::vector<order_report>> parse_open_orders(std::string_view body, const order_context& context);
/// GET myTrades: ascending by trade id. Client order ids are not in it: venue order ids are.
result<std::vector<fill>> parse_trades(std::string_view body, const order_context& context);

result<account_state> parse_account(std::string_view body);
result<market_time> parse_server_time(std::string_view body);

/// Rules of `venue_symbol` out of exchangeInfo. Scales follow tick and lot unless `scales` (price, size)
/// prescribes them; rules that don't fit the prescribed scales are an error. Switched-off filters
/// (tick or step "0") leave the finest step of the scale.
result<instrument_spec> parse_rules(std::string_view body, std::string_view venue_symbol,
                                    const instrument_id& id,
                                    std::optional<std::pair<int, int>> scales = {});

/// {"code": -2013, "msg": "…"}; nothing when the body is something else.
std::optional<venue_error> parse_venue_error(std::string_view body);

// --- private stream -------------------------------------------------------------------------------

/// One frame of the WS API's user data: wrapped {subscriptionId, event} or bare, or a reply.
result<user_event> parse_user_frame(std::string_view frame, const order_context& context);

// --- classes of answers ---------------------------------------------------------------------------

/// What an answer other than a readable success means: the table of error classes, one place for all.
/// 5xx, -1006, -1007, -1000, -1001 and bodies that can't be read are unknown, whatever the command.
classified classify_answer(command_kind kind, unsigned http_status, const std::optional<venue_error>& said);

/// Name of a venue's order status as our state.
std::optional<order_state> parse_order_state(std::string_view venue_word) noexcept;

} // namespace troupe::binance
