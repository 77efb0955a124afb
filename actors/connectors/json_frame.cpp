#include "actors/connectors/json_frame.hpp"

#include "actors/connectors/layout_scan.hpp"
#include "actors/connectors/loose_decimal.hpp"
#include "actors/connectors/number_scan.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

namespace troupe {

using namespace std::string_view_literals;
using number_scan::max_scale;
using number_scan::scan_decimal;
using number_scan::shuffles_of;

namespace {

constexpr std::size_t padding = simdjson::SIMDJSON_PADDING;
constexpr std::int64_t number_limit = std::int64_t{1} << 62;
constexpr std::int64_t latest_ns = 7'258'118'400'000'000'000; // 2200-01-01

constexpr bool is_space(char c) noexcept {
  return c == ' ' || (c >= 0x09 && c <= 0x0d);
}

std::string_view without_space(std::string_view raw) noexcept {
  while (!raw.empty() && is_space(raw.back()))
    raw.remove_suffix(1);
  return raw;
}

/// Takes `count` digits from the front.
bool take_digits(std::string_view& text, std::size_t count, int& out) noexcept {
  if (text.size() < count) return false;
  out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take_char(std::string_view& text, char c) noexcept {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

/// "" or "Z" or "+hh:mm"; seconds east of UTC.
bool take_zone(std::string_view text, int& out) noexcept {
  out = 0;
  if (text.empty() || text == "Z"sv) return true;
  const bool west = text[0] == '-';
  if (!west && text[0] != '+') return false;
  text.remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!take_digits(text, 2, hours)) return false;
  take_char(text, ':');
  if (!text.empty() && (!take_digits(text, 2, minutes) || !text.empty())) return false;
  out = (hours * 60 + minutes) * (west ? -60 : 60);
  return hours < 24 && minutes < 60;
}

/// ".123…" as nanoseconds; finer digits are cut.
bool take_fraction(std::string_view& text, int& ns) noexcept {
  ns = 0;
  if (!take_char(text, '.')) return true;
  int digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (digits++ < 9) ns = ns * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  for (int i = digits; i < 9; ++i)
    ns *= 10;
  return digits != 0;
}

} // namespace

bool parse_time(std::string_view text, time_unit unit, market_time& out) noexcept {
  const auto decimals = static_cast<std::size_t>(unit);
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  std::int64_t value = 0;
  const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (whole.empty() || read.ec != std::errc{} || read.ptr != whole.data() + whole.size()
      || value < 0)
    return false;
  const auto fraction = point == std::string_view::npos ? ""sv : text.substr(point + 1);
  if (point != std::string_view::npos && fraction.empty()) return false;
  for (const char c : fraction)
    if (c < '0' || c > '9') return false;
  for (std::size_t i = 0; i < decimals; ++i) {
    const auto digit = i < fraction.size() ? fraction[i] - '0' : 0;
    if (value > latest_ns / 10) return false;
    value = value * 10 + digit;
  }
  if (value > latest_ns) return false;
  out.ns = value;
  return true;
}

bool parse_iso_time(std::string_view text, market_time& out) noexcept {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ns = 0, zone = 0;
  if (!take_digits(text, 4, year) || !take_char(text, '-') || !take_digits(text, 2, month)
      || !take_char(text, '-') || !take_digits(text, 2, day))
    return false;
  if (!take_char(text, 'T') && !take_char(text, ' ')) return false;
  if (!take_digits(text, 2, hour) || !take_char(text, ':') || !take_digits(text, 2, minute)
      || !take_char(text, ':') || !take_digits(text, 2, second) || !take_fraction(text, ns)
      || !take_zone(text, zone))
    return false;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year},
                            std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || year < 1970 || year >= 2200 || hour > 23 || minute > 59 || second > 60)
    return false;
  const std::int64_t days = sys_days{date}.time_since_epoch().count();
  const auto seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - zone;
  if (seconds < 0) return false;
  out.ns = seconds * 1'000'000'000 + ns;
  return true;
}

