#define CAF_SUITE hazards
#include "messages/tensor.hpp"
#include "runtime/actor/watchdog.hpp"
#include "tests/runtime/actor_fixture.hpp"

#include <caf/test/io_dsl.hpp>

#include <cmath>
#include <limits>

using namespace troupe;
using namespace troupe::test;

namespace {

// --- two nodes in one thread
// -----------------------------------------------------------------------

struct node_config : caf::actor_system_config {
  node_config() {
    register_message_types(*this);
    load<caf::io::middleman>();
  }
};

struct two_nodes : point_to_point_fixture<test_coordinator_fixture<node_config>> {
  ~two_nodes() {
    for (const auto& h : kept)
      send_kill(h);
    settle();
  }

  template <class Handle>
  Handle keep(Handle h) {
    kept.push_back(caf::actor_cast<caf::actor>(h));
    return h;
  }

  std::vector<caf::actor> kept;

  /// Connects earth to an actor on mars.
  template <class Handle>
  Handle connect(const Handle& on_mars) {
    prepare_connection(mars, earth, "mars", 8080u);
    CAF_CHECK_EQUAL(mars.publish(on_mars, 8080), 8080u);
    return earth.remote_actor<Handle>("mars", 8080);
  }

  /// Moves messages and bytes, not the clocks.
  void settle() {
    const auto step = [](auto& node) {
      return node.sched.try_run_once() || node.mpx.read_data() || node.mpx.try_exec_runnable()
             || node.mpx.try_accept_connection();
    };
    // The test multiplexer hands bytes on one look later than they are written.
    for (int idle = 0; idle < 3;)
      idle = step(earth) || step(mars) ? 0 : idle + 1;
  }

  void pass_on_earth(nanoseconds d) {
    for (; d > 0ns; d -= 10ms) {
      earth.advance_time(10ms);
      settle();
    }
  }

