#include "tools/feed_verify/feed_verify.hpp"

#include <simdjson.h>

#include <algorithm>

namespace troupe {
namespace {

using path = std::filesystem::path;
namespace dom = simdjson::dom;

std::string expected_text(const dom::element& e) {
  std::string_view text;
  if (e.get(text) == simdjson::SUCCESS) return std::string{text};
  return simdjson::minify(e);
}

/// Decimal texts are equal whatever their trailing zeros.
bool same_number(std::string_view a, std::string_view b) {
  const auto x = parse_decimal(a, 12);
  const auto y = parse_decimal(b, 12);
  return x && y ? *x == *y : a == b;
}

/// Collects the differences of one instrument.
class comparison {
public:
  comparison(std::string name, const dom::object& expected, std::vector<std::string>& out)
      : name_{std::move(name)}, expected_{expected}, out_{out} {}

  void number(std::string_view key, std::uint64_t found) {
    dom::element e;
    std::uint64_t want = 0;
    if (expected_[key].get(e) != simdjson::SUCCESS) return;
    if (e.get(want) != simdjson::SUCCESS || want != found)
      differ(key, expected_text(e), std::to_string(found));
  }

  void decimal(std::string_view key, std::int64_t raw, int scale) {
    dom::element e;
    if (expected_[key].get(e) != simdjson::SUCCESS) return;
    const auto found = format_decimal(raw, scale);
    if (!same_number(expected_text(e), found)) differ(key, expected_text(e), found);
  }

  void top(std::string_view key, const level& found, const feed_figures& f) {
    dom::array pair;
    if (expected_[key].get(pair) != simdjson::SUCCESS) return;
    dom::element at;
    dom::element quantity;
    const auto price_text = format_decimal(found.at.raw, f.price_scale);
    const auto size_text = format_decimal(found.quantity.raw, f.size_scale);
    if (pair.at(0).get(at) != simdjson::SUCCESS || pair.at(1).get(quantity) != simdjson::SUCCESS
        || !same_number(expected_text(at), price_text) || !same_number(expected_text(quantity), size_text))
      differ(key, simdjson::minify(pair), price_text + " x " + size_text);
  }

  void minutes(const feed_figures& f) {
    dom::object candles;
    if (expected_["candles_1m"].get(candles) != simdjson::SUCCESS) return;
    std::size_t count = 0;
    for (const auto member : candles) {
      ++count;
      const auto at = std::strtoll(std::string{member.key}.c_str(), nullptr, 10);
      const auto found = f.minutes.find(at);
      if (found == f.minutes.end()) {
        differ("candles_1m", std::string{member.key}, "no such bar");
        continue;
      }
      candle(member, found->second, f);
    }
    if (count != f.minutes.size())
      differ("candles_1m", std::to_string(count), std::to_string(f.minutes.size()) + " bars");
  }

private:
  void candle(const dom::key_value_pair& member, const bar& b, const feed_figures& f) {
    const std::string found[] = {
        format_decimal(b.open.raw, f.price_scale),  format_decimal(b.high.raw, f.price_scale),
        format_decimal(b.low.raw, f.price_scale),   format_decimal(b.close.raw, f.price_scale),
        format_decimal(b.volume.raw, f.size_scale), std::to_string(b.trades)};
    dom::array want;
    if (member.value.get(want) != simdjson::SUCCESS) return;
    std::size_t i = 0;
    for (const auto e : want) {
      if (i < std::size(found) && !same_number(expected_text(e), found[i]))
        differ("candle " + std::string{member.key} + " column " + std::to_string(i), expected_text(e),
               found[i]);
      ++i;
    }
  }

  void differ(std::string_view key, const std::string& want, const std::string& found) {
    out_.push_back(name_ + ": " + std::string{key} + ": expected " + want + ", found " + found);
  }

