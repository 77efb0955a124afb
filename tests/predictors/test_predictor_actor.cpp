#define CAF_SUITE predictor_actor
#include <caf/test/unit_test.hpp>

#include "actors/predictors/predictor_actor.hpp"
#include "storage/store_actor.hpp"
#include "tests/models/actor_world.hpp"

#include <atomic>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

const instrument_id btc{"BTC-USDT@binance"};
constexpr market_time start{1'700'000'000'000'000'000};

feature_frame frame_at(int i, std::int64_t mid = 100'000, book_validity validity = book_validity::valid) {
  feature_frame f;
  f.instrument = btc;
  f.at = start + i * nanoseconds{10s};
  f.validity = validity;
  f.bid = {{mid - 1}, {10}};
  f.ask = {{mid + 1}, {10}};
  return f;
}

// A model that always says the same, or nothing.
model_actor::behavior_type constant_model(std::shared_ptr<std::atomic<bool>> silent) {
  return {
      [](const status_request&) { return status_report{}; },
      [silent](const inference_request&) -> reply<inference_answer> {
        if (*silent) return to_caf({make_error_code(runtime_errc::suspended), "silent"});
        inference_answer a;
        a.version = {"cnn", 3, "weights"};
        a.forecasts.assign(all_horizons.size(), forecast{200'000, 300'000, 500'000, 5});
        return a;
      },
      [](const checkpoint_chunk&) { return checkpoint_receipt{}; },
      [](const checkpoint_activate&) { return acknowledged{}; },
  };
}

// Hears predictions and looks each one up in the store at once: it must be there already.
struct listener_counts {
  std::atomic<int> heard{0};
  std::atomic<int> missing{0};
};

struct listener_state {
  using handle_type = orchestrator_actor;
  using self_pointer = actor_pointer<orchestrator_actor>;
  static inline const char* name = "listener";

  listener_state(self_pointer self, store_actor store, std::shared_ptr<listener_counts> counts)
      : self_{self}, store_{std::move(store)}, counts_{std::move(counts)} {}

  orchestrator_actor::behavior_type make_behavior() {
    return {
        [](const status_request&) { return status_report{}; },
        [this](const prediction& p) {
          ask(self_, store_, 5s, pending_request{p.instrument, p.over, 4000, {}})
              .then(
                  [this, id = p.id](const prediction_list& list) {
                    const auto there = std::ranges::any_of(list.rows, [&](const auto& row) { return row.id == id; });
                    counts_->missing += there ? 0 : 1;
                    ++counts_->heard;
                  },
                  [this](const error&) { ++counts_->missing; });
          return acknowledged{};
        },
        [](const quote&) {},
    };
  }

  self_pointer self_;
  store_actor store_;
  std::shared_ptr<listener_counts> counts_;
};

struct prediction_world : actor_world {
  std::shared_ptr<std::atomic<bool>> silent = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<listener_counts> heard = std::make_shared<listener_counts>();
  store_actor store;
  model_actor model;
  orchestrator_actor listener;
  predictor_actor predictor;

  prediction_world() {
    store = spawn_actor<store_state>(system, {.name = "store", .detached = true}, env, store_options{});
    model = system.spawn([flag = silent] { return constant_model(flag); });
    listener = spawn_actor<listener_state>(system, {.name = "orchestrator"}, store, heard);
    name("store", store);
    name("model/cnn", model);
    name("orchestrator", listener);
  }
  ~prediction_world() {
    for (const auto& h : {caf::actor_cast<caf::actor>(store), caf::actor_cast<caf::actor>(model),
                          caf::actor_cast<caf::actor>(listener), caf::actor_cast<caf::actor>(predictor)})
      if (h) send_shutdown(h);
  }
  void start_predictor() {
    predictor_actor_options o;
    o.core.instrument = btc;
    o.core.over = horizon::m1;
    o.retry = 5ms;
    predictor = spawn_actor<predictor_state>(system, {.name = "predictor"}, env, o);
    wait_status(predictor, [&](const std::string& json) {
      return field_of(json, "ready") == "true" || !names.find<store_actor>("store");
    });
  }
  void send(const feature_frame& f) { tell_anonymously(predictor, f); }
  bool settled(const char* key, std::uint64_t least) {
    return wait_status(predictor, [&](const std::string& json) { return number_of(json, key) >= least; }, 20s);
  }
  learning_counts counts() {
    const auto status = ask_now<status_report>(store, status_request{});
    CAF_REQUIRE(status);
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    CAF_REQUIRE(!parser.parse(simdjson::padded_string(status->json)).get(root));
    learning_counts out;
    const auto first = [&](const char* key) {
      std::uint64_t n = 0;
      CAF_REQUIRE(!root["learning_counts"][key].at(0).get(n));
      return n;
    };
    out.made = {first("made")};
    out.matured = {first("matured")};
    out.scored = {first("scored")};
    out.expired = {first("expired")};
    return out;
  }
};

} // namespace

CAF_TEST(a prediction is in the store before anyone hears of it) {
  prediction_world w;
  w.start_predictor();
  for (int i = 0; i < 20; ++i) {
    w.send(frame_at(i, 100'000 + i));
    CAF_REQUIRE(w.settled("told", static_cast<std::uint64_t>(i) + 1));
    while (w.heard->heard + w.heard->missing <= i) w.settled("told", 1); // looked up before it can be due
  }
  CAF_CHECK_EQUAL(w.heard->missing.load(), 0);
  CAF_REQUIRE(w.settled("outcomes_stored", 14));
  const auto c = w.counts();
  CAF_CHECK_EQUAL(c.made[0], 20u);
  CAF_CHECK_EQUAL(c.scored[0], 14u);
  CAF_CHECK_EQUAL(c.expired[0], 0u);
}

CAF_TEST(without a model it abstains and goes on) {
  prediction_world w;
  w.start_predictor();
  w.send(frame_at(0));
  CAF_REQUIRE(w.settled("told", 1));
  *w.silent = true;
  w.send(frame_at(1));
  w.send(frame_at(2, 100'000, book_validity::gap));
  CAF_REQUIRE(w.settled("abstained", 2));
  *w.silent = false;
  w.send(frame_at(3));
  CAF_REQUIRE(w.settled("told", 2));
  CAF_CHECK(w.counts().made[0] == 2u);
}

CAF_TEST(it waits for a store that comes late) {
  prediction_world w;
  w.names.clear();
  w.name("model/cnn", w.model);
  w.start_predictor();
  for (int i = 0; i < 3; ++i) w.send(frame_at(i));
  const auto status = w.ask_now<status_report>(w.predictor, status_request{});
  CAF_REQUIRE(status);
  CAF_CHECK_EQUAL(field_of(status->json, "ready"), "false");
  w.name("store", w.store);
  CAF_REQUIRE(w.settled("made", 3));
  CAF_CHECK(w.wait_status(w.predictor, [](const std::string& json) { return number_of(json, "unstored") == 0; }));
  CAF_CHECK(w.counts().made[0] == 3u);
}

CAF_TEST(the store may be away when something is due) {
  prediction_world w;
  w.start_predictor();
  w.send(frame_at(0));
  CAF_REQUIRE(w.settled("told", 1));
  w.names.clear();
  w.name("model/cnn", w.model);
  w.send(frame_at(6, 100'100));
  CAF_REQUIRE(w.settled("matured", 1));
  CAF_CHECK(w.counts().matured[0] == 0u);
  w.name("store", w.store);
  CAF_REQUIRE(w.settled("outcomes_stored", 1));
  CAF_CHECK(w.counts().scored[0] == 1u);
}

CAF_TEST(killed at any moment nothing is lost or scored twice) {
  prediction_world w;
  w.start_predictor();
  int i = 0;
  for (int life = 0; life < 6; ++life) {
    for (int k = 0; k < 9; ++k, ++i) w.send(frame_at(i, 100'000 + i));
    // Every other life is killed as soon as it has seen some frames: how far it came is anyone's guess. The
    // lives between have told at least one prediction, which is in the store by then.
    CAF_REQUIRE(life % 2 == 0 ? w.settled("frames", static_cast<std::uint64_t>(1 + life)) : w.settled("told", 1));
    w.kill(w.predictor);
    w.start_predictor();
  }
  const auto before = w.ask_now<status_report>(w.predictor, status_request{});
  CAF_REQUIRE(before);
  // Far beyond every due instant and its tolerance: all that waits comes to an end.
  w.send(frame_at(i + 100));
  CAF_REQUIRE(w.wait_status(w.predictor, [](const std::string& json) {
    return number_of(json, "frames") == 1 && number_of(json, "outcomes_waiting") == 0 && number_of(json, "told") == 1;
  }));
  const auto c = w.counts();
  CAF_CHECK(c.made[0] >= 3);
  CAF_CHECK_EQUAL(c.made[0], c.matured[0] + c.expired[0] + 1); // one is pending: made on the last frame
}
