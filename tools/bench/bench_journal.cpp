#include "tools/bench/bench_journal.hpp"

#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "storage/journal_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <ostream>
#include <unistd.h>

namespace troupe {
namespace {

intent sample(std::uint64_t n) {
  intent x;
  x.account = {"main@binance"};
  x.decision_sequence = n;
  x.instrument = {"BTC-USDT@binance"};
  x.limit = {6168599000000};
  x.quantity = {100000};
  x.created = {1723161253937000000 + static_cast<std::int64_t>(n)};
  x.expires = x.created + std::chrono::seconds{5};
  x.client_id = "tr1f0e2d3c4b5a69788796";
  x.approval = n * 0x9e3779b97f4a7c15ULL;
  return x;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

struct latencies {
  std::vector<double> us;
  void add(steady_time from, steady_time to) {
    us.push_back(static_cast<double>((to - from).count()) / 1e3);
  }
  [[nodiscard]] double at(double quantile) const {
    auto sorted = us;
    std::sort(sorted.begin(), sorted.end());
    return sorted.empty() ? 0
                          : sorted[static_cast<std::size_t>(
                              quantile * static_cast<double>(sorted.size() - 1))];
  }
};

struct one_by_one {
  latencies bare;
  latencies journal;
  double ratio = 0;
  std::size_t bytes = 0;
};

journal_options options_in(const std::filesystem::path& folder) {
  return {.directory = folder / "journal", .identity = {"bench", "bench", "main@binance"}};
}

/// The same bytes into a file of zeros, as a journal has, without anything around it.
result<std::unique_ptr<disk_file>> bare_file(const std::filesystem::path& path,
                                             std::uint64_t bytes) {
  auto opened = real_disk().open(path, open_mode::truncate);
  if (!opened) return opened;
  const std::string zeros(1u << 20, '\0');
  for (std::uint64_t at = 0; at < bytes; at += zeros.size())
    if (auto done = (*opened)->write_at(at, zeros); !done) return std::move(done).error();
  if (auto done = (*opened)->sync(); !done) return std::move(done).error();
  return opened;
}

result<one_by_one> measure_one_by_one(const bench_journal_options& options,
                                      const std::filesystem::path& folder) {
  const monotonic_clock clock;
  auto journal = order_journal::open(real_disk(), options_in(folder));
  if (!journal) return std::move(journal).error();
  auto file = bare_file(folder / "bare", 8u << 20);
  if (!file) return std::move(file).error();
  one_by_one out;
  const auto entry = to_entry(sample(1));
  const auto before = journal->figures().bytes;
  if (auto done = journal->append({&entry, 1}); !done) return std::move(done).error();
  out.bytes = journal->figures().bytes - before;
  const std::string bytes(out.bytes, 'x');
  std::vector<double> ratios;
  std::uint64_t at = 0;
  for (unsigned run = 0; run < options.runs; ++run) {
    latencies bare;
    latencies ours;
    for (unsigned i = 0; i < options.appends; ++i) {
      if (at + bytes.size() > (8u << 20)) at = 0;
      auto begun = clock.now();
      if (auto done = (*file)->write_at(at, bytes); !done) return std::move(done).error();
      if (auto done = (*file)->sync_data(); !done) return std::move(done).error();
      bare.add(begun, clock.now());
      at += bytes.size();
      begun = clock.now();
      const auto made = to_entry(sample(i));
      if (auto done = journal->append({&made, 1}); !done) return std::move(done).error();
      if (auto done = journal->sync(); !done) return std::move(done).error();
      ours.add(begun, clock.now());
    }
    ratios.push_back(ours.at(0.5) / bare.at(0.5));
    out.bare.us.insert(out.bare.us.end(), bare.us.begin(), bare.us.end());
    out.journal.us.insert(out.journal.us.end(), ours.us.begin(), ours.us.end());
  }
  out.ratio = median(std::move(ratios));
  return out;
}

struct many_callers {
  std::uint64_t intents = 0;
  std::uint64_t syncs = 0;
  double seconds = 0;
};

struct bench_config : caf::actor_system_config {
  bench_config() { register_message_types(*this); }
};

/// One caller: sends the next intent when the last one is durable.
void send_next(caf::event_based_actor* self, const journal_actor& to,
               std::atomic<std::uint64_t>& done, const std::atomic<bool>& stop) {
  journal_append next;
  next.entries.push_back(to_entry(sample(done)));
  self->request(to, std::chrono::seconds{20}, std::move(next))
      .then(
          [self, to, &done, &stop](const journal_committed&) {
            ++done;
            if (stop)
              self->quit();
            else
              send_next(self, to, done, stop);
          },
          [self](const caf::error&) { self->quit(); });
}

result<many_callers> measure_many(const bench_journal_options& options,
                                  const std::filesystem::path& folder) {
  bench_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  const monotonic_clock clock;
  const wall_clock wall;
  auto where = options_in(folder);
  where.directory = folder / "journal-many";
  auto journal = spawn_actor<journal_state>(system, {.name = "journal/bench", .detached = true},
                                            actor_environment{&wall, &clock, nullptr, 1}, where);
  std::atomic<std::uint64_t> done{0};
  std::atomic<bool> stop{false};
  std::vector<caf::actor> callers;
  const auto begun = clock.now();
  for (unsigned i = 0; i < options.callers; ++i)
    callers.push_back(
        system.spawn([&](caf::event_based_actor* me) { send_next(me, journal, done, stop); }));
  self->receive([](int) {}, caf::after(std::chrono::seconds{options.seconds}) >> [] {});
  many_callers out;
  out.intents = done;
  out.seconds = static_cast<double>((clock.now() - begun).count()) / 1e9;
  stop = true;
  self->wait_for(callers);
  std::string json;
  self->request(journal, std::chrono::seconds{5}, status_request{})
      .receive([&](const status_report& report) { json = report.json; }, [](const caf::error&) {});
  if (const auto at = json.find("\"syncs\":"); at != std::string::npos)
    out.syncs = std::stoull(json.substr(at + 8));
  send_shutdown(journal);
  self->wait_for(journal);
  if (out.intents == 0)
    return {storage_errc::failed, where.directory.string() + ": no intent became durable"};
  return out;
}

void print(const bench_journal_options& options, const one_by_one& single, const many_callers& many,
           std::ostream& out) {
  const auto rate = static_cast<double>(many.intents) / many.seconds;
  json_writer w;
  w.begin_object()
      .field("record_bytes", single.bytes)
      .field("bare_us_p50", single.bare.at(0.5), 1)
      .field("bare_us_p99", single.bare.at(0.99), 1)
      .field("journal_us_p50", single.journal.at(0.5), 1)
      .field("journal_us_p99", single.journal.at(0.99), 1)
      .field("ratio", single.ratio, 3)
      .field("ratio_goal", 1.3, 1)
      .field("callers", options.callers)
      .field("intents_per_s", rate, 0)
      .field("intents_per_s_goal", 5000)
      .field("intents_per_sync",
             many.syncs == 0 ? 0
                             : static_cast<double>(many.intents) / static_cast<double>(many.syncs),
             1)
      .end_object();
  if (options.json) {
    out << w.text() << '\n';
    return;
  }
  char line[256];
  std::snprintf(line, sizeof line, "append + fdatasync of %zu bytes: p50 %.0f us, p99 %.0f us\n",
                single.bytes, single.journal.at(0.5), single.journal.at(0.99));
  out << line;
  std::snprintf(line, sizeof line, "the same bytes without a journal:  p50 %.0f us, p99 %.0f us\n",
                single.bare.at(0.5), single.bare.at(0.99));
  out << line;
  std::snprintf(line, sizeof line, "ratio (median of %u alternating runs): %.2f (goal 1.3)\n",
                options.runs, single.ratio);
  out << line;
  std::snprintf(line, sizeof line, "group commit, %u callers: %.0f intents/s (goal 5000)\n",
                options.callers, rate);
  out << line;
}

} // namespace

int bench_journal(const bench_journal_options& options, std::ostream& out, std::ostream& err) {
  const auto base = options.directory.empty() ? std::filesystem::path{"."} : options.directory;
  const auto folder = base / ("bench-journal-" + std::to_string(::getpid()));
  if (auto done = real_disk().create_directories(folder); !done) {
    err << done.error().message() << '\n';
    return 1;
  }
  const auto single = measure_one_by_one(options, folder);
  const auto many = single ? measure_many(options, folder) : result<many_callers>{single.error()};
  (void)real_disk().remove(folder);
  if (!many) {
    err << many.error().message() << '\n';
    return 1;
  }
  print(options, *single, *many, out);
  return 0;
}

} // namespace troupe
