#pragma once

/// How the order codecs read JSON: fields as text, amounts as scaled integers out of their text. Pure.

#include "actors/connectors/order_words.hpp"

#include <simdjson.h>

namespace troupe::order_reading {

namespace dom = simdjson::dom;

/// Decimals of balances and of most fees.
inline constexpr std::uint8_t money_scale = 8;
/// The longest body that is looked at.
inline constexpr std::size_t longest_body = 32u << 20;

result<std::string> text_of(const dom::element& object, const char* key);
/// Empty when the field is missing, null or no text.
std::string text_or_empty(const dom::element& object, const char* key);
bool flag_or(const dom::element& object, const char* key, bool fallback);
std::optional<std::int64_t> integer_of(const dom::element& object, const char* key);
/// A decimal that is given as text.
result<std::int64_t> decimal_of(const dom::element& object, const char* key, int scale);
/// Milliseconds since 1970; nothing and what is out of range become 0 or the nearest.
market_time from_millis(std::optional<std::int64_t> ms);
/// The same out of "1700000005000".
market_time from_millis_text(std::string_view ms);
/// "BUY", "Buy" or "buy".
result<side> side_of(const dom::element& object, const char* key);
/// Fees have up to eight decimals, some assets more: the rest is kept by a finer scale.
status read_fee(std::string_view text, fill& out);
/// An asset with what is free and what is locked, both as text.
result<asset_balance> read_balance(const dom::element& row, const char* asset, const char* free,
                                   const char* locked);
/// Balances and permissions as Binance and MEXC write them.
result<account_state> read_spot_account(const dom::element& root);
/// {"serverTime": milliseconds}, as Binance and MEXC write it.
result<market_time> read_spot_time(const dom::element& root);
/// The refusal in an answer: its code by this name, other than 0, and its words by that one. Nothing of a success
/// or of what is no answer of the venue.
std::optional<venue_error> refusal_in(std::string_view body, const char* code, const char* words);
/// The rules of the instrument a row names.
result<const instrument_spec*> spec_in(const dom::element& object, const char* key,
                                       const order_context& context);

/// Parses `body` and lets `use` read its root; `what` is for the words of an error.
template <class T>
result<T> with_document(std::string_view body, const char* what, auto&& use) {
  if (body.size() > longest_body) return {order_errc::not_json, std::string{what} + ": too large"};
  dom::parser parser;
  dom::element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS)
    return {order_errc::not_json, std::string{what} + " of " + std::to_string(body.size()) + " bytes"};
  return use(root);
}

/// Parses a list, each of its rows with `read`.
template <class T>
result<std::vector<T>> read_list(std::string_view body, const char* what, auto&& read) {
  return with_document<std::vector<T>>(body, what, [&](const dom::element& root) -> result<std::vector<T>> {
    dom::array rows;
    if (root.get(rows) != simdjson::SUCCESS)
      return {order_errc::bad_value, std::string{what} + " are no list"};
    std::vector<T> out;
    for (const auto row : rows) {
      auto each = read(row);
      if (!each) return std::move(each).error();
      out.push_back(std::move(*each));
    }
    return out;
  });
}

} // namespace troupe::order_reading
