// The first contact with each venue, against its simulator over TLS: connector, sessions, feeds and
// rules as in a node, and not one rule of the venue broken by us.

#define CAF_SUITE venue_check
#include "runtime/clock.hpp"
#include "tools/json_view.hpp"
#include "tools/venue_check/venue_check.hpp"
#include "tools/venue_sim/data/data_server.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <unistd.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct simulated {
  explicit simulated(std::string_view venue) {
    char pattern[] = "/tmp/troupe_check_XXXXXX";
    folder = ::mkdtemp(pattern);
    venue_sim::data_server_options how;
    how.venue = venue;
    how.folder = folder;
    how.symbols = symbols_of(venue);
    how.seed = 7;
    how.clock.origin_steady_ns = monotonic_ns();
    how.clock.origin_market_ns = wall_clock{}.now().ns;
    auto started = venue_sim::data_server::start(std::move(how), [](status) {});
    CAF_REQUIRE(started.has_value());
    server = std::move(*started);
    options.venue = find_venue(venue);
    options.rest = {true, "localhost", server->port(), ""};
    options.sockets = options.rest;
    options.authority = server->authority();
    options.most = 20s;
    options.least = 2s;
  }
  ~simulated() {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  static std::vector<std::string> symbols_of(std::string_view venue) {
    if (venue == "binance-usdm" || venue == "deribit") return {"BTC-USDT-PERP"};
    if (venue == "bybit") return {"BTC-USDT", "BTC-USDT-PERP"};
    return {"BTC-USDT", "ETH-USDT"};
  }
  /// What the simulator lists, with the venue's own rules.
  void take_instruments() {
    const auto all = fetch_instruments(options, 10s);
    if (!all) CAF_FAIL(options.venue->name << ": " << all.error().message());
    options.instruments = *all;
  }

  std::filesystem::path folder;
  std::unique_ptr<venue_sim::data_server> server;
  venue_check_options options;
};

std::string text_of(const check_list& list) {
  std::string out;
  for (const auto& each : list)
    out += "\n  " + std::string{name_of(each.verdict)} + " " + each.point + ": " + each.words;
  return out;
}

bool has(const check_list& list, std::string_view point, check_verdict verdict) {
  return std::any_of(list.begin(), list.end(), [&](const check_line& each) {
    return each.point.ends_with(point) && each.verdict == verdict;
  });
}

/// Venues whose best bid and ask comes with each change and carries the number of the book it
/// belongs to.
bool numbers_its_best(std::string_view venue) {
  return venue.starts_with("binance") || venue == "okx" || venue == "gate";
}

} // namespace

CAF_TEST(every venue passes the first contact without breaking one of its rules) {
  CAF_REQUIRE_EQUAL(all_venues().size(), 12u);
  for (const auto* venue : all_venues()) {
    simulated sim{venue->name};
    sim.take_instruments();
    CAF_MESSAGE(venue->name << ": " << sim.options.instruments.size() << " instruments");
    CAF_CHECK(!sim.options.instruments.empty());
    const auto rules = check_rules(sim.options);
    const auto market = check_market_data(sim.options);
    const auto state = json_view::parse(sim.server->state());
    CAF_MESSAGE(venue->name << text_of(rules) << text_of(market));
    CAF_CHECK(passed(rules));
    CAF_CHECK(passed(market));
    for (const char* point : {": book", ": trades", ": clock"})
      CAF_CHECK(has(market, point, check_verdict::pass));
    for (const auto& line : market)
      if (line.point.ends_with(": sequence"))
        CAF_CHECK(line.words.find(" 0 gaps, 0 crossed, 0 damaged") != std::string::npos);
    if (numbers_its_best(venue->name))
      CAF_CHECK(has(market, ": best bid and ask", check_verdict::pass));
    for (const auto& fact : state.keys("violations"))
      CAF_ERROR(venue->name << " saw " << state.integer("violations." + fact)
                            << " times: " << fact);
  }
}

CAF_TEST(what is not there is named) {
  simulated sim{"kraken"};
  sim.take_instruments();
  auto options = sim.options;
  options.rest.host = "no-such-host.invalid";
  CAF_CHECK(has(check_rules(options), "name", check_verdict::fail));
  options = sim.options;
  options.rest.port = 1;
  CAF_CHECK(has(check_rules(options), "connection", check_verdict::fail));
  options = sim.options;
  options.authority.clear();
  CAF_CHECK(has(check_rules(options), "TLS", check_verdict::fail));
  options = sim.options;
  options.instruments.resize(1);
  options.instruments[0].venue_symbol = "NO/SUCH";
  CAF_CHECK(has(check_rules(options), ": rules", check_verdict::fail));
  options.most = 12s;
  const auto market = check_market_data(options);
  CAF_CHECK(has(market, "subscriptions", check_verdict::fail));
  CAF_CHECK(has(market, ": book", check_verdict::fail));
}
