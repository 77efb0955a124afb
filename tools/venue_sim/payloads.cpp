#include "tools/venue_sim/payloads.hpp"

#include "tools/venue_sim/text_writer.hpp"

#include <algorithm>

namespace troupe::venue_sim {
namespace {

constexpr std::int64_t ms = 1'000'000;

void write_levels(text_writer& w, std::string_view key, std::span<const book_level> levels,
                  const market_shape& s) {
  w.name(key).open('[');
  for (const auto& l : levels)
    w.open('[').figure(l.price_e8, s.price_decimals).figure(l.quantity_e8, s.quantity_decimals).close(']');
  w.close(']');
}

bool futures(const market_shape& s) {
  return s.venue == venue_kind::binance_usdm;
}

void write_depth(text_writer& w, const market_event& e, const market_shape& s) {
  w.text("e", "depthUpdate").number("E", e.event_ms);
  if (futures(s)) w.number("T", e.transact_ms);
  w.text("s", s.symbol).number("U", e.first_id).number("u", e.last_id);
  if (futures(s)) w.number("pu", e.previous_id);
  write_levels(w, "b", e.bids, s);
  write_levels(w, "a", e.asks, s);
}

void write_trade(text_writer& w, const market_event& e, const market_shape& s) {
  w.text("e", "trade").number("E", e.event_ms);
  if (futures(s)) w.number("T", e.transact_ms);
  w.text("s", s.symbol).number("t", e.last_id).amount("p", e.one.price_e8, s.price_decimals);
  w.amount("q", e.one.quantity_e8, s.quantity_decimals);
  if (futures(s))
    w.text("X", "MARKET").flag("m", e.buyer_is_maker);
  else
    w.number("T", e.transact_ms).flag("m", e.buyer_is_maker).flag("M", true);
}

void write_ticker(text_writer& w, const market_event& e, const market_shape& s) {
  if (futures(s)) w.text("e", "bookTicker");
  w.number("u", e.last_id).text("s", s.symbol);
  w.amount("b", e.one.price_e8, s.price_decimals).amount("B", e.one.quantity_e8, s.quantity_decimals);
  w.amount("a", e.two.price_e8, s.price_decimals).amount("A", e.two.quantity_e8, s.quantity_decimals);
  if (futures(s)) w.number("T", e.transact_ms).number("E", e.event_ms);
}

/// Fields that the answers about an order share.
void write_amounts(text_writer& w, const order& o, bool quote_amount_here) {
  w.amount("price", o.asked.price_e8)
      .amount("origQty", o.asked.quantity_e8)
      .amount("executedQty", o.filled_e8);
  if (quote_amount_here) w.amount("origQuoteOrderQty", o.asked.quote_quantity_e8);
  w.amount("cummulativeQuoteQty", o.filled_quote_e8).text("status", text_of(o.status));
  w.text("timeInForce", text_of(o.asked.tif))
      .text("type", text_of(o.asked.type))
      .text("side", text_of(o.asked.side));
}

std::string_view commission_asset(const fill& f, const trading_rules& r) {
  return f.commission_in_base ? r.base : r.quote;
}

/// Parts per million as the venue's rate text, "0.00100000".
void write_rates(text_writer& w, const trading_rules& r) {
  w.name("commissionRates")
      .open('{')
      .amount("maker", r.maker_fee_ppm * 100LL)
      .amount("taker", r.taker_fee_ppm * 100LL);
  w.amount("buyer", 0).amount("seller", 0).close('}');
}

void write_limit(text_writer& w, std::string_view type, std::string_view interval, int count, int limit) {
  w.open('{').text("rateLimitType", type).text("interval", interval).number("intervalNum", count);
  w.number("limit", limit).close('}');
}

void write_filters(text_writer& w, const trading_rules& r) {
  w.name("filters").open('[');
  w.open('{').text("filterType", "PRICE_FILTER").amount("minPrice", r.min_price_e8);
  w.amount("maxPrice", r.max_price_e8).amount("tickSize", r.tick_e8).close('}');
  w.open('{').text("filterType", "LOT_SIZE").amount("minQty", r.min_quantity_e8);
  w.amount("maxQty", r.max_quantity_e8).amount("stepSize", r.step_e8).close('}');
  w.open('{').text("filterType", "ICEBERG_PARTS").number("limit", 10).close('}');
  w.open('{').text("filterType", "MARKET_LOT_SIZE").amount("minQty", 0);
  w.amount("maxQty", r.max_market_quantity_e8).amount("stepSize", 0).close('}');
  w.open('{')
      .text("filterType", "NOTIONAL")
      .amount("minNotional", r.min_notional_e8)
      .flag("applyMinToMarket", true);
  w.amount("maxNotional", r.max_notional_e8)
      .flag("applyMaxToMarket", false)
      .number("avgPriceMins", 5)
      .close('}');
  w.open('{').text("filterType", "MAX_NUM_ORDERS").number("maxNumOrders", r.max_open_orders).close('}');
  w.open('{').text("filterType", "MAX_NUM_ALGO_ORDERS").number("maxNumAlgoOrders", 5).close('}');
  w.close(']');
}

void write_spot_symbol(text_writer& w, const market_shape& s, const trading_rules& r) {
  w.open('{').text("symbol", s.symbol).text("status", "TRADING").text("baseAsset", s.base);
  w.number("baseAssetPrecision", 8).text("quoteAsset", s.quote).number("quotePrecision", 8);
  w.number("quoteAssetPrecision", 8)
      .number("baseCommissionPrecision", 8)
      .number("quoteCommissionPrecision", 8);
  w.name("orderTypes").raw(R"(["LIMIT","LIMIT_MAKER","MARKET"])");
  w.flag("icebergAllowed", false)
      .flag("ocoAllowed", false)
      .flag("otoAllowed", false)
      .flag("opoAllowed", false);
  w.flag("quoteOrderQtyMarketAllowed", true)
      .flag("allowTrailingStop", false)
      .flag("cancelReplaceAllowed", false);
  w.flag("amendAllowed", false).flag("pegInstructionsAllowed", false).flag("isSpotTradingAllowed", true);
  w.flag("isMarginTradingAllowed", false);
  write_filters(w, r);
  w.name("permissions").raw("[]").name("permissionSets").raw(R"([["SPOT"]])");
  w.text("defaultSelfTradePreventionMode", "NONE")
      .name("allowedSelfTradePreventionModes")
      .raw(R"(["NONE"])")
      .close('}');
}

void write_futures_symbol(text_writer& w, const market_shape& s, const trading_rules& r) {
  const int pd = s.price_decimals, qd = s.quantity_decimals;
  w.open('{').text("symbol", s.symbol).text("pair", s.symbol).text("contractType", "PERPETUAL");
  w.number("deliveryDate", 4133404800000).number("onboardDate", 1569398400000).text("status", "TRADING");
  w.text("maintMarginPercent", "2.5000").text("requiredMarginPercent", "5.0000").text("baseAsset", s.base);
  w.text("quoteAsset", s.quote)
      .text("marginAsset", s.quote)
      .number("pricePrecision", pd)
      .number("quantityPrecision", qd);
  w.number("baseAssetPrecision", 8).number("quotePrecision", 8).text("underlyingType", "COIN");
  w.name("underlyingSubType")
      .raw(R"(["PoW"])")
      .text("triggerProtect", "0.0500")
      .text("liquidationFee", "0.012500");
  w.text("marketTakeBound", "0.05").number("maxMoveOrderLimit", 10000).name("filters").open('[');
  w.open('{').text("filterType", "PRICE_FILTER").amount("maxPrice", r.max_price_e8, pd);
  w.amount("minPrice", r.min_price_e8, pd).amount("tickSize", r.tick_e8, pd).close('}');
  for (const auto* lot : {"LOT_SIZE", "MARKET_LOT_SIZE"})
    w.open('{')
        .text("filterType", lot)
        .amount("maxQty", r.max_quantity_e8, qd)
        .amount("minQty", r.min_quantity_e8, qd)
        .amount("stepSize", r.step_e8, qd)
        .close('}');
  w.open('{').text("filterType", "MIN_NOTIONAL").text("notional", "100").close('}').close(']');
  w.name("orderTypes").raw(R"(["LIMIT","MARKET"])").name("timeInForce").raw(R"(["GTC","IOC","FOK"])");
  w.name("permissionSets").raw("[]").close('}');
}

} // namespace

std::string market_frame(const market_event& e, const market_shape& s) {
  text_writer w;
  w.buffer().reserve(192 + 34 * (e.bids.size() + e.asks.size()));
  w.open('{');
  switch (e.kind) {
  case frame_kind::depth:
    write_depth(w, e, s);
    break;
  case frame_kind::trade:
    write_trade(w, e, s);
    break;
  case frame_kind::book_ticker:
    write_ticker(w, e, s);
    break;
  }
  return w.close('}').take();
}

std::string aggregate_trade_frame(const market_event& e, const market_shape& s) {
  text_writer w;
  w.open('{').text("e", "aggTrade").number("E", e.event_ms).text("s", s.symbol).number("a", e.last_id);
  w.amount("p", e.one.price_e8, s.price_decimals).amount("q", e.one.quantity_e8, s.quantity_decimals);
  w.number("f", e.last_id).number("l", e.last_id).number("T", e.transact_ms).flag("m", e.buyer_is_maker);
  if (!futures(s)) w.flag("M", true);
  return w.close('}').take();
}

std::string combined_frame(std::string_view stream, std::string_view data) {
  std::string out;
  out.reserve(stream.size() + data.size() + 24);
  out += R"({"stream":")";
  out += stream;
  out += R"(","data":)";
  out += data;
  out += '}';
  return out;
}

