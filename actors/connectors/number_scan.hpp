#pragma once

/// Decimal text to scaled integers, 16 bytes at a time. Internal to the codecs of the venues.
///
/// Sixteen bytes are loaded, digits and the point are found as bit masks, and one shuffle puts the digits
/// in place for a fixed number of decimals; three multiply-adds turn them into an integer. What doesn't
/// fit the pattern (sign, exponent, more than 16 characters, other characters) is declined, and the caller
/// takes the general way.

#include "messages/money.hpp"

#include <array>
#include <cstring>

#if defined(__SSE4_1__)
#include <smmintrin.h>
#define TROUPE_SSE 1
#endif

namespace troupe::number_scan {

/// Outcome of a scan: characters taken, 0 = declined.
struct scanned {
  std::int64_t value = 0;
  std::uint32_t length = 0;
};

inline constexpr int max_scale = 12;

/// One character at a time: for numbers of more than 16 characters, which coins of tiny prices have.
/// @pre p < end; the last character is neither digit nor point
[[gnu::noinline]] inline scanned scan_long_decimal(const char* p, const char* end, int scale) noexcept {
  constexpr std::uint64_t limit = std::uint64_t{1} << 62;
  constexpr std::ptrdiff_t longest = 24;
  std::uint64_t value = 0;
  int decimals = -1;
  const char* q = p;
  for (; q < end && q - p < longest && *q != '"'; ++q) {
    if (*q == '.' && decimals < 0 && q > p) {
      decimals = 0;
      continue;
    }
    if (*q < '0' || *q > '9') return {};
    if (decimals >= scale) { // behind the scale only zeros
      if (*q != '0') return {};
      ++decimals;
      continue;
    }
    if (value > limit / 10) return {};
    value = value * 10 + static_cast<std::uint64_t>(*q - '0');
    if (value > limit) return {};
    if (decimals >= 0) ++decimals;
  }
  if (q >= end || *q != '"' || q == p || decimals == 0) return {};
  for (int i = decimals < 0 ? 0 : decimals; i < scale; ++i) {
    if (value > limit / 10) return {};
    value *= 10;
  }
  return {static_cast<std::int64_t>(value), static_cast<std::uint32_t>(q - p) + 1};
}

/// A bare decimal with a negative exponent, `2.781e-05`, as some venues' libraries write small numbers;
/// exact, or declined. `length` is that of its characters. @pre p < end; the last character is no part of a number
[[gnu::noinline]] inline scanned scan_exponent(const char* p, const char* end, int scale) noexcept {
  constexpr std::uint64_t limit = std::uint64_t{1} << 62;
  constexpr std::ptrdiff_t most_digits = 17;
  std::uint64_t value = 0;
  int decimals = -1;
  const char* q = p;
  for (; q < end && q - p <= most_digits; ++q) {
    if (*q == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (*q < '0' || *q > '9') break;
    value = value * 10 + static_cast<std::uint64_t>(*q - '0');
    if (decimals >= 0) ++decimals;
  }
  if (end - q < 4 || (*q | 0x20) != 'e' || q[1] != '-' || decimals == 0) return {};
  if (q == p || *p == '.' || (*p == '0' && q - p > 1 && p[1] != '.')) return {};
  q += 2;
  int exponent = 0;
  const char* const from = q;
  for (; q < end && q - from < 2 && *q >= '0' && *q <= '9'; ++q) exponent = exponent * 10 + (*q - '0');
  if (q == from || q >= end || (*q >= '0' && *q <= '9')) return {};
  auto power = scale - exponent - (decimals < 0 ? 0 : decimals);
  for (; power < 0 && value != 0; ++power) {
    if (value % 10 != 0) return {};
    value /= 10;
  }
  for (; power > 0 && value != 0; --power) {
    if (value > limit / 10) return {};
    value *= 10;
  }
  if (value > limit) return {};
  return {static_cast<std::int64_t>(value), static_cast<std::uint32_t>(q - p)};
}

#if defined(TROUPE_SSE)

namespace detail {

/// Shuffles by number of digits in front of the point, for one scale.
struct digit_shuffles {
  alignas(16) std::array<std::array<std::uint8_t, 16>, 17> by_point{};
  std::uint32_t longest_whole = 0; ///< digits in front of the point that still fit
};

constexpr digit_shuffles make_shuffles(int scale) {
  digit_shuffles out;
  out.longest_whole = static_cast<std::uint32_t>(16 - scale);
  for (int whole = 0; whole <= 16; ++whole) {
    auto& row = out.by_point[static_cast<std::size_t>(whole)];
    for (auto& b : row) b = 0x80;
    if (whole > 16 - scale) continue;
    for (int i = 0; i < whole; ++i)
      row[static_cast<std::size_t>(16 - scale - whole + i)] = static_cast<std::uint8_t>(i);
    for (int j = 0; j < scale; ++j) {
      const int source = whole + 1 + j;
      if (source < 16) row[static_cast<std::size_t>(16 - scale + j)] = static_cast<std::uint8_t>(source);
    }
  }
  return out;
}

inline constexpr auto all_shuffles = [] {
  std::array<digit_shuffles, max_scale + 1> out;
  for (int scale = 0; scale <= max_scale; ++scale)
    out[static_cast<std::size_t>(scale)] = make_shuffles(scale);
  return out;
}();

/// length_masks[16 - n] begins sixteen bytes of which the first n are ones.
inline constexpr auto length_masks = [] {
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < 16; ++i) out[i] = 0xff;
  return out;
}();

/// shift_left[k] moves byte k to the front and fills with zero bytes.
inline constexpr auto shift_left = [] {
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < 32; ++i) out[i] = i < 16 ? static_cast<std::uint8_t>(i) : 0x80;
  return out;
}();

inline __m128i load_bytes(const void* p) noexcept { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

/// Sixteen bytes from `p`; behind `end` come zero bytes. @pre at least 16 bytes lie before `end`
inline __m128i load_text(const char* p, const char* end) noexcept {
  const auto left = end - p;
  if (left >= 16) return load_bytes(p);
  return _mm_shuffle_epi8(load_bytes(end - 16), load_bytes(shift_left.data() + (16 - left)));
}

/// The same without a branch, for places that lie now in front of the last sixteen bytes, now within them.
inline __m128i load_clipped(const char* p, const char* end) noexcept {
  const auto left = end - p;
  const auto back = left >= 16 ? 0 : 16 - left;
  return _mm_shuffle_epi8(load_bytes(p - back), load_bytes(shift_left.data() + back));
}

inline __m128i below(std::uint32_t n) noexcept {
  const auto position = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm_cmpgt_epi8(_mm_set1_epi8(static_cast<char>(n)), position);
}

/// The number that 16 digit values spell.
inline std::int64_t join_digits(__m128i digits) noexcept {
  const auto pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
  const auto fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  const auto packed = _mm_packus_epi32(fours, fours);
  const auto eights = _mm_madd_epi16(packed, _mm_set1_epi32(0x00012710));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return static_cast<std::int64_t>((both & 0xffffffffU) * 100000000U + (both >> 32));
}

struct two_numbers {
  std::int64_t first;
  std::int64_t second;
};

/// The same for two numbers at once.
inline two_numbers join_two(__m128i first, __m128i second) noexcept {
  const auto tens = _mm_set1_epi16(0x010a);
  const auto hundreds = _mm_set1_epi32(0x00010064);
  const auto a = _mm_madd_epi16(_mm_maddubs_epi16(first, tens), hundreds);
  const auto b = _mm_madd_epi16(_mm_maddubs_epi16(second, tens), hundreds);
  const auto eights = _mm_madd_epi16(_mm_packus_epi32(a, b), _mm_set1_epi32(0x00012710));
  const auto join = [](std::uint64_t both) noexcept {
    return static_cast<std::int64_t>((both & 0xffffffffU) * 100000000U + (both >> 32));
  };
  return {join(static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights))),
          join(static_cast<std::uint64_t>(_mm_extract_epi64(eights, 1)))};
}

