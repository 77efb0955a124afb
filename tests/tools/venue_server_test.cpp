#define CAF_SUITE venue_server
#include "tests/support/recordings.hpp"
#include "tests/tools/venue_client.hpp"
#include "tests/tools/venue_sim_support.hpp"
#include "tools/venue_sim/ledger_check.hpp"
#include "tools/venue_sim/venue_server.hpp"

#include <caf/test/unit_test.hpp>

#include <csignal>
#include <ctime>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace troupe;
using namespace troupe::venue_sim;
using namespace troupe::venue_sim::test;

extern char** environ;

namespace {

/// A simulator of the generated market in this process.
struct fixture {
  fixture() = default;
  void start(std::string faults = {}, std::int64_t rate = 1000) {
    venue_sim_options options;
    options.folder = folder.path();
    options.clock.rate_permille = rate;
    options.faults = std::move(faults);
    options.seed = 7;
    auto started = venue_server::start(options, [this](status) { ended.set_value(); });
    if (!started) CAF_FAIL(started.error().message());
    server = std::move(*started);
    client = std::make_unique<venue_client>(server->port(), server->control_port(), server->authority());
  }
  ~fixture() {
    client.reset();
    server.reset();
  }
  std::string place(const std::string& rest, unsigned expected = 200) {
    auto reply = client->signed_ask("POST", "/api/v3/order", "symbol=BTCUSDT&" + rest);
    if (!reply) CAF_FAIL(reply.error().message());
    CAF_CHECK_EQUAL(reply->status, expected);
    return reply->body;
  }
  ledger_content ledger() const {
    auto read = read_ledger(folder.path() / "ledger.log");
    if (!read) CAF_FAIL(read.error().message());
    return std::move(*read);
  }

