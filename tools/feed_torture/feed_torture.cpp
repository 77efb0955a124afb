#include "tools/feed_torture/feed_torture.hpp"

#include "messages/json.hpp"
#include "tools/feed_torture/tormented_venue.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t in_band_limit_ms = 3000; ///< p99 until a book is valid again, image in band

/// Resident memory of this process in KiB.
std::int64_t resident_kib() {
  std::ifstream status{"/proc/self/statm"};
  std::int64_t pages = 0, resident = 0;
  status >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

constexpr std::int64_t memory_looks = 24; ///< at the resident memory, spread over the run

/// Resident memory from the first to the last look, while another thread works.
class memory_record {
public:
  explicit memory_record(std::chrono::seconds length)
      : every_{std::max<std::chrono::milliseconds>(1s, std::chrono::milliseconds{length} / memory_looks)},
        looker_{[this](const std::stop_token& stop) { look(stop); }} {}

  /// Ends the looking.
  const std::vector<std::int64_t>& kib() {
    looker_.request_stop();
    if (looker_.joinable()) looker_.join();
    return kib_;
  }

private:
  void look(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    do kib_.push_back(resident_kib());
    while (!woken_.wait_for(lock, stop, every_, [] { return false; }) && !stop.stop_requested());
  }

  std::chrono::milliseconds every_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::vector<std::int64_t> kib_;
  std::jthread looker_; ///< last: it uses all above
};

std::int64_t percentile_of(std::vector<std::int64_t> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

void write_times(json_writer& w, std::string_view key, const std::vector<std::int64_t>& times) {
  w.key(key).begin_object().field("count", times.size()).field("p50_ms", percentile_of(times, 0.5));
  w.field("p99_ms", percentile_of(times, 0.99)).field("max_ms", percentile_of(times, 1.0)).end_object();
}

void write_venue(json_writer& w, const torment_report& r) {
  w.begin_object().field("venue", r.venue).field("image", r.image_in_band ? "in band" : "REST");
  w.key("injected").begin_object();
  for (const auto& [kind, counts] : r.faults) {
    w.key(kind).begin_object().field("struck", counts.struck).field("detected", counts.detected);
    w.field("harmless", counts.harmless).field("unprovable", counts.unprovable).field("missed", counts.missed).end_object();
  }
  w.end_object().field("books_right", r.books.right).field("books_wrong", r.books.wrong).field("books_unknown", r.books.unknown);
  if (!r.books.first_wrong.empty()) w.field("first_wrong", r.books.first_wrong);
  w.field("valid_at_end", r.valid_at_end).field("connector_failure", r.failure);
  write_times(w, "valid_again", r.recovery_ms);
  write_times(w, "valid_again_after_refusal", r.refused_ms);
  write_times(w, "silence_noticed", r.noticed_ms);
  write_times(w, "valid_again_after_silence", r.renewed_ms);
  w.key("quiet").begin_object().field("book_ms", r.quiet.book_ms).field("heartbeat_ms", r.quiet.heartbeat_ms);
  w.field("venues_book_ms", r.quiet_of_venue.book_ms).field("venues_heartbeat_ms", r.quiet_of_venue.heartbeat_ms);
  w.field("socket_noticed_within_ms", r.notice_limit_ms).field("late", r.late).end_object();
  w.field("least_offset_ms", r.least_offset_ms);
  w.key("violations").raw(r.violations.empty() ? "{}" : r.violations).end_object();
}

struct verdict {
  bool passed = true;
  std::vector<std::string> findings;
  void fail(std::string why) {
    passed = false;
    findings.push_back(std::move(why));
  }
};

verdict judge(const std::vector<torment_report>& reports, const std::vector<std::int64_t>& in_band,
              const std::vector<std::int64_t>& renewed) {
  verdict out;
  for (const auto& r : reports) {
    std::uint64_t struck = 0, missed = 0;
    for (const auto& [kind, counts] : r.faults) struck += counts.struck, missed += counts.missed;
    if (struck == 0) out.fail(r.venue + ": no fault struck");
    if (missed > 0) out.fail(r.venue + ": " + std::to_string(missed) + " faults were not detected");
    if (r.late > 0) out.fail(r.venue + ": " + std::to_string(r.late) + " silences were noticed later than its quiet times allow");
    if (r.books.wrong > 0) out.fail(r.venue + ": " + std::to_string(r.books.wrong) + " wrong books published");
    if (r.books.right == 0) out.fail(r.venue + ": no book was ever compared");
    if (!r.violations.empty() && r.violations != "{}") out.fail(r.venue + ": limits were broken: " + r.violations);
    if (!r.valid_at_end) out.fail(r.venue + ": no valid book at the end");
  }
  if (const auto p99 = percentile_of(renewed, 0.99); p99 > in_band_limit_ms)
    out.fail("books were valid again p99 " + std::to_string(p99) + " ms after a silence was noticed, images in band");
  if (const auto p99 = percentile_of(in_band, 0.99); p99 > in_band_limit_ms)
    out.fail("books were valid again after p99 " + std::to_string(p99) + " ms where images come in band");
  return out;
}

} // namespace

int torture_feeds(const feed_torture_options& options) {
  auto folder = options.folder;
  if (folder.empty()) {
    char pattern[] = "/tmp/troupe_torture_XXXXXX";
    if (::mkdtemp(pattern) == nullptr) {
      std::cerr << "torture feeds: no folder for certificates can be made in /tmp\n";
      return 1;
    }
    folder = pattern;
  }
  auto world = torment_world::start(options, folder);
  if (!world) {
    std::cerr << "torture feeds: " << world.error().message() << '\n';
    return 1;
  }
  if (auto ready = (*world)->wait_until_valid(30s); !ready) {
    std::cerr << "torture feeds: " << ready.error().message() << '\n';
    return 1;
  }
  const auto memory_before = resident_kib();
  memory_record memory{std::chrono::seconds{options.seconds}};
  (*world)->torment(std::chrono::seconds{options.seconds});
  const auto memory_after = resident_kib();
  const auto looks = memory.kib();
  const auto reports = (*world)->reports();
  const auto clock = (*world)->clock_steps();
  world->reset();
  if (options.folder.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  const auto [clock_sets, farthest_ms] = clock;
  std::vector<std::int64_t> in_band, by_rest, refused, noticed, renewed, renewed_by_rest;
  for (const auto& r : reports) {
    auto& times = r.image_in_band ? in_band : by_rest;
    times.insert(times.end(), r.recovery_ms.begin(), r.recovery_ms.end());
    auto& after = r.image_in_band ? renewed : renewed_by_rest;
    after.insert(after.end(), r.renewed_ms.begin(), r.renewed_ms.end());
    noticed.insert(noticed.end(), r.noticed_ms.begin(), r.noticed_ms.end());
    refused.insert(refused.end(), r.refused_ms.begin(), r.refused_ms.end());
  }
  const auto outcome = judge(reports, in_band, renewed);
  json_writer w;
  w.begin_object().field("seed", options.seed).field("seconds", options.seconds).field("source", "GENERATED");
  w.key("venues").begin_array();
  for (const auto& r : reports) write_venue(w, r);
  w.end_array();
  write_times(w, "valid_again_in_band", in_band);
  write_times(w, "valid_again_by_rest", by_rest);
  write_times(w, "valid_again_after_refusal", refused);
  write_times(w, "silence_noticed", noticed);
  write_times(w, "valid_again_after_silence_in_band", renewed);
  write_times(w, "valid_again_after_silence_by_rest", renewed_by_rest);
  w.key("host_clock").begin_object().field("set", clock_sets).field("farthest_ms", farthest_ms).end_object();
  w.field("resident_kib_before", memory_before).field("resident_kib_after", memory_after);
  w.key("resident_kib").begin_array();
  for (const auto kib : looks) w.number(kib);
  w.end_array().field("passed", outcome.passed);
  w.key("findings").begin_array();
  for (const auto& f : outcome.findings) w.string(f);
  w.end_array().end_object();
  std::cout << std::move(w).text() << '\n';
  for (const auto& f : outcome.findings) std::cerr << "torture feeds: " << f << '\n';
  return outcome.passed ? 0 : 1;
}

} // namespace troupe
