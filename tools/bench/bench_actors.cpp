#include "tools/bench/bench_actors.hpp"

#include "messages/actors.hpp"
#include "messages/cluster.hpp"
#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/clock.hpp"
#include "tools/bench/benchmarks.hpp"

#include <algorithm>
#include <cstdio>
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
  caf::duration timeout = caf::infinite;
};

void bare_next(driver_actor::stateful_pointer<bare_driver_state> self, const target_actor& target,
               const std::shared_ptr<countdown>& asks) {
  self->request(target, self->state.timeout, status_request{})
      .then(
          [=](const status_report&) {
            const bool more = asks->left > 1;
            asks->one();
            if (more) bare_next(self, target, asks);
          },
          [](caf::error&) {});
}

driver_actor::behavior_type bare_driver(driver_actor::stateful_pointer<bare_driver_state> self,
                                        target_actor target, std::shared_ptr<countdown> asks,
                                        bool with_timeout) {
  if (with_timeout) self->state.timeout = caf::duration{1s};
  return {[=](const acknowledged& start) {
    if (start.sequence == 0) return bare_next(self, target, asks);
    for (std::uint64_t i = 0; i < start.sequence; ++i)
      self->send(target, acknowledged{i});
  }};
}

// --- one run
// ---------------------------------------------------------------------------------------

/// Whose actors run.
enum class way { bare, bare_with_timeout, ours };

struct pair {
  target_actor target;
  driver_actor driver;
};

pair spawn_pair(caf::actor_system& system, way how, const std::shared_ptr<countdown>& count) {
  if (how != way::ours) {
    auto target = system.spawn(bare_target, count);
    return {target, system.spawn(bare_driver, target, count, how == way::bare_with_timeout)};
  }
  auto target = spawn_actor<target_state>(system, {}, count);
  return {target, spawn_actor<driver_state>(system, {}, target, count)};
}

/// Nanoseconds per message or question.
double run(caf::actor_system& system, way how, bool asking, std::uint64_t count) {
  auto all = std::make_shared<countdown>();
  all->left = count;
  auto done = all->done.get_future();
  const auto actors = spawn_pair(system, how, all);
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
  double bare_with_timeout = 0;
  double ours = 0;

  [[nodiscard]] double more() const { return ours - bare; }
  /// Like for like: ours always has a time-out.
  [[nodiscard]] double ratio() const {
    return bare_with_timeout > 0 ? ours / bare_with_timeout : 0;
  }
  [[nodiscard]] double ratio_to_untimed() const { return bare > 0 ? ours / bare : 0; }
};

/// Alternates the ways, so that all see the same machine.
figures compare(caf::actor_system& system, int rounds, bool asking, std::uint64_t count) {
  std::vector<double> bare;
  std::vector<double> timed;
  std::vector<double> ours;
  for (int i = 0; i < rounds; ++i) {
    bare.push_back(run(system, way::bare, asking, count));
    if (asking) timed.push_back(run(system, way::bare_with_timeout, asking, count));
    ours.push_back(run(system, way::ours, asking, count));
  }
  return {median(std::move(bare)), median(std::move(timed)), median(std::move(ours))};
}

void print_json(const figures& one_way, const figures& ask,
                const std::vector<link_results>& links, int rounds,
                std::ostream& out) {
  json_writer w;
  w.begin_object().field("bench", "actors").field("rounds", rounds);
  w.key("one_way")
      .begin_object()
      .field("bare_ns", one_way.bare, 1)
      .field("ours_ns", one_way.ours, 1);
  w.field("more_ns", one_way.more(), 1).field("goal_more_ns", 100).end_object();
  w.key("ask").begin_object().field("bare_ns", ask.bare, 1).field("ours_ns", ask.ours, 1);
  w.field("bare_with_timeout_ns", ask.bare_with_timeout, 1);
  w.field("ratio_to_untimed", ask.ratio_to_untimed(), 3);
  w.field("ratio", ask.ratio(), 3).field("goal_ratio", 1.15, 2).end_object().key("links").begin_array();
  for (const auto& link : links) write_json(link, w);
  w.end_array().end_object();
  out << w.text() << "\n";
}

void print_text(const figures& one_way, const figures& ask, std::ostream& out) {
  char line[300];
  std::snprintf(
      line, sizeof line,
      "one way:  bare CAF %.0f ns, with introspection %.0f ns, %+.0f ns (goal: at most +100)\n",
      one_way.bare, one_way.ours, one_way.more());
  out << line;
  std::snprintf(
      line, sizeof line,
      "question: bare CAF %.0f ns, with introspection %.0f ns, %.2f times (goal: at most 1.15);\n"
      "          bare CAF without a time-out %.0f ns, %.2f times\n",
      ask.bare_with_timeout, ask.ours, ask.ratio(), ask.bare, ask.ratio_to_untimed());
  out << line;
}

/// The figures within this process.
struct hop_figures {
  figures one_way;
  figures ask;
};

hop_figures compare_hops(const bench_actors_options& options) {
  caf::actor_system_config config;
  register_message_types(config);
  config.set("scheduler.policy", caf::atom("sharing"))
      .set("scheduler.max-throughput", std::size_t{300});
  caf::actor_system system{config};
  return {compare(system, options.rounds, false, options.messages),
          compare(system, options.rounds, true, options.asks)};
}

} // namespace

int bench_actor_hop(const bench_actors_options& options, std::ostream& out, std::ostream& words) {
  const auto refuse = [&](const error& why) {
    words << why.message() << "\n";
    return 1;
  };
  // First of all: a process with threads can't be forked.
  auto plain = link_peer::start(false);
  if (!plain) return refuse(plain.error());
  auto tls = link_peer::start(true);
  if (!tls) return refuse(tls.error());
  words << "actors: " << options.rounds << " alternating runs of " << options.messages
        << " messages and " << options.asks << " questions; then " << options.links.rounds << " of "
        << options.links.batches << " batches to another process, plain and over TLS\n";
  const auto hops = compare_hops(options);
  std::vector<link_results> links;
  for (auto* peer : {&plain.value(), &tls.value()}) {
    auto link = bench_link(*peer, links.empty() ? "plain" : "TLS", options.links);
    if (!link) return refuse(link.error());
    links.push_back(std::move(link).value());
  }
  if (options.json) {
    print_json(hops.one_way, hops.ask, links, options.rounds, out);
    return 0;
  }
  print_text(hops.one_way, hops.ask, out);
  for (const auto& link : links) print_text(link, out);
  return 0;
}

int bench_actors(std::ostream& out, bool json) {
  bench_actors_options options;
  options.json = json;
  return bench_actor_hop(options, out, std::cerr);
}

} // namespace troupe
