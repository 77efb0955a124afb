// Kraken's WebSocket v1: [channel id, content, (more content,) "book-1000", "XBT/USD"].

#include "actors/connectors/kraken/codec.hpp"
#include "actors/connectors/kraken/symbols.hpp"
#include "actors/connectors/layout_scan.hpp"

#include <deque>

namespace troupe::kraken {

using namespace std::string_view_literals;

namespace {

using simdjson::ondemand::json_type;

class v1_decoder final : public json_decoder {
public:
  explicit v1_decoder(const instrument_spec& instrument)
      : json_decoder{instrument}, pair_{pair_of_v1(instrument.venue_symbol)} {}

private:
  /// What one frame says of the book; v1 splits a message of both sides into two objects.
  struct book_part {
    bool image = false;
    bool has_checksum = false;
    std::uint32_t checksum = 0;
    market_time newest;
  };

  bool read_layout(std::string_view frame) override;
  bool scan_part(layout_scan& scan, book_part& out);
  bool scan_rows(layout_scan& scan, side s, market_time& newest);
  void read_object(json_object root) override;
  void read_array(json_array root) override;
  void read_content(json_array root, std::string_view channel, std::string_view pair);
  void read_book(json_object part, book_part& out);
  void add_book(std::string_view pair, const book_part& book);
  void read_rows(json_array rows, side s, market_time& newest);
  void read_trades(json_array rows, std::string_view pair);
  void read_spread(json_array columns, std::string_view pair);
  void read_ticker(json_object content, std::string_view pair);
  level read_quote(json_array columns);

