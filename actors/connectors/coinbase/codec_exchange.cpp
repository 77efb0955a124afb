// The Exchange feed: one flat object a frame, named by "type".

#include "actors/connectors/coinbase/codec.hpp"
#include "actors/connectors/layout_scan.hpp"
#include "actors/connectors/rest_reading.hpp"

namespace troupe::coinbase {

using namespace std::string_view_literals;

namespace {

constexpr json_limits exchange_limits{.frame_bytes = 48 << 20};

class exchange_decoder final : public json_decoder {
public:
  explicit exchange_decoder(const instrument_spec& instrument)
      : json_decoder{instrument, exchange_limits} {}

private:
  bool read_layout(std::string_view frame) override;
  bool scan_change(layout_scan& scan, std::string_view product);
  bool scan_image(layout_scan& scan, std::string_view product);
  void add_image(std::string_view product, std::span<const level> bids, std::span<const level> asks,
                 market_time at);
  void add_change(std::string_view product, market_time at);
  void read_object(json_object root) override;
  void read_image(json_object& root, std::string_view product);
  std::span<const level> read_side(json_object& root, std::string_view key, side s);
  void read_change(json_object& root, std::string_view product);
  void read_match(json_object& root, std::string_view product);
  void read_ticker(json_object& root, std::string_view product);
  market_time time_of(json_object& root);

