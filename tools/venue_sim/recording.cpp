#include "tools/venue_sim/recording.hpp"

#include "storage/tape/tape_reader.hpp"
#include "tools/venue_sim/decimal.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <zlib.h>

namespace troupe::venue_sim {
namespace {

using simdjson::dom::element;

error bad(std::string text) {
  return {make_error_code(venue_sim_errc::bad_recording), std::move(text)};
}

bool read(const element& from, const char* name, std::int64_t& out) {
  return from[name].get(out) == simdjson::SUCCESS;
}

bool read(const element& from, const char* name, std::string_view& out) {
  return from[name].get(out) == simdjson::SUCCESS;
}

/// What all numbers are multiples of.
struct units {
  std::int64_t tick = 0;
  std::int64_t step = 0; ///< of trades: that is the lot; standing orders may hold remainders of older rules
  std::int64_t dust = 0; ///< of levels
  int price_decimals = -1;
  int quantity_decimals = -1;
};

bool take(std::string_view text, std::int64_t& out, std::int64_t& unit, int& decimals) {
  const auto number = parse_decimal_text(text);
  if (!number || !number->precise) return false;
  out = number->value_e8;
  if (out != 0) unit = std::gcd(unit, out);
  if (decimals < 0) decimals = number->decimals;
  return decimals == number->decimals;
}

} // namespace

struct recording_builder::state {
  simdjson::dom::parser parser;
  recording made;
  units unit;
  bool has_image = false;
  std::size_t taken = 0;

  bool take_price(std::string_view text, std::int64_t& out) {
    return take(text, out, unit.tick, unit.price_decimals);
  }
  bool take_quantity(std::string_view text, std::int64_t& out) {
    return take(text, out, unit.dust, unit.quantity_decimals);
  }

  bool take_levels(const element& from, const char* name, std::vector<book_level>& out) {
    simdjson::dom::array rows;
    if (from[name].get(rows) != simdjson::SUCCESS) return false;
    for (const auto row : rows) {
      std::string_view price, quantity;
      book_level l;
      if (row.at(0).get(price) != simdjson::SUCCESS || row.at(1).get(quantity) != simdjson::SUCCESS)
        return false;
      if (!take_price(price, l.price_e8) || !take_quantity(quantity, l.quantity_e8)) return false;
      out.push_back(l);
    }
    return true;
  }

  bool take_image(const element& from) {
    if (!read(from, "lastUpdateId", made.image_id)) return false;
    has_image = true;
    return take_levels(from, "bids", made.image_bids) && take_levels(from, "asks", made.image_asks);
  }

  bool take_depth(const element& data, recorded_frame& f) {
    f.kind = frame_kind::depth;
    if (!read(data, "E", f.event_ms) || !read(data, "U", f.first_id) || !read(data, "u", f.last_id))
      return false;
    if (read(data, "pu", f.previous_id)) made.venue = venue_kind::binance_usdm;
    (void)read(data, "T", f.transact_ms);
    f.bids_at = static_cast<std::uint32_t>(made.levels.size());
    if (!take_levels(data, "b", made.levels)) return false;
    f.bids = static_cast<std::uint32_t>(made.levels.size()) - f.bids_at;
    if (!take_levels(data, "a", made.levels)) return false;
    f.asks = static_cast<std::uint32_t>(made.levels.size()) - f.bids_at - f.bids;
    return true;
  }

  bool take_trade(const element& data, recorded_frame& f) {
    f.kind = frame_kind::trade;
    std::string_view price, quantity;
    return read(data, "E", f.event_ms) && read(data, "T", f.transact_ms) && read(data, "t", f.last_id)
           && read(data, "p", price) && read(data, "q", quantity) && take_price(price, f.one.price_e8)
           && take(quantity, f.one.quantity_e8, unit.step, unit.quantity_decimals)
           && data["m"].get(f.buyer_is_maker) == simdjson::SUCCESS;
  }

  bool take_ticker(const element& data, recorded_frame& f) {
    f.kind = frame_kind::book_ticker;
    std::string_view b, bq, a, aq;
    (void)read(data, "E", f.event_ms);
    (void)read(data, "T", f.transact_ms);
    return read(data, "u", f.last_id) && read(data, "b", b) && read(data, "B", bq) && read(data, "a", a)
           && read(data, "A", aq) && take_price(b, f.one.price_e8) && take_quantity(bq, f.one.quantity_e8)
           && take_price(a, f.two.price_e8) && take_quantity(aq, f.two.quantity_e8);
  }

