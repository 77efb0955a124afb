#include "actors/connectors/binance/codec.hpp"

#include "actors/connectors/binance/codec_general.hpp"
#include "actors/connectors/number_scan.hpp"

#include <algorithm>
#include <numeric>

namespace troupe::binance {

using namespace std::string_view_literals;
using namespace number_scan;

// --- the scanner ----------------------------------------------------------------------------------

namespace {

constexpr std::string_view stream_head = R"({"stream":")";
constexpr std::string_view data_head = R"(","data":{)";
constexpr std::string_view image_head = R"({"lastUpdateId":)";

bool starts_with(const char* p, const char* end, std::string_view what) noexcept {
  return static_cast<std::size_t>(end - p) >= what.size() && std::memcmp(p, what.data(), what.size()) == 0;
}

/// Bit of a one-letter key; upper and lower case differ.
constexpr std::uint64_t bit(char key) noexcept {
  return std::uint64_t{1} << (static_cast<unsigned char>(key) & 63U);
}

constexpr bool must_be_text(char key) noexcept {
  return key == 'p' || key == 'q' || key == 'B' || key == 'A' || key == 's' || key == 'e';
}

constexpr std::uint64_t bit_pu = std::uint64_t{1} << 62;

/// Values of the one-letter keys of one frame, as far as they were met.
struct fields {
  std::uint64_t seen = 0;
  std::uint64_t arrays = 0; // bits of a and b where they held levels
  std::uint64_t texts = 0;  // bits of a and b where they held a decimal
  event_kind kind = event_kind::other;
  bool aggregated = false;
  bool maker_bought = false;
  bool on_market = true;
  std::string_view symbol;
  std::int64_t E = 0, T = 0, U = 0, u = 0, pu = 0, t = 0, a = 0, f = 0, l = 0, order_id = 0;
  std::int64_t p = 0, q = 0, b_price = 0, b_size = 0, a_price = 0, a_size = 0;
  level* bids = nullptr;
  level* asks = nullptr;
  std::size_t bid_count = 0;
  std::size_t ask_count = 0;
};

bool known_event(std::string_view name, fields& f) noexcept {
  if (name == "depthUpdate"sv) f.kind = event_kind::depth;
  else if (name == "bookTicker"sv) f.kind = event_kind::best;
  else if (name == "trade"sv) f.kind = event_kind::trade;
  else if (name == "aggTrade"sv) f.kind = event_kind::trade, f.aggregated = true;
  else return false;
  return true;
}

} // namespace

/// One pass over one frame. Every function returns the place behind what it took, or nullptr = declined.
struct decoder::scan {
  const char* end;
  const number_scan::detail::digit_shuffles& price_shuffles;
  const number_scan::detail::digit_shuffles& size_shuffles;
  int price_scale;
  int size_scale;

  [[nodiscard]] scanned price_at(const char* p) const noexcept {
    const auto found = scan_decimal(p, end, price_shuffles, price_scale);
    return found.length != 0 ? found : scan_long_decimal(p, end, price_scale);
  }

  [[nodiscard]] scanned size_at(const char* p) const noexcept {
    const auto found = scan_decimal(p, end, size_shuffles, size_scale);
    return found.length != 0 ? found : scan_long_decimal(p, end, size_scale);
  }

  const char* price_text(const char* p, std::int64_t& out) const noexcept {
    const auto found = price_at(p);
    out = found.value;
    return found.length == 0 ? nullptr : p + found.length;
  }

  const char* size_text(const char* p, std::int64_t& out) const noexcept {
    const auto found = size_at(p);
    out = found.value;
    return found.length == 0 ? nullptr : p + found.length;
  }

  const char* integer(const char* p, std::int64_t& out) const noexcept {
    if (p >= end) return nullptr;
    const auto found = scan_integer(p, end);
    out = found.value;
    return found.length == 0 ? nullptr : p + found.length;
  }

  const char* boolean(const char* p, bool& out) const noexcept {
    out = starts_with(p, end, "true"sv);
    if (out) return p + 4;
    return starts_with(p, end, "false"sv) ? p + 5 : nullptr;
  }

  const char* text(const char* p, std::string_view& out) const noexcept {
    const auto length = scan_plain_string(p, end);
    if (length == UINT32_MAX) return nullptr;
    out = {p, length};
    return p + length + 1;
  }

  // --- the frames that come most, in the very order the venue writes them: a literal, a value, a literal …
  // Each returns the place behind the object's "}", or nullptr; then the walk over the members decides.

