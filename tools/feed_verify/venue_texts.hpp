#pragma once

/// Readers of the recordings of venues, for `feed verify --all` and the tests: two-way text, bytes literals,
/// pairs of a message with what another project made of it, bodies of endpoints, examples one a line, and
/// the expected end states of books. Damaged input gives empty texts: whoever reads compares counts.

#include "actors/feeds/events.hpp"
#include "actors/feeds/order_book.hpp"

#include <simdjson.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::recorded {

// --- files
// ----------------------------------------------------------------------------------------

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

inline std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(std::move(line));
  return out;
}

/// The reply of an endpoint file: line 1 method, 2 path, 3 signed, then the reply.
inline std::string endpoint_body(const std::filesystem::path& file) {
  auto text = text_of(file);
  std::size_t at = 0;
  for (int line = 0; line < 3; ++line)
    at = text.find('\n', at) + 1;
  return text.substr(at);
}

// --- two-way text
// ---------------------------------------------------------------------------------

enum class two_way_kind { opened, sent, received, replied };

/// One line of a two-way recording.
struct two_way_line {
  two_way_kind kind = two_way_kind::received;
  std::string url; ///< empty for received frames
  market_time at;
  std::string text;
};

inline market_time two_way_time(std::string_view seconds) {
  const auto point = seconds.find('.');
  if (point != std::string_view::npos) seconds = seconds.substr(0, point + 10);
  return {parse_decimal(seconds, 9).value_or(0)};
}

/// All lines of one two-way file in order.
inline std::vector<two_way_line> two_way(const std::filesystem::path& file) {
  std::vector<two_way_line> out;
  for (const auto& line : lines_of(file)) {
    two_way_line one;
    std::string_view rest = line;
    const auto arrow = [&](std::string_view mark, two_way_kind kind) {
      const auto at = rest.find(mark);
      if (at == std::string_view::npos) return false;
      one.kind = kind;
      one.url = rest.substr(0, at);
      rest.remove_prefix(at + mark.size());
      return true;
    };
    if (rest.starts_with("ws") || rest.starts_with("http")) {
      if (arrow(" <-> ", two_way_kind::opened)) {
        one.at = two_way_time(rest);
        out.push_back(std::move(one));
        continue;
      }
      if (!arrow(" <- ", two_way_kind::sent) && !arrow(" -> ", two_way_kind::replied)) continue;
    } else if (rest[0] < '0' || rest[0] > '9') {
      continue; // settings of the recorder
    }
    const auto colon = rest.find(": ");
    if (colon == std::string_view::npos) continue;
    one.at = two_way_time(rest.substr(0, colon));
    one.text = rest.substr(colon + 2);
    out.push_back(std::move(one));
  }
  return out;
}

// --- bytes
// ----------------------------------------------------------------------------------------

inline int hex_digit(char c) {
  return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/// The bytes of "1f8b…".
inline std::string unhex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(hex_digit(hex[i]) * 16 + hex_digit(hex[i + 1]));
  return out;
}

/// The bytes of a Python literal: b'\x1f\x8b…'.
inline std::string bytes_of(std::string_view literal) {
  std::string out;
  for (std::size_t i = 2; i + 1 < literal.size(); ++i) {
    if (literal[i] != '\\') {
      out += literal[i];
      continue;
    }
    switch (literal[++i]) {
    case 'x':
      out += unhex(literal.substr(i + 1, 2));
      i += 2;
      break;
    case 'n': out += '\n'; break;
    case 'r': out += '\r'; break;
    case 't': out += '\t'; break;
    default: out += literal[i];
    }
  }
  return out;
}

/// Frames of a byte-exact recording: a header line, then "time length", the bytes, a newline each.
inline std::vector<std::string> capture_frames(const std::filesystem::path& file) {
  const auto text = text_of(file);
  std::vector<std::string> out;
  auto at = text.find('\n') + 1;
  while (at < text.size()) {
    const auto space = text.find(' ', at);
    const auto line = text.find('\n', at);
    if (space == std::string::npos || line == std::string::npos || space > line) break;
    const auto length = std::strtoull(text.c_str() + space + 1, nullptr, 10);
    out.push_back(text.substr(line + 1, length));
    at = line + 1 + length + 1;
  }
  return out;
}

// --- JSON lines
// -----------------------------------------------------------------------------------

