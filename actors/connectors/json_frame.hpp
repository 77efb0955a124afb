#pragma once

/// How every venue's JSON frames are read: simdjson on demand over an own padded copy, numbers as
/// the text that was sent (never a double), the first thing that is wrong remembered.
/// `json_decoder` on top of it leaves a venue's decoder with nothing but its mapping.
///
/// Rules of reading, which are simdjson's: values are taken one after the other and each at most
/// once; a member that was found is read (or left) before the next one is looked for. Looking up
/// members in the order in which the venue writes them costs one pass; any other order is right
/// too, only slower.

#include "actors/feeds/events.hpp"

#include <simdjson.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <type_traits>

namespace troupe {

class layout_scan;

using json_value = simdjson::ondemand::value;
using json_object = simdjson::ondemand::object;
using json_array = simdjson::ondemand::array;

/// The unit of a time; its value is the number of decimals down to nanoseconds.
enum class time_unit : std::uint8_t { ns = 0, us = 3, ms = 6, s = 9 };

/// "1672304484978", "1672304484.978" or "1672304484978.4" of a unit; what is finer than a
/// nanosecond is cut. False when it is no such number, negative or beyond the year 2200.
bool parse_time(std::string_view text, time_unit unit, market_time& out) noexcept;

/// "2026-07-24T10:30:45.123456789Z", "2026-07-24T10:30:45+00:00", also with a space instead of the
/// T and without zone (then UTC). False when it is no such time.
bool parse_iso_time(std::string_view text, market_time& out) noexcept;

/// Levels of one side of one frame; room for all of them is there before the first, so that views
/// stay.
class level_lane {
public:
  void start(std::size_t most) noexcept {
    count_ = 0;
    if (most > capacity_) [[unlikely]]
      grow(most);
  }
  /// False when there is no room, which more levels than the frame has text for would need.
  bool add(const level& l) noexcept {
    if (count_ == capacity_) return false;
    levels_.get()[count_++] = l;
    return true;
  }
  [[nodiscard]] std::size_t mark() const noexcept { return count_; }
  void back_to(std::size_t mark) noexcept { count_ = mark; }
  [[nodiscard]] std::span<const level> since(std::size_t mark) const noexcept {
    return {levels_.get() + mark, count_ - mark};
  }

private:
  void grow(std::size_t most) noexcept;

  static_assert(std::is_trivially_copyable_v<level> && std::is_aggregate_v<level>);
  /// Not initialised: most of it is never written.
  struct release {
    void operator()(level* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<level, release> levels_;
  std::size_t count_ = 0;
  std::size_t capacity_ = 0;
};

/// One JSON text and what is read from it. Reading goes on after something was wrong, and returns
/// zeros; ask `fine()` at the end. Any bytes are safe. Views are valid until the next `open`. Not
/// thread-safe.
class json_frame {
public:
  /// Decimals of raw prices and sizes, 0..18; up to 12 are fast.
  explicit json_frame(int price_scale = 0, int size_scale = 0);

  /// Takes a copy of `text`. False (and `damage()`) when it can't be the beginning of JSON.
  bool open(std::string_view text, std::size_t max_bytes = 16 << 20) noexcept;

  /// Makes room for the levels that a text of so many bytes can hold, without taking it. A level with its
  /// brackets and comma is at least six bytes of text.
  void start_lanes(std::size_t bytes) noexcept {
    for (auto& l : lanes_) l.start(bytes / 6 + 2);
  }

  [[nodiscard]] bool fine() const noexcept { return damage_ == frame_damage::none; }
  [[nodiscard]] frame_damage damage() const noexcept { return damage_; }
  void fail(frame_damage why) noexcept {
    if (fine()) damage_ = why;
  }

  /// The root; damage when it is something else.
  [[nodiscard]] bool is_object() noexcept;
  [[nodiscard]] bool is_array() noexcept;
  json_object object() noexcept;
  json_array array() noexcept;

  /// To be called at the end: checks that the root was closed and nothing stands behind it.
  void finish() noexcept;

  // --- members by name -------------------------------------------------------------------------

