#include "tools/node/market_room.hpp"

#include "actors/connectors/backfiller_actor.hpp"
#include "actors/feeds/consolidator_actor.hpp"
#include "actors/feeds/wide.hpp"
#include "tools/node/placement_room.hpp"

#include <algorithm>
#include <map>
#include <numeric>
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

/// In raw units at the book's scale: as configured, else 10 dollars for BTC, 1 for ETH, else 1000 of the largest tick,
/// whatever the order of the venues.
price bucket_width(const configuration& config, const std::string& symbol, int scale,
                   const std::vector<const instrument_spec*>& specs) {
  if (const auto given = config.decimal(book_key(symbol, "bucket"), scale); given > 0) return {given};
  const auto [base, quote] = base_and_quote(symbol);
  const bool dollars = quote == "USD" || quote == "USDT" || quote == "USDC";
  if (dollars && base == "BTC") return {10 * power_of_ten(scale)};
  if (dollars && base == "ETH") return {power_of_ten(scale)};
  std::int64_t tick = 1;
  for (const auto* spec : specs)
    tick = std::max(tick, spec->tick.raw * power_of_ten(scale - spec->price_scale));
  return {1000 * tick};
}

/// A width of the book's scale at the feed's; 0 where the feed's prices can't tell it.
std::int64_t width_of_feed(std::int64_t width, int from, int to) {
  const auto coarser = power_of_ten(std::max(0, from - to));
  return width % coarser == 0 ? width / coarser * power_of_ten(std::max(0, to - from)) : 0;
}

/// Where prices are converted, buckets of ours end within theirs: theirs are this many times finer, so that what is
/// laid into the wrong one is that much less. 1 where the venue's decimals allow no more.
std::int64_t fineness(const consolidated_options& book, const consolidated_venue& venue, int feed_scale) {
  if (venue.rate.text.empty()) return 1;
  for (const std::int64_t n : {8, 5, 4, 2})
    if (book.bucket_width.raw % n == 0 && width_of_feed(book.bucket_width.raw / n, book.price_scale, feed_scale) > 0)
      return n;
  return 1;
}

/// The one grid in which a feed sums for all the books it is part of.
struct feed_grid {
  price width; ///< 0: it is part of none
  std::uint32_t buckets = view_max_buckets;
};

result<feed_grid> grid_of(const instrument_spec& spec, const std::vector<consolidated_options>& books) {
  std::int64_t width = 0, widest = 0;
  std::string names;
  for (const auto& book : books)
    for (const auto& venue : book.venues) {
      if (venue.instrument != spec.id) continue;
      names += (names.empty() ? "" : ", ") + book.symbol;
      const auto whole = width_of_feed(book.bucket_width.raw, book.price_scale, spec.price_scale);
      if (whole == 0)
        return bad_book(book.symbol, "a bucket of " + format_decimal_short(book.bucket_width.raw, book.price_scale)
                                         + " can't be told in the " + std::to_string(spec.price_scale)
                                         + " decimals of " + spec.id.text + "; set a wider bucket");
      width = std::gcd(width, whole / fineness(book, venue, spec.price_scale));
      widest = std::max(widest, whole);
    }
  if (width == 0) return feed_grid{};
  const auto buckets = static_cast<std::int64_t>(view_max_buckets) * (widest / width);
  if (buckets > static_cast<std::int64_t>(view_most_buckets))
    return bad_book(names, "the buckets of these books have no common part that " + spec.id.text
                               + " could be summed in; make one bucket a small multiple of the other");
  return feed_grid{{width}, static_cast<std::uint32_t>(buckets)};
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
  out.bucket_width = bucket_width(config, symbol, out.price_scale, specs);
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
  for (const auto& spec : instruments)
    if (auto grid = grid_of(spec, out); !grid) return std::move(grid).error();
  return out;
}

void show_to_books(feed_actor_options& feed, const std::vector<consolidated_options>& books) {
  const auto& spec = feed.core.spec;
  for (const auto& book : books) {
    const bool venue = is_venue_of(book, spec.id);
    if (!venue && !is_rate_of(book, spec.id)) continue;
    feed.book_readers.push_back("consolidator/" + book.symbol);
  }
  // Fits: merged_books has looked.
  const auto grid = grid_of(spec, books).value_or({});
  feed.bucket_width = grid.width;
  feed.buckets = grid.buckets;
}

child_definition consolidator_child(const room_context& context, const consolidated_options& book) {
  consolidator_options options;
  options.book = book;
  return child<consolidator_state>(named_child("consolidator/" + book.symbol), spawn_options{}, context.env,
                                   options);
}

bool fills_trades(const configuration& config) {
  return config.text("source.kind") == "live" && config.duration("backfill.trades") > nanoseconds{0};
}

result<std::vector<child_definition>> backfillers(const room_context& context, const std::string& venue,
                                                  const std::vector<instrument_spec>& instruments) {
  const auto& config = context.config;
  std::vector<child_definition> out;
  backfiller_options options;
  options.lookback = config.duration("backfill.lookback");
  // Tapes and generated markets have no history to ask for.
  options.candles = options.lookback > nanoseconds{0};
  options.trades = fills_trades(config);
  if (config.text("source.kind") != "live" || (!options.candles && !options.trades)) return out;
  options.venue = find_venue(venue);
  if (options.venue == nullptr) return out;
  options.instruments = instruments;
  options.store = own_name(context, node_role::ingest, "store");
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
  if (const auto swaps = config.text("venues." + venue + ".swap_rest"); !swaps.empty()) {
    const auto at = net::parse_url(swaps);
    if (!at) return at.error();
    options.second_rest = *at;
  }
  options.authority = config.text("venues." + venue + ".ca");
  options.requests_per_minute = static_cast<std::uint32_t>(config.integer("backfill.requests"));
  out.push_back(
      child<backfiller_state>(named_child(own_name(context, node_role::ingest, "backfiller/" + venue)), spawn_options{},
                              context.env, options));
  return out;
}

} // namespace troupe::node