/// Without memory the lane stays as it is, and a frame that needs more is damaged.
void level_lane::grow(std::size_t most) noexcept {
  const auto capacity = most + most / 2;
  auto* const space = static_cast<level*>(std::malloc(capacity * sizeof(level)));
  if (space == nullptr) return;
  levels_.reset(space);
  capacity_ = capacity;
}

// --- one text
// -------------------------------------------------------------------------------------

json_frame::json_frame(int price_scale, int size_scale)
    : price_scale_{std::clamp(price_scale, 0, 18)}, size_scale_{std::clamp(size_scale, 0, 18)} {}

bool json_frame::open(std::string_view text, std::size_t max_bytes) noexcept {
  damage_ = frame_damage::none;
  rooted_ = 0;
  if (text.size() > max_bytes) return fail(frame_damage::too_large), false;
  if (text.empty()) return fail(frame_damage::not_json), false;
  if (text.size() + padding > capacity_) {
    capacity_ = text.size() + text.size() / 2 + 2 * padding;
    copy_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  std::memcpy(copy_.get(), text.data(), text.size());
  std::memset(copy_.get() + text.size(), 0, padding);
  end_ = copy_.get() + text.size();
  start_lanes(text.size());
  if (parser_.iterate(copy_.get(), text.size(), capacity_).get(document_) != simdjson::SUCCESS)
    fail(frame_damage::not_json);
  return fine();
}

bool json_frame::is_object() noexcept {
  simdjson::ondemand::json_type type{};
  return fine() && document_.type().get(type) == simdjson::SUCCESS
         && type == simdjson::ondemand::json_type::object;
}

bool json_frame::is_array() noexcept {
  simdjson::ondemand::json_type type{};
  return fine() && document_.type().get(type) == simdjson::SUCCESS
         && type == simdjson::ondemand::json_type::array;
}

json_object json_frame::object() noexcept {
  if (!fine() || !taken(document_.get_object().get(root_object_))) return {};
  rooted_ = '{';
  return root_object_;
}

json_array json_frame::array() noexcept {
  if (!fine() || !taken(document_.get_array().get(root_array_))) return {};
  rooted_ = '[';
  return root_array_;
}

void json_frame::finish() noexcept {
  if (!fine() || rooted_ == 0) return;
  std::string_view ignored;
  const auto left =
      rooted_ == '{' ? root_object_.raw_json().get(ignored) : root_array_.raw_json().get(ignored);
  const char* place = nullptr;
  if (left != simdjson::SUCCESS) return fail(frame_damage::not_json);
  // Behind the last token simdjson says out of bounds; anything else is something behind the root.
  if (document_.current_location().get(place) == simdjson::SUCCESS) fail(frame_damage::not_json);
}

bool json_frame::taken(simdjson::error_code code) noexcept {
  switch (code) {
  case simdjson::SUCCESS:
    return true;
  case simdjson::NO_SUCH_FIELD:
    fail(frame_damage::missing_field);
    return false;
  case simdjson::INCORRECT_TYPE:
    fail(frame_damage::wrong_type);
    return false;
  case simdjson::NUMBER_ERROR:
  case simdjson::NUMBER_OUT_OF_RANGE:
    fail(frame_damage::bad_number);
    return false;
  default:
    fail(frame_damage::not_json);
    return false;
  }
}

std::string_view json_frame::key_text(const char* p) noexcept {
  const char* q = p;
  while (*q != '"' && *q != '\0')
    ++q;
  return {p, static_cast<std::size_t>(q - p)};
}

bool json_frame::find(json_object& in, std::string_view key, json_value& out) noexcept {
  if (!fine()) return false;
  // simdjson's own unordered search trusts what it has passed before, which broken JSON can make it
  // regret.
  auto code = in.find_field(key).get(out);
  if (code == simdjson::NO_SUCH_FIELD) {
    bool any = false;
    if (!taken(in.reset().get(any)) || !any) return false;
    code = in.find_field(key).get(out);
  }
  if (code == simdjson::NO_SUCH_FIELD) return false;
  if (!taken(code)) return false;
  return out.raw_json_token()[0] != 'n';
}

json_value json_frame::need(json_object& in, std::string_view key) noexcept {
  json_value out;
  if (fine() && !find(in, key, out)) fail(frame_damage::missing_field);
  return out;
}

// --- values
// ---------------------------------------------------------------------------------------

json_object json_frame::object(json_value v) noexcept {
  json_object out;
  if (fine()) taken(v.get_object().get(out));
  return out;
}

json_array json_frame::array(json_value v) noexcept {
  json_array out;
  if (fine()) taken(v.get_array().get(out));
  return out;
}

/// The inside of a string without escapes; empty view with null data when there are any.
std::string_view json_frame::plain(std::string_view raw) noexcept {
  const auto closed = [&](std::size_t length) { return without_space(raw.substr(length + 2)).empty(); };
  // The padding behind the text makes 16 bytes readable from anywhere in it.
  const auto quick = number_scan::scan_plain_string(raw.data() + 1, end_ + padding);
  if (quick != UINT32_MAX && quick + 2 <= raw.size() && closed(quick)) [[likely]]
    return raw.substr(1, quick);
  const auto stop = raw.find_first_of("\"\\"sv, 1);
  if (stop == std::string_view::npos) return fail(frame_damage::not_json), std::string_view{};
  if (raw[stop] == '\\') return {};
  if (!closed(stop - 1)) return fail(frame_damage::not_json), std::string_view{};
  return raw.substr(1, stop - 1);
}

std::string_view json_frame::text(json_value v) noexcept {
  if (!fine()) return {};
  const auto raw = v.raw_json_token();
  if (raw[0] != '"') return fail(frame_damage::wrong_type), std::string_view{};
  auto out = plain(raw);
  if (out.data() == nullptr && fine()) taken(v.get_string().get(out));
  return out;
}

std::string_view json_frame::token(json_value v) noexcept {
  if (!fine()) return {};
  const auto raw = v.raw_json_token();
  if (raw[0] == '"') {
    const auto out = plain(raw);
    if (out.data() == nullptr) fail(frame_damage::wrong_type);
    return out;
  }
  if (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'))
    return fail(frame_damage::wrong_type), std::string_view{};
  return without_space(raw);
}

bool json_frame::flag(json_value v) noexcept {
  bool out = false;
  if (fine()) taken(v.get_bool().get(out));
  return out;
}

std::uint64_t json_frame::id(json_value v) noexcept {
  const auto digits = token(v);
  if (!fine()) return 0;
  std::uint64_t out = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != digits.data() + digits.size())
    return fail(frame_damage::bad_number), 0;
  return out;
}

std::int64_t json_frame::integer(json_value v) noexcept {
  const auto digits = token(v);
  if (!fine()) return 0;
  std::int64_t out = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != digits.data() + digits.size())
    return fail(frame_damage::bad_number), 0;
  return out;
}