  /// False when there is no such member, or it is null.
  bool find(json_object& in, std::string_view key, json_value& out) noexcept;
  /// Damage (missing_field) when there is no such member. Check `fine()` before using the result.
  json_value need(json_object& in, std::string_view key) noexcept;

  // The values of members; each is damage when it is missing or of another type.
  json_object object(json_object& in, std::string_view key) noexcept {
    return object(need(in, key));
  }
  json_array array(json_object& in, std::string_view key) noexcept { return array(need(in, key)); }
  std::string_view text(json_object& in, std::string_view key) noexcept {
    return text(need(in, key));
  }
  std::string_view token(json_object& in, std::string_view key) noexcept {
    return token(need(in, key));
  }
  bool flag(json_object& in, std::string_view key) noexcept { return flag(need(in, key)); }
  std::uint64_t id(json_object& in, std::string_view key) noexcept { return id(need(in, key)); }
  std::int64_t integer(json_object& in, std::string_view key) noexcept {
    return integer(need(in, key));
  }
  market_time time(json_object& in, std::string_view key, time_unit unit) noexcept {
    return time(need(in, key), unit);
  }
  market_time iso_time(json_object& in, std::string_view key) noexcept {
    return iso_time(need(in, key));
  }
  price price_of(json_object& in, std::string_view key) noexcept { return price_of(need(in, key)); }
  size size_of(json_object& in, std::string_view key) noexcept { return size_of(need(in, key)); }
  std::span<const level> levels(json_object& in, std::string_view key, side s) noexcept {
    return levels(need(in, key), s);
  }

  // --- values ----------------------------------------------------------------------------------

  json_object object(json_value v) noexcept;
  json_array array(json_value v) noexcept;
  /// A string, unescaped.
  std::string_view text(json_value v) noexcept;
  /// A string's or a bare number's text: "0.5" and 0.5 are both 0.5. Strings with escapes are
  /// damage.
  std::string_view token(json_value v) noexcept;
  bool flag(json_value v) noexcept;
  /// A number of 64 bits, bare or as text; not negative.
  std::uint64_t id(json_value v) noexcept;
  /// The same, possibly negative.
  std::int64_t integer(json_value v) noexcept;
  /// A decimal, bare or as text, "5e-05" too, as integer of that scale; possibly negative.
  std::int64_t decimal(json_value v, int scale) noexcept;
  /// A time in one unit, bare or as text, with or without decimals.
  market_time time(json_value v, time_unit unit) noexcept;
  market_time iso_time(json_value v) noexcept;
  /// Negative prices are damage, like anywhere in a book. For spreads take `decimal`.
  price price_of(json_value v) noexcept { return {not_negative(decimal(v, price_scale_))}; }
  size size_of(json_value v) noexcept {
    return {
        not_negative(rounds_sizes_ ? rounded_decimal_of(v, size_scale_) : decimal(v, size_scale_))};
  }

  /// From now on sizes that are finer than the scale are rounded, never to 0, instead of being
  /// damage: for venues whose books hold such sizes (KuCoin, HTX).
  void round_sizes() noexcept { rounds_sizes_ = true; }

  /// Rows [price, size, …], bare or as text; what stands behind the size is left out.
  std::span<const level> levels(json_value v, side s) noexcept;

  /// For other shapes: where levels of a side are put one by one.
  [[nodiscard]] level_lane& lane(side s) noexcept { return lanes_[s == side::sell ? 1 : 0]; }
  void put(side s, const level& l) noexcept {
    if (!lane(s).add(l)) fail(frame_damage::too_large);
  }

  // --- walks -----------------------------------------------------------------------------------

  /// Calls `take(json_value)` with each element, as long as all is fine.
  template <class Take>
  void each(json_array in, Take take) noexcept {
    if (!fine()) return;
    for (auto element : in) {
      json_value v;
      if (!taken(element.get(v))) return;
      take(v);
      if (!fine()) return;
    }
  }

  /// Calls `take(key, json_value)` with each member, as long as all is fine.
  template <class Take>
  void each_member(json_object in, Take take) noexcept {
    bool any = false;
    // From its first member on, whatever was looked up before.
    if (!fine() || !taken(in.reset().get(any)) || !any) return;
    for (auto member : in) {
      simdjson::ondemand::field f;
      if (!taken(std::move(member).get(f))) return;
      take(key_text(f.key().raw()), f.value());
      if (!fine()) return;
    }
  }

