#include "tools/venue_sim/data/truth.hpp"

#include "messages/json.hpp"
#include "tools/venue_sim/decimal.hpp"

#include <zlib.h>

namespace troupe::venue_sim {
namespace {

constexpr std::size_t most_in_answer = 50'000;

void append_plain(std::string& out, std::int64_t value_e8) {
  append_e8(out, value_e8, 8);
  while (out.back() == '0')
    out.pop_back();
  if (out.back() == '.') out.pop_back();
}

template <class Side>
void append_side(std::string& out, const Side& side, std::size_t depth) {
  for (const auto& [price, quantity] : side) {
    if (depth-- == 0) return;
    if (!out.empty()) out += '|';
    append_plain(out, price);
    out += ',';
    append_plain(out, quantity);
  }
}

} // namespace

std::uint32_t book_crc(const market_book& book, std::size_t depth) {
  std::string text;
  append_side(text, book.bids(), depth);
  append_side(text, book.asks(), depth);
  return static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const unsigned char*>(text.data()),
                                            static_cast<unsigned>(text.size())));
}

std::uint32_t truth_log::add(std::uint64_t number, std::uint64_t sequence, std::int64_t event_ms,
                    const market_book& book) {
  entries_.push_back({number, sequence, event_ms, book_crc(book)});
  const auto crc = entries_.back().crc;
  if (entries_.size() > most_) entries_.pop_front();
  return crc;
}

std::string truth_log::to_json(std::string_view symbol, std::uint64_t number) const {
  json_writer w;
  w.begin_object().field("symbol", symbol).key("changes").begin_array();
  std::size_t count = 0;
  for (const auto& e : entries_) {
    if (e.number < number) continue;
    if (count++ == most_in_answer) break;
    w.raw("[" + std::to_string(e.number) + "," + std::to_string(e.sequence) + ","
          + std::to_string(e.event_ms) + "," + std::to_string(e.crc) + "]");
  }
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe::venue_sim
