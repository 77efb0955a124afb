#define CAF_SUITE storage_journal
#include "storage/journal_files.hpp"
#include "storage/journal_tools.hpp"
#include "tests/storage/disks.hpp"
#include "tests/storage/samples.hpp"

#include <caf/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::test;

namespace {

const fs::path dir = "/journal";

journal_options options_in(const fs::path& directory, std::uint64_t segment_bytes = 16u << 10) {
  return {.directory = directory,
          .identity = {"exec", "machine-1", "main@binance"},
          .segment_bytes = segment_bytes,
          .holder = "pid 1, test"};
}

void append_intents(order_journal& journal, std::uint64_t first, std::uint64_t count) {
  for (auto n = first; n < first + count; ++n) {
    const auto entry = to_entry(sample_intent(n));
    CAF_REQUIRE(journal.append({&entry, 1}));
  }
  CAF_REQUIRE(journal.sync());
}

std::vector<std::uint64_t> intents_of(const order_journal& journal) {
  std::vector<std::uint64_t> out;
  std::uint64_t expected = 0;
  auto done = journal.replay(0, [&](const journal_row& row) -> status {
    CAF_REQUIRE_EQUAL(row.sequence, ++expected);
    if (row.entry.kind == journal_kind::intent) {
      auto x = from_entry<intent>(row.entry);
      CAF_REQUIRE(x);
      CAF_REQUIRE(*x == sample_intent(x->decision_sequence));
      out.push_back(x->decision_sequence);
    }
    return ok;
  });
  CAF_REQUIRE(done);
  return out;
}

std::vector<std::uint64_t> numbers(std::uint64_t count) {
  std::vector<std::uint64_t> out(count);
  for (std::uint64_t i = 0; i < count; ++i)
    out[i] = i;
  return out;
}

fs::path segment(std::uint64_t number) {
  return journal_files::segment_path(dir, number);
}

/// Runs `body` in a child process and returns its exit code; -signal when it was killed.
template <class Body>
int in_child(Body body) {
  const auto pid = ::fork();
  if (pid == 0) ::_exit(body());
  int state = 0;
  ::waitpid(pid, &state, 0);
  return WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
}

} // namespace

CAF_TEST(records come back over restarts with a growing epoch) {
  memory_disk on;
  for (std::uint64_t round = 0; round < 5; ++round) {
    auto journal = order_journal::open(on, options_in(dir));
    CAF_REQUIRE(journal);
    CAF_CHECK_EQUAL(journal->epoch(), round + 1);
    CAF_CHECK_EQUAL(journal->recovery().torn_bytes, 0u);
    CAF_CHECK(intents_of(*journal) == numbers(round * 40));
    append_intents(*journal, round * 40, 40);
    CAF_REQUIRE(journal->prepare());
    CAF_CHECK(intents_of(*journal) == numbers(round * 40 + 40));
  }
  const auto found = verify_journal(on, dir);
  CAF_REQUIRE(found);
  CAF_CHECK(found->intact);
  CAF_CHECK_EQUAL(found->intents, 200u);
  CAF_CHECK_EQUAL(found->sessions, 5u);
  CAF_CHECK(found->segments > 3);
}

CAF_TEST(pages hold every synced record once) {
  memory_disk on;
  auto journal = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(journal);
  append_intents(*journal, 0, 300);
  const auto unsynced = to_entry(sample_intent(300));
  CAF_REQUIRE(journal->append({&unsynced, 1}));
  for (const std::uint32_t limit : {1u, 7u, 128u, 1000u}) {
    std::uint64_t after = 0;
    while (true) {
      auto page = journal->read(after, limit);
      CAF_REQUIRE(page);
      CAF_CHECK_EQUAL(page->newest, 301u);
      if (page->rows.empty()) break;
      CAF_CHECK(page->rows.size() <= limit);
      for (const auto& row : page->rows)
        CAF_REQUIRE_EQUAL(row.sequence, ++after);
    }
    CAF_CHECK_EQUAL(after, 301u);
  }
}

