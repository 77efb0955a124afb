#pragma once

/// One pass over a frame that lies exactly as its venue writes it: literal, value, literal … without a copy
/// and without an index of the text. A venue's decoder tries it first (`json_decoder::read_layout`); whatever
/// it declines is read by field, by `json_frame`. It must therefore take nothing that would be read otherwise
/// there: no white space, no escapes, nothing but printable ASCII in strings, no number with a zero in front,
/// a sign or a digit behind the instrument's scale.

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/number_scan.hpp"

#include <algorithm>
#include <cstring>

namespace troupe {

/// A place in a frame. Each call takes what it names and moves behind it, or returns false: then the frame is
/// to be left to the general way, whatever the place is by then. Not thread-safe.
class layout_scan {
public:
  /// The scans stop at the text's last character at the latest, because a bracket is neither digit nor quote;
  /// and they load sixteen bytes at a time.
  [[nodiscard]] static bool can_take(std::string_view text) noexcept {
    return text.size() >= 16 && (text.back() == '}' || text.back() == ']');
  }
  [[nodiscard]] static bool can_take(int price_scale, int size_scale) noexcept {
    return price_scale <= number_scan::max_scale && size_scale <= number_scan::max_scale;
  }

  /// @pre can_take(text) and can_take(price_scale, size_scale)
  layout_scan(std::string_view text, int price_scale, int size_scale) noexcept
      : p_{text.data()}, end_{text.data() + text.size()}, price_scale_{price_scale}, size_scale_{size_scale},
        prices_{&number_scan::shuffles_of(price_scale)}, sizes_{&number_scan::shuffles_of(size_scale)} {}

  /// Nothing is left.
  [[nodiscard]] bool done() const noexcept { return p_ == end_; }
  /// The next character; 0 behind the last.
  [[nodiscard]] char ahead() const noexcept { return p_ < end_ ? *p_ : '\0'; }

  bool is(char c) noexcept {
    if (p_ >= end_ || *p_ != c) return false;
    ++p_;
    return true;
  }
  template <std::size_t N>
  bool is(const char (&what)[N]) noexcept {
    if (end_ - p_ < static_cast<std::ptrdiff_t>(N - 1) || std::memcmp(p_, what, N - 1) != 0) return false;
    p_ += N - 1;
    return true;
  }
  bool is(std::string_view what) noexcept {
    if (static_cast<std::size_t>(end_ - p_) < what.size() || std::memcmp(p_, what.data(), what.size()) != 0)
      return false;
    p_ += what.size();
    return true;
  }

  // --- behind an opening quote; the closing one is taken too -----------------------------------------

  bool text(std::string_view& out) noexcept {
    const auto length = p_ < end_ ? number_scan::scan_plain_string(p_, end_) : UINT32_MAX;
    if (length == UINT32_MAX) return false;
    out = {p_, length};
    p_ += length + 1;
    return true;
  }
  bool quoted_price(price& out) noexcept { return quoted(out.raw, *prices_, price_scale_); }
  bool quoted_size(size& out) noexcept { return quoted(out.raw, *sizes_, size_scale_); }

  // --- bare ----------------------------------------------------------------------------------------

  bool bare_price(price& out) noexcept { return bare(out.raw, *prices_, price_scale_); }
  bool bare_size(size& out) noexcept { return bare(out.raw, *sizes_, size_scale_); }

