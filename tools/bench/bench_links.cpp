#include "tools/bench/bench_links.hpp"

#include "runtime/cluster/actor_system.hpp"
#include "tools/bench/link_runs.hpp"

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace troupe {
namespace {

constexpr auto ping_pause = std::chrono::milliseconds{1};
/// The goals that are printed beside the figures.
constexpr double goal_events = 1.5e6;
constexpr double goal_events_ratio = 1.0;
constexpr std::uint64_t whole_blob = std::uint64_t{48}
                                     << 20; // the front lets no larger message through

ping_figures figures_of(std::vector<std::int64_t> nanoseconds) {
  if (nanoseconds.empty()) return {};
  std::sort(nanoseconds.begin(), nanoseconds.end());
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(nanoseconds[(nanoseconds.size() - 1) * percent / 100]) / 1e3;
  };
  return {at(50), at(99)};
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

void append(std::vector<std::int64_t>& all, const std::vector<std::int64_t>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

class link_bench {
public:
  link_bench(caf::actor_system& system, link_ends ends, std::uint16_t raw_port,
             const bench_links_options& options)
      : system_{system}, ends_{std::move(ends)}, raw_port_{raw_port}, options_{options} {}

  void ask(link_results& out) {
    std::vector<std::int64_t> ours, bare, raw;
    for (int i = 0; i < options_.rounds; ++i) {
      append(raw, run_raw_pings(raw_port_, options_.asks));
      append(bare, run_pings(system_, ends_, link_way::bare, {options_.asks, {}}));
      append(ours, run_pings(system_, ends_, link_way::ours, {options_.asks, {}}));
    }
    out.ours = figures_of(std::move(ours));
    out.bare = figures_of(std::move(bare));
    out.raw = figures_of(std::move(raw));
  }

  void batches(link_results& out) {
    std::vector<double> ours, bare, unbounded, raw;
    for (int i = 0; i < options_.rounds; ++i) {
      raw.push_back(rate(run_raw_batches(raw_port_, options_.batches)));
      bare.push_back(rate(run_batches(system_, ends_, link_way::bare, options_.batches)));
      ours.push_back(rate(run_batches(system_, ends_, link_way::ours, options_.batches)));
      unbounded.push_back(rate(run_batches(system_, ends_, link_way::unbounded, options_.batches)));
    }
    out.events_ours = median_of(std::move(ours));
    out.events_bare = median_of(std::move(bare));
    out.events_unbounded = median_of(std::move(unbounded));
    out.events_raw = median_of(std::move(raw));
  }

  void blob(link_results& out) {
    const ping_plan pings{options_.pings, ping_pause};
    std::vector<std::int64_t> quiet, beside, whole;
    std::vector<double> pieces_mib, whole_mib;
    for (int i = 0; i < options_.blob_rounds; ++i) {
      append(quiet, run_pings(system_, ends_, link_way::ours, pings));
      const auto pieces = run_pings_beside_blob(system_, ends_, link_way::ours, pings, {});
      append(beside, pieces.pings);
      pieces_mib.push_back(pieces.mib_per_s);
      const auto one =
          run_pings_beside_blob(system_, ends_, link_way::bare, pings, {whole_blob, whole_blob});
      append(whole, one.pings);
      whole_mib.push_back(one.mib_per_s);
    }
    out.quiet = figures_of(std::move(quiet));
    out.beside = figures_of(std::move(beside));
    out.beside_whole = figures_of(std::move(whole));
    out.blob_mib_s = median_of(std::move(pieces_mib));
    out.whole_mib_s = median_of(std::move(whole_mib));
  }

private:
  [[nodiscard]] double rate(std::int64_t took) const {
    const auto events = static_cast<double>(options_.batches * events_per_batch);
    return took > 0 ? events / (static_cast<double>(took) / 1e9) : 0;
  }

  caf::actor_system& system_;
  link_ends ends_;
  std::uint16_t raw_port_;
  bench_links_options options_;
};

void write_pings(json_writer& w, std::string_view key, const ping_figures& f) {
  w.key(key).begin_object().field("p50_us", f.p50_us, 1).field("p99_us", f.p99_us, 1).end_object();
}

bool whole(const link_results& r) {
  return r.ours.p50_us > 0 && r.bare.p50_us > 0 && r.raw.p50_us > 0 && r.events_ours > 0
         && r.events_bare > 0 && r.events_unbounded > 0 && r.events_raw > 0 && r.beside.p50_us > 0
         && r.blob_mib_s > 0 && r.whole_mib_s > 0;
}

} // namespace

result<link_results> bench_link(link_peer& peer, const std::string& name,
                                const bench_links_options& options) {
  system_config config{{.threads = 2}};
  caf::actor_system system{config};
  auto ends = connect_link(system, peer);
  if (!ends) return std::move(ends).error();
  link_results out;
  out.name = name;
  link_bench bench{system, std::move(ends).value(), peer.raw_port(), options};
  bench.ask(out);
  bench.batches(out);
  bench.blob(out);
  if (!whole(out))
    return error{make_error_code(cluster_errc::failed),
                 "a run over the link '" + name + "' did not end in time"};
  return out;
}

void write_json(const link_results& r, json_writer& w) {
  w.begin_object().field("link", std::string_view{r.name}).key("ask").begin_object();
  write_pings(w, "ours", r.ours);
  write_pings(w, "bare", r.bare);
  write_pings(w, "raw_tcp", r.raw);
  w.field("ratio", r.ask_ratio(), 3).end_object().key("events").begin_object();
  w.field("per_batch", events_per_batch).field("batch_bytes", batch_bytes());
  w.field("ours_per_s", r.events_ours, 0).field("bare_per_s", r.events_bare, 0);
  w.field("bare_unbounded_per_s", r.events_unbounded, 0).field("raw_tcp_per_s", r.events_raw, 0);
  w.field("ratio", r.events_ratio(), 3).field("ratio_to_raw_tcp", r.events_to_raw(), 3);
  w.field("goal_per_s", goal_events, 0).field("goal_ratio", goal_events_ratio, 1).end_object();
  w.key("ping_beside_blob").begin_object();
  write_pings(w, "quiet", r.quiet);
  write_pings(w, "beside_pieces", r.beside);
  write_pings(w, "bare_beside_one_message", r.beside_whole);
  w.field("blob_mib_per_s", r.blob_mib_s, 0)
      .field("one_message_mib_per_s", r.whole_mib_s, 0)
      .end_object()
      .end_object();
}

void print_text(const link_results& r, std::ostream& out) {
  char line[400];
  std::snprintf(line, sizeof line,
                "%s link\n"
                "  question: bare CAF p50 %.0f us p99 %.0f, ours %.0f and %.0f, %.2f times; raw "
                "TCP %.0f and %.0f\n",
                r.name.c_str(), r.bare.p50_us, r.bare.p99_us, r.ours.p50_us, r.ours.p99_us,
                r.ask_ratio(), r.raw.p50_us, r.raw.p99_us);
  out << line;
  std::snprintf(
      line, sizeof line,
      "  events in batches of %zu (%zu bytes): ours %.2f million/s (goal: at least %.1f), bare CAF "
      "%.2f, %.2f times\n"
      "    (goal: at least %.1f); bare CAF without a bound %.2f, raw TCP %.2f, %.2f times\n",
      events_per_batch, batch_bytes(), r.events_ours / 1e6, goal_events / 1e6, r.events_bare / 1e6,
      r.events_ratio(), goal_events_ratio, r.events_unbounded / 1e6, r.events_raw / 1e6,
      r.events_to_raw());
  out << line;
  std::snprintf(line, sizeof line,
                "  question each ms: alone p50 %.0f us p99 %.0f, beside a blob in pieces (%.0f "
                "MiB/s) %.0f and %.0f;\n"
                "    bare CAF beside a blob in one message (%.0f MiB/s) %.0f and %.0f\n",
                r.quiet.p50_us, r.quiet.p99_us, r.blob_mib_s, r.beside.p50_us, r.beside.p99_us,
                r.whole_mib_s, r.beside_whole.p50_us, r.beside_whole.p99_us);
  out << line;
}

} // namespace troupe
