#pragma once

/// Bybit v5's order requests and what the venue says of orders, executions and the wallet (spot and linear).
/// Pure: text in, values out, no floating point. Source: Bybit "V5 Trade", "V5 Account", "WebSocket private".
///
/// * An answer to create says no more than that the request was taken for processing: state `sent`. Only an
/// order
///   event or a query says that the order lives.
/// * "Cancelled" and "PartiallyFilledCanceled" may both carry fills: the filled size is `cumExecQty`'s, never
/// the
///   word's. "Rejected" may, too: with fills it is read as the end of the rest, `cancelled`.
/// * orderLinkId is unique for ever, so an order may be asked for by it, and a repeat is refused (110072,
/// 170141).

#include "actors/connectors/order_words.hpp"

namespace troupe::bybit {

/// One signed call as it goes out.
struct signed_call {
  std::string method;
  std::string target; ///< path and query
  std::string body;   ///< JSON; the very bytes that were signed
  parameters fields;  ///< X-BAPI-…
};

/// Signs hex HMAC of timestamp, key, window and (query | body); see facts of "V5 Integration guidance".
signed_call sign(const api_call& call, const api_keys& keys, market_time now, nanoseconds recv_window);

/// What the private socket is sent first: op auth with the HMAC of "GET/realtime" and the time it is good
/// until.
std::string auth_request(const api_keys& keys, market_time expires);
/// Orders, executions and the wallet.
std::string subscribe_request(std::string_view request_id);
/// To be sent every 20 s.
std::string ping_request(std::string_view request_id);

/// POST create. An error when the intent can't be written down (`check_order`).
result<api_call> place_call(const intent& order, const instrument_spec& spec);
api_call cancel_call(const instrument_spec& spec, const std::string& client_id);
/// Live orders and the newest 500 closed ones, which the venue forgets on a restart: when it has none, ask
/// history.
api_call query_call(const instrument_spec& spec, const std::string& client_id);
api_call history_call(const instrument_spec& spec, const std::string& client_id);
/// Pages of 50; `cursor` is the answer's own.
api_call open_orders_call(const instrument_spec& spec, const std::string& cursor = {});
/// Pages of 100, newest first, from `since` on; `cursor` is the answer's own.
api_call executions_call(const instrument_spec& spec, market_time since, const std::string& cursor = {});
api_call account_call();
api_call time_call();

/// {"retCode", "retMsg"} when the code is not 0; nothing of a success or of what is no answer of the venue.
std::optional<venue_error> parse_venue_error(std::string_view body);

/// The answer to create and cancel: ids only.
result<order_report> parse_ack(std::string_view body, const order_context& context,
                               const instrument_id& instrument);

/// A page of orders or executions.
struct order_page {
  std::vector<order_report> orders;
  std::string cursor; ///< empty: the last page
};
struct execution_page {
  std::vector<fill> fills; ///< trades only, in the venue's order
  std::string cursor;
};
/// Rows of symbols that are not configured are left out.
result<order_page> parse_orders(std::string_view body, const order_context& context);
result<execution_page> parse_executions(std::string_view body, const order_context& context);

result<account_state> parse_account(std::string_view body);
result<market_time> parse_server_time(std::string_view body);

/// One frame of the private socket; an order frame may speak of several orders. Executions come as reports
/// without a state of their own (`order_state::unknown`), to be joined with their order's by the one who
/// keeps it.
result<std::vector<user_event>> parse_user_frame(std::string_view frame, const order_context& context);

/// What an answer other than a readable success means. 10016, 170007, 5xx and bodies that can't be read are
/// unknown.
classified classify_answer(command_kind kind, unsigned http_status, const std::optional<venue_error>& said);

std::optional<order_state> parse_order_state(std::string_view venue_word) noexcept;

} // namespace troupe::bybit
