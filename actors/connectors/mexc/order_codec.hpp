#pragma once

/// MEXC spot v3's order requests and what the venue says of orders, trades and balances. Pure: text and
/// protobuf in, values out, no floating point. REST resembles Binance's but for its order types, its string
/// ids and its codes; the private stream is protobuf. Source: mexcdevelop/apidocs (spot_v3_en) and
/// websocket-proto.

#include "actors/connectors/order_words.hpp"

namespace troupe::mexc {

/// Path and query of a call, signed where it needs to be: everything goes into the query, the signature is
/// hex HMAC over it, last. The key itself goes into the field X-MEXC-APIKEY.
std::string signed_target(const api_call& call, const api_keys& keys, market_time now,
                          nanoseconds recv_window);

/// Post-only, IOC and FOK are types of their own here. An error when the intent can't be written down.
result<api_call> place_call(const intent& order, const instrument_spec& spec);
api_call cancel_call(const instrument_spec& spec, const std::string& client_id);
api_call query_call(const instrument_spec& spec, const std::string& client_id);
api_call open_orders_call(const instrument_spec& spec);
/// Up to 1,000 of the newest trades at or after `since`; ids are no numbers, so pages go by time.
api_call trades_call(const instrument_spec& spec, market_time since);
api_call account_call();
api_call time_call();
/// A key for the private socket is good for 60 minutes and is to be extended every 30.
api_call listen_key_call();
api_call extend_listen_key_call(const std::string& listen_key);

/// {"code": 30005, "msg": "…"}; nothing of a success or of what is no answer of the venue.
std::optional<venue_error> parse_venue_error(std::string_view body);

/// The answer to a place names no client order id and no state: `client_id` is the one that was sent.
result<order_report> parse_placed(std::string_view body, const order_context& context,
                                  const std::string& client_id);
/// The answer to a query, and to a cancel: there the client id is the original one.
result<order_report> parse_order(std::string_view body, const order_context& context);
result<std::vector<order_report>> parse_open_orders(std::string_view body, const order_context& context);
/// Ascending by time, then by id.
result<std::vector<fill>> parse_trades(std::string_view body, const order_context& context);
result<account_state> parse_account(std::string_view body);
result<market_time> parse_server_time(std::string_view body);
result<std::string> parse_listen_key(std::string_view body);

/// Orders, deals and the account, in one command.
std::string subscribe_request();
std::string ping_request();

/// One frame of the private socket, protobuf or JSON. A deal comes as a report without a state of its own
/// (`order_state::unknown`), to be joined with its order's by the one who keeps it.
result<user_event> parse_user_frame(std::string_view frame, const order_context& context);

/// What an answer other than a readable success means. 429, 503 and 504 as on Binance; 5xx is unknown.
classified classify_answer(command_kind kind, unsigned http_status, const std::optional<venue_error>& said);

std::optional<order_state> parse_order_state(std::string_view venue_word) noexcept;

} // namespace troupe::mexc
