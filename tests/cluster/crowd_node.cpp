// A node for the console's tests: console_crowd_node NODES_CONF NAME DATA ACTORS
// Runs what every node runs, and ACTORS small actors below supervisors, of which some get messages, die and
// come back all the time. `NAME/0` … `NAME/19` live until somebody else kills them; all can be killed by
// name; the verb `wedge` blocks the scheduler.

#include "messages/json.hpp"
#include "runtime/actor/supervisor_actor.hpp"
#include "tests/cluster/node_process.hpp"

#include <cstdlib>

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
  const auto prepare = [](test::node_process&, node_runtime_options& options) {
    options.node.section_actors["tree"] = "supervisor/root";
  };
  return test::run_node_process(file, name, data, prepare, [&](test::node_process& process) {
    static auto root =
        spawn_supervisor(process.system, process.env, rules("supervisor/root"), branches(process.env, name, actors));
    process.names.put("supervisor/root", {caf::actor_cast<caf::strong_actor_ptr>(root), {}, 1});
    const auto churn = std::string{"churn/"} + name;
    process.keep(churn, spawn_actor<churn_state>(process.system, spawn_options{.name = churn}, process.env,
                                                 std::string{name} + "/", actors));
    std::printf("ready\n");
    std::fflush(stdout);
  });
}

} // namespace

int main(int argc, char** argv) {
  return argc == 5 ? run_crowd(argv[1], argv[2], argv[3], std::strtoul(argv[4], nullptr, 10)) : 2;
}
