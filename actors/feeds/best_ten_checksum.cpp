#include "actors/feeds/best_ten_checksum.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define TROUPE_PRODUCT __attribute__((target("pclmul,sse4.1")))
#endif

namespace troupe {
namespace {

// A remainder is written as CRC-32 has it: bit 31 is the coefficient of x^0; that of a text with n bytes of
// zeros behind it is its own times x^8n.

constexpr std::uint32_t polynomial = 0xedb88320;
constexpr std::size_t longest_level = 40; // two numbers of 64 bits
constexpr std::size_t longest_text = 2 * best_ten_checksum::depth * longest_level;

using remainders = std::array<std::array<std::uint32_t, 256>, 4>;

/// [k][b]: of byte b in front of k bytes of zeros, and of the 32 bits behind all.
constexpr remainders byte_remainders = [] {
  remainders out{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    auto r = b;
    for (int bit = 0; bit < 8; ++bit) r = (r >> 1) ^ ((r & 1) != 0 ? polynomial : 0);
    out[0][b] = r;
  }
  for (std::size_t k = 1; k < out.size(); ++k)
    for (std::size_t b = 0; b < 256; ++b)
      out[k][b] = (out[k - 1][b] >> 8) ^ out[0][out[k - 1][b] & 0xff];
  return out;
}();

/// [n]: x^8n.
constexpr auto powers = [] {
  std::array<std::uint32_t, longest_text + 1> out{};
  out[0] = 0x80000000;
  for (std::size_t n = 1; n < out.size(); ++n)
    out[n] = (out[n - 1] >> 8) ^ byte_remainders[0][out[n - 1] & 0xff];
  return out;
}();

/// r · x^32.
std::uint32_t times_four_bytes(std::uint32_t r) noexcept {
  return byte_remainders[3][r & 0xff] ^ byte_remainders[2][r >> 8 & 0xff] ^ byte_remainders[1][r >> 16 & 0xff]
         ^ byte_remainders[0][r >> 24];
}

std::uint32_t remainder_of(const char* text, std::size_t length) noexcept {
  std::uint32_t r = 0;
  for (; length >= 4; text += 4, length -= 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, text, sizeof word); // only where the processor is little-endian, see available()
    r = times_four_bytes(r ^ word);
  }
  for (; length != 0; ++text, --length)
    r = (r >> 8) ^ byte_remainders[0][(r ^ static_cast<unsigned char>(*text)) & 0xff];
  return r;
}

#if defined(TROUPE_PRODUCT)

/// The product of two remainders, not reduced: bit 62 is the coefficient of x^0. Sums are those of products.
TROUPE_PRODUCT inline std::uint64_t product(std::uint32_t a, std::uint32_t b) noexcept {
  const auto both = _mm_clmulepi64_si128(_mm_cvtsi64_si128(a), _mm_cvtsi64_si128(b), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(both));
}

#else

inline std::uint64_t product(std::uint32_t a, std::uint32_t b) noexcept {
  std::uint64_t out = 0;
  for (int bit = 0; bit < 32; ++bit)
    if ((b >> bit & 1) != 0) out ^= std::uint64_t{a} << bit;
  return out;
}

#define TROUPE_PRODUCT

#endif

/// Decimal digits of a number, sixteen characters without branches: zero bytes, which mean nothing in a
/// polynomial, then the digits. The first character is the lowest byte.
struct decimal_text {
  std::uint64_t front = 0;
  std::uint64_t back = 0;
  std::uint32_t length = 0; ///< of the digits
};

constexpr std::uint64_t beyond_text = 10'000'000'000'000'000;

constexpr auto digit_pairs = [] {
  std::array<std::uint16_t, 100> out{};
  for (std::size_t n = 0; n < out.size(); ++n)
    out[n] = static_cast<std::uint16_t>(('0' + n / 10) | ('0' + n % 10) << 8);
  return out;
}();

inline std::uint64_t eight_digits(std::uint32_t n) noexcept {
  const auto pair = [](std::uint32_t two) { return std::uint64_t{digit_pairs[two]}; };
  const auto first = n / 10'000;
  const auto last = n % 10'000;
  return pair(first / 100) | pair(first % 100) << 16 | pair(last / 100) << 32 | pair(last % 100) << 48;
}

/// @pre n < beyond_text
inline decimal_text text_of(std::uint64_t n) noexcept {
  constexpr std::uint64_t zeros = 0x3030303030303030;
  decimal_text out{eight_digits(static_cast<std::uint32_t>(n / 100'000'000)),
                   eight_digits(static_cast<std::uint32_t>(n % 100'000'000)), 0};
  const auto lowest = [](std::uint64_t bits) {
    return static_cast<std::uint32_t>(std::countr_zero(bits)) / 8;
  };
  const auto front = out.front ^ zeros;
  const auto back = (out.back ^ zeros) | std::uint64_t{1} << 63; // nought is one digit
  const auto idle = front != 0 ? lowest(front) : 8 + lowest(back);
  out.front = idle < 8 ? out.front & ~std::uint64_t{0} << 8 * idle : 0;
  out.back = idle > 8 ? out.back & ~std::uint64_t{0} << 8 * (idle - 8) : out.back;
  out.length = 16 - idle;
  return out;
}

/// That text with `behind` bytes behind it, as a sum of products. Remainders are those of texts times x^32.
TROUPE_PRODUCT inline std::uint64_t products_of(const decimal_text& text, std::uint32_t behind) noexcept {
  const auto word = [](std::uint64_t both, int which) {
    return static_cast<std::uint32_t>(both >> 32 * which);
  };
  return product(word(text.front, 0), powers[behind + 16])
         ^ product(word(text.front, 1), powers[behind + 12])
         ^ product(word(text.back, 0), powers[behind + 8]) ^ product(word(text.back, 1), powers[behind + 4]);
}

/// The remainder of a sum of products.
inline std::uint32_t reduced(std::uint64_t products) noexcept {
  products <<= 1; // bits 63 to 32 are x^0 to x^31 now
  return static_cast<std::uint32_t>(products >> 32) ^ times_four_bytes(static_cast<std::uint32_t>(products));
}

} // namespace