std::int64_t json_frame::not_negative(std::int64_t value) noexcept {
  if (value < 0) fail(frame_damage::bad_number);
  return value;
}

bool json_frame::fast_decimal(json_value v, int scale, std::int64_t& out) noexcept {
  if (scale > max_scale) return false;
  const char* const p = v.raw_json_token().data();
  // The padding behind the text makes 16 bytes readable from anywhere in it.
  const auto& shuffles = shuffles_of(scale);
  const auto found = *p == '"' ? scan_decimal<true>(p + 1, end_ + padding, shuffles, scale)
                               : scan_decimal<false>(p, end_ + padding, shuffles, scale);
  out = found.value;
  return found.length != 0 && (*p == '"' || *p != '0' || found.length == 1 || p[1] == '.');
}

std::int64_t json_frame::decimal(json_value v, int scale) noexcept {
  std::int64_t out = 0;
  if (!fine()) return 0;
  return fast_decimal(v, scale, out) ? out : careful_decimal(token(v), scale);
}

std::int64_t json_frame::rounded_decimal_of(json_value v, int scale) noexcept {
  std::int64_t out = 0;
  if (!fine()) return 0;
  if (fast_decimal(v, scale, out)) return out;
  const auto digits = token(v);
  const auto parsed = parse_size(digits, scale);
  if (!parsed) fail(frame_damage::bad_number);
  return parsed.value_or(0);
}

