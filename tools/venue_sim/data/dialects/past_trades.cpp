#include "tools/venue_sim/data/dialects/past_trades.hpp"

#include "tools/venue_sim/data/dialects/iso_time.hpp"
#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>

namespace troupe::venue_sim {
namespace {

using trade_list = std::vector<public_trade>;

/// Numbers in the shortest form.
std::string shortest(std::int64_t value_e8) {
  auto text = text_e8(value_e8);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::size_t limit_of(const parameters& asked, std::string_view name, std::int64_t usual, std::int64_t most) {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(asked.integer(name).value_or(usual), 1, most));
}

trade_list newest_first(trade_list trades) {
  std::reverse(trades.begin(), trades.end());
  return trades;
}

/// The newest of those between two seconds, both inclusive, newest first.
trade_list newest_between(const data_market& market, const parameters& asked, std::string_view from,
                          std::string_view to, std::size_t limit) {
  const auto first = asked.integer(from).value_or(0) * 1000;
  const auto last = asked.has(to) ? asked.integer(to).value_or(0) * 1000 : INT64_MAX;
  auto trades = market.history().between(first, last, SIZE_MAX);
  if (trades.size() > limit) trades.erase(trades.begin(), trades.end() - static_cast<std::ptrdiff_t>(limit));
  return newest_first(std::move(trades));
}

} // namespace

std::string bybit_past_trades(const data_market& market, std::string_view symbol, const parameters& asked) {
  const auto& i = market.instrument();
  const auto limit = i.perpetual ? limit_of(asked, "limit", 500, 1000) : limit_of(asked, "limit", 60, 60);
  text_writer w;
  w.open('{').text("category", i.perpetual ? "linear" : "spot").name("list").open('[');
  for (const auto& t : newest_first(market.history().newest(limit))) {
    w.open('{').text("execId", "2290000000" + std::to_string(t.id)).text("symbol", symbol);
    w.amount("price", t.price_e8, i.price_decimals).amount("size", t.quantity_e8, i.quantity_decimals);
    w.text("side", t.buyer_is_maker ? "Sell" : "Buy").text("time", std::to_string(t.time_ms));
    w.flag("isBlockTrade", false).flag("isRPITrade", false).text("seq", "123456").close('}');
  }
  return w.close(']').close('}').take();
}

std::string okx_past_trades(const data_market& market, std::string_view symbol, const parameters& asked) {
  const auto& i = market.instrument();
  const auto limit = limit_of(asked, "limit", 100, 100);
  trade_list trades;
  if (const auto after = asked.integer("after")) {
    trades = market.history().from_id(*after - static_cast<std::int64_t>(limit), limit);
    std::erase_if(trades, [&](const public_trade& t) { return t.id >= *after; });
  } else {
    trades = market.history().newest(limit);
  }
  text_writer w;
  w.open('[');
  for (const auto& t : newest_first(std::move(trades))) {
    w.open('{').text("instId", symbol).text("side", t.buyer_is_maker ? "sell" : "buy");
    w.amount("sz", t.quantity_e8, i.quantity_decimals).amount("px", t.price_e8, i.price_decimals);
    w.text("source", "0").text("tradeId", std::to_string(t.id)).text("ts", std::to_string(t.time_ms)).close('}');
  }
  return w.close(']').take();
}

std::string kraken_past_trades(const data_market& market, std::string_view pair, const parameters& asked) {
  const auto& i = market.instrument();
  const auto since = asked.integer("since").value_or(0);
  const auto limit = limit_of(asked, "count", 1000, 1000);
  const auto trades = since == 0 ? market.history().newest(limit)
                                 : market.history().between((since + 999'999) / 1'000'000, INT64_MAX, limit);
  text_writer w;
  w.open('{').name(pair).open('[');
  for (const auto& t : trades) {
    w.open('[').figure(t.price_e8, i.price_decimals).figure(t.quantity_e8, 8);
    auto fraction = std::to_string(1000 + t.time_ms % 1000).substr(1);
    w.raw(std::to_string(t.time_ms / 1000) + "." + fraction).word(t.buyer_is_maker ? "s" : "b");
    w.word("l").word("").integer(t.id).close(']');
  }
  const auto last = trades.empty() ? since : trades.back().time_ms * 1'000'000;
  return w.close(']').text("last", std::to_string(last)).close('}').take();
}

std::string coinbase_past_trades(const data_market& market, std::string_view product, const parameters& asked) {
  const auto& i = market.instrument();
  text_writer w;
  w.open('{').name("trades").open('[');
  for (const auto& t : newest_between(market, asked, "start", "end", limit_of(asked, "limit", 100, 1000))) {
    w.open('{').text("trade_id", std::to_string(t.id)).text("product_id", product);
    w.amount("price", t.price_e8, i.price_decimals).amount("size", t.quantity_e8, i.quantity_decimals);
    w.text("time", iso_micros(t.time_ms)).text("side", t.buyer_is_maker ? "BUY" : "SELL");
    w.text("exchange", "CBE").close('}');
  }
  w.close(']');
  if (const auto bid = market.book().best_bid()) w.amount("best_bid", bid->price_e8, i.price_decimals);
  if (const auto ask = market.book().best_ask()) w.amount("best_ask", ask->price_e8, i.price_decimals);
  return w.close('}').take();
}

std::string bitfinex_past_trades(const data_market& market, const parameters& asked) {
  const auto limit = limit_of(asked, "limit", 125, 10'000);
  const auto from = asked.integer("start").value_or(0);
  const auto to = asked.integer("end").value_or(INT64_MAX);
  const bool oldest_first = asked.get("sort") == "1";
  auto trades = market.history().between(from, to, oldest_first ? limit : SIZE_MAX);
  if (!oldest_first) {
    trades = newest_first(std::move(trades));
    trades.resize(std::min(trades.size(), limit));
  }
  text_writer w;
  w.open('[');
  for (const auto& t : trades)
    w.open('[').integer(t.id).integer(t.time_ms).raw((t.buyer_is_maker ? "-" : "") + shortest(t.quantity_e8))
        .raw(shortest(t.price_e8)).close(']');
  return w.close(']').take();
}

std::string gate_past_trades(const data_market& market, std::string_view symbol, const parameters& asked) {
  text_writer w;
  w.open('[');
  for (const auto& t : newest_between(market, asked, "from", "to", limit_of(asked, "limit", 100, 1000))) {
    w.open('{').text("id", std::to_string(t.id)).text("create_time", std::to_string(t.time_ms / 1000));
    w.text("create_time_ms", std::to_string(t.time_ms) + ".357200").text("currency_pair", symbol);
    w.text("side", t.buyer_is_maker ? "sell" : "buy").text("amount", shortest(t.quantity_e8));
    w.text("price", shortest(t.price_e8)).text("sequence_id", std::to_string(t.id)).close('}');
  }
  return w.close(']').take();
}

std::string kucoin_past_trades(const data_market& market) {
  text_writer w;
  w.open('[');
  for (const auto& t : market.history().newest(100)) {
    w.open('{').text("sequence", std::to_string(t.id)).text("price", shortest(t.price_e8));
    w.text("size", shortest(t.quantity_e8)).text("side", t.buyer_is_maker ? "sell" : "buy");
    w.number("time", t.time_ms * 1'000'000).close('}');
  }
  return w.close(']').take();
}

std::string htx_past_trades(const data_market& market, std::string_view symbol, const parameters& asked,
                            std::int64_t contract_e8, std::int64_t now_ms) {
  text_writer w;
  w.open('{').text("ch", "market." + std::string{symbol} + ".trade.detail").text("status", "ok");
  w.number("ts", now_ms).name("data").open('[');
  for (const auto& t : newest_first(market.history().newest(limit_of(asked, "size", 1, 2000)))) {
    const auto direction = t.buyer_is_maker ? "sell" : "buy";
    w.open('{').number("id", t.id + 124'000'000'000).number("ts", t.time_ms).name("data").open('[').open('{');
    if (contract_e8 == 0) {
      w.name("id").raw("12400000000" + std::to_string(100'000'000'000 + t.id)).number("ts", t.time_ms);
      w.number("trade-id", t.id).name("amount").raw(shortest(t.quantity_e8));
      w.name("price").raw(shortest(t.price_e8)).text("direction", direction);
    } else {
      w.number("amount", t.quantity_e8 / contract_e8).text("direction", direction).number("id", t.id);
      w.name("price").raw(shortest(t.price_e8)).number("ts", t.time_ms);
      w.name("quantity").raw(shortest(t.quantity_e8));
      w.name("trade_turnover").raw(shortest(product_e8(t.price_e8, t.quantity_e8)));
    }
    w.close('}').close(']').close('}');
  }
  return w.close(']').close('}').take();
}

std::string deribit_past_trades(const data_market& market, std::string_view instrument, const parameters& asked) {
  const auto limit = limit_of(asked, "count", 10, 1000);
  const auto from = asked.integer("start_timestamp").value_or(0);
  const auto to = asked.integer("end_timestamp").value_or(INT64_MAX);
  const bool oldest_first = asked.get("sorting") == "asc";
  auto trades = market.history().between(from, to, SIZE_MAX);
  if (!oldest_first) trades = newest_first(std::move(trades));
  const bool more = trades.size() > limit;
  trades.resize(std::min(trades.size(), limit));
  text_writer w;
  w.open('{').name("trades").open('[');
  for (const auto& t : trades) {
    w.open('{').number("trade_seq", t.id).text("trade_id", std::to_string(t.id + 170'000'000));
    w.number("timestamp", t.time_ms).number("tick_direction", 0).name("price").raw(shortest(t.price_e8));
    w.name("mark_price").raw(shortest(t.price_e8)).text("instrument_name", instrument);
    w.name("index_price").raw(shortest(t.price_e8)).text("direction", t.buyer_is_maker ? "sell" : "buy");
    w.name("amount").raw(shortest(t.quantity_e8)).close('}');
  }
  return w.close(']').flag("has_more", more).close('}').take();
}

std::string mexc_past_trades(const data_market& market, const parameters& asked) {
  text_writer w;
  w.open('[');
  for (const auto& t : newest_first(market.history().newest(limit_of(asked, "limit", 500, 1000)))) {
    w.open('{').name("id").raw("null").text("price", shortest(t.price_e8)).text("qty", shortest(t.quantity_e8));
    w.text("quoteQty", shortest(product_e8(t.price_e8, t.quantity_e8))).number("time", t.time_ms);
    w.flag("isBuyerMaker", t.buyer_is_maker).flag("isBestMatch", true);
    w.text("tradeType", t.buyer_is_maker ? "ASK" : "BID").close('}');
  }
  return w.close(']').take();
}

std::vector<public_trade> binance_past_trades(const data_market& market, const parameters& asked) {
  const auto limit = limit_of(asked, "limit", 500, 1000);
  if (const auto id = asked.integer("fromId")) return market.history().from_id(*id, limit);
  if (!asked.has("startTime") && !asked.has("endTime")) return market.history().newest(limit);
  return market.history().between(asked.integer("startTime").value_or(0),
                                  asked.integer("endTime").value_or(INT64_MAX), limit);
}

} // namespace troupe::venue_sim