  template <std::size_t N>
  const char* literal(const char* p, const char (&what)[N]) const noexcept {
    constexpr auto length = static_cast<std::ptrdiff_t>(N - 1);
    if (p == nullptr || end - p <= length || std::memcmp(p, what, N - 1) != 0) return nullptr;
    return p + length;
  }

  template <std::size_t N>
  const char* integer_after(const char* p, const char (&what)[N], std::int64_t& out) const noexcept {
    p = literal(p, what);
    return p == nullptr ? nullptr : integer(p, out);
  }

  template <std::size_t N>
  const char* price_after(const char* p, const char (&what)[N], std::int64_t& out) const noexcept {
    p = literal(p, what);
    return p == nullptr ? nullptr : price_text(p, out);
  }

  template <std::size_t N>
  const char* size_after(const char* p, const char (&what)[N], std::int64_t& out) const noexcept {
    p = literal(p, what);
    return p == nullptr ? nullptr : size_text(p, out);
  }

  template <std::size_t N>
  const char* text_after(const char* p, const char (&what)[N], std::string_view& out) const noexcept {
    p = literal(p, what);
    return p == nullptr ? nullptr : text(p, out);
  }

  const char* best_shape(const char* p, market_event& out) const noexcept {
    std::int64_t u = 0;
    std::int64_t transaction = 0;
    std::int64_t sent = 0;
    auto& b = out.best;
    const bool named = *(p + 1) == 'e';
    p = named ? integer_after(p, R"("e":"bookTicker","u":)", u) : integer_after(p, R"("u":)", u);
    p = text_after(p, R"(,"s":")", out.symbol);
    p = price_after(p, R"(,"b":")", b.bid.at.raw);
    p = size_after(p, R"(,"B":")", b.bid.quantity.raw);
    p = price_after(p, R"(,"a":")", b.ask.at.raw);
    p = size_after(p, R"(,"A":")", b.ask.quantity.raw);
    b.event = {};
    if (named) {
      p = integer_after(p, R"(,"T":)", transaction);
      p = integer_after(p, R"(,"E":)", sent);
      if (p == nullptr || !time_of_venue(sent, b.event)) return nullptr;
    }
    b.sequence = static_cast<std::uint64_t>(u);
    out.kind = event_kind::best;
    return literal(p, "}");
  }

  const char* trade_shape(const char* p, market_event& out) const noexcept {
    std::int64_t sent = 0;
    std::int64_t done = 0;
    std::int64_t id = 0;
    bool maker_bought = false;
    auto& t = out.trade;
    p = integer_after(p, R"("e":"trade","E":)", sent);
    const bool futures = p != nullptr && end - p > 2 && p[2] == 'T';
    if (futures) p = integer_after(p, R"(,"T":)", done);
    p = text_after(p, R"(,"s":")", out.symbol);
    p = integer_after(p, R"(,"t":)", id);
    p = price_after(p, R"(,"p":")", t.at_price.raw);
    p = size_after(p, R"(,"q":")", t.quantity.raw);
    p = futures ? literal(p, R"(,"X":"MARKET")") : integer_after(p, R"(,"T":)", done);
    p = literal(p, R"(,"m":)");
    if (p != nullptr) p = boolean(p, maker_bought);
    if (!futures) p = literal(p, R"(,"M":true)");
    if (p == nullptr || !time_of_venue(sent, t.event) || !time_of_venue(done, t.at)) return nullptr;
    t.id = t.first_id = t.last_id = static_cast<std::uint64_t>(id);
    t.taker = maker_bought ? side::sell : side::buy;
    t.aggregated = false;
    t.on_market = true;
    out.kind = event_kind::trade;
    return literal(p, "}");
  }

  /// @pre p < end
  const char* known_shape(const char* p, market_event& out) const noexcept {
    if (end - p < 40) return nullptr;
    if (p[1] == 'u' || p[5] == 'b') return best_shape(p, out);
    return p[5] == 't' ? trade_shape(p, out) : nullptr;
  }

  /// Levels from behind "[" on; writes to `out`, which has room for as many as the text can hold.
  const char* levels(const char* p, level* out, std::size_t& count) const noexcept {
    const auto* first = out;
    if (p < end && *p == ']') {
      count = 0;
      return p + 1;
    }
    for (;;) {
      // Behind a level come at least "]" and "}", so 52 bytes leave 48 readable ones behind the opening
      // bracket.
      if (end - p >= 52) [[likely]] {
        if (p[0] != '[' || p[1] != '"') return nullptr;
        const auto found = scan_level(p + 2, price_shuffles, price_scale, size_shuffles, size_scale);
        if (found.length != 0) [[likely]] {
          *out++ = {{found.price}, {found.size}};
          p += 2 + found.length;
          if (*p == ']') {
            ++p;
            break;
          }
          if (*p != ',') return nullptr;
          ++p;
          continue;
        }
      }
      p = long_level(p, out++);
      if (p == nullptr) return nullptr;
      if (*p++ == ']') break;
    }
    count = static_cast<std::size_t>(out - first);
    return p;
  }