  std::string name_;
  dom::object expected_;
  std::vector<std::string>& out_;
};

void compare_one(const feed_figures& f, const dom::object& expected, std::vector<std::string>& out) {
  comparison c{f.symbol, expected, out};
  c.number("depth_applied", f.report.diffs_applied);
  c.number("stale_dropped", f.report.diffs_stale);
  c.number("gaps", f.report.gaps);
  c.number("last_update_id", f.report.sequence);
  c.top("best_bid", f.report.bid, f);
  c.top("best_ask", f.report.ask, f);
  c.number("bid_levels", f.report.bid_levels);
  c.number("ask_levels", f.report.ask_levels);
  c.number("top20_crc32", f.top20_crc32);
  c.number("trades", f.report.trades);
  c.decimal("trade_volume", f.volume.raw, f.size_scale);
  c.number("bookTicker_msgs", f.best_frames);
  c.number("bookTicker_checked_at_equal_u", f.agreement.equal_number);
  c.number("bookTicker_equal", f.agreement.equal_number_agreed);
  c.number("bookTicker_checked_at_last_u", f.agreement.compared);
  c.number("bookTicker_equal_at_last_u", f.agreement.agreed);
  c.minutes(f);
}

void compare_books(const std::vector<feed_figures>& figures, const dom::object& entry,
                   std::vector<std::string>& out) {
  std::uint64_t applied = 0;
  std::uint64_t stale = 0;
  for (const auto& f : figures) {
    applied += f.report.diffs_applied;
    stale += f.report.diffs_stale;
  }
  comparison all{"all books", entry, out};
  all.number("applied", applied);
  all.number("stale", stale);
  dom::object books;
  if (entry["books"].get(books) != simdjson::SUCCESS) return;
  for (const auto member : books) {
    const auto found =
        std::find_if(figures.begin(), figures.end(), [&](const auto& f) { return f.symbol == member.key; });
    dom::object expected;
    if (found == figures.end()) out.push_back(std::string{member.key} + ": expected a book, found none");
    else if (member.value.get(expected) == simdjson::SUCCESS) compare_one(*found, expected, out);
  }
}

bool ends_with_path(const path& file, std::string_view tail) { return file.generic_string().ends_with(tail); }

/// True when the entry speaks of exactly these inputs.
bool speaks_of(const dom::object& entry, const std::vector<path>& inputs) {
  dom::array files;
  std::string_view one;
  if (entry["file"].get(one) == simdjson::SUCCESS)
    return std::any_of(inputs.begin(), inputs.end(), [&](const path& p) { return ends_with_path(p, one); });
  if (entry["files"].get(files) != simdjson::SUCCESS || files.size() != inputs.size()) return false;
  std::size_t i = 0;
  for (const auto f : files)
    if (f.get(one) != simdjson::SUCCESS || !ends_with_path(inputs[i++], one)) return false;
  return true;
}

} // namespace

result<std::vector<std::string>> compare_with_expectations(const std::vector<feed_figures>& figures,
                                                           const std::vector<path>& inputs,
                                                           const path& expectations) {
  dom::parser parser;
  dom::object root;
  if (parser.load(expectations.string()).get(root) != simdjson::SUCCESS)
    return error{std::make_error_code(std::errc::invalid_argument),
                 expectations.string() + ": no readable JSON object; name a file of expectations: {\"name\": {\"file\": …, figures}}"};
  std::vector<std::string> out;
  bool any = false;
  for (const auto member : root) {
    dom::object entry;
    dom::element books;
    if (member.value.get(entry) != simdjson::SUCCESS || !speaks_of(entry, inputs)) continue;
    any = true;
    if (entry["books"].get(books) == simdjson::SUCCESS) compare_books(figures, entry, out);
    else if (figures.size() == 1) compare_one(figures[0], entry, out);
    else out.push_back("expected one instrument, found " + std::to_string(figures.size()));
  }
  if (!any)
    return error{std::make_error_code(std::errc::invalid_argument),
                 expectations.string() + ": no entry speaks of " + inputs[0].string()
                     + "; add one whose `file` or `files` end its path"};
  return out;
}

} // namespace troupe
