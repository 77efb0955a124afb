#include "tools/node/market_room.hpp"

#include "actors/connectors/backfiller_actor.hpp"
#include "actors/feeds/consolidator_actor.hpp"
#include "actors/feeds/wide.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace troupe::node {
namespace {

std::string book_key(const std::string& symbol, const char* what) {
  return "books." + symbol + "." + what;
}

/// "BTC-USDT-PERP" → BTC, USDT.
std::pair<std::string, std::string> base_and_quote(std::string_view symbol) {
  const auto first = symbol.find('-');
  if (first == std::string_view::npos) return {std::string{symbol}, {}};
  const auto rest = symbol.substr(first + 1);
  return {std::string{symbol.substr(0, first)}, std::string{rest.substr(0, rest.find('-'))}};
}

error bad_book(const std::string& symbol, std::string text) {
  return {make_error_code(config_errc::bad_value), "books." + symbol + ": " + std::move(text)};
}

const instrument_spec* find_spec(const std::vector<instrument_spec>& all, std::string_view id) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& s) { return s.id.text == id; });
  return found == all.end() ? nullptr : &*found;
}

view_options sizes_of(const configuration& config, const instrument_spec& spec) {
  view_options out;
  out.kind = spec.kind;
  out.contract_e8 = contract_value(config, spec.id);
  out.size_scale = spec.size_scale;
  return out;
}

/// In raw units at the book's scale: as configured, else 10 for BTC, 1 for ETH, else 1000 ticks.
price bucket_width(const configuration& config, const std::string& symbol, int scale,
                   const instrument_spec& first) {
  if (const auto given = config.decimal(book_key(symbol, "bucket"), scale); given > 0) return {given};
  const auto base = base_and_quote(symbol).first;
  if (base == "BTC") return {10 * power_of_ten(scale)};
  if (base == "ETH") return {power_of_ten(scale)};
  return {1000 * first.tick.raw * power_of_ten(scale - first.price_scale)};
}

/// Sets how an instrument's currency becomes that of the book; nothing to do where they are the same.
status set_rate(const configuration& config, const std::string& symbol, consolidated_venue& venue,
                const std::vector<instrument_spec>& instruments) {
  const auto ours = base_and_quote(symbol).second;
  const auto theirs = base_and_quote(venue.instrument.symbol()).second;
  if (ours == theirs) return ok;
  const auto rate = config.text(book_key(symbol, "rate"));
  if (rate.empty())
    return bad_book(symbol, venue.instrument.text + " is quoted in " + theirs
                                + "; name its live rate, such as rate: " + ours + "-" + theirs + "@kraken");
  if (find_spec(instruments, rate) == nullptr)
    return bad_book(symbol,
                    "the rate " + rate + " must stand under instruments, too: its feed gives the price");
  const auto [base, quote] = base_and_quote(instrument_id{rate}.symbol());
  if (!(base == ours && quote == theirs) && !(base == theirs && quote == ours))
    return bad_book(symbol, rate + " is no price between " + ours + " and " + theirs);
  venue.rate = {rate};
  venue.rate_divides = base == ours;
  return ok;
}

result<consolidated_options> merged_book(const configuration& config, const std::string& symbol,
                                         const std::vector<instrument_spec>& instruments) {
  consolidated_options out;
  out.symbol = symbol;
  std::vector<const instrument_spec*> specs;
  for (const auto& spec : instruments)
    if (spec.id.symbol() == symbol) specs.push_back(&spec);
  for (const auto& name : config.list(book_key(symbol, "also"))) {
    specs.push_back(find_spec(instruments, name));
    if (specs.back() == nullptr)
      return bad_book(symbol, name + " must stand under instruments, too: its feed gives the book");
  }
  if (specs.empty())
    return error{make_error_code(config_errc::bad_value),
                 "consolidate: no instrument has the symbol " + symbol};
  out.price_scale = out.size_scale = 0;
  for (const auto* spec : specs) {
    consolidated_venue venue;
    venue.instrument = spec->id;
    venue.fee_ppm = static_cast<std::int32_t>(std::min<std::int64_t>(
        config.decimal("venues." + std::string{spec->id.venue()} + ".taker_fee", 6), 1'000'000));
    if (auto set = set_rate(config, symbol, venue, instruments); !set) return std::move(set).error();
    out.price_scale = std::max<int>(out.price_scale, spec->price_scale);
    out.size_scale = std::max(out.size_scale, view_size_scale(sizes_of(config, *spec)));
    out.venues.push_back(std::move(venue));
  }
  out.bucket_width = bucket_width(config, symbol, out.price_scale, *specs.front());
  return out;
}

