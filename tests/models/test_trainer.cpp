#define CAF_SUITE trainer
#include <caf/test/unit_test.hpp>

#include "actors/trainers/samples.hpp"
#include "actors/trainers/trainer.hpp"
#include "tests/models/planted.hpp"

#include <cstring>

using namespace troupe;
using namespace troupe::testing;

namespace {

trainer_options options() {
  trainer_options o;
  o.network = small_network();
  o.batch = 8;
  o.replay_capacity = 64;
  o.replay_batch = 8;
  o.loss_window = 100;
  o.learning_rate = 2e-3;
  o.first_boost = 0;
  return o;
}

// Trains on `blocks` blocks behind what is consumed.
void train(trainer& t, std::size_t blocks, std::uint64_t seed = 1) {
  for (std::size_t i = 0; i < blocks; ++i) {
    const auto rows = planted_rows(small_network(), t.report().consumed + 1, t.block_size(), seed);
    CAF_REQUIRE(t.train_block(rows));
  }
}

} // namespace

CAF_TEST(resuming is bit exact) {
  init_model_thread();
  auto straight = trainer::start(options());
  auto first = trainer::start(options());
  CAF_REQUIRE(straight && first);
  train(*straight, 10);
  train(*first, 10);
  const auto half = first->make_checkpoint({1});
  first->made_durable(half.manifest);
  straight->made_durable(half.manifest);
  auto second = trainer::resume(options(), half, "half");
  CAF_REQUIRE(second);
  train(*straight, 10);
  train(*second, 10);
  const auto a = straight->make_checkpoint({2});
  const auto b = second->make_checkpoint({2});
  CAF_CHECK_EQUAL(a.manifest.version.weights, b.manifest.version.weights);
  CAF_CHECK(a.weights == b.weights);
  CAF_CHECK(a.training == b.training); // moments, replay memory, random numbers, counters, losses
  CAF_CHECK(a.manifest == b.manifest);
  CAF_CHECK_EQUAL(b.manifest.parent, half.manifest.version.weights);
  CAF_CHECK_EQUAL(b.manifest.trained_from, 80u);
  CAF_CHECK_EQUAL(b.manifest.trained_to, 160u);
  CAF_CHECK_EQUAL(second->report().trained, 160u);
  CAF_CHECK_EQUAL(second->report().replayed, straight->report().replayed);
}

CAF_TEST(nothing is trained on twice) {
  auto t = trainer::start(options());
  CAF_REQUIRE(t);
  train(*t, 2);
  const auto before = t->make_checkpoint({});
  CAF_CHECK(!t->train_block(planted_rows(small_network(), 16, 8))); // 16 is consumed
  CAF_CHECK(!t->train_block(planted_rows(small_network(), 1, 8)));
  auto repeated = planted_rows(small_network(), 17, 8);
  repeated[5] = repeated[4];
  CAF_CHECK(!t->train_block(repeated));
  CAF_CHECK(!t->train_block(planted_rows(small_network(), 17, 7))); // not a block
  CAF_CHECK(t->make_checkpoint({}).weights == before.weights);       // no effect
  CAF_CHECK(t->train_block(planted_rows(small_network(), 17, 8)));
}

CAF_TEST(rows that make no sense are refused and counted) {
  const auto o = small_network();
  const auto good = planted_row(o, 3);
  CAF_CHECK(to_sample(good, o));
  auto bad = good;
  bad.then.kind = outcome_kind::seam;
  CAF_CHECK(!to_sample(bad, o));
  bad = good;
  bad.then.label = static_cast<std::uint8_t>((bad.then.label + 1) % 3);
  CAF_CHECK(!to_sample(bad, o));
  bad = good;
  bad.then.at = bad.what.due - nanoseconds{1};
  CAF_CHECK(!to_sample(bad, o)); // before it is due
  bad = good;
  bad.frame.at = bad.frame.at + nanoseconds{1};
  CAF_CHECK(!to_sample(bad, o)); // a frame from after the prediction
  bad = good;
  bad.frame.features.bytes[0] ^= 1;
  CAF_CHECK(!to_sample(bad, o));

  auto t = trainer::start(options());
  auto rows = planted_rows(o, 1, 8);
  rows[2].then.kind = outcome_kind::seam;
  const auto score = t->train_block(rows);
  CAF_REQUIRE(score);
  CAF_CHECK_EQUAL(score->samples, 7u);
  CAF_CHECK_EQUAL(t->report().refused, 1u);
  CAF_CHECK_EQUAL(t->report().trained, 7u);
  CAF_CHECK_EQUAL(t->report().consumed, 8u);
}

