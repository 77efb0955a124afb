#pragma once

/// What the readers of the venues' past trades share. Pure.

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/rest_reading.hpp"

namespace troupe {

inline constexpr std::size_t largest_trades_body = 16 << 20;

/// "buy", "Buy", "BUY", "b", and the same for sells; any other word is damage.
inline side side_of_word(json_frame& in, std::string_view word) noexcept {
  const char first = word.empty() ? ' ' : word.front();
  if (first == 'b' || first == 'B') return side::buy;
  if (first != 's' && first != 'S') in.fail(frame_damage::wrong_type);
  return side::sell;
}

/// Where ids are numbers in order of time, they also say which trades an aggregate holds.
inline void number_in_order(past_trade& t, std::uint64_t number) noexcept {
  t.number = t.first = t.last = number;
}

/// What can't be read, with the beginning of the answer.
inline error bad_trades(const instrument_spec& of, std::string_view body) {
  return {make_error_code(rest_errc::bad_body),
          "trades of " + of.id.text + " can't be read: " + std::string{body.substr(0, 120)}};
}

inline error refused_trades(const instrument_spec& of, std::string_view body) {
  return {make_error_code(rest_errc::refused),
          "no trades of " + of.id.text + ": " + std::string{body.substr(0, 200)}};
}

/// The page, or why it can't be read.
inline result<trade_page> finished(json_frame& in, trade_page page, const instrument_spec& of,
                                   std::string_view body) {
  in.finish();
  if (!in.fine()) return bad_trades(of, body);
  return page;
}

/// Seconds of a time, rounded up.
inline std::string seconds_above(market_time at) {
  return seconds_text(at + std::chrono::seconds{1} - nanoseconds{1});
}

} // namespace troupe
