#include "actors/connectors/bitfinex/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::bitfinex {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  rest_call out;
  out.target = "/v2/trades/" + instrument.venue_symbol + "/hist?limit=10000&sort=1&start="
               + milliseconds_text(at.from) + "&end=" + milliseconds_text(at.to);
  return out;
}

namespace {

/// [388063448,1567526214876,1.918524,10682]; sold when the amount is negative.
past_trade row_of(json_frame& in, json_array row) {
  past_trade t;
  int column = 0;
  in.each(row, [&](json_value cell) {
    switch (column++) {
    case 0: t.number = in.id(cell); break;
    case 1: t.at = in.time(cell, time_unit::ms); break;
    case 2: {
      auto text = in.token(cell);
      t.taker = text.starts_with('-') ? side::sell : side::buy;
      if (t.taker == side::sell) text.remove_prefix(1);
      const auto amount = parse_size(text, in.size_scale());
      if (in.fine() && !amount) in.fail(frame_damage::bad_number);
      t.quantity = {amount.value_or(0)};
      break;
    }
    case 3: t.at_price = in.price_of(cell); break;
    default: break;
    }
  });
  if (column < 4) in.fail(frame_damage::missing_field);
  return t;
}

} // namespace

result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  if (body.starts_with("[\"error\"") || body.starts_with('{')) return refused_trades(instrument, body);
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body) || !in.is_array()) return bad_trades(instrument, body);
  trade_page out;
  in.each(in.array(), [&](json_value row) { out.trades.push_back(row_of(in, in.array(row))); });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::bitfinex
