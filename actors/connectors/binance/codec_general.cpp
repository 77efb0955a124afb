#include "actors/connectors/binance/codec_general.hpp"

#include <simdjson.h>

#include <string>

namespace troupe::binance {

using namespace std::string_view_literals;
namespace dom = simdjson::dom;

struct general_decoder::parser {
  dom::parser json{32 << 20};
  std::string request;
};

general_decoder::general_decoder() : parser_{std::make_unique<parser>()} {}
general_decoder::~general_decoder() = default;

namespace {

/// Reads members of one object, remembering the first thing that was wrong.
class reader {
public:
  reader(const dom::object& object, int price_scale, int size_scale)
      : object_{object}, price_scale_{price_scale}, size_scale_{size_scale} {}

  [[nodiscard]] frame_damage damage() const noexcept { return damage_; }
  [[nodiscard]] bool fine() const noexcept { return damage_ == frame_damage::none; }
  void fail(frame_damage why) noexcept {
    if (fine()) damage_ = why;
  }

  /// The one member of that name; a name that comes twice is damage.
  [[nodiscard]] bool find(std::string_view key, dom::element& out) noexcept {
    std::size_t found = 0;
    for (const auto member : object_)
      if (member.key == key) {
        if (found++ == 0) out = member.value;
      }
    if (found > 1) fail(frame_damage::wrong_type);
    return found != 0;
  }

  std::string_view text(std::string_view key) noexcept {
    dom::element value;
    std::string_view out;
    if (!find(key, value)) fail(frame_damage::missing_field);
    else if (value.get(out) != simdjson::SUCCESS) fail(frame_damage::wrong_type);
    return out;
  }

  bool flag(std::string_view key) noexcept {
    dom::element value;
    bool out = false;
    if (!find(key, value)) fail(frame_damage::missing_field);
    else if (value.get(out) != simdjson::SUCCESS) fail(frame_damage::wrong_type);
    return out;
  }

  std::int64_t number(std::string_view key, bool optional = false) noexcept {
    dom::element value;
    std::int64_t out = 0;
    if (!find(key, value)) {
      if (!optional) fail(frame_damage::missing_field);
      return 0;
    }
    if (!value.is_int64() && !value.is_uint64()) fail(frame_damage::wrong_type);
    else if (value.get(out) != simdjson::SUCCESS || out < 0) fail(frame_damage::bad_number);
    return out;
  }

  std::uint64_t id(std::string_view key) noexcept { return static_cast<std::uint64_t>(number(key)); }

  market_time time(std::string_view key, bool optional = false) noexcept {
    market_time out;
    dom::element value;
    if (optional && !find(key, value)) return out;
    const auto raw = number(key);
    if (fine() && !time_of_venue(raw, out)) fail(frame_damage::bad_range);
    return out;
  }

  price price_of(std::string_view key) noexcept { return {decimal(text(key), price_scale_)}; }
  size size_of(std::string_view key) noexcept { return {decimal(text(key), size_scale_)}; }

  std::int64_t decimal(std::string_view digits, int scale) noexcept {
    if (!fine()) return 0;
    if (digits.size() > 40) return fail(frame_damage::bad_number), 0;
    const auto parsed = parse_decimal(digits, scale);
    constexpr std::int64_t limit = std::int64_t{1} << 62;
    if (!parsed)
      fail(parsed.error().code == money_errc::too_many_decimals ? frame_damage::too_many_decimals
                                                                : frame_damage::bad_number);
    else if (*parsed < 0 || *parsed > limit) fail(frame_damage::bad_number);
    return parsed ? *parsed : 0;
  }

