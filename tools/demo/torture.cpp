// `troupe torture executor`: the exec process is killed at random moments under load; after each recovery
// what the journal and the simulator's ledger say must agree.

#include "messages/json.hpp"
#include "tools/demo/demo.hpp"
#include "tools/demo/observation.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <random>

namespace troupe::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto recovery_patience = 15s;
constexpr auto agreement_patience = 10s;
/// Kills come this long after the executor was seen live, at random, so that every instant of its work is hit.
constexpr std::int64_t longest_delay_ms = 1500;

struct torture_figures {
  std::int64_t kills = 0;
  std::int64_t in_flight = 0;
  std::int64_t not_recovered = 0;
  std::int64_t lost = 0;
  std::int64_t duplicated = 0;
  std::int64_t fills_wrong = 0;
  std::vector<std::int64_t> ready_ms;
  std::vector<std::string> findings;
};

std::int64_t percentile(std::vector<std::int64_t> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  return values[std::min(index, values.size() - 1)];
}

bool is_live(rig& system) { return system.actor_status("executor/main@binance").text("state_name") == "live"; }

void remember(torture_figures& figures, const venue_sim::ledger_comparison& found) {
  figures.lost = static_cast<std::int64_t>(found.lost.size());
  figures.duplicated = static_cast<std::int64_t>(found.duplicated.size());
  figures.fills_wrong =
      static_cast<std::int64_t>(found.fills_missing.size() + found.fills_extra.size() + found.fills_differ.size());
}

/// Trading goes on while the two files are read, so one comparison may catch an order between them: they
/// agree when some comparison within the patience is clean. What is really lost never becomes clean.
bool agree(rig& system, torture_figures& figures) {
  const auto clean = rig::wait_until(
      [&] {
        const auto found = system.compare();
        if (!found) return false;
        remember(figures, *found);
        if (!found->clean()) figures.findings = {found->to_json()};
        return found->clean();
      },
      agreement_patience);
  if (clean) figures.findings.clear();
  return clean.has_value();
}

bool kill_once(rig& system, observation& seen, std::mt19937_64& random, torture_figures& figures) {
  const auto delay = std::chrono::milliseconds{static_cast<std::int64_t>(random() % longest_delay_ms)};
  rig::wait_until([] { return false; }, delay);
  seen.executor_round();
  const bool in_flight = seen.figures().live_orders + seen.figures().unknown_orders > 0;
  const auto before = system.node_pid("exec");
  if (!system.kill_node("exec")) return false;
  ++figures.kills;
  if (in_flight) ++figures.in_flight;
  const auto ready = rig::wait_until([&] { return system.node_pid("exec") != before && is_live(system); }, recovery_patience);
  if (!ready) {
    ++figures.not_recovered;
    return false;
  }
  figures.ready_ms.push_back(ready->count());
  return agree(system, figures);
}

std::string to_json(const torture_figures& figures, const run_figures& run, const demo_options& options, bool passed) {
  json_writer w;
  w.begin_object()
      .field("seed", options.seed)
      .field("kills", figures.kills)
      .field("kills_in_flight", figures.in_flight)
      .field("orders", run.orders)
      .field("fills", run.fills)
      .field("orders_lost", figures.lost)
      .field("orders_duplicated", figures.duplicated)
      .field("fills_wrong", figures.fills_wrong)
      .field("not_recovered", figures.not_recovered)
      .field("ready_p50_ms", percentile(figures.ready_ms, 0.5))
      .field("ready_p99_ms", percentile(figures.ready_ms, 0.99))
      .field("passed", passed)
      .key("findings")
      .begin_array();
  for (const auto& line : figures.findings) w.raw(line);
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace

int torture_executor(const demo_options& options, const std::string& recordings, std::uint32_t kills) {
  auto started = rig::start(options, recordings);
  if (!started) {
    std::fprintf(stderr, "troupe: %s\n", started.error().text.c_str());
    return 1;
  }
  auto& system = **started;
  std::fprintf(stderr, "troupe: torture of the executor, seed %lu, %u kills, folder %s\n",
               static_cast<unsigned long>(options.seed), kills, system.files().folder.c_str());
  observation seen{system};
  std::mt19937_64 random{options.seed};
  torture_figures figures;
  // The first kill waits for the first order, so that there is something to lose.
  const auto first_order = rig::wait_until(
      [&] {
        seen.executor_round();
        return seen.figures().orders > 0;
      },
      60s);
  bool passed = first_order.has_value() && kills > 0;
  if (!passed) figures.findings.emplace_back("\"no order within a minute, or no kill asked for: nothing was proven\"");
  for (std::uint32_t i = 0; i < kills && passed; ++i) {
    passed = kill_once(system, seen, random, figures);
    std::fprintf(stderr, "kill %u: %s, ready after %ld ms\n", i + 1, passed ? "agrees" : "does not agree",
                 static_cast<long>(figures.ready_ms.empty() ? 0 : figures.ready_ms.back()));
  }
  seen.executor_round();
  if (auto done = system.stop(); !done) std::fprintf(stderr, "troupe: %s\n", done.error().text.c_str());
  passed = passed && agree(system, figures) && figures.kills == static_cast<std::int64_t>(kills);
  std::cout << to_json(figures, seen.figures(), options, passed) << std::endl;
  return passed ? 0 : 1;
}

} // namespace troupe::demo
