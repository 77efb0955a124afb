#define CAF_SUITE binance_gateway
#include <caf/test/unit_test.hpp>

#include "actors/connectors/binance/spot_gateway.hpp"
#include "actors/executors/binance_gateway_actor.hpp"
#include "runtime/net/http_server.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <queue>
#include <unistd.h>

using namespace troupe;
using namespace troupe::binance;
using namespace std::chrono_literals;

namespace {

instrument_spec btc() {
  instrument_spec spec;
  spec.id = {"BTC-USDT@binance"};
  spec.venue_symbol = "BTCUSDT";
  spec.price_scale = 2;
  spec.size_scale = 5;
  spec.tick = {1};
  spec.lot = {1};
  return spec;
}

intent buy(const std::string& client_id) {
  intent order;
  order.account = {"main@binance"};
  order.instrument = btc().id;
  order.limit = {6000000};
  order.quantity = {100};
  order.client_id = client_id;
  return order;
}

spot_gateway_options options() {
  spot_gateway_options out;
  out.account = {"main@binance"};
  out.instruments = {btc()};
  out.seed = 7;
  return out;
}

api_keys keys() { return {secret{"canary-key-0001"}, secret{"canary-secret-0001"}}; }

std::string order_answer(const std::string& client_id, const char* state = "NEW",
                         const char* filled = "0.00000") {
  return R"({"symbol":"BTCUSDT","orderId":11,"clientOrderId":")" + client_id
         + R"(","transactTime":1700000000000,)"
           R"("executedQty":")"
         + filled + R"(","status":")" + state + R"(","side":"BUY","fills":[]})";
}

/// Time and network in the test's hands.
struct scripted_transport final : gateway_transport {
  struct exchange {
    std::string method, target;
    nanoseconds deadline;
    bool urgent;
    std::function<void(transport_reply)> done;
  };
  struct timer {
    steady_time due;
    std::uint64_t order;
    std::function<void()> job;
    bool operator>(const timer& other) const {
      return std::tie(due.ns, order) > std::tie(other.due.ns, other.order);
    }
  };

  void http(const std::string& method, const std::string& target, nanoseconds deadline, bool urgent,
            std::function<void(transport_reply)> done) override {
    exchanges.push_back({method, target, deadline, urgent, std::move(done)});
  }
  void open_socket(std::uint64_t number) override { opened.push_back(number); }
  void close_socket(std::uint64_t number) override { closed.push_back(number); }
  bool send(std::uint64_t, std::string text) override {
    sent.push_back(std::move(text));
    return true;
  }
  void after(nanoseconds delay, std::function<void()> job) override {
    timers.push({now + delay, next++, std::move(job)});
  }
  market_time market_now() const override { return {1'700'000'000'000'000'000 + now.ns * rate}; }
  steady_time steady_now() const override { return now; }

  void advance(nanoseconds by) {
    const auto until = now + by;
    while (!timers.empty() && timers.top().due <= until) {
      auto next_timer = timers.top();
      timers.pop();
      now = next_timer.due;
      next_timer.job();
    }
    now = until;
  }
  /// Answers the oldest open exchange whose target starts with `path`.
  bool answer(const std::string& path, unsigned status, const std::string& body) {
    return reply(path, {.sent = true,
                        .status = status,
                        .body = body,
                        .error = {},
                        .retry_after = {},
                        .used_weight = 0});
  }
  bool reply(const std::string& path, transport_reply with) {
    for (auto& each : exchanges) {
      if (!each.done || !each.target.starts_with(path)) continue;
      auto done = std::exchange(each.done, nullptr);
      done(std::move(with));
      return true;
    }
    return false;
  }
  const exchange* last(const std::string& path) const {
    for (auto it = exchanges.rbegin(); it != exchanges.rend(); ++it)
      if (it->target.starts_with(path)) return &*it;
    return nullptr;
  }
  std::size_t count(const std::string& path) const {
    return static_cast<std::size_t>(std::count_if(exchanges.begin(), exchanges.end(),
                                                  [&](const auto& x) { return x.target.starts_with(path); }));
  }

