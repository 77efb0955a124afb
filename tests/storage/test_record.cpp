#define CAF_SUITE storage_record
#include "storage/record.hpp"
#include "tests/storage/disks.hpp"
#include "tests/storage/samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::test;

namespace {

std::string padded(std::string bytes) {
  return bytes + std::string(2048, '\0');
}

} // namespace

CAF_TEST(crc32c is the Castagnoli one and both variants agree) {
  CAF_CHECK_EQUAL(crc32c("123456789"), 0xe3069283u);
  // RFC 3720, B.4: 32 bytes of zeros, and of ones.
  CAF_CHECK_EQUAL(crc32c(std::string(32, '\0')), 0x8a9136aau);
  CAF_CHECK_EQUAL(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::mt19937_64 random{run_seed("crc32c")};
  for (int i = 0; i < 300; ++i) {
    std::string bytes(random() % 200, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random());
    CAF_REQUIRE_EQUAL(crc32c(bytes), detail::crc32c_table(bytes));
    const auto half = bytes.size() / 2;
    CAF_REQUIRE_EQUAL(crc32c(bytes.substr(half), crc32c(bytes.substr(0, half))), crc32c(bytes));
  }
}

CAF_TEST(a record comes back and zeros are no record) {
  std::string out;
  append_record(out, {.kind = 3, .schema = 5, .sequence = 7, .epoch = 9, .durable = 6}, "payload");
  const auto segment = padded(out);
  const auto scan = scan_record(segment, 0);
  CAF_REQUIRE(scan.found == record_found::whole);
  CAF_CHECK_EQUAL(scan.bytes, out.size());
  CAF_CHECK_EQUAL(scan.record.header.sequence, 7u);
  CAF_CHECK_EQUAL(scan.record.header.durable, 6u);
  CAF_CHECK_EQUAL(std::string{scan.record.payload}, "payload");
  CAF_CHECK(scan_record(std::string(600, '\0'), 0).found == record_found::zeros);
  CAF_CHECK(scan_record("", 0).found == record_found::zeros);
}

CAF_TEST(every prefix of a record is a cut and every flipped bit is damage) {
  std::string out;
  append_record(out, {.kind = 3, .schema = 5, .sequence = 7, .epoch = 9, .durable = 6},
                to_msgpack(sample_intent(900)));
  for (std::size_t n = 1; n < out.size(); ++n) {
    const auto in_file = scan_record(padded(out.substr(0, n)), 0).found;
    CAF_REQUIRE(in_file == record_found::cut);
    const auto at_end = scan_record(out.substr(0, n), 0).found;
    CAF_REQUIRE(at_end == record_found::cut);
  }
  for (std::size_t bit = 0; bit < out.size() * 8; ++bit) {
    auto flipped = out;
    flipped[bit / 8] ^= static_cast<char>(1 << bit % 8);
    CAF_REQUIRE(scan_record(padded(flipped), 0).found == record_found::damaged);
  }
}

CAF_TEST(a sector that was never written is a cut) {
  std::string out;
  append_record(out, {.sequence = 1}, std::string(3000, 'x'));
  for (std::size_t sector = 0; sector * 512 < out.size(); ++sector) {
    auto lost = out;
    const auto length = std::min<std::size_t>(512, lost.size() - sector * 512);
    lost.replace(sector * 512, length, length, '\0');
    CAF_CHECK(scan_record(padded(lost), 0).found == record_found::cut);
  }
}

CAF_TEST(messages as records refuse damage and other schemas) {
  const auto bytes = to_record(sample_intent(4), 2);
  CAF_CHECK(from_record<intent>(bytes, 2).value_or({}) == sample_intent(4));
  CAF_CHECK(!from_record<intent>(bytes, 3));
  CAF_CHECK(from_record<journal_sent>(bytes, 2).error().code == codec_errc::wrong_schema);
  CAF_CHECK(!from_record<intent>(bytes + "x", 2));
  CAF_CHECK(!from_record<intent>("", 2));
  auto damaged = bytes;
  damaged[60] ^= 1;
  CAF_CHECK(from_record<intent>(damaged, 2).error().code == storage_errc::damaged);
}

CAF_TEST(small files are replaced atomically) {
  scratch_folder folder;
  CAF_REQUIRE(replace_file(real_disk(), folder / "x", "one"));
  CAF_REQUIRE(replace_file(real_disk(), folder / "x", "three"));
  CAF_CHECK_EQUAL(read_whole(real_disk(), folder / "x", 100).value_or(""), "three");
  CAF_CHECK(read_whole(real_disk(), folder / "x", 3).error().code == storage_errc::too_large);
  CAF_CHECK(read_whole(real_disk(), folder / "y", 3).error().code == storage_errc::not_found);
  // At no moment of a crash is there anything but the old or the new content.
  std::mt19937_64 random{run_seed("replace")};
  for (int i = 0; i < 200; ++i) {
    memory_disk on;
    CAF_REQUIRE(on.create_directories("/d"));
    CAF_REQUIRE(replace_file(on, "/d/x", "old"));
    on.settle();
    faulty_disk dying{on};
    dying.arm(fault::stop, static_cast<std::uint64_t>(i % 5));
    const bool done = replace_file(dying, "/d/x", std::string(3000, 'n')).has_value();
    on.power_cut(random);
    const auto found = read_whole(on, "/d/x", 10000).value_or("missing");
    CAF_REQUIRE(found == std::string(3000, 'n') || (!done && found == "old"));
  }
}
