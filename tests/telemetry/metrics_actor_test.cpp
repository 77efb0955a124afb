#define CAF_SUITE metrics_actor
#include "runtime/clock.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "tools/node/metrics_actor.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

/// Answers its first questions, then blocks its thread until it is let go.
struct sticky_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "risk";

  sticky_state(self_pointer, std::shared_future<void> let_go, std::shared_ptr<std::atomic<bool>> stick)
      : let_go_{std::move(let_go)}, stick_{std::move(stick)} {}
  observable_actor::behavior_type make_behavior() {
    return {[this](const status_request&) -> reply<status_report> {
      if (*stick_) let_go_.wait();
      return status_report{.name = "risk", .json = R"({"state":"halted","approved":7})"};
    }};
  }
  std::shared_future<void> let_go_;
  std::shared_ptr<std::atomic<bool>> stick_;
};

/// A node's actors and a client that scrapes them.
struct scraped_node {
  system_config config{{.threads = 2}};
  caf::actor_system system{config};
  wall_clock wall;
  monotonic_clock steady;
  directory names;
  actor_environment env{.market = &wall, .steady = &steady, .names = &names, .seed = 1};
  observable_actor metrics;
  std::uint16_t port = 0;

  scraped_node() = default;
  scraped_node(const scraped_node&) = delete;
  scraped_node& operator=(const scraped_node&) = delete;
  /// The actors look at the clocks until they have ended.
  ~scraped_node() {
    if (metrics) send_kill(metrics);
    system.await_all_actors_done();
  }

  void start() {
    metrics_options how;
    how.who = {"exec", "build", "schema"};
    how.data = "/";
    how.clock = &wall;
    how.every = 10ms;
    metrics = spawn_actor<metrics_state>(system, spawn_options{.name = "metrics"}, env, how);
    caf::scoped_actor self{system};
    self->request(metrics, 5s, status_request{})
        .receive(
            [&](const status_report& report) {
              const auto from = report.json.find("\"port\":") + 7;
              port = static_cast<std::uint16_t>(std::stoul(report.json.substr(from)));
            },
            [](const caf::error&) {});
    CAF_REQUIRE(port != 0);
  }

