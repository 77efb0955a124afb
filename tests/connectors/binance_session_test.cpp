#define CAF_SUITE binance_session
#include <caf/test/unit_test.hpp>

#include "actors/connectors/binance/protocol.hpp"
#include "actors/connectors/binance/rate_budget.hpp"
#include "actors/connectors/market_session.hpp"

#include <deque>
#include <random>

using namespace troupe;
using namespace troupe::binance;
using namespace std::chrono_literals;

namespace {

/// The venue's side of the session, in simulated time.
struct simulated_venue final : market_session_port {
  void open(std::uint64_t socket, const std::string& target) override {
    opens.emplace_back(now, socket);
    targets.push_back(target);
  }
  void close(std::uint64_t socket, const std::string& why) override { closes.emplace_back(socket, why); }
  void send(std::uint64_t socket, std::string text) override {
    sent.emplace_back(now, text);
    sent_on.push_back(socket);
  }
  void deliver(const inbound& frame, market_time) override { delivered.emplace_back(frame.text); }
  void changed(session_state state, const std::string& why) override { states.emplace_back(state, why); }

  [[nodiscard]] std::uint64_t newest() const { return opens.back().second; }
  [[nodiscard]] bool closed(std::uint64_t socket) const {
    return std::any_of(closes.begin(), closes.end(), [&](const auto& each) { return each.first == socket; });
  }

  steady_time now{1'000'000'000'000};
  std::vector<std::pair<steady_time, std::uint64_t>> opens;
  std::vector<std::string> targets;
  std::vector<std::pair<std::uint64_t, std::string>> closes;
  std::vector<std::pair<steady_time, std::string>> sent;
  std::vector<std::uint64_t> sent_on;
  std::vector<std::string> delivered;
  std::vector<std::pair<session_state, std::string>> states;
};

std::string depth(std::uint64_t u) {
  return R"({"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":)"
         + std::to_string(u) + R"(,"u":)" + std::to_string(u) + R"(,"b":[],"a":[]}})";
}

std::string trade(std::uint64_t t) {
  return R"({"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":)" + std::to_string(t)
         + R"(,"p":"1","q":"1","T":1,"m":true,"M":true}})";
}

std::string ticker(std::uint64_t u) {
  return R"({"stream":"btcusdt@bookTicker","data":{"u":)" + std::to_string(u)
         + R"(,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}})";
}

std::vector<instrument_spec> instruments(const std::vector<std::string>& symbols) {
  std::vector<instrument_spec> out(symbols.size());
  for (std::size_t i = 0; i < symbols.size(); ++i) out[i].venue_symbol = symbols[i];
  return out;
}

std::vector<market_socket_plan> plans(market_kind kind, const std::vector<std::string>& symbols,
                                      const market_selection& what = {}) {
  return plan_sockets(kind, instruments(symbols), what);
}

market_session_options options() {
  market_session_options out;
  out.plan = plans(market_kind::spot, {"BTCUSDT"}).front();
  out.protocol = [] { return make_protocol(market_kind::spot); };
  out.traits = traits_of(market_kind::spot);
  out.seed = 3;
  return out;
}

/// The same streams, subscribed by message.
market_session_options by_message() {
  auto out = options();
  out.plan.target = "/stream";
  out.plan.subscribed = false;
  return out;
}

struct fixture {
  explicit fixture(market_session_options how = options(), rate_budget_options limits = spot_limits())
      : budget{std::move(limits)}, subject{std::move(how), venue, budget} {
    subject.start(venue.now);
  }
  void advance(nanoseconds by, nanoseconds step = 50ms) {
    const auto until = venue.now + by;
    while (venue.now < until) {
      venue.now = venue.now + std::min(step, until - venue.now);
      subject.tick(venue.now);
    }
  }
  void frame(std::uint64_t socket, const std::string& text) {
    subject.on_frame(socket, text, {venue.now.ns}, venue.now);
  }
  /// Keeps all streams alive for a while.
  void live(nanoseconds by) {
    const auto until = venue.now + by;
    while (venue.now < until) {
      advance(100ms);
      ++sequence;
      for (const auto& text : {depth(sequence), trade(sequence), ticker(sequence)})
        frame(venue.newest(), text);
    }
  }
  void connect() { subject.on_open(venue.newest(), venue.now); }
  void fail(const std::string& why = "refused", unsigned status = 0) {
    subject.on_closed(venue.newest(), why, status, venue.now);
  }

