#include "actors/feeds/checksums.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <zlib.h>

namespace troupe {
namespace {

/// Text of bounded length on the stack. What does not fit is left out: no book of the venues comes near.
class checksum_text {
public:
  void put(char c) noexcept {
    if (length_ < text_.size()) text_[length_++] = c;
  }
  void put(std::string_view part) noexcept {
    const auto room = std::min(part.size(), text_.size() - length_);
    std::memcpy(text_.data() + length_, part.data(), room);
    length_ += room;
  }
  [[nodiscard]] bool empty() const noexcept { return length_ == 0; }
  [[nodiscard]] std::uint32_t crc() const noexcept {
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(text_.data()), static_cast<uInt>(length_)));
  }

private:
  std::array<char, 8192> text_;
  std::size_t length_ = 0;
};

using digits = std::array<char, 24>;

std::string_view whole_digits(std::int64_t raw, digits& room) noexcept {
  const auto end = std::to_chars(room.data(), room.data() + room.size(), raw).ptr;
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

/// Plain decimals without trailing zeros; exponents below `least_plain` digits of leading zeros behind the
/// point where `exponents` is set, as JavaScript writes numbers.
void put_short(checksum_text& out, std::int64_t raw, int scale, bool exponents) noexcept {
  constexpr int least_plain = 6;
  if (raw < 0) out.put('-');
  digits room;
  auto text = whole_digits(raw < 0 ? -raw : raw, room);
  if (raw == 0) return out.put('0');
  while (scale > 0 && text.ends_with('0')) text.remove_suffix(1), --scale;
  const auto count = static_cast<int>(text.size());
  if (scale <= 0) return out.put(text);
  if (count > scale) {
    out.put(text.substr(0, static_cast<std::size_t>(count - scale)));
    out.put('.');
    return out.put(text.substr(static_cast<std::size_t>(count - scale)));
  }
  const int zeros = scale - count;
  if (exponents && zeros >= least_plain) {
    out.put(text.substr(0, 1));
    if (count > 1) out.put('.'), out.put(text.substr(1));
    out.put("e-");
    digits power;
    return out.put(whole_digits(zeros + 1, power));
  }
  out.put("0.");
  for (int i = 0; i < zeros; ++i) out.put('0');
  out.put(text);
}

constexpr std::size_t interleaved_levels = 25;

/// OKX and Bitfinex: bid and ask in turn.
std::uint32_t interleaved(const order_book& book, int price_scale, int size_scale, bool javascript) {
  std::array<level, interleaved_levels> bids;
  std::array<level, interleaved_levels> asks;
  const auto bid_count = book.top(side::buy, bids);
  const auto ask_count = book.top(side::sell, asks);
  checksum_text text;
  const auto put = [&](const level& l, bool negative) {
    if (!text.empty()) text.put(':');
    put_short(text, l.at.raw, price_scale, javascript);
    text.put(':');
    put_short(text, negative ? -l.quantity.raw : l.quantity.raw, size_scale, javascript);
  };
  for (std::size_t i = 0; i < std::max(bid_count, ask_count); ++i) {
    if (i < bid_count) put(bids[i], false);
    if (i < ask_count) put(asks[i], javascript);
  }
  return text.crc();
}

} // namespace

std::uint32_t kraken_book_checksum(const order_book& book, int, int) {
  std::array<level, 10> levels;
  checksum_text text;
  digits room;
  // Without the point, a price's text is its scaled integer.
  for (const auto which : {side::sell, side::buy}) {
    const auto count = book.top(which, levels);
    for (std::size_t i = 0; i < count; ++i) {
      text.put(whole_digits(levels[i].at.raw, room));
      text.put(whole_digits(levels[i].quantity.raw, room));
    }
  }
  return text.crc();
}

std::uint32_t okx_book_checksum(const order_book& book, int price_scale, int size_scale) {
  return interleaved(book, price_scale, size_scale, false);
}

std::uint32_t bitfinex_book_checksum(const order_book& book, int price_scale, int size_scale) {
  return interleaved(book, price_scale, size_scale, true);
}

} // namespace troupe
