#define CAF_SUITE storage_checkpoints
#include "actors/models/digest.hpp"
#include "storage/checkpoint_store.hpp"
#include "tests/storage/disks.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

const fs::path root = "/checkpoints";

std::string weights_of(std::uint64_t step, std::size_t bytes = 1000) {
  std::string out(bytes, '\0');
  std::mt19937_64 random{step};
  for (auto& c : out)
    c = static_cast<char>(random());
  return out;
}

checkpoint_manifest manifest_of(const std::string& weights, std::uint64_t step,
                                std::int64_t loss = 0) {
  checkpoint_manifest m;
  m.version = {"cnn", step, content_hash(weights)};
  m.architecture = "cnn 8x8";
  m.loss_e6 = loss;
  m.loss_samples = loss == 0 ? 0 : 100;
  m.bytes = weights.size();
  return m;
}

checkpoint_store open_on(disk& on) {
  auto opened = checkpoint_store::open(on, {.root = root, .max_bytes = 1u << 22});
  CAF_REQUIRE(opened);
  return std::move(*opened);
}

fs::path folder_of(const checkpoint_manifest& m) {
  return root / "cnn" / (std::to_string(m.version.step) + "-" + m.version.weights.substr(0, 12));
}

} // namespace

CAF_TEST(SHA - 256 is the one of FIPS 180) {
  CAF_CHECK_EQUAL(content_hash("abc"),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

CAF_TEST(checkpoints come back newest first) {
  memory_disk on;
  auto store = open_on(on);
  CAF_CHECK(store.list("cnn").value_or({{}}).empty());
  for (const std::uint64_t step : {9, 100, 20})
    CAF_REQUIRE(store.put(manifest_of(weights_of(step), step), weights_of(step)));
  auto again = open_on(on);
  const auto list = again.list("cnn");
  CAF_REQUIRE(list);
  CAF_REQUIRE_EQUAL(list->size(), 3u);
  CAF_CHECK_EQUAL(list->at(0).version.step, 100u);
  CAF_CHECK_EQUAL(list->at(2).version.step, 9u);
  CAF_CHECK(*list == *again.list("cnn"));
  CAF_CHECK_EQUAL(again.weights("cnn", content_hash(weights_of(20))).value_or(""), weights_of(20));
  CAF_CHECK(again.weights("cnn", std::string(64, '0')).error().code == storage_errc::not_found);
  CAF_CHECK(again.models().value_or({}) == std::vector<std::string>{"cnn"});
}

CAF_TEST(names that would leave the folder and wrong sizes and hashes are refused) {
  memory_disk on;
  auto store = open_on(on);
  const auto weights = weights_of(1);
  for (const auto* name : {"", ".", "..", "../x", "a/b", ".hidden"}) {
    auto m = manifest_of(weights, 1);
    m.version.model = name;
    CAF_CHECK(!store.put(m, weights));
    CAF_CHECK(!store.list(name));
  }
  auto m = manifest_of(weights, 1);
  CAF_CHECK(!store.put(m, weights + "x"));
  m.version.weights[0] = m.version.weights[0] == '0' ? '1' : '0';
  CAF_CHECK(store.put(m, weights).error().code == storage_errc::damaged);
  m.version.weights = "../../../../etc/passwd";
  CAF_CHECK(!store.put(m, weights));
  m = manifest_of(weights, 1);
  m.bytes = 1u << 30;
  CAF_CHECK(store.put(m, weights).error().code == storage_errc::too_large);
}

CAF_TEST(pieces make a whole in any order of arrival) {
  memory_disk source_disk;
  memory_disk on;
  auto source = open_on(source_disk);
  auto store = open_on(on);
  const auto weights = weights_of(5, 3 * checkpoint_chunk_bytes + 17);
  const auto manifest = manifest_of(weights, 5);
  CAF_REQUIRE(source.put(manifest, weights));
  std::mt19937_64 random{run_seed("pieces")};
  std::uint64_t offset = 0;
  bool complete = false;
  for (int i = 0; i < 1000 && !complete; ++i) {
    // Repeated, early and lost pieces: the receipt says where to go on.
    auto piece = source.chunk("cnn", manifest.version.weights,
                              random() % 2 == 0 ? offset : random() % 4 * checkpoint_chunk_bytes);
    CAF_REQUIRE(piece);
    const auto receipt = store.take(*piece);
    CAF_REQUIRE(receipt);
    CAF_CHECK(receipt->received >= offset);
    offset = receipt->received;
    complete = receipt->complete;
  }
  CAF_CHECK(complete);
  CAF_CHECK_EQUAL(store.weights("cnn", manifest.version.weights).value_or(""), weights);
  // A known one is complete at once.
  const auto receipt = store.take({manifest, 0, {}});
  CAF_CHECK(receipt && receipt->complete);
  CAF_CHECK(
      source.chunk("cnn", manifest.version.weights, weights.size()).value_or({}).bytes.empty());
}

CAF_TEST(transfers are bounded and a wrong hash is found at the end) {
  memory_disk on;
  auto store = open_on(on);
  const auto weights = weights_of(5);
  auto manifest = manifest_of(weights, 5);
  CAF_CHECK(!store.take({manifest, 0, weights + "x"}));
  CAF_CHECK(store.take({manifest, 0, std::string(checkpoint_chunk_bytes + 1, 'x')}).error().code
            == storage_errc::too_large);
  auto damaged = weights;
  damaged[7] ^= 1;
  CAF_CHECK(store.take({manifest, 0, damaged}).error().code == storage_errc::damaged);
  CAF_CHECK(store.list("cnn").value_or({{}}).empty());
  // The one that is idle longest gives way.
  for (std::uint64_t step = 1; step <= 5; ++step)
    CAF_REQUIRE(
        store.take({manifest_of(weights_of(step), step), 0, weights_of(step).substr(0, 100)}));
  const auto receipt = store.take({manifest_of(weights_of(1), 1), 0, {}});
  CAF_REQUIRE(receipt);
  CAF_CHECK_EQUAL(receipt->received, 0u);
}

CAF_TEST(a damaged checkpoint is set aside and named and can be replaced) {
  memory_disk on;
  auto store = open_on(on);
  const auto weights = weights_of(1);
  const auto manifest = manifest_of(weights, 1);
  CAF_REQUIRE(store.put(manifest, weights));
  on.content(folder_of(manifest) / "weights.safetensors")[500] ^= 8;
  const auto refused = store.weights("cnn", manifest.version.weights);
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == storage_errc::damaged);
  CAF_CHECK(refused.error().text.find((folder_of(manifest) / "weights.safetensors").string()) == 0);
  CAF_CHECK_EQUAL(store.damaged().size(), 1u);
  CAF_CHECK(store.list("cnn").value_or({{}}).empty());
  CAF_REQUIRE(store.put(manifest, weights));
  CAF_CHECK_EQUAL(store.weights("cnn", manifest.version.weights).value_or(""), weights);
  on.content(folder_of(manifest) / "manifest.record")[30] ^= 8;
  CAF_CHECK(store.list("cnn").value_or({{}}).empty());
  CAF_CHECK_EQUAL(store.damaged().size(), 2u);
}

CAF_TEST(pruning keeps the best the newest and the named) {
  memory_disk on;
  auto store = open_on(on);
  const std::int64_t losses[] = {50, 10, 40, 20, 0, 30};
  for (std::uint64_t step = 0; step < 6; ++step)
    CAF_REQUIRE(store.put(manifest_of(weights_of(step), step, losses[step]), weights_of(step)));
  const auto removed = store.prune("cnn", 2, {content_hash(weights_of(0))});
  CAF_REQUIRE(removed);
  std::vector<std::uint64_t> left;
  for (const auto& m : store.list("cnn").value_or({}))
    left.push_back(m.version.step);
  CAF_CHECK((left == std::vector<std::uint64_t>{5, 3, 1, 0}));
  CAF_CHECK_EQUAL(removed->size(), 2u);
}

CAF_TEST(an acknowledged checkpoint survives a power cut and a half one never shows) {
  std::mt19937_64 random{run_seed("checkpoint power cuts")};
  const auto weights = weights_of(3, 3000);
  const auto manifest = manifest_of(weights, 3);
  for (int cut = 0; cut < 300; ++cut) {
    memory_disk below;
    CAF_REQUIRE(below.create_directories(root));
    below.settle();
    faulty_disk on{below};
    on.arm(fault::stop, random() % 16);
    bool stored = false;
    if (auto store = checkpoint_store::open(on, {.root = root}); store)
      stored = store->put(manifest, weights).has_value();
    below.power_cut(random);
    auto store = open_on(below);
    const auto found = store.weights("cnn", manifest.version.weights);
    CAF_REQUIRE(found || !stored);
    CAF_REQUIRE(!found || *found == weights);
    CAF_REQUIRE(store.put(manifest, weights));
    CAF_REQUIRE(store.weights("cnn", manifest.version.weights));
  }
}
