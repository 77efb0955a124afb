#define CAF_SUITE storage_tape
#include "storage/tape/tape_blocks.hpp"
#include "storage/tape/tape_tools.hpp"
#include "tests/storage/disks.hpp"
#include "tests/support/recordings.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::int64_t t0 = 1723161253937000000;

std::string payload_of(int n) {
  return "{\"n\":" + std::to_string(n) + ",\"x\":\""
         + std::string(static_cast<std::size_t>(n) % 97, 'y') + "\"}";
}

/// A tape of `count` frames on three channels, one a millisecond.
void write_tape(disk& on, const fs::path& path, int count, bool finish = true) {
  auto tape = tape_writer::create(on, path, {"BTC-USDT@binance", "binance", "test", ""},
                                  {.block_bytes = 4096});
  CAF_REQUIRE(tape);
  CAF_REQUIRE(tape->add_channel("combined", channel_kind::socket, "wss://stream.test/ws"));
  CAF_REQUIRE(tape->add_channel("depth", channel_kind::rest, "https://api.test/depth"));
  for (int n = 0; n < count; ++n) {
    if (n == count / 2) CAF_REQUIRE(tape->add_channel("late", channel_kind::sent));
    const auto channel = n > count / 2 && n % 10 == 0 ? 2u : n % 50 == 0 ? 1u : 0u;
    CAF_REQUIRE(tape->append({t0 + n * 1'000'000}, channel, payload_of(n)));
  }
  if (!finish) {
    CAF_REQUIRE(tape->flush());
    return;
  }
  CAF_REQUIRE(tape->finish());
}

int count_from(tape_reader& tape, int expected) {
  tape_record r;
  auto more = tape.next(r);
  for (; more && *more; more = tape.next(r), ++expected) {
    CAF_REQUIRE_EQUAL(std::string{r.payload}, payload_of(expected));
    CAF_REQUIRE_EQUAL(r.received.ns, t0 + expected * 1'000'000);
  }
  CAF_REQUIRE(more);
  return expected;
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream{path} << text;
}

} // namespace

CAF_TEST(a tape comes back frame by frame) {
  memory_disk on;
  write_tape(on, "/a.ttape", 1000);
  CAF_CHECK(!*on.exists("/a.ttape.part"));
  auto tape = tape_reader::open(on, "/a.ttape");
  CAF_REQUIRE(tape);
  CAF_CHECK(tape->info().finished);
  CAF_CHECK_EQUAL(tape->info().records, 1000u);
  CAF_CHECK(tape->info().blocks > 5);
  CAF_CHECK_EQUAL(tape->info().first.ns, t0);
  CAF_CHECK_EQUAL(tape->info().last.ns, t0 + 999 * 1'000'000);
  CAF_CHECK_EQUAL(tape->channels().size(), 3u);
  CAF_CHECK(tape->channel(2)->kind == channel_kind::sent);
  CAF_CHECK(tape->channel(3) == nullptr);
  CAF_CHECK_EQUAL(count_from(*tape, 0), 1000);
  CAF_REQUIRE(tape->rewind());
  CAF_CHECK_EQUAL(count_from(*tape, 0), 1000);
  auto verified = verify_tape(on, "/a.ttape", std::chrono::milliseconds{2});
  CAF_REQUIRE(verified);
  CAF_CHECK(verified->intact);
  CAF_CHECK_EQUAL(verified->records, 1000u);
  CAF_CHECK(verified->silences.empty());
}