CAF_TEST(a snapshot trains the head of its own horizon only) {
  auto o = options();
  o.weight_decay = 0;
  auto t = trainer::start(o);
  const auto before = t->make_checkpoint({});
  for (int block = 0; block < 3; ++block) {
    std::vector<snapshot> rows;
    for (std::uint64_t i = 0; i < 8; ++i) {
      auto row = planted_row(o.network, 4 * (8 * static_cast<std::uint64_t>(block) + i + 1)); // all of 1m
      CAF_REQUIRE(row.what.over == horizon::m1);
      rows.push_back(std::move(row));
    }
    CAF_REQUIRE(t->train_block(rows));
  }
  const auto after = t->make_checkpoint({});
  const auto rules = weight_rules(o.network);
  const auto old_heads = floats_of(*read_safetensors(before.weights, rules, "b")->find("heads.weight"));
  const auto new_heads = floats_of(*read_safetensors(after.weights, rules, "a")->find("heads.weight"));
  const auto own = static_cast<std::size_t>(4 * o.network.width);
  CAF_CHECK(!std::equal(old_heads.begin(), old_heads.begin() + static_cast<std::ptrdiff_t>(own),
                        new_heads.begin()));
  CAF_CHECK(std::equal(old_heads.begin() + static_cast<std::ptrdiff_t>(own), old_heads.end(),
                       new_heads.begin() + static_cast<std::ptrdiff_t>(own)));
  CAF_CHECK_EQUAL(after.manifest.trained_by_horizon[0], 24u);
  CAF_CHECK_EQUAL(after.manifest.trained_by_horizon[1], 0u);
}

CAF_TEST(losses are of samples unseen when scored) {
  // The first block is scored by untrained weights: both losses are equal to the bit.
  auto t = trainer::start(options());
  const auto first = t->train_block(planted_rows(small_network(), 1, 8));
  CAF_REQUIRE(first);
  CAF_CHECK_EQUAL(first->loss, first->first_loss);
  train(*t, 150);
  const auto r = t->report();
  CAF_CHECK_EQUAL(r.loss_samples, 100u);
  CAF_MESSAGE("loss " << r.loss << " of initial weights " << r.first_loss);
  CAF_CHECK(r.loss < 0.7 * r.first_loss);
  CAF_CHECK_EQUAL(r.replayed, (151u - 1u) * 8u);
}

CAF_TEST(learning rate zero changes no weight) {
  auto o = options();
  o.learning_rate = 0;
  auto t = trainer::start(o);
  const auto before = t->make_checkpoint({});
  train(*t, 10);
  const auto after = t->make_checkpoint({});
  const auto rules = weight_rules(o.network);
  const auto old_file = read_safetensors(before.weights, rules, "b");
  const auto new_file = read_safetensors(after.weights, rules, "a");
  CAF_REQUIRE(old_file && new_file);
  for (const auto& tensor : old_file->tensors)
    if (!tensor.name.starts_with("input.")) CAF_CHECK(tensor == *new_file->find(tensor.name));
}

CAF_TEST(a trainer does not go on from a damaged or foreign checkpoint) {
  auto t = trainer::start(options());
  train(*t, 2);
  const auto good = t->make_checkpoint({});
  CAF_CHECK(trainer::resume(options(), good, "x"));
  auto bad = good;
  bad.training[bad.training.size() / 2] ^= 1;
  CAF_CHECK(!trainer::resume(options(), bad, "x"));
  bad = good;
  bad.training.clear();
  CAF_CHECK(!trainer::resume(options(), bad, "x"));
  train(*t, 1);
  bad.training = t->make_checkpoint({}).training; // of a later checkpoint
  CAF_CHECK(!trainer::resume(options(), bad, "x"));
  auto wider = options();
  wider.network.width = 16;
  const auto refused = trainer::resume(wider, good, "cnn checkpoint 123");
  CAF_REQUIRE(!refused);
  CAF_CHECK_EQUAL(refused.error().text,
                  "cnn checkpoint 123: tensor stem.weight: expected shape [16, 3, 5], found [8, 3, 5]");
}
