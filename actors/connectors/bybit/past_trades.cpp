#include "actors/connectors/bybit/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"
#include "actors/connectors/bybit/protocol.hpp"

namespace troupe::bybit {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor&) {
  rest_call out;
  out.target = "/v5/market/recent-trade?category=" + std::string{category_of(instrument.kind)} + "&symbol="
               + instrument.venue_symbol
               + (instrument.kind == contract_kind::spot ? "&limit=60" : "&limit=1000");
  return out;
}

/// {"execId":"2100000000007764263","symbol":"BTCUSDT","price":"16618.49","size":"0.00012","side":"Buy",
/// "time":"1672052955758","isBlockTrade":false}
result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  if (!in.open(body, largest_trades_body) || !in.is_object()) return bad_trades(instrument, body);
  auto root = in.object();
  if (in.integer(root, "retCode") != 0 && in.fine()) return refused_trades(instrument, body);
  auto result_of = in.object(root, "result");
  trade_page out;
  in.each(in.array(result_of, "list"), [&](json_value element) {
    auto row = in.object(element);
    past_trade t;
    bool block = false;
    in.each_member(row, [&](std::string_view key, json_value value) {
      if (key == "execId") t.id = in.text(value);
      else if (key == "price") t.at_price = in.price_of(value);
      else if (key == "size") t.quantity = in.size_of(value);
      else if (key == "side") t.taker = side_of_word(in, in.text(value));
      else if (key == "time") t.at = in.time(value, time_unit::ms);
      else if (key == "isBlockTrade") block = in.flag(value);
    });
    if (t.id.empty() || t.at.ns == 0) return in.fail(frame_damage::missing_field);
    if (!block) out.trades.push_back(std::move(t));
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::bybit
