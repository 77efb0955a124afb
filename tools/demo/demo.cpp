#include "tools/demo/demo.hpp"

#include "actors/trainers/training_chain.hpp"
#include "storage/checkpoint_store.hpp"
#include "tools/demo/chaos.hpp"
#include "tools/demo/summary.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>

namespace troupe::demo {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// How often a person asked for the end: the first time it ends in order, the second time it waits for nothing.
volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = interrupted + 1; }

/// Exit code of a run that was cut short, as shells have it for SIGINT.
constexpr int exit_interrupted = 130;

/// Learning needs a moment before the first process is killed.
constexpr auto quiet_start = 12s;
/// Nothing is killed in the last seconds, so that the run ends at rest.
constexpr auto quiet_end = 12s;
constexpr auto between_strikes = 2s;
/// How long open and unknown orders may take to come to rest at the end.
constexpr auto settle_patience = 20s;

void print_banner(const rig& system, const demo_options& options) {
  std::fprintf(stderr,
               "troupe demo\n  market    %s\n  speed     %g x\n  folder    %s (kept)\n  seed      %lu\n"
               "  look in   troupe --config %s --data %s status\n",
               system.source().words.c_str(), system.speed(), system.files().folder.c_str(),
               static_cast<unsigned long>(options.seed), system.files().config.c_str(), system.files().data.c_str());
}

std::string counts_text(const std::array<std::int64_t, 4>& counts) {
  return std::to_string(counts[0]) + "/" + std::to_string(counts[1]) + "/" + std::to_string(counts[2]) + "/"
         + std::to_string(counts[3]);
}

/// A block of lines that is drawn over itself; nothing off a terminal.
class status_block {
public:
  explicit status_block(bool wanted) : shown_{wanted && ::isatty(STDERR_FILENO) != 0} {}

  void draw(const rig& system, const run_figures& f, const chaos_figures& kills, std::chrono::seconds elapsed) {
    if (!shown_) return;
    if (drawn_) std::fputs("\033[6A", stderr);
    drawn_ = true;
    line("%s  %s  %ld s", system.source().kind.c_str(), f.book.c_str(), static_cast<long>(elapsed.count()));
    line("frames %ld  levels %ld  gaps %ld", static_cast<long>(f.frames.total()), static_cast<long>(f.levels.total()),
         static_cast<long>(f.gaps.total()));
    line("1m/5m/15m/60m  made %s  matured %s  trained %s", counts_text(f.made).c_str(), counts_text(f.matured).c_str(),
         counts_text(f.trained).c_str());
    line("model step %ld  loss %.4f (initial weights %.4f on the same unseen samples)", static_cast<long>(f.after.step),
         f.after.loss, f.before.loss);
    line("executor %s  orders %ld  fills %ld  open %ld  equity %s  position %s", f.executor.c_str(),
         static_cast<long>(f.orders), static_cast<long>(f.fills), static_cast<long>(f.live_orders), f.equity.c_str(),
         f.position.c_str());
    line("kills %ld  %s", static_cast<long>(kills.kills), kills.log.empty() ? "" : kills.log.back().c_str());
  }

private:
  template <class... Ts>
  void line(const char* format, Ts... values) {
    std::fputs("\r\033[2K  ", stderr);
    std::fprintf(stderr, format, values...);
    std::fputc('\n', stderr);
  }

  bool shown_;
  bool drawn_ = false;
};

/// Waits for `span` unless interrupted.
void pause(std::chrono::milliseconds span) {
  rig::wait_until([] { return interrupted != 0; }, span);
}

/// Stops new entries and lets what is open come to rest, so that journal and ledger can be compared. Returns why it
/// did not come to rest; empty when it did.
std::string settle(rig& system, observation& seen) {
  const auto halted = system.set_trading("reducing", "the demonstration ends");
  bool answered = false;
  const auto at_rest = rig::wait_until(
      [&] {
        const bool now = seen.executor_round();
        answered = answered || now;
        const auto& f = seen.figures();
        return interrupted > 1 || (now && f.unknown_orders == 0 && f.live_orders == 0);
      },
      settle_patience);
  seen.round();
  const auto& f = seen.figures();
  if (!halted) return "trading could not be stopped: " + halted.error().text;
  if (!answered) return "the executor did not answer within " + std::to_string(settle_patience.count()) + " s";
  if (!at_rest || f.unknown_orders + f.live_orders > 0)
    return std::to_string(f.live_orders) + " open and " + std::to_string(f.unknown_orders)
           + " unknown orders after " + std::to_string(settle_patience.count()) + " s";
  return {};
}

