#define CAF_SUITE console_model
#include "tests/support/seeds.hpp"
#include "tests/tools/console_samples.hpp"
#include "tools/console/console_view.hpp"
#include "tools/console/format.hpp"

#include <caf/test/unit_test.hpp>

#include <ctime>

using namespace troupe;
using namespace troupe::console;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// CPU time of this thread: other programs of a busy machine do not count.
double cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

bool logged(const console_model& model, std::string_view part) {
  for (const auto& entry : model.log())
    if ((entry.source + " " + entry.text).find(part) != std::string::npos) return true;
  return false;
}

bool alerted(const console_model& model, std::string_view part) {
  for (const auto& entry : model.alerts())
    if ((entry.source + " " + entry.text).find(part) != std::string::npos) return true;
  return false;
}

} // namespace

CAF_TEST(figures in few characters) {
  CAF_CHECK_EQUAL(duration_text(950), "950ns");
  CAF_CHECK_EQUAL(duration_text(12'300), "12.3us");
  CAF_CHECK_EQUAL(duration_text(999'700), "1.0ms");
  CAF_CHECK_EQUAL(duration_text(136'820'136), "137ms");
  CAF_CHECK_EQUAL(duration_text(2'500'000'000), "2.5s");
  CAF_CHECK_EQUAL(duration_text(185 * second), "3m05s");
  CAF_CHECK_EQUAL(duration_text(8040 * second), "2h14m");
  CAF_CHECK_EQUAL(duration_text(std::nullopt), dash);
  CAF_CHECK_EQUAL(count_text(9999), "9999");
  CAF_CHECK_EQUAL(count_text(12'345), "12.3k");
  CAF_CHECK_EQUAL(count_text(999'999), "1.0M");
  CAF_CHECK_EQUAL(count_text(-266'086), "-266k");
  CAF_CHECK_EQUAL(bytes_text(70'656'000), "67.4M");
  CAF_CHECK_EQUAL(share_text(12'500), "1.2%");
}

CAF_TEST(json is broken into lines and bounded) {
  const auto lines = pretty_json(R"({"a":1,"b":{"c":"x,{y}\"","d":[]},"e":[1,2]})", 100);
  const std::vector<std::string> expected{"{",
                                          "  \"a\": 1,",
                                          "  \"b\": {",
                                          "    \"c\": \"x,{y}\\\"\",",
                                          "    \"d\": []",
                                          "  },",
                                          "  \"e\": [",
                                          "    1,",
                                          "    2",
                                          "  ]",
                                          "}"};
  CAF_CHECK_EQUAL(lines, expected);
  std::string many = "[0";
  for (int i = 0; i < 1000; ++i) many += ",1";
  CAF_CHECK_EQUAL(pretty_json(many + "]", 50).size(), 51u);
  CAF_CHECK(pretty_json("}}}]]", 50).size() <= 6);
}

CAF_TEST(a link with TLS shows what its front counts) {
  node_sample sample;
  read_node(sample, R"({"node":"one","membership":{"peers":[{"node":"two","state":"up","suspicion":0.25,
    "silence_ms":120,"round_trip_us":310,"in_state_ms":9000,"joins":1,"names":12,"warning":false,"last_trouble":""},
    {"node":"three","state":"down"}]},"links":{"links":[{"peer":"two","dialled":true,"credit_bytes":14480},
    {"peer":"two","dialled":false,"credit_bytes":1000}],"peers":[{"peer":"two","opened":2,"faults":3,
    "bytes_in":4096,"bytes_out":8192}]}})");
  CAF_REQUIRE_EQUAL(sample.links.size(), 2u);
  CAF_CHECK_EQUAL(sample.links[0].credit, figure{15'480});
  CAF_CHECK_EQUAL(sample.links[0].bytes_in, figure{4096});
  CAF_CHECK_EQUAL(sample.links[0].bytes_out, figure{8192});
  CAF_CHECK_EQUAL(sample.links[0].faults, figure{3});
  CAF_CHECK_EQUAL(sample.links[0].round_trip, figure{310'000});
  CAF_CHECK_EQUAL(sample.links[0].suspicion, figure{250});
  CAF_CHECK(!sample.links[1].credit);
  CAF_CHECK(!sample.links[1].bytes_in);
}

CAF_TEST(pages of the demonstration are read) {
  const auto sample = demo_sample("ingest", 0);
  CAF_CHECK_EQUAL(sample.pid, figure{15794});
  CAF_CHECK_EQUAL(sample.roles, "ingest,gateway");
  CAF_REQUIRE_EQUAL(sample.links.size(), 1u);
  CAF_CHECK_EQUAL(sample.links[0].round_trip, figure{113'000});
  CAF_CHECK_EQUAL(sample.links[0].suspicion, figure{30});
  CAF_CHECK(!sample.links[0].credit);
  CAF_REQUIRE_EQUAL(sample.tree.size(), 5u);
  CAF_CHECK_EQUAL(sample.tree[4].id, "feed/BTC-USDT@binance");
  CAF_CHECK_EQUAL(sample.tree[4].depth, 2);
  CAF_CHECK_EQUAL(sample.tree[4].restarts, figure{2});
  CAF_REQUIRE_EQUAL(sample.feeds.size(), 1u);
  CAF_CHECK_EQUAL(sample.feeds[0].age, figure{8'779'800});
  const auto accounts = demo_sample("exec", 0).accounts;
  CAF_REQUIRE_EQUAL(accounts.size(), 1u);
  CAF_CHECK_EQUAL(accounts[0].realised, "-6.92754737");
  CAF_CHECK_EQUAL(demo_sample("model", 0).models.at(0).p99, figure{13'172'700});
  node_sample damaged;
  read_node(damaged, "not json");
  read_report(damaged, "feed/x", "{\"age\":");
  CAF_CHECK(!damaged.pid);
  CAF_CHECK(damaged.feeds.empty());
  CAF_CHECK(read_tree("[]").empty());
}

CAF_TEST(the page of an actor is read) {
  actor_detail detail;
  detail.name = "store";
  read_actor(
      detail,
      R"({"actor":{"name":"store","kind":"store","id":21,"mailbox":3,"handler_p99":5000,"suspended":true,
    "types":[{"type":"bar_put","count":9,"p50":1000,"p99":5000}]},"settings":[],"errors":[{"ago_ms":1500,
    "text":"disk full"}],
    "watchers":["supervisor/ingest"],"watching":[],"slot":{"supervisor":"supervisor/ingest",
    "child":{"id":"store","up_ms":89997,
    "history":[{"ago_ms":90000,"why":"killed","back_us":3240}]}},"state":{"open":true,"puts":608}})");
  CAF_CHECK_EQUAL(detail.row.mailbox, figure{3});
  CAF_CHECK(detail.row.suspended);
  CAF_REQUIRE_EQUAL(detail.types.size(), 1u);
  CAF_CHECK_EQUAL(detail.types[0].p99, figure{5000});
  CAF_REQUIRE_EQUAL(detail.restarts.size(), 1u);
  CAF_CHECK_EQUAL(detail.restarts[0].text, "killed, back after 3.2 ms");
  CAF_CHECK_EQUAL(detail.errors.at(0).ago, figure{1500 * 1'000'000LL});
  CAF_CHECK_EQUAL(detail.state, R"({"open":true,"puts":608})");
}

CAF_TEST(rates come from what lies between two answers) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  CAF_CHECK(!model.nodes()[1].cpu_share);
  demo_round(model, 2);
  // An eighth of a core; 580 + 40 messages a second.
  CAF_CHECK_EQUAL(model.nodes()[1].cpu_share, figure{125'000});
  CAF_CHECK_EQUAL(model.nodes()[1].rate, figure{620});
  // Another process: its counters say nothing about the one before.
  auto another = demo_sample("exec", 3);
  another.pid = 4711;
  another.cpu = 0;
  another.messages = 0;
  model.take(another);
  CAF_CHECK(!model.nodes()[1].cpu_share);
  CAF_CHECK(logged(model, "exec is another process now: pid 4711"));
}

CAF_TEST(history over a window) {
  actor_history history;
  for (std::int64_t s = 0; s <= 60; ++s) {
    auto row = actor("feed/x", "p", 0, 0, 0);
    row.messages = s < 30 ? 100 * s : 10 * (s - 30);
    row.restarts = s < 30 ? 0 : 1;
    history.take("n", at_second(s), {row});
  }
  const auto ten = history.over("n", "feed/x", 10s);
  CAF_CHECK_EQUAL(ten.over.count(), (10s).count() * 1'000'000'000);
  CAF_CHECK_EQUAL(ten.rate, figure{10});
  CAF_CHECK_EQUAL(ten.restarts, figure{0});
  // The incarnation before counts as well: 2900 of it, 300 of this one.
  const auto minute = history.over("n", "feed/x", 60s);
  CAF_CHECK_EQUAL(minute.messages, figure{2900 + 300});
  CAF_CHECK_EQUAL(minute.restarts, figure{1});
  CAF_CHECK(!history.over("n", "feed/y", 10s).rate);
  history.forget(at_second(60) + 61s);
  CAF_CHECK_EQUAL(history.size(), 0u);
}

CAF_TEST(top is sorted by each column and over a window) {
  console_model model{demo_nodes()};
  for (std::int64_t s = 0; s <= 12; ++s) demo_round(model, s);
  model.press({key::glyph, U'3'});
  CAF_CHECK_EQUAL(model.top().front().row->name, "feed/BTC-USDT@binance");
  const std::map<order, std::string> first{
      {order::mailbox, "feed/BTC-USDT@binance"},  {order::age, "feed/BTC-USDT@binance"},
      {order::rate, "feed/BTC-USDT@binance"},     {order::p99, "store"},
      {order::restarts, "feed/BTC-USDT@binance"}, {order::messages, "feed/BTC-USDT@binance"},
      {order::name, "connector/binance"}};
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (first.contains(model.ordered_by()))
      CAF_CHECK_EQUAL(model.top().front().row->name, first.at(model.ordered_by()));
    model.press({key::glyph, U'>'});
  }
  CAF_CHECK(model.ordered_by() == order::mailbox);
  type(model, ">>w");
  CAF_CHECK_EQUAL(model.window().count(), nanoseconds{10s}.count());
  CAF_CHECK_EQUAL(model.changed(model.top().front()).rate, figure{11'000});
  model.press({key::glyph, U'i'});
  CAF_CHECK_EQUAL(model.top().front().row->name, "predictor/BTC-USDT@binance/15m");
  type(model, "/node:EXEC main");
  model.press({key::enter, 0});
  CAF_CHECK_EQUAL(model.top().size(), 2u);
  CAF_CHECK_EQUAL(model.wanted().match, "main");
  model.press({key::escape, 0});
  CAF_CHECK_EQUAL(model.top().size(), 9u);
}

CAF_TEST(the selection stays with its actor) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  type(model, "3");
  model.press({key::down, 0});
  const auto chosen = model.target();
  CAF_CHECK_EQUAL(chosen.name, "predictor/BTC-USDT@binance/15m");
  auto sample = demo_sample("ingest", 1);
  sample.rows[2].mailbox = 0;
  sample.rows.push_back(actor("backfiller", "p", 99, 1, 1));
  model.take(sample);
  CAF_CHECK(model.target() == chosen);
  sample.rows.erase(sample.rows.begin() + 2);
  model.take(sample);
  CAF_CHECK(model.target() != chosen);
  CAF_CHECK(!model.target().name.empty());
  // Without a choice the first line is whoever is largest.
  model.press({key::home, 0});
  CAF_CHECK_EQUAL(model.target().name, "backfiller");
}

CAF_TEST(the tree folds) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  type(model, "2");
  // Four nodes; below ingest its root, one supervisor, three workers.
  CAF_REQUIRE_EQUAL(model.tree().size(), 9u);
  model.press({key::down, 0});
  model.press({key::down, 0});
  CAF_CHECK_EQUAL(model.target().name, "supervisor/ingest");
  model.press({key::left, 0});
  CAF_CHECK_EQUAL(model.tree().size(), 6u);
  CAF_CHECK(model.wanted().tree);
  model.press({key::right, 0});
  model.press({key::end, 0});
  model.press({key::home, 0});
  model.press({key::glyph, U' '});
  CAF_CHECK_EQUAL(model.tree().size(), 4u);
  type(model, "/feed");
  model.press({key::enter, 0});
  model.press({key::glyph, U' '});
  CAF_CHECK_EQUAL(model.tree().size(), 7u);
}

CAF_TEST(an action is asked twice and can be left at each step) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  type(model, "3");
  type(model, "k");
  CAF_CHECK(model.asking().at() == dialog::stage::sure);
  type(model, "n");
  CAF_CHECK(!model.asking().open());
  type(model, "kyn");
  CAF_CHECK(model.orders_given().empty());
  type(model, "ky");
  model.press({key::escape, 0});
  CAF_CHECK(model.orders_given().empty());
  type(model, "kyy");
  const auto given = model.orders_given();
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK_EQUAL(given[0].verb, "kill");
  CAF_CHECK_EQUAL(given[0].node, "ingest");
  CAF_CHECK_EQUAL(given[0].target, "feed/BTC-USDT@binance");
  CAF_CHECK(model.orders_given().empty());
  model.take(command_outcome{given[0], true, "'feed/BTC-USDT@binance' was killed", 3'000'000ns},
             at_second(1));
  CAF_CHECK_EQUAL(model.notice(), "kill feed/BTC-USDT@binance: 'feed/BTC-USDT@binance' was killed (3.0ms)");
  CAF_CHECK(logged(model, "was killed"));
}

CAF_TEST(what trades or ends a node wants its name typed) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  type(model, "3/executor");
  model.press({key::enter, 0});
  type(model, "kyy");
  model.press({key::enter, 0});
  CAF_CHECK(model.orders_given().empty());
  type(model, "kyexecutor/main@binance");
  model.press({key::enter, 0});
  const auto kill = model.orders_given();
  CAF_REQUIRE_EQUAL(kill.size(), 1u);
  CAF_CHECK_EQUAL(kill[0].arguments.at("confirm"), "executor/main@binance");
  type(model, "1");
  model.press({key::down, 0});
  type(model, "dyexe");
  model.press({key::enter, 0});
  CAF_CHECK(model.orders_given().empty());
  type(model, "dyexec");
  model.press({key::enter, 0});
  const auto given = model.orders_given();
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK_EQUAL(given[0].verb, "drain");
  CAF_CHECK_EQUAL(given[0].node, "exec");
  // Nothing chosen, nothing done.
  type(model, "k");
  CAF_CHECK(!model.asking().open());
}

CAF_TEST(arguments of actions) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  type(model, "3e");
  CAF_CHECK(model.asking().at() == dialog::stage::argument);
  type(model, "no equals sign");
  model.press({key::enter, 0});
  CAF_CHECK(!model.asking().open());
  type(model, "edepth=50x");
  model.press({key::backspace, 0});
  model.press({key::enter, 0});
  type(model, "yy");
  auto given = model.orders_given();
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK_EQUAL(given[0].arguments.at("key"), "depth");
  CAF_CHECK_EQUAL(given[0].arguments.at("value"), "50");
  type(model, "1ldebug");
  model.press({key::enter, 0});
  type(model, "yy");
  given = model.orders_given();
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK_EQUAL(given[0].arguments.at("level"), "debug");
  // A suspended actor is resumed.
  auto sample = demo_sample("ingest", 1);
  sample.rows[1].suspended = true;
  model.take(sample);
  type(model, "3syy");
  given = model.orders_given();
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK_EQUAL(given[0].verb, "resume");
  // On its own page its own figures count, however old the table is.
  model.press({key::enter, 0});
  actor_detail detail;
  detail.node = given[0].node;
  detail.name = given[0].target;
  model.take(detail);
  type(model, "syy");
  given = model.orders_given();
  CAF_REQUIRE_EQUAL(given.size(), 1u);
  CAF_CHECK_EQUAL(given[0].verb, "suspend");
}

CAF_TEST(a silent node is shown so and comes back) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  node_sample silent;
  silent.node = "exec";
  silent.at = at_second(5);
  silent.trouble = "node 'exec' takes connections but does not answer";
  model.take(silent);
  model.take(silent);
  CAF_CHECK(!model.nodes()[1].up());
  CAF_CHECK(model.nodes()[1].known());
  CAF_CHECK_EQUAL(model.nodes()[1].last.accounts.size(), 1u);
  CAF_CHECK(alerted(model, "exec node 'exec' takes connections"));
  CAF_CHECK(logged(model, "exec does not answer"));
  CAF_CHECK_EQUAL(model.log().size(), 1u);
  demo_round(model, 6);
  CAF_CHECK(model.nodes()[1].up());
  CAF_CHECK(logged(model, "exec answers again"));
}

CAF_TEST(what is wrong is told) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  CAF_CHECK(model.alerts().empty());
  auto sample = demo_sample("ingest", 1);
  sample.feeds[0].validity = "stale";
  sample.rows[3].running = 250'000'000;
  model.take(sample);
  auto trading = demo_sample("exec", 1);
  trading.halt->state = "halted";
  trading.halt->reason = "by hand";
  trading.accounts[0].unknown_orders = 2;
  model.take(trading);
  CAF_CHECK(alerted(model, "book is stale"));
  CAF_CHECK(alerted(model, "store its handler runs since 250ms"));
  CAF_CHECK(alerted(model, "trading is halted: by hand"));
  CAF_CHECK(alerted(model, "2 orders whose fate is not known"));
  CAF_CHECK(logged(model, "feed/BTC-USDT@binance book is stale, it was valid"));
}

CAF_TEST(an actor page and a tap) {
  console_model model{demo_nodes()};
  demo_round(model, 0);
  type(model, "gstore");
  model.press({key::enter, 0});
  CAF_CHECK(model.shown() == page::actor);
  CAF_CHECK_EQUAL(model.wanted().actor.name, "store");
  actor_detail other;
  other.node = "ingest";
  other.name = "member";
  model.take(other);
  CAF_CHECK(model.detail() == nullptr);
  other.name = "store";
  other.state = R"({"open":true})";
  model.take(other);
  CAF_REQUIRE(model.detail() != nullptr);
  CAF_CHECK_EQUAL(model.state_lines().size(), 3u);
  type(model, "t");
  CAF_CHECK(model.shown() == page::tap);
  CAF_CHECK_EQUAL(model.wanted().tap.actor, "store");
  tap_answer caught;
  caught.node = "ingest";
  for (int i = 0; i < 5000; ++i)
    caught.lines.push_back({"ingest", "store", "00:00:00.000", "bar_put", "feed", "{}", 0});
  model.take(caught);
  CAF_CHECK_EQUAL(model.tapped().size(), console_model::tap_lines);
  type(model, "x");
  CAF_CHECK_EQUAL(model.wanted().tap.number, 0u);
  type(model, "tid:T7");
  model.press({key::enter, 0});
  CAF_CHECK_EQUAL(model.wanted().tap.id, "T7");
  CAF_CHECK(model.wanted().tap.node.empty());
  type(model, "p");
  const auto before = model.nodes()[0].answered;
  demo_round(model, 9);
  CAF_CHECK(model.nodes()[0].answered == before);
  type(model, "q");
  CAF_CHECK(model.finished());
}

CAF_TEST(ten thousand actors with churn are shown in 20 ms) {
  const auto seed = seed_of("console", 20);
  crowd actors{10'000, seed};
  console_model model{demo_nodes()};
  model.resize({200, 60});
  type(model, "3");
  double worst = 0;
  double sum = 0;
  constexpr int rounds = 24;
  for (int i = 0; i < rounds; ++i) {
    // Each column in turn, absolute and over a window.
    if (i % 2 == 0) type(model, ">");
    if (i % 8 == 7) type(model, "w");
    auto sample = actors.round(i * 3);
    const auto began = cpu_ms();
    model.take(std::move(sample));
    const auto screen = draw(model, true);
    const auto took = cpu_ms() - began;
    CAF_CHECK(screen.text().find("10.0k actors") != std::string::npos);
    worst = std::max(worst, took);
    sum += took;
  }
  std::printf("10,000 actors, 200x60: refresh mean %.2f ms, worst %.2f ms of CPU\n", sum / rounds, worst);
  CAF_CHECK_EQUAL(model.top().size(), 10'000u);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CAF_CHECK_LESS_OR_EQUAL(sum / rounds, 20.0);
#endif
}

CAF_TEST(any keys in any order) {
  const auto seed = seed_of("console keys", 21);
  std::mt19937_64 random{seed};
  console_model model{demo_nodes()};
  constexpr std::array kinds{key::glyph,   key::up,        key::down,     key::left, key::right,
                             key::page_up, key::page_down, key::home,     key::end,  key::enter,
                             key::escape,  key::tab,       key::backspace};
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 50 == 0) demo_round(model, i / 50);
    const auto glyph = static_cast<char32_t>(32 + random() % 95);
    const auto kind = random() % 2 == 0 ? key::glyph : kinds[random() % kinds.size()];
    if (kind != key::glyph || glyph != U'q') model.press({kind, glyph});
    if (random() % 20 == 0) model.resize({static_cast<int>(random() % 250), static_cast<int>(random() % 80)});
    if (i % 10 == 0) CAF_CHECK(draw(model, random() % 2 == 0).width() >= 1);
  }
  // Every order that came out was confirmed: it names a node of the cluster.
  for (const auto& given : model.orders_given())
    CAF_CHECK(std::ranges::any_of(demo_nodes(), [&](const auto& n) { return n.first == given.node; }));
}
