#pragma once

/// Answers what consoles ask a node: pages of the actor table, one actor's page, the tree, taps, the time
/// line. Beside the node actor, so that looking at 10,000 actors never delays a heartbeat or a command.

#include "messages/actors.hpp"
#include "messages/introspection.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/actor/message_tap.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace troupe {

/// The part of `node_actor` that only looks.
using observer_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>, rpc<actor_query>::to<actor_page>,
    rpc<inspect_request>::to<status_report>,
    rpc<tap_start, caf::strong_actor_ptr>::to<tap_page>, rpc<tap_pull>::to<tap_page>,
    rpc<tap_stop>::to<acknowledged>, rpc<timeline_query>::to<timeline_page>>;

struct observer_options {
  node_name node;
  std::uint64_t incarnation = 0;
  std::string root = "supervisor/root"; ///< where the tree begins
  /// Parts of the page `node`: key → JSON. Called inside the observer.
  std::map<std::string, std::function<std::string()>> sections;
  nanoseconds answer_within = std::chrono::seconds{1}; ///< of an actor that is asked for its state
};

/// See the head of this file.
class observer_state {
public:
  using handle_type = observer_actor;
  using self_pointer = actor_pointer<observer_actor>;
  static inline const char* name = "observer";

  observer_state(self_pointer self, actor_environment env, observer_options options);
  ~observer_state();

  observer_actor::behavior_type make_behavior();

private:
  struct open_tap {
    std::shared_ptr<message_tap> tap;
    watch_token watcher;
    timer_token end;
  };

  template <class Page>
  void sign(Page& page) const;
  reply<actor_page> page(const actor_query& query);
  reply<status_report> inspect(const inspect_request& request);
  reply<status_report> tree(const std::string& from);
  reply<status_report> actor(const std::string& name);
  [[nodiscard]] std::string node_page() const;
  [[nodiscard]] std::string actor_json(actor_stats& stats, const std::string& state, const std::string& slot) const;
  reply<tap_page> start(const tap_start& what, const caf::strong_actor_ptr& watcher);
  reply<tap_page> pull(const tap_pull& what);
  void stop(std::uint64_t tap, const std::string& why, nanoseconds keep);
  reply<timeline_page> events(const timeline_query& query) const;

  self_pointer self_;
  actor_environment env_;
  observer_options options_;
  std::map<std::uint64_t, open_tap> taps_;
  std::uint64_t answers_ = 0;
};

/// Memory, CPU time and threads of this process, as one JSON object.
std::string process_json();

} // namespace troupe