void check_training(const rig& system, run_summary& run) {
  auto store = checkpoint_store::open(real_disk(), {.root = system.files().data / "train" / "checkpoints"});
  const auto manifests = store ? store->list("cnn") : result<std::vector<checkpoint_manifest>>{store.error()};
  if (!manifests) {
    run.training_error = manifests.error().text;
    return;
  }
  const auto chain = check_training_chain(*manifests);
  run.trained_twice = static_cast<std::int64_t>(chain.trained_twice);
  run.training_gaps = static_cast<std::int64_t>(chain.gaps);
}

void check_orders(const rig& system, run_summary& run) {
  if (run.source == "live") return;
  auto compared = system.compare();
  if (compared) run.ledger = std::move(*compared);
  else run.ledger_error = compared.error().text;
}

std::int64_t restarts_of(const json_view& parent) {
  std::int64_t total = 0;
  for (const auto& node : parent.items("nodes")) total += node.integer("restarts");
  return total;
}

int report(const run_summary& run, bool json) {
  const auto text = summary_json(run);
  std::cout << text << std::endl;
  const auto missed = shortfalls(run);
  if (!json)
    for (const auto& line : missed) std::fprintf(stderr, "troupe: %s\n", line.c_str());
  if (!missed.empty()) return 1;
  return run.interrupted ? exit_interrupted : 0;
}

/// A start that came to nothing: everything is stopped already.
int report_no_start(const error& why, const demo_options& options) {
  std::fprintf(stderr, "troupe: %s\n", why.text.c_str());
  if (why.code != std::errc::interrupted) return 1;
  run_summary run;
  run.seed = options.seed;
  run.folder = options.folder.string();
  run.chaos = options.chaos;
  run.interrupted = true;
  run.whole = run.started = false;
  return report(run, options.json);
}

} // namespace

int run_demo(const demo_options& wanted, const std::string& recordings) {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  auto options = wanted;
  options.interrupted = [] { return interrupted != 0; };
  auto started = rig::start(options, recordings);
  if (!started) return report_no_start(started.error(), options);
  auto& system = **started;
  print_banner(system, options);

  observation seen{system};
  chaos striker{system, seen, options.seed};
  status_block block{!options.json};
  const auto begin = clock::now();
  const auto end = options.length.count() > 0 ? begin + options.length : clock::time_point::max();
  auto next_strike = begin + quiet_start;
  std::string lost;
  while (interrupted == 0 && clock::now() < end && (lost = system.lost_node()).empty()) {
    seen.round();
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(clock::now() - begin);
    block.draw(system, seen.figures(), striker.figures(), elapsed);
    if (options.chaos && clock::now() >= next_strike && clock::now() + quiet_end < end
        && (options.kills == 0 || striker.figures().kills < options.kills)) {
      striker.strike();
      next_strike = clock::now() + between_strikes;
    }
    pause(std::min<std::chrono::milliseconds>(
        500ms, std::max(1ms, std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now()))));
  }

  run_summary run;
  run.seconds = std::chrono::duration_cast<std::chrono::seconds>(clock::now() - begin).count();
  run.whole = options.length.count() > 0 && interrupted == 0;
  run.interrupted = options.length.count() > 0 && interrupted != 0;
  run.unsettled = settle(system, seen);
  run.source = system.source().kind;
  run.speed = system.speed();
  run.seed = options.seed;
  run.folder = system.files().folder.string();
  run.chaos = options.chaos;
  run.lost_node = lost;
  run.restarts = restarts_of(system.parent_status());
  if (auto done = system.stop(); !done) std::fprintf(stderr, "troupe: %s\n", done.error().text.c_str());
  run.figures = seen.figures();
  run.kills = striker.figures();
  check_orders(system, run);
  check_training(system, run);
  return report(run, options.json);
}

} // namespace troupe::demo