bool best_ten_checksum::available() noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool has = __builtin_cpu_supports("pclmul") != 0;
  return has;
#else
  return false;
#endif
}

void best_ten_checksum::forget() noexcept {
  known_ = halves_[0].known = halves_[1].known = false;
}

void best_ten_checksum::changed(side which, std::span<const level> rows) noexcept {
  auto& h = halves_[which == side::sell];
  for (const auto& row : rows) {
    if (!h.known) return;
    which == side::buy ? take<side::buy>(h, row) : take<side::sell>(h, row);
  }
}

/// Puts one row into the ten. Where one of ten is deleted, the book has to tell which is the tenth now.
template <side S>
void best_ten_checksum::take(half& h, const level& row) noexcept {
  auto* const levels = h.both[h.now].data();
  const auto better = [](price a, price b) { return S == side::buy ? a > b : a < b; };
  if (h.count == depth && better(levels[depth - 1].what.at, row.at)) return; // behind them
  std::size_t at = 0;
  while (at < h.count && better(levels[at].what.at, row.at)) ++at;
  const bool there = at < h.count && levels[at].what.at == row.at;
  if (row.quantity.raw == 0) {
    if (!there) return;
    h.known = h.summed = known_ = false;
    if (h.count == depth) return;
    std::copy(levels + at + 1, levels + h.count, levels + at);
    --h.count;
    h.known = true; // fewer than ten are all there are
    return;
  }
  if (!there) {
    const auto kept = std::min(h.count, depth - 1);
    std::copy_backward(levels + at, levels + kept, levels + kept + 1);
    h.count = kept + 1;
  }
  print(row, levels[at]);
  h.summed = known_ = false;
}

TROUPE_PRODUCT void best_ten_checksum::print(const level& what, printed& to) noexcept {
  const auto at = static_cast<std::uint64_t>(what.at.raw);
  const auto quantity = static_cast<std::uint64_t>(what.quantity.raw);
  if (at < beyond_text && quantity < beyond_text) [[likely]] {
    const auto front = text_of(at);
    const auto back = text_of(quantity);
    to.what = what;
    to.length = front.length + back.length;
    to.remainder = reduced(products_of(front, back.length) ^ products_of(back, 0));
    return;
  }
  char text[longest_level];
  auto* end = std::to_chars(text, text + longest_level, what.at.raw).ptr;
  end = std::to_chars(end, text + longest_level, what.quantity.raw).ptr;
  to.what = what;
  to.length = static_cast<std::uint32_t>(end - text);
  to.remainder = remainder_of(text, to.length);
}

void best_ten_checksum::read(const order_book& book, side which) noexcept {
  auto& h = halves_[which == side::sell];
  const auto& before = h.both[h.now];
  const auto old_count = h.count;
  h.now = 1 - h.now;
  auto& levels = h.both[h.now];
  std::size_t old = 0;
  std::size_t count = 0;
  book.for_each(which, [&](const level& l) {
    const auto better = [&](price other) { return which == side::buy ? other > l.at : other < l.at; };
    while (old < old_count && better(before[old].what.at)) ++old;
    auto& to = levels[count++];
    if (old < old_count && before[old].what == l) to = before[old];
    else print(l, to);
    return count < depth;
  });
  h.count = count;
  h.known = true;
  h.summed = false;
}

TROUPE_PRODUCT void best_ten_checksum::sum(half& h) noexcept {
  const auto& levels = h.both[h.now];
  std::uint64_t out = 0;
  std::uint32_t behind = 0;
  for (auto i = h.count; i-- > 0;) {
    out ^= product(levels[i].remainder, powers[behind]);
    behind += levels[i].length;
  }
  h.length = behind;
  h.remainder = reduced(out);
  h.summed = true;
}

TROUPE_PRODUCT std::uint32_t best_ten_checksum::of(const order_book& book) noexcept {
  if (known_) return value_;
  if (!halves_[0].known) read(book, side::buy);
  if (!halves_[1].known) read(book, side::sell);
  for (auto& h : halves_)
    if (!h.summed) sum(h);
  const auto& bids = halves_[0];
  const auto& asks = halves_[1];
  // CRC-32 begins with ones, as if they stood in front of the text, and is inverted at its end.
  const auto ones = product(0xffffffff, powers[asks.length + bids.length]);
  value_ = ~(reduced(product(asks.remainder, powers[bids.length]) ^ ones) ^ bids.remainder);
  known_ = true;
  return value_;
}

} // namespace troupe