  /// Turns simdjson's word into damage; true when there is none.
  bool taken(simdjson::error_code code) noexcept;

  [[nodiscard]] int price_scale() const noexcept { return price_scale_; }
  [[nodiscard]] int size_scale() const noexcept { return size_scale_; }

private:
  [[nodiscard]] static std::string_view key_text(const char* p) noexcept;
  std::int64_t not_negative(std::int64_t value) noexcept;
  bool fast_decimal(json_value v, int scale, std::int64_t& out) noexcept;
  std::int64_t careful_decimal(std::string_view raw, int scale) noexcept;
  std::int64_t rounded_decimal_of(json_value v, int scale) noexcept;
  std::string_view plain(std::string_view raw) noexcept;
  bool scan_levels(const char* p, level_lane& lane) noexcept;

  int price_scale_;
  int size_scale_;
  bool rounds_sizes_ = false;
  frame_damage damage_ = frame_damage::none;
  simdjson::ondemand::parser parser_{64 << 20};
  simdjson::ondemand::document document_;
  json_object root_object_;
  json_array root_array_;
  char rooted_ = 0; ///< '{' or '[' once the root was taken
  std::unique_ptr<char[]> copy_;
  std::size_t capacity_ = 0;
  const char* end_ = nullptr; ///< of the text; 64 zero bytes follow
  std::array<level_lane, 2> lanes_;
};

/// Limits of a decoder.
struct json_limits {
  std::size_t frame_bytes = 16 << 20; ///< larger frames are damaged
  std::size_t events = 8192;          ///< more events in one frame are damage
};

/// A venue's decoder without its mapping: events of a frame in order, and either all of them or one
/// damaged. A mapping reads `in()` and calls `add` for each event; it may stop whenever
/// `in().fine()` is false. Frames that come most may be read in one pass instead (`read_layout`).
class json_decoder : public frame_decoder {
public:
  const market_event& decode(std::string_view frame) noexcept final;
  const market_event* next() noexcept final;

  /// The general way alone, which decides what any frame means.
  const market_event& decode_general(std::string_view frame) noexcept;
  /// True when the last frame was read by its layout.
  [[nodiscard]] bool took_layout() const noexcept { return took_layout_; }

protected:
  explicit json_decoder(const instrument_spec& instrument, const json_limits& limits = {});

  /// Frames of which the root is an object. Without any `add` the frame is `other`.
  virtual void read_object(json_object root) = 0;
  /// Frames of which the root is an array; `other` unless overridden.
  virtual void read_array(json_array) {}
  /// One pass over a frame as the venue writes it, by `layout_of`; rows go to the lanes, events to `add`.
  /// False, whatever was added, leaves the frame to the general way. Must not change what later frames mean
  /// before it is sure to return true.
  virtual bool read_layout(std::string_view frame);
  /// The pass over a frame; defined in layout_scan.hpp. @pre called within `read_layout`, with its frame
  [[nodiscard]] layout_scan layout_of(std::string_view frame) const noexcept;
  /// True for known frames that are no JSON ("pong"): `other`.
  [[nodiscard]] virtual bool known_text(std::string_view) const noexcept { return false; }

  /// A new event behind the ones there are; its reference is valid until the next call.
  market_event& add(event_kind kind, std::string_view symbol = {});

  /// The event added last. @pre one was added
  market_event& last() noexcept { return events_[count_ - 1]; }

  [[nodiscard]] json_frame& in() noexcept { return in_; }
  [[nodiscard]] const instrument_spec& instrument() const noexcept { return instrument_; }
  /// True when the frame speaks of our instrument.
  [[nodiscard]] bool ours(std::string_view symbol) const noexcept {
    return symbol == instrument_.venue_symbol;
  }

private:
  const market_event& only(event_kind kind, frame_damage damage) noexcept;

  instrument_spec instrument_;
  json_limits limits_;
  json_frame in_;
  std::vector<market_event> events_;
  std::size_t count_ = 0;
  std::size_t given_ = 0;
  bool scans_; // the instrument's scales are such that layouts can be read
  bool took_layout_ = false;
};

} // namespace troupe
