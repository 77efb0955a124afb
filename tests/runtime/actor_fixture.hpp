#pragma once

/// Fixture for actors on CAF's deterministic test coordinator: one thread, a clock that only moves
/// when told. Include after defining CAF_SUITE.

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "messages/operator_fault.hpp"
#include "runtime/clock.hpp"

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <future>
#include <string>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

struct test_config : caf::actor_system_config {
  test_config() { register_message_types(*this); }
};

/// What the actors of a test wrote down, in order.
using journal = std::vector<std::string>;

struct actor_fixture : test_coordinator_fixture<test_config> {
  ~actor_fixture() override { end_all(); }

  /// Ends all kept actors. A derived fixture whose members they use calls it in its destructor.
  void end_all() {
    // A promise kept in a state refers to its own actor, which then never ends by itself.
    for (const auto& h : std::exchange(kept_, {}))
      send_kill(h);
    settle();
  }

  /// Ends the actor at the end of the test, whatever still refers to it.
  template <class Handle>
  Handle keep(Handle h) {
    kept_.push_back(caf::actor_cast<caf::actor>(h));
    return h;
  }

  /// Runs all messages that can run without the clock moving.
  void settle() { consume_messages(); }

  /// Moves the clock on in small steps, so that timers that start timers run in their order.
  void pass(nanoseconds d) {
    constexpr nanoseconds step = 5ms;
    for (settle(); d > 0ns; d -= step) {
      advance_time(std::min(step, d));
      settle();
    }
  }

  actor_environment environment() { return {&market, &steady, &names, 1}; }

  /// The journal's lines joined with commas; empties it.
  std::string took() {
    std::string out;
    for (const auto& line : std::exchange(notes, {}))
      out += (out.empty() ? "" : ", ") + line;
    return out;
  }

  directory names;
  manual_market_clock market;
  manual_steady_clock steady;
  journal notes;

private:
  std::vector<caf::actor> kept_;
};

/// Understands orders to misbehave.
using subject_actor =
    caf::typed_actor<rpc<status_request>::to<status_report>, rpc<admin_command>::to<admin_result>>;

/// Does what an admin_command's verb says: fail, quit, shutdown, throw, stubborn, never (answers),
/// note TEXT.
struct subject_state {
  using handle_type = subject_actor;
  static inline const char* name = "subject";

  subject_state(actor_pointer<subject_actor> self, journal* notes) : self_{self}, notes_{notes} {
    note("+");
  }
  ~subject_state() { note("-"); }

  void note(const std::string& what) {
    if (notes_) notes_->push_back(what + self_->core().name());
  }

  subject_actor::behavior_type make_behavior() {
    return {
        [this](const status_request& r) -> reply<status_report> {
          if (r.verbosity == 200) return to_caf({runtime_errc::busy, "not now"});
          return status_report{self_->core().name(), "{}"};
        },
        [this](const admin_command& c) -> reply<admin_result> { return obey(c); },
    };
  }

  reply<admin_result> obey(const admin_command& c) {
    if (c.verb == "throw") throw std::runtime_error("out of luck");
    if (c.verb == "quit") stop(self_);
    if (c.verb == "fail") stop(self_, {runtime_errc::busy, "had enough"});
    if (c.verb == "mend") stop(self_, for_operator({runtime_errc::busy, "file x is damaged; restore it"}));
    if (c.verb == "shutdown") self_->quit(caf::exit_reason::user_shutdown);
    if (c.verb == "stubborn") self_->set_exit_handler([](caf::exit_msg&) {});
    if (c.verb == "never") {
      held_.push_back(make_promise<admin_result>(self_));
      return held_.back();
    }
    if (c.verb == "note") notes_->push_back(c.target);
    return admin_result{true, c.verb};
  }

  actor_pointer<subject_actor> self_;
  journal* notes_;
  std::vector<promise<admin_result>> held_;
};

inline admin_command order(std::string verb, std::string target = {}) {
  return {std::move(verb), std::move(target), {}, "test"};
}

/// Runs a function inside an actor and lets it use the free functions.
using tester_actor = caf::typed_actor<rpc<status_request>::to<status_report>>;

struct tester_state {
  using handle_type = tester_actor;
  using body = std::function<void(actor_pointer<tester_actor>)>;
  static inline const char* name = "tester";

  tester_state(actor_pointer<tester_actor> self, body run) : self_{self}, run_{std::move(run)} {}

  tester_actor::behavior_type make_behavior() {
    run_(self_);
    return {[](const status_request&) { return status_report{"tester", "{}"}; }};
  }

  actor_pointer<tester_actor> self_;
  body run_;
};

/// A configuration with threads of its own, for what blocks.
struct real_config : test_config {
  real_config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{2});
  }
};

/// Blocks in a handler until told from outside: an exit message can't end it.
struct blocking_state {
  using handle_type = subject_actor;
  static inline const char* name = "blocking";
  blocking_state(actor_pointer<subject_actor>, std::shared_future<void> release) : release_{std::move(release)} {}
  subject_actor::behavior_type make_behavior() {
    return {[](const status_request&) { return status_report{}; },
            [this](const admin_command&) {
              release_.wait();
              return admin_result{};
            }};
  }
  std::shared_future<void> release_;
};

} // namespace troupe::test