inline std::uint32_t load_word(const char* p) noexcept {
  std::uint32_t out = 0;
  std::memcpy(&out, p, sizeof out);
  return out;
}

inline std::uint32_t mask_of(__m128i v) noexcept { return static_cast<std::uint32_t>(_mm_movemask_epi8(v)); }

} // namespace detail

/// What may stand behind a number.
template <bool quoted>
constexpr bool ends_number(char c) noexcept {
  return quoted ? c == '"' : c == ',' || c == ']' || c == '}' || c == ' ' || (c >= 0x09 && c <= 0x0d);
}

/// Scans a quoted decimal from behind its opening quote; `length` includes the closing quote. With
/// `quoted` false a bare number, and `length` is that of its digits.
/// @pre at least 16 bytes of readable text lie before `end`; p < end; the last of them is no digit
template <bool quoted = true>
scanned scan_decimal(const char* p, const char* end, const detail::digit_shuffles& shuffles,
                            int scale) noexcept {
  using namespace detail;
  const auto text = load_text(p, end);
  const auto digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  auto others = ~mask_of(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) & 0xffffU;
  if (others == 0) return {};
  const auto whole = static_cast<std::uint32_t>(__builtin_ctz(others));
  auto length = whole;
  if (p[whole] == '.') {
    others &= others - 1;
    if (others == 0) return {};
    length = static_cast<std::uint32_t>(__builtin_ctz(others));
    if (length == whole + 1) return {};
  }
  if (whole == 0 || whole > shuffles.longest_whole || !ends_number<quoted>(p[length])) return {};
  const auto kept = whole + 1 + static_cast<std::uint32_t>(scale);
  if (length > kept) { // decimals behind the scale must be zeros
    const auto zeros = mask_of(_mm_cmpeq_epi8(digits, _mm_setzero_si128()));
    const auto behind = ((1U << length) - 1) & ~((1U << kept) - 1);
    if ((behind & ~zeros) != 0) return {};
  }
  const auto clean = _mm_and_si128(digits, below(length));
  const auto placed = _mm_shuffle_epi8(clean, load_bytes(shuffles.by_point[whole].data()));
  return {join_digits(placed), quoted ? length + 1 : length};
}