std::int64_t json_frame::careful_decimal(std::string_view digits, int scale) noexcept {
  if (!fine()) return 0;
  // parse_decimal takes a sign of either kind; JSON and venues know only the minus.
  if (digits.empty() || digits.size() > 48 || digits[0] == '+')
    return fail(frame_damage::bad_number), 0;
  const auto parsed = parse_decimal(digits, scale);
  if (!parsed) {
    const bool fine_digits = parsed.error().code == money_errc::too_many_decimals;
    return fail(fine_digits ? frame_damage::too_many_decimals : frame_damage::bad_number), 0;
  }
  if (*parsed > number_limit || *parsed < -number_limit) return fail(frame_damage::bad_number), 0;
  return *parsed;
}

market_time json_frame::time(json_value v, time_unit unit) noexcept {
  const auto digits = token(v);
  market_time out;
  if (fine() && !parse_time(digits, unit, out)) fail(frame_damage::bad_range);
  return out;
}

market_time json_frame::iso_time(json_value v) noexcept {
  const auto words = text(v);
  market_time out;
  if (fine() && !parse_iso_time(words, out)) fail(frame_damage::bad_range);
  return out;
}

// --- levels
// ---------------------------------------------------------------------------------------

namespace {

/// One row of a side's array at `p`, `["1.5","2",…]` or `[1.5,2,…]`, without white space and
/// without nested brackets. Returns the place behind its bracket; null when it looks otherwise.
template <bool quoted>
const char* scan_row(const char* p, const char* end,
                     const number_scan::detail::digit_shuffles& prices, int price_scale,
                     const number_scan::detail::digit_shuffles& sizes, int size_scale,
                     level& out) noexcept {
  constexpr std::ptrdiff_t quote = quoted ? 1 : 0;
  if (*p != '[' || (quoted && p[1] != '"')) return nullptr;
  p += 1 + quote;
  const auto at = scan_decimal<quoted>(p, end, prices, price_scale);
  if (at.length == 0) return nullptr;
  p += at.length;
  if (*p != ',' || (quoted && p[1] != '"')) return nullptr;
  p += 1 + quote;
  const auto quantity = scan_decimal<quoted>(p, end, sizes, size_scale);
  if (quantity.length == 0) return nullptr;
  p += quantity.length;
  out = {{at.value}, {quantity.value}};
  if (*p == ']') return p + 1;
  if (*p != ',') return nullptr;
  // Some more columns, which nobody asks for; a bracket among them is left to the general way.
  for (int i = 0; i < 48; ++i, ++p) {
    if (*p == ']') return p + 1;
    if (*p == '[' || *p == '{' || *p == '\\' || *p == '\0') return nullptr;
  }
  return nullptr;
}

} // namespace

/// All rows at once, without simdjson's walk; false leaves it to the walk.
bool json_frame::scan_levels(const char* p, level_lane& lane) noexcept {
  if (price_scale_ > max_scale || size_scale_ > max_scale || *p != '[') return false;
  const auto& prices = shuffles_of(price_scale_);
  const auto& sizes = shuffles_of(size_scale_);
  const char* const end = end_ + padding;
  if (*++p == ']') return true;
  const bool quoted = p < end_ && p[1] == '"';
  for (;;) {
    level l;
    if (p >= end_) return false;
    if (quoted) {
      // 48 bytes are readable: the text's padding is longer.
      const auto found =
          p[0] == '[' && p[1] == '"'
              ? number_scan::scan_level(p + 2, prices, price_scale_, sizes, size_scale_)
              : number_scan::scanned_level{};
      if (found.length != 0) {
        l = {{found.price}, {found.size}};
        p += 2 + found.length;
      } else {
        p = scan_row<true>(p, end, prices, price_scale_, sizes, size_scale_, l);
      }
    } else {
      p = scan_row<false>(p, end, prices, price_scale_, sizes, size_scale_, l);
    }
    if (p == nullptr || !lane.add(l)) return false;
    if (*p == ']') return true;
    if (*p++ != ',') return false;
  }
}

