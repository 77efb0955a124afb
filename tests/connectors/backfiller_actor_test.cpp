#define CAF_SUITE backfiller_actor

#include "actors/connectors/backfiller_actor.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/net/http_server.hpp"
#include "storage/file.hpp"
#include "storage/store_actor.hpp"
#include "tests/support/recordings.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/test/unit_test.hpp>
#include <simdjson.h>

#include <atomic>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view recorded =
    "venues/thrasher-corp+gocryptotrader/exchanges/binance/testdata/http.json";

/// Recorded one-hour candles of BTCUSDT by open time, each row as the venue wrote it.
struct recorded_candles {
  std::map<std::int64_t, std::string> rows;

  /// The rows of the two recorded pages that follow each other.
  static recorded_candles load(const std::filesystem::path& file) {
    recorded_candles out;
    const auto text = read_whole(real_disk(), file, 64u << 20);
    if (!text) CAF_FAIL(text.error().message());
    simdjson::dom::parser parser;
    const auto root = parser.parse(*text);
    for (const simdjson::dom::element entry : root["routes"]["/api/v3/klines"]["GET"].get_array()) {
      const std::string_view query = entry["queryString"];
      if (query.find("interval=1h&limit=1000") == std::string_view::npos) continue;
      if (query.find("startTime=1588280400000") == std::string_view::npos
          && query.find("startTime=1591880400000") == std::string_view::npos)
        continue;
      for (const simdjson::dom::element row : entry["data"].get_array())
        out.rows[row.at(0).get_int64()] = simdjson::minify(row);
    }
    return out;
  }

  /// As the venue answers: open times from startTime to endTime, both inclusive, at most `limit` rows.
  [[nodiscard]] std::string answer(const net::http_request& request) const {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::size_t limit = 500;
    const auto query = net::parse_query(request.query());
    for (const auto& [key, value] : *query) {
      if (key == "startTime") from = std::stoll(value);
      if (key == "endTime") to = std::stoll(value);
      if (key == "limit") limit = std::stoull(value);
    }
    std::string out = "[";
    for (auto row = rows.lower_bound(from); row != rows.end() && row->first <= to && limit > 0;
         ++row, --limit)
      out += (out.size() > 1 ? "," : "") + row->second;
    return out + "]";
  }
};

struct backfill_config : caf::actor_system_config {
  backfill_config() {
    register_message_types(*this);
    set("scheduler.max-threads", 2u);
  }
};

struct backfill_fixture {
  backfill_fixture() {
    options.venue = find_venue("binance");
    CAF_REQUIRE(options.venue != nullptr);
    instrument_spec spec;
    spec.id = {"BTC-USDT@binance"};
    spec.venue_symbol = "BTCUSDT";
    spec.price_scale = 2;
    spec.size_scale = 8;
    options.instruments = {spec};
    options.intervals = {1h};
    options.requests_per_minute = 60'000;
    options.tick = 5ms;
    options.first_pause = 20ms;
    options.refusal_pause = 50ms;
    market.set({1'593'576'010'000'000'000}); // 2020-07-01 04:00:10, the last recorded hour is over
    options.lookback = 1471h;
  }
  ~backfill_fixture() {
    names.clear();
    end(filler);
    end(keeper);
    server.reset();
    io.stop();
  }

  template <class Handle>
  void end(Handle& whom) {
    if (!whom) return;
    send_shutdown(whom);
    self->wait_for(whom);
    whom = nullptr;
  }
  template <class Handle>
  void put(const std::string& name, Handle h) {
    names.put(name, {caf::actor_cast<caf::strong_actor_ptr>(h), {}, names.next_incarnation()});
  }

  void start(net::http_server::request_handler answer) {
    net::http_server_options how;
    how.clock = &market;
    auto started = net::http_server::start(io, how, std::move(answer));
    CAF_REQUIRE(started.has_value());
    server = std::move(*started);
    options.rest = {false, "127.0.0.1", server->port(), ""};
    const actor_environment env{&market, &steady, &names, 1};
    keeper = spawn_actor<store_state>(system, {.name = "store", .detached = true}, env, store_options{});
    put("store", keeper);
    filler = spawn_actor<backfiller_state>(system, {.name = "backfiller/binance"}, env, options);
  }

  std::vector<bar> stored() {
    std::vector<bar> out;
    bar_range what{{"BTC-USDT@binance"}, 1h, {0}, {INT64_MAX}, 4000};
    self->request(keeper, 10s, what)
        .receive([&](bar_page& p) { out = std::move(p.bars); },
                 [](const caf::error& e) { CAF_FAIL(to_string(e)); });
    return out;
  }
  std::string status() {
    std::string out;
    self->request(filler, 10s, status_request{})
        .receive([&](status_report& r) { out = std::move(r.json); },
                 [](const caf::error& e) { CAF_FAIL(to_string(e)); });
    return out;
  }
  /// Waits until its status holds some text.
  bool wait_for(std::string_view text) {
    for (int i = 0; i < 2000; ++i) {
      if (status().find(text) != std::string::npos) return true;
      self->receive(caf::after(5ms) >> [] {});
    }
    CAF_MESSAGE(status());
    return false;
  }