std::string depth_body(const market_book& book, const market_shape& s, std::size_t limit,
                       std::int64_t now_ms) {
  text_writer w;
  w.buffer().reserve(64 + 68 * std::min(limit, book.bids().size()));
  w.open('{').number("lastUpdateId", book.id());
  if (futures(s)) w.number("E", now_ms).number("T", now_ms);
  const auto side = [&](std::string_view key, const auto& levels) {
    w.name(key).open('[');
    auto left = limit;
    for (const auto& [price, quantity] : levels) {
      if (left-- == 0) break;
      w.open('[').figure(price, s.price_decimals).figure(quantity, s.quantity_decimals).close(']');
    }
    w.close(']');
  };
  side("bids", book.bids());
  side("asks", book.asks());
  return w.close('}').take();
}

std::string trades_body(std::span<const public_trade> trades, const market_shape& s) {
  text_writer w;
  w.open('[');
  for (const auto& t : trades) {
    w.open('{').number("id", t.id).amount("price", t.price_e8, s.price_decimals);
    w.amount("qty", t.quantity_e8, s.quantity_decimals)
        .amount("quoteQty", product_e8(t.price_e8, t.quantity_e8));
    w.number("time", t.time_ms).flag("isBuyerMaker", t.buyer_is_maker);
    if (!futures(s)) w.flag("isBestMatch", true);
    w.close('}');
  }
  return w.close(']').take();
}

