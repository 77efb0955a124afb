#define CAF_SUITE training_chain
#include <caf/test/unit_test.hpp>

#include "actors/trainers/training_chain.hpp"

using namespace troupe;

namespace {

checkpoint_manifest link(std::string weights, std::string parent, std::uint64_t from, std::uint64_t to) {
  checkpoint_manifest m;
  m.version = {"cnn", to, std::move(weights)};
  m.parent = std::move(parent);
  m.trained_from = from;
  m.trained_to = to;
  return m;
}

} // namespace

CAF_TEST(ranges that tile are no repetition) {
  std::vector<checkpoint_manifest> m{link("c", "b", 10, 25), link("a", "", 0, 0), link("b", "a", 0, 10),
                                     link("b", "a", 0, 10)};
  const auto chain = check_training_chain(m);
  CAF_CHECK_EQUAL(chain.checkpoints, 3u);
  CAF_CHECK_EQUAL(chain.lineage, 3u);
  CAF_CHECK_EQUAL(chain.trained_to, 25u);
  CAF_CHECK_EQUAL(chain.trained_twice, 0u);
  CAF_CHECK_EQUAL(chain.gaps, 0u);
  CAF_CHECK(chain.from_start);
}

CAF_TEST(overlaps and holes are counted) {
  const std::vector<checkpoint_manifest> twice{link("a", "", 0, 0), link("b", "a", 0, 10),
                                               link("c", "b", 6, 25)};
  CAF_CHECK_EQUAL(check_training_chain(twice).trained_twice, 4u);
  const std::vector<checkpoint_manifest> deep{link("a", "", 0, 0), link("b", "a", 0, 10),
                                              link("c", "b", 10, 20), link("d", "c", 5, 30)};
  CAF_CHECK_EQUAL(check_training_chain(deep).trained_twice, 15u); // all of c, half of b
  const std::vector<checkpoint_manifest> holes{link("a", "", 0, 0), link("b", "a", 0, 10),
                                               link("c", "b", 13, 25)};
  CAF_CHECK_EQUAL(check_training_chain(holes).gaps, 3u);
  const std::vector<checkpoint_manifest> headless{link("c", "b", 13, 25)};
  CAF_CHECK(!check_training_chain(headless).from_start);
}

CAF_TEST(a line that was given up is not in the weights) {
  const std::vector<checkpoint_manifest> m{link("a", "", 0, 0), link("b", "a", 0, 10), link("x", "b", 10, 18),
                                           link("c", "b", 10, 25)};
  const auto chain = check_training_chain(m);
  CAF_CHECK_EQUAL(chain.trained_twice, 0u);
  CAF_CHECK_EQUAL(chain.abandoned, 1u);
  CAF_CHECK(chain.from_start);
}

CAF_TEST(no manifest and a ring of parents end) {
  CAF_CHECK_EQUAL(check_training_chain({}).checkpoints, 0u);
  const std::vector<checkpoint_manifest> ring{link("a", "b", 0, 5), link("b", "a", 5, 10)};
  CAF_CHECK(!check_training_chain(ring).from_start);
}
