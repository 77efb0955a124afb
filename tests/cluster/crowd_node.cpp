// A node for the console's tests: console_crowd_node NODES_CONF NAME DATA ACTORS
// Runs what every node runs, and ACTORS small actors below supervisors, of which some get messages, die and
// come back all the time. `NAME/0` … `NAME/19` live until somebody else kills them; all can be killed by
// name; the verb `wedge` blocks the scheduler.

#include "messages/json.hpp"
#include "runtime/actor/supervisor_actor.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/node_runtime.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/restart_policy.hpp"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace {

using namespace troupe;
using namespace std::chrono_literals;

constexpr std::size_t children_of_one = 250;

/// Counts what it is sent; its state says how much.
struct member_of_crowd {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "crowd";
  explicit member_of_crowd(self_pointer self) : self_{self} {}
  observable_actor::behavior_type make_behavior() {
    return {[this](const status_request&) -> reply<status_report> {
      json_writer w;
      w.begin_object().field("asked", ++asked_).field("mood", "fine").end_object();
      return status_report{.name = self_->core().name(), .json = std::move(w).text()};
    }};
  }
  self_pointer self_;
  std::uint64_t asked_ = 0;
};

/// Asks some of the crowd each tick and kills one.
struct churn_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "churn";
  churn_state(self_pointer self, actor_environment env, std::string prefix, std::size_t crowd)
      : self_{self}, env_{env}, prefix_{std::move(prefix)}, crowd_{crowd} {}
  observable_actor::behavior_type make_behavior() {
    tick();
    return {[this](const status_request&) -> reply<status_report> {
      json_writer w;
      w.begin_object().field("ticks", ticks_).end_object();
      return status_report{.name = self_->core().name(), .json = std::move(w).text()};
    }};
  }

private:
  void tick() {
    constexpr std::size_t asked_each_tick = 50;
    constexpr std::size_t last_killed = 20;
    for (std::size_t i = 0; i < asked_each_tick; ++i) {
      next_ = (next_ + 37) % crowd_;
      const auto whom = env_.names->find<observable_actor>(prefix_ + std::to_string(next_));
      ask(self_, whom, 1s, status_request{}).then([](const status_report&) {}, [](const error&) {});
    }
    if (++ticks_ % 5 == 0 && next_ >= last_killed)
      if (const auto whom = env_.names->find<observable_actor>(prefix_ + std::to_string(next_)))
        send_kill(caf::actor_cast<caf::actor>(whom));
    schedule(self_, 100ms, [this] { tick(); });
  }

  self_pointer self_;
  actor_environment env_;
  std::string prefix_;
  std::size_t crowd_;
  std::size_t next_ = 0;
  std::uint64_t ticks_ = 0;
};

/// Blocks the worker it runs on for ever.
struct crowd_blocker_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "blocker";
  explicit crowd_blocker_state(self_pointer) {}
  observable_actor::behavior_type make_behavior() {
    for (;;) ::pause();
  }
};

supervisor_options rules(std::string name) {
  supervisor_options out{.name = std::move(name)};
  // Deaths are what this node is for: no number of them is too many.
  out.rules.intensity = 1'000'000;
  return out;
}

std::vector<child_definition> branches(actor_environment env, const std::string& name, std::size_t actors) {
  std::vector<child_definition> out;
  for (std::size_t from = 0; from < actors; from += children_of_one) {
    std::vector<child_definition> workers;
    for (auto i = from; i < std::min(actors, from + children_of_one); ++i)
      workers.push_back(child<member_of_crowd>({.id = name + "/" + std::to_string(i)}, {}));
    out.push_back(child_supervisor(env, rules("supervisor/" + name + std::to_string(from / children_of_one)),
                                   std::move(workers)));
  }
  return out;
}

int run_crowd(const char* file, const char* name, const char* data, std::size_t actors) {
  block_stop_signals();
  auto stem = std::make_shared<stem_link>(stem_link::from_environment());
  auto conf = load_nodes_conf(file);
  if (!conf) {
    std::fprintf(stderr, "%s\n", conf.error().text.c_str());
    return exit_configuration;
  }
  static monotonic_clock steady;
  static wall_clock market;
  static directory names;
  const actor_environment env{&market, &steady, &names, static_cast<std::uint64_t>(::getpid())};
  static system_config config{{.threads = 2}};
  static caf::actor_system system{config};
  static std::vector<observable_actor> kept;
  node_runtime_options options;
  options.conf = std::move(conf).value();
  options.name = name;
  options.data = data;
  options.build = "test";
  options.stem = stem;
  options.node.section_actors["tree"] = "supervisor/root";
  options.node.verbs["wedge"] = [](auto, const admin_command&, const admin_answer& answer) {
    for (int i = 0; i < 8; ++i)
      kept.push_back(spawn_actor<crowd_blocker_state>(system, spawn_options{.name = "local/blocker"}));
    answer({true, "wedged"});
  };
  static auto node = start_node(system, env, std::move(options));
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().text.c_str());
    end_process(1);
  }
  static auto root = spawn_supervisor(system, env, rules("supervisor/root"), branches(env, name, actors));
  names.put("supervisor/root", {caf::actor_cast<caf::strong_actor_ptr>(root), {}, 1});
  const auto churn = std::string{"churn/"} + name;
  kept.push_back(
      spawn_actor<churn_state>(system, spawn_options{.name = churn}, env, std::string{name} + "/", actors));
  names.put(churn, {caf::actor_cast<caf::strong_actor_ptr>(kept.back()), {}, 1});
  node->ready();
  std::printf("ready\n");
  std::fflush(stdout);
  wait_for_stop();
  shutdown_plan{}.step("farewell", 1s, [] { node->leave(system); }).run(0);
}

} // namespace

int main(int argc, char** argv) {
  return argc == 5 ? run_crowd(argv[1], argv[2], argv[3], std::strtoul(argv[4], nullptr, 10)) : 2;
}
