#define CAF_SUITE network
#include <caf/test/unit_test.hpp>

#include "actors/models/checkpoint.hpp"
#include "actors/models/digest.hpp"
#include "tests/models/planted.hpp"

#include <cmath>
#include <cstring>
#include <limits>

using namespace troupe;
using namespace troupe::testing;

namespace {

std::vector<float> noise(std::size_t n, std::uint64_t seed) {
  random_stream random{seed};
  std::vector<float> out(n);
  for (auto& x : out) x = static_cast<float>(random.normal());
  return out;
}

checkpoint_manifest manifest_of(const network_options& o, const std::string& weights) {
  checkpoint_manifest m;
  m.version = {o.model, 3, content_hash(weights)};
  m.frame_schema = o.frame_schema;
  m.bytes = weights.size();
  return m;
}

} // namespace

CAF_TEST(the same seed gives the same weights) {
  init_model_thread();
  const auto a = make_network(small_network(), 5);
  const auto b = make_network(small_network(), 5);
  const auto c = make_network(small_network(), 6);
  CAF_REQUIRE(a && b && c);
  CAF_CHECK(a->weights() == b->weights());
  CAF_CHECK(!(a->weights() == c->weights()));
  std::int64_t numbers = 0;
  for (const auto& t : a->weights().tensors) numbers += static_cast<std::int64_t>(t.bytes.size()) / 4;
  CAF_CHECK_EQUAL(numbers, parameter_count(small_network()) + 2 * small_network().channels + 1);
}

CAF_TEST(options out of bounds are refused) {
  auto o = small_network();
  o.channels = 0;
  CAF_CHECK(!make_network(o, 1));
  o = small_network();
  o.width = 1 << 20;
  const auto net = make_network(o, 1);
  CAF_REQUIRE(!net);
  CAF_CHECK(net.error().text.find("width = 1048576") != std::string::npos);
}

CAF_TEST(a batch answers like its frames alone) {
  const auto o = small_network();
  const auto net = make_network(o, 5);
  CAF_REQUIRE(net);
  const auto per_frame = static_cast<std::size_t>(o.channels * o.steps);
  const auto frames = noise(per_frame * 8, 9);
  const auto all = net->forward(frames, 8);
  const auto again = net->forward(frames, 8);
  CAF_REQUIRE(all && again);
  for (std::size_t i = 0; i < 8; ++i) {
    const auto alone = net->forward(std::span{frames}.subspan(i * per_frame, per_frame), 1);
    CAF_REQUIRE(alone);
    for (std::size_t h = 0; h < all_horizons.size(); ++h) {
      CAF_CHECK(std::memcmp(&(*all)[i][h], &(*again)[i][h], sizeof(raw_forecast))
                == 0); // one shape: bit for bit
      for (std::size_t k = 0; k < 3; ++k)
        CAF_CHECK(std::abs((*all)[i][h].logits[k] - (*alone)[0][h].logits[k]) < 1e-5f);
      CAF_CHECK(std::abs((*all)[i][h].expected_return - (*alone)[0][h].expected_return) < 1e-5f);
    }
  }
  CAF_CHECK(!net->forward(frames, 7));
  CAF_CHECK(!net->forward({}, 0));
}

CAF_TEST(weights survive the file) {
  const auto o = small_network();
  const auto net = make_network(o, 5);
  const auto bytes = write_safetensors(net->weights());
  const auto back = load_checkpoint(manifest_of(o, bytes), bytes, o, "here");
  CAF_REQUIRE(back);
  CAF_CHECK(back->weights() == net->weights());
}

CAF_TEST(a checkpoint of another shape is named in one line) {
  auto other = small_network();
  other.width = 16;
  const auto bytes = write_safetensors(make_network(other, 5)->weights());
  const auto refused =
      load_checkpoint(manifest_of(other, bytes), bytes, small_network(), "cnn/42/weights.safetensors");
  CAF_REQUIRE(!refused);
  CAF_CHECK_EQUAL(
      refused.error().text,
      "cnn/42/weights.safetensors: tensor stem.weight: expected shape [8, 3, 5], found [16, 3, 5]");
}

CAF_TEST(wrong hash and wrong model and NaN weights are refused) {
  const auto o = small_network();
  auto file = make_network(o, 5)->weights();
  auto bytes = write_safetensors(file);
  auto m = manifest_of(o, bytes);
  bytes.back() ^= 1;
  CAF_CHECK(load_checkpoint(m, bytes, o, "x").error().code == make_error_code(model_errc::wrong_hash));
  bytes.back() ^= 1;
  m.frame_schema = 9;
  CAF_CHECK(load_checkpoint(m, bytes, o, "x").error().code
            == make_error_code(model_errc::wrong_architecture));
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(file.tensors.back().bytes.data(), &nan, sizeof nan);
  bytes = write_safetensors(file);
  CAF_CHECK(load_checkpoint(manifest_of(o, bytes), bytes, o, "x").error().code
            == make_error_code(model_errc::not_finite));
}

CAF_TEST(a sealed state is whole or refused) {
  const auto sealed = seal_training_state("some state");
  const auto opened = open_training_state(sealed, "x");
  CAF_REQUIRE(opened);
  CAF_CHECK_EQUAL(*opened, "some state");
  for (std::size_t i = 0; i < sealed.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = sealed;
      damaged[i] ^= static_cast<char>(1 << bit);
      CAF_CHECK(!open_training_state(damaged, "x"));
    }
  CAF_CHECK(!open_training_state(sealed.substr(0, 40), "x"));
}