/// A price and a size as they stand in a level, `61641.50","1.211"]`; length 0 = declined.
struct scanned_level {
  std::int64_t price = 0;
  std::int64_t size = 0;
  std::uint32_t length = 0; ///< up to and including the closing bracket
};

/// Digits of one number inside 16 loaded bytes, put in place.
inline __m128i placed_digits(__m128i digits, std::uint32_t whole, std::uint32_t length,
                             const detail::digit_shuffles& shuffles) noexcept {
  using namespace detail;
  const auto clean = _mm_and_si128(digits, load_bytes(length_masks.data() + 16 - length));
  return _mm_shuffle_epi8(clean, load_bytes(shuffles.by_point[whole].data()));
}

/// True when decimals behind the scale are all zeros.
inline bool zeros_behind(__m128i digits, std::uint32_t whole, std::uint32_t length, int scale) noexcept {
  const auto kept = whole + 1 + static_cast<std::uint32_t>(scale);
  if (length <= kept) return true;
  const auto zeros = detail::mask_of(_mm_cmpeq_epi8(digits, _mm_setzero_si128()));
  const auto behind = ((1U << length) - 1) & ~((1U << kept) - 1);
  return (behind & ~zeros) == 0;
}

/// Takes the lowest set bit out of a mask and returns its place. @pre mask != 0
inline std::uint32_t take_lowest(std::uint64_t& mask) noexcept {
  const auto at = static_cast<std::uint32_t>(__builtin_ctzll(mask));
  mask &= mask - 1;
  return at;
}