  std::deque<exchange> exchanges;
  std::vector<std::uint64_t> opened, closed;
  std::vector<std::string> sent;
  std::priority_queue<timer, std::vector<timer>, std::greater<>> timers;
  steady_time now{1'000'000'000};
  std::uint64_t next = 0;
  std::int64_t rate = 1;
};

struct recorder : gateway_events {
  void on_outcome(const command_outcome& outcome) override { outcomes.push_back(outcome); }
  void on_open_orders(const open_orders_outcome& outcome) override { orders.push_back(outcome); }
  void on_trades(const trades_outcome& outcome) override { trades.push_back(outcome); }
  void on_account(const account_outcome& outcome) override { accounts.push_back(outcome); }
  void on_rules(const rules_outcome& outcome) override { specs.push_back(outcome); }
  void on_report(const order_report& report) override { reports.push_back(report); }
  void on_balances(const std::vector<asset_balance>& changed, market_time) override {
    balances.push_back(changed);
  }
  void on_session(const session_event& event) override { sessions.push_back(event); }

  std::vector<command_outcome> outcomes;
  std::vector<open_orders_outcome> orders;
  std::vector<trades_outcome> trades;
  std::vector<account_outcome> accounts;
  std::vector<rules_outcome> specs;
  std::vector<order_report> reports;
  std::vector<std::vector<asset_balance>> balances;
  std::vector<session_event> sessions;
};

struct core_fixture {
  explicit core_fixture() : gateway{options(), keys(), transport} {
    gateway.start(events);
    transport.answer("/api/v3/time", 200, R"({"serverTime":1700000001000})");
  }
  void subscribe() {
    gateway.on_socket_open(transport.opened.back());
    const auto id = transport.sent.back().substr(7, transport.sent.back().find('"', 7) - 7);
    gateway.on_socket_frame(transport.opened.back(),
                            R"({"id":")" + id + R"(","status":200,"result":{"subscriptionId":0}})");
  }
  scripted_transport transport;
  recorder events;
  spot_gateway gateway;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_core_tests, core_fixture)

CAF_TEST(a place is confirmed by a readable answer about the same order) {
  gateway.place(1, buy("a-1"));
  const auto* sent = transport.last("/api/v3/order");
  CAF_REQUIRE(sent != nullptr);
  CAF_CHECK(sent->method == "POST");
  CAF_CHECK(sent->target.find("newClientOrderId=a-1") != std::string::npos);
  CAF_CHECK(sent->target.find("&signature=") != std::string::npos);
  CAF_CHECK(sent->target.find("canary") == std::string::npos);
  transport.answer("/api/v3/order", 200, order_answer("a-1"));
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 1u);
  CAF_CHECK(events.outcomes[0].kind == command_result::confirmed);
  CAF_CHECK(events.outcomes[0].report.state == order_state::acknowledged);
  CAF_CHECK(events.outcomes[0].report.venue_order_id == "11");
  // An answer about another order proves nothing.
  gateway.place(2, buy("a-2"));
  transport.answer("/api/v3/order", 200, order_answer("a-1"));
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 2u);
  CAF_CHECK(events.outcomes[1].kind == command_result::unknown);
  CAF_CHECK(events.outcomes[1].report.client_id == "a-2");
}

CAF_TEST(silence and broken connections are unknown and are never sent again) {
  gateway.place(1, buy("a-1"));
  transport.reply("/api/v3/order", {.sent = true,
                                    .status = 0,
                                    .body = {},
                                    .error = "broke",
                                    .retry_after = {},
                                    .used_weight = 0});
  gateway.place(2, buy("a-2"));
  transport.reply("/api/v3/order", {.sent = false,
                                    .status = 0,
                                    .body = {},
                                    .error = "no connection",
                                    .retry_after = {},
                                    .used_weight = 0});
  gateway.place(3, buy("a-3"));
  transport.answer("/api/v3/order", 200, "{\"symbol\":");
  gateway.place(4, buy("a-4"));
  transport.answer("/api/v3/order", 502, "<html>bad gateway</html>");
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 4u);
  CAF_CHECK(events.outcomes[0].kind == command_result::unknown);
  CAF_CHECK(events.outcomes[1].kind == command_result::denied);
  CAF_CHECK(events.outcomes[1].report.state == order_state::denied);
  CAF_CHECK(events.outcomes[2].kind == command_result::unknown);
  CAF_CHECK(events.outcomes[3].kind == command_result::unknown);
  transport.advance(60s);
  CAF_CHECK_EQUAL(transport.count("/api/v3/order"), 4u);
}

