// Writes to journal, store and checkpoints for ever and says on standard output what has been
// acknowledged, one line each: "j N", "s N", "c N". Killed, or cut off from its disk, by the tests.
//
// Usage: storage_crash_writer FOLDER [j][s][c]

#include "tests/storage/crash_plan.hpp"

#include <cstdio>
#include <unistd.h>

using namespace troupe;
using namespace troupe::test;

namespace {

[[noreturn]] void give_up(const error& why) {
  std::fprintf(stderr, "crash writer: %s\n", why.message().c_str());
  ::_exit(3);
}

void acknowledge(char what, std::uint64_t n) {
  char line[40];
  const int length =
      std::snprintf(line, sizeof line, "%c %llu\n", what, static_cast<unsigned long long>(n));
  if (::write(1, line, static_cast<std::size_t>(length)) != length) ::_exit(4);
}

struct journal_work {
  explicit journal_work(const std::filesystem::path& folder) : journal_{open(folder)} {
    auto done = journal_.replay(0, [this](const journal_row& row) -> status {
      if (row.entry.kind == journal_kind::intent) ++next_;
      return ok;
    });
    if (!done) give_up(done.error());
  }
  static order_journal open(const std::filesystem::path& folder) {
    auto opened = order_journal::open(real_disk(), plan_journal(folder));
    if (!opened) give_up(opened.error());
    return std::move(*opened);
  }
  void step() {
    std::vector<journal_entry> group;
    for (std::uint64_t n = 0; n <= next_ % 4; ++n)
      group.push_back(to_entry(sample_intent(next_ + n)));
    if (auto done = journal_.append(group); !done) give_up(done.error());
    if (auto done = journal_.sync(); !done) give_up(done.error());
    next_ += group.size();
    acknowledge('j', next_);
    if (auto done = journal_.prepare(); !done) give_up(done.error());
  }
  order_journal journal_;
  std::uint64_t next_ = 0;
};

struct store_work {
  explicit store_work(const std::filesystem::path& folder) {
    auto opened =
        open_rocksdb_store({.directory = folder / "store", .write_buffer_bytes = 1u << 20});
    if (!opened) give_up(opened.error());
    store_ = std::move(*opened);
    auto counts = store_->counts();
    if (!counts) give_up(counts.error());
    for (const auto made : counts->made)
      next_ += made;
    if (next_ > 0) --next_; // the last step may be half done; doing it again changes nothing
  }
  /// Now one step with a sync of its own, now several that share one.
  void step() {
    const auto together = next_ % 5;
    store_->defer_sync(together > 0);
    for (std::uint64_t n = 0; n <= together; ++n)
      write();
    if (auto done = store_->sync(); !done) give_up(done.error());
    acknowledge('s', next_);
  }
  void write() {
    if (auto done = store_->put_snapshot(plan_snapshot(next_)); !done) give_up(done.error());
    if (next_ >= outcome_lag) {
      const auto n = next_ - outcome_lag;
      auto done = store_->mature({plan_snapshot(n).what.id, sample_outcome(plan_kind(n))});
      if (!done && done.error().code != storage_errc::already_matured) give_up(done.error());
    }
    ++next_;
  }
  std::unique_ptr<store> store_;
  std::uint64_t next_ = 0;
};

struct checkpoint_work {
  explicit checkpoint_work(const std::filesystem::path& folder) : store_{open(folder)} {
    auto list = store_.list("cnn");
    if (!list) give_up(list.error());
    if (!list->empty()) next_ = list->front().version.step + 1;
  }
  static checkpoint_store open(const std::filesystem::path& folder) {
    auto opened = checkpoint_store::open(real_disk(), {.root = folder / "checkpoints"});
    if (!opened) give_up(opened.error());
    return std::move(*opened);
  }
  void step() {
    if (auto done = store_.put(plan_manifest(next_), plan_weights(next_)); !done)
      give_up(done.error());
    acknowledge('c', ++next_);
  }
  checkpoint_store store_;
  std::uint64_t next_ = 0;
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::filesystem::path folder = argv[1];
  const std::string what = argv[2];
  std::optional<journal_work> journal;
  std::optional<store_work> store;
  std::optional<checkpoint_work> checkpoints;
  if (what.find('j') != std::string::npos) journal.emplace(folder);
  if (what.find('s') != std::string::npos) store.emplace(folder);
  if (what.find('c') != std::string::npos) checkpoints.emplace(folder);
  while (true) {
    if (journal) journal->step();
    if (store) store->step();
    if (checkpoints) checkpoints->step();
  }
}