  /// Levels of one side into the front of `space`, which shrinks.
  std::span<const level> levels(std::string_view key, std::span<level>& space) noexcept {
    dom::element value;
    dom::array rows;
    if (!find(key, value)) return fail(frame_damage::missing_field), std::span<const level>{};
    if (value.get(rows) != simdjson::SUCCESS) return fail(frame_damage::wrong_type), std::span<const level>{};
    std::size_t count = 0;
    for (const auto row : rows) {
      dom::array pair;
      std::string_view at;
      std::string_view quantity;
      if (row.get(pair) != simdjson::SUCCESS || pair.at(0).get(at) != simdjson::SUCCESS
          || pair.at(1).get(quantity) != simdjson::SUCCESS)
        fail(frame_damage::wrong_type);
      if (count == space.size()) fail(frame_damage::too_large);
      if (!fine()) return {};
      space[count++] = {{decimal(at, price_scale_)}, {decimal(quantity, size_scale_)}};
    }
    const auto out = space.first(count);
    space = space.subspan(count);
    return out;
  }

private:
  const dom::object& object_;
  int price_scale_;
  int size_scale_;
  frame_damage damage_ = frame_damage::none;
};

void read_depth(reader& r, std::span<level> space, market_event& out) noexcept {
  auto& d = out.depth;
  dom::element value;
  d.event = r.time("E");
  d.transaction = r.time("T", true);
  if (d.transaction.ns == 0) d.transaction = d.event;
  d.first = r.id("U");
  d.last = r.id("u");
  d.has_previous = r.find("pu", value);
  d.previous = static_cast<std::uint64_t>(r.number("pu", true));
  d.bids = r.levels("b", space);
  d.asks = r.levels("a", space);
  if (d.first > d.last) r.fail(frame_damage::bad_range);
}

void read_image(reader& r, std::span<level> space, market_event& out) noexcept {
  out.image.last = r.id("lastUpdateId");
  out.image.event = r.time("E", true);
  out.image.bids = r.levels("bids", space);
  out.image.asks = r.levels("asks", space);
}

void read_best(reader& r, market_event& out) noexcept {
  auto& b = out.best;
  b.sequence = r.id("u");
  b.event = r.time("E", true);
  b.bid = {r.price_of("b"), r.size_of("B")};
  b.ask = {r.price_of("a"), r.size_of("A")};
}

void read_trade(reader& r, bool aggregated, market_event& out) noexcept {
  auto& t = out.trade;
  t.event = r.time("E");
  t.at = r.time("T");
  t.id = r.id(aggregated ? "a" : "t");
  t.first_id = aggregated ? r.id("f") : t.id;
  t.last_id = aggregated ? r.id("l") : t.id;
  t.at_price = r.price_of("p");
  t.quantity = r.size_of("q");
  t.taker = r.flag("m") ? side::sell : side::buy;
  t.aggregated = aggregated;
  t.on_market = true;
  dom::element kind;
  std::string_view name;
  if (r.find("X", kind) && kind.get(name) == simdjson::SUCCESS) t.on_market = name == "MARKET"sv;
  if (t.first_id > t.last_id) r.fail(frame_damage::bad_range);
}

void read_candle(reader& outer, const dom::object& data, int price_scale, int size_scale,
                 market_event& out) noexcept {
  auto& c = out.candle;
  c.event = outer.time("E");
  dom::object body;
  if (data["k"].get(body) != simdjson::SUCCESS) return outer.fail(frame_damage::missing_field);
  reader r{body, price_scale, size_scale};
  c.interval = r.text("i");
  c.open_time = r.time("t");
  c.close_time = r.time("T");
  c.open = r.price_of("o");
  c.high = r.price_of("h");
  c.low = r.price_of("l");
  c.close = r.price_of("c");
  c.volume = r.size_of("v");
  c.buy_volume = r.size_of("V");
  c.trades = r.id("n");
  c.closed = r.flag("x");
  if (!r.fine()) outer.fail(r.damage());
}

/// {"result":…,"id":…}, {"error":{"code":…,"msg":…},"id":…} and {"code":…,"msg":…}
bool read_reply(const dom::object& object, std::string& request, market_event& out) noexcept {
  dom::element id;
  dom::element value;
  dom::object failure;
  request.clear();
  if (object["id"].get(id) == simdjson::SUCCESS) {
    std::string_view text;
    std::int64_t number = 0;
    if (id.get(text) == simdjson::SUCCESS) request = text.substr(0, 64);
    else if (id.get(number) == simdjson::SUCCESS) request = std::to_string(number);
  }
  out.request = request;
  auto body = object;
  if (object["error"].get(failure) == simdjson::SUCCESS) body = failure;
  std::int64_t code = 0;
  std::string_view text;
  if (body["code"].get(code) == simdjson::SUCCESS && body["msg"].get(text) == simdjson::SUCCESS) {
    out.kind = event_kind::failure;
    out.code = code;
    out.text = text;
    return true;
  }
  if (object["result"].get(value) != simdjson::SUCCESS) return false;
  out.kind = event_kind::acknowledgement;
  return true;
}

event_kind kind_of(std::string_view name) noexcept {
  if (name == "depthUpdate"sv) return event_kind::depth;
  if (name == "bookTicker"sv) return event_kind::best;
  if (name == "trade"sv || name == "aggTrade"sv) return event_kind::trade;
  if (name == "kline"sv) return event_kind::candle;
  if (name == "serverShutdown"sv) return event_kind::shutdown;
  return event_kind::other;
}

bool is_best_without_name(const dom::object& data) noexcept {
  dom::element ignored;
  for (const auto key : {"u"sv, "s"sv, "b"sv, "B"sv, "a"sv, "A"sv})
    if (data[key].get(ignored) != simdjson::SUCCESS) return false;
  return true;
}

void read_event(const dom::object& data, int price_scale, int size_scale, std::span<level> space,
                market_event& out) noexcept {
  reader r{data, price_scale, size_scale};
  dom::element value;
  std::string_view name;
  const bool named = r.find("e", value);
  if (named && value.get(name) != simdjson::SUCCESS) r.fail(frame_damage::wrong_type);
  if (named) out.kind = kind_of(name);
  else if (is_best_without_name(data)) out.kind = event_kind::best;
  else if (data["lastUpdateId"].get(value) == simdjson::SUCCESS) out.kind = event_kind::image;
  else out.kind = event_kind::other;
  const bool has_symbol =
      out.kind != event_kind::other && out.kind != event_kind::shutdown && out.kind != event_kind::image;
  if (has_symbol) out.symbol = r.text("s");
  switch (out.kind) {
  case event_kind::depth: read_depth(r, space, out); break;
  case event_kind::image: read_image(r, space, out); break;
  case event_kind::best: read_best(r, out); break;
  case event_kind::trade: read_trade(r, name == "aggTrade"sv, out); break;
  case event_kind::candle: read_candle(r, data, price_scale, size_scale, out); break;
  default: break;
  }
  if (r.fine()) return;
  out.kind = event_kind::damaged;
  out.damage = r.damage();
}

} // namespace

void general_decoder::decode(std::string_view frame, int price_scale, int size_scale, std::size_t max_bytes,
                             std::span<level> space, market_event& out) noexcept {
  out.damage = frame_damage::none;
  out.kind = event_kind::other;
  out.symbol = out.stream = {};
  const auto damaged = [&](frame_damage why) {
    out.kind = event_kind::damaged;
    out.damage = why;
  };
  if (frame.size() > max_bytes) return damaged(frame_damage::too_large);
  if (frame.empty()) return damaged(frame_damage::not_json);
  dom::element root;
  dom::object object;
  // With realloc_if_needed the text is copied into the parser's own padded buffer.
  if (parser_->json.parse(frame.data(), frame.size(), true).get(root) != simdjson::SUCCESS)
    return damaged(frame_damage::not_json);
  if (root.get(object) != simdjson::SUCCESS) return; // arrays and bare values are of no use here
  dom::object data;
  dom::element stream;
  if (object["data"].get(data) == simdjson::SUCCESS && object["stream"].get(stream) == simdjson::SUCCESS) {
    if (stream.get(out.stream) != simdjson::SUCCESS) return damaged(frame_damage::wrong_type);
    return read_event(data, price_scale, size_scale, space, out);
  }
  if (read_reply(object, parser_->request, out)) return;
  read_event(object, price_scale, size_scale, space, out);
}

} // namespace troupe::binance