CAF_TEST(a clock refusal is healed by one resync and one retry with the same client id) {
  transport.now = {50'000'000'000};
  gateway.place(1, buy("a-1"));
  transport.answer("/api/v3/order", 400, R"({"code":-1021,"msg":"Timestamp for this request is outside"})");
  CAF_CHECK(events.outcomes.empty());
  const auto before = gateway.clock_offset();
  // The venue is an hour ahead.
  const auto ahead = transport.market_now().ns / 1'000'000 + 3'600'000;
  transport.answer("/api/v3/time", 200, R"({"serverTime":)" + std::to_string(ahead) + "}");
  CAF_CHECK(gateway.clock_offset() != before);
  CAF_REQUIRE_EQUAL(transport.count("/api/v3/order"), 2u);
  const auto* again = transport.last("/api/v3/order");
  CAF_CHECK(again->target.find("newClientOrderId=a-1") != std::string::npos);
  CAF_CHECK(again->target.find("timestamp=" + std::to_string(ahead)) != std::string::npos);
  transport.answer("/api/v3/order", 400, R"({"code":-1021,"msg":"Timestamp for this request is outside"})");
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 1u);
  CAF_CHECK(events.outcomes[0].kind == command_result::rejected);
  CAF_CHECK(events.outcomes[0].why == refusal::clock);
  CAF_CHECK_EQUAL(transport.count("/api/v3/order"), 2u);
}

CAF_TEST(queries tell found from absent from unanswered) {
  gateway.query(1, btc().id, "a-1");
  transport.answer("/api/v3/order", 200, order_answer("a-1", "PARTIALLY_FILLED", "0.00040"));
  gateway.query(2, btc().id, "a-2");
  transport.answer("/api/v3/order", 400, R"({"code":-2013,"msg":"Order does not exist."})");
  gateway.query(3, btc().id, "a-3");
  transport.answer("/api/v3/order", 400, R"({"code":-1007,"msg":"Timeout"})");
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 3u);
  CAF_CHECK(events.outcomes[0].kind == command_result::confirmed
            && events.outcomes[0].report.filled.raw == 40);
  CAF_CHECK(events.outcomes[1].kind == command_result::absent && events.outcomes[1].report.at.ns > 0);
  CAF_CHECK(events.outcomes[1].report.client_id == "a-2");
  CAF_CHECK(events.outcomes[2].kind == command_result::unknown);
}

CAF_TEST(cancels are urgent and a gone order is not a cancelled one) {
  gateway.cancel(1, btc().id, "a-1");
  const auto* sent = transport.last("/api/v3/order");
  CAF_REQUIRE(sent != nullptr);
  CAF_CHECK(sent->method == "DELETE" && sent->urgent);
  CAF_CHECK(sent->target.find("origClientOrderId=a-1") != std::string::npos);
  transport.answer("/api/v3/order", 400, R"({"code":-2011,"msg":"Unknown order sent."})");
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 1u);
  CAF_CHECK(events.outcomes[0].kind == command_result::rejected && events.outcomes[0].why == refusal::gone);
}

CAF_TEST(a refused rate closes the budget and orders are denied until then) {
  gateway.place(1, buy("a-1"));
  transport.reply("/api/v3/order", {.sent = true,
                                    .status = 429,
                                    .body = R"({"code":-1003,"msg":"Too many requests"})",
                                    .error = {},
                                    .retry_after = 5s,
                                    .used_weight = 0});
  CAF_CHECK(events.outcomes[0].kind == command_result::rejected && events.outcomes[0].retry_after == 5s);
  gateway.place(2, buy("a-2"));
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 2u);
  CAF_CHECK(events.outcomes[1].kind == command_result::denied && events.outcomes[1].why == refusal::rate);
  CAF_CHECK(events.outcomes[1].retry_after > 0s && events.outcomes[1].retry_after <= 5s);
  CAF_CHECK_EQUAL(transport.count("/api/v3/order"), 1u);
  transport.advance(5s);
  gateway.place(3, buy("a-3"));
  CAF_CHECK_EQUAL(transport.count("/api/v3/order"), 2u);
}

