#include "actors/connectors/deribit/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::deribit {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  rest_call out;
  out.target = "/api/v2/public/get_last_trades_by_instrument_and_time?instrument_name="
               + instrument.venue_symbol + "&start_timestamp=" + milliseconds_text(at.from)
               + "&end_timestamp=" + milliseconds_text(at.to) + "&count=1000&sorting=asc";
  return out;
}

/// {"trade_seq":467,"trade_id":"415305279","timestamp":1770984454552,"price":0.0525,"direction":"buy",
/// "amount":3,…}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body) || !in.is_object()) return bad_trades(instrument, body);
  auto root = in.object();
  json_value value;
  if (!in.find(root, "result", value)) return refused_trades(instrument, body);
  auto result_of = in.object(value);
  trade_page out;
  in.each(in.array(result_of, "trades"), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    bool block = false;
    in.each_member(row, [&](std::string_view key, json_value cell) {
      if (key == "trade_seq") number_in_order(t, in.id(cell));
      else if (key == "trade_id") t.id = in.text(cell);
      else if (key == "timestamp") t.at = in.time(cell, time_unit::ms);
      else if (key == "price") t.at_price = in.price_of(cell);
      else if (key == "amount") t.quantity = in.size_of(cell);
      else if (key == "direction") t.taker = side_of_word(in, in.text(cell));
      else if (key == "block_trade_id") block = !cell.is_null();
    });
    if (t.number == 0 || t.id.empty() || t.at.ns == 0) return in.fail(frame_damage::missing_field);
    if (!block) out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::deribit
