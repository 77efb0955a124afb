// Hostile bytes as a checkpoint's manifest, as its weights, and as pieces that arrive.

#include "actors/models/digest.hpp"
#include "storage/checkpoint_store.hpp"
#include "storage/record.hpp"
#include "tests/storage/disks.hpp"

#include <cstdlib>

using namespace troupe;
using namespace troupe::test;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  memory_disk on;
  auto store = checkpoint_store::open(on, {.root = "/c", .max_bytes = 1u << 16});
  if (!store) std::abort();
  const std::string weights = "some weights";
  checkpoint_manifest manifest;
  manifest.version = {"cnn", 1, content_hash(weights)};
  manifest.bytes = weights.size();
  if (!store->put(manifest, weights)) std::abort();
  const auto folder =
      std::filesystem::path{"/c/cnn"} / ("1-" + manifest.version.weights.substr(0, 12));
  switch (data[0] % 4) {
  case 0:
    on.content(folder / "manifest.record") = bytes;
    break;
  case 1: {
    std::string record;
    append_record(record, {.kind = 0x4350, .schema = schema_hash<checkpoint_manifest>()}, bytes);
    on.content(folder / "manifest.record") = record;
    break;
  }
  case 2:
    on.content(folder / "weights.safetensors") = bytes;
    break;
  default: {
    auto chunk = from_msgpack<checkpoint_chunk>(bytes);
    if (!chunk) chunk = checkpoint_chunk{manifest, size % 7, bytes};
    (void)store->take(*chunk);
    break;
  }
  }
  (void)store->list("cnn");
  // Whatever came in: the weights of this hash are these or none.
  if (auto got = store->weights("cnn", manifest.version.weights); got && *got != weights)
    std::abort();
  return 0;
}
