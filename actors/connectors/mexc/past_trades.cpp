#include "actors/connectors/mexc/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::mexc {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor&) {
  rest_call out;
  out.target = "/api/v3/trades?symbol=" + instrument.venue_symbol + "&limit=1000";
  out.weight = 5;
  return out;
}

/// {"id":null,"price":"3219.58","qty":"0.04757","quoteQty":"153.1554206","time":1737623988881,
/// "isBuyerMaker":false,"isBestMatch":true,"tradeType":"BID"}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  in.round_sizes();
  if (!in.open(body, largest_trades_body)) return bad_trades(instrument, body);
  if (!in.is_array()) return refused_trades(instrument, body);
  trade_page out;
  in.each(in.array(), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    in.each_member(row, [&](std::string_view key, json_value value) {
      if (key == "price") t.at_price = in.price_of(value);
      else if (key == "qty") t.quantity = in.size_of(value);
      else if (key == "time") t.at = in.time(value, time_unit::ms);
      else if (key == "isBuyerMaker") t.taker = in.flag(value) ? side::sell : side::buy;
    });
    if (t.at.ns == 0 || t.quantity.raw == 0) return in.fail(frame_damage::missing_field);
    out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::mexc