  journal notes;
};

/// Answers an inference request's frame with the tensor it came with.
using mirror_actor = caf::typed_actor<rpc<packed_tensor>::to<packed_tensor>>;

struct mirror_state {
  using handle_type = mirror_actor;
  static inline const char* name = "mirror";
  explicit mirror_state(actor_pointer<mirror_actor>) {}
  mirror_actor::behavior_type make_behavior() {
    return {[](const packed_tensor& t) { return t; }};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(network_hazards, two_nodes)

CAF_TEST(infinities_and_nan_survive_the_packed_encoding_between_nodes) {
  auto mirror = connect(keep(spawn_actor<mirror_state>(mars.sys, {})));
  const std::vector<float> sent{
      std::numeric_limits<float>::infinity(),   -std::numeric_limits<float>::infinity(),
      std::numeric_limits<float>::quiet_NaN(),  -0.0f,
      std::numeric_limits<float>::denorm_min(), 1.5f};
  std::optional<packed_tensor> came;
  auto t = keep(spawn_actor<tester_state>(earth.sys, {}, [&](auto* self) {
    ask(self, mirror, 1s, pack_f32(sent, {6}))
        .then([&](const packed_tensor& p) { came = p; },
              [&](const error& e) { notes.push_back(e.message()); });
  }));
  settle();
  CAF_REQUIRE(came.has_value());
  const auto back = unpack_f32(*came);
  CAF_REQUIRE(back.has_value());
  for (std::size_t i = 0; i < sent.size(); ++i)
    CAF_CHECK_EQUAL(std::bit_cast<std::uint32_t>((*back)[i]),
                    std::bit_cast<std::uint32_t>(sent[i]));
}

CAF_TEST(asks_and_answers_cross_nodes) {
  auto subject = connect(keep(spawn_actor<subject_state>(mars.sys, {.name = "far"}, &notes)));
  notes.clear();
  auto t = keep(spawn_actor<tester_state>(earth.sys, {}, [&](auto* self) {
    const auto fail = [&](const error& e) { notes.push_back(e.message()); };
    ask(self, subject, 1s, status_request{})
        .then([&](const status_report& r) { notes.push_back(r.name); }, fail);
    ask(self, subject, 1s, status_request{200})
        .then([&](const status_report& r) { notes.push_back(r.name); }, fail);
  }));
  settle();
  CAF_REQUIRE_EQUAL(notes.size(), 2u);
  CAF_CHECK_EQUAL(notes[0], "far");
  CAF_CHECK_EQUAL(notes[1], "not now (runtime: busy)");
}

CAF_TEST(an_ask_to_a_lost_node_fails_by_its_time_out) {
  auto subject = connect(keep(spawn_actor<subject_state>(mars.sys, {.name = "far"}, &notes)));
  auto t = keep(spawn_actor<tester_state>(earth.sys, {}, [&](auto* self) {
    ask(self, subject, 300ms, order("never"))
        .then([&](const admin_result&) {}, [&](const error& e) { notes.push_back(e.message()); });
  }));
  settle();
  CAF_CHECK_EQUAL(pending_asks::instance().size(), 1u);
  notes.clear();
  pass_on_earth(290ms);
  CAF_CHECK(notes.empty());
  pass_on_earth(20ms);
  CAF_REQUIRE_EQUAL(notes.size(), 1u);
  CAF_CHECK(notes[0].find("of another node within 300 ms (runtime: no answer in time)")
            != std::string::npos);
  CAF_CHECK_EQUAL(pending_asks::instance().size(), 0u);
}

CAF_TEST(all_asks_to_a_node_fail_at_once_when_it_goes_down) {
  auto subject = connect(keep(spawn_actor<subject_state>(mars.sys, {.name = "far"}, &notes)));
  auto near = keep(spawn_actor<subject_state>(earth.sys, {.name = "near"}, &notes));
  auto t = keep(spawn_actor<tester_state>(earth.sys, {}, [&](auto* self) {
    const auto fail = [&](const error& e) { notes.push_back(e.message()); };
    for (int i = 0; i < 5; ++i)
      ask(self, subject, 1h, order("never")).then([](const admin_result&) {}, fail);
    ask(self, near, 1h, order("never")).then([](const admin_result&) {}, fail);
  }));
  settle();
  CAF_CHECK_EQUAL(pending_asks::instance().size(), 5u);
  notes.clear();
  CAF_CHECK_EQUAL(fail_pending(subject.node(), "mars"), 5u);
  settle();
  CAF_CHECK_EQUAL(notes.size(), 5u);
  for (const auto& line : notes)
    CAF_CHECK_EQUAL(line, "node mars is down (runtime: node is down)");
  CAF_CHECK_EQUAL(fail_pending(subject.node(), "mars"), 0u);
  send_kill(t);
  settle();
}

CAF_TEST(an_actor_that_ends_leaves_no_pending_asks) {
  auto subject = connect(keep(spawn_actor<subject_state>(mars.sys, {.name = "far"}, &notes)));
  auto t = keep(spawn_actor<tester_state>(earth.sys, {}, [&](auto* self) {
    ask(self, subject, 1h, order("never")).then([](const admin_result&) {}, [](const error&) {});
  }));
  settle();
  CAF_CHECK_EQUAL(pending_asks::instance().size(), 1u);
  send_kill(t);
  settle();
  CAF_CHECK_EQUAL(pending_asks::instance().size(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()

// --- real threads
// ----------------------------------------------------------------------------------

namespace {

template <class Predicate>
bool eventually(Predicate true_at_last, std::chrono::seconds limit = 5s) {
  const auto end = monotonic_ns() + nanoseconds{limit}.count();
  while (!true_at_last()) {
    if (monotonic_ns() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace

CAF_TEST(a_handler_that_does_not_return_is_reported_once_as_slow_and_once_as_stuck) {
  real_config config;
  caf::actor_system system{config};
  std::promise<void> release;
  auto blocker = spawn_actor<blocking_state>(system, {.name = "blocker", .detached = true},
                                            release.get_future().share());
  std::atomic<int> slow{0};
  std::atomic<int> stuck{0};
  std::string what;
  watchdog_options options{.slow = 30ms, .stuck = 120ms, .every = 5ms};
  options.on_slow = [&](const running_handler& h) {
    what = h.actor + " " + h.message;
    ++slow;
  };
  options.on_stuck = [&](const running_handler&) { ++stuck; };
  {
    watchdog dog{options};
    tell_anonymously(blocker, order("block"));
    CAF_CHECK(eventually([&] { return stuck == 1; }));
    const auto until = monotonic_ns() + 100'000'000;
    CAF_CHECK(eventually([&] { return monotonic_ns() > until; }));
  }
  CAF_CHECK_EQUAL(slow.load(), 1);
  CAF_CHECK_EQUAL(stuck.load(), 1);
  CAF_CHECK_EQUAL(what, "blocker admin_command");
  CAF_CHECK(actor_table::instance().find("blocker").handler_running >= 120ms);
  release.set_value();
}

CAF_TEST(a_named_detached_actor_does_not_hold_up_the_end_of_the_system) {
  // Left in CAF's registry such an actor hangs the destructor of the system; ours is emptied first.
  std::promise<void> done;
  auto ended = done.get_future();
  std::thread thread{[&] {
    directory names;
    {
      real_config config;
      caf::actor_system system{config};
      for (int i = 0; i < 20; ++i) {
        const auto name = "detached/" + std::to_string(i);
        auto h = spawn_actor<blocking_state>(system, {.name = name, .detached = true},
                                            std::shared_future<void>{});
        names.put(name, {caf::actor_cast<caf::strong_actor_ptr>(h), {}, names.next_incarnation()});
      }
      names.clear();
    }
    done.set_value();
  }};
  const bool in_time = ended.wait_for(5s) == std::future_status::ready;
  CAF_CHECK(in_time);
  if (in_time)
    thread.join();
  else
    thread.detach();
}