  std::string pair_;
  known_beginning begins_; // "[1920,{"", whatever the number: the pair stands at the end
  known_ending ends_;      // ","book-1000","SC/EUR"]" of our pair
  std::size_t pair_length_ = 0;
  std::deque<std::string> ids_; // of the frame's trades; elements stay where they are
};

/// [1920,{"a":[["0.0429","44240.5","1618678150.259113"]],"c":"3110960256"},"book-1000","SC/EUR"]; changes
/// of both sides are two objects.
bool v1_decoder::read_layout(std::string_view frame) {
  auto scan = layout_of(frame);
  book_part book;
  const auto known = begins_.begins(frame.data());
  if (known != 0) [[likely]] {
    scan.skip(known);
  } else {
    std::uint64_t channel = 0;
    if (!scan.is('[') || !scan.integer(channel) || !scan.is(",{\"")) return false;
    begins_.remember(frame.substr(0, scan.place_in(frame)));
  }
  for (int part = 0; part == 0 || (part == 1 && scan.is(",{\"")); ++part)
    if (!scan_part(scan, book)) return false;
  const auto ending = scan.rest();
  if (ends_.is(ending)) [[likely]] {
    add_book(ending.substr(ending.size() - 2 - pair_length_, pair_length_), book);
    return true;
  }
  std::string_view name;
  std::string_view pair;
  if (!scan.is(",\"") || !scan.text(name) || !name.starts_with("book")) return false;
  if (!scan.is(",\"") || !scan.text(pair) || !scan.is(']') || !scan.done()) return false;
  if (pair != pair_ && !ours(pair)) return false;
  ends_.remember(ending);
  pair_length_ = pair.size();
  add_book(pair, book);
  return true;
}

/// From behind the first key's quote up to the closing brace.
bool v1_decoder::scan_part(layout_scan& scan, book_part& out) {
  for (;;) {
    if (scan.is("c\":\"")) {
      if (out.has_checksum || !scan.checksum(out.checksum) || !scan.is('"')) return false;
      out.has_checksum = true;
    } else {
      const auto s = scan.ahead() == 'a' ? side::sell : side::buy;
      if (!scan.is('a') && !scan.is('b')) return false;
      const bool image = scan.is('s');
      out.image = out.image || image;
      if (!scan.is("\":[") || !scan_rows(scan, s, out.newest)) return false;
    }
    if (scan.is('}')) return true;
    if (!scan.is(",\"")) return false;
  }
}

/// ["0.0429","44240.5","1618678150.259113"], with "r" at the end where the venue publishes a level again.
bool v1_decoder::scan_rows(layout_scan& scan, side s, market_time& newest) {
  return scan.rows(in().lane(s), [&](level& l) {
    market_time at;
    if (!scan.is("[\"") || !scan.quoted_pair(l)) return false;
    if (!scan.is(",\"") || !scan.seconds(at) || !scan.is('"')) return false;
    newest = std::max(newest, at);
    return scan.is(']') || scan.is(",\"r\"]");
  });
}

void v1_decoder::read_object(json_object root) {
  json_value value;
  if (!in().find(root, "event", value)) return;
  const auto name = in().text(value);
  if (name != "subscriptionStatus" && name != "error") return;
  if (in().find(root, "errorMessage", value)) {
    const auto text = in().text(value);
    add(event_kind::failure).text = text;
  } else if (name == "subscriptionStatus") {
    add(event_kind::acknowledgement);
  }
}

void v1_decoder::read_array(json_array root) {
  // Channel and pair stand at the end, so the frame is walked twice.
  std::array<std::string_view, 2> names;
  in().each(root, [&](json_value value) {
    json_type type{};
    if (!in().taken(value.type().get(type)) || type != json_type::string) return;
    names[0] = names[1];
    names[1] = in().text(value);
  });
  if (!in().fine() || names[0].empty() || (names[1] != pair_ && !ours(names[1]))) return;
  if (!in().taken(root.reset().error())) return;
  read_content(root, names[0], names[1]);
}

void v1_decoder::read_content(json_array root, std::string_view channel, std::string_view pair) {
  const bool is_book = channel.starts_with("book");
  book_part book;
  in().each(root, [&](json_value value) {
    json_type type{};
    if (!in().taken(value.type().get(type))) return;
    if (type == json_type::object && is_book)
      read_book(in().object(value), book);
    else if (type == json_type::object && channel == "ticker")
      read_ticker(in().object(value), pair);
    else if (type == json_type::array && channel == "trade")
      read_trades(in().array(value), pair);
    else if (type == json_type::array && channel == "spread")
      read_spread(in().array(value), pair);
  });
  if (!is_book || !in().fine()) return;
  add_book(pair, book);
}

void v1_decoder::add_book(std::string_view pair, const book_part& book) {
  auto& event = add(book.image ? event_kind::image : event_kind::depth, pair);
  const auto fill = [&](auto& out) {
    out.event = book.newest;
    out.has_checksum = book.has_checksum;
    out.checksum = book.checksum;
    out.bids = in().lane(side::buy).since(0);
    out.asks = in().lane(side::sell).since(0);
  };
  if (book.image) return fill(event.image);
  fill(event.depth);
  event.depth.transaction = book.newest;
}

void v1_decoder::read_book(json_object part, book_part& out) {
  in().each_member(part, [&](std::string_view key, json_value value) {
    if (key == "as" || key == "bs") out.image = true;
    if (key == "a" || key == "as")
      read_rows(in().array(value), side::sell, out.newest);
    else if (key == "b" || key == "bs")
      read_rows(in().array(value), side::buy, out.newest);
    else if (key == "c") {
      const auto checksum = in().id(value);
      if (checksum > UINT32_MAX) return in().fail(frame_damage::bad_number);
      out.has_checksum = true;
      out.checksum = static_cast<std::uint32_t>(checksum);
    }
  });
}

void v1_decoder::read_rows(json_array rows, side s, market_time& newest) {
  in().each(rows, [&](json_value row) {
    level l;
    int column = 0;
    in().each(in().array(row), [&](json_value cell) {
      if (column == 0)
        l.at = in().price_of(cell);
      else if (column == 1)
        l.quantity = in().size_of(cell);
      else if (column == 2)
        newest = std::max(newest, in().time(cell, time_unit::s));
      ++column;
    });
    if (column < 3) return in().fail(frame_damage::missing_field);
    in().put(s, l);
  });
}

void v1_decoder::read_trades(json_array rows, std::string_view pair) {
  std::size_t place = 0;
  in().each(rows, [&](json_value row) {
    trade_event t;
    std::string_view time;
    int column = 0;
    in().each(in().array(row), [&](json_value cell) {
      if (column == 0)
        t.at_price = in().price_of(cell);
      else if (column == 1)
        t.quantity = in().size_of(cell);
      else if (column == 2)
        time = in().token(cell);
      else if (column == 3)
        t.taker = in().text(cell) == "s" ? side::sell : side::buy;
      ++column;
    });
    if (column < 4)
      in().fail(frame_damage::missing_field);
    else if (in().fine() && !parse_time(time, time_unit::s, t.at))
      in().fail(frame_damage::bad_range);
    if (!in().fine()) return;
    if (ids_.size() == place) ids_.emplace_back();
    auto& id = ids_[place];
    id.assign(time).append(1, '/').append(std::to_string(place));
    ++place;
    t.event = t.at;
    t.numbered = false;
    t.id_text = id;
    add(event_kind::trade, pair).trade = t;
  });
}

/// [bid, ask, time, bid size, ask size]
void v1_decoder::read_spread(json_array columns, std::string_view pair) {
  best_event b;
  int column = 0;
  in().each(columns, [&](json_value cell) {
    switch (column++) {
    case 0:
      b.bid.at = in().price_of(cell);
      break;
    case 1:
      b.ask.at = in().price_of(cell);
      break;
    case 2:
      b.event = in().time(cell, time_unit::s);
      break;
    case 3:
      b.bid.quantity = in().size_of(cell);
      break;
    case 4:
      b.ask.quantity = in().size_of(cell);
      break;
    default:
      break;
    }
  });
  if (column < 5) in().fail(frame_damage::missing_field);
  // A pair without orders is written as zeros.
  if (in().fine() && b.bid.at.raw != 0 && b.ask.at.raw != 0) add(event_kind::best, pair).best = b;
}

/// [price, whole lots, size]
level v1_decoder::read_quote(json_array columns) {
  level out;
  int column = 0;
  in().each(columns, [&](json_value cell) {
    if (column == 0)
      out.at = in().price_of(cell);
    else if (column == 2)
      out.quantity = in().size_of(cell);
    ++column;
  });
  if (column < 3) in().fail(frame_damage::missing_field);
  return out;
}

void v1_decoder::read_ticker(json_object content, std::string_view pair) {
  best_event b;
  b.ask = read_quote(in().array(content, "a"));
  b.bid = read_quote(in().array(content, "b"));
  if (in().fine()) add(event_kind::best, pair).best = b;
}

} // namespace

std::unique_ptr<frame_decoder> replay_decoder(const instrument_spec& instrument) {
  return std::make_unique<v1_decoder>(instrument);
}

} // namespace troupe::kraken