  /// One level the careful way: near the end of the text, or with long numbers. Returns the place of the
  /// comma or bracket behind it.
  const char* long_level(const char* p, level* out) const noexcept {
    if (end - p < 12 || p[0] != '[' || p[1] != '"') return nullptr; // ["1","1"] and what follows
    const auto price = price_at(p + 2);
    if (price.length == 0) return nullptr;
    p += 2 + price.length;
    if (end - p < 6 || p[0] != ',' || p[1] != '"') return nullptr;
    const auto size = size_at(p + 2);
    if (size.length == 0) return nullptr;
    p += 2 + size.length;
    if (end - p < 2 || p[0] != ']' || (p[1] != ']' && p[1] != ',')) return nullptr;
    *out = {{price.value}, {size.value}};
    return p + 1;
  }

  /// A value nobody asks for, as long as it is plain.
  const char* skip(const char* p) const noexcept {
    if (p >= end) return nullptr;
    std::string_view ignored_text;
    std::int64_t ignored_number = 0;
    bool ignored_flag = false;
    if (*p == '"') return text(p + 1, ignored_text);
    if (*p == 't' || *p == 'f') return boolean(p, ignored_flag);
    if (starts_with(p, end, "null"sv)) return p + 4;
    return integer(p, ignored_number);
  }

  /// a or b: levels of a change, a price of a quote, an order id of an old trade.
  const char* book_side(const char* p, char key, fields& f, decoder& owner) const {
    if (p >= end) return nullptr;
    if (*p == '[') {
      f.arrays |= bit(key);
      const bool bids = key == 'b';
      // A level is at least 9 bytes long with its comma, so the rest of the text bounds their number.
      const auto room = static_cast<std::size_t>(end - p) / 9 + 2;
      const auto used = f.bid_count + f.ask_count;
      auto* const old = owner.levels_.get();
      auto* const space = owner.level_space(used + room);
      if (space != old && used != 0) (bids ? f.asks : f.bids) = space;
      auto* const to = space + used;
      (bids ? f.bids : f.asks) = to;
      return levels(p + 1, to, bids ? f.bid_count : f.ask_count);
    }
    if (*p == '"') {
      f.texts |= bit(key);
      return price_text(p + 1, key == 'b' ? f.b_price : f.a_price);
    }
    return integer(p, key == 'a' ? f.a : f.order_id);
  }

  const char* value(const char* p, char key, fields& f, decoder& owner) const {
    switch (key) {
    case 'E': return integer(p, f.E);
    case 'T': return integer(p, f.T);
    case 'U': return integer(p, f.U);
    case 'u': return integer(p, f.u);
    case 't': return integer(p, f.t);
    case 'f': return integer(p, f.f);
    case 'l': return integer(p, f.l);
    case 'm': return boolean(p, f.maker_bought);
    case 'b':
    case 'a': return book_side(p, key, f, owner);
    default: break;
    }
    if (p >= end) return nullptr;
    if (*p != '"') return must_be_text(key) ? nullptr : skip(p);
    std::string_view found;
    switch (key) {
    case 'p': return price_text(p + 1, f.p);
    case 'q': return size_text(p + 1, f.q);
    case 'B': return size_text(p + 1, f.b_size);
    case 'A': return size_text(p + 1, f.a_size);
    case 's': return text(p + 1, f.symbol);
    case 'e': p = text(p + 1, found); return p != nullptr && known_event(found, f) ? p : nullptr;
    case 'X':
      p = text(p + 1, found);
      f.on_market = found == "MARKET"sv;
      return p;
    default: return text(p + 1, found);
    }
  }

