#define CAF_SUITE node_watch
#include "messages/type_ids.hpp"
#include "runtime/cluster/node_watch.hpp"

#include <caf/test/unit_test.hpp>

#include <future>
#include <vector>

// The watch over a process, with real threads: what it finds, and that it finds nothing when all is
// well.

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using sleeper_actor = caf::typed_actor<on<acknowledged>>;

/// Its handler returns when the test says so.
struct sleeper_state {
  using handle_type = sleeper_actor;
  static inline const char* name = "sleeper";
  sleeper_state(actor_pointer<sleeper_actor>, std::shared_future<void> release)
      : release_{std::move(release)} {}
  sleeper_actor::behavior_type make_behavior() {
    return {[this](const acknowledged&) { release_.wait(); }};
  }
  std::shared_future<void> release_;
};

struct two_workers : caf::actor_system_config {
  two_workers() {
    register_message_types(*this);
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{2});
  }
};

/// A wall clock that is a step away from the host's.
class stepped_clock final : public market_clock {
public:
  [[nodiscard]] market_time now() const noexcept override { return {host_.now().ns + step}; }
  std::atomic<std::int64_t> step{0};

private:
  wall_clock host_;
};

struct watched {
  watched() {
    options.slow = 50ms;
    options.stuck = 300ms;
    options.every = 5ms;
    options.stall = 100ms;
    options.on_stuck = [this] { ++told; };
  }
  ~watched() {
    watch.reset();
    release.set_value();
    for (const auto& h : sleepers)
      send_kill(h);
  }

  void begin() { watch = std::make_unique<node_watch>(system, options); }

  /// Starts an actor whose handler blocks.
  void block(bool detached) {
    sleepers.push_back(spawn_actor<sleeper_state>(
        system, {.name = "sleeper/" + std::to_string(sleepers.size()), .detached = detached},
        released));
    tell_anonymously(sleepers.back(), acknowledged{1});
  }

  [[nodiscard]] bool says(std::string_view part) const {
    return watch->json().find(part) != std::string::npos;
  }

  [[nodiscard]] bool says_within(nanoseconds within, std::string_view part) const {
    const auto until = monotonic_ns() + within.count();
    while (!says(part)) {
      if (monotonic_ns() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  /// Lets the watch look so often; false when it does not.
  void pass(nanoseconds time) const { (void)says_within(time, "never said"); }

  two_workers config;
  caf::actor_system system{config};
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::vector<sleeper_actor> sleepers;
  std::atomic<int> told{0};
  node_watch_options options;
  std::unique_ptr<node_watch> watch;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(node_watch_tests, watched)

CAF_TEST(one_blocked_worker_is_told_with_actor_and_message_and_then_to_the_parent_once) {
  begin();
  block(false);
  CAF_CHECK(says_within(5s, "sleeper/0 has been in its handler of acknowledged for"));
  CAF_CHECK(says(R"("stuck_handlers":0)") && !watch->stuck());
  CAF_CHECK(says_within(5s, "; the parent is to restart this process"));
  CAF_CHECK(says_within(1s, R"("stuck_now":true)"));
  pass(50ms);
  CAF_CHECK_EQUAL(told.load(), 1);
  CAF_CHECK(says(R"("stuck_handlers":1,"scheduler_stalls":0)")); // the other worker goes on
}

CAF_TEST(a_blocked_thread_of_its_own_is_reported_and_nobody_is_called) {
  begin();
  block(true);
  CAF_CHECK(says_within(5s, "; it has a thread of its own"));
  CAF_CHECK_EQUAL(told.load(), 0);
  CAF_CHECK(!watch->stuck());
}

CAF_TEST(a_scheduler_without_a_free_worker_has_stalled) {
  begin();
  block(false);
  block(false);
  CAF_CHECK(says_within(5s, "no scheduler thread has taken up a message for"));
  CAF_CHECK(says(R"("scheduler_stalls":1)"));
}

CAF_TEST(a_jump_of_the_wall_clock_is_told_with_its_size) {
  stepped_clock wall;
  options.wall = &wall;
  begin();
  pass(30ms);
  CAF_CHECK(says(R"("clock_jumps":0)"));
  wall.step = -3'600'000'000'000;
  CAF_CHECK(says_within(5s, "the wall clock jumped by -36000")
            || says("the wall clock jumped by -35999"));
  CAF_CHECK(says(R"("clock_jumps":1)"));
  watch.reset(); // before its clock
}

CAF_TEST(memory_that_grows_is_told_with_both_sizes) {
  options.memory = {.warm_up = 0ns, .window = 1h, .least_growth = 48u << 20, .percent = 101};
  options.memory_every = 10ms;
  begin();
  pass(30ms);
  CAF_CHECK(says(R"("memory_growths":0)"));
  const std::vector<char> grown(96u << 20, 'x');
  CAF_CHECK(says_within(5s, "memory grew from"));
  CAF_CHECK(says(R"("memory_growths":1)"));
  CAF_CHECK_EQUAL(grown.back(), 'x');
}

CAF_TEST(when_all_is_well_nothing_is_found) {
  options.slow = options.stuck = options.stall = 5s; // a busy machine is no finding here
  begin();
  pass(200ms);
  CAF_CHECK(says(R"({"slow_handlers":0,"stuck_handlers":0,"scheduler_stalls":0,"clock_jumps":0)"));
  CAF_CHECK(!watch->stuck());
}

CAF_TEST_FIXTURE_SCOPE_END()