std::span<const level> json_frame::levels(json_value v, side s) noexcept {
  if (!fine()) return {};
  auto& to = lane(s);
  const auto mark = to.mark();
  if (scan_levels(v.raw_json_token().data(), to)) return to.since(mark);
  to.back_to(mark);
  each(array(v), [&](json_value row) {
    level l;
    int column = 0;
    each(array(row), [&](json_value cell) {
      if (column == 0) l.at = price_of(cell);
      if (column == 1) l.quantity = size_of(cell);
      ++column;
    });
    if (column < 2) return fail(frame_damage::wrong_type);
    put(s, l);
  });
  return to.since(mark);
}

// --- the decoder
// ----------------------------------------------------------------------------------

namespace {

/// Empties what counts in an event of that kind, and every view: what stands in the other members means
/// nothing, but must not point at rows that are gone. One by one: of a chain of assignments the compiler
/// makes loads of what it has just stored in halves, which the processor has to wait for.
void renew(market_event& event, event_kind kind, frame_damage damage, std::string_view symbol) noexcept {
  event.kind = kind;
  event.damage = damage;
  event.symbol = symbol;
  event.stream = {};
  event.request = {};
  event.text = {};
  event.code = 0;
  auto& depth = event.depth;
  depth.bids = {};
  depth.asks = {};
  depth.bid_rows = {};
  depth.ask_rows = {};
  event.image.bids = {};
  event.image.asks = {};
  event.trade.id_text = {};
  event.candle.interval = {};
  switch (kind) {
  case event_kind::depth: // field by field, for the compiler builds a whole one first
    depth.event = {};
    depth.transaction = {};
    depth.first = depth.last = depth.previous = 0;
    depth.has_previous = depth.has_checksum = false;
    depth.checksum = 0;
    break;
  case event_kind::image: event.image = {}; break;
  case event_kind::best: event.best = {}; break;
  case event_kind::trade: event.trade = {}; break;
  case event_kind::candle: event.candle = {}; break;
  case event_kind::acknowledgement:
  case event_kind::failure:
  case event_kind::shutdown:
  case event_kind::other:
  case event_kind::damaged: break;
  }
}

} // namespace

json_decoder::json_decoder(const instrument_spec& instrument, const json_limits& limits)
    : instrument_{instrument}, limits_{limits}, in_{instrument.price_scale, instrument.size_scale},
      scans_{layout_scan::can_take(in_.price_scale(), in_.size_scale())} {
  events_.resize(1);
}

bool json_decoder::read_layout(std::string_view) {
  return false;
}

market_event& json_decoder::add(event_kind kind, std::string_view symbol) {
  if (count_ >= limits_.events) {
    in_.fail(frame_damage::too_large);
    count_ = 0;
  }
  if (count_ == events_.size()) events_.resize(count_ * 2);
  auto& event = events_[count_++];
  renew(event, kind, frame_damage::none, symbol);
  return event;
}

const market_event& json_decoder::only(event_kind kind, frame_damage damage) noexcept {
  count_ = given_ = 1;
  renew(events_[0], kind, damage, {});
  return events_[0];
}

const market_event& json_decoder::decode(std::string_view frame) noexcept {
  if (!scans_ || !layout_scan::can_take(frame) || frame.size() > limits_.frame_bytes)
    return decode_general(frame);
  count_ = 0;
  in_.start_lanes(frame.size());
  took_layout_ = read_layout(frame);
  if (!took_layout_) return decode_general(frame);
  if (count_ == 0) return only(event_kind::other, frame_damage::none);
  given_ = 1;
  return events_[0];
}

const market_event& json_decoder::decode_general(std::string_view frame) noexcept {
  took_layout_ = false;
  count_ = given_ = 0;
  if (known_text(frame)) return only(event_kind::other, frame_damage::none);
  if (!in_.open(frame, limits_.frame_bytes)) return only(event_kind::damaged, in_.damage());
  if (in_.is_object())
    read_object(in_.object());
  else if (in_.is_array())
    read_array(in_.array());
  else
    in_.fail(frame_damage::not_json); // no venue sends bare values
  in_.finish();
  if (!in_.fine()) return only(event_kind::damaged, in_.damage());
  if (count_ == 0) return only(event_kind::other, frame_damage::none);
  given_ = 1;
  return events_[0];
}

const market_event* json_decoder::next() noexcept {
  return given_ < count_ ? &events_[given_++] : nullptr;
}

} // namespace troupe
