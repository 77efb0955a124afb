#define CAF_SUITE connector_actor
#include <caf/test/unit_test.hpp>

#include "actors/connectors/binance/description.hpp"
#include "actors/connectors/venue_connector_actor.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/net/http_server.hpp"

#include <caf/all.hpp>

#include <condition_variable>
#include <mutex>
#include <unistd.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

std::int64_t ticks() noexcept {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
struct running_market final : market_clock {
  [[nodiscard]] market_time now() const noexcept override { return {1'700'000'000'000'000'000 + ticks()}; }
};
struct running_steady final : troupe::steady_clock {
  [[nodiscard]] steady_time now() const noexcept override { return {ticks()}; }
};

/// What the feed got, seen from the test's thread.
struct feed_log {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<raw_frame> frames;
  std::vector<std::uint64_t> frame_sessions;
  std::vector<session_event> events;
  std::vector<book_image> images;
  std::atomic<std::int64_t> slow_ns{0};

  template <class Condition>
  bool wait(Condition condition, std::chrono::seconds limit = 8s) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, limit, [&] { return condition(*this); });
  }
};

struct listening_feed {
  using handle_type = feed_actor;
  using self_pointer = actor_pointer<feed_actor>;
  static inline const char* name = "feed";

  listening_feed(self_pointer self, feed_log* log) : self_{self}, log_{log} {}

  feed_actor::behavior_type make_behavior() {
    return {
        [this](const status_request&) { return status_report{"feed", "{}"}; },
        [this](const frame_batch& batch) {
          // A reader that needs its time; busy, because a handler may not sleep.
          const auto until = ticks() + log_->slow_ns;
          while (ticks() < until) continue;
          const std::lock_guard lock{log_->mutex};
          for (const auto& frame : batch.frames) {
            log_->frames.push_back(frame);
            log_->frame_sessions.push_back(batch.session);
          }
          log_->changed.notify_all();
        },
        [this](const book_image& image) {
          const std::lock_guard lock{log_->mutex};
          log_->images.push_back(image);
          log_->changed.notify_all();
        },
        [this](const session_event& event) {
          const std::lock_guard lock{log_->mutex};
          log_->events.push_back(event);
          log_->changed.notify_all();
        },
        [](const caf::strong_actor_ptr&, const std::string&) { return acknowledged{}; },
        [](const acknowledged&) {},
        [](const past_trades&) {},
    };
  }

  self_pointer self_;
  feed_log* log_;
};

struct config : caf::actor_system_config {
  config() {
    register_message_types(*this);
    set("scheduler.max-threads", 2u);
  }
};

std::string depth(std::uint64_t u) {
  return R"({"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":)"
         + std::to_string(u) + R"(,"u":)" + std::to_string(u) + R"(,"b":[],"a":[]}})";
}

constexpr const char* exchange_info = R"({"symbols":[{"symbol":"BTCUSDT","status":"TRADING",
  "baseAsset":"BTC","quoteAsset":"USDT","filters":[
  {"filterType":"PRICE_FILTER","minPrice":"0.10000000","maxPrice":"1000000","tickSize":"0.10000000"},
  {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000","stepSize":"0.00001000"},
  {"filterType":"NOTIONAL","minNotional":"5.00000000"}]}]})";