std::string aggregate_trades_body(std::span<const public_trade> trades, const market_shape& s) {
  text_writer w;
  w.open('[');
  for (const auto& t : trades) {
    w.open('{').number("a", t.id).amount("p", t.price_e8, s.price_decimals);
    w.amount("q", t.quantity_e8, s.quantity_decimals)
        .number("f", t.id)
        .number("l", t.id)
        .number("T", t.time_ms);
    w.flag("m", t.buyer_is_maker);
    if (!futures(s)) w.flag("M", true);
    w.close('}');
  }
  return w.close(']').take();
}

std::string candles_body(std::span<const candle> candles, const market_shape& s) {
  text_writer w;
  w.open('[');
  for (const auto& c : candles) {
    w.open('[').integer(c.open_ms);
    for (const auto price : {c.open_e8, c.high_e8, c.low_e8, c.close_e8})
      w.figure(price, s.price_decimals);
    w.figure(c.volume_e8, s.quantity_decimals).integer(c.close_ms).figure(c.quote_e8).integer(c.trades);
    w.figure(c.taker_base_e8, s.quantity_decimals).figure(c.taker_quote_e8).word("0").close(']');
  }
  return w.close(']').take();
}

std::string book_ticker_body(const market_book& book, const market_shape& s, std::int64_t now_ms) {
  const auto bid = book.best_bid().value_or(book_level{});
  const auto ask = book.best_ask().value_or(book_level{});
  text_writer w;
  w.open('{').text("symbol", s.symbol).amount("bidPrice", bid.price_e8, s.price_decimals);
  w.amount("bidQty", bid.quantity_e8, s.quantity_decimals).amount("askPrice", ask.price_e8, s.price_decimals);
  w.amount("askQty", ask.quantity_e8, s.quantity_decimals);
  if (futures(s)) w.number("time", now_ms).number("lastUpdateId", book.id());
  return w.close('}').take();
}

