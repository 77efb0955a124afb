#include "actors/connectors/bitfinex/codec.hpp"

#include "actors/connectors/layout_scan.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <algorithm>

namespace troupe::bitfinex {

using namespace std::string_view_literals;

namespace {

using simdjson::ondemand::json_type;

/// The channels of one instrument a decoder cares for.
enum class channel_kind : std::uint8_t { book, trades, candles, ticker, none };

constexpr std::size_t kinds = 4;

class v2_decoder final : public json_decoder {
public:
  explicit v2_decoder(const instrument_spec& instrument) : json_decoder{instrument} {}

private:
  /// What stands behind the content.
  struct tail {
    std::uint64_t sequence = 0;
    market_time at;
  };

  /// What the content said.
  struct content {
    std::string_view word; ///< "hb", "te", "tu", "cs"; empty when the content is an array
    bool image = false;
    std::int64_t checksum = 0;
    bool whole = false;
    trade_event trade;
    candle_event candle;
    best_event best;
  };

  bool read_layout(std::string_view frame) override;
  bool scan_change(layout_scan& scan);
  bool scan_proof(layout_scan& scan);
  static bool scan_tail(layout_scan& scan, tail& out);
  static bool scan_row(layout_scan& scan, side& s, level& out);
  void read_object(json_object root) override;
  void read_array(json_array root) override;
  void subscribed(json_object& root);
  void read_part(json_value value, std::size_t place, channel_kind kind, content& out,
                 tail& behind);
  void read_book(json_value value, content& out);
  void read_trade(json_value value, content& out);
  void read_ticker(json_value value, content& out);
  void read_candle(json_value value, content& out);
  void read_tail(json_value value, tail& behind);
  static void take_tail(std::uint64_t number, tail& behind) noexcept;
  void emit(channel_kind kind, const content& from, const tail& behind);
  void add_change(const tail& behind, bool has_checksum, std::uint32_t checksum);
  [[nodiscard]] channel_kind kind_of(std::uint64_t channel) const noexcept;
  size size_of_amount(std::string_view text, side& s);