CAF_TEST(seek finds the first frame at or after a time) {
  memory_disk on;
  write_tape(on, "/a.ttape", 1000);
  auto tape = tape_reader::open(on, "/a.ttape");
  CAF_REQUIRE(tape);
  for (int n = 999; n >= 0; n -= 37) {
    CAF_REQUIRE(tape->seek({t0 + n * 1'000'000}));
    CAF_REQUIRE_EQUAL(count_from(*tape, n), 1000);
    CAF_REQUIRE(tape->seek({t0 + n * 1'000'000 - 1}));
    CAF_REQUIRE_EQUAL(count_from(*tape, n), 1000);
  }
  CAF_REQUIRE(tape->seek({0}));
  CAF_CHECK_EQUAL(count_from(*tape, 0), 1000);
  CAF_REQUIRE(tape->seek({t0 + 2'000'000'000}));
  tape_record r;
  CAF_CHECK(!tape->next(r).value_or(true));
}

CAF_TEST(an empty tape is a tape) {
  memory_disk on;
  auto tape = tape_writer::create(on, "/e.ttape", {});
  CAF_REQUIRE(tape);
  CAF_REQUIRE(tape->finish());
  auto read = tape_reader::open(on, "/e.ttape");
  CAF_REQUIRE(read);
  tape_record r;
  CAF_CHECK(!read->next(r).value_or(true));
  CAF_CHECK(read->seek({5}));
  CAF_CHECK(verify_tape(on, "/e.ttape", {})->intact);
}

CAF_TEST(the writer refuses what would make a wrong tape) {
  memory_disk on;
  auto tape = tape_writer::create(on, "/a.ttape", {});
  CAF_REQUIRE(tape);
  CAF_CHECK(tape->append({1}, 0, "x").error().code == storage_errc::bad_input);
  CAF_REQUIRE(tape->add_channel("c", channel_kind::socket));
  CAF_REQUIRE(tape->append({10}, 0, "x"));
  CAF_REQUIRE(tape->append({10}, 0, "same instant"));
  CAF_CHECK(tape->append({9}, 0, "x").error().code == storage_errc::bad_input);
  CAF_REQUIRE(tape->finish());
  CAF_CHECK(!tape->append({11}, 0, "x"));
  CAF_CHECK(tape_writer::create(on, "/a.ttape", {}).error().code == storage_errc::exists);
}

CAF_TEST(a killed writer leaves a readable prefix that is never taken for a whole tape) {
  memory_disk on;
  write_tape(on, "/a.ttape", 1000, false);
  const fs::path part = "/a.ttape.part";
  const auto whole = on.content(part);
  CAF_CHECK(tape_reader::open(on, part).error().code == storage_errc::unfinished);
  for (std::size_t less = 0; less + 200 < whole.size(); less += 311) {
    const auto size = whole.size() - less;
    on.content(part) = whole.substr(0, size);
    auto tape = tape_reader::open(on, part, {.allow_unfinished = true});
    CAF_REQUIRE(tape);
    CAF_REQUIRE(!tape->info().finished);
    const auto records = static_cast<int>(tape->info().records);
    CAF_REQUIRE_EQUAL(count_from(*tape, 0), records);
    CAF_REQUIRE(size < whole.size() || records == 1000);
    auto info = recover_tape(on, part, "/r.ttape");
    CAF_REQUIRE(info);
    CAF_REQUIRE_EQUAL(static_cast<int>(info->tape.records), records);
    CAF_REQUIRE(verify_tape(on, "/r.ttape", {})->intact);
    CAF_REQUIRE(on.remove("/r.ttape"));
  }
}

CAF_TEST(a damaged block is named and the rest can be recovered) {
  memory_disk on;
  write_tape(on, "/a.ttape", 1000);
  auto whole = tape_reader::open(on, "/a.ttape");
  CAF_REQUIRE(whole);
  const auto block = whole->blocks()[3];
  on.content("/a.ttape")[block.offset + 100] ^= 4;
  auto tape = tape_reader::open(on, "/a.ttape");
  CAF_REQUIRE(tape);
  tape_record r;
  auto more = tape->next(r);
  while (more && *more)
    more = tape->next(r);
  CAF_REQUIRE(!more);
  CAF_CHECK(more.error().code == storage_errc::damaged);
  CAF_CHECK(
      more.error().text.starts_with("/a.ttape:block 3:offset " + std::to_string(block.offset)));
  auto verified = verify_tape(on, "/a.ttape", {});
  CAF_REQUIRE(verified);
  CAF_CHECK(!verified->intact);
  CAF_CHECK_EQUAL(verified->lost_records, block.records);
  CAF_CHECK_EQUAL(verified->records, 1000 - block.records);
  auto recovered = recover_tape(on, "/a.ttape", "/b.ttape");
  CAF_REQUIRE(recovered);
  CAF_CHECK_EQUAL(recovered->tape.records, 1000 - block.records);
  CAF_CHECK_EQUAL(recovered->lost_records, block.records);
  CAF_CHECK_EQUAL(recovered->lost_blocks, 1u);
  CAF_CHECK(recovered->lost_is_exact);
  CAF_CHECK_EQUAL(recovered->damage.size(), 1u);
  // Also when the block's own header is gone: the index still knows how much it held.
  on.content("/a.ttape")[block.offset + 1] ^= 4;
  verified = verify_tape(on, "/a.ttape", {});
  CAF_REQUIRE(verified);
  CAF_CHECK_EQUAL(verified->records, 1000 - block.records);
  CAF_CHECK_EQUAL(verified->lost_records, block.records);
  CAF_CHECK_EQUAL(verified->lost_blocks, 1u);
  CAF_CHECK(verified->lost_is_exact);
}

CAF_TEST(a recovery says how much is lost where no index tells) {
  memory_disk on;
  write_tape(on, "/a.ttape", 1000);
  const auto whole = tape_reader::open(on, "/a.ttape");
  CAF_REQUIRE(whole);
  const auto blocks = whole->blocks();
  CAF_REQUIRE(blocks.size() > 4);
  auto& bytes = on.content("/a.ttape");
  // Cut within the last block; the header of block 1 still tells what its content was.
  bytes.resize(blocks.back().offset + tape_bytes::block_header_bytes + 5);
  bytes[blocks[1].offset + 100] ^= 4;
  auto recovered = recover_tape(on, "/a.ttape", "/b.ttape");
  CAF_REQUIRE(recovered);
  CAF_CHECK_EQUAL(recovered->lost_blocks, 2u);
  CAF_CHECK_EQUAL(recovered->lost_records, blocks[1].records + blocks.back().records);
  CAF_CHECK_EQUAL(recovered->tape.records + recovered->lost_records, 1000u);
  CAF_CHECK(recovered->lost_is_exact);
  CAF_CHECK_EQUAL(recovered->lost_bytes,
                  blocks[2].offset - blocks[1].offset + tape_bytes::block_header_bytes + 5);
  // Without that header its records can't be counted, and the report says so.
  bytes[blocks[1].offset + 1] ^= 4;
  recovered = recover_tape(on, "/a.ttape", "/c.ttape");
  CAF_REQUIRE(recovered);
  CAF_CHECK_EQUAL(recovered->lost_blocks, 2u);
  CAF_CHECK_EQUAL(recovered->lost_records, blocks.back().records);
  CAF_CHECK(!recovered->lost_is_exact);
}

CAF_TEST(what is no tape is refused in one line) {
  memory_disk on;
  for (const auto* text :
       {"", "x", "TRTAPE01", "{\"not\": \"a tape, but long enough for a head\"}"}) {
    on.content("/a");
    CAF_REQUIRE(replace_file(on, "/a", text));
    const auto opened = tape_reader::open(on, "/a", {.allow_unfinished = true});
    CAF_REQUIRE(!opened);
    CAF_CHECK(opened.error().text.find('\n') == std::string::npos);
    CAF_CHECK(opened.error().text.find("/a") != std::string::npos);
  }
  CAF_CHECK(tape_reader::open(on, "/none").error().code == storage_errc::not_found);
}

CAF_TEST(silences are found) {
  memory_disk on;
  auto tape = tape_writer::create(on, "/a.ttape", {});
  CAF_REQUIRE(tape);
  CAF_REQUIRE(tape->add_channel("c", channel_kind::socket));
  for (const auto seconds : {0, 1, 2, 9, 10})
    CAF_REQUIRE(tape->append({seconds * 1'000'000'000LL}, 0, "x"));
  CAF_REQUIRE(tape->finish());
  const auto verified = verify_tape(on, "/a.ttape", std::chrono::seconds{5});
  CAF_REQUIRE(verified);
  CAF_REQUIRE_EQUAL(verified->silences.size(), 1u);
  CAF_CHECK_EQUAL(verified->silences[0].from.ns, 2'000'000'000);
  CAF_CHECK_EQUAL(verified->silences[0].to.ns, 9'000'000'000);
}

CAF_TEST(both recorded text formats are imported) {
  scratch_folder folder;
  write_text(folder / "lines",
             "1723161253937000000 {\"stream\":\"a\",\"data\":{}}\n"
             "1723161253938000000 {\"lastUpdateId\":5,\"bids\":[],\"asks\":[]}\n\n"
             "1723161253938000001 {\"stream\":\"b\",\"data\":{}}");
  auto report =
      import_tape(real_disk(), {.inputs = {folder / "lines"}, .output = folder / "lines.ttape"});
  CAF_REQUIRE(report);
  CAF_CHECK_EQUAL(report->format, "lines");
  CAF_CHECK_EQUAL(report->lines, 3u);
  CAF_CHECK_EQUAL(report->tape.records_by_channel.at(0), 2u);
  CAF_CHECK_EQUAL(report->tape.records_by_channel.at(1), 1u);
  CAF_CHECK(report->tape.channels.at(1).kind == channel_kind::rest);

  write_text(
      folder / "ws",
      "wss://x.test/ws <-> 1618678069.69958\n\nwss://x.test/ws <- 1618678070.5: {\"sub\":1}\n"
      "1618678070.25: b'\\x1f\\x8b\\x00\\'\\n'\n1618678071.000000001: [\"text: with colon\"]\n");
  write_text(folder / "http",
             "https://x.test/book?a=1 -> 1618678070.75: {\"book\":1}\nconfiguration: {}\n");
  report = import_tape(
      real_disk(), {.inputs = {folder / "ws", folder / "http"}, .output = folder / "two.ttape"});
  CAF_REQUIRE(report);
  CAF_CHECK_EQUAL(report->format, "two-way");
  CAF_CHECK_EQUAL(report->lines, 6u);
  CAF_CHECK_EQUAL(report->skipped_lines, 2u);
  auto tape = tape_reader::open(real_disk(), folder / "two.ttape");
  CAF_REQUIRE(tape);
  std::vector<std::string> seen;
  tape_record r;
  for (auto more = tape->next(r); more && *more; more = tape->next(r))
    seen.push_back(std::to_string(static_cast<int>(tape->channel(r.channel)->kind)) + " "
                   + std::to_string(r.received.ns) + " " + std::string{r.payload});
  const std::vector<std::string> expected{
      "0 1618678070250000000 " + std::string{"\x1f\x8b\0'\n", 5},
      "2 1618678070500000000 {\"sub\":1}", "1 1618678070750000000 {\"book\":1}",
      "0 1618678071000000001 [\"text: with colon\"]"};
  CAF_CHECK(seen == expected);
}

CAF_TEST(a bad import names file and line and leaves nothing) {
  scratch_folder folder;
  const std::map<std::string, std::string> bad{
      {"backwards", "1723161253937000000 {}\n1723161253936999999 {}\n"},
      {"no-time", "1723161253937000000 {}\nhello\n"},
      {"arrow", "wss://x.test => 16186: x\n"},
      {"literal", "1618678070.25: b'\\x1'\n"},
      {"cut-off", "1723161253937000000 {}\n1723161253938000000 {\"stream\":\"btcusdt@dep\n"},
      {"words", "1723161253937000000 no JSON at all\n"},
      {"two-way-words", "1618678070.25: <html>busy</html>\n"},
      {"empty", "\n\n"}};
  for (const auto& [name, text] : bad) {
    write_text(folder / name, text);
    auto report =
        import_tape(real_disk(), {.inputs = {folder / name}, .output = folder / "out.ttape"});
    CAF_REQUIRE(!report);
    CAF_CHECK(report.error().text.find(name + ":") != std::string::npos);
    CAF_CHECK(!fs::exists(folder / "out.ttape"));
    CAF_CHECK(!fs::exists(folder / "out.ttape.part"));
  }
  write_text(folder / "cut.gz", std::string{"\x1f\x8b\x08\0\0\0\0\0\0\3", 10});
  CAF_CHECK(
      import_tape(real_disk(), {.inputs = {folder / "cut.gz"}, .output = folder / "out.ttape"})
          .error()
          .code
      == storage_errc::damaged);
}

CAF_TEST(frames that are no JSON are taken only when that is asked for) {
  scratch_folder folder;
  write_text(folder / "mixed", "1723161253937000000 {}\n1723161253938000000 pong\n1723161253939000000 \xfe\x01x\n");
  const auto refused = import_tape(real_disk(), {.inputs = {folder / "mixed"}, .output = folder / "out.ttape"});
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().text.find("mixed:3: ") != std::string::npos);
  CAF_CHECK(refused.error().text.find("--binary") != std::string::npos);
  CAF_CHECK(!fs::exists(folder / "out.ttape"));
  const auto taken =
      import_tape(real_disk(), {.inputs = {folder / "mixed"}, .output = folder / "out.ttape", .binary = true});
  CAF_REQUIRE(taken);
  CAF_CHECK_EQUAL(taken->tape.records, 3u);
  CAF_CHECK_EQUAL(taken->not_json, 1u);
}

CAF_TEST(the recorded spot pair imports with the figures that are known of it) {
  const auto first =
      recording("venues/nkaz001+hftbacktest/examples/spot/btcusdt_20240808.gz", "spot pair");
  const auto second =
      recording("venues/nkaz001+hftbacktest/examples/spot/btcusdt_20240809.gz", "spot pair");
  if (!first || !second) return;
  scratch_folder folder;
  auto report = import_tape(real_disk(), {.inputs = {*first, *second},
                                          .output = folder / "spot.ttape",
                                          .instrument = "BTC-USDT@binance",
                                          .venue = "binance"});
  CAF_REQUIRE(report);
  CAF_CHECK_EQUAL(report->lines, 41249u + 58325u);
  CAF_CHECK_EQUAL(report->tape.records, 41249u + 58325u);
  CAF_CHECK_EQUAL(report->tape.records_by_channel.at(1), 1u);
  CAF_CHECK_EQUAL(report->tape.first.ns / 1'000'000, 1723161253937);
  CAF_CHECK_EQUAL(report->tape.last.ns / 1'000'000, 1723161904535);
  // Times, spaces and line ends are not frames: 19 + 1 + 1 bytes a line.
  CAF_CHECK_EQUAL(report->tape.payload_bytes, 11104853u + 15505462u - 21u * (41249u + 58325u));
  CAF_CHECK(report->tape.file_bytes < (1274097u + 1754087u) * 5 / 4);
  CAF_CHECK(verify_tape(real_disk(), folder / "spot.ttape", {})->intact);
}