/// Scans one level from behind `["` on. Where the level ends is found by itself, so that the next one can be
/// begun before this one's numbers are finished; all other places come from one mask of what is no digit.
/// With `closed` false more columns follow: `length` is up to and including the size's closing quote.
/// @pre 48 readable bytes
template <bool closed = true>
inline scanned_level scan_level(const char* p, const detail::digit_shuffles& prices, int price_scale,
                                const detail::digit_shuffles& sizes, int size_scale) noexcept {
  using namespace detail;
  const auto low = load_bytes(p);
  const auto high = load_bytes(p + 16);
  const auto closing = _mm_set1_epi8(']');
  const std::uint64_t brackets =
      mask_of(_mm_cmpeq_epi8(low, closing)) | mask_of(_mm_cmpeq_epi8(high, closing)) << 16;
  const auto bracket =
      static_cast<std::uint32_t>(__builtin_ctzll(brackets | std::uint64_t{1} << 32)); // 32 = none
  const auto zero = _mm_set1_epi8('0');
  const auto nine = _mm_set1_epi8(9);
  const auto first = _mm_sub_epi8(low, zero);
  const auto second = _mm_sub_epi8(high, zero);
  // The upper half stays ones, so that there is always a lowest bit.
  auto others = ~std::uint64_t{mask_of(_mm_cmpeq_epi8(_mm_min_epu8(first, nine), first))
                               | mask_of(_mm_cmpeq_epi8(_mm_min_epu8(second, nine), second)) << 16};
  const auto whole = take_lowest(others);
  auto quote = whole;
  if (whole < 16 && p[whole] == '.') quote = take_lowest(others);
  if (whole == 0 || whole > prices.longest_whole || quote > 16 || quote == whole + 1) return {};
  if ((load_word(p + quote) & 0xffffffU) != 0x222c22U) return {}; // ","
  others &= others - 1;                                           // the comma
  others &= others - 1;                                           // the quote behind it
  const auto start = quote + 3;
  const auto point = take_lowest(others);
  auto last = point;
  if (point < 32 && p[point] == '.') last = take_lowest(others);
  const auto size_whole = point - start;
  const auto size_length = last - start;
  const bool ends = closed ? last + 1 == bracket : last < 32;
  if (!ends || size_whole == 0 || size_whole > sizes.longest_whole || size_length > 16 || last == point + 1
      || p[last] != '"')
    return {};
  const auto size_digits = _mm_sub_epi8(load_bytes(p + start), zero);
  if (!zeros_behind(first, whole, quote, price_scale)
      || !zeros_behind(size_digits, size_whole, size_length, size_scale))
    return {};
  const auto both = join_two(placed_digits(first, whole, quote, prices),
                             placed_digits(size_digits, size_whole, size_length, sizes));
  return {both.first, both.second, last + 1 + static_cast<std::uint32_t>(closed)};
}

/// The same for numbers without quotes, `26.5586,147]`, from behind the opening bracket on.
/// @pre 48 readable bytes
inline scanned_level scan_bare_level(const char* p, const detail::digit_shuffles& prices, int price_scale,
                                     const detail::digit_shuffles& sizes, int size_scale) noexcept {
  using namespace detail;
  const auto zero = _mm_set1_epi8('0');
  const auto nine = _mm_set1_epi8(9);
  const auto first = _mm_sub_epi8(load_bytes(p), zero);
  const auto second = _mm_sub_epi8(load_bytes(p + 16), zero);
  // The upper half stays ones, so that there is always a lowest bit.
  auto others = ~std::uint64_t{mask_of(_mm_cmpeq_epi8(_mm_min_epu8(first, nine), first))
                               | mask_of(_mm_cmpeq_epi8(_mm_min_epu8(second, nine), second)) << 16};
  const auto whole = take_lowest(others);
  auto comma = whole;
  if (whole < 16 && p[whole] == '.') comma = take_lowest(others);
  if (whole == 0 || whole > prices.longest_whole || comma > 16 || comma == whole + 1 || p[comma] != ',')
    return {};
  const auto start = comma + 1;
  const auto point = take_lowest(others);
  auto last = point;
  if (point < 32 && p[point] == '.') last = take_lowest(others);
  const auto size_whole = point - start;
  const auto size_length = last - start;
  if (last > 31 || p[last] != ']' || size_whole == 0 || size_whole > sizes.longest_whole || size_length > 16
      || last == point + 1)
    return {};
  if ((p[0] == '0' && whole > 1) || (p[start] == '0' && size_whole > 1)) return {}; // no JSON
  const auto size_digits = _mm_sub_epi8(load_bytes(p + start), zero);
  if (!zeros_behind(first, whole, comma, price_scale)
      || !zeros_behind(size_digits, size_whole, size_length, size_scale))
    return {};
  const auto both = join_two(placed_digits(first, whole, comma, prices),
                             placed_digits(size_digits, size_whole, size_length, sizes));
  return {both.first, both.second, last + 1};
}

/// A row of price, number of orders and signed amount.
struct scanned_row {
  std::int64_t price = 0;
  std::int64_t size = 0;    ///< 0 where there are no orders
  std::uint32_t length = 0; ///< up to and including the closing bracket; 0 = declined
  bool sells = false;       ///< the amount is negative
};