  /// All members of an object from its first key on, up to and including "}".
  const char* object(const char* p, fields& f, decoder& owner) const {
    for (;;) {
      if (end - p < 6 || p[0] != '"') return nullptr;
      if (p[2] == '"' && p[3] == ':') {
        const auto key = p[1];
        const auto letter = static_cast<unsigned char>((key | 0x20) - 'a');
        if (letter > 25 || (f.seen & bit(key)) != 0) return nullptr;
        f.seen |= bit(key);
        p = value(p + 4, key, f, owner);
      } else if (p[3] == '"' && p[4] == ':') {
        if (p[1] == 'p' && p[2] == 'u') {
          if ((f.seen & bit_pu) != 0) return nullptr;
          f.seen |= bit_pu;
          p = integer(p + 5, f.pu);
        } else {
          if (p[1] <= ' ' || p[2] <= ' ' || p[1] == '\\' || p[2] == '\\' || p[1] == '"' || p[2] == '"')
            return nullptr;
          p = skip(p + 5);
        }
      } else return nullptr;
      if (p == nullptr || p >= end) return nullptr;
      if (*p == '}') return p + 1;
      if (*p != ',') return nullptr;
      ++p;
    }
  }
};

namespace {

bool fill_depth(const fields& f, market_event& out) noexcept {
  constexpr auto needed = bit('e') | bit('E') | bit('s') | bit('U') | bit('u') | bit('b') | bit('a');
  if ((f.seen & needed) != needed || f.arrays != (bit('a') | bit('b'))) return false;
  auto& d = out.depth;
  const bool has_transaction = (f.seen & bit('T')) != 0;
  if (!time_of_venue(f.E, d.event) || (has_transaction && !time_of_venue(f.T, d.transaction))) return false;
  if (!has_transaction || d.transaction.ns == 0) d.transaction = d.event;
  if (f.U > f.u) return false;
  d.first = static_cast<std::uint64_t>(f.U);
  d.last = static_cast<std::uint64_t>(f.u);
  d.previous = static_cast<std::uint64_t>(f.pu);
  d.has_previous = (f.seen & bit_pu) != 0;
  d.bids = {f.bids, f.bid_count};
  d.asks = {f.asks, f.ask_count};
  return true;
}

bool fill_best(const fields& f, market_event& out) noexcept {
  constexpr auto needed = bit('s') | bit('u') | bit('b') | bit('B') | bit('a') | bit('A');
  if ((f.seen & needed) != needed || f.texts != (bit('a') | bit('b'))) return false;
  auto& b = out.best;
  b.event = {};
  if ((f.seen & bit('E')) != 0 && !time_of_venue(f.E, b.event)) return false;
  b.sequence = static_cast<std::uint64_t>(f.u);
  b.bid = {{f.b_price}, {f.b_size}};
  b.ask = {{f.a_price}, {f.a_size}};
  return true;
}

bool fill_trade(const fields& f, market_event& out) noexcept {
  constexpr auto common = bit('e') | bit('E') | bit('T') | bit('s') | bit('p') | bit('q') | bit('m');
  const auto needed = common | (f.aggregated ? bit('a') | bit('f') | bit('l') : bit('t'));
  if ((f.seen & needed) != needed || f.arrays != 0 || f.texts != 0) return false;
  auto& t = out.trade;
  if (!time_of_venue(f.E, t.event) || !time_of_venue(f.T, t.at)) return false;
  if (f.aggregated && f.f > f.l) return false;
  t.id = static_cast<std::uint64_t>(f.aggregated ? f.a : f.t);
  t.first_id = f.aggregated ? static_cast<std::uint64_t>(f.f) : t.id;
  t.last_id = f.aggregated ? static_cast<std::uint64_t>(f.l) : t.id;
  t.at_price = {f.p};
  t.quantity = {f.q};
  t.taker = f.maker_bought ? side::sell : side::buy;
  t.aggregated = f.aggregated;
  t.on_market = f.on_market;
  return true;
}

} // namespace

// --- the decoder ----------------------------------------------------------------------------------

struct decoder::tables {
  const number_scan::detail::digit_shuffles& price;
  const number_scan::detail::digit_shuffles& size;
};

struct decoder::general {
  general_decoder way;
};

decoder::decoder(const decoder_options& options) : options_{options} {
  options_.price_scale = std::clamp(options_.price_scale, 0, max_scale);
  options_.size_scale = std::clamp(options_.size_scale, 0, max_scale);
  tables_.reset(new tables{shuffles_of(options_.price_scale), shuffles_of(options_.size_scale)});
  general_ = std::make_unique<general>();
}

decoder::~decoder() = default;

level* decoder::level_space(std::size_t count) {
  if (count <= level_capacity_) return levels_.get();
  const auto capacity = std::max<std::size_t>(count, level_capacity_ * 2);
  auto larger = std::make_unique<level[]>(capacity);
  std::copy_n(levels_.get(), level_capacity_, larger.get());
  levels_ = std::move(larger);
  level_capacity_ = capacity;
  return levels_.get();
}