  /// The whole answer to one request, as its bytes come.
  std::string get(const std::string& method = "GET", const std::string& target = "/metrics",
                  const std::string& host = "127.0.0.1") const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CAF_REQUIRE(fd >= 0);
    const timeval limit{10, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CAF_REQUIRE_EQUAL(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const auto request =
        method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    CAF_REQUIRE_EQUAL(::send(fd, request.data(), request.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(request.size()));
    std::string out;
    std::array<char, 65536> piece{};
    for (ssize_t n = 0; (n = ::recv(fd, piece.data(), piece.size(), 0)) > 0;)
      out.append(piece.data(), static_cast<std::size_t>(n));
    ::close(fd);
    return out;
  }

  std::string page() const {
    const auto answer = get();
    CAF_REQUIRE(answer.starts_with("HTTP/1.1 200 "));
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  /// Scrapes until the page says so, at most 10 s.
  std::string wait_for(const std::string& text) {
    const auto deadline = monotonic_ns() + nanoseconds{10s}.count();
    while (true) {
      auto shown = page();
      if (shown.find(text) != std::string::npos) return shown;
      if (monotonic_ns() > deadline) CAF_FAIL("'" << text << "' did not come up on the page:\n" << shown);
    }
  }
};

} // namespace

CAF_TEST(a_scrape_shows_reports_actors_and_process) {
  scraped_node node;
  std::promise<void> let_go;
  const auto stick = std::make_shared<std::atomic<bool>>(false);
  const auto risk = spawn_actor<sticky_state>(node.system, spawn_options{.name = "risk"},
                                              let_go.get_future().share(), stick);
  node.names.put("risk", {caf::actor_cast<caf::strong_actor_ptr>(risk), {}, 1});
  node.start();
  const auto page = node.wait_for("troupe_risk_halted{node=\"exec\"} 1");
  const auto read = parse_metrics_text(page);
  CAF_REQUIRE_EQUAL(read ? std::string{} : read.error().text, std::string{});
  for (const auto& each : *read)
    CAF_CHECK_EQUAL(check_metric(each) ? "" : check_metric(each).error().text, "");
  for (const auto* text :
       {"troupe_risk_approved_total{node=\"exec\"} 7", "troupe_actors{node=\"exec\",kind=\"metrics\"} 1",
        "process_resident_memory_bytes{node=\"exec\"}", "troupe_stuck_handlers{node=\"exec\"} 0",
        "troupe_disk_free_bytes{node=\"exec\"}"})
    CAF_CHECK(page.find(text) != std::string::npos);
  // Every metric that is shown is one of the table.
  const auto all = all_metrics();
  for (const auto& each : *read)
    CAF_CHECK(std::any_of(all.begin(), all.end(),
                          [&](const auto& x) { return x.name == each.name && x.help == each.help; }));
  send_kill(risk);
  send_kill(node.metrics);
}

CAF_TEST(an_actor_that_is_stuck_keeps_no_scrape_waiting) {
  scraped_node node;
  std::promise<void> let_go;
  const auto stick = std::make_shared<std::atomic<bool>>(false);
  const auto risk = spawn_actor<sticky_state>(node.system, spawn_options{.name = "risk", .detached = true},
                                              let_go.get_future().share(), stick);
  node.names.put("risk", {caf::actor_cast<caf::strong_actor_ptr>(risk), {}, 1});
  node.start();
  node.wait_for("troupe_risk_halted{node=\"exec\"} 1");
  *stick = true;
  const auto page = node.wait_for("troupe_stuck_handlers{node=\"exec\"} 1");
  CAF_CHECK(page.find("troupe_risk_halted{node=\"exec\"} 1") != std::string::npos); // what it said last
  let_go.set_value();
  node.wait_for("troupe_stuck_handlers{node=\"exec\"} 0");
  send_kill(risk);
  send_kill(node.metrics);
}

CAF_TEST(other_requests_are_refused) {
  scraped_node node;
  node.start();
  CAF_CHECK(node.get("GET", "/").starts_with("HTTP/1.1 404 "));
  CAF_CHECK(node.get("POST", "/metrics").starts_with("HTTP/1.1 405 "));
  CAF_CHECK(node.get("GET", "/metrics", "evil.example").starts_with("HTTP/1.1 403 "));
  CAF_CHECK(node.get("GET", "/metrics", "127.0.0.1.evil:90").starts_with("HTTP/1.1 403 "));
  CAF_CHECK(node.get("GET", "/metrics", "localhost:90").starts_with("HTTP/1.1 200 "));
  CAF_CHECK(node.get().find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
  send_kill(node.metrics);
}

CAF_TEST(a_taken_port_is_told_and_asked_for_again) {
  scraped_node first;
  first.start();
  scraped_node second;
  metrics_options how;
  how.port = first.port;
  how.who = {"b", "build", "schema"};
  how.clock = &second.wall;
  const auto actor =
      spawn_actor<metrics_state>(second.system, spawn_options{.name = "metrics"}, second.env, how);
  caf::scoped_actor self{second.system};
  self->request(actor, 5s, status_request{})
      .receive(
          [](const status_report& report) {
            CAF_CHECK(report.json.find("\"listening\":false") != std::string::npos);
            CAF_CHECK(report.json.find("\"trouble\":\"\"") == std::string::npos);
          },
          [](const caf::error& why) { CAF_FAIL(why); });
  send_kill(actor);
  send_kill(first.metrics);
}

CAF_TEST(every_node_has_a_port_of_its_own) {
  const auto conf = parse_nodes_conf("node a host=127.0.0.1 port=4410 roles=ingest\n"
                                     "node b host=127.0.0.1 port=9465 roles=gateway\n",
                                     "nodes.conf");
  CAF_REQUIRE(conf);
  CAF_CHECK_EQUAL(metrics_port_of(0, *conf, "b").value_or(1), 0u);
  CAF_CHECK_EQUAL(metrics_port_of(9000, *conf, "a").value_or(1), 9000u);
  CAF_CHECK_EQUAL(metrics_port_of(9000, *conf, "b").value_or(1), 9001u);
  CAF_CHECK(!metrics_port_of(9464, *conf, "b"));
  CAF_CHECK(!metrics_port_of(65535, *conf, "b"));
}