/// Scans `118880,5,-0.2236]` from behind the opening bracket on.
/// @pre p < end, at least 16 readable bytes lie before `end`, and the last of them is a bracket or brace
inline scanned_row scan_signed_row(const char* p, const char* end, const detail::digit_shuffles& prices,
                                   int price_scale, const detail::digit_shuffles& sizes,
                                   int size_scale) noexcept {
  using namespace detail;
  const auto zero = _mm_set1_epi8('0');
  const auto nine = _mm_set1_epi8(9);
  const auto first = _mm_sub_epi8(load_clipped(p, end), zero);
  const auto second = end - p > 16 ? _mm_sub_epi8(load_clipped(p + 16, end), zero) : zero;
  // The upper half stays ones, so that there is always a lowest bit. Each place is asked for only behind a
  // character that can't be the last one, so none lies beyond the end.
  auto others = ~std::uint64_t{mask_of(_mm_cmpeq_epi8(_mm_min_epu8(first, nine), first))
                               | mask_of(_mm_cmpeq_epi8(_mm_min_epu8(second, nine), second)) << 16};
  const auto whole = take_lowest(others);
  if (whole == 0 || whole > prices.longest_whole) return {};
  const auto comma = p[whole] == '.' ? take_lowest(others) : whole;
  if (comma > 16 || comma == whole + 1 || p[comma] != ',') return {};
  const auto orders = comma + 1;
  const auto behind = take_lowest(others);
  if (behind == orders || behind > 31 || p[behind] != ',') return {};
  const bool none = p[orders] == '0';
  if (none && behind != orders + 1) return {}; // no JSON
  const bool sells = p[behind + 1] == '-';
  others &= ~(std::uint64_t{sells} << (behind + 1));
  const auto start = behind + 1 + static_cast<std::uint32_t>(sells);
  const auto point = take_lowest(others);
  if (point > 31) return {};
  const auto last = p[point] == '.' ? take_lowest(others) : point;
  const auto size_whole = point - start;
  const auto size_length = last - start;
  if (last > 31 || p[last] != ']' || size_whole == 0 || size_whole > sizes.longest_whole || size_length > 16
      || last == point + 1)
    return {};
  if ((p[0] == '0' && whole > 1) || (p[start] == '0' && size_whole > 1)) return {}; // no JSON
  const auto size_digits = _mm_sub_epi8(load_clipped(p + start, end), zero);
  if (!zeros_behind(first, whole, comma, price_scale)
      || !zeros_behind(size_digits, size_whole, size_length, size_scale))
    return {};
  const auto both = join_two(placed_digits(first, whole, comma, prices),
                             placed_digits(size_digits, size_whole, size_length, sizes));
  return {both.first, none ? 0 : both.second, last + 1, sells};
}

/// Scans seconds with six decimals, `1618678150.259113`, as microseconds; what stands behind is not looked at.
/// @pre 17 readable bytes
inline scanned scan_microseconds(const char* p) noexcept {
  using namespace detail;
  const auto digits = _mm_sub_epi8(load_bytes(p), _mm_set1_epi8('0'));
  const auto others = ~mask_of(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) & 0xffffU;
  const auto sixth = static_cast<unsigned char>(p[16] - '0');
  if (others != 1U << 10 || p[10] != '.' || sixth > 9) return {};
  const auto placed =
      _mm_shuffle_epi8(digits, _mm_setr_epi8(-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15));
  return {join_digits(placed) * 10 + sixth, 17};
}

/// The first `length` of the sixteen characters at `p` are those at `text`. @pre both are readable
inline bool begins(const char* p, const char* text, std::size_t length) noexcept {
  const auto equal = detail::mask_of(_mm_cmpeq_epi8(detail::load_bytes(p), detail::load_bytes(text)));
  const auto needed = (1U << length) - 1;
  return (equal & needed) == needed;
}

/// Scans a bare non-negative integer of at most 15 digits; `length` stops at the first other character.
/// @pre as above
inline scanned scan_integer(const char* p, const char* end) noexcept {
  using namespace detail;
  const auto text = load_text(p, end);
  const auto digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  const auto others = ~mask_of(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) & 0xffffU;
  if (others == 0) return {};
  const auto length = static_cast<std::uint32_t>(__builtin_ctz(others));
  if (length == 0 || (*p == '0' && length > 1)) return {};
  const auto placed = _mm_shuffle_epi8(_mm_and_si128(digits, below(length)),
                                       load_bytes(all_shuffles[0].by_point[length].data()));
  return {join_digits(placed), length};
}

