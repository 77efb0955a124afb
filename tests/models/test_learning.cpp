#define CAF_SUITE learning
#include <caf/test/unit_test.hpp>

#include "tools/learning/learning_proof.hpp"

#include <cstdlib>
#include <iostream>

using namespace troupe;

namespace {

learning_result run(learning_options options) {
  init_model_thread();
  if (const char* seed = std::getenv("TROUPE_SEED")) options.seed = std::strtoull(seed, nullptr, 10);
  const auto out = learning_proof(options);
  CAF_REQUIRE(out);
  std::cout << to_json(*out) << '\n';
  return *out;
}

} // namespace

CAF_TEST(a planted signal is learned) {
  const auto out = run({});
  CAF_CHECK(out.learned);
  CAF_CHECK(out.all.ratio > out.tolerance); // far from chance by the same measure
  CAF_CHECK(out.all.bayes < out.all.chance);
  CAF_CHECK(out.cpu_seconds < 60);
  for (const auto& f : out.horizons) CAF_CHECK(f.ratio < 1 + 3 * f.error + 0.05); // nobody beats Bayes
}

CAF_TEST(learning rate zero learns nothing) {
  learning_options o;
  o.training.learning_rate = 0;
  const auto out = run(o);
  CAF_CHECK(out.at_chance);
  CAF_CHECK(!out.learned);
}

CAF_TEST(a random walk teaches nothing) {
  learning_options o;
  o.input = learning_input::random_walk;
  const auto out = run(o);
  CAF_CHECK(out.at_chance);
  CAF_CHECK(!out.learned);
}
