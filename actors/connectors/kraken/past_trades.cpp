#include "actors/connectors/kraken/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"
#include "actors/connectors/kraken/symbols.hpp"

#include <algorithm>

namespace troupe::kraken {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor& at) {
  rest_call out;
  const auto pair = pair_of_rest(instrument.venue_symbol);
  if (pair.empty()) return out;
  const auto since = at.number != 0 ? at.number : static_cast<std::uint64_t>(std::max<std::int64_t>(1, at.from.ns));
  out.target = "/0/public/Trades?pair=" + pair + "&since=" + std::to_string(since) + "&count=1000";
  return out;
}

namespace {

/// ["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952]
past_trade row_of(json_frame& in, json_array row) {
  past_trade t;
  int column = 0;
  in.each(row, [&](json_value cell) {
    switch (column++) {
    case 0: t.at_price = in.price_of(cell); break;
    case 1: t.quantity = in.size_of(cell); break;
    case 2: t.at = in.time(cell, time_unit::s); break;
    case 3: t.taker = side_of_word(in, in.text(cell)); break;
    case 6: number_in_order(t, in.id(cell)); break;
    default: break;
    }
  });
  if (column < 7) in.fail(frame_damage::missing_field);
  return t;
}

} // namespace

result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body) || !in.is_object()) return bad_trades(instrument, body);
  auto root = in.object();
  bool refused = false;
  in.each(in.array(root, "error"), [&](json_value) { refused = true; });
  if (refused && in.fine()) return refused_trades(instrument, body);
  trade_page out;
  in.each_member(in.object(root, "result"), [&](std::string_view key, json_value value) {
    if (key == "last") {
      out.next = in.id(value);
      return;
    }
    in.each(in.array(value), [&](json_value row) { out.trades.push_back(row_of(in, in.array(row))); });
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::kraken