  backfill_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  manual_market_clock market;
  monotonic_clock steady;
  directory names;
  net::io_runner io;
  std::unique_ptr<net::http_server> server;
  backfiller_options options;
  store_actor keeper;
  backfiller_actor filler;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(backfiller_actor_tests, backfill_fixture)

CAF_TEST(recorded pages fill the store and the hole stays a hole) {
  const auto file = test::recording(recorded, "backfiller_actor");
  if (!file) return;
  const auto candles = recorded_candles::load(*file);
  CAF_REQUIRE_EQUAL(candles.rows.size(), 1468u);
  std::atomic<int> requests{0};
  start([&](const net::http_request& request, net::http_responder responder) {
    net::http_response out;
    // The venue is busy at first, then its answer is cut, then it is well.
    const auto n = ++requests;
    if (n == 1)
      out.status = 429;
    else if (n == 2)
      out.body = "[[1588280400000,";
    else
      out.body = candles.answer(request);
    responder.respond(std::move(out));
  });
  CAF_REQUIRE(wait_for(R"("missing":0,"requests":4)"));
  CAF_REQUIRE(wait_for(R"("stored":1468)"));
  const auto bars = stored();
  CAF_REQUIRE_EQUAL(bars.size(), 1468u);
  CAF_CHECK_EQUAL(bars.front().open_time.ns, 1'588'280'400'000'000'000);
  CAF_CHECK_EQUAL(bars.back().open_time.ns, 1'593'572'400'000'000'000);
  CAF_CHECK_EQUAL(bars.front().open.raw, 881915);
  CAF_CHECK_EQUAL(bars.front().volume.raw, 308956054500);
  CAF_CHECK_EQUAL(bars.front().trades, 34467u);
  std::vector<std::int64_t> holes;
  for (std::size_t i = 1; i < bars.size(); ++i)
    for (auto at = bars[i - 1].open_time + 1h; at < bars[i].open_time; at = at + 1h)
      holes.push_back(at.ns / 1'000'000'000);
  // 2020-06-28 02:00 to 04:00: the venue was away.
  CAF_CHECK((holes == std::vector<std::int64_t>{1593309600, 1593313200, 1593316800}));
  CAF_CHECK(status().find(R"("holes":3)") != std::string::npos);
  CAF_CHECK_EQUAL(requests.load(), 4);
}

CAF_TEST(bars that are there are neither asked for nor changed) {
  const auto file = test::recording(recorded, "backfiller_actor");
  if (!file) return;
  const auto candles = recorded_candles::load(*file);
  options.lookback = 300h;
  std::atomic<int> requests{0};
  start([&](const net::http_request& request, net::http_responder responder) {
    ++requests;
    net::http_response out;
    out.body = candles.answer(request);
    responder.respond(std::move(out));
  });
  CAF_REQUIRE(wait_for(R"("stored":297)"));
  const auto first = requests.load();
  CAF_CHECK_EQUAL(first, 1);
  // One bar of our own trades, differing from the venue's: a second filler leaves it alone.
  auto mine = stored().at(5);
  mine.close = {1};
  self->request(keeper, 10s, bar_put{{mine}, false}).receive([](acknowledged&) {}, [](const caf::error&) {});
  self->request(keeper, 10s, bar_put{{stored().at(5)}, true})
      .receive([](acknowledged& a) { CAF_CHECK_EQUAL(a.sequence, 0u); }, [](const caf::error&) {});
  send_shutdown(filler);
  self->wait_for(filler);
  const actor_environment env{&market, &steady, &names, 1};
  filler = spawn_actor<backfiller_state>(system, {.name = "backfiller/binance"}, env, options);
  // It knows nothing of the hole any more and asks for that alone.
  CAF_REQUIRE(wait_for(R"("missing":0,"requests":1)"));
  CAF_CHECK_EQUAL(requests.load(), first + 1);
  const auto kept = stored();
  CAF_CHECK_EQUAL(kept.at(5).close.raw, 1);
}

CAF_TEST(a venue that never answers well is given up until the next review) {
  options.lookback = 24h;
  options.least_bars = 24;
  std::atomic<int> requests{0};
  start([&](const net::http_request&, net::http_responder responder) {
    ++requests;
    net::http_response out;
    out.status = requests % 2 == 0 ? 500 : 200;
    out.body = R"({"code":-1121,"msg":"Invalid symbol."})";
    responder.respond(std::move(out));
  });
  CAF_REQUIRE(wait_for(R"("given_up":1)"));
  CAF_CHECK_EQUAL(requests.load(), 4);
  CAF_CHECK(stored().empty());
  CAF_CHECK(status().find("Invalid symbol") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
