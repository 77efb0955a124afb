// Hostile bytes as a tape, as the inside of a block with right checksums, and as a recording to
// import.

#include "storage/tape/tape_blocks.hpp"
#include "storage/tape/tape_tools.hpp"
#include "tests/storage/disks.hpp"

#include <cstdlib>
#include <zstd.h>

using namespace troupe;
using namespace troupe::test;

namespace {

/// A tape of one block that holds these bytes, with everything around them as it should be.
std::string tape_around(std::string_view plain) {
  using namespace tape_bytes;
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 1));
  block_header header;
  header.records = plain.empty() ? 0 : static_cast<unsigned char>(plain.back());
  header.plain = static_cast<std::uint32_t>(plain.size());
  header.packed = static_cast<std::uint32_t>(packed.size());
  header.first.ns = std::numeric_limits<std::int64_t>::min();
  header.last.ns = std::numeric_limits<std::int64_t>::max();
  header.checksum = hash64(packed);
  return head_bytes({}) + block_header_text(header) + packed;
}

void read_all(disk& on, bool unfinished) {
  auto tape = tape_reader::open(on, "/t", {.allow_unfinished = unfinished});
  if (!tape) return;
  tape_record r;
  std::uint64_t records = 0;
  auto more = tape->next(r);
  for (; more && *more; more = tape->next(r))
    ++records;
  // What reads to its end holds as many records as it says.
  if (more && records != tape->info().records) std::abort();
  (void)tape->seek({1723161253937000000});
  (void)tape->next(r);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  memory_disk on;
  if (auto done =
          replace_file(on, "/t", data[0] % 3 == 1 ? tape_around(bytes) : std::string{bytes});
      !done)
    std::abort();
  if (data[0] % 3 == 2) {
    (void)import_tape(on, {.inputs = {"/t"}, .output = "/out"});
    if (*on.exists("/out.part")) std::abort();
    return 0;
  }
  read_all(on, false);
  read_all(on, true);
  (void)verify_tape(on, "/t", std::chrono::seconds{1});
  if (recover_tape(on, "/t", "/r")) {
    auto verified = verify_tape(on, "/r", {});
    if (!verified || !verified->intact) std::abort();
  }
  return 0;
}