  simulated_venue venue;
  rate_budget budget;
  market_session subject;
  std::uint64_t sequence = 100;
};

std::size_t most_in_window(const std::vector<std::pair<steady_time, std::uint64_t>>& events,
                           nanoseconds window) {
  std::size_t most = 0;
  for (std::size_t i = 0, from = 0; i < events.size(); ++i) {
    while (events[i].first - events[from].first >= window) ++from;
    most = std::max(most, i - from + 1);
  }
  return most;
}

} // namespace

std::vector<std::string> names(const market_socket_plan& plan) {
  std::vector<std::string> out;
  for (const auto& topic : plan.topics) out.push_back(topic.name);
  return out;
}

CAF_TEST(plans follow the routing of the venue) {
  const auto spot = plans(market_kind::spot, {"BTCUSDT", "ETHUSDT"});
  CAF_REQUIRE_EQUAL(spot.size(), 1u);
  CAF_CHECK(spot[0].target.starts_with("/stream?streams=btcusdt@depth@100ms/"));
  CAF_CHECK(spot[0].subscribed);
  CAF_CHECK_EQUAL(spot[0].topics.size(), 6u);
  CAF_CHECK(spot[0].topics[0].symbol == "BTCUSDT" && spot[0].topics[0].kind == topic_kind::book);
  const auto usdm = plans(market_kind::usdm, {"BTCUSDT"}, {.book_channel = "depth@0ms"});
  CAF_REQUIRE_EQUAL(usdm.size(), 2u);
  CAF_CHECK(usdm[0].target == "/public/stream?streams=btcusdt@depth@0ms/btcusdt@bookTicker");
  CAF_CHECK(usdm[1].target == "/market/stream?streams=btcusdt@trade");
  CAF_CHECK((names(usdm[0]) == std::vector<std::string>{"btcusdt@depth@0ms", "btcusdt@bookTicker"}));
  CAF_CHECK((names(usdm[1]) == std::vector<std::string>{"btcusdt@trade"}));
  std::vector<std::string> many;
  for (int i = 0; i < 1000; ++i) many.push_back("S" + std::to_string(i));
  std::size_t total = 0;
  for (const auto& plan : plans(market_kind::spot, many)) {
    CAF_CHECK(plan.topics.size() <= 1024u);
    CAF_CHECK(plan.subscribed == (plan.topics.size() <= 150));
    CAF_CHECK(plan.subscribed || plan.target == "/stream");
    total += plan.topics.size();
  }
  CAF_CHECK_EQUAL(total, 3000u);
}

CAF_TEST(a connection subscribes by its address and delivers) {
  fixture f;
  CAF_REQUIRE_EQUAL(f.venue.opens.size(), 1u);
  CAF_CHECK(f.venue.targets[0] == "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade");
  CAF_CHECK(f.venue.states.back().first == session_state::connecting);
  f.connect();
  CAF_CHECK(f.venue.states.back().first == session_state::connected);
  f.live(5s);
  CAF_CHECK_EQUAL(f.venue.delivered.size(), 150u);
  CAF_CHECK(f.venue.sent.empty());
}

CAF_TEST(many streams are subscribed by message and every message is acknowledged) {
  auto how = options();
  std::vector<std::string> symbols;
  for (int i = 0; i < 100; ++i) symbols.push_back("S" + std::to_string(i));
  how.plan = plans(market_kind::spot, symbols).front();
  how.traits.book_quiet = how.traits.best_quiet = 60s;
  fixture f{how};
  CAF_CHECK(f.venue.targets[0] == "/stream");
  f.connect();
  CAF_CHECK(f.venue.states.back().first == session_state::connecting);
  // 3 messages of 100 streams.
  f.advance(2s);
  for (int round = 0; round < 10; ++round) {
    static_cast<void>(round);
    const auto sent = f.venue.sent.size();
    for (std::size_t i = 0; i < sent; ++i) {
      const auto& text = f.venue.sent[i].second;
      f.frame(f.venue.newest(),
              R"({"result":null,"id":)"
                  + text.substr(text.rfind(':') + 1, text.size() - text.rfind(':') - 2) + "}");
    }
    f.advance(500ms);
  }
  CAF_CHECK_EQUAL(f.venue.sent.size(), 3u);
  CAF_CHECK(f.venue.states.back().first == session_state::connected);
  std::vector<std::pair<steady_time, std::uint64_t>> sends;
  for (const auto& each : f.venue.sent) sends.emplace_back(each.first, 0);
  CAF_CHECK(most_in_window(sends, 1s) <= 5u);
}