bool is_rate_of(const consolidated_options& book, const instrument_id& id) {
  return std::any_of(book.venues.begin(), book.venues.end(), [&](const auto& v) { return v.rate == id; });
}

bool is_venue_of(const consolidated_options& book, const instrument_id& id) {
  return std::any_of(book.venues.begin(), book.venues.end(),
                     [&](const auto& v) { return v.instrument == id; });
}

/// The names of bars' lengths.
const std::map<std::string, nanoseconds>& interval_names() {
  using namespace std::chrono_literals;
  static const std::map<std::string, nanoseconds> out{{"1s", 1s}, {"1m", 1min}, {"5m", 5min}, {"15m", 15min},
                                                      {"1h", 1h}, {"4h", 4h},   {"1d", 24h}};
  return out;
}

} // namespace

std::int64_t contract_value(const configuration& config, const instrument_id& id) {
  return config.decimal("venues." + std::string{id.venue()} + ".instruments." + std::string{id.symbol()}
                            + ".contract_value",
                        8);
}

result<std::vector<consolidated_options>> merged_books(const configuration& config,
                                                       const std::vector<instrument_spec>& instruments,
                                                       nanoseconds old_after) {
  std::vector<std::string> symbols;
  const auto add = [&](const std::string& s) {
    if (std::find(symbols.begin(), symbols.end(), s) == symbols.end()) symbols.push_back(s);
  };
  for (const auto& word : config.list("consolidate")) {
    if (word == "none") continue;
    if (word != "auto")
      add(word);
    else
      for (const auto& spec : instruments)
        add(std::string{spec.id.symbol()});
  }
  std::vector<consolidated_options> out;
  for (const auto& symbol : symbols) {
    auto book = merged_book(config, symbol, instruments);
    if (!book) return std::move(book).error();
    book->old_after = old_after;
    out.push_back(std::move(*book));
  }
  return out;
}

void show_to_books(feed_actor_options& feed, const std::vector<consolidated_options>& books) {
  const auto& spec = feed.core.spec;
  for (const auto& book : books) {
    const bool venue = is_venue_of(book, spec.id);
    if (!venue && !is_rate_of(book, spec.id)) continue;
    feed.book_readers.push_back("consolidator/" + book.symbol);
    // One grid a feed: that of the book of its own symbol, else of the first it is part of.
    if (!venue || (feed.bucket_width.raw != 0 && book.symbol != spec.id.symbol())) continue;
    const auto coarser = power_of_ten(std::max(0, book.price_scale - spec.price_scale));
    const auto finer = power_of_ten(std::max(0, spec.price_scale - book.price_scale));
    if (book.bucket_width.raw % coarser == 0) feed.bucket_width = {book.bucket_width.raw / coarser * finer};
  }
}

child_definition consolidator_child(const room_context& context, const consolidated_options& book) {
  consolidator_options options;
  options.book = book;
  return child<consolidator_state>(named_child("consolidator/" + book.symbol), spawn_options{}, context.env,
                                   options);
}

result<std::vector<child_definition>> backfillers(const room_context& context, const std::string& venue,
                                                  const std::vector<instrument_spec>& instruments) {
  const auto& config = context.config;
  std::vector<child_definition> out;
  backfiller_options options;
  options.lookback = config.duration("backfill.lookback");
  // Tapes and generated markets have no history to ask for.
  if (options.lookback <= nanoseconds{0} || config.text("source.kind") != "live") return out;
  options.venue = find_venue(venue);
  if (options.venue == nullptr) return out;
  options.instruments = instruments;
  for (const auto& name : config.list("backfill.intervals")) {
    const auto known = interval_names().find(name);
    if (known == interval_names().end())
      return error{make_error_code(config_errc::bad_value),
                   "backfill.intervals: '" + name + "' is none of 1s, 1m, 5m, 15m, 1h, 4h, 1d"};
    options.intervals.push_back(known->second);
  }
  const auto rest = net::parse_url(config.text("venues." + venue + ".rest"));
  if (!rest) return rest.error();
  options.rest = *rest;
  options.authority = config.text("venues." + venue + ".ca");
  options.requests_per_minute = static_cast<std::uint32_t>(config.integer("backfill.requests"));
  out.push_back(
      child<backfiller_state>(named_child("backfiller/" + venue), spawn_options{}, context.env, options));
  return out;
}

} // namespace troupe::node
