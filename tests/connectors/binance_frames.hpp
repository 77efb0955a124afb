#pragma once

/// Frames for tests of the Binance codec, one of each layout, and a comparison of two decoded events.

#include "actors/connectors/binance/codec.hpp"

#include <algorithm>
#include <sstream>
#include <vector>

namespace troupe::test {

/// One frame of each layout the venue sends, numbers made up.
inline const std::vector<std::string>& sample_frames() {
  static const std::vector<std::string> frames{
      R"({"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000123,"s":"ABCUSDT","U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"],["61730.17000000","1.54698000"],["5.00000000","12345.67800000"]],"a":[["61837.64000000","1.54698000"]]}})",
      R"({"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000123,"s":"ABCUSDT","U":1,"u":1,"b":[],"a":[]}})",
      R"({"stream":"abcusdt@depth@0ms","data":{"e":"depthUpdate","E":1700000000299,"T":1700000000298,"s":"ABCUSDT","U":5123107832006,"u":5123107837557,"pu":5123107831937,"b":[["58710.20","0.014"],["61496.50","0.010"]],"a":[["61641.50","1.211"],["61652.80","0.195"]]}})",
      R"({"stream":"abcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1700000000440,"T":1700000000432,"s":"ABCUSD_PERP","ps":"ABCUSD","U":1007198631260,"u":1007198631565,"pu":1007198631198,"b":[["61773.6","1001"],["61776.4","412"]],"a":[]}})",
      R"({"stream":"abcusdt@bookTicker","data":{"u":50093239212,"s":"ABCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}})",
      R"({"stream":"abcusdt@bookTicker","data":{"e":"bookTicker","u":5123107839020,"s":"ABCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510","T":1700000000313,"E":1700000000313}})",
      R"({"stream":"abcusd_perp@bookTicker","data":{"u":1007198632021,"e":"bookTicker","s":"ABCUSD_PERP","ps":"ABCUSD","b":"61804.7","B":"35","a":"61804.8","A":"1645","T":1700000000465,"E":1700000000476}})",
      R"({"stream":"abcusdt@trade","data":{"e":"trade","E":1700000000343,"s":"ABCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1700000000342,"m":true,"M":true}})",
      R"({"stream":"abcusdt@trade","data":{"e":"trade","E":1700000000343,"s":"ABCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","b":88,"a":50,"T":1700000000342,"m":false,"M":true}})",
      R"({"stream":"abcusdt@trade","data":{"e":"trade","E":1700000000322,"T":1700000000322,"s":"ABCUSDT","t":5266583935,"p":"61800.30","q":"0.006","X":"MARKET","m":false}})",
      R"({"stream":"abcusdt@aggTrade","data":{"e":"aggTrade","E":1700000000322,"s":"ABCUSDT","a":12345,"p":"0.00100000","q":"100.00000000","f":100,"l":105,"T":1700000000321,"m":true,"M":true}})",
      R"({"stream":"abcusdt@kline_1m","data":{"e":"kline","E":1700000000322,"s":"ABCUSDT","k":{"t":1700000000000,"T":1700000059999,"s":"ABCUSDT","i":"1m","f":100,"L":200,"o":"0.00100000","c":"0.00200000","h":"0.00250000","l":"0.00150000","v":"1000.00000000","n":100,"x":false,"q":"1.00000000","V":"500.00000000","Q":"0.50000000","B":"123456"}}})",
      R"({"e":"depthUpdate","E":1700000000123,"s":"ABCUSDT","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"]]})",
      R"({"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]})",
      R"({"lastUpdateId":1027024,"E":1700000000781,"T":1700000000764,"bids":[["4.00","431.0"]],"asks":[["4.01","12.0"],["4.02","1.0"]]})",
      R"({"result":null,"id":1})",
      R"({"id":"abc","result":["btcusdt@trade"]})",
      R"({"error":{"code":2,"msg":"Invalid request"},"id":7})",
      R"({"code":-1121,"msg":"Invalid symbol."})",
      R"({"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1700000000123}})",
      R"({"stream":"abcusdt@markPrice","data":{"e":"markPriceUpdate","E":1700000000000,"s":"ABCUSDT","p":"11794.15000000","i":"11784.62659091","r":"-0.00038167","T":1700000000000}})",
  };
  return frames;
}

/// An event as text, everything that counts in it.
inline std::string describe(const market_event& e) {
  std::ostringstream out;
  out << name_of(e.kind) << ' ' << name_of(e.damage) << ' ' << e.symbol << ' ' << e.stream << ' ';
  const auto levels = [&](std::span<const level> all) {
    out << '[';
    for (const auto& l : all) out << l.at.raw << 'x' << l.quantity.raw << ' ';
    out << ']';
  };
  switch (e.kind) {
  case event_kind::depth:
    out << e.depth.event.ns << ' ' << e.depth.transaction.ns << ' ' << e.depth.first << ' ' << e.depth.last
        << ' ' << e.depth.has_previous << ' ' << e.depth.previous << ' ';
    levels(e.depth.bids);
    levels(e.depth.asks);
    break;
  case event_kind::image:
    out << e.image.last << ' ' << e.image.event.ns << ' ';
    levels(e.image.bids);
    levels(e.image.asks);
    break;
  case event_kind::best: {
    const level both[] = {e.best.bid, e.best.ask};
    out << e.best.sequence << ' ' << e.best.event.ns << ' ';
    levels(both);
    break;
  }
  case event_kind::trade:
    out << e.trade.id << ' ' << e.trade.first_id << ' ' << e.trade.last_id << ' ' << e.trade.at.ns << ' '
        << e.trade.event.ns << ' ' << e.trade.at_price.raw << ' ' << e.trade.quantity.raw << ' '
        << static_cast<int>(e.trade.taker) << e.trade.aggregated << e.trade.on_market;
    break;
  case event_kind::candle:
    out << e.candle.interval << ' ' << e.candle.open_time.ns << ' ' << e.candle.open.raw << ' '
        << e.candle.high.raw << ' ' << e.candle.low.raw << ' ' << e.candle.close.raw << ' '
        << e.candle.volume.raw << ' ' << e.candle.trades << e.candle.closed;
    break;
  case event_kind::acknowledgement: out << e.request; break;
  case event_kind::failure: out << e.request << ' ' << e.code << ' ' << e.text; break;
  default: break;
  }
  return out.str();
}

/// What the two ways said about one frame.
enum class verdict { declined, equal, different };

/// Decodes a frame both ways; `declined` when the scanner left it to the general way. Where they differ, both
/// results are in `why`.
inline verdict compare_ways(binance::decoder& decoder, std::string_view frame, std::string& why) {
  const auto one = describe(decoder.decode(frame));
  if (!decoder.took_fast_path()) return verdict::declined;
  const auto other = describe(decoder.decode_general(frame));
  if (one == other) return verdict::equal;
  why = "scanner: " + one + "\ngeneral: " + other + "\nframe: " + std::string{frame};
  return verdict::different;
}

} // namespace troupe::test