/// The member `key` of a JSON object: strings unescaped, anything else as its text. Empty where
/// missing.
inline std::string member_text(std::string_view object, std::string_view key) {
  const simdjson::padded_string padded{object};
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::value value;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return {};
  if (document.find_field_unordered(key).get(value) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return std::string{text};
  simdjson::ondemand::object inner;
  simdjson::ondemand::array list;
  if (value.get_object().get(inner) == simdjson::SUCCESS
      && inner.raw_json().get(text) == simdjson::SUCCESS)
    return std::string{text};
  if (value.get_array().get(list) == simdjson::SUCCESS
      && list.raw_json().get(text) == simdjson::SUCCESS)
    return std::string{text};
  return std::string{value.raw_json_token()};
}

/// Examples one a line, {"raw": "…", …}: those of which the line holds all of `marks`.
inline std::vector<std::string> examples(const std::filesystem::path& file,
                                         std::vector<std::string> marks = {},
                                         std::string_view member = "raw") {
  std::vector<std::string> out;
  for (const auto& line : lines_of(file)) {
    bool wanted = true;
    for (const auto& mark : marks)
      wanted = wanted && line.find(mark) != std::string::npos;
    if (wanted) out.push_back(member_text(line, member));
  }
  return out;
}

// --- what another project made of a message
// -------------------------------------------------------

/// A message of a venue with what tardis-node makes of it.
struct mapper_pair {
  std::string message;
  std::string expected; ///< JSON array of normalised messages
  std::string test;
};

inline std::vector<mapper_pair> mapper_pairs(const std::filesystem::path& file) {
  std::vector<mapper_pair> out;
  for (const auto& line : lines_of(file))
    out.push_back(
        {member_text(line, "message"), member_text(line, "expected"), member_text(line, "test")});
  return out;
}

/// "28560.50" and 28560.5 as one spelling; a number as JSON or venues write it.
inline std::string plain_number(std::string_view text) {
  while (!text.empty() && (text.back() <= ' ' || text.back() == '"'))
    text.remove_suffix(1);
  if (!text.empty() && text[0] == '"') text.remove_prefix(1);
  const auto parsed = parse_decimal(text, 12);
  return parsed ? format_decimal_short(*parsed, 12) : std::string{text};
}

inline std::string milliseconds_text(market_time t) {
  return std::to_string(t.ns / 1'000'000);
}

/// Milliseconds since 1970 of "2023-04-05T05:50:20.717Z".
inline std::string milliseconds_text(std::string_view iso) {
  std::tm tm{};
  std::istringstream in{std::string{iso.substr(0, 19)}};
  in >> std::get_time(&tm, "%Y-%m-%dT%H:%M:%S");
  std::string ms{"000"};
  if (iso.size() > 22 && iso[19] == '.') ms = iso.substr(20, 3);
  return std::to_string(timegm(&tm)) + ms;
}

inline std::string levels_text(simdjson::dom::array rows) {
  std::string out;
  for (simdjson::dom::object row : rows)
    out += " " + plain_number(simdjson::minify(row["price"])) + "x"
           + plain_number(simdjson::minify(row["amount"]));
  return out;
}

/// Trades and book changes out of `expected` of a pair, one text each, as `event_text` writes
/// events.
inline std::vector<std::string> expected_texts(const std::string& expected) {
  std::vector<std::string> out;
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  if (parser.parse(expected).get(list) != simdjson::SUCCESS) return out;
  for (simdjson::dom::object one : list) {
    const std::string type{std::string_view{one["type"]}};
    const std::string symbol{std::string_view{one["symbol"]}};
    const auto at = milliseconds_text(std::string_view{one["timestamp"]});
    if (type == "trade") {
      std::string_view id;
      if (one["id"].get(id) != simdjson::SUCCESS) id = "";
      out.push_back("trade " + symbol + " " + std::string{id} + " "
                    + std::string{std::string_view{one["side"]}} + " "
                    + plain_number(simdjson::minify(one["price"])) + "x"
                    + plain_number(simdjson::minify(one["amount"])) + " " + at);
    } else if (type == "book_change") {
      out.push_back((bool{one["isSnapshot"]} ? "image " : "depth ") + symbol + " b"
                    + levels_text(one["bids"]) + " a" + levels_text(one["asks"]) + " " + at);
    }
  }
  return out;
}

inline std::string levels_text(std::span<const level> levels, int price_scale, int size_scale) {
  std::string out;
  for (const auto& l : levels)
    out += " " + format_decimal_short(l.at.raw, price_scale) + "x"
           + format_decimal_short(l.quantity.raw, size_scale);
  return out;
}

/// The same text of an event of ours; empty for what is neither trade nor book.
inline std::string event_text(const market_event& e, int price_scale, int size_scale) {
  const std::string symbol{e.symbol};
  if (e.kind == event_kind::trade) {
    const auto& t = e.trade;
    return "trade " + symbol + " "
           + (t.id_text.empty() ? std::to_string(t.id) : std::string{t.id_text})
           + (t.taker == side::buy ? " buy " : " sell ")
           + format_decimal_short(t.at_price.raw, price_scale) + "x"
           + format_decimal_short(t.quantity.raw, size_scale) + " " + milliseconds_text(t.at);
  }
  if (e.kind == event_kind::depth)
    return "depth " + symbol + " b" + levels_text(e.depth.bids, price_scale, size_scale) + " a"
           + levels_text(e.depth.asks, price_scale, size_scale) + " "
           + milliseconds_text(e.depth.event);
  if (e.kind == event_kind::image)
    return "image " + symbol + " b" + levels_text(e.image.bids, price_scale, size_scale) + " a"
           + levels_text(e.image.asks, price_scale, size_scale) + " "
           + milliseconds_text(e.image.event);
  return {};
}

/// All events of one frame as texts; a damaged frame is "damaged: why".
inline std::vector<std::string> event_texts(frame_decoder& decoder, std::string_view frame,
                                            int price_scale, int size_scale) {
  std::vector<std::string> out;
  for (const auto* e = &decoder.decode(frame); e != nullptr; e = decoder.next()) {
    if (e->kind == event_kind::damaged)
      out.push_back("damaged: " + std::string{name_of(e->damage)});
    if (auto text = event_text(*e, price_scale, size_scale); !text.empty())
      out.push_back(std::move(text));
  }
  return out;
}

// --- expected end states
// --------------------------------------------------------------------------

/// How a book must stand at the end of its recording.
struct expected_book {
  std::string bid; ///< "30236.1x0.5"; empty: no bid
  std::string ask;
  std::uint64_t bid_levels = 0;
  std::uint64_t ask_levels = 0;
  std::uint64_t top20 = 0;
  std::optional<std::uint64_t> venue_checksum = {}; ///< the venue's own, of the last message
};

/// The books of one recording by symbol; `recording` as the file of expectations names it.
inline std::map<std::string, expected_book> expected_books(const std::filesystem::path& file,
                                                           std::string_view recording_name) {
  std::map<std::string, expected_book> out;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object books;
  if (parser.load(file.string()).get(root) != simdjson::SUCCESS) return out;
  if (root[recording_name]["books"].get(books) != simdjson::SUCCESS) return out;
  const auto top = [](simdjson::dom::element e) -> std::string {
    simdjson::dom::array pair;
    if (e.get(pair) != simdjson::SUCCESS) return {};
    return plain_number(simdjson::minify(pair.at(0))) + "x"
           + plain_number(simdjson::minify(pair.at(1)));
  };
  for (const auto book : books) {
    const auto& b = book.value;
    out[std::string{book.key}] = {top(b["best_bid"]), top(b["best_ask"]),
                                  std::uint64_t{b["bid_levels"]}, std::uint64_t{b["ask_levels"]},
                                  std::uint64_t{b["top20_crc32"]}};
  }
  return out;
}

/// The one book of a recording whose entry has `final` instead of `books`; sizes and `top20` stay empty where
/// it does not say them.
inline std::optional<expected_book> expected_final(const std::filesystem::path& file, std::string_view recording_name) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element end;
  if (parser.load(file.string()).get(root) != simdjson::SUCCESS) return {};
  if (root[recording_name]["final"].get(end) != simdjson::SUCCESS) return {};
  const auto top = [](simdjson::dom::element e) {
    simdjson::dom::array pair;
    if (e.get(pair) != simdjson::SUCCESS) return plain_number(simdjson::minify(e));
    return plain_number(simdjson::minify(pair.at(0))) + "x" + plain_number(simdjson::minify(pair.at(1)));
  };
  expected_book out{top(end["best_bid"]), top(end["best_ask"]), std::uint64_t{end["bids"]}, std::uint64_t{end["asks"]}, 0};
  std::uint64_t checksum = 0;
  if (end["crc"].get(checksum) == simdjson::SUCCESS) out.venue_checksum = checksum;
  return out;
}

/// What differs between a book and its expectation; empty when nothing does.
inline std::string book_difference(const order_book& book, int price_scale, int size_scale,
                                   const expected_book& expected) {
  const auto top = [&](side s) -> std::string {
    if (book.levels(s) == 0) return {};
    const auto l = book.best(s);
    return format_decimal_short(l.at.raw, price_scale) + "x"
           + format_decimal_short(l.quantity.raw, size_scale);
  };
  std::string out;
  const auto compare = [&](std::string_view what, const std::string& is,
                           const std::string& should) {
    if (is != should) out += std::string{what} + " is " + is + ", expected " + should + "; ";
  };
  compare("bid", top(side::buy), expected.bid);
  compare("ask", top(side::sell), expected.ask);
  compare("bid levels", std::to_string(book.levels(side::buy)),
          std::to_string(expected.bid_levels));
  compare("ask levels", std::to_string(book.levels(side::sell)),
          std::to_string(expected.ask_levels));
  compare("top 20", std::to_string(book.top_checksum(price_scale, size_scale)),
          std::to_string(expected.top20));
  return out;
}

} // namespace troupe::recorded
