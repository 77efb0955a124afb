#include "actors/connectors/kucoin/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::kucoin {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor&) {
  rest_call out;
  out.target = "/api/v1/market/histories?symbol=" + instrument.venue_symbol;
  out.weight = 3;
  return out;
}

/// {"sequence":"10976028003549185","price":"67122","size":"0.000025","side":"buy",
/// "time":1729177117877000000}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  in.round_sizes();
  if (!in.open(body, largest_trades_body) || !in.is_object()) return bad_trades(instrument, body);
  auto root = in.object();
  if (in.token(root, "code") != "200000" && in.fine()) return refused_trades(instrument, body);
  trade_page out;
  in.each(in.array(root, "data"), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    in.each_member(row, [&](std::string_view key, json_value value) {
      if (key == "sequence") t.number = in.id(value);
      else if (key == "price") t.at_price = in.price_of(value);
      else if (key == "size") t.quantity = in.size_of(value);
      else if (key == "side") t.taker = side_of_word(in, in.text(value));
      else if (key == "time") t.at = in.time(value, time_unit::ns);
    });
    if (t.number == 0 || t.at.ns == 0) return in.fail(frame_damage::missing_field);
    out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::kucoin