CAF_TEST(the order count of ten seconds is kept) {
  for (command_id i = 1; i <= 60; ++i) gateway.place(i, buy("a-" + std::to_string(i)));
  CAF_CHECK_EQUAL(transport.count("/api/v3/order"), 45u); // 50 less the reserved tenth
  CAF_CHECK_EQUAL(events.outcomes.size(), 15u);
  gateway.cancel(100, btc().id, "a-1");
  CAF_CHECK_EQUAL(transport.count("/api/v3/order"), 46u);
}

CAF_TEST(what cannot be written down is denied unsent) {
  auto order = buy("a-1");
  order.quantity = {0};
  gateway.place(1, order);
  order = buy("a-2");
  order.instrument = {"ETH-USDT@binance"};
  gateway.place(2, order);
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 2u);
  for (const auto& outcome : events.outcomes) {
    CAF_CHECK(outcome.kind == command_result::denied);
  }
  CAF_CHECK_EQUAL(transport.count("/api/v3/order"), 0u);
}

CAF_TEST(the user stream subscribes and delivers reports and balances) {
  CAF_REQUIRE_EQUAL(transport.opened.size(), 1u);
  CAF_CHECK(events.sessions.back().state == session_state::connecting);
  subscribe();
  CAF_CHECK(events.sessions.back().state == session_state::connected);
  CAF_CHECK(transport.sent.back().find("userDataStream.subscribe.signature") != std::string::npos);
  CAF_CHECK(transport.sent.back().find("canary-secret") == std::string::npos);
  gateway.on_socket_frame(
      transport.opened.back(),
      R"({"subscriptionId":0,"event":{"e":"executionReport","s":"BTCUSDT","c":"a-1",
      "S":"BUY","C":"","x":"TRADE",
      "X":"FILLED","r":"NONE","i":11,"l":"0.00100","z":"0.00100","L":"60000.00","n":"0.06","N":"USDT",
      "T":1700000000000,"t":5,"m":true}})");
  gateway.on_socket_frame(
      transport.opened.back(),
      R"({"subscriptionId":0,"event":{"e":"outboundAccountPosition","E":1,"u":2,)"
      R"("B":[{"a":"BTC","f":"1.0","l":"0"}]}})");
  CAF_REQUIRE_EQUAL(events.reports.size(), 1u);
  CAF_CHECK(events.reports[0].fills.size() == 1 && events.reports[0].fills[0].fee_raw == 6000000);
  CAF_REQUIRE_EQUAL(events.balances.size(), 1u);
  CAF_CHECK(events.balances[0][0].free_raw == 100000000);
}

CAF_TEST(a silent user stream is noticed by its unanswered ping) {
  subscribe();
  const auto before = transport.opened.size();
  transport.advance(3s);
  CAF_CHECK(transport.sent.back().find("\"ping\"") != std::string::npos);
  transport.advance(4900ms);
  CAF_CHECK(events.sessions.back().state == session_state::connected);
  transport.advance(200ms);
  CAF_CHECK(events.sessions.back().state == session_state::reconnecting);
  transport.advance(10s);
  CAF_CHECK_EQUAL(transport.opened.size(), before + 1);
  CAF_CHECK(events.sessions.back().session > events.sessions.front().session);
}

CAF_TEST(an answered ping keeps the stream) {
  subscribe();
  for (int i = 0; i < 40; ++i) {
    transport.advance(1500ms);
    gateway.on_socket_frame(transport.opened.back(), R"({"id":"p1","status":200,"result":{}})");
  }
  CAF_CHECK(events.sessions.back().state == session_state::connected);
  CAF_CHECK_EQUAL(transport.opened.size(), 1u);
}

CAF_TEST(an unreadable or terminated stream is reopened) {
  subscribe();
  gateway.on_socket_frame(transport.opened.back(),
                          R"({"subscriptionId":0,"event":{"e":"executionReport","s":"BTCUSDT"}})");
  CAF_CHECK(events.sessions.back().state == session_state::reconnecting);
  transport.advance(1s);
  CAF_REQUIRE_EQUAL(transport.opened.size(), 2u);
  subscribe();
  gateway.on_socket_frame(transport.opened.back(),
                          R"({"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1}})");
  CAF_CHECK(events.sessions.back().state == session_state::reconnecting);
  // What an old socket still says is not heard.
  gateway.on_socket_closed(transport.opened.front(), "late");
  transport.advance(2s);
  CAF_CHECK_EQUAL(transport.opened.size(), 3u);
}

