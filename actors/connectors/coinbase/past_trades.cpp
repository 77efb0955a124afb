#include "actors/connectors/coinbase/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::coinbase {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  rest_call out;
  // Further back than wanted: an older trade proves that the page reaches over the beginning.
  out.target = "/api/v3/brokerage/market/products/" + instrument.venue_symbol + "/ticker?limit=1000&start="
               + seconds_text(at.from - std::chrono::hours{1}) + "&end=" + seconds_above(at.to);
  return out;
}

/// {"trade_id":"22350501","product_id":"BTC-USD","price":"140.91","size":"4",
/// "time":"2021-05-31T09:59:59Z","side":"BUY"}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body) || !in.is_object()) return bad_trades(instrument, body);
  auto root = in.object();
  json_value list;
  if (!in.find(root, "trades", list)) return refused_trades(instrument, body);
  trade_page out;
  in.each(in.array(list), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    in.each_member(row, [&](std::string_view key, json_value value) {
      if (key == "trade_id") number_in_order(t, in.id(value));
      else if (key == "price") t.at_price = in.price_of(value);
      else if (key == "size") t.quantity = in.size_of(value);
      else if (key == "side") t.taker = opposite(side_of_word(in, in.text(value)));
      else if (key == "time") t.at = in.iso_time(value);
    });
    if (t.number == 0 || t.at.ns == 0) return in.fail(frame_damage::missing_field);
    out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::coinbase