  scratch_folder folder;
  std::promise<void> ended;
  std::unique_ptr<venue_server> server;
  std::unique_ptr<venue_client> client;
};

constexpr auto far_buy =
    "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=30000.00&newClientOrderId=";

/// The simulator as a process of its own.
class child {
public:
  child(const std::filesystem::path& folder, std::vector<std::string> words) {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return;
    words.insert(words.begin(), {VENUE_SIM_PROCESS, folder.string()});
    std::vector<char*> argv;
    for (auto& w : words)
      argv.push_back(w.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[1]);
    if (::posix_spawn(&pid_, VENUE_SIM_PROCESS, &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_ends[1]);
    char c = 0;
    while (::read(pipe_ends[0], &c, 1) == 1 && c != '\n')
      ready_ += c;
    ::close(pipe_ends[0]);
  }
  ~child() { end(SIGKILL); }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  int end(int how) {
    int code = -1;
    if (pid_ > 0) {
      ::kill(pid_, how);
      ::waitpid(pid_, &code, 0);
    }
    pid_ = -1;
    return code;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& ready() const { return ready_; }
  [[nodiscard]] std::unique_ptr<venue_client> client() const {
    return std::make_unique<venue_client>(static_cast<std::uint16_t>(number(ready_, "/port")),
                                          static_cast<std::uint16_t>(number(ready_, "/control_port")),
                                          member(ready_, "/ca"));
  }

private:
  pid_t pid_ = -1;
  std::string ready_;
};

std::int64_t cpu_ms_of(pid_t pid) {
  clockid_t clock{};
  timespec t{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &t) != 0) return -1;
  return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

} // namespace

CAF_TEST(orders live their life over the wire and in the ledger) {
  fixture f;
  f.start();
  auto events = f.client->private_stream();
  CAF_REQUIRE(events);
  const auto bought = f.place("side=BUY&type=MARKET&quantity=0.01&newClientOrderId=m1");
  CAF_CHECK_EQUAL(member(bought, "/status"), "FILLED");
  CAF_CHECK(!events->wait_for(R"("c":"m1","S":"BUY","o":"MARKET","f":"GTC","q":"0.01000000")").empty());
  CAF_CHECK(!events->wait_for(R"("x":"TRADE","X":"FILLED")").empty());
  CAF_CHECK(!events->wait_for("outboundAccountPosition").empty());
  f.place(std::string{far_buy} + "l1");
  CAF_CHECK(!events->wait_for(R"("c":"l1")").empty());
  auto open = f.client->signed_ask("GET", "/api/v3/openOrders", "symbol=BTCUSDT");
  CAF_CHECK_EQUAL(member(open->body, "/0/clientOrderId"), "l1");
  auto found = f.client->signed_ask("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=l1");
  CAF_CHECK_EQUAL(member(found->body, "/status"), "NEW");
  auto gone = f.client->signed_ask("DELETE", "/api/v3/order",
                                   "symbol=BTCUSDT&origClientOrderId=l1&newClientOrderId=c1");
  CAF_CHECK_EQUAL(member(gone->body, "/status"), "CANCELED");
  CAF_CHECK(!events->wait_for(R"("C":"l1","x":"CANCELED")").empty());
  auto again = f.client->signed_ask("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=l1");
  CAF_CHECK_EQUAL(number(again->body, "/code"), -2011);
  auto trades = f.client->signed_ask("GET", "/api/v3/myTrades", "symbol=BTCUSDT");
  const auto ledger = f.ledger();
  CAF_REQUIRE(!ledger.fills.empty());
  CAF_CHECK_EQUAL(number(trades->body, "/0/id"), ledger.fills[0].trade_id);
  CAF_CHECK_EQUAL(ledger.orders.size(), 2u);
  CAF_CHECK_EQUAL(ledger.ends.size(), 1u);
  std::int64_t quantity = 0;
  for (const auto& x : ledger.fills)
    quantity += x.quantity_e8;
  CAF_CHECK_EQUAL(quantity, e8("0.01"));
  const auto state = f.client->state();
  CAF_CHECK_EQUAL(member(state, "/source"), "GENERATED");
  CAF_CHECK_EQUAL(number(state, "/exchange/orders"), 2);
  CAF_CHECK_EQUAL(number(state, "/exchange/requests/POST ~1api~1v3~1order"), 2);
  const auto stopped = f.client->control("POST", "/stop");
  CAF_CHECK_EQUAL(stopped->status, 200u);
  CAF_CHECK(f.ended.get_future().wait_for(5s) == std::future_status::ready);
}

CAF_TEST(market sockets subscribe and hear what they asked for) {
  fixture f;
  f.start({}, 5000);
  auto [combined, c] = f.client->socket("/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker");
  auto [raw, r] = f.client->socket("/ws/btcusdt@trade");
  CAF_CHECK(!combined->wait_for(R"({"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate")").empty());
  CAF_CHECK(!combined->wait_for(R"({"stream":"btcusdt@bookTicker","data":{"u":)").empty());
  CAF_CHECK(!raw->wait_for(R"({"e":"trade")").empty());
  r->send_text(R"({"method":"SUBSCRIBE","params":["btcusdt@aggTrade","nosuch@depth"],"id":1})");
  CAF_CHECK(!raw->wait_for(R"({"result":null,"id":1})").empty());
  CAF_CHECK(!raw->wait_for(R"({"e":"aggTrade")").empty());
  r->send_text(R"({"method":"LIST_SUBSCRIPTIONS","id":"x"})");
  CAF_CHECK(
      !raw->wait_for(R"({"result":["btcusdt@trade","btcusdt@aggTrade","nosuch@depth"],"id":"x"})").empty());
  r->send_text(R"({"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":3})");
  CAF_CHECK(!raw->wait_for(R"({"result":null,"id":3})").empty());
  // The image joins the stream.
  const auto image = f.client->get("/api/v3/depth?symbol=BTCUSDT&limit=5000");
  const auto id = number(image, "/lastUpdateId");
  combined->clear();
  CAF_CHECK(!combined->wait_for("depthUpdate").empty());
  CAF_CHECK_GREATER(id, 0);
  std::int64_t last = 0, breaks = 0;
  CAF_REQUIRE(combined->wait_count(200));
  for (const auto& frame : combined->frames()) {
    if (frame.find("depthUpdate") == std::string::npos) continue;
    if (last != 0 && number(frame, "/data/U") != last + 1) ++breaks;
    last = number(frame, "/data/u");
  }
  CAF_CHECK_EQUAL(breaks, 0);
  // Six messages within a second are one too many.
  for (int i = 0; i < 12; ++i)
    r->send_text(R"({"method":"LIST_SUBSCRIPTIONS","id":9})");
  CAF_CHECK(raw->wait_closed());
}

CAF_TEST(an order taken before its connection breaks is found by its client id) {
  fixture f;
  f.start(R"({"accept_then_drop":{"count":1},"error_unknown":{"count":0}})");
  auto cut = f.client->signed_ask("POST", "/api/v3/order", std::string{"symbol=BTCUSDT&"} + far_buy + "cut");
  CAF_CHECK(!cut.has_value());
  auto found = f.client->signed_ask("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=cut");
  CAF_CHECK_EQUAL(member(found->body, "/status"), "NEW");
  CAF_REQUIRE_EQUAL(f.client->script(R"({"drop_before_accept":{"count":1}})"), 200u);
  cut = f.client->signed_ask("POST", "/api/v3/order", std::string{"symbol=BTCUSDT&"} + far_buy + "never");
  CAF_CHECK(!cut.has_value());
  found = f.client->signed_ask("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=never");
  CAF_CHECK_EQUAL(number(found->body, "/code"), -2013);
  (void)f.client->script(R"({"too_many_requests":{"count":1,"ms":2000}})");
  auto limited =
      f.client->signed_ask("POST", "/api/v3/order", std::string{"symbol=BTCUSDT&"} + far_buy + "lim");
  CAF_CHECK_EQUAL(limited->status, 429u);
  CAF_CHECK_EQUAL(limited->fields.find("Retry-After"), "3");
  (void)f.client->script(R"({"slow_ack":{"count":1,"ms":300}})");
  const auto before = steady_ms();
  f.place(std::string{far_buy} + "slow");
  CAF_CHECK_GREATER_OR_EQUAL(steady_ms() - before, 300);
  (void)f.client->script(R"({"error_unknown":{"count":8}})");
  std::size_t taken = 0;
  for (int i = 0; i < 8; ++i)
    f.place(std::string{far_buy} + "u" + std::to_string(i), 504);
  for (const auto& o : f.ledger().orders)
    taken += o.client_order_id.starts_with("u") ? 1 : 0;
  CAF_CHECK_GREATER(taken, 0u);
  CAF_CHECK_LESS(taken, 8u);
  CAF_CHECK_EQUAL(f.client->script(R"({"nonsense":{}})"), 400u);
}

CAF_TEST(faults of streams happen as scripted) {
  fixture f;
  f.start({}, 5000);
  auto events = f.client->private_stream();
  CAF_REQUIRE(events);
  (void)f.client->script(R"({"duplicate_event":{"count":1}})");
  f.place(std::string{far_buy} + "d1");
  CAF_REQUIRE(events->wait_count(4)); // answer, event, its double, position
  std::size_t same = 0;
  for (const auto& e : events->frames())
    same += e.find("executionReport") != std::string::npos ? 1 : 0;
  CAF_CHECK_EQUAL(same, 2u);
  (void)f.client->script(R"({"missing_event":{"count":1}})");
  events->clear();
  f.place(std::string{far_buy} + "d2");
  CAF_CHECK(!events->wait_for("outboundAccountPosition").empty());
  CAF_CHECK(events->wait_for("executionReport", 50ms).empty());
  const auto gaps_with = [&](const std::string& faults) {
    auto [box, ws] = f.client->socket("/ws/btcusdt@depth@100ms");
    CAF_REQUIRE(box->wait_count(3));
    (void)f.client->script(faults);
    CAF_REQUIRE(box->wait_count(box->frames().size() + 8));
    std::int64_t last = 0;
    std::pair<int, int> out{0, 0}; // chain breaks, broken texts
    for (const auto& frame : box->frames()) {
      const auto first = number(frame, "/U");
      if (first < 0)
        ++out.second;
      else if (last != 0 && first != last + 1)
        ++out.first;
      last = first < 0 ? 0 : number(frame, "/u");
    }
    return out;
  };
  CAF_CHECK_EQUAL(gaps_with(R"({"drop_diff":{"count":1}})").first, 1);
  CAF_CHECK_EQUAL(gaps_with(R"({"duplicate_diff":{"count":1}})").first, 1);
  CAF_CHECK_GREATER_OR_EQUAL(gaps_with(R"({"reorder_diff":{"count":1}})").first, 2);
  CAF_CHECK_EQUAL(gaps_with(R"({"wrong_frame":{"count":1}})").second, 1);
  for (const auto* name : {"close_1000", "close_1006", "tcp_reset"}) {
    auto [box, ws] = f.client->socket("/ws/btcusdt@bookTicker");
    CAF_REQUIRE(box->wait_count(1));
    (void)f.client->script(R"({")" + std::string{name} + R"(":{"count":1}})");
    CAF_CHECK(box->wait_closed());
  }
  auto [quiet, ws] = f.client->socket("/ws/btcusdt@bookTicker");
  CAF_REQUIRE(quiet->wait_count(1));
  (void)f.client->script(R"({"silent_topic":{"count":1,"ms":60000,"stream":"btcusdt@bookTicker"}})");
  (void)f.client->state();
  std::size_t count = 0;
  for (int tries = 0; tries < 20 && quiet->wait_count(count + 1, 100ms); ++tries)
    count = quiet->frames().size();
  CAF_CHECK(!quiet->wait_count(count + 1, 100ms));
}

CAF_TEST(the ledger survives being killed and the account goes on) {
  scratch_folder folder;
  std::vector<std::string> placed;
  std::string clock_words;
  constexpr int rounds = 4;
  for (int round = 0; round < rounds; ++round) {
    child process{folder.path(), {"rate=2000", "orders_per_10s=100000"}};
    CAF_REQUIRE(!process.ready().empty());
    auto client = process.client();
    auto state = client->state();
    if (round > 0)
      CAF_CHECK_GREATER_OR_EQUAL(number(state, "/exchange/orders"), static_cast<std::int64_t>(placed.size()));
    for (int i = 0; i < 25; ++i) {
      const auto id = "k" + std::to_string(round) + "-" + std::to_string(i);
      const auto what =
          i % 3 == 0 ? "side=BUY&type=MARKET&quantity=0.001&newClientOrderId=" + id : far_buy + id;
      auto reply = client->signed_ask("POST", "/api/v3/order", "symbol=BTCUSDT&" + what);
      if (reply && reply->status == 200) placed.push_back(id);
    }
    // One more is on its way when the process dies.
    std::thread last{[&] {
      (void)client->signed_ask("POST", "/api/v3/order", "symbol=BTCUSDT&" + (far_buy + std::string{"x"}));
    }};
    process.end(SIGKILL);
    last.join();
  }
  auto read = read_ledger(folder.path() / "ledger.log");
  CAF_REQUIRE(read.has_value());
  CAF_CHECK_EQUAL(placed.size(), 25u * rounds);
  for (const auto& id : placed)
    CAF_REQUIRE_EQUAL(read->by_client_id[id].size(), 1u);
  child process{folder.path(), {"rate=2000"}};
  auto client = process.client();
  auto account = client->signed_ask("GET", "/api/v3/account", "");
  std::int64_t base = read->opening_base_e8;
  for (const auto& f : read->fills)
    base += f.quantity_e8 - f.commission_e8;
  CAF_CHECK_EQUAL(member(account->body, "/balances/0/free"), text_e8(base));
  auto found = client->signed_ask("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=k0-1");
  CAF_CHECK_EQUAL(member(found->body, "/status"), "NEW");
  client.reset();
  const int code = process.end(SIGTERM);
  CAF_CHECK(WIFEXITED(code) && WEXITSTATUS(code) == 0);
}

CAF_TEST(a damaged ledger stops the start with one line) {
  scratch_folder folder;
  {
    child process{folder.path(), {}};
    CAF_REQUIRE(!process.ready().empty());
  }
  ::truncate((folder.path() / "ledger.log").c_str(), 10);
  venue_sim_options options;
  options.folder = folder.path();
  const auto started = venue_server::start(options, {});
  CAF_REQUIRE(!started.has_value());
  CAF_CHECK(started.error().code == make_error_code(venue_sim_errc::bad_ledger));
}

CAF_TEST(the futures venue is routed) {
  auto tape =
      troupe::test::recording("venues/nkaz001+hftbacktest/examples/usdm/btcusdt_20240808.gz", "usdm server");
  if (!tape) return;
  scratch_folder folder;
  child process{folder.path(), {"venue=usdm", "rate=20000", "tape=" + tape->string()}};
  CAF_REQUIRE(!process.ready().empty());
  auto client = process.client();
  auto [open, a] =
      client->socket("/public/stream?streams=btcusdt@depth@0ms/btcusdt@bookTicker/btcusdt@aggTrade");
  auto [market, b] = client->socket("/market/stream?streams=btcusdt@aggTrade/btcusdt@bookTicker");
  auto [old, c] = client->socket("/stream?streams=btcusdt@depth@0ms/btcusdt@trade");
  CAF_CHECK(!open->wait_for(R"("e":"depthUpdate")").empty());
  CAF_CHECK(!market->wait_for(R"("e":"aggTrade")").empty());
  CAF_CHECK(!old->wait_for(R"("e":"trade")").empty());
  CAF_CHECK(open->wait_for("aggTrade", 10ms).empty());
  CAF_CHECK(market->wait_for("bookTicker", 10ms).empty());
  CAF_CHECK(old->wait_for("depthUpdate", 10ms).empty());
  CAF_CHECK_GREATER(number(client->get("/fapi/v1/depth?symbol=BTCUSDT&limit=1000"), "/T"), 0);
  CAF_CHECK_EQUAL(member(client->get("/fapi/v1/exchangeInfo"), "/symbols/0/contractType"), "PERPETUAL");
  const auto spot = client->ask("GET", "/api/v3/time");
  CAF_CHECK_EQUAL(spot->status, 404u);
}

CAF_TEST(75 times a recorded stream costs well under a core) {
  auto first =
      troupe::test::recording("venues/nkaz001+hftbacktest/examples/spot/btcusdt_20240808.gz", "throughput");
  auto second =
      troupe::test::recording("venues/nkaz001+hftbacktest/examples/spot/btcusdt_20240809.gz", "throughput");
  if (!first || !second) return;
  scratch_folder folder;
  child process{folder.path(), {"rate=75000", "tape=" + first->string(), "tape=" + second->string()}};
  CAF_REQUIRE(!process.ready().empty());
  auto client = process.client();
  auto [box, ws] = client->socket("/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade");
  CAF_REQUIRE(box->wait_count(1000));
  const auto cpu = cpu_ms_of(process.pid()), wall = steady_ms();
  const auto frames = number(client->state(), "/frames_sent");
  CAF_REQUIRE(box->wait_count(box->frames().size() + 20000, 20s));
  const auto spent = cpu_ms_of(process.pid()) - cpu, passed = steady_ms() - wall;
  const auto sent = number(client->state(), "/frames_sent") - frames;
  CAF_MESSAGE(sent << " frames in " << passed << " ms: " << sent * 1000 / passed << " frames/s, "
                   << spent * 100 / passed << " % of a core");
  std::cout << "venue simulator at 75x: " << sent * 1000 / passed << " frames/s, " << spent * 100 / passed
            << " % of a core, lag " << number(client->state(), "/lag_ns") << " ns of market time"
            << std::endl;
  CAF_CHECK_LESS(spent * 100, passed * 80);
  CAF_CHECK_EQUAL(number(client->state(), "/slow_disconnected"), 0);
}