std::string exchange_info_body(const market_shape& s, const trading_rules& r, std::int64_t now_ms,
                               int weight_per_minute, int orders_per_10s, int orders_per_day) {
  text_writer w;
  w.open('{').text("timezone", "UTC").number("serverTime", now_ms);
  if (futures(s)) w.text("futuresType", "U_MARGINED");
  w.name("rateLimits").open('[');
  write_limit(w, "REQUEST_WEIGHT", "MINUTE", 1, weight_per_minute);
  write_limit(w, "ORDERS", "SECOND", 10, orders_per_10s);
  write_limit(w, "ORDERS", "DAY", 1, orders_per_day);
  write_limit(w, "RAW_REQUESTS", "MINUTE", 5, 61000);
  w.close(']').name("exchangeFilters").raw("[]");
  if (futures(s)) w.name("assets").raw("[]");
  w.name("symbols").open('[');
  if (futures(s))
    write_futures_symbol(w, s, r);
  else
    write_spot_symbol(w, s, r);
  w.close(']');
  if (!futures(s)) w.name("sors").raw("[]");
  return w.close('}').take();
}

std::string error_body(int code, std::string_view text) {
  text_writer w;
  return w.open('{').number("code", code).text("msg", text).close('}').take();
}

std::string placed_body(const order& o, std::span<const fill> fills, answer_detail detail,
                        const trading_rules& r) {
  text_writer w;
  w.open('{').text("symbol", r.symbol).number("orderId", o.id).number("orderListId", -1);
  w.text("clientOrderId", o.asked.client_order_id).number("transactTime", o.created_ns / ms);
  if (detail == answer_detail::ack) return w.close('}').take();
  write_amounts(w, o, true);
  w.number("workingTime", o.created_ns / ms).text("selfTradePreventionMode", "NONE");
  if (detail == answer_detail::result) return w.close('}').take();
  w.name("fills").open('[');
  for (const auto& f : fills) {
    w.open('{')
        .amount("price", f.price_e8)
        .amount("qty", f.quantity_e8)
        .amount("commission", f.commission_e8);
    w.text("commissionAsset", commission_asset(f, r)).number("tradeId", f.trade_id).close('}');
  }
  return w.close(']').close('}').take();
}

std::string canceled_body(const order& o, std::string_view request_client_id, const trading_rules& r) {
  text_writer w;
  w.open('{')
      .text("symbol", r.symbol)
      .text("origClientOrderId", o.asked.client_order_id)
      .number("orderId", o.id);
  w.number("orderListId", -1)
      .text("clientOrderId", request_client_id)
      .number("transactTime", o.updated_ns / ms);
  write_amounts(w, o, true);
  return w.text("selfTradePreventionMode", "NONE").close('}').take();
}

std::string order_body(const order& o, const trading_rules& r) {
  text_writer w;
  w.open('{').text("symbol", r.symbol).number("orderId", o.id).number("orderListId", -1);
  w.text("clientOrderId", o.asked.client_order_id);
  write_amounts(w, o, false);
  w.amount("stopPrice", 0).amount("icebergQty", 0).number("time", o.created_ns / ms);
  w.number("updateTime", o.updated_ns / ms).flag("isWorking", true).number("workingTime", o.created_ns / ms);
  w.amount("origQuoteOrderQty", o.asked.quote_quantity_e8).text("selfTradePreventionMode", "NONE");
  return w.close('}').take();
}

std::string my_trade_body(const fill& f, const order& o, const trading_rules& r) {
  text_writer w;
  w.open('{')
      .text("symbol", r.symbol)
      .number("id", f.trade_id)
      .number("orderId", o.id)
      .number("orderListId", -1);
  w.amount("price", f.price_e8).amount("qty", f.quantity_e8).amount("quoteQty", f.quote_e8);
  w.amount("commission", f.commission_e8).text("commissionAsset", commission_asset(f, r));
  w.number("time", f.time_ns / ms).flag("isBuyer", o.asked.side == order_side::buy).flag("isMaker", f.maker);
  return w.flag("isBestMatch", true).close('}').take();
}

