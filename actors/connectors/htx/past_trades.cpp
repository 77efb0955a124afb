#include "actors/connectors/htx/past_trades.hpp"

#include "actors/connectors/trade_rows.hpp"

namespace troupe::htx {

rest_call trade_call(const instrument_spec& instrument, const trade_cursor&) {
  rest_call out;
  switch (instrument.kind) {
  case contract_kind::spot: out.target = "/market/history/trade?symbol="; break;
  case contract_kind::linear: out.target = "/linear-swap-ex/market/history/trade?contract_code="; break;
  case contract_kind::inverse: out.target = "/swap-ex/market/history/trade?contract_code="; break;
  }
  out.target += instrument.venue_symbol + "&size=2000";
  return out;
}

namespace {

/// {"id":1.361087643793484e+26,"ts":1629793656939,"trade-id":102517381182,"amount":0.000124,
/// "price":49656.4,"direction":"buy"}; swaps have no trade-id, and their id is a number of 64 bits.
past_trade row_of(json_frame& in, json_object row, const instrument_spec& instrument) {
  past_trade t;
  const bool spot = instrument.kind == contract_kind::spot;
  std::string_view contracts;
  in.each_member(row, [&](std::string_view key, json_value value) {
    if (key == (spot ? "trade-id" : "id")) t.number = in.id(value);
    else if (key == "ts") t.at = in.time(value, time_unit::ms);
    else if (key == "price") t.at_price = in.price_of(value);
    else if (key == "direction") t.taker = side_of_word(in, in.text(value));
    else if (key == "amount") {
      if (instrument.kind == contract_kind::linear) contracts = in.token(value);
      else t.quantity = in.size_of(value);
    }
  });
  if (!contracts.empty() && in.fine()) {
    const auto count = parse_price(contracts, 0);
    if (!count || __builtin_mul_overflow(*count, instrument.lot.raw, &t.quantity.raw))
      in.fail(frame_damage::bad_number);
  }
  if (t.number == 0 || t.at.ns == 0) in.fail(frame_damage::missing_field);
  return t;
}

} // namespace

result<trade_page> read_trades(const instrument_spec& instrument, std::string_view body) {
  json_frame in{instrument.price_scale, instrument.size_scale};
  in.round_sizes();
  json_value value;
  if (!in.open(body, largest_trades_body) || !in.is_object()) return bad_trades(instrument, body);
  auto root = in.object();
  if (in.find(root, "status", value) && in.text(value) != "ok") return refused_trades(instrument, body);
  trade_page out;
  in.each(in.array(root, "data"), [&](json_value group) {
    auto object = in.object(group);
    in.each(in.array(object, "data"),
            [&](json_value row) { out.trades.push_back(row_of(in, in.object(row), instrument)); });
  });
  return finished(in, std::move(out), instrument, body);
}

} // namespace troupe::htx
