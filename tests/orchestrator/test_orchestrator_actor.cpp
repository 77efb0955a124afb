#define CAF_SUITE orchestrator_actor
#include "actors/orchestrator/orchestrator_actor.hpp"
#include "tests/runtime/actor_fixture.hpp"

#include <stdlib.h>

#include <fstream>

using namespace troupe;
using namespace troupe::test;

namespace {

const instrument_id btc{"BTC-USDT@binance"};
const account_id account{"main@binance"};

/// What executors heard, and what they know from before.
struct heard {
  std::vector<decision> decisions;
  std::uint64_t newest = 0;
  bool answers = true;
};

struct listener_state {
  using handle_type = executor_actor;
  using self_pointer = actor_pointer<executor_actor>;
  static inline const char* name = "executor";

  listener_state(self_pointer self, heard* to) : self_{self}, to_{to} {}
  executor_actor::behavior_type make_behavior() {
    return {
        [](const status_request&) { return status_report{}; },
        [this](const decision& d) -> reply<acknowledged> {
          if (!to_->answers) return to_caf({make_error_code(runtime_errc::busy), "not now"});
          if (d.sequence > to_->newest) {
            to_->decisions.push_back(d);
            to_->newest = d.sequence;
          }
          return acknowledged{to_->newest};
        },
        [](const order_report&) {},
        [](const session_event&) {},
        [](const quote&) {},
        [](const halt_state&) {},
    };
  }
  self_pointer self_;
  heard* to_;
};

struct fixture : actor_fixture {
  fixture() {
    market.set({1'723'160'000'000'000'000});
    orchestrated_instrument i;
    i.account = account;
    i.decide.spec.id = btc;
    i.decide.spec.lot = {1};
    i.decide.policy.shape = policy_shape::sign;
    i.decide.policy.max_position = {100};
    i.decide.policy.dead_band_ppm = 0;
    options.instruments.push_back(i);
    subject = keep(
        spawn_actor<orchestrator_state>(sys, {.name = "orchestrator"}, environment(), options));
    settle();
  }

  std::string status() {
    std::string out;
    auto r = self->request(subject, caf::infinite, status_request{});
    settle();
    r.receive([&](const status_report& s) { out = s.json; }, [](const caf::error&) { CAF_FAIL("no status"); });
    return out;
  }

  /// Ends the subject as a kill does and starts the next one.
  void restart() {
    send_kill(subject);
    settle();
    subject = keep(spawn_actor<orchestrator_state>(sys, {.name = "orchestrator"}, environment(), options));
    settle();
  }

  void start_executor() {
    auto h = keep(spawn_actor<listener_state>(sys, {.name = "executor/main@binance"}, &ears));
    names.put("executor/main@binance",
              {caf::actor_cast<caf::strong_actor_ptr>(h), {}, names.next_incarnation()});
  }

  void speak(std::int32_t up_ppm, std::int64_t higher = 0) {
    const auto now = market.now();
    quote q;
    q.instrument = btc;
    q.at = now;
    q.validity = book_validity::valid;
    q.bid = {{100 + higher}, {1}};
    q.ask = {{102 + higher}, {1}};
    tell_anonymously(subject, q);
    for (const auto over : all_horizons) {
      prediction p;
      p.instrument = btc;
      p.over = over;
      p.at = now;
      p.due = now + length_of(over);
      p.id = std::to_string(now.ns);
      p.bid = q.bid;
      p.ask = q.ask;
      p.said = {1'000'000 - up_ppm, 0, up_ppm, 0};
      self->send(subject, p);
    }
    settle();
  }

  heard ears;
  orchestrator_options options;
  orchestrator_actor subject;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(orchestrator_actor_tests, fixture)

CAF_TEST(predictions become decisions with their lineage) {
  start_executor();
  speak(700'000);
  CAF_REQUIRE_EQUAL(ears.decisions.size(), 1u);
  CAF_CHECK_EQUAL(ears.decisions[0].target.raw, 100);
  CAF_CHECK_EQUAL(ears.decisions[0].predictions.size(), 4u);
  market.advance(10s);
  speak(300'000);
  CAF_REQUIRE_EQUAL(ears.decisions.size(), 2u);
  CAF_CHECK_EQUAL(ears.decisions[1].target.raw, -100);
  CAF_CHECK(ears.decisions[1].sequence > ears.decisions[0].sequence);
}

CAF_TEST(only the newest waits for an executor that is away) {
  speak(700'000);
  market.advance(10s);
  speak(600'000);
  market.advance(10s);
  speak(200'000);
  CAF_CHECK(ears.decisions.empty());
  start_executor();
  pass(100ms);
  CAF_REQUIRE_EQUAL(ears.decisions.size(), 1u);
  CAF_CHECK_EQUAL(ears.decisions[0].target.raw, -100);
}

CAF_TEST(a refused decision is offered again) {
  start_executor();
  ears.answers = false;
  speak(700'000);
  pass(50ms);
  CAF_CHECK(ears.decisions.empty());
  ears.answers = true;
  pass(100ms);
  CAF_CHECK_EQUAL(ears.decisions.size(), 1u);
}

CAF_TEST(numbers go on above those of an earlier life) {
  start_executor();
  ears.newest = static_cast<std::uint64_t>(market.now().ns / 1000) + 5'000'000'000;
  speak(700'000);
  pass(100ms);
  CAF_REQUIRE_EQUAL(ears.decisions.size(), 1u);
  CAF_CHECK(ears.decisions[0].sequence
            > static_cast<std::uint64_t>(market.now().ns / 1000) + 5'000'000'000);
}

CAF_TEST(what it learned goes on after a kill) {
  char folder[] = "/tmp/troupe-orchestrator-XXXXXX";
  CAF_REQUIRE(::mkdtemp(folder) != nullptr);
  options.memory = std::filesystem::path{folder} / "memory";
  restart();
  for (int i = 0; i < 12; ++i) {
    speak(700'000, i * 10);
    market.advance(10s);
  }
  const auto figures = [this] {
    const auto page = status();
    const auto from = page.find("\"weights\"");
    return page.substr(from, page.find('}', page.find("\"scored\"")) - from);
  };
  const auto before = figures();
  CAF_CHECK(before.find("\"scored\":{\"1m\":0,") == std::string::npos);
  restart();
  CAF_CHECK_EQUAL(figures(), before);
  // A file that can't be read is named in the log; it learns anew.
  const auto damaged = std::filesystem::path{folder} / "damaged";
  std::filesystem::create_directories(damaged);
  std::ofstream{damaged / "BTC-USDT@binance"} << "something else";
  options.memory = damaged;
  restart();
  CAF_CHECK(figures().find("\"scored\":{\"1m\":0,") != std::string::npos);
  std::filesystem::remove_all(folder);
}

CAF_TEST(its status is a JSON object with its figures) {
  start_executor();
  speak(700'000);
  const auto page = status();
  CAF_CHECK(page.find("\"decisions\":1") != std::string::npos);
  CAF_CHECK(page.find("\"weights\":{\"1m\":0.25") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