  /// Up to 15 digits; what stands behind them is not looked at.
  bool integer(std::uint64_t& out) noexcept {
    if (p_ >= end_) return false;
    const auto found = number_scan::scan_integer(p_, end_);
    out = static_cast<std::uint64_t>(found.value);
    p_ += found.length;
    return found.length != 0;
  }
  bool checksum(std::uint32_t& out) noexcept {
    std::uint64_t value = 0;
    if (!integer(value) || value > UINT32_MAX) return false;
    out = static_cast<std::uint32_t>(value);
    return true;
  }
  bool milliseconds(market_time& out) noexcept {
    std::uint64_t value = 0;
    if (!integer(value) || value > 7'258'118'400'000) return false; // year 2200
    out.ns = static_cast<std::int64_t>(value) * 1'000'000;
    return true;
  }
  /// "1618678150.259113" of seconds, with one to nine decimals.
  bool seconds(market_time& out) noexcept {
    constexpr std::array<std::int64_t, 10> scales{0,       100'000'000, 10'000'000, 1'000'000, 100'000,
                                                  10'000,  1'000,       100,        10,        1};
    constexpr std::int64_t latest_micros = 7'258'118'400'000'000; // year 2200
    if (end_ - p_ > 18 && p_[17] == '"') [[likely]] {
      const auto micros = number_scan::scan_microseconds(p_);
      if (micros.length != 0 && micros.value < latest_micros) [[likely]] {
        p_ += micros.length;
        out.ns = micros.value * 1'000;
        return true;
      }
    }
    if (p_ >= end_) return false;
    const auto whole = number_scan::scan_digits(p_, end_);
    if (whole.length == 0 || whole.value >= 7'258'118'400) return false; // year 2200
    p_ += whole.length;
    if (!is('.') || p_ >= end_) return false;
    const auto decimals = number_scan::scan_digits(p_, end_);
    if (decimals.length == 0 || decimals.length > 9) return false;
    p_ += decimals.length;
    out.ns = whole.value * 1'000'000'000 + decimals.value * scales[decimals.length];
    return true;
  }

  // --- sides: from behind the opening bracket up to and including the closing one ----------------------

  /// Rows ["1.5","2"].
  bool quoted_rows(level_lane& out) noexcept {
    return rows(out, [this](level& l) {
      if (end_ - p_ >= 52) [[likely]] { // the row's own two bytes and 48 more are readable
        const auto found = p_[0] == '[' && p_[1] == '"'
                               ? number_scan::scan_level(p_ + 2, *prices_, price_scale_, *sizes_, size_scale_)
                               : number_scan::scanned_level{};
        if (found.length != 0) [[likely]] {
          l = {{found.price}, {found.size}};
          p_ += 2 + found.length;
          return true;
        }
      }
      return is("[\"") && quoted_price(l.at) && is(",\"") && quoted_size(l.quantity) && is(']');
    });
  }

  /// Rows [1.5,2].
  bool bare_rows(level_lane& out) noexcept {
    return rows(out, [this](level& l) {
      if (end_ - p_ >= 52) [[likely]] {
        using namespace number_scan;
        const auto found = p_[0] == '[' ? scan_bare_level(p_ + 1, *prices_, price_scale_, *sizes_, size_scale_)
                                        : scanned_level{};
        if (found.length != 0) [[likely]] {
          l = {{found.price}, {found.size}};
          p_ += 1 + found.length;
          return true;
        }
      }
      return is('[') && bare_price(l.at) && is(',') && bare_size(l.quantity) && is(']');
    });
  }

  /// `1.5","2"` from behind the price's opening quote up to and including the size's closing one.
  bool quoted_pair(level& out) noexcept {
    if (end_ - p_ >= 48) [[likely]] {
      const auto found = number_scan::scan_level<false>(p_, *prices_, price_scale_, *sizes_, size_scale_);
      if (found.length != 0) [[likely]] {
        out = {{found.price}, {found.size}};
        p_ += found.length;
        return true;
      }
    }
    return quoted_price(out.at) && is(",\"") && quoted_size(out.quantity);
  }

  /// From behind the opening bracket: one row `1.5,2,-3]` of price, number of orders and amount, whose sign
  /// tells the side; without orders the size is 0. The place stays when this declines.
  bool signed_row(side& s, level& out) noexcept {
    if (p_ >= end_) return false;
    const auto found = number_scan::scan_signed_row(p_, end_, *prices_, price_scale_, *sizes_, size_scale_);
    if (found.length == 0) [[unlikely]]
      return false;
    s = found.sells ? side::sell : side::buy;
    out = {{found.price}, {found.size}};
    p_ += found.length;
    return true;
  }

  /// What is left.
  [[nodiscard]] std::string_view rest() const noexcept {
    return {p_, static_cast<std::size_t>(end_ - p_)};
  }
  /// How many characters of the frame lie in front of the place.
  [[nodiscard]] std::size_t place_in(std::string_view frame) const noexcept {
    return static_cast<std::size_t>(p_ - frame.data());
  }

  /// Moves on behind what is known to stand here. @pre so many characters are left
  void skip(std::size_t count) noexcept { p_ += count; }

  /// Rows of any shape: `row(level&)` takes one, brackets and all.
  template <class Row>
  bool rows(level_lane& out, Row row) noexcept {
    if (is(']')) return true;
    for (;;) {
      level l;
      if (!row(l) || !out.add(l)) return false;
      if (is(']')) return true;
      if (!is(',')) return false;
    }
  }

private:
  bool quoted(std::int64_t& out, const number_scan::detail::digit_shuffles& shuffles, int scale) noexcept {
    if (p_ >= end_) return false;
    auto found = number_scan::scan_decimal<true>(p_, end_, shuffles, scale);
    if (found.length == 0) [[unlikely]]
      found = number_scan::scan_long_decimal(p_, end_, scale);
    out = found.value;
    p_ += found.length;
    return found.length != 0;
  }

  bool bare(std::int64_t& out, const number_scan::detail::digit_shuffles& shuffles, int scale) noexcept {
    if (p_ >= end_) return false;
    auto found = number_scan::scan_decimal<false>(p_, end_, shuffles, scale);
    if (found.length == 0) [[unlikely]]
      found = number_scan::scan_exponent(p_, end_, scale);
    else if (*p_ == '0' && found.length > 1 && p_[1] != '.') return false;
    if (found.length == 0) return false;
    out = found.value;
    p_ += found.length;
    return true;
  }

  const char* p_;
  const char* end_;
  int price_scale_;
  int size_scale_;
  const number_scan::detail::digit_shuffles* prices_;
  const number_scan::detail::digit_shuffles* sizes_;
};

inline layout_scan json_decoder::layout_of(std::string_view frame) const noexcept {
  return {frame, in_.price_scale(), in_.size_scale()};
}

/// What the frames of one subscription begin with, known of the one before. Not thread-safe.
class known_beginning {
public:
  static constexpr std::size_t longest = 16;

