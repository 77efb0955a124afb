#define CAF_SUITE crowd
#include "messages/actors.hpp"
#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/actor_table.hpp"
#include "runtime/clock.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <functional>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

// A node with 10,000 actors that come, go and send: what a page of its table costs.

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t crowd_size = 10'000;

using member_interface = caf::typed_actor<rpc<status_request>::to<status_report>, on<acknowledged>, on<ping>>;

/// Passes a share of what it gets on, so that all have figures.
struct crowd_state {
  using handle_type = member_interface;
  static inline const char* name = "crowd";
  explicit crowd_state(actor_pointer<member_interface>) {}
  member_interface::behavior_type make_behavior() {
    return {[](const status_request&) { return status_report{}; }, [](const acknowledged&) {}, [](const ping&) {}};
  }
};

std::int64_t cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

/// What one look costs its thread: the query and the bytes for the wire. Milliseconds of CPU time.
double look(caf::actor_system& system, const actor_query& query, std::size_t expected) {
  const auto began = cpu_ns();
  auto page = actor_table::instance().page(query).value();
  std::vector<char> bytes;
  caf::binary_serializer sink{system, bytes};
  const auto failed = sink(page);
  const auto took = static_cast<double>(cpu_ns() - began) / 1e6;
  CAF_CHECK(!failed);
  CAF_CHECK_EQUAL(page.rows.size(), expected);
  if (expected <= 1000) CAF_CHECK_LESS(bytes.size(), std::size_t{512} << 10);
  return took;
}

double least(int times, const std::function<double()>& run) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) best = std::min(best, run());
  return best;
}

struct fixture {
  fixture() {
    register_message_types(config);
    config.set("scheduler.policy", caf::atom("sharing")).set("scheduler.max-threads", std::size_t{2});
    system = std::make_unique<caf::actor_system>(config);
    for (std::size_t i = 0; i < crowd_size; ++i) spawn_one();
  }
  ~fixture() {
    for (const auto& one : crowd) send_kill(one);
    crowd.clear();
    system.reset();
  }
  void spawn_one() {
    crowd.push_back(spawn_actor<crowd_state>(*system, {.name = "crowd/" + std::to_string(number++)}));
  }
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::deque<member_interface> crowd;
  std::uint64_t number = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(crowd_tests, fixture)

CAF_TEST(a_look_at_ten_thousand_actors_in_churn_is_cheap) {
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> turns{0};
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  // Two thousand actors a second come and go, and ten times as many messages are sent.
  std::thread churn{[&] {
    std::mt19937 random{seed};
    std::mutex nobody;
    std::condition_variable never;
    std::unique_lock lock{nobody};
    while (!over) {
      for (int i = 0; i < 20; ++i) {
        send_kill(crowd.front());
        crowd.pop_front();
        spawn_one();
        for (int k = 0; k < 10; ++k) {
          const auto& whom = crowd[random() % crowd.size()];
          if (k % 2 == 0) caf::anon_send(whom, acknowledged{});
          else caf::anon_send(whom, ping{});
        }
      }
      ++turns;
      never.wait_for(lock, 10ms, [&] { return over.load(); });
    }
  }};
  while (turns < 50) std::this_thread::yield();
  actor_query query;
  query.match = "crowd/";
  for (const auto* sort : {"name", "mailbox", "age", "rate", "p99", "restarts", "errors", "messages"}) {
    query.sort = sort;
    query.limit = 50;
    const auto screen = least(7, [&] { return look(*system, query, 50); });
    query.limit = 1000;
    const auto page = least(7, [&] { return look(*system, query, 1000); });
    std::cout << "crowd: 10,000 actors by " << sort << ": a screen of 50 rows " << screen << " ms, a page of 1,000 " << page
              << " ms of CPU\n";
    CAF_CHECK_LESS(page, 20.0);
    CAF_CHECK_LESS(screen, 10.0); // once a second: 1 % of a core
  }
  // Everything, page by page, as a list of all actors does.
  const auto all = least(3, [&] {
    double sum = 0;
    query.sort = "name";
    for (query.offset = 0; query.offset < 9000; query.offset += 1000) sum += look(*system, query, 1000);
    return sum;
  });
  std::cout << "crowd: nine pages of 1,000: " << all << " ms of CPU\n";
  CAF_CHECK_LESS(all / 9, 20.0);
  over = true;
  churn.join();
  CAF_CHECK_LESS(50u, turns.load());
}

CAF_TEST_FIXTURE_SCOPE_END()
