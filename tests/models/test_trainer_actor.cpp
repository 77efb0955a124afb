#define CAF_SUITE trainer_actor
#include <caf/test/unit_test.hpp>

#include "actors/models/model_actor.hpp"
#include "actors/trainers/trainer_actor.hpp"
#include "actors/trainers/training_chain.hpp"
#include "storage/store_actor.hpp"
#include "tests/models/actor_world.hpp"
#include "tests/models/planted.hpp"

#include <cstdlib>
#include <iostream>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

struct learning_world : actor_world {
  store_actor store;
  model_actor model;
  trainer_actor trainer;

  trainer_options training() const {
    trainer_options o;
    o.network = small_network();
    o.batch = 8;
    o.replay_capacity = 32;
    o.replay_batch = 8;
    return o;
  }

  void start_store() {
    store_options o;
    o.checkpoints = folder / "store";
    o.keep_checkpoints = 0;
    store = spawn_actor<store_state>(system, {.name = "store", .detached = true}, env, o);
    name("store", store);
  }
  void start_model() {
    model_actor_options o;
    o.network = small_network();
    o.checkpoints = folder / "model";
    model = spawn_actor<model_state>(system, {.name = "model/cnn", .detached = true}, env, o);
    name("model/cnn", model);
  }
  void start_trainer() {
    trainer_actor_options o;
    o.training = training();
    o.data = folder / "train";
    o.tick = 5ms;
    o.ask_timeout = 2s;
    o.checkpoint_samples = 24;
    o.checkpoint_every = 50ms;
    trainer = spawn_actor<trainer_state>(system, {.name = "trainer/cnn", .detached = true}, env, o);
    name("trainer/cnn", trainer);
  }

  void mature(std::uint64_t from, std::uint64_t to) {
    for (auto sequence = from; sequence <= to; ++sequence) {
      auto row = planted_row(small_network(), sequence);
      const auto then = row.then;
      row.then = {};
      row.training_sequence = 0;
      const auto id = row.what.id;
      CAF_REQUIRE(ask_now<acknowledged>(store, snapshot_put{std::move(row)}));
      const auto place = ask_now<acknowledged>(store, snapshot_mature{id, then});
      CAF_REQUIRE(place);
      CAF_REQUIRE_EQUAL(place->sequence, sequence);
    }
  }

  // All manifests the trainer has made durable.
  std::vector<checkpoint_manifest> manifests() {
    auto opened = checkpoint_store::open(real_disk(), {.root = folder / "train" / "checkpoints"});
    CAF_REQUIRE(opened);
    return opened->list("cnn").value_or({});
  }

  void stop_all() {
    for (const auto& h : {caf::actor_cast<caf::actor>(store), caf::actor_cast<caf::actor>(model),
                          caf::actor_cast<caf::actor>(trainer)})
      if (h) send_shutdown(h);
  }
};

// Weights after training on rows 1…to without any interruption.
std::string straight_weights(const trainer_options& o, std::uint64_t to) {
  auto t = trainer::start(o);
  while (t->report().consumed < to)
    if (!t->train_block(planted_rows(o.network, t->report().consumed + 1, o.batch))) return "failed";
  return t->make_checkpoint({}).manifest.version.weights;
}

} // namespace