  /// Longer ones are not kept.
  void remember(std::string_view text) noexcept {
    length_ = text.size() <= longest ? text.size() : 0;
    std::memcpy(text_.data(), text.data(), length_);
  }
  void forget() noexcept { length_ = 0; }
  /// Length of what is known when the frame begins with it, else 0. @pre 16 readable characters
  [[nodiscard]] std::size_t begins(const char* p) const noexcept {
    return number_scan::begins(p, text_.data(), length_) ? length_ : 0;
  }

private:
  std::array<char, longest> text_{};
  std::size_t length_ = 0;
};

/// The same of what they end with: 16 to 32 characters. Not thread-safe.
class known_ending {
public:
  void remember(std::string_view text) noexcept {
    length_ = text.size() >= 16 && text.size() <= text_.size() ? text.size() : 0;
    std::memcpy(text_.data(), text.data(), length_);
  }
  /// What is left of a frame is what is known.
  [[nodiscard]] bool is(std::string_view rest) const noexcept {
    if (rest.size() != length_ || length_ == 0) return false;
    return number_scan::begins(rest.data(), text_.data(), 16)
           && number_scan::begins(rest.data() + length_ - 16, text_.data() + length_ - 16, 16);
  }

private:
  std::array<char, 32> text_{};
  std::size_t length_ = 0;
};

/// Reads "2026-08-02T03:36:41.386179Z" again and again: the minute is read once. Any other time is read by
/// `parse_iso_time`, and what it says is always what that would say. Not thread-safe.
class iso_clock {
public:
  bool read(std::string_view text, market_time& out) noexcept {
    if (text.size() != length_of_known || std::memcmp(text.data(), minute_.data(), minute_.size()) != 0)
      return read_anew(text, out);
    std::int64_t second = 0;
    std::int64_t micros = 0;
    const bool plain = digits(text.data() + 17, 2, second) & digits(text.data() + 20, 6, micros)
                       & (text[19] == '.') & (text[26] == 'Z');
    if (!plain || second > 60) return parse_iso_time(text, out);
    out.ns = base_ns_ + second * 1'000'000'000 + micros * 1'000;
    return true;
  }

private:
  static constexpr std::size_t length_of_known = 27;

  static bool digits(const char* p, int count, std::int64_t& out) noexcept {
    bool fine = true;
    for (int i = 0; i < count; ++i) {
      const auto digit = static_cast<unsigned char>(p[i] - '0');
      fine &= digit <= 9;
      out = out * 10 + digit;
    }
    return fine;
  }

  bool read_anew(std::string_view text, market_time& out) noexcept {
    if (!parse_iso_time(text, out)) return false;
    std::int64_t second = 0;
    std::int64_t micros = 0;
    if (text.size() != length_of_known || text[19] != '.' || text[26] != 'Z') return true;
    if (!digits(text.data() + 17, 2, second) || !digits(text.data() + 20, 6, micros)) return true;
    std::memcpy(minute_.data(), text.data(), minute_.size());
    base_ns_ = out.ns - second * 1'000'000'000 - micros * 1'000;
    return true;
  }

  std::array<char, 17> minute_{}; // "2026-08-02T03:36:"; zeros match no time
  std::int64_t base_ns_ = 0;
};

} // namespace troupe