CAF_TEST(reconnecting backs off and stays within the limit of connections) {
  const auto start = transport.now;
  std::size_t seen = transport.opened.size();
  std::vector<steady_time> opens{transport.now};
  gateway.on_socket_closed(transport.opened.back(), "refused");
  while (transport.now - start < 600s) {
    transport.advance(50ms);
    if (transport.opened.size() == seen) continue;
    opens.push_back(transport.now);
    seen = transport.opened.size();
    gateway.on_socket_closed(transport.opened.back(), "refused");
  }
  CAF_CHECK(opens.size() >= 50u);
  CAF_CHECK(opens.size() <= 140u); // 10 s at most between attempts, 5 s at least once backed off
  for (std::size_t i = 10; i + 1 < opens.size(); ++i) {
    CAF_CHECK(opens[i + 1] - opens[i] >= 4900ms);
  }
}

CAF_TEST(a refused subscription is an error and is tried again later) {
  gateway.on_socket_open(transport.opened.back());
  const auto id = transport.sent.back().substr(7, transport.sent.back().find('"', 7) - 7);
  gateway.on_socket_frame(
      transport.opened.back(),
      R"({"id":")" + id + R"(","status":401,"error":{"code":-2015,"msg":"Invalid API-key"}})");
  bool error_seen = false;
  for (const auto& event : events.sessions) error_seen |= event.state == session_state::error;
  CAF_CHECK(error_seen);
  transport.advance(5s);
  CAF_CHECK_EQUAL(transport.opened.size(), 2u);
}

CAF_TEST(lists are read page by page) {
  gateway.trades_since(1, btc().id, "77");
  CAF_CHECK(transport.last("/api/v3/myTrades")->target.find("fromId=77") != std::string::npos);
  std::string page = "[";
  for (int i = 0; i < 1000; ++i)
    page += (i ? "," : "") + std::string{R"({"symbol":"BTCUSDT","id":)"} + std::to_string(77 + i)
            + R"(,"orderId":1,"price":"60000.00","qty":"0.00001","commission":"0","commissionAsset":"USDT",)"
              R"("time":1,"isBuyer":true,"isMaker":false})";
  transport.answer("/api/v3/myTrades", 200, page + "]");
  CAF_REQUIRE_EQUAL(events.trades.size(), 1u);
  CAF_CHECK(events.trades[0].more && events.trades[0].fills.has_value());
  gateway.open_orders(2, btc().id);
  transport.answer("/api/v3/openOrders", 200, "[" + order_answer("a-1") + "]");
  CAF_REQUIRE_EQUAL(events.orders.size(), 1u);
  CAF_CHECK(events.orders[0].orders.has_value());
  gateway.open_orders(3, btc().id);
  transport.answer("/api/v3/openOrders", 503, "");
  CAF_REQUIRE_EQUAL(events.orders.size(), 2u);
  CAF_CHECK(!events.orders[1].orders.has_value());
  gateway.account(4);
  transport.answer("/api/v3/account", 200,
                   R"({"updateTime":5,"balances":[{"asset":"BTC","free":"1","locked":"0.5"}]})");
  CAF_REQUIRE_EQUAL(events.accounts.size(), 1u);
  CAF_CHECK(events.accounts[0].balances.has_value());
  gateway.rules(5, btc().id);
  transport.answer(
      "/api/v3/exchangeInfo", 200,
      R"({"symbols":[{"symbol":"BTCUSDT","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.50"},
                   {"filterType":"LOT_SIZE","stepSize":"0.00010","minQty":"0.00010","maxQty":"9000"}]}]})");
  CAF_REQUIRE_EQUAL(events.specs.size(), 1u);
  CAF_CHECK(events.specs[0].spec.has_value());
  // New rules hold at once.
  auto order = buy("a-9");
  order.limit = {6000001};
  gateway.place(6, order);
  CAF_CHECK(events.outcomes.back().kind == command_result::denied);
}