  std::array<std::uint64_t, kinds> channels_{}; // numbers by kind; 0 = not subscribed
  known_beginning book_begins_;                 // of changes, "[209640,[", while that is the book's
  std::string interval_;                        // of the candles, "1m"
};

channel_kind v2_decoder::kind_of(std::uint64_t channel) const noexcept {
  const auto found = std::ranges::find(channels_, channel);
  return channel == 0 || found == channels_.end()
             ? channel_kind::none
             : static_cast<channel_kind>(found - channels_.begin());
}

/// Changes and proofs of the book, and heartbeats of any channel:
/// [209640,[118880,5,-0.2236921]], [209640,"cs",-1234567,17,1755234957400], [209640,"hb",18]
bool v2_decoder::read_layout(std::string_view frame) {
  auto scan = layout_of(frame);
  if (const auto known = book_begins_.begins(frame.data()); known != 0) [[likely]] {
    scan.skip(known);
    return scan_change(scan);
  }
  std::uint64_t channel = 0;
  if (!scan.is('[') || !scan.integer(channel) || !scan.is(',')) return false;
  if (scan.is("\"hb\"")) {
    tail ignored;
    return scan_tail(scan, ignored);
  }
  if (kind_of(channel) != channel_kind::book) return false;
  if (scan.is("\"cs\",")) return scan_proof(scan);
  if (!scan.is('[')) return false;
  const auto beginning = frame.substr(0, scan.place_in(frame));
  if (!scan_change(scan)) return false;
  book_begins_.remember(beginning);
  return true;
}

/// From behind the row's opening bracket on.
bool v2_decoder::scan_change(layout_scan& scan) {
  tail behind;
  side s{};
  level l;
  if (!scan.signed_row(s, l) && !scan_row(scan, s, l)) [[unlikely]]
    return false;
  if (!in().lane(s).add(l) || !scan_tail(scan, behind)) return false;
  add_change(behind, false, 0);
  return true;
}

bool v2_decoder::scan_proof(layout_scan& scan) {
  tail behind;
  std::uint64_t number = 0;
  const bool negative = scan.is('-');
  if (!scan.integer(number) || !scan_tail(scan, behind)) return false;
  add_change(behind, true, static_cast<std::uint32_t>(negative ? 0 - number : number));
  return true;
}

bool v2_decoder::scan_tail(layout_scan& scan, tail& out) {
  while (scan.is(',')) {
    std::uint64_t number = 0;
    if (!scan.integer(number)) return false;
    take_tail(number, out);
  }
  return scan.is(']') && scan.done();
}

/// 118880,5,-0.2236921]: price, count, amount, however written; see read_book.
bool v2_decoder::scan_row(layout_scan& scan, side& s, level& out) {
  std::uint64_t count = 0;
  if (!scan.bare_price(out.at) || !scan.is(',')) return false;
  if (!scan.integer(count) || !scan.is(',')) return false;
  s = scan.is('-') ? side::sell : side::buy;
  if (!scan.bare_size(out.quantity) || !scan.is(']')) return false;
  if (count == 0) out.quantity = {};
  return true;
}

void v2_decoder::read_object(json_object root) {
  json_value value;
  if (!in().find(root, "event", value)) return;
  const auto name = in().text(value);
  if (name == "subscribed") return subscribed(root);
  if (name == "error") {
    auto& out = add(event_kind::failure);
    if (in().find(root, "msg", value)) out.text = in().text(value);
    if (in().find(root, "code", value)) out.code = in().integer(value);
    return;
  }
  if (name == "conf") add(event_kind::acknowledgement);
  if (name != "info") return;
  // {"event":"info","version":2,…} greets a new connection, whose numbers are other ones.
  if (in().find(root, "version", value)) channels_.fill(0), book_begins_.forget();
  if (!in().find(root, "code", value)) return;
  const auto code = in().integer(value);
  if (code == 20051 || code == 20060 || code == 20061) add(event_kind::shutdown).code = code;
}

/// {"event":"subscribed","channel":"book","chanId":6959,"symbol":"tETHUSD",…}; candles say "key"
/// instead.
void v2_decoder::subscribed(json_object& root) {
  json_value value;
  const auto channel = in().text(root, "channel");
  const auto number = in().id(root, "chanId");
  if (!in().fine()) return;
  auto symbol = in().find(root, "symbol", value) ? in().text(value) : ""sv;
  auto kind = channel == "book"     ? channel_kind::book
              : channel == "trades" ? channel_kind::trades
              : channel == "ticker" ? channel_kind::ticker
                                    : channel_kind::none;
  if (channel == "candles" && in().find(root, "key", value)) {
    const auto key = in().text(value); // trade:1m:tBTCUSD
    const auto first = key.find(':');
    const auto second = first == std::string_view::npos ? first : key.find(':', first + 1);
    if (second == std::string_view::npos) return;
    symbol = key.substr(second + 1);
    interval_ = key.substr(first + 1, second - first - 1);
    kind = channel_kind::candles;
  }
  // A number that is given anew is no longer what it was.
  book_begins_.forget();
  for (auto& known : channels_)
    if (known == number) known = 0;
  if (!in().fine() || !ours(symbol) || kind == channel_kind::none) return;
  channels_[static_cast<std::size_t>(kind)] = number;
  add(event_kind::acknowledgement, symbol);
}

/// [channel, content, sequence, time] or [channel, "te", content, sequence, time]
void v2_decoder::read_array(json_array root) {
  content what;
  tail behind;
  std::size_t place = 0;
  auto kind = channel_kind::none;
  in().each(root, [&](json_value value) {
    if (place == 0)
      kind = kind_of(in().id(value));
    else if (kind != channel_kind::none)
      read_part(value, place, kind, what, behind);
    ++place;
  });
  if (place < 2) in().fail(frame_damage::missing_field);
  if (in().fine() && kind != channel_kind::none) emit(kind, what, behind);
}

void v2_decoder::read_part(json_value value, std::size_t place, channel_kind kind, content& out,
                           tail& behind) {
  json_type type{};
  if (!in().taken(value.type().get(type))) return;
  if (place == 1 && type == json_type::string) {
    out.word = in().text(value);
    return;
  }
  const bool counts = out.word == "te"sv || out.word == "cs"sv;
  if (place == 2 && !out.word.empty() && out.word != "hb"sv) {
    if (!counts) return;
    if (out.word == "te"sv)
      read_trade(value, out);
    else
      out.checksum = in().integer(value), out.whole = true;
    return;
  }
  if (place > 1) return read_tail(value, behind);
  if (type != json_type::array) return in().fail(frame_damage::wrong_type);
  if (kind == channel_kind::book)
    read_book(value, out);
  else if (kind == channel_kind::candles)
    read_candle(value, out);
  else if (kind == channel_kind::ticker)
    read_ticker(value, out);
}

void v2_decoder::read_tail(json_value value, tail& behind) {
  json_type type{};
  if (!in().taken(value.type().get(type)) || type != json_type::number) return;
  const auto number = in().id(value);
  if (in().fine()) take_tail(number, behind);
}

/// One number behind the content is a sequence or a time; times have thirteen digits.
void v2_decoder::take_tail(std::uint64_t number, tail& behind) noexcept {
  constexpr std::uint64_t least_time = 1'000'000'000'000;
  if (number < least_time) {
    if (behind.sequence == 0) behind.sequence = number;
  } else if (behind.at.ns == 0 && number < 7'258'118'400'000) { // year 2200
    behind.at.ns = static_cast<std::int64_t>(number) * 1'000'000;
  }
}

/// The size of an amount, whose sign tells the side. Amounts are doubles at the venue, so digits
/// behind the eighth decimal are noise.
size v2_decoder::size_of_amount(std::string_view text, side& s) {
  s = side::buy;
  if (!text.empty() && text.front() == '-') {
    s = side::sell;
    text.remove_prefix(1);
  }
  const auto found = parse_size(text, in().size_scale());
  if (in().fine() && !found) in().fail(frame_damage::bad_number);
  return {found.value_or(0)};
}

/// One row [price, count, amount], or an array of rows, which is the image.
void v2_decoder::read_book(json_value value, content& out) {
  price at;
  std::uint64_t count = 0;
  std::string_view amount;
  std::size_t column = 0;
  const auto take_column = [&](json_value cell) {
    if (column == 0)
      at = in().price_of(cell);
    else if (column == 1)
      count = in().id(cell);
    else if (column == 2)
      amount = in().token(cell);
    ++column;
  };
  const auto put_row = [&] {
    if (column < 3) in().fail(frame_damage::missing_field);
    side s{};
    auto quantity = size_of_amount(amount, s);
    if (count == 0) quantity = {};
    if (in().fine()) in().put(s, {at, quantity});
  };
  std::size_t elements = 0;
  in().each(in().array(value), [&](json_value element) {
    json_type type{};
    if (!in().taken(element.type().get(type))) return;
    if (elements++ == 0) out.image = type == json_type::array;
    if (!out.image) return take_column(element);
    column = 0;
    in().each(in().array(element), take_column);
    put_row();
  });
  if (elements == 0) out.image = true; // a book without orders
  if (!out.image) put_row();
  out.whole = in().fine();
}

/// [id, time, amount, price]
void v2_decoder::read_trade(json_value value, content& out) {
  auto& t = out.trade;
  std::size_t column = 0;
  in().each(in().array(value), [&](json_value cell) {
    switch (column++) {
    case 0:
      t.id = t.first_id = t.last_id = in().id(cell);
      break;
    case 1:
      t.at = in().time(cell, time_unit::ms);
      break;
    case 2:
      t.quantity = size_of_amount(in().token(cell), t.taker);
      break;
    case 3:
      t.at_price = in().price_of(cell);
      break;
    default:
      break;
    }
  });
  if (column < 4) in().fail(frame_damage::missing_field);
  t.numbered = false; // ids run over all pairs
  out.whole = in().fine();
}

/// [time, open, close, high, low, volume]; an array of them is history.
void v2_decoder::read_candle(json_value value, content& out) {
  auto& c = out.candle;
  std::size_t column = 0;
  in().each(in().array(value), [&](json_value cell) {
    json_type type{};
    if (!in().taken(cell.type().get(type)) || type == json_type::array) return;
    switch (column++) {
    case 0:
      c.open_time = in().time(cell, time_unit::ms);
      break;
    case 1:
      c.open = in().price_of(cell);
      break;
    case 2:
      c.close = in().price_of(cell);
      break;
    case 3:
      c.high = in().price_of(cell);
      break;
    case 4:
      c.low = in().price_of(cell);
      break;
    case 5: {
      side ignored{};
      c.volume = size_of_amount(in().token(cell), ignored);
      break;
    }
    default:
      break;
    }
  });
  if (column != 0 && column < 6) in().fail(frame_damage::missing_field);
  out.whole = in().fine() && column != 0;
}

/// [bid, sum of the 25 best bids' sizes, ask, the same of the asks, …]: only the prices can be compared.
void v2_decoder::read_ticker(json_value value, content& out) {
  std::size_t column = 0;
  in().each(in().array(value), [&](json_value cell) {
    if (column == 0) out.best.bid.at = in().price_of(cell);
    if (column == 2) out.best.ask.at = in().price_of(cell);
    ++column;
  });
  if (column < 10) in().fail(frame_damage::missing_field);
  out.whole = in().fine();
}

void v2_decoder::emit(channel_kind kind, const content& from, const tail& behind) {
  if (!from.whole) return; // heartbeats, tu, history
  const std::string_view symbol = instrument().venue_symbol;
  if (kind == channel_kind::trades) {
    auto& t = add(event_kind::trade, symbol).trade;
    t = from.trade;
    t.event = behind.at.ns == 0 ? t.at : behind.at;
    return;
  }
  if (kind == channel_kind::candles) {
    auto& c = add(event_kind::candle, symbol).candle;
    c = from.candle;
    c.interval = interval_;
    c.event = behind.at.ns == 0 ? c.open_time : behind.at;
    c.close_time =
        c.open_time + (interval_ == "1m" ? nanoseconds{std::chrono::minutes{1}} : nanoseconds{0});
    return;
  }
  if (kind == channel_kind::ticker) {
    auto& b = add(event_kind::best, symbol).best;
    b = from.best;
    b.event = behind.at;
    return;
  }
  const auto rows_of = [&](side s) { return in().lane(s).since(0); };
  if (from.image) {
    auto& i = add(event_kind::image, symbol).image;
    i.last = behind.sequence;
    i.event = behind.at;
    i.bids = rows_of(side::buy);
    i.asks = rows_of(side::sell);
    return;
  }
  add_change(behind, from.word == "cs"sv,
             static_cast<std::uint32_t>(static_cast<std::uint64_t>(from.checksum)));
}

void v2_decoder::add_change(const tail& behind, bool has_checksum, std::uint32_t checksum) {
  auto& d = add(event_kind::depth, instrument().venue_symbol).depth;
  d.first = d.last = behind.sequence;
  d.event = d.transaction = behind.at;
  d.bids = in().lane(side::buy).since(0);
  d.asks = in().lane(side::sell).since(0);
  d.has_checksum = has_checksum;
  d.checksum = checksum;
}

} // namespace

std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument) {
  return std::make_unique<v2_decoder>(instrument);
}

} // namespace troupe::bitfinex