  market_time newest_; // of frames that say their time
  iso_clock clock_;
};

/// {"type":"l2update","product_id":"BAND-GBP","changes":[["buy","9.2","0.5"]],
/// "time":"2021-04-17T16:43:43.194567Z"} and
/// {"type":"snapshot","product_id":"BAND-GBP","asks":[["14.8","12.7"],…],"bids":[…]}
bool exchange_decoder::read_layout(std::string_view frame) {
  auto scan = layout_of(frame);
  if (!scan.is(R"({"type":")")) return false;
  const std::string_view product = instrument().venue_symbol;
  const auto named = [&] { return scan.is(R"(,"product_id":")") && scan.is(product) && scan.is('"'); };
  if (scan.is("l2update\"")) return named() && scan_change(scan, product);
  return scan.is("snapshot\"") && named() && scan_image(scan, product);
}

bool exchange_decoder::scan_change(layout_scan& scan, std::string_view product) {
  if (!scan.is(R"(,"changes":[)")) return false;
  do {
    level l;
    const bool buys = scan.is(R"(["buy",")");
    if (!buys && !scan.is(R"(["sell",")")) return false;
    if (!scan.quoted_price(l.at) || !scan.is(",\"")) return false;
    if (!scan.quoted_size(l.quantity) || !scan.is(']')) return false;
    if (!in().lane(buys ? side::buy : side::sell).add(l)) return false;
  } while (scan.is(','));
  std::string_view time;
  market_time at;
  if (!scan.is(R"(],"time":")") || !scan.text(time) || !clock_.read(time, at)) return false;
  if (!scan.is('}') || !scan.done()) return false;
  newest_ = std::max(newest_, at);
  add_change(product, at);
  return true;
}

bool exchange_decoder::scan_image(layout_scan& scan, std::string_view product) {
  if (!scan.is(R"(,"asks":[)") || !scan.quoted_rows(in().lane(side::sell))) return false;
  if (!scan.is(R"(,"bids":[)") || !scan.quoted_rows(in().lane(side::buy))) return false;
  if (!scan.is('}') || !scan.done()) return false;
  add_image(product, in().lane(side::buy).since(0), in().lane(side::sell).since(0), newest_);
  return true;
}

/// Some changes carry the year 1: their time is that of the change before.
market_time exchange_decoder::time_of(json_object& root) {
  json_value value;
  if (!in().find(root, "time", value)) return newest_;
  const auto text = in().text(value);
  market_time out;
  if (!in().fine()) return newest_;
  if (parse_iso_time(text, out))
    newest_ = std::max(newest_, out);
  else if (text.substr(0, 4) < "1970"sv)
    out = newest_;
  else
    in().fail(frame_damage::bad_range);
  return out;
}

void exchange_decoder::read_object(json_object root) {
  json_value value;
  if (!in().find(root, "type", value)) return;
  const auto type = in().text(value);
  if (type == "subscriptions") {
    add(event_kind::acknowledgement);
    return;
  }
  if (type == "error") {
    const auto why = in().find(root, "message", value) ? in().text(value) : ""sv;
    add(event_kind::failure).text = why;
    return;
  }
  // `last_match` is a trade of before the subscription.
  const bool known =
      type == "snapshot" || type == "l2update" || type == "match" || type == "ticker";
  if (!known || !in().fine()) return;
  const auto product = in().text(root, "product_id");
  if (!in().fine() || !ours(product)) return;
  if (type == "snapshot")
    read_image(root, product);
  else if (type == "l2update")
    read_change(root, product);
  else if (type == "match")
    read_match(root, product);
  else
    read_ticker(root, product);
}

std::span<const level> exchange_decoder::read_side(json_object& root, std::string_view key,
                                                   side s) {
  const auto mark = in().lane(s).mark();
  in().each(in().array(root, key), [&](json_value row) {
    level l;
    bool negative = false;
    int column = 0;
    in().each(in().array(row), [&](json_value cell) {
      if (column == 0) l.at = in().price_of(cell);
      if (column == 1) {
        const auto text = in().token(cell);
        // In 2021 the venue wrote "0.-10000" now and then: a negative size, which is no order.
        negative = text.find('-') != std::string_view::npos;
        const auto quantity = parse_size(text, in().size_scale());
        if (!negative && in().fine() && !quantity) in().fail(frame_damage::bad_number);
        l.quantity = {quantity.value_or(0)};
      }
      ++column;
    });
    if (column < 2) in().fail(frame_damage::missing_field);
    if (in().fine() && !negative) in().put(s, l);
  });
  return in().lane(s).since(mark);
}

void exchange_decoder::read_image(json_object& root, std::string_view product) {
  const auto asks = read_side(root, "asks", side::sell);
  const auto bids = read_side(root, "bids", side::buy);
  const auto at = time_of(root);
  if (in().fine()) add_image(product, bids, asks, at);
}

void exchange_decoder::add_image(std::string_view product, std::span<const level> bids,
                                 std::span<const level> asks, market_time at) {
  auto& out = add(event_kind::image, product);
  out.image.event = at;
  out.image.bids = bids;
  out.image.asks = asks;
}

/// "changes":[["buy","9202.70","0.58667860"],…]
void exchange_decoder::read_change(json_object& root, std::string_view product) {
  in().each(in().array(root, "changes"), [&](json_value row) {
    level l;
    side s = side::buy;
    int column = 0;
    in().each(in().array(row), [&](json_value cell) {
      if (column == 0) {
        const auto which = in().text(cell);
        if (which != "buy" && which != "sell") in().fail(frame_damage::wrong_type);
        s = which == "sell" ? side::sell : side::buy;
      } else if (column == 1) {
        l.at = in().price_of(cell);
      } else if (column == 2) {
        l.quantity = in().size_of(cell);
      }
      ++column;
    });
    if (column < 3) in().fail(frame_damage::missing_field);
    if (in().fine()) in().put(s, l);
  });
  const auto at = time_of(root);
  if (in().fine()) add_change(product, at);
}

void exchange_decoder::add_change(std::string_view product, market_time at) {
  auto& out = add(event_kind::depth, product);
  out.depth.event = out.depth.transaction = at;
  out.depth.bids = in().lane(side::buy).since(0);
  out.depth.asks = in().lane(side::sell).since(0);
}

void exchange_decoder::read_match(json_object& root, std::string_view product) {
  trade_event t;
  t.id = t.first_id = t.last_id = in().id(root, "trade_id");
  const auto maker = in().text(root, "side");
  if (maker != "buy" && maker != "sell") in().fail(frame_damage::wrong_type);
  t.taker = maker == "buy" ? side::sell : side::buy;
  t.quantity = in().size_of(root, "size");
  t.at_price = in().price_of(root, "price");
  t.at = t.event = time_of(root);
  if (in().fine()) add(event_kind::trade, product).trade = t;
}

/// Older tickers don't say the sizes: then they are 0, and only the prices are compared.
void exchange_decoder::read_ticker(json_object& root, std::string_view product) {
  json_value value;
  best_event b;
  b.bid.at = in().price_of(root, "best_bid");
  if (in().find(root, "best_bid_size", value)) b.bid.quantity = in().size_of(value);
  b.ask.at = in().price_of(root, "best_ask");
  if (in().find(root, "best_ask_size", value)) b.ask.quantity = in().size_of(value);
  b.event = time_of(root);
  if (in().fine()) add(event_kind::best, product).best = b;
}

} // namespace

std::unique_ptr<frame_decoder> replay_decoder(const instrument_spec& instrument) {
  return std::make_unique<exchange_decoder>(instrument);
}

} // namespace troupe::coinbase