CAF_TEST(stopping ends what is on the wire as unknown) {
  gateway.place(1, buy("a-1"));
  gateway.open_orders(2, btc().id);
  gateway.stop();
  CAF_REQUIRE_EQUAL(events.outcomes.size(), 1u);
  CAF_CHECK(events.outcomes[0].kind == command_result::unknown);
  CAF_CHECK_EQUAL(events.orders.size(), 1u);
  transport.answer("/api/v3/order", 200, order_answer("a-1"));
  transport.advance(100s);
  CAF_CHECK_EQUAL(events.outcomes.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

// --- live over loopback ---------------------------------------------------------------------------

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

/// Events of the I/O thread that the test waits for.
struct waiting_recorder final : gateway_events {
  template <class List, class T>
  void add(List& list, const T& item) {
    const std::lock_guard lock{mutex};
    list.push_back(item);
    changed.notify_all();
  }
  void on_outcome(const command_outcome& outcome) override { add(seen.outcomes, outcome); }
  void on_open_orders(const open_orders_outcome& outcome) override { add(seen.orders, outcome); }
  void on_trades(const trades_outcome& outcome) override { add(seen.trades, outcome); }
  void on_account(const account_outcome& outcome) override { add(seen.accounts, outcome); }
  void on_rules(const rules_outcome& outcome) override { add(seen.specs, outcome); }
  void on_report(const order_report& report) override { add(seen.reports, report); }
  void on_balances(const std::vector<asset_balance>& changed_ones, market_time) override {
    add(seen.balances, changed_ones);
  }
  void on_session(const session_event& event) override { add(seen.sessions, event); }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, 8s, [&] { return condition(seen); });
  }

  std::mutex mutex;
  std::condition_variable changed;
  recorder seen;
};

struct live_fixture {
  live_fixture() {
    char pattern[] = "/tmp/troupe_gateway_XXXXXX";
    directory = ::mkdtemp(pattern);
    files = *net::make_self_signed(directory, {"localhost"});
  }
  ~live_fixture() {
    gateway.reset();
    server.reset();
    io.stop();
    std::filesystem::remove_all(directory);
  }
  void serve(net::http_server::request_handler on_request, net::http_server::upgrade_handler on_upgrade) {
    net::http_server_options how;
    how.tls = true;
    how.clock = &market;
    how.certificate = *net::tls_context::server(files.certificate, files.key);
    server = std::move(*net::http_server::start(io, how, std::move(on_request), std::move(on_upgrade)));
  }
  binance_gateway_options how_to_connect() {
    binance_gateway_options how;
    how.gateway = options();
    how.gateway.order_deadline = 500ms;
    how.rest = {true, "localhost", server->port(), ""};
    how.ws_api = how.rest;
    how.authority = files.authority;
    return how;
  }
  void connect() {
    auto made = binance_spot_gateway::make(io, how_to_connect(), keys(), market, steady);
    CAF_REQUIRE(made.has_value());
    gateway = std::move(*made);
    gateway->start(events);
  }

  std::filesystem::path directory;
  net::certificate_files files;
  running_market market;
  running_steady steady;
  waiting_recorder events;
  net::io_runner io;
  std::unique_ptr<net::http_server> server;
  std::unique_ptr<binance_spot_gateway> gateway;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_live_tests, live_fixture)