CAF_TEST(what matures is learned from and served) {
  learning_world w;
  w.start_store();
  w.start_model();
  w.start_trainer();
  // The first weights are a checkpoint like any other.
  CAF_REQUIRE(
      w.wait_status(w.model, [](const std::string& json) { return field_of(json, "ready") == "true"; }));
  w.mature(1, 200);
  CAF_REQUIRE(
      w.wait_status(w.trainer, [](const std::string& json) { return number_of(json, "consumed") == 200; }));
  std::string weights;
  CAF_REQUIRE(w.wait_status(w.trainer, [&](const std::string& json) {
    weights = field_of(json, "weights");
    return field_of(json, "published") == weights && field_of(json, "first_weights") != weights
           && number_of(json, "trained") == 200 && number_of(json, "checkpoints") >= 2;
  }));
  CAF_CHECK(
      w.wait_status(w.model, [&](const std::string& json) { return number_of(json, "trained_to") == 200; }));
  const auto chain = check_training_chain(w.manifests());
  CAF_CHECK_EQUAL(chain.trained_to, 200u);
  CAF_CHECK_EQUAL(chain.trained_twice, 0u);
  CAF_CHECK_EQUAL(chain.gaps, 0u);
  CAF_CHECK(chain.from_start);

  // A model that lost everything gets the newest checkpoint again.
  w.kill(w.model);
  std::filesystem::remove_all(w.folder / "model");
  w.start_model();
  CAF_CHECK(
      w.wait_status(w.model, [&](const std::string& json) { return number_of(json, "trained_to") == 200; }));
  w.stop_all();
}

CAF_TEST(killed at any moment it trains nothing twice) {
  const char* given = std::getenv("TROUPE_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : 3u;
  std::cout << "seed " << seed << '\n';
  random_stream random{seed};
  learning_world w;
  w.start_store();
  w.start_model();
  constexpr std::uint64_t all = 640;
  w.mature(1, all);
  std::uint64_t until = 0;
  for (int life = 0; life < 8; ++life) {
    w.start_trainer();
    until = std::min(all - 1, until + random.below(110));
    w.wait_status(w.trainer, [&](const std::string& json) { return number_of(json, "consumed") >= until; });
    w.kill(w.trainer);
    if (life != 3) continue;
    w.kill(w.model);
    w.start_model();
  }
  w.start_trainer();
  CAF_REQUIRE(w.wait_status(w.trainer, [&](const std::string& json) {
    return number_of(json, "consumed") == all && number_of(json, "newest_in_store") == all;
  }));
  CAF_REQUIRE(
      w.wait_status(w.model, [](const std::string& json) { return number_of(json, "trained_to") == all; }));
  const auto status = w.ask_now<status_report>(w.trainer, status_request{});
  CAF_REQUIRE(status);
  CAF_CHECK_EQUAL(number_of(status->json, "trained"), all);
  CAF_CHECK_EQUAL(number_of(status->json, "refused"), 0u);
  const auto manifests = w.manifests();
  const auto chain = check_training_chain(manifests);
  CAF_MESSAGE(chain.checkpoints << " checkpoints, " << chain.abandoned << " abandoned");
  CAF_CHECK_EQUAL(chain.trained_to, all);
  CAF_CHECK_EQUAL(chain.trained_twice, 0u);
  CAF_CHECK_EQUAL(chain.gaps, 0u);
  CAF_CHECK(chain.from_start);
  // Bit for bit what a trainer that never died has.
  CAF_CHECK_EQUAL(field_of(status->json, "weights"), straight_weights(w.training(), all));
  w.stop_all();
}

CAF_TEST(a checkpoint of another shape stops the trainer with words) {
  learning_world w;
  w.start_store();
  w.start_trainer();
  CAF_REQUIRE(
      w.wait_status(w.trainer, [](const std::string& json) { return number_of(json, "checkpoints") == 1; }));
  w.kill(w.trainer);
  trainer_actor_options o;
  o.training = w.training();
  o.training.network.width = 16;
  o.data = w.folder / "train";
  const auto before = w.manifests().size();
  caf::scoped_actor self{w.system};
  auto other = spawn_actor<trainer_state>(w.system, {.name = "trainer/cnn", .detached = true}, w.env, o);
  self->monitor(other);
  troupe::error why;
  self->receive([&](caf::down_msg& down) { why = from_caf(down.reason); });
  CAF_CHECK(why.text.find("expected shape [16, 3, 5], found [8, 3, 5]") != std::string::npos);
  CAF_CHECK_EQUAL(w.manifests().size(), before); // nothing was written
  w.stop_all();
}