CAF_TEST(a refused subscription is tried again and then shown) {
  auto how = by_message();
  how.refusal_tries = 3;
  how.refusal_pause = 1s;
  fixture f{how};
  f.connect();
  CAF_REQUIRE_EQUAL(f.venue.sent.size(), 1u);
  for (int id = 1; id <= 3; ++id) {
    CAF_REQUIRE_EQUAL(f.venue.sent.size(), static_cast<std::size_t>(id));
    f.frame(f.venue.newest(), R"({"error":{"code":2,"msg":"Invalid request"},"id":)" + std::to_string(id) + "}");
    if (id < 3) {
      CAF_CHECK(!f.venue.closed(1));
      CAF_CHECK(f.subject.state() == session_state::connected);
      f.advance(2100ms);
    }
  }
  // Nothing is left on this socket.
  CAF_CHECK(f.venue.closed(1));
  CAF_CHECK(f.venue.states.back().first == session_state::reconnecting);
  CAF_CHECK(f.venue.states.back().second.find("Invalid request") != std::string::npos);
  CAF_CHECK_EQUAL(f.subject.counters().refused_subscriptions, 9u);
  CAF_CHECK_EQUAL(f.subject.refused().size(), 3u);
  f.advance(1s);
  CAF_CHECK_EQUAL(f.venue.opens.size(), 2u);
}

CAF_TEST(an unanswered subscription replaces the socket) {
  fixture f{by_message()};
  f.connect();
  f.advance(5100ms);
  CAF_CHECK(f.venue.closed(1));
  CAF_CHECK(f.venue.states.back().first == session_state::reconnecting);
}

CAF_TEST(a storm of failures opens the breaker and keeps the limit of connections) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto how = options();
    how.seed = seed;
    how.breaker_pause = 5s;
    how.backoff_most = 500ms; // harsher than the default, so that the limit itself is met
    auto limits = spot_limits();
    fixture f{how, limits};
    const auto begin = f.venue.now;
    std::size_t known = 0;
    while (f.venue.now - begin < 20min) {
      if (f.venue.opens.size() > known) {
        known = f.venue.opens.size();
        f.fail();
      }
      f.advance(20ms, 20ms);
    }
    CAF_CHECK(most_in_window(f.venue.opens, 5min) <= 270u); // 300 less the reserve
    CAF_CHECK(f.subject.counters().breaker_opens > 0);
    CAF_CHECK(f.venue.states.back().first == session_state::error);
  }
}

CAF_TEST(the default back-off is gentle and heals) {
  fixture f;
  std::vector<nanoseconds> waits;
  for (int i = 0; i < 7; ++i) {
    const auto at = f.venue.now;
    const auto count = f.venue.opens.size();
    f.fail();
    while (f.venue.opens.size() == count) f.advance(10ms, 10ms);
    waits.push_back(f.venue.now - at);
  }
  CAF_CHECK(waits[0] >= 120ms && waits[0] <= 270ms);
  for (std::size_t i = 0; i < waits.size(); ++i) {
    const auto whole = 250ms * (1 << i);
    CAF_CHECK(waits[i] >= whole / 2 && waits[i] <= whole + 20ms);
  }
  f.connect();
  f.live(2s);
  const auto at = f.venue.now;
  const auto count = f.venue.opens.size();
  f.fail("closed");
  while (f.venue.opens.size() == count) f.advance(10ms, 10ms);
  CAF_CHECK(f.venue.now - at <= 270ms);
}

CAF_TEST(a flood refusal closes the connections for its time) {
  fixture f;
  f.fail("host: HTTP 429", 429);
  f.advance(9s);
  CAF_CHECK_EQUAL(f.venue.opens.size(), 1u);
  f.advance(3s);
  CAF_CHECK_EQUAL(f.venue.opens.size(), 2u);
}