CAF_TEST(every kind of record comes back as what it was) {
  memory_disk on;
  auto journal = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(journal);
  const std::vector<journal_entry> entries{
      to_entry(sample_intent(1)),
      to_entry(journal_sent{"tr1", {5}}),
      to_entry(sample_report(1)),
      to_entry(journal_cursor{{"BTC-USDT@binance"}, "77", {6}}),
      to_entry(halt_state{trading_state::halted, "op", "test"}),
      to_entry(decision{}),
      to_entry(journal_note{"op", "text"})};
  CAF_REQUIRE(journal->append(entries));
  CAF_REQUIRE(journal->sync());
  std::string json;
  std::vector<journal_kind> kinds;
  CAF_REQUIRE(read_journal(on, dir, [&](const journal_row& row) -> status {
    kinds.push_back(row.entry.kind);
    json += journal_row_json(row);
    return ok;
  }));
  CAF_CHECK_EQUAL(kinds.size(), 8u);
  CAF_CHECK(kinds.front() == journal_kind::session);
  CAF_CHECK(json.find("\"error\"") == std::string::npos);
  CAF_CHECK(json.find("\"trade_id\":\"77\"") != std::string::npos);
  const auto verified = verify_journal(on, dir);
  CAF_REQUIRE(verified);
  CAF_CHECK_EQUAL(verified->fills, 1u);
  CAF_CHECK(!from_entry<intent>(entries[1]));
}

CAF_TEST(a torn tail is cut off and reported and a hole is refused) {
  memory_disk on;
  {
    auto journal = order_journal::open(on, options_in(dir, 1u << 20));
    CAF_REQUIRE(journal);
    for (std::uint64_t n = 0; n < 20; ++n)
      append_intents(*journal, n, 1);
  }
  const auto whole = on.content(segment(1));
  const auto end = whole.find_last_not_of('\0') + 1;
  // The last record half written.
  on.content(segment(1)).replace(end - 20, 20, 20, '\0');
  {
    auto journal = order_journal::open(on, options_in(dir, 1u << 20));
    CAF_REQUIRE(journal);
    CAF_CHECK(journal->recovery().torn_bytes > 0);
    CAF_CHECK(journal->recovery().torn_at.starts_with(segment(1).string() + ":"));
    CAF_CHECK(intents_of(*journal) == numbers(19));
    append_intents(*journal, 19, 5);
    CAF_CHECK(intents_of(*journal) == numbers(24));
  }
  // A sector of zeros in the middle of what was synced: no torn tail, though it looks like one.
  auto holed = whole;
  holed.replace(2048, 512, 512, '\0');
  on.content(segment(1)) = holed;
  auto refused = order_journal::open(on, options_in(dir, 1u << 20));
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == storage_errc::damaged);
  CAF_CHECK(refused.error().text.starts_with(segment(1).string() + ":"));
  CAF_CHECK(on.content(segment(1)) == holed);
  CAF_CHECK(!verify_journal(on, dir)->intact);
  // A person may cut it there; the original stays beside.
  auto repaired = repair_journal(on, dir);
  CAF_REQUIRE(repaired);
  CAF_CHECK(!repaired->intact);
  CAF_CHECK(on.content(dir / ("damaged-" + segment(1).filename().string())) == holed);
  auto journal = order_journal::open(on, options_in(dir, 1u << 20));
  CAF_REQUIRE(journal);
  CAF_CHECK(intents_of(*journal).size() < 20);
}

CAF_TEST(a segment cut short at any place is refused and can be repaired) {
  memory_disk on;
  {
    auto journal = order_journal::open(on, options_in(dir));
    CAF_REQUIRE(journal);
    append_intents(*journal, 0, 20);
  }
  const auto last = segment(journal_files::list_segments(on, dir)->back());
  const auto whole = on.content(last);
  const auto records = verify_journal(on, dir)->records;
  // Every sector and every byte of the last records' end, where a cut looks most like a torn tail.
  const auto used = whole.find_last_not_of('\0') + 1;
  const auto near_end = [&](std::size_t at) { return at + 64 >= used && at <= used + 64; };
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += near_end(bytes) ? 1 : 61) {
    on.content(last) = whole.substr(0, bytes);
    auto refused = order_journal::open(on, options_in(dir));
    CAF_REQUIRE(!refused);
    CAF_REQUIRE(refused.error().code == storage_errc::damaged);
    CAF_REQUIRE(refused.error().text.starts_with(last.string() + ":"));
    CAF_REQUIRE(refused.error().text.find("repair") != std::string::npos);
    CAF_REQUIRE_EQUAL(on.content(last).size(), bytes);
    const auto found = verify_journal(on, dir);
    CAF_REQUIRE(found && !found->intact);
  }
  // Sizes are named, and one that grew is none of ours either.
  on.content(last) = whole.substr(0, 4096);
  const auto text = order_journal::open(on, options_in(dir)).error().text;
  CAF_CHECK(text.find("4096") != std::string::npos && text.find("16384") != std::string::npos);
  on.content(last) = whole + std::string(512, '\0');
  CAF_CHECK(order_journal::open(on, options_in(dir)).error().code == storage_errc::damaged);
  on.content(last) = whole.substr(0, used - 10);
  CAF_REQUIRE(repair_journal(on, dir));
  CAF_CHECK_EQUAL(on.content(last).size(), whole.size());
  auto journal = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(journal);
  CAF_CHECK_EQUAL(journal->recovery().records, records - 1);
}

