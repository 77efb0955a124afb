#include "tools/bench/ingest_figures.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <ostream>
#include <sstream>
#include <unistd.h>

namespace troupe::bench {

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

double cpu_seconds_of(pid_t process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/stat"};
  std::string text;
  std::getline(in, text);
  const auto behind_name = text.rfind(')');
  if (behind_name == std::string::npos) return 0;
  std::istringstream fields{text.substr(behind_name + 1)};
  std::string skipped;
  for (int i = 0; i < 11; ++i)
    fields >> skipped; // state … cmajflt
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::int64_t resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  std::int64_t size = 0;
  std::int64_t resident = 0;
  in >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : 0;
}

namespace {

double per_feed_kib(const ingest_figures& f) {
  return f.feeds == 0 ? 0 : static_cast<double>(f.resident) / 1024 / static_cast<double>(f.feeds);
}

/// Share of one core that 1,000 messages a second take.
double cpu_percent_per_1000(const ingest_figures& f) {
  return f.messages == 0 ? 0 : f.cpu_seconds / static_cast<double>(f.messages) * 1000 * 100;
}

double mib_per_1000(const ingest_figures& f) {
  return f.rate() == 0 ? 0 : static_cast<double>(f.resident) / (1 << 20) / (f.rate() / 1000);
}

} // namespace

void print(std::ostream& out, const ingest_figures& f) {
  char line[240];
  const auto say = [&](auto... values) {
    std::snprintf(line, sizeof line, values...);
    out << line;
  };
  say("%s, %g x real time: %zu feeds, %zu valid at the end; %.1f s measured, load average %.1f "
      "before, %.1f after\n",
      f.way.c_str(), f.speed, f.feeds, f.valid, f.seconds, f.load_before, f.load_after);
  say("  %.0f messages/s, %.1f MB/s; per 1,000 messages/s: %.3f %% of a core, %.2f MiB; %.0f KiB a "
      "feed\n",
      f.rate(), static_cast<double>(f.bytes) / 1e6 / std::max(f.seconds, 1e-9),
      cpu_percent_per_1000(f), mib_per_1000(f), per_feed_kib(f));
  if (f.other_cpu_seconds > 0)
    say("  cores busy: %.2f here, %.2f in the simulators\n", f.cpu_seconds / f.seconds,
        f.other_cpu_seconds / f.seconds);
  else
    say("  cores busy: %.2f\n", f.cpu_seconds / std::max(f.seconds, 1e-9));
  say("  age of the book: p50 %.2f ms, p99 %.2f ms, most %.1f ms; p99 by thirds: %.2f, %.2f, %.2f "
      "ms\n",
      f.ages.ms(0.5), f.ages.ms(0.99), f.ages.most_ms(), f.ages.window_ms(0, 0.99),
      f.ages.window_ms(1, 0.99), f.ages.window_ms(2, 0.99));
  if (!f.sound())
    say("  NOT SOUND: %llu gaps, %llu damaged, %llu undelivered, %llu feeds differ\n",
        static_cast<unsigned long long>(f.gaps), static_cast<unsigned long long>(f.damaged),
        static_cast<unsigned long long>(f.undelivered),
        static_cast<unsigned long long>(f.differing));
  if (!f.note.empty()) out << "  " << f.note << '\n';
  for (const auto& [venue, ages] : f.venues) {
    say("  %-13s %10llu books, age p50 %.2f ms, p99 %.2f ms", venue.c_str(),
        static_cast<unsigned long long>(ages.count()), ages.ms(0.5), ages.ms(0.99));
    if (const auto lag = f.simulators.find(venue); lag != f.simulators.end())
      say("; of it the simulator's own lag p50 %.1f ms, p99 %.1f ms, most %.1f ms", lag->second.p50_ms,
          lag->second.p99_ms, lag->second.most_ms);
    out << '\n';
  }
}

void write(json_writer& out, const ingest_figures& f) {
  out.begin_object().field("way", f.way).field("speed", f.speed, 3).field("seconds", f.seconds, 2);
  out.field("feeds", f.feeds)
      .field("valid", f.valid)
      .field("messages", f.messages)
      .field("bytes", f.bytes);
  out.field("messages_per_second", f.rate(), 0).field("cpu_seconds", f.cpu_seconds, 3);
  out.field("simulator_cpu_seconds", f.other_cpu_seconds, 3);
  out.field("cpu_percent_per_1000_messages_per_second", cpu_percent_per_1000(f), 4);
  out.field("mib_per_1000_messages_per_second", mib_per_1000(f), 3)
      .field("kib_per_feed", per_feed_kib(f), 1);
  out.field("age_p50_ms", f.ages.ms(0.5), 3)
      .field("age_p99_ms", f.ages.ms(0.99), 3)
      .field("age_most_ms", f.ages.most_ms(), 3);
  out.key("age_p99_ms_by_thirds").begin_array();
  for (std::size_t w = 0; w < age_table::windows; ++w)
    out.number(f.ages.window_ms(w, 0.99), 3);
  out.end_array()
      .field("gaps", f.gaps)
      .field("damaged", f.damaged)
      .field("undelivered", f.undelivered);
  out.field("feeds_differing", f.differing).field("sound", f.sound());
  out.field("load_before", f.load_before, 2)
      .field("load_after", f.load_after, 2)
      .field("note", f.note);
  out.key("venues").begin_array();
  for (const auto& [venue, ages] : f.venues) {
    out.begin_object()
        .field("venue", venue)
        .field("books", ages.count())
        .field("age_p50_ms", ages.ms(0.5), 3)
        .field("age_p99_ms", ages.ms(0.99), 3);
    if (const auto lag = f.simulators.find(venue); lag != f.simulators.end())
      out.field("simulator_lag_p50_ms", lag->second.p50_ms, 1)
          .field("simulator_lag_p99_ms", lag->second.p99_ms, 1)
          .field("simulator_lag_most_ms", lag->second.most_ms, 1);
    out.end_object();
  }
  out.end_array().end_object();
}

} // namespace troupe::bench