CAF_TEST(rotation overlaps and loses and repeats nothing) {
  auto how = options();
  how.traits.rotation = 60s;
  fixture f{how};
  f.connect();
  f.live(59s);
  CAF_CHECK_EQUAL(f.venue.opens.size(), 1u);
  const auto old = f.venue.newest();
  // From here both sockets carry the same events; the stand-in is half a second behind its opening.
  while (f.venue.opens.size() == 1) {
    f.advance(100ms);
    ++f.sequence;
    for (const auto& text : {depth(f.sequence), trade(f.sequence), ticker(f.sequence)}) f.frame(old, text);
  }
  const auto fresh = f.venue.newest();
  CAF_CHECK(fresh != old);
  f.advance(200ms);
  f.subject.on_open(fresh, f.venue.now);
  CAF_CHECK(!f.venue.closed(old));
  for (int i = 0; i < 10; ++i) {
    f.advance(100ms);
    ++f.sequence;
    // The stand-in hears each event before the old socket does.
    for (const auto& text : {depth(f.sequence), trade(f.sequence), ticker(f.sequence)}) {
      f.frame(fresh, text);
      f.frame(old, text);
    }
  }
  CAF_CHECK(f.venue.closed(old));
  CAF_CHECK_EQUAL(f.subject.counters().rotations, 1u);
  CAF_CHECK_EQUAL(f.subject.counters().breaks, 0u);
  f.live(2s);
  // Each event once and in order, by stream.
  std::map<std::string, std::uint64_t> last;
  for (const auto& text : f.venue.delivered) {
    const auto name = text.substr(11, text.find('"', 11) - 11);
    const auto number = sequence_of(name, text);
    auto& before = last[name];
    CAF_CHECK(before == 0 || number == before + 1);
    before = number;
  }
  CAF_CHECK_EQUAL(last.size(), 3u);
  for (const auto& each : last) {
    CAF_CHECK_EQUAL(each.second, f.sequence);
  }
  CAF_CHECK(f.venue.states.back().first == session_state::connected);
}

CAF_TEST(a stand-in that proves nothing is dropped and the old socket goes on) {
  auto how = options();
  how.traits.rotation = 10s;
  how.overlap_deadline = 5s;
  fixture f{how};
  f.connect();
  const auto old = f.venue.newest();
  const auto begin = f.venue.now;
  while (f.venue.now - begin < 17s) {
    f.advance(100ms);
    ++f.sequence;
    f.frame(old, depth(f.sequence));
    f.frame(old, ticker(f.sequence));
  }
  CAF_CHECK(!f.venue.closed(old));
  CAF_CHECK(f.venue.opens.size() >= 2u);
  CAF_CHECK(f.venue.closed(f.venue.opens[1].second));
  CAF_CHECK(f.venue.states.back().first == session_state::connected);
}

CAF_TEST(a server that goes down is replaced at once) {
  fixture f;
  f.connect();
  f.live(2s);
  const auto old = f.venue.newest();
  f.frame(old, R"({"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}})");
  CAF_REQUIRE_EQUAL(f.venue.opens.size(), 2u);
  CAF_CHECK_EQUAL(f.subject.counters().shutdowns, 1u);
  // It goes down before the stand-in is ready: an ordinary break.
  f.subject.on_closed(old, "gone", 0, f.venue.now);
  CAF_CHECK(f.venue.states.back().first == session_state::reconnecting);
  f.advance(1s);
  CAF_CHECK_EQUAL(f.venue.opens.size(), 3u);
}

CAF_TEST(a silent stream is subscribed again and then the socket is replaced) {
  fixture f;
  f.connect();
  const auto socket = f.venue.newest();
  f.live(2s);
  // Depth falls silent while the rest goes on.
  const auto silent_from = f.venue.now;
  const auto others = [&](nanoseconds by) {
    const auto until = f.venue.now + by;
    while (f.venue.now < until) {
      f.advance(100ms);
      ++f.sequence;
      f.frame(f.venue.newest(), trade(f.sequence));
      f.frame(f.venue.newest(), ticker(f.sequence));
    }
  };
  others(5100ms);
  CAF_REQUIRE_EQUAL(f.venue.sent.size(), 2u);
  CAF_CHECK(f.venue.sent[0].second.find("UNSUBSCRIBE") != std::string::npos);
  CAF_CHECK(f.venue.sent[1].second.find("\"SUBSCRIBE\"") != std::string::npos);
  CAF_CHECK(f.venue.sent[1].second.find("btcusdt@depth@100ms") != std::string::npos);
  CAF_CHECK(f.venue.sent[1].second.find("trade") == std::string::npos);
  CAF_CHECK(f.venue.sent[0].first - silent_from <= 5200ms);
  for (const char* id : {"1", "2"}) f.frame(socket, std::string{R"({"result":null,"id":)"} + id + "}");
  CAF_CHECK(!f.venue.closed(socket));
  others(5200ms);
  CAF_CHECK(f.venue.closed(socket));
  CAF_CHECK(f.venue.states.back().first == session_state::reconnecting);
  CAF_CHECK_EQUAL(f.subject.counters().resubscriptions, 1u);
}

