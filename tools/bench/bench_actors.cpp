#include "tools/bench/bench_actors.hpp"

#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/clock.hpp"
#include "tools/bench/benchmarks.hpp"

#include <algorithm>
#include <future>
#include <ostream>
#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// Counts what comes and answers questions.
using target_actor = caf::typed_actor<rpc<status_request>::to<status_report>, on<acknowledged>>;

/// Says so when `expected` messages have come.
struct countdown {
  std::uint64_t left = 0;
  std::promise<void> done;

  void one() {
    if (--left == 0) done.set_value();
  }
};

// --- instrumented --------------------------------------------------------------------------------

struct target_state {
  using handle_type = target_actor;
  static inline const char* name = "target";
  target_state(actor_pointer<target_actor>, std::shared_ptr<countdown> count)
      : count_{std::move(count)} {}
  target_actor::behavior_type make_behavior() {
    return {[](const status_request&) { return status_report{}; },
            [this](const acknowledged&) { count_->one(); }};
  }
  std::shared_ptr<countdown> count_;
};

/// Waits for its start, then sends or asks.
using driver_actor = caf::typed_actor<on<acknowledged>>;

struct driver_state {
  using handle_type = driver_actor;
  static inline const char* name = "driver";
  driver_state(actor_pointer<driver_actor> self, target_actor target,
               std::shared_ptr<countdown> asks)
      : self_{self}, target_{std::move(target)}, asks_{std::move(asks)} {}
  driver_actor::behavior_type make_behavior() {
    return {[this](const acknowledged& start) {
      if (start.sequence == 0) return next();
      for (std::uint64_t i = 0; i < start.sequence; ++i)
        tell(self_, target_, acknowledged{i});
    }};
  }
  void next() {
    ask(self_, target_, 1s, status_request{})
        .then(
            [this](const status_report&) {
              const bool more = asks_->left > 1;
              asks_->one();
              if (more) next();
            },
            [](const error&) {});
  }
  actor_pointer<driver_actor> self_;
  target_actor target_;
  std::shared_ptr<countdown> asks_;
};

// --- bare CAF
// --------------------------------------------------------------------------------------

target_actor::behavior_type bare_target(target_actor::pointer, std::shared_ptr<countdown> count) {
  return {[](const status_request&) { return status_report{}; },
          [count](const acknowledged&) { count->one(); }};
}

struct bare_driver_state {
  static inline const char* name = "bare";
};

void bare_next(driver_actor::stateful_pointer<bare_driver_state> self, const target_actor& target,
               const std::shared_ptr<countdown>& asks) {
  self->request(target, 1s, status_request{})
      .then(
          [=](const status_report&) {
            const bool more = asks->left > 1;
            asks->one();
            if (more) bare_next(self, target, asks);
          },
          [](caf::error&) {});
}

driver_actor::behavior_type bare_driver(driver_actor::stateful_pointer<bare_driver_state> self,
                                        target_actor target, std::shared_ptr<countdown> asks) {
  return {[=](const acknowledged& start) {
    if (start.sequence == 0) return bare_next(self, target, asks);
    for (std::uint64_t i = 0; i < start.sequence; ++i)
      self->send(target, acknowledged{i});
  }};
}

// --- one run
// ---------------------------------------------------------------------------------------

struct pair {
  target_actor target;
  driver_actor driver;
};

pair spawn_pair(caf::actor_system& system, bool instrumented,
                const std::shared_ptr<countdown>& one_way, const std::shared_ptr<countdown>& asks) {
  if (!instrumented) {
    auto target = system.spawn(bare_target, one_way);
    return {target, system.spawn(bare_driver, target, asks)};
  }
  auto target = spawn_actor<target_state>(system, {}, one_way);
  return {target, spawn_actor<driver_state>(system, {}, target, asks)};
}

/// Nanoseconds per message or question.
double run(caf::actor_system& system, bool instrumented, bool asking, std::uint64_t count) {
  auto all = std::make_shared<countdown>();
  all->left = count;
  auto done = all->done.get_future();
  const auto actors = spawn_pair(system, instrumented, all, all);
  const auto start = monotonic_ns();
  tell_anonymously(actors.driver, acknowledged{asking ? 0 : count});
  if (done.wait_for(60s) != std::future_status::ready) return 0;
  return static_cast<double>(monotonic_ns() - start) / static_cast<double>(count);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

struct figures {
  double bare = 0;
  double ours = 0;
};

/// Alternates the two ways, so that both see the same machine.
figures compare(caf::actor_system& system, int rounds, bool asking, std::uint64_t count) {
  std::vector<double> bare;
  std::vector<double> ours;
  for (int i = 0; i < rounds; ++i) {
    bare.push_back(run(system, false, asking, count));
    ours.push_back(run(system, true, asking, count));
  }
  return {median(std::move(bare)), median(std::move(ours))};
}

} // namespace

int bench_actor_hop(const bench_actors_options& options, std::ostream& out, std::ostream& words) {
  caf::actor_system_config config;
  register_message_types(config);
  config.set("scheduler.policy", caf::atom("sharing"))
      .set("scheduler.max-throughput", std::size_t{300});
  caf::actor_system system{config};
  words << "actors: " << options.rounds << " alternating runs of " << options.messages
        << " messages and " << options.asks << " questions\n";
  const auto one_way = compare(system, options.rounds, false, options.messages);
  const auto ask = compare(system, options.rounds, true, options.asks);
  const auto more = one_way.ours - one_way.bare;
  const auto ratio = ask.bare > 0 ? ask.ours / ask.bare : 0;
  if (options.json) {
    json_writer w;
    w.begin_object().field("bench", "actors").field("rounds", options.rounds);
    w.key("one_way")
        .begin_object()
        .field("bare_ns", one_way.bare, 1)
        .field("ours_ns", one_way.ours, 1);
    w.field("more_ns", more, 1).field("goal_more_ns", 100).end_object();
    w.key("ask").begin_object().field("bare_ns", ask.bare, 1).field("ours_ns", ask.ours, 1);
    w.field("ratio", ratio, 3).field("goal_ratio", 1.15, 2).end_object().end_object();
    out << w.text() << "\n";
    return 0;
  }
  const auto line = [&](const char* what, const figures& f) {
    out << what << "bare CAF " << static_cast<std::int64_t>(f.bare) << " ns, with introspection "
        << static_cast<std::int64_t>(f.ours) << " ns";
  };
  line("one way:  ", one_way);
  out << ", " << static_cast<std::int64_t>(more) << " ns more (goal: at most 100)\n";
  line("question: ", ask);
  out << ", " << static_cast<double>(static_cast<std::int64_t>(ratio * 1000)) / 1000
      << " times as long (goal: at most 1.15)\n";
  return 0;
}

int bench_actors(std::ostream& out, bool json) {
  bench_actors_options options;
  options.json = json;
  return bench_actor_hop(options, out, std::cerr);
}

} // namespace troupe
