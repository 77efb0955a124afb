#include "actors/connectors/binance/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

#include <algorithm>

namespace troupe::binance {

namespace {

rest_call aggregates(std::string_view path, std::uint32_t weight, const instrument_spec& instrument,
                     const trade_cursor& at) {
  rest_call out;
  out.target = std::string{path} + instrument.venue_symbol
               + (at.number != 0 ? "&fromId=" + std::to_string(at.number)
                                 : "&startTime=" + milliseconds_text(at.from))
               + "&limit=1000";
  out.weight = weight;
  return out;
}

} // namespace

rest_call spot_trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  return aggregates("/api/v3/aggTrades?symbol=", 4, instrument, at);
}

rest_call usdm_trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  return aggregates("/fapi/v1/aggTrades?symbol=", 20, instrument, at);
}

/// {"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body)) return bad_trades(instrument, body);
  if (!in.is_array()) return refused_trades(instrument, body);
  trade_page out;
  in.each(in.array(), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    std::int64_t first = 0;
    in.each_member(row, [&](std::string_view key, json_value value) {
      if (key == "a") out.next = in.id(value) + 1;
      else if (key == "p") t.at_price = in.price_of(value);
      else if (key == "q") t.quantity = in.size_of(value);
      else if (key == "f") first = in.integer(value);
      else if (key == "l") t.number = static_cast<std::uint64_t>(std::max<std::int64_t>(0, in.integer(value)));
      else if (key == "T") t.at = in.time(value, time_unit::ms);
      else if (key == "m") t.taker = in.flag(value) ? side::sell : side::buy;
    });
    // -1: an aggregate whose trades were taken back.
    if (first < 0) return;
    t.first = static_cast<std::uint64_t>(first);
    t.last = t.number;
    if (t.last == 0 || t.first > t.last || t.at.ns == 0) return in.fail(frame_damage::missing_field);
    out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::binance