  bool take_frame(std::string_view stream, const element& data, std::int64_t received_ns) {
    recorded_frame f;
    f.received_ns = received_ns;
    bool fine = true;
    if (stream.find("@depth") != stream.npos) {
      if (made.depth_stream.empty()) made.depth_stream = stream;
      fine = stream == made.depth_stream && take_depth(data, f);
    } else if (stream.ends_with("@trade"))
      fine = take_trade(data, f);
    else if (stream.ends_with("@bookTicker"))
      fine = take_ticker(data, f);
    else
      return true;
    std::string_view symbol;
    if (!fine || !read(data, "s", symbol)) return false;
    if (made.symbol.empty()) made.symbol = symbol;
    if (made.symbol != symbol) return false;
    made.frames.push_back(f);
    return true;
  }
};

recording_builder::recording_builder() : state_{std::make_unique<state>()} {}
recording_builder::~recording_builder() = default;
recording_builder::recording_builder(recording_builder&&) noexcept = default;
recording_builder& recording_builder::operator=(recording_builder&&) noexcept = default;

status recording_builder::add(std::int64_t received_ns, std::string_view payload) {
  auto& s = *state_;
  ++s.taken;
  element doc;
  if (s.parser.parse(payload.data(), payload.size()).get(doc) != simdjson::SUCCESS)
    return bad("frame " + std::to_string(s.taken) + " is not JSON: '" + std::string{payload.substr(0, 40)}
               + "'");
  std::string_view stream;
  element data;
  bool fine = false;
  if (!read(doc, "stream", stream))
    fine = s.has_image || s.take_image(doc);
  else
    fine = doc["data"].get(data) == simdjson::SUCCESS && s.take_frame(stream, data, received_ns);
  if (!fine)
    return bad("frame " + std::to_string(s.taken)
               + " is no Binance depth, trade, bookTicker or book image of one "
                 "symbol: '"
               + std::string{payload.substr(0, 80)} + "'");
  return ok;
}

result<recording> recording_builder::finish() {
  auto& s = *state_;
  auto& r = s.made;
  if (!s.has_image) return bad("no book image: a recording starts with a REST depth reply");
  if (r.depth_stream.empty() || r.frames.empty()) return bad("no depth diffs of a Binance stream");
  const bool chained = r.venue == venue_kind::binance_usdm;
  std::int64_t last = 0;
  std::int64_t offset = std::numeric_limits<std::int64_t>::min();
  bool bridged = false;
  for (const auto& f : r.frames) {
    if (f.event_ms != 0) offset = std::max(offset, f.event_ms * 1'000'000 - f.received_ns);
    if (f.kind != frame_kind::depth) continue;
    const bool follows = last == 0 || (chained ? f.previous_id == last : f.first_id == last + 1 || !bridged);
    if (!follows)
      return bad("gap before update id " + std::to_string(f.first_id) + ": a recording must be whole");
    last = f.last_id;
    if (f.last_id <= r.image_id) {
      ++r.stale;
      continue;
    }
    if (!bridged && f.first_id > r.image_id + 1)
      return bad("no diff joins the book image " + std::to_string(r.image_id));
    bridged = true;
  }
  if (!bridged) return bad("every diff is older than the book image " + std::to_string(r.image_id));
  r.clock_offset_ns = offset;
  r.tick_e8 = s.unit.tick;
  r.step_e8 = s.unit.step != 0 ? s.unit.step : s.unit.dust;
  r.price_decimals = std::max(0, s.unit.price_decimals);
  r.quantity_decimals = std::max(0, s.unit.quantity_decimals);
  return std::move(r);
}

namespace {

/// Reads a gzip file line by line without unpacking it anywhere.
class gzip_lines {
public:
  explicit gzip_lines(const std::filesystem::path& file)
      : file_{gzopen(file.c_str(), "rb")}, chunk_(1U << 18, '\0') {}
  ~gzip_lines() {
    if (file_ != nullptr) gzclose(file_);
  }
  gzip_lines(const gzip_lines&) = delete;
  gzip_lines& operator=(const gzip_lines&) = delete;
  [[nodiscard]] bool opened() const { return file_ != nullptr; }

  /// 1: a line, 0: the end, -1: damaged.
  int next(std::string& line) {
    line.clear();
    for (;;) {
      const auto end = chunk_.find('\n', at_);
      if (end < filled_) {
        line.append(chunk_, at_, end - at_);
        at_ = end + 1;
        return 1;
      }
      line.append(chunk_, at_, filled_ - at_);
      at_ = 0;
      const auto got = gzread(file_, chunk_.data(), static_cast<unsigned>(chunk_.size()));
      filled_ = got > 0 ? static_cast<std::size_t>(got) : 0;
      int code = Z_OK;
      if (got <= 0) gzerror(file_, &code);
      if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) return -1;
      if (got == 0) return line.empty() ? 0 : 1;
    }
  }

private:
  gzFile file_;
  std::string chunk_;
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
};

status load_gzip(const std::filesystem::path& file, recording_builder& into) {
  gzip_lines lines{file};
  if (!lines.opened()) return bad(file.string() + ": can't be opened");
  std::string line;
  for (std::size_t number = 1;; ++number) {
    const auto place = [&] { return file.string() + ":" + std::to_string(number) + ": "; };
    const int got = lines.next(line);
    if (got < 0) return bad(place() + "the gzip stream is damaged");
    if (got == 0) return ok;
    std::int64_t received = 0;
    const auto* end = line.data() + line.size();
    const auto [stop, code] = std::from_chars(line.data(), end, received);
    if (code != std::errc{} || stop == end || *stop != ' ')
      return bad(place() + "a line is a receive time in nanoseconds, a space and a frame");
    auto added = into.add(received, {stop + 1, static_cast<std::size_t>(end - stop - 1)});
    if (!added) return bad(place() + added.error().text);
  }
}

status load_tape(const std::filesystem::path& file, recording_builder& into) {
  auto tape = tape_reader::open(real_disk(), file);
  if (!tape) return bad(tape.error().text);
  tape_record r;
  for (;;) {
    auto more = tape->next(r);
    if (!more) return bad(more.error().text);
    if (!*more) return ok;
    const auto* channel = tape->channel(r.channel);
    if (channel != nullptr && channel->kind == channel_kind::sent) continue;
    auto added = into.add(r.received.ns, r.payload);
    if (!added) return bad(file.string() + ": " + added.error().text);
  }
}

} // namespace

result<recording> load_recording(const std::vector<std::filesystem::path>& files) {
  recording_builder builder;
  for (const auto& file : files) {
    auto loaded = file.extension() == ".gz" ? load_gzip(file, builder) : load_tape(file, builder);
    if (!loaded) return loaded.error();
  }
  auto made = builder.finish();
  if (!made)
    return bad((files.empty() ? std::string{"no file"} : files.front().string()) + ": " + made.error().text);
  return made;
}

} // namespace troupe::venue_sim