CAF_TEST(orders travel and every kind of network failure is classified) {
  std::atomic<int> arrived{0};
  serve(
      [&](const net::http_request& request, net::http_responder responder) {
        net::http_response response;
        if (request.path() == "/api/v3/time")
          response.body = "{\"serverTime\":" + std::to_string(market.now().ns / 1'000'000) + "}";
        else if (request.path() == "/api/v3/order") {
          ++arrived;
          const auto values = net::parse_query(request.query());
          std::string id, signature;
          for (const auto& [name, value] : *values) {
            if (name == "newClientOrderId") id = value;
            if (name == "signature") signature = value;
          }
          const auto text = std::string{request.query()};
          const auto signed_part = text.substr(0, text.find("&signature="));
          if (hmac_sha256_hex(secret{"canary-secret-0001"}, signed_part) != signature
              || request.fields.find("X-MBX-APIKEY") != "canary-key-0001") {
            response.status = 400;
            response.body = R"({"code":-1022,"msg":"Signature for this request is not valid."})";
          } else if (id == "reset") {
            responder.reset();
            return;
          } else if (id == "hold") {
            responder.hold();
            return;
          } else if (id == "cut") {
            response.body = order_answer(id);
            responder.respond_truncated(response, 120);
            return;
          } else if (id == "late") {
            response.status = 503;
            response.body = "busy";
          } else response.body = order_answer(id);
        }
        responder.respond(std::move(response));
      },
      [&](const net::http_request& request, net::ws_session session) {
        net::upgrade_answer answer;
        answer.accept = request.path() == "/ws-api/v3";
        answer.handlers.on_frame = [session](std::string_view text, market_time) {
          const auto id = std::string{text.substr(7, text.find('"', 7) - 7)};
          session.send(R"({"id":")" + id + R"(","status":200,"result":{"subscriptionId":0}})");
          session.send(
              R"({"subscriptionId":0,"event":{"e":"executionReport","s":"BTCUSDT","c":"x","S":"BUY","C":"",
          "x":"NEW","X":"NEW","r":"NONE","i":1,"z":"0.00000","T":1}})");
        };
        return answer;
      });
  connect();
  CAF_REQUIRE(events.wait([](const recorder& seen) { return !seen.reports.empty(); }));
  command_id next = 1;
  for (const char* id : {"good", "reset", "hold", "cut", "late"}) gateway->place(next++, buy(id));
  CAF_REQUIRE(events.wait([](const recorder& seen) { return seen.outcomes.size() == 5; }));
  for (const auto& outcome : events.seen.outcomes)
    CAF_CHECK(outcome.kind
              == (outcome.report.client_id == "good" ? command_result::confirmed
                                                     : command_result::unknown));
  CAF_CHECK_EQUAL(arrived.load(), 5);
  gateway->stop();
  gateway->place(9, buy("after-stop"));
  CAF_CHECK_EQUAL(arrived.load(), 5);
}

CAF_TEST(a gateway with a thread of its own takes it along when it goes) {
  serve([](const net::http_request&, net::http_responder responder) { responder.respond({}); },
        [](const net::http_request&, net::ws_session session) {
          net::upgrade_answer answer;
          answer.handlers.on_frame = [session](std::string_view text, market_time) {
            const auto id = std::string{text.substr(7, text.find('"', 7) - 7)};
            session.send(R"({"id":")" + id + R"(","status":200,"result":{"subscriptionId":0}})");
          };
          return answer;
        });
  auto how = how_to_connect();
  how.gateway.processing_horizon = 7s;
  how.authority = directory / "missing.pem";
  CAF_CHECK(!binance_spot_gateway::make(how, keys(), market, steady));
  how.authority = files.authority;
  for (int round = 0; round < 3; ++round) {
    auto made = binance_spot_gateway::make(how, keys(), market, steady);
    CAF_REQUIRE(made.has_value());
    gateway = std::move(*made);
    CAF_CHECK((*gateway).traits().processing_horizon == nanoseconds{7s});
    {
      const std::lock_guard lock{events.mutex};
      events.seen.sessions.clear();
    }
    gateway->start(events);
    CAF_REQUIRE(events.wait([](const recorder& seen) {
      return std::any_of(seen.sessions.begin(), seen.sessions.end(),
                         [](const session_event& event) { return event.state == session_state::connected; });
    }));
    gateway->place(static_cast<command_id>(round + 1), buy("last")); // under way when it ends
    gateway.reset();
  }
}

CAF_TEST(a stream that is cut comes back with a new session) {
  std::atomic<int> sockets{0};
  serve([](const net::http_request&, net::http_responder responder) { responder.respond({}); },
        [&](const net::http_request&, net::ws_session session) {
          net::upgrade_answer answer;
          const auto number = ++sockets;
          answer.handlers.on_frame = [session, number](std::string_view text, market_time) {
            const auto id = std::string{text.substr(7, text.find('"', 7) - 7)};
            session.send(R"({"id":")" + id + R"(","status":200,"result":{"subscriptionId":0}})");
            if (number == 1) session.reset();
          };
          return answer;
        });
  connect();
  CAF_REQUIRE(events.wait([](const recorder& seen) {
    return std::any_of(seen.sessions.begin(), seen.sessions.end(), [&](const session_event& event) {
      return event.state == session_state::connected && event.session > seen.sessions.front().session;
    });
  }));
  const std::lock_guard lock{events.mutex};
  const bool broke = std::any_of(
      events.seen.sessions.begin(), events.seen.sessions.end(),
      [](const session_event& event) { return event.state == session_state::reconnecting; });
  CAF_CHECK(broke);
}

CAF_TEST_FIXTURE_SCOPE_END()
