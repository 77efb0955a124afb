#include "actors/connectors/gate/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::gate {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  rest_call out;
  // Further back than wanted: an older trade proves that the page reaches over the beginning.
  out.target = "/api/v4/spot/trades?currency_pair=" + instrument.venue_symbol + "&limit=1000&from="
               + seconds_text(at.from - std::chrono::hours{1}) + "&to=" + seconds_above(at.to);
  return out;
}

/// {"id":"1232893232","create_time":"1548000000","create_time_ms":"1548000000123.456","side":"buy",
/// "amount":"0.15","price":"0.03"}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body)) return bad_trades(instrument, body);
  if (!in.is_array()) return refused_trades(instrument, body);
  trade_page out;
  in.each(in.array(), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    in.each_member(row, [&](std::string_view key, json_value value) {
      if (key == "id") t.number = in.id(value);
      else if (key == "create_time_ms") t.at = in.time(value, time_unit::ms);
      else if (key == "amount") t.quantity = in.size_of(value);
      else if (key == "price") t.at_price = in.price_of(value);
      else if (key == "side") t.taker = side_of_word(in, in.text(value));
    });
    if (t.number == 0 || t.at.ns == 0) return in.fail(frame_damage::missing_field);
    out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::gate