CAF_TEST(a journal whose only segment is gone is refused) {
  memory_disk on;
  {
    auto journal = order_journal::open(on, options_in(dir));
    CAF_REQUIRE(journal);
    append_intents(*journal, 0, 3);
  }
  CAF_REQUIRE(on.remove(segment(journal_files::list_segments(on, dir)->back())));
  const auto refused = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == storage_errc::damaged);
  CAF_CHECK(refused.error().text.find("no segment") != std::string::npos);
  const auto found = verify_journal(on, dir);
  CAF_REQUIRE(found.has_value());
  CAF_CHECK(!found->intact);
}

CAF_TEST(a crash while a segment is made leaves nothing that disturbs) {
  memory_disk on;
  {
    auto journal = order_journal::open(on, options_in(dir));
    CAF_REQUIRE(journal);
    append_intents(*journal, 0, 5);
  }
  // Neither its size nor its header had come to the disk.
  auto unfinished = on.open(segment(2).string() + ".new", open_mode::create);
  CAF_REQUIRE(unfinished);
  CAF_REQUIRE((*unfinished)->write_at(0, std::string(3000, '\0')));
  auto journal = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(journal);
  append_intents(*journal, 5, 95);
  CAF_CHECK(intents_of(*journal) == numbers(100));
  CAF_CHECK(verify_journal(on, dir)->segments > 1);
}

CAF_TEST(segments of version 1 are still read) {
  memory_disk on;
  {
    auto journal = order_journal::open(on, options_in(dir));
    CAF_REQUIRE(journal);
    append_intents(*journal, 0, 5);
  }
  // Version 1 had zeros where the size stands now.
  auto& bytes = on.content(segment(1));
  const std::uint32_t version = 1;
  bytes.replace(8, 4, reinterpret_cast<const char*>(&version), 4);
  bytes.replace(12, 4, 4, '\0');
  const auto sum = crc32c(std::string_view{bytes}.substr(0, 32));
  bytes.replace(32, 4, reinterpret_cast<const char*>(&sum), 4);
  auto journal = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(journal);
  append_intents(*journal, 5, 60);
  CAF_CHECK(intents_of(*journal) == numbers(65));
}

CAF_TEST(the second opener is refused and told who holds it) {
  scratch_folder folder;
  auto options = options_in(folder / "j");
  options.holder = "pid 4711, node exec";
  auto journal = order_journal::open(real_disk(), options);
  CAF_REQUIRE(journal);
  auto second = order_journal::open(real_disk(), options);
  CAF_REQUIRE(!second);
  CAF_CHECK(second.error().code == storage_errc::locked);
  CAF_CHECK(second.error().text.find("pid 4711") != std::string::npos);
  const int code = in_child([&] {
    auto other = order_journal::open(real_disk(), options);
    return !other && other.error().code == storage_errc::locked ? 0 : 1;
  });
  CAF_CHECK_EQUAL(code, 0);
  CAF_CHECK_EQUAL(journal->epoch(), 1u);
}

