#pragma once

/// Deribit's order calls and what the venue says of orders, trades and the account: JSON-RPC on one socket
/// that carries calls and subscriptions. Pure: text in, values out. Amounts are bare JSON numbers there; they
/// are read and written as decimal text, never through floating point. Source: docs.deribit.com, "JSON-RPC
/// API v2".
///
/// * Our client order id is the order's label. Labels are not unique: whoever asks by label may get several
/// orders.
/// * A matching call above the limit ends the session (10028): the budget in front of it must hold.

#include "actors/connectors/order_words.hpp"

namespace troupe::deribit {

/// A call with its parameters; values are JSON already.
struct rpc_call {
  std::string method;
  parameters params;
  bool is_matching = false; ///< charged to the small pool of the matching engine
};
/// The text that goes out.
std::string request_text(const rpc_call& call, std::uint64_t id);

/// public/auth with a client signature over time, nonce and empty data.
rpc_call auth_call(const api_keys& keys, market_time now, std::string_view nonce);
/// Orders and trades of the instruments, and the portfolio of every currency.
rpc_call subscribe_call(const std::vector<instrument_spec>& instruments);
/// The venue then asks `test_request` every so often, to be answered by `test_call` at once.
rpc_call heartbeat_call(std::chrono::seconds interval);
rpc_call test_call();
rpc_call time_call();

/// private/buy or sell. Post-only orders are refused, not repriced, when they would take; the venue refuses
/// an order that arrives after `expires`. An error when the intent can't be written down.
result<rpc_call> place_call(const intent& order, const instrument_spec& spec);
/// Ends every order of this label; the answer is their number.
rpc_call cancel_call(const std::string& client_id);
/// Orders of a label in a currency ("BTC"): open ones, and ended ones of the last 30 minutes.
rpc_call query_call(const std::string& currency, const std::string& client_id);
rpc_call open_orders_call(const instrument_spec& spec);
/// Ascending, from this trade id on, inclusive; empty: from the oldest that is kept (24 h).
rpc_call trades_call(const std::string& currency, const std::string& from_id);
rpc_call account_call();

/// An answer to a call of ours, before its result is looked at.
struct rpc_reply {
  std::uint64_t id = 0;
  std::optional<venue_error> error;
};
/// What a frame is: an answer, or something the venue says on its own.
result<std::optional<rpc_reply>> parse_reply(std::string_view frame);

// Results of the calls above; a frame with an error is an error here.
result<order_report> parse_placed(std::string_view frame, const order_context& context);
/// How many orders the label had.
result<std::uint64_t> parse_cancelled(std::string_view frame);
/// Of one order or a list; instruments that are not configured are left out.
result<std::vector<order_report>> parse_orders(std::string_view frame, const order_context& context);
struct trade_page {
  std::vector<fill> fills;
  bool more = false;
};
result<trade_page> parse_trades(std::string_view frame, const order_context& context);
result<account_state> parse_account(std::string_view frame);
result<market_time> parse_server_time(std::string_view frame);

/// What the venue says on its own. "test_request" comes as `other_event` of that name. Trades come as reports
/// without a state of their own (`order_state::unknown`).
result<std::vector<user_event>> parse_user_frame(std::string_view frame, const order_context& context);

/// What a refusal means.
classified classify_answer(command_kind kind, const venue_error& said);

/// `filled` tells a live order from one that was filled in part.
std::optional<order_state> parse_order_state(std::string_view venue_word, bool filled) noexcept;

} // namespace troupe::deribit