struct fixture {
  fixture() {
    char pattern[] = "/tmp/troupe_connector_XXXXXX";
    directory_path = ::mkdtemp(pattern);
    auto files = net::make_self_signed(directory_path, {"localhost"});
    CAF_REQUIRE(files.has_value());
    net::http_server_options how;
    how.tls = true;
    how.clock = &market;
    how.certificate = *net::tls_context::server(files->certificate, files->key);
    auto started = net::http_server::start(
        io, how,
        [this](const net::http_request& request, net::http_responder responder) {
          answer(request, responder);
        },
        [this](const net::http_request& request, net::ws_session session) {
          const std::lock_guard lock{mutex};
          targets.push_back(request.target);
          sockets.push_back(session);
          changed.notify_all();
          return net::upgrade_answer{};
        });
    CAF_REQUIRE(started.has_value());
    server = std::move(*started);
    options.venue = &binance::description();
    options.instruments.resize(1);
    options.instruments[0].id.text = "BTC-USDT@binance";
    options.instruments[0].venue_symbol = "BTCUSDT";
    options.instruments[0].price_scale = 2;
    options.instruments[0].size_scale = 8;
    options.instruments[0].tick = {1};
    options.instruments[0].lot = {1000};
    options.rules_first = 1h; // images are counted
    options.rest = {true, "localhost", server->port(), ""};
    options.sockets = options.rest;
    options.authority = files->authority;
    environment = {&market, &steady, &names, 11};
  }
  ~fixture() {
    if (connector) send_shutdown(connector);
    if (feed) send_shutdown(feed);
    names.clear();
    connector = nullptr;
    feed = nullptr;
    system.await_all_actors_done();
    {
      const std::lock_guard lock{mutex};
      sockets.clear();
    }
    server.reset();
    io.stop();
    std::filesystem::remove_all(directory_path);
  }
  void answer(const net::http_request& request, const net::http_responder& responder) {
    const std::lock_guard lock{mutex};
    requests.push_back(request.target);
    net::http_response response;
    if (images_to_fail > 0) {
      --images_to_fail;
      response.status = 503;
    } else if (request.target == "/api/v3/exchangeInfo") response.body = exchange_info;
    else response.body = R"({"lastUpdateId":5,"bids":[],"asks":[]})";
    changed.notify_all();
    responder.respond(std::move(response));
  }
  void start_feed() {
    feed = spawn_actor<listening_feed>(system, {.name = "feed/BTC-USDT@binance"}, &log);
    names.put("feed/BTC-USDT@binance",
              {caf::actor_cast<caf::strong_actor_ptr>(feed), {}, names.next_incarnation()});
  }
  void start() {
    start_feed();
    connector = spawn_actor<venue_connector_state>(system, {.name = "connector/binance"},
                                                     environment, options);
    CAF_REQUIRE(wait_sockets(1));
  }
  bool wait_sockets(std::size_t count) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, 8s, [&] { return sockets.size() >= count; });
  }
  net::ws_session socket(std::size_t index) {
    const std::lock_guard lock{mutex};
    return sockets[index];
  }
  static bool connected(const feed_log& seen) {
    return !seen.events.empty() && seen.events.back().state == session_state::connected;
  }
  std::string status() {
    caf::scoped_actor self{system};
    std::string out;
    self->request(connector, 5s, status_request{})
        .receive([&](const status_report& report) { out = report.json; }, [](const caf::error&) {});
    return out;
  }

  std::filesystem::path directory_path;
  running_market market;
  running_steady steady;
  directory names;
  feed_log log;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> targets, requests;
  std::vector<net::ws_session> sockets;
  int images_to_fail = 0;
  net::io_runner io;
  std::unique_ptr<net::http_server> server;
  venue_connector_options options;
  actor_environment environment;
  config settings;
  caf::actor_system system{settings};
  feed_actor feed;
  connector_actor connector;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(connector_tests, fixture)

CAF_TEST(frames reach the feed in order with the number of their session) {
  start();
  CAF_REQUIRE(log.wait(connected));
  CAF_CHECK(targets[0] == "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade");
  const auto session = socket(0);
  for (std::uint64_t u = 1; u <= 5000; ++u) CAF_REQUIRE(session.send(depth(u)));
  CAF_REQUIRE(log.wait([](const feed_log& seen) { return seen.frames.size() == 5000; }));
  bool ordered = true;
  market_time last;
  for (std::size_t i = 0; i < log.frames.size(); ++i) {
    ordered = ordered && log.frames[i].payload == depth(i + 1) && log.frames[i].received >= last;
    ordered = ordered && log.frame_sessions[i] == log.events.back().session;
    last = log.frames[i].received;
  }
  CAF_CHECK(ordered);
  CAF_CHECK(status().find("\"undelivered_frames\":0") != std::string::npos);
}

CAF_TEST(an image is fetched and a failing venue is asked again) {
  images_to_fail = 2;
  start();
  CAF_REQUIRE(log.wait(connected));
  tell_anonymously(connector, image_request{{"BTC-USDT@binance"}, log.events.back().session});
  CAF_REQUIRE(log.wait([](const feed_log& seen) { return !seen.images.empty(); }));
  CAF_CHECK(log.images[0].reply.payload.find("lastUpdateId") != std::string::npos);
  CAF_CHECK_EQUAL(log.images[0].session, log.events.back().session);
  const std::lock_guard lock{mutex};
  CAF_REQUIRE_EQUAL(requests.size(), 3u);
  CAF_CHECK(requests[0] == "/api/v3/depth?symbol=BTCUSDT&limit=5000");
}