CAF_TEST(a killed holder frees the lock and its successor has the next epoch) {
  scratch_folder folder;
  const auto options = options_in(folder / "j");
  int ready[2] = {};
  CAF_REQUIRE_EQUAL(::pipe2(ready, O_CLOEXEC), 0);
  const auto pid = ::fork();
  if (pid == 0) {
    auto journal = order_journal::open(real_disk(), options);
    const char byte = journal ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  CAF_REQUIRE_EQUAL(::read(ready[0], &byte, 1), 1);
  CAF_CHECK_EQUAL(byte, 'y');
  // A stopped holder keeps the lock: the successor is refused, not raced.
  ::kill(pid, SIGSTOP);
  CAF_CHECK(!order_journal::open(real_disk(), options));
  ::kill(pid, SIGKILL);
  int state = 0;
  ::waitpid(pid, &state, 0);
  auto journal = order_journal::open(real_disk(), options);
  CAF_REQUIRE(journal);
  CAF_CHECK_EQUAL(journal->epoch(), 2u);
  ::close(ready[0]);
  ::close(ready[1]);
}

CAF_TEST(a program started by the holder does not inherit the lock) {
  scratch_folder folder;
  const auto options = options_in(folder / "j");
  int started[2] = {};
  int keep[2] = {};
  CAF_REQUIRE_EQUAL(::pipe(started), 0);
  CAF_REQUIRE_EQUAL(::pipe(keep), 0);
  const int code = in_child([&] {
    auto journal = order_journal::open(real_disk(), options);
    if (!journal) return 1;
    if (::fork() == 0) {
      // A program that says it runs and lives until the test closes its input.
      ::dup2(keep[0], 0);
      ::dup2(started[1], 1);
      ::close(keep[1]);
      ::execl("/bin/sh", "sh", "-c", "echo; read line", nullptr);
      ::_exit(1);
    }
    char byte = 0;
    return ::read(started[0], &byte, 1) == 1 ? 0 : 2; // dies without waiting for it
  });
  CAF_CHECK_EQUAL(code, 0);
  CAF_CHECK(order_journal::open(real_disk(), options));
  for (const int fd : {started[0], started[1], keep[0], keep[1]})
    ::close(fd);
}

CAF_TEST(the directory of another machine or account is refused until adopted) {
  memory_disk on;
  { CAF_REQUIRE(order_journal::open(on, options_in(dir))); }
  auto elsewhere = options_in(dir);
  elsewhere.identity.machine = "machine-2";
  auto refused = order_journal::open(on, elsewhere);
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == storage_errc::foreign);
  CAF_CHECK(refused.error().text.find("machine-1") != std::string::npos);
  CAF_CHECK(refused.error().text.find("machine-2") != std::string::npos);
  elsewhere.adopt = true;
  elsewhere.adopted_by = "operator";
  {
    auto adopted = order_journal::open(on, elsewhere);
    CAF_REQUIRE(adopted);
    CAF_CHECK_EQUAL(adopted->epoch(), 2u);
    auto page = adopted->read(2, 10);
    CAF_REQUIRE(page);
    CAF_CHECK(from_entry<journal_note>(page->rows.at(0).entry).value_or({}).who == "operator");
  }
  CAF_CHECK(order_journal::open(on, options_in(dir)).error().code == storage_errc::foreign);
  auto other = elsewhere;
  other.identity.account = "second@binance";
  CAF_CHECK(order_journal::open(on, other).error().code == storage_errc::foreign);
}

CAF_TEST(a damaged or missing EPOCH or IDENTITY is named) {
  for (const auto* name : {"EPOCH", "IDENTITY"}) {
    memory_disk on;
    { CAF_REQUIRE(order_journal::open(on, options_in(dir))); }
    const auto good = on.content(dir / name);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      on.content(dir / name) = good;
      on.content(dir / name)[bit / 8] ^= static_cast<char>(1 << bit % 8);
      auto refused = order_journal::open(on, options_in(dir));
      CAF_REQUIRE(!refused);
      CAF_REQUIRE(refused.error().text.find((dir / name).string()) != std::string::npos);
    }
    CAF_REQUIRE(on.remove(dir / name));
    CAF_CHECK(order_journal::open(on, options_in(dir)).error().code == storage_errc::damaged);
  }
  // Adopting rebuilds EPOCH from the journal's own records.
  memory_disk on;
  for (int i = 0; i < 3; ++i)
    CAF_REQUIRE(order_journal::open(on, options_in(dir)));
  on.content(dir / "EPOCH")[20] ^= 1;
  auto options = options_in(dir);
  options.adopt = true;
  auto journal = order_journal::open(on, options);
  CAF_REQUIRE(journal);
  CAF_CHECK_EQUAL(journal->epoch(), 4u);
}

CAF_TEST(adopting rebuilds IDENTITY but never for another account) {
  memory_disk on;
  { CAF_REQUIRE(order_journal::open(on, options_in(dir))); }
  const auto good = on.content(dir / "IDENTITY");
  for (const bool missing : {false, true}) {
    on.content(dir / "IDENTITY")[20] ^= 1;
    if (missing) CAF_REQUIRE(on.remove(dir / "IDENTITY"));
    auto other = options_in(dir);
    other.adopt = true;
    other.identity.account = "second@binance";
    CAF_CHECK(order_journal::open(on, other).error().code == storage_errc::foreign);
    CAF_CHECK(on.content(dir / "IDENTITY") != good);
    auto options = options_in(dir);
    options.adopt = true;
    CAF_REQUIRE(order_journal::open(on, options));
    CAF_CHECK(on.content(dir / "IDENTITY") == good);
    CAF_REQUIRE(order_journal::open(on, options_in(dir)));
  }
}

