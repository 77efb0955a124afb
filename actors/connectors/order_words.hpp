#pragma once

/// What the order codecs of all venues speak in: calls before they are signed, what an account's private
/// stream says, and the classes of answers (the table of facts is one per venue: `<venue>/order_calls.cpp`).
/// Pure.

#include "actors/connectors/signing.hpp"
#include "actors/executors/venue_gateway.hpp"

#include <map>
#include <optional>
#include <variant>

namespace troupe {

enum class order_errc {
  not_json = 1,
  missing_field,
  bad_value,
  unknown_symbol,
  bad_order, ///< the intent can't be expressed at the venue
};
std::error_code make_error_code(order_errc code) noexcept;

/// Whose orders, and the scales of the instruments they may be in.
struct order_context {
  account_id account;
  std::map<std::string, instrument_spec, std::less<>> by_symbol; ///< "BTCUSDT" → rules

  /// nullptr: not configured.
  [[nodiscard]] const instrument_spec* find(std::string_view venue_symbol) const;
};

/// A REST call, not signed yet.
struct api_call {
  std::string method;
  std::string path;
  parameters list;
  bool needs_signature = true;
  std::uint32_t weight = 1;
  bool is_order = false; ///< charged to the order count
};

struct account_state {
  std::vector<asset_balance> balances; ///< scale 8
  market_time updated;
  bool can_trade = true;
  std::optional<bool> can_withdraw;
};

/// A venue's refusal: its code and words.
struct venue_error {
  std::int32_t code = 0;
  std::string text;
};

// --- private stream -------------------------------------------------------------------------------

struct balances_event {
  std::vector<asset_balance> changed;
  market_time at;
};
/// The stream ends or the server goes down: reconnect and reconcile.
struct stream_end_event {
  std::string what;
};
/// An answer to one of our own requests on the socket.
struct reply_event {
  std::string id;
  unsigned status = 0;
  std::optional<venue_error> error;
};
/// An event that says nothing an executor needs.
struct other_event {
  std::string what;
};
using user_event = std::variant<order_report, balances_event, stream_end_event, reply_event, other_event>;

// --- classes of answers ---------------------------------------------------------------------------

enum class command_kind : std::uint8_t { place, cancel, query };

struct classified {
  command_result kind = command_result::unknown;
  refusal why = refusal::none;
  bool retry_after_resync = false; ///< the clock was refused before anything else was looked at
  friend bool operator==(const classified&, const classified&) = default;
};

/// The venue may have done it: ask by client order id.
constexpr classified open_question(refusal why = refusal::none) {
  return {command_result::unknown, why, false};
}
/// The venue said no.
constexpr classified refused(refusal why) {
  return {command_result::rejected, why, false};
}

// --- orders before they are written down -----------------------------------------------------------

/// Checks an intent against tick and lot, and its client id against the venue's alphabet: letters, digits and
/// `others`, at most `longest`. Limits of size and value are risk's and the venue's business.
status check_order(const intent& order, const instrument_spec& spec, std::string_view others,
                   std::size_t longest);

} // namespace troupe

template <>
struct std::is_error_code_enum<troupe::order_errc> : std::true_type {};