CAF_TEST(a broken socket is told and replaced under a new number) {
  start();
  CAF_REQUIRE(log.wait(connected));
  const auto first = log.events.back().session;
  socket(0).reset();
  CAF_REQUIRE(wait_sockets(2));
  CAF_REQUIRE(log.wait(
      [&](const feed_log& seen) { return connected(seen) && seen.events.back().session > first; }));
  const std::lock_guard lock{log.mutex};
  const bool told = std::any_of(log.events.begin(), log.events.end(),
                                [](const auto& event) { return event.state == session_state::reconnecting; });
  CAF_CHECK(told);
}

CAF_TEST(a connector started again uses higher numbers) {
  start();
  CAF_REQUIRE(log.wait(connected));
  const auto first = log.events.back().session;
  send_kill(connector);
  connector = spawn_actor<venue_connector_state>(system, {.name = "connector/binance"},
                                                   environment, options);
  CAF_REQUIRE(log.wait(
      [&](const feed_log& seen) { return connected(seen) && seen.events.back().session > first; }));
}

CAF_TEST(a feed started again is told of the session) {
  start();
  CAF_REQUIRE(log.wait(connected));
  const auto session = log.events.back().session;
  send_kill(feed);
  {
    const std::lock_guard lock{log.mutex};
    log.events.clear();
  }
  start_feed();
  CAF_REQUIRE(log.wait(connected));
  CAF_CHECK_EQUAL(log.events.back().session, session);
}

CAF_TEST(a slow feed pauses the sockets and nothing is lost) {
  options.most_frames_in_flight = 200;
  options.frames_per_batch = 16;
  log.slow_ns = 2'000'000;
  start();
  CAF_REQUIRE(log.wait(connected));
  const auto session = socket(0);
  const std::string padding(2000, ' ');
  for (std::uint64_t u = 1; u <= 1500; ++u) CAF_REQUIRE(session.send(depth(u) + padding));
  bool paused = false;
  CAF_REQUIRE(log.wait([&](const feed_log& seen) {
    static_cast<void>(seen);
    return seen.frames.size() >= 300;
  }));
  for (int i = 0; i < 50 && !paused; ++i) paused = status().find("\"pauses\":0") == std::string::npos;
  log.slow_ns = 0;
  CAF_REQUIRE(log.wait([](const feed_log& seen) { return seen.frames.size() == 1500; }, 20s));
  bool ordered = true;
  for (std::size_t i = 0; i < log.frames.size(); ++i)
    ordered = ordered && log.frames[i].payload == depth(i + 1) + padding;
  CAF_CHECK(ordered);
  CAF_CHECK(paused);
}

CAF_TEST(the recorder hears every frame and image) {
  std::atomic<int> recorded{0};
  options.recorder = [&](const instrument_id& id, const raw_frame& frame) {
    if (id.text == "BTC-USDT@binance" && !frame.payload.empty()) ++recorded;
  };
  start();
  CAF_REQUIRE(log.wait(connected));
  for (std::uint64_t u = 1; u <= 10; ++u) CAF_CHECK(socket(0).send(depth(u)));
  tell_anonymously(connector, image_request{{"BTC-USDT@binance"}, 0});
  CAF_REQUIRE(log.wait(
      [](const feed_log& seen) { return seen.frames.size() == 10 && seen.images.size() == 1; }));
  CAF_CHECK_EQUAL(recorded.load(), 11);
}

CAF_TEST(the rules of the instruments are fetched and shown) {
  options.rules_first = 10ms;
  options.rules_retry = 50ms;
  images_to_fail = 1;
  std::mutex guard;
  std::vector<instrument_rules> heard;
  options.on_rules = [&](const instrument_rules& rules) {
    const std::lock_guard lock{guard};
    heard.push_back(rules);
  };
  start();
  CAF_CHECK(status().find(R"("rules":"configured")") != std::string::npos);
  const auto shown = [&] { return status().find(R"("rules":"venue")") != std::string::npos; };
  for (int i = 0; i < 5000 && !shown(); ++i) continue;
  const auto text = status();
  for (const char* part : {R"("tick":"0.01")", R"("venue_tick":"0.1")", R"("venue_lot":"0.00001")",
                           R"("rules_differ":true)", R"("rules_failures":1)"})
    CAF_CHECK(text.find(part) != std::string::npos);
  const std::lock_guard lock{guard};
  CAF_REQUIRE_EQUAL(heard.size(), 1u);
  CAF_REQUIRE_EQUAL(heard[0].instruments.size(), 1u);
  CAF_CHECK(heard[0].instruments[0].id.text == "BTC-USDT@binance" && heard[0].venue.text == "binance");
}

CAF_TEST_FIXTURE_SCOPE_END()