std::string account_body(const matching_engine& engine, std::int64_t update_ms) {
  const auto& r = engine.rules();
  text_writer w;
  w.open('{')
      .number("makerCommission", r.maker_fee_ppm / 100)
      .number("takerCommission", r.taker_fee_ppm / 100);
  w.number("buyerCommission", 0).number("sellerCommission", 0);
  write_rates(w, r);
  w.flag("canTrade", true).flag("canWithdraw", false).flag("canDeposit", false).flag("brokered", false);
  w.flag("requireSelfTradePrevention", false).flag("preventSor", false).number("updateTime", update_ms);
  w.text("accountType", "SPOT").name("balances").open('[');
  w.open('{')
      .text("asset", r.base)
      .amount("free", engine.base().free_e8)
      .amount("locked", engine.base().locked_e8)
      .close('}');
  w.open('{')
      .text("asset", r.quote)
      .amount("free", engine.quote().free_e8)
      .amount("locked", engine.quote().locked_e8)
      .close('}');
  return w.close(']').name("permissions").raw(R"(["SPOT"])").number("uid", 354937868).close('}').take();
}

std::string execution_report(const order_report& report, std::int64_t execution_id, const trading_rules& r,
                             std::int64_t event_ms) {
  const auto& o = report.now;
  const fill nothing_filled{};
  const auto& f = report.execution ? *report.execution : nothing_filled;
  const bool trade = report.kind == order_report::kind_type::trade;
  const bool canceled = report.kind == order_report::kind_type::canceled;
  static constexpr std::string_view kinds[]{"NEW", "TRADE", "CANCELED", "EXPIRED"};
  text_writer w;
  w.open('{').text("e", "executionReport").number("E", event_ms).text("s", r.symbol);
  w.text("c", canceled ? report.request_client_id : o.asked.client_order_id);
  w.text("S", text_of(o.asked.side)).text("o", text_of(o.asked.type)).text("f", text_of(o.asked.tif));
  w.amount("q", o.asked.quantity_e8)
      .amount("p", o.asked.price_e8)
      .amount("P", 0)
      .amount("F", 0)
      .number("g", -1);
  w.text("C", canceled ? o.asked.client_order_id : std::string{});
  w.text("x", kinds[static_cast<std::size_t>(report.kind)]).text("X", text_of(o.status)).text("r", "NONE");
  w.number("i", o.id).amount("l", f.quantity_e8).amount("z", o.filled_e8).amount("L", f.price_e8);
  if (trade)
    w.amount("n", f.commission_e8).text("N", commission_asset(f, r));
  else
    w.text("n", "0").name("N").raw("null");
  w.number("T", report.time_ns / ms)
      .number("t", trade ? f.trade_id : -1)
      .number("v", 0)
      .number("I", execution_id);
  w.flag("w", o.open()).flag("m", f.maker).flag("M", trade).number("O", o.created_ns / ms);
  w.amount("Z", o.filled_quote_e8).amount("Y", f.quote_e8).amount("Q", o.asked.quote_quantity_e8);
  return w.number("W", o.created_ns / ms).text("V", "NONE").close('}').take();
}

std::string account_position(const matching_engine& engine, std::int64_t event_ms) {
  const auto& r = engine.rules();
  text_writer w;
  w.open('{')
      .text("e", "outboundAccountPosition")
      .number("E", event_ms)
      .number("u", event_ms)
      .name("B")
      .open('[');
  w.open('{')
      .text("a", r.base)
      .amount("f", engine.base().free_e8)
      .amount("l", engine.base().locked_e8)
      .close('}');
  w.open('{')
      .text("a", r.quote)
      .amount("f", engine.quote().free_e8)
      .amount("l", engine.quote().locked_e8)
      .close('}');
  return w.close(']').close('}').take();
}

std::string stream_terminated(std::int64_t event_ms) {
  text_writer w;
  return w.open('{').text("e", "eventStreamTerminated").number("E", event_ms).close('}').take();
}

std::string subscribed_event(std::int64_t subscription_id, std::string_view event) {
  text_writer w;
  return w.open('{').number("subscriptionId", subscription_id).name("event").raw(event).close('}').take();
}

} // namespace troupe::venue_sim