/// The same with zeros in front.
inline scanned scan_digits(const char* p, const char* end) noexcept {
  using namespace detail;
  const auto text = load_text(p, end);
  const auto digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  const auto others = ~mask_of(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) & 0xffffU;
  if (others == 0) return {};
  const auto length = static_cast<std::uint32_t>(__builtin_ctz(others));
  const auto placed = _mm_shuffle_epi8(_mm_and_si128(digits, below(length)),
                                       load_bytes(all_shuffles[0].by_point[length].data()));
  return {join_digits(placed), length};
}

/// Length of a plain string from behind its opening quote up to the closing one: printable ASCII without
/// escapes. UINT32_MAX = declined. @pre as above
inline std::uint32_t scan_plain_string(const char* p, const char* end) noexcept {
  using namespace detail;
  for (std::uint32_t done = 0;; done += 16) {
    if (p + done >= end) return UINT32_MAX;
    const auto text = load_text(p + done, end);
    const auto quotes = mask_of(_mm_cmpeq_epi8(text, _mm_set1_epi8('"')));
    const auto stop = quotes | 0x10000U;
    const auto until = (stop & (~stop + 1)) - 1; // bits in front of the quote
    const auto plain = mask_of(_mm_cmpgt_epi8(text, _mm_set1_epi8(0x1f)));
    const auto escapes = mask_of(_mm_cmpeq_epi8(text, _mm_set1_epi8('\\')));
    if ((until & 0xffffU & (~plain | escapes)) != 0) return UINT32_MAX;
    if (quotes != 0) return done + static_cast<std::uint32_t>(__builtin_ctz(quotes));
  }
}

inline const detail::digit_shuffles& shuffles_of(int scale) noexcept {
  return detail::all_shuffles[static_cast<std::size_t>(scale)];
}

#else

namespace detail {
struct digit_shuffles {};
} // namespace detail

template <bool quoted = true>
scanned scan_decimal(const char*, const char*, const detail::digit_shuffles&, int) noexcept {
  return {};
}

struct scanned_level {
  std::int64_t price = 0;
  std::int64_t size = 0;
  std::uint32_t length = 0;
};

template <bool closed = true>
inline scanned_level scan_level(const char*, const detail::digit_shuffles&, int,
                                const detail::digit_shuffles&, int) noexcept {
  return {};
}

inline scanned scan_microseconds(const char*) noexcept { return {}; }

inline scanned scan_integer(const char* p, const char* end) noexcept {
  std::uint64_t value = 0;
  const char* q = p;
  for (; q < end && *q >= '0' && *q <= '9'; ++q) {
    if (q - p == 15) return {};
    value = value * 10 + static_cast<std::uint64_t>(*q - '0');
  }
  if (q == p || q >= end || (*p == '0' && q - p > 1)) return {};
  return {static_cast<std::int64_t>(value), static_cast<std::uint32_t>(q - p)};
}

inline scanned_level scan_bare_level(const char*, const detail::digit_shuffles&, int,
                                     const detail::digit_shuffles&, int) noexcept {
  return {};
}

struct scanned_row {
  std::int64_t price = 0;
  std::int64_t size = 0;
  std::uint32_t length = 0;
  bool sells = false;
};

inline scanned_row scan_signed_row(const char*, const char*, const detail::digit_shuffles&, int,
                                   const detail::digit_shuffles&, int) noexcept {
  return {};
}

inline bool begins(const char* p, const char* text, std::size_t length) noexcept {
  return std::memcmp(p, text, length) == 0;
}

inline scanned scan_digits(const char* p, const char* end) noexcept {
  std::uint64_t value = 0;
  const char* q = p;
  for (; q < end && *q >= '0' && *q <= '9'; ++q) {
    if (q - p == 15) return {};
    value = value * 10 + static_cast<std::uint64_t>(*q - '0');
  }
  if (q >= end) return {};
  return {static_cast<std::int64_t>(value), static_cast<std::uint32_t>(q - p)};
}

inline std::uint32_t scan_plain_string(const char* p, const char* end) noexcept {
  for (const char* q = p; q < end; ++q) {
    if (*q == '"') return static_cast<std::uint32_t>(q - p);
    if (*q < 0x20 || *q == '\\') return UINT32_MAX;
  }
  return UINT32_MAX;
}

inline const detail::digit_shuffles& shuffles_of(int) noexcept {
  static constexpr detail::digit_shuffles none;
  return none;
}

#endif

} // namespace troupe::number_scan