CAF_TEST(a stream that comes back after being subscribed again keeps the socket) {
  fixture f;
  f.connect();
  f.live(2s);
  f.advance(5100ms);
  for (const char* id : {"1", "2"})
    f.frame(f.venue.newest(), std::string{R"({"result":null,"id":)"} + id + "}");
  f.live(20s);
  CAF_CHECK_EQUAL(f.venue.opens.size(), 1u);
  CAF_CHECK(f.venue.states.back().first == session_state::connected);
}

CAF_TEST(pings count against our messages) {
  auto how = by_message();
  // One stream a message.
  std::vector<std::string> symbols;
  for (int i = 0; i < 100; ++i) symbols.push_back("S" + std::to_string(i));
  how.plan.topics = plans(market_kind::spot, symbols).front().topics;
  fixture f{how};
  for (int i = 0; i < 3; ++i) f.subject.on_ping(f.venue.newest(), f.venue.now);
  f.connect();
  CAF_CHECK_EQUAL(f.venue.sent.size(), 1u);
  f.advance(1100ms);
  CAF_CHECK_EQUAL(f.venue.sent.size(), 3u);
}

CAF_TEST(whatever happens the session stays within its limits and comes back) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 30; ++round) {
    auto how = options();
    how.seed = random();
    how.traits.rotation = 30s;
    how.overlap_deadline = 3s;
    how.breaker_pause = 3s;
    how.backoff_most = 2s;
    fixture f{how};
    std::vector<std::uint64_t> sockets;
    for (int step = 0; step < 6000; ++step) {
      f.advance(std::chrono::milliseconds{1 + random() % 100}, 50ms);
      const auto newest = f.venue.newest();
      const auto any = 1 + random() % newest;
      ++f.sequence;
      switch (random() % 12) {
      case 0: f.subject.on_open(newest, f.venue.now); break;
      case 1: if (random() % 20 == 0) f.subject.on_closed(any, "closed", 0, f.venue.now); break;
      case 2: f.frame(any, R"({"result":null,"id":)" + std::to_string(random() % 40) + "}"); break;
      case 3: if (random() % 40 == 0) f.frame(any, R"({"error":{"code":1},"id":3})"); break;
      case 4: f.frame(any, "not JSON at all"); break;
      case 5: if (random() % 100 == 0) f.frame(any, R"({"e":"serverShutdown","E":1})"); break;
      case 6: f.subject.on_ping(any, f.venue.now); break;
      default:
        for (const auto& text : {depth(f.sequence), trade(f.sequence), ticker(f.sequence)})
          f.frame(any, text);
      }
    }
    CAF_REQUIRE(most_in_window(f.venue.opens, 5min) <= 270u);
    std::map<std::uint64_t, std::vector<std::pair<steady_time, std::uint64_t>>> sends;
    for (std::size_t i = 0; i < f.venue.sent.size(); ++i)
      sends[f.venue.sent_on[i]].emplace_back(f.venue.sent[i].first, 0);
    for (const auto& each : sends) {
      CAF_REQUIRE(most_in_window(each.second, 1s) <= 5u);
    }
    // Left in peace it is connected again.
    const auto begin = f.venue.now;
    std::uint64_t opened = 0;
    while (f.venue.now - begin < 60s) {
      f.advance(100ms);
      if (f.venue.newest() != opened) {
        opened = f.venue.newest();
        f.connect();
      }
      ++f.sequence;
      for (std::uint64_t socket = opened > 3 ? opened - 3 : 1; socket <= opened; ++socket)
        for (const auto& text : {depth(f.sequence), trade(f.sequence), ticker(f.sequence)})
          f.frame(socket, text);
    }
    CAF_REQUIRE(f.subject.state() == session_state::connected);
  }
}