CAF_TEST(a newer epoch fences the older writer before it writes) {
  memory_disk on;
  auto journal = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(journal);
  append_intents(*journal, 0, 3);
  const auto before = on.content(segment(1));
  CAF_REQUIRE(journal_files::write_epoch(on, dir, 2));
  const auto entry = to_entry(sample_intent(3));
  CAF_CHECK(journal->append({&entry, 1}).error().code == storage_errc::fenced);
  CAF_CHECK(on.content(segment(1)) == before);
  // For good: not even when the number went back.
  CAF_REQUIRE(journal_files::write_epoch(on, dir, 1));
  CAF_CHECK(journal->append({&entry, 1}).error().code == storage_errc::fenced);
  CAF_CHECK(!journal->sync());
}

CAF_TEST(a failed write or sync closes the journal for good) {
  for (const auto what : {fault::write_no_space, fault::write_io, fault::sync_io}) {
    for (std::uint64_t when = 0; when < 12; ++when) {
      memory_disk below;
      faulty_disk on{below};
      std::uint64_t acknowledged = 0;
      {
        auto journal = order_journal::open(on, options_in(dir));
        CAF_REQUIRE(journal);
        on.arm(what, when);
        bool failed = false;
        for (std::uint64_t n = 0; n < 40; ++n) {
          const auto entry = to_entry(sample_intent(n));
          const bool done = journal->append({&entry, 1}) && journal->sync();
          CAF_REQUIRE(!(done && failed));
          failed = failed || !done;
          if (done) acknowledged = n + 1;
        }
        CAF_REQUIRE(failed);
        CAF_CHECK(journal->failure());
        CAF_CHECK_EQUAL(on.syncs_after_fault(), 0u);
        CAF_CHECK(!journal->prepare());
      }
      auto journal = order_journal::open(below, options_in(dir));
      CAF_REQUIRE(journal);
      const auto found = intents_of(*journal);
      CAF_CHECK(found.size() >= acknowledged && found == numbers(found.size()));
    }
  }
}

CAF_TEST(no acknowledged record is lost in a power cut at any moment) {
  std::mt19937_64 random{run_seed("journal power cuts")};
  std::uint64_t torn = 0;
  for (int cut = 0; cut < 400; ++cut) {
    memory_disk below;
    CAF_REQUIRE(below.create_directories(dir));
    below.settle();
    std::uint64_t acknowledged = 0;
    std::uint64_t tried = 0;
    std::uint64_t epoch = 0;
    // Several lives, each ended by a cut.
    for (int life = 0; life < 3; ++life) {
      faulty_disk on{below};
      on.arm(fault::stop, random() % 120);
      if (auto journal = order_journal::open(on, options_in(dir)); journal) {
        const auto found = intents_of(*journal);
        CAF_REQUIRE(found.size() >= acknowledged);
        CAF_REQUIRE(found == numbers(found.size()));
        CAF_REQUIRE(journal->epoch() > epoch);
        epoch = journal->epoch();
        torn += journal->recovery().torn_bytes > 0 ? 1 : 0;
        tried = acknowledged = found.size();
        while (!journal->failure() && tried < 200) {
          std::vector<journal_entry> group;
          for (auto n = random() % 6 + 1; n > 0; --n)
            group.push_back(to_entry(sample_intent(tried++)));
          if (journal->append(group) && journal->sync()) acknowledged = tried;
          (void)journal->prepare();
        }
      }
      below.power_cut(random);
    }
    auto journal = order_journal::open(below, options_in(dir));
    if (!journal) CAF_MESSAGE(journal.error().message());
    CAF_REQUIRE(journal);
    const auto found = intents_of(*journal);
    CAF_REQUIRE(found.size() >= acknowledged);
    CAF_REQUIRE(found.size() <= tried);
    CAF_REQUIRE(found == numbers(found.size()));
  }
  CAF_CHECK(torn > 20);
}

CAF_TEST(a group that can never fit is refused and harms nothing) {
  memory_disk on;
  auto journal = order_journal::open(on, options_in(dir));
  CAF_REQUIRE(journal);
  const auto large = to_entry(journal_note{"x", std::string(20000, 'y')});
  CAF_CHECK(journal->append({&large, 1}).error().code == storage_errc::too_large);
  CAF_CHECK(!journal->failure());
  append_intents(*journal, 0, 2);
  CAF_CHECK(intents_of(*journal) == numbers(2));
}