const market_event& decoder::decode(std::string_view frame) noexcept {
  fast_ = frame.size() <= options_.max_frame_bytes && decode_fast(frame);
  return fast_ ? event_ : decode_general(frame);
}

bool decoder::decode_fast(std::string_view frame) noexcept {
  // The scans below stop at the last character at the latest, because a brace is neither digit nor quote.
  if (frame.size() < 32 || frame.back() != '}') return false;
  const char* p = frame.data();
  const char* const end = p + frame.size();
  const scan s{end, tables_->price, tables_->size, options_.price_scale, options_.size_scale};
  std::string_view stream;
  bool wrapped = false;
  if (starts_with(p, end, stream_head)) {
    p = s.text(p + stream_head.size(), stream);
    if (p == nullptr || !starts_with(p - 1, end, data_head)) return false;
    p += data_head.size() - 1;
    wrapped = true;
  } else {
    if (*p != '{' || starts_with(p, end, image_head)) return false;
    ++p;
  }
  const auto ends = [&](const char* at) {
    return wrapped ? at + 1 == end : at == end;
  }; // the last one is a brace
  if (const auto* const behind = s.known_shape(p, event_); behind != nullptr && ends(behind)) {
    event_.damage = frame_damage::none;
    event_.stream = stream;
    return true;
  }
  fields f;
  p = s.object(p, f, *this);
  if (p == nullptr || !ends(p)) return false;
  if ((f.seen & bit('e')) == 0) f.kind = event_kind::best; // spot's bookTicker names no event
  bool filled = false;
  switch (f.kind) {
  case event_kind::depth: filled = fill_depth(f, event_); break;
  case event_kind::best: filled = fill_best(f, event_); break;
  case event_kind::trade: filled = fill_trade(f, event_); break;
  default: break;
  }
  if (!filled) return false;
  event_.kind = f.kind;
  event_.damage = frame_damage::none;
  event_.symbol = f.symbol;
  event_.stream = stream;
  return true;
}

const market_event& decoder::decode_general(std::string_view frame) noexcept {
  fast_ = false;
  // Each level is at least 9 bytes of text, so the frame's length bounds the levels.
  const auto bytes = std::min(frame.size(), options_.max_frame_bytes);
  auto* const space = level_space(bytes / 9 + 4);
  general_->way.decode(frame, options_.price_scale, options_.size_scale, options_.max_frame_bytes,
                       {space, level_capacity_}, event_);
  return event_;
}

// --- routing and scales ---------------------------------------------------------------------------

std::string_view stream_of(std::string_view frame) noexcept {
  if (!frame.starts_with(stream_head)) return {};
  frame.remove_prefix(stream_head.size());
  const auto quote = frame.find('"');
  return quote == std::string_view::npos ? std::string_view{} : frame.substr(0, quote);
}

std::string symbol_of_stream(std::string_view stream) {
  std::string out{stream.substr(0, stream.find('@'))};
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

namespace {

/// Decimals written in a quoted number whose text starts at `at`; moves behind its closing quote.
int decimals_at(std::string_view text, std::size_t& at) {
  const auto close = std::min(text.find('"', at), text.size());
  const auto number = text.substr(at, close - at);
  at = close + 1;
  const auto point = number.find('.');
  return point == std::string_view::npos ? 0 : static_cast<int>(number.size() - point - 1);
}

} // namespace

result<image_scales> scales_of_image(std::string_view image) {
  image_scales out;
  for (auto at = image.find("[\""); at != std::string_view::npos; at = image.find("[\"", at)) {
    at += 2;
    out.price_scale = std::max(out.price_scale, decimals_at(image, at));
    at += 2; // ,"
    if (at >= image.size()) break;
    out.size_scale = std::max(out.size_scale, decimals_at(image, at));
    if (at >= image.size()) break;
  }
  out.price_scale = std::min(out.price_scale, max_scale);
  out.size_scale = std::min(out.size_scale, max_scale);
  decoder reader{{.price_scale = out.price_scale, .size_scale = out.size_scale}};
  const auto& event = reader.decode(image);
  if (event.kind != event_kind::image)
    return error{std::make_error_code(std::errc::invalid_argument),
                 "no book image (" + std::string{name_of(event.damage)}
                     + "): " + std::string{image.substr(0, 60)}};
  std::int64_t tick = 0;
  for (const auto side : {event.image.bids, event.image.asks})
    for (const auto& l : side) tick = std::gcd(tick, l.at.raw);
  out.tick = {std::max<std::int64_t>(tick, 1)};
  return out;
}

} // namespace troupe::binance
