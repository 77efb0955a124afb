#define CAF_SUITE storage_slow
#include "storage/journal_tools.hpp"
#include "storage/tape/tape_tools.hpp"
#include "tests/storage/crash_plan.hpp"
#include "tests/storage/disks.hpp"
#include "tests/support/recordings.hpp"

#include <caf/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::test;

namespace {

/// A count from the environment: the soak runs use larger ones.
int count_of(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

void flip(std::string& bytes, std::mt19937_64& random) {
  const auto bit = random() % (bytes.size() * 8);
  bytes[bit / 8] ^= static_cast<char>(1 << bit % 8);
}

// --- the writer process
// ---------------------------------------------------------------------------

/// What a writer has acknowledged.
struct acknowledged_steps {
  std::uint64_t journal = 0;
  std::uint64_t store = 0;
  std::uint64_t checkpoints = 0;
};

class writer_process {
public:
  writer_process(const fs::path& folder, const std::string& what) {
    int ends[2] = {};
    CAF_REQUIRE_EQUAL(::pipe2(ends, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], 1);
      ::execl(CRASH_WRITER, CRASH_WRITER, folder.c_str(), what.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ends[0];
  }
  writer_process(const writer_process&) = delete;
  writer_process& operator=(const writer_process&) = delete;
  ~writer_process() {
    kill();
    ::close(out_);
  }

  /// Reads acknowledgements until `lines` more have come, or the writer has ended.
  void run(int lines) {
    while (lines > 0 && read_some()) {
      for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
        take(text_.substr(0, end));
        text_.erase(0, end + 1);
        --lines;
      }
    }
  }
  /// Takes what is in the pipe already.
  void drain() {
    pollfd p{out_, POLLIN, 0};
    while (::poll(&p, 1, 0) > 0 && (p.revents & POLLIN) != 0 && read_some()) {
    }
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      take(text_.substr(0, end));
      text_.erase(0, end + 1);
    }
  }
  void stop() const {
    ::kill(pid_, SIGSTOP);
    int state = 0;
    ::waitpid(pid_, &state, WUNTRACED);
  }
  void go_on() const { ::kill(pid_, SIGCONT); }
  /// Ends it with SIGKILL; false when it had ended by itself.
  bool kill() {
    if (pid_ <= 0) return true;
    ::kill(pid_, SIGKILL);
    int state = 0;
    ::waitpid(pid_, &state, 0);
    pid_ = 0;
    return WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL;
  }
  [[nodiscard]] const acknowledged_steps& acknowledged() const noexcept { return seen_; }

private:
  bool read_some() {
    char buffer[4096];
    const auto n = ::read(out_, buffer, sizeof buffer);
    if (n > 0) text_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  void take(const std::string& line) {
    const auto n = std::strtoull(line.c_str() + 2, nullptr, 10);
    if (line[0] == 'j') seen_.journal = n;
    if (line[0] == 's') seen_.store = n;
    if (line[0] == 'c') seen_.checkpoints = n;
  }

  pid_t pid_ = 0;
  int out_ = -1;
  std::string text_;
  acknowledged_steps seen_;
};

// --- what must be there
// ---------------------------------------------------------------------------

void check_journal(const fs::path& folder, std::uint64_t acknowledged) {
  auto journal = order_journal::open(real_disk(), plan_journal(folder));
  if (!journal) CAF_FAIL(journal.error().message());
  std::uint64_t next = 0;
  CAF_REQUIRE(journal->replay(0, [&](const journal_row& row) -> status {
    if (row.entry.kind != journal_kind::intent) return ok;
    const auto x = from_entry<intent>(row.entry);
    CAF_REQUIRE(x && *x == sample_intent(next));
    ++next;
    return ok;
  }));
  CAF_REQUIRE(next >= acknowledged);
}

void check_store(const fs::path& folder, std::uint64_t acknowledged) {
  auto opened = open_rocksdb_store({.directory = folder / "store"});
  if (!opened) CAF_FAIL(opened.error().message());
  auto& s = **opened;
  const auto counts = s.counts().value_or({});
  std::uint64_t made = 0;
  for (const auto n : counts.made)
    made += n;
  CAF_REQUIRE(made >= acknowledged);
  learning_counts recount{std::vector<std::uint64_t>(4), std::vector<std::uint64_t>(4),
                          std::vector<std::uint64_t>(4), std::vector<std::uint64_t>(4)};
  std::uint64_t newest = 0;
  for (std::uint64_t n = 0; n < made; ++n) {
    auto found = s.find_snapshot(plan_snapshot(n).what.id);
    CAF_REQUIRE(found && *found);
    auto& x = **found;
    const auto h = n % 4;
    ++recount.made[h];
    if (x.then.kind == outcome_kind::pending) {
      CAF_REQUIRE(n + outcome_lag >= acknowledged);
      continue;
    }
    CAF_REQUIRE(x.then.kind == plan_kind(n));
    if (x.then.kind == outcome_kind::expired)
      ++recount.expired[h];
    else
      ++recount.matured[h];
    if (x.then.kind != outcome_kind::scored) {
      CAF_REQUIRE_EQUAL(x.training_sequence, 0u);
      continue;
    }
    ++recount.scored[h];
    CAF_REQUIRE_EQUAL(x.training_sequence, ++newest); // exactly once and in order
  }
  CAF_REQUIRE(recount == counts);
  const auto stream = s.pull({0, 1}).value_or({});
  CAF_REQUIRE_EQUAL(stream.newest, newest);
}

void check_checkpoints(const fs::path& folder, std::uint64_t acknowledged) {
  auto store = checkpoint_store::open(real_disk(), {.root = folder / "checkpoints"});
  CAF_REQUIRE(store);
  const auto list = store->list("cnn");
  CAF_REQUIRE(list);
  CAF_REQUIRE(list->size() >= acknowledged);
  CAF_REQUIRE(store->damaged().empty());
  for (std::uint64_t n = acknowledged > 5 ? acknowledged - 5 : 0; n < acknowledged; ++n)
    CAF_REQUIRE(store->weights("cnn", plan_manifest(n).version.weights).value_or("")
                == plan_weights(n));
}

void check_all(const fs::path& folder, const acknowledged_steps& steps) {
  check_journal(folder, steps.journal);
  check_store(folder, steps.store);
  check_checkpoints(folder, steps.checkpoints);
}

} // namespace

// --- bit flips
// ------------------------------------------------------------------------------------

CAF_TEST(each flipped bit of a tape is found or harmless) {
  std::mt19937_64 random{run_seed("tape flips")};
  memory_disk on;
  {
    auto tape = tape_writer::create(on, "/t", {"BTC-USDT@binance", "binance", "test", ""},
                                    {.block_bytes = 4096});
    CAF_REQUIRE(tape && tape->add_channel("c", channel_kind::socket));
    for (int n = 0; n < 400; ++n)
      CAF_REQUIRE(tape->append({n}, 0, "frame " + std::to_string(n * n) + std::string(30, 'x')));
    CAF_REQUIRE(tape->finish());
  }
  const auto whole = on.content("/t");
  int found = 0;
  const int trials = count_of("TROUPE_FLIPS", 2000) / 3;
  for (int i = 0; i < trials; ++i) {
    on.content("/t") = whole;
    flip(on.content("/t"), random);
    auto tape = tape_reader::open(on, "/t");
    if (!tape) {
      ++found;
      CAF_REQUIRE(tape.error().text.find("/t") != std::string::npos);
      continue;
    }
    int n = 0;
    tape_record r;
    auto more = tape->next(r);
    for (; more && *more; more = tape->next(r), ++n)
      CAF_REQUIRE_EQUAL(std::string{r.payload},
                        "frame " + std::to_string(n * n) + std::string(30, 'x'));
    if (more)
      CAF_REQUIRE_EQUAL(n, 400);
    else
      ++found;
  }
  CAF_MESSAGE("tape: " << found << " of " << trials << " found, the rest harmless");
  CAF_CHECK(found > trials * 9 / 10);
}

CAF_TEST(each flipped bit of a journal is found or harmless) {
  std::mt19937_64 random{run_seed("journal flips")};
  memory_disk on;
  constexpr std::uint64_t records = 60;
  auto options = plan_journal("/");
  options.segment_bytes = 16u << 10;
  {
    auto journal = order_journal::open(on, options);
    CAF_REQUIRE(journal);
    for (std::uint64_t n = 0; n < records; ++n) {
      const auto entry = to_entry(sample_intent(n));
      CAF_REQUIRE(journal->append({&entry, 1}) && journal->sync());
    }
  }
  const auto names = on.list(options.directory);
  CAF_REQUIRE(names);
  std::map<std::string, std::string> whole;
  for (const auto& name : *names)
    if (name != "HOLDER") whole[name] = on.content(options.directory / name);
  int refused = 0;
  int reported = 0;
  const int trials = count_of("TROUPE_FLIPS", 2000) / 3;
  for (int i = 0; i < trials; ++i) {
    memory_disk other;
    CAF_REQUIRE(other.create_directories(options.directory));
    for (const auto& [name, bytes] : whole)
      CAF_REQUIRE(replace_file(other, options.directory / name, bytes));
    auto victim =
        std::next(whole.begin(), static_cast<std::ptrdiff_t>(random() % whole.size()))->first;
    flip(other.content(options.directory / victim), random);
    auto journal = order_journal::open(other, options);
    if (!journal) {
      ++refused;
      CAF_REQUIRE(journal.error().text.find(victim) != std::string::npos);
      continue;
    }
    // A bit in unused space looks like an interrupted write: it is cut off and reported.
    reported += journal->recovery().torn_bytes > 0 ? 1 : 0;
    std::uint64_t next = 0;
    CAF_REQUIRE(journal->replay(0, [&](const journal_row& row) -> status {
      if (row.entry.kind == journal_kind::intent) {
        CAF_REQUIRE(from_entry<intent>(row.entry).value_or({}) == sample_intent(next));
        ++next;
      }
      return ok;
    }));
    CAF_REQUIRE_EQUAL(next, records);
  }
  CAF_MESSAGE("journal: " << refused << " refused, " << reported << " in unused space reported, of "
                          << trials);
  CAF_CHECK(refused > trials / 2);
}

CAF_TEST(each flipped bit of a checkpoint is found or harmless) {
  std::mt19937_64 random{run_seed("checkpoint flips")};
  memory_disk on;
  auto store = checkpoint_store::open(on, {.root = "/c"});
  CAF_REQUIRE(store && store->put(plan_manifest(1), plan_weights(1)));
  const auto manifest = plan_manifest(1);
  const auto folder = fs::path{"/c/cnn"} / ("1-" + manifest.version.weights.substr(0, 12));
  int found = 0;
  const int trials = count_of("TROUPE_FLIPS", 2000) / 3;
  for (int i = 0; i < trials; ++i) {
    memory_disk other;
    auto copy = checkpoint_store::open(other, {.root = "/c"});
    CAF_REQUIRE(copy && copy->put(manifest, plan_weights(1)));
    const auto victim = folder / (random() % 3 == 0 ? "manifest.record" : "weights.safetensors");
    flip(other.content(victim), random);
    const auto list = copy->list("cnn");
    CAF_REQUIRE(list);
    if (!list->empty()) CAF_REQUIRE(list->front() == manifest);
    const auto weights = copy->weights("cnn", manifest.version.weights);
    if (weights)
      CAF_REQUIRE_EQUAL(*weights, plan_weights(1));
    else
      ++found;
    CAF_REQUIRE(weights || copy->damaged().size() == 1);
  }
  CAF_CHECK_EQUAL(found, trials);
}

CAF_TEST(flipped bits of the store are refused or leave what was acknowledged readable) {
  std::mt19937_64 random{run_seed("store flips")};
  scratch_folder folder;
  {
    writer_process writer{folder.path(), "s"};
    writer.run(600);
    CAF_REQUIRE(writer.kill());
  }
  // Once more, so that there is a table file beside the log.
  {
    CAF_REQUIRE(
        open_rocksdb_store({.directory = folder / "store", .write_buffer_bytes = 1u << 20}));
  }
  std::vector<snapshot> expected;
  learning_counts counts;
  {
    auto s = open_rocksdb_store({.directory = folder / "store"});
    CAF_REQUIRE(s);
    counts = (*s)->counts().value_or({});
    for (std::uint64_t n = 0; n < 600; ++n)
      expected.push_back(*(*s)->find_snapshot(plan_snapshot(n).what.id).value_or(std::nullopt));
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{folder / "store"})
    if (const auto name = entry.path().filename().string();
        entry.file_size() > 0 && !name.starts_with("LOG"))
      files.push_back(entry.path().filename());
  int refused = 0;
  int shorter = 0;
  const int trials = count_of("TROUPE_STORE_FLIPS", 60);
  for (int i = 0; i < trials; ++i) {
    const auto copy = folder / "copy";
    fs::remove_all(copy);
    fs::copy(folder / "store", copy);
    const auto victim = copy / files[random() % files.size()];
    auto bytes = read_whole(real_disk(), victim, 1u << 30);
    CAF_REQUIRE(bytes);
    flip(*bytes, random);
    std::ofstream{victim, std::ios::binary} << *bytes;
    auto opened = open_rocksdb_store({.directory = copy});
    if (!opened) {
      ++refused;
      CAF_REQUIRE(opened.error().text.find(copy.string()) != std::string::npos);
      continue;
    }
    bool damaged = false;
    const auto found = (*opened)->counts().value_or({});
    shorter += found == counts ? 0 : 1;
    for (const auto& x : expected) {
      auto got = (*opened)->find_snapshot(x.what.id);
      damaged = damaged || !got;
      if (got && *got && found == counts) CAF_REQUIRE(**got == x);
      if (got && *got) CAF_REQUIRE((*got)->frame == x.frame);
    }
    refused += damaged ? 1 : 0;
  }
  CAF_MESSAGE("store: " << refused << " refused, " << shorter << " opened at an earlier state, of "
                        << trials);
  CAF_CHECK(refused > trials / 4);
}

// --- crashes
// --------------------------------------------------------------------------------------

CAF_TEST(a killed writer loses nothing that was acknowledged and counts stay exact) {
  std::mt19937_64 random{run_seed("kills")};
  scratch_folder folder;
  const int kills = count_of("TROUPE_KILLS", 25);
  for (int i = 0; i < kills; ++i) {
    writer_process writer{folder.path(), "jsc"};
    writer.run(static_cast<int>(random() % 60) + 1);
    CAF_REQUIRE(writer.kill());
    writer.drain();
    check_all(folder.path(), writer.acknowledged());
  }
}

namespace {

/// Cuts the power so many times on a disk of its own; false where that can't be had.
bool cut_power(int cuts, std::mt19937_64& random) {
  const auto run = [](const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  };
  scratch_folder folder;
  const auto image = (folder / "disk.img").string();
  const auto copy = (folder / "copy.img").string();
  const auto mounted = (folder / "disk").string();
  const auto after = (folder / "after").string();
  fs::create_directories(mounted);
  fs::create_directories(after);
  if (::geteuid() != 0 || !run("truncate -s 96M " + image) || !run("mkfs.ext4 -q -F " + image)
      || !run("mount -o loop " + image + " " + mounted)) {
    std::cout << "skipped: power cuts: needs root, mkfs.ext4 and loop devices" << std::endl;
    return false;
  }
  int done = 0;
  {
    std::optional<writer_process> writer{std::in_place, mounted, "jsc"};
    for (int tries = 0; done < cuts && tries < 3 * cuts; ++tries) {
      writer->run(static_cast<int>(random() % 40) + 5);
      // Stopped while it writes; what it has acknowledged by then must be on the platter.
      writer->stop();
      writer->drain();
      const auto acknowledged = writer->acknowledged();
      // Only a copy during which the file system wrote nothing is a moment in time.
      const auto before = fs::last_write_time(image);
      const bool copied = run("cp --sparse=always " + image + " " + copy);
      const bool still = fs::last_write_time(image) == before;
      writer->go_on();
      if (!copied || !still) continue;
      CAF_REQUIRE(run("mount -o loop " + copy + " " + after));
      check_all(after, acknowledged);
      CAF_REQUIRE(run("umount " + after));
      ++done;
    }
  }
  CAF_CHECK(run("umount " + mounted));
  CAF_CHECK_EQUAL(done, cuts);
  return true;
}

} // namespace

CAF_TEST(a power cut loses nothing that was acknowledged) {
  constexpr int cuts_a_disk = 20; // what the writer has written stays, and the disk is small
  std::mt19937_64 random{run_seed("power cuts")};
  for (int left = count_of("TROUPE_POWER_CUTS", 20); left > 0; left -= cuts_a_disk)
    if (!cut_power(std::min(left, cuts_a_disk), random)) return;
}

CAF_TEST(a full disk closes the journal and the store and space brings them back) {
  const auto run = [](const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  };
  scratch_folder folder;
  const auto mounted = folder / "small";
  fs::create_directories(mounted);
  if (::geteuid() != 0 || !run("mount -t tmpfs -o size=24M tmpfs " + mounted.string())) {
    std::cout << "skipped: full disk: needs root and tmpfs" << std::endl;
    return;
  }
  {
    auto s = open_rocksdb_store({.directory = mounted / "store"});
    CAF_REQUIRE(s);
    std::ofstream{mounted / "ballast"} << std::string(20u << 20, 'x');
    error why;
    std::uint64_t stored = 0;
    for (std::int64_t n = 0; n < 100000; ++n, ++stored)
      if (auto put = (*s)->put_snapshot(sample_snapshot(horizon::m1, n)); !put) {
        why = put.error();
        break;
      }
    CAF_CHECK(why.code == storage_errc::no_space);
    CAF_CHECK((*s)->put_snapshot(sample_snapshot(horizon::m1, 500000)).error().code
              == storage_errc::failed);
    auto journal = order_journal::open(real_disk(), plan_journal(mounted));
    CAF_REQUIRE(!journal);
    CAF_CHECK(journal.error().code == storage_errc::no_space);
    // RocksDB's own attempts to recover start within two seconds and would abort the process: an
    // owner that is slow to close must survive them, or rather not meet them.
    ::poll(nullptr, 0, 3000);
    s->reset();
    fs::remove(mounted / "ballast");
    s = open_rocksdb_store({.directory = mounted / "store"});
    if (!s) CAF_FAIL(s.error().message());
    const auto counts = (*s)->counts().value_or({});
    CAF_CHECK_EQUAL(counts.made.at(0), stored);
    CAF_CHECK((*s)->put_snapshot(sample_snapshot(horizon::m1, 500000)).value_or(false));
    CAF_CHECK(order_journal::open(real_disk(), plan_journal(mounted)));
  }
  CAF_CHECK(run("umount " + mounted.string()));
}

// --- recordings
// -----------------------------------------------------------------------------------

CAF_TEST(all recorded files import with their known figures) {
  struct lines_file {
    const char* path;
    std::uint64_t lines;
    std::uint64_t images;
  };
  const lines_file files[] = {
      {"spot/btcusdt_20240808.gz", 41249, 1},   {"spot/btcusdt_20240809.gz", 58325, 0},
      {"usdm/btcusdt_20240808.gz", 93954, 1},   {"cm/btcusd_perp_20240808.gz", 48270, 1},
      {"cm/btcusd_perp_20240809.gz", 50116, 0}, {"hyperliquid/btcusd_20250126.gz", 55, 0}};
  scratch_folder folder;
  for (const auto& file : files) {
    const auto path =
        recording(std::string{"venues/nkaz001+hftbacktest/examples/"} + file.path, "import");
    if (!path) return;
    const auto out = folder / "tape";
    fs::remove(out);
    auto report = import_tape(real_disk(), {.inputs = {*path}, .output = out});
    CAF_REQUIRE(report);
    CAF_CHECK_EQUAL(report->lines, file.lines);
    CAF_CHECK_EQUAL(report->tape.records, file.lines);
    const auto images =
        report->tape.records_by_channel.size() > 1 ? report->tape.records_by_channel[1] : 0;
    CAF_CHECK_EQUAL(images, file.images);
    const auto verified = verify_tape(real_disk(), out, {});
    CAF_REQUIRE(verified);
    CAF_CHECK(verified->intact);
  }
  struct two_way {
    const char* name;
    std::vector<const char*> parts;
    std::uint64_t sent;
    std::uint64_t received;
    std::uint64_t rest;
  };
  const std::vector<two_way> venues{
      {"BINANCE", {"ws.1.0", "http.0.0"}, 0, 265, 4},
      {"BINANCE_US", {"ws.1.0", "http.0.0"}, 0, 480, 4},
      {"BINANCE_FUTURES", {"ws.1.0", "http.0.0"}, 0, 1535, 4},
      {"BITFINEX", {"ws.11.0"}, 22, 1693, 0},
      {"BITMEX", {"ws.1.0"}, 3, 2120, 0},
      {"BYBIT", {"ws.25.0"}, 16, 3342, 0},
      {"COINBASE", {"ws.28.0"}, 3, 9946, 0},
      {"DERIBIT", {"ws.1.0"}, 1, 136, 0},
      {"GATEIO", {"ws.1.0", "http.0.0"}, 22, 239, 10},
      {"HUOBI", {"ws.44.0"}, 26, 362, 0},
      {"HUOBI_SWAP", {"ws.1.0"}, 16, 1296, 0},
      {"KRAKEN", {"ws.48.0", "ws.49.0", "ws.50.0"}, 3, 49 + 60 + 4321, 0},
      {"KUCOIN", {"ws.1.0", "http.0.0"}, 13, 4721, 9},
      {"OKX", {"ws.1.0"}, 3, 410, 0}};
  for (const auto& venue : venues) {
    tape_import_options options{.inputs = {}, .output = folder / "tape", .venue = venue.name};
    for (const auto* part : venue.parts) {
      const auto path =
          recording(std::string{"venues/bmoscon+cryptofeed/sample_data/"} + venue.name + '.' + part,
                    "import");
      if (!path) return;
      options.inputs.push_back(*path);
    }
    fs::remove(options.output);
    auto report = import_tape(real_disk(), options);
    if (!report) CAF_FAIL(report.error().message());
    std::uint64_t counts[3] = {};
    for (const auto& c : report->tape.channels)
      counts[static_cast<std::size_t>(c.kind)] += report->tape.records_by_channel[c.id];
    CAF_MESSAGE(venue.name << ": received " << counts[0] << ", REST " << counts[1] << ", sent "
                           << counts[2]);
    CAF_CHECK_EQUAL(counts[0], venue.received);
    CAF_CHECK_EQUAL(counts[1], venue.rest);
    CAF_CHECK_EQUAL(counts[2], venue.sent);
  }
}
