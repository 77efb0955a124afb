#include "actors/connectors/okx/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::okx {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  rest_call out;
  out.target = "/api/v5/market/history-trades?instId=" + instrument.venue_symbol + "&type=1&limit=100";
  if (at.number != 0) out.target += "&after=" + std::to_string(at.number);
  return out;
}

/// {"instId":"BTC-USDT","side":"sell","sz":"0.00001","px":"29963.2","tradeId":"242720720",
/// "ts":"1654161646974"}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body) || !in.is_object()) return bad_trades(instrument, body);
  auto root = in.object();
  if (in.token(root, "code") != "0" && in.fine()) return refused_trades(instrument, body);
  trade_page out;
  in.each(in.array(root, "data"), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    in.each_member(row, [&](std::string_view key, json_value value) {
      if (key == "tradeId") number_in_order(t, in.id(value));
      else if (key == "px") t.at_price = in.price_of(value);
      else if (key == "sz") t.quantity = in.size_of(value);
      else if (key == "side") t.taker = side_of_word(in, in.text(value));
      else if (key == "ts") t.at = in.time(value, time_unit::ms);
    });
    if (t.number == 0 || t.at.ns == 0) return in.fail(frame_damage::missing_field);
    out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::okx
