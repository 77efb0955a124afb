#define CAF_SUITE demo
#include "tests/storage/disks.hpp"
#include "tools/demo/summary.hpp"

#include <caf/test/unit_test.hpp>

#include <csignal>
#include <fstream>

using namespace troupe;
using namespace troupe::demo;
using namespace std::chrono_literals;
using troupe::test::scratch_folder;

namespace {

bool names(const run_summary& run, std::string_view what) {
  for (const auto& line : shortfalls(run))
    if (line.find(what) != std::string::npos) return true;
  return false;
}

/// A run on a tape that reached every bar.
run_summary good_run() {
  run_summary run;
  run.source = "looped";
  run.seconds = 90;
  run.figures.orders = 60;
  run.figures.fills = 20;
  run.figures.matured = {9, 5, 2, 1};
  run.figures.trained = {8, 4, 1, 0};
  run.ledger.emplace();
  return run;
}

run_summary live_run(std::int64_t seconds) {
  run_summary run;
  run.source = "live";
  run.seconds = seconds;
  run.figures.frames.seen(1000);
  run.figures.book = "valid";
  return run;
}

actor_answer answer(const char* identity, const char* page) { return {json_view::parse(page), identity}; }

} // namespace

CAF_TEST(a killed actor has recovered when another incarnation works) {
  CAF_CHECK(!works_anew("store", "7@a", answer("7@a", "{}")));
  CAF_CHECK(!works_anew("store", "7@a", {}));
  CAF_CHECK(works_anew("store", "7@a", answer("9@a", "{}")));
  CAF_CHECK(works_anew("store", "7@a", answer("7@b", "{}")));
  const auto* executor = "executor/main@binance";
  CAF_CHECK(!works_anew(executor, "7@a", answer("9@a", R"({"state_name":"reconciling"})")));
  CAF_CHECK(!works_anew(executor, "7@a", answer("7@a", R"({"state_name":"live"})")));
  CAF_CHECK(works_anew(executor, "7@a", answer("9@a", R"({"state_name":"live"})")));
  CAF_CHECK(!works_anew("feed/BTC-USDT@binance", "7@a", answer("9@a", R"({"validity":"none"})")));
}

CAF_TEST(a whole run on a tape is judged by fixed bars) {
  auto run = good_run();
  CAF_CHECK(shortfalls(run).empty());
  run.figures.orders = 3;
  CAF_CHECK(names(run, "orders: 3 instead of at least 50"));
  run = good_run();
  run.chaos = true;
  CAF_CHECK(names(run, "kills: 0 instead of at least 10"));
  run.kills.kills = 12;
  run.kills.with_orders_in_flight = 4;
  CAF_CHECK(shortfalls(run).empty());
  run.kills.not_recovered = 1;
  CAF_CHECK(names(run, "kills without recovery"));
}

CAF_TEST(a live run is judged by what its length makes certain) {
  CAF_CHECK(shortfalls(live_run(90)).empty());
  auto run = live_run(600);
  CAF_CHECK(names(run, "matured over 1m") && names(run, "matured over 5m") && names(run, "trained on over 1m"));
  CAF_CHECK(!names(run, "matured over 15m") && !names(run, "orders"));
  run = live_run(90);
  run.figures.book = "stale";
  CAF_CHECK(names(run, "the book is 'stale'"));
  run = live_run(90);
  run.chaos = true;
  CAF_CHECK(names(run, "kills: 0 instead of at least 1"));
  run.kills.kills = 2;
  CAF_CHECK(shortfalls(run).empty());
  run.kills.not_recovered = 1;
  CAF_CHECK(names(run, "kills without recovery"));
}

CAF_TEST(a run that was cut short misses no bar but hides no damage) {
  auto run = good_run();
  run.figures = {};
  run.whole = false;
  CAF_CHECK(shortfalls(run).empty());
  run.interrupted = true;
  CAF_CHECK(summary_json(run).find("\"interrupted\":true") != std::string::npos);
  run.trained_twice = 1;
  run.ledger->lost.push_back("x");
  CAF_CHECK(names(run, "trained on twice") && names(run, "orders lost"));
  run.started = false;
  CAF_CHECK(shortfalls(run).empty());
}

CAF_TEST(a run that does not come to rest fails) {
  auto run = good_run();
  run.unsettled = "2 open and 1 unknown orders after 20 s";
  CAF_CHECK(names(run, "not at rest at the end: 2 open and 1 unknown"));
  CAF_CHECK(summary_json(run).find("\"settled\":false") != std::string::npos);
}

CAF_TEST(a node that is not started again fails the run) {
  auto run = good_run();
  run.lost_node = "node exec is not started again: exit code 65; see up.log";
  CAF_CHECK(names(run, "node exec is not started again"));
}

CAF_TEST(inputs are checked before anything is written) {
  const auto refused = [](const demo_options& options, const market_source& source, std::string_view what) {
    const auto done = check_inputs(options, source);
    return !done && done.error().text.find(what) != std::string::npos;
  };
  const market_source generated{"generated", {}, {}};
  demo_options options;
  CAF_CHECK(check_inputs(options, generated).has_value());
  for (const auto* speed : {"0", "-3", "fast", "1.23456"}) {
    options.speed = speed;
    CAF_CHECK(refused(options, generated, std::string{"--speed "} + speed));
  }
  options.speed.clear();
  options.settings["risk.max_ordre"] = "1";
  CAF_CHECK(refused(options, generated, "did you mean 'risk.max_order'"));
  options.settings.clear();
  const scratch_folder folder;
  std::ofstream{folder / "x.ttape"} << "no tape at all, but long enough for a head";
  CAF_CHECK(refused(options, {"looped", {folder / "x.ttape"}, {}}, "x.ttape: no tape magic"));
}

CAF_TEST(a workspace is discarded without a trace) {
  const scratch_folder folder;
  demo_options options;
  options.folder = folder / "new";
  auto made = make_workspace(options);
  CAF_REQUIRE(made);
  CAF_CHECK(std::filesystem::exists(made->config / ".env"));
  discard(*made);
  CAF_CHECK(!std::filesystem::exists(folder / "new"));
  // A folder that was there before stays, empty again.
  std::filesystem::create_directory(folder / "there");
  options.folder = folder / "there";
  made = make_workspace(options);
  CAF_REQUIRE(made);
  discard(*made);
  CAF_CHECK(std::filesystem::is_empty(folder / "there"));
  std::ofstream{folder / "there" / "mine"} << "x";
  CAF_CHECK(!make_workspace(options));
  CAF_CHECK(std::filesystem::exists(folder / "there" / "mine"));
}

CAF_TEST(a wait for a child can be given up) {
  const scratch_folder folder;
  auto child = child_process::start({{"/bin/sleep", "30"}, folder / "log", true});
  CAF_REQUIRE(child);
  int looks = 0;
  const auto line = child->wait_ready(30s, [&] { return ++looks > 2; });
  CAF_REQUIRE(!line);
  CAF_CHECK(line.error().code == std::errc::interrupted);
  child->signal(SIGTERM);
  CAF_CHECK_EQUAL(child->wait(10s).value_or(0), 128 + SIGTERM);
}
