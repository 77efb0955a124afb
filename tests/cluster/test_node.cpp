// A small node for tests: cluster_test_node NODES_CONF NAME DATA [CERTIFICATES [FAULTS]]
// Runs what every node runs and one actor "echo/NAME". The verb `wedge` blocks every worker of the
// scheduler, `block` one of them, `exit` ends the process with the code in the argument `code`, `blob` answers with as many bytes as the
// argument `bytes` says.

#include "messages/json.hpp"
#include "tests/cluster/node_process.hpp"

#include <cstdlib>

namespace {

using namespace troupe;

struct echo_state {
  using handle_type = observable_actor;
  using self_pointer = actor_pointer<observable_actor>;
  static inline const char* name = "echo";
  explicit echo_state(self_pointer self) : self_{self} {}
  observable_actor::behavior_type make_behavior() {
    return {[this](const status_request&) -> reply<status_report> {
      json_writer w;
      w.begin_object().field("pid", ::getpid()).end_object();
      return status_report{.name = self_->core().name(), .json = std::move(w).text()};
    }};
  }
  self_pointer self_;
};

/// Its handler does not return.
struct stuck_state {
  using handle_type = caf::typed_actor<on<acknowledged>>;
  using self_pointer = actor_pointer<handle_type>;
  static inline const char* name = "stuck";
  explicit stuck_state(self_pointer) {}
  handle_type::behavior_type make_behavior() {
    return {[](const acknowledged&) {
      for (;;) ::pause();
    }};
  }
};

int run(const char* file, const char* name, const char* data, const char* certificates, const char* faults) {
  const auto prepare = [&](test::node_process& process, node_runtime_options& options) {
    options.front.directory = certificates;
    options.front.faults = faults;
    options.node.verbs["exit"] = [](auto, const admin_command& c, const admin_answer&) {
      ::_exit(std::atoi(c.arguments.at("code").c_str()));
    };
    options.node.verbs["blob"] = [](auto, const admin_command& c, const admin_answer& answer) {
      std::string out(std::strtoull(c.arguments.at("bytes").c_str(), nullptr, 10), '\0');
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(i * 31 + i / 251);
      answer({true, std::move(out)});
    };
    options.node.verbs["block"] = [&process](auto, const admin_command&, const admin_answer& answer) {
      static const auto one = spawn_actor<stuck_state>(process.system, spawn_options{.name = "local/stuck"});
      tell_anonymously(one, acknowledged{1});
      answer({true, "blocked"});
    };
  };
  return test::run_node_process(file, name, data, prepare, [&](test::node_process& process) {
    const auto echo = std::string{"echo/"} + name;
    process.keep(echo, spawn_actor<echo_state>(process.system, spawn_options{.name = echo}));
  });
}

} // namespace

int main(int argc, char** argv) {
  const auto given = [&](int at) { return at < argc ? argv[at] : ""; };
  return argc >= 4 && argc <= 6 ? run(argv[1], argv[2], argv[3], given(4), given(5)) : 2;
}
