#define CAF_SUITE inspection
#include "messages/json.hpp"
#include "runtime/cluster/errc.hpp"
#include "tools/inspection/actor_tables.hpp"
#include "tools/inspection/chrome_trace.hpp"
#include "tools/inspection/envelope.hpp"
#include "tools/inspection/inspector.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::inspection;
using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

actor_report actor(std::string name, std::uint64_t id, std::uint64_t messages) {
  actor_report out;
  out.name = std::move(name);
  out.id = id;
  out.messages = messages;
  return out;
}

} // namespace

CAF_TEST(an_envelope_is_one_form_for_answers_and_refusals) {
  const auto good = json_view::parse(envelope({"exec", 17, {5}}, R"({"x":1})"));
  CAF_REQUIRE(good.there());
  CAF_CHECK_EQUAL(good.text("schema"), "troupe.introspection/1");
  CAF_CHECK_EQUAL(good.text("node"), "exec");
  CAF_CHECK_EQUAL(good.integer("incarnation"), 17);
  CAF_CHECK_EQUAL(good.integer("at_ns"), 5);
  CAF_CHECK(good.flag("ok"));
  CAF_CHECK_EQUAL(good.integer("data.x"), 1);
  const error why{make_error_code(cluster_errc::refused), "no \"such\" actor"};
  const auto bad = json_view::parse(envelope({}, why, "[1]"));
  CAF_REQUIRE(bad.there());
  CAF_CHECK(!bad.flag("ok"));
  CAF_CHECK_EQUAL(bad.text("node"), "*");
  CAF_CHECK_EQUAL(bad.text("error.text"), "no \"such\" actor");
  CAF_CHECK(bad.text("error.code").starts_with("cluster/"));
  CAF_CHECK_EQUAL(bad.items("data").size(), 1u);
  CAF_CHECK(json_view::parse(envelope({}, std::string{})).there());
}

CAF_TEST(a_window_is_the_difference_of_two_looks_at_one_incarnation) {
  const auto before = actor("a", 7, 100);
  auto after = actor("a", 7, 350);
  after.mailbox = 4;
  auto between = difference(before, after, 5s);
  CAF_CHECK_EQUAL(between.messages, 250u);
  CAF_CHECK_EQUAL(between.messages_per_second, 50u);
  CAF_CHECK_EQUAL(between.mailbox, 4u);
  after.id = 8; // started anew meanwhile: what it did since is all it did
  after.messages = 30;
  after.restarts = 1;
  between = difference(before, after, 5s);
  CAF_CHECK_EQUAL(between.messages, 30u);
  CAF_CHECK_EQUAL(between.restarts, 1u);
  CAF_CHECK_EQUAL(difference(before, after, 0s).messages, 30u);
}

CAF_TEST(rows_of_several_nodes_are_sorted_as_the_nodes_sort) {
  const auto a = actor("a", 1, 5);
  const auto b = actor("b", 2, 9);
  CAF_CHECK(sorts_before(a, b, "name") && !sorts_before(b, a, "name"));
  CAF_CHECK(sorts_before(b, a, "messages"));
  CAF_CHECK(sorts_before(a, b, "mailbox")); // equal: by name
  CAF_CHECK(!sorts_before(a, a, ""));
}

CAF_TEST(a_trace_has_nodes_as_processes_and_actors_as_threads) {
  timeline_page earth;
  earth.node.text = "earth";
  earth.incarnation = 3;
  earth.rows.push_back({1, {1'000'001}, 0ns, "spawn", "feed/\"x\"", "feed"});
  earth.rows.push_back({2, {2'000'050}, 1500us, "handler", "feed/\"x\"", "frame_batch"});
  earth.rows.push_back({3, {3'000'000}, 0ns, "link_down", "mars", "no answer"});
  timeline_page mars;
  mars.node.text = "mars";
  const auto trace = json_view::parse(chrome_trace({earth, mars}));
  CAF_REQUIRE(trace.there());
  const auto events = trace.items("traceEvents");
  CAF_REQUIRE_EQUAL(events.size(), 7u); // two processes, two threads, three rows
  CAF_CHECK_EQUAL(events[0].text("args.name"), "earth#3");
  CAF_CHECK_EQUAL(events[1].text("args.name"), "feed/\"x\"");
  CAF_CHECK_EQUAL(events[2].text("ph"), "i");
  CAF_CHECK_EQUAL(events[3].text("ph"), "X");
  CAF_CHECK_EQUAL(events[3].text("name"), "frame_batch");
  CAF_CHECK_EQUAL(events[3].real("ts"), 2000.050);
  CAF_CHECK_EQUAL(events[3].real("dur"), 1500.0);
  CAF_CHECK_EQUAL(events[3].integer("tid"), events[2].integer("tid"));
  CAF_CHECK_EQUAL(events[5].text("s"), "p");
  CAF_CHECK(json_view::parse(chrome_trace({})).there());
}

CAF_TEST(tables_are_for_people) {
  CAF_CHECK_EQUAL(duration_text(0ns), "0");
  CAF_CHECK_EQUAL(duration_text(999ns), "999 ns");
  CAF_CHECK_EQUAL(duration_text(1500us), "1.5 ms");
  CAF_CHECK_EQUAL(duration_text(90s), "1.5 min");
  CAF_CHECK_EQUAL(duration_text(-1ns), "-1 ns");
  auto row = actor("store", 1, 12);
  row.suspended = true;
  const auto table = actor_table_text({{"earth", row}});
  CAF_CHECK(table.starts_with("NODE "));
  CAF_CHECK(has(table, "earth  store"));
  CAF_CHECK(table.ends_with("suspended\n"));
  const auto tree = tree_text(json_view::parse(
      R"({"name":"root","strategy":"one_for_one","intensity":5,"period_ms":60000,"restarts_in_period":1,"children":[)"
      R"({"id":"a","state":"running","up_ms":1500,"restarts":1,"history":[{"ago_ms":1500,"why":"out of luck"}]},)"
      R"({"id":"b","state":"backing_off","restart_in_ms":200,"restarts":0,"history":[]},)"
      R"({"id":"s","state":"running","tree":{"name":"s","strategy":"one_for_all","intensity":1,"period_ms":1000,)"
      R"("restarts_in_period":0,"children":[]}}],"children_left_out":3})"));
  CAF_CHECK_EQUAL(tree, "root  one_for_one, 1 of 5 restarts within 1.0 min\n"
                        "  a  running 1.5 s, 1 restarts, 1.5 s ago: out of luck\n"
                        "  b  backing_off, again in 200 ms\n"
                        "  s  one_for_all, 0 of 1 restarts within 1.0 s\n"
                        "  … 3 more\n");
  const auto page = actor_text("earth", json_view::parse(
      R"({"actor":{"name":"a","kind":"echo","types":[{"type":"intent","count":3,"p50":1000,"p99":2000}]},)"
      R"("settings":[{"key":"limit","value":"3","allowed":"1 to 9","meaning":"orders"}],"errors":[],)"
      R"("watchers":["x","y"],"watching":[],"slot":null,"state":{}})"));
  CAF_CHECK(has(page, "earth/a\n"));
  CAF_CHECK(has(page, "setting   limit = 3  (1 to 9; orders)\n"));
  CAF_CHECK(has(page, "watchers  x, y\n"));
  CAF_CHECK(has(actor_text("earth", json_view::parse(R"({"actor":null,"slot":{"supervisor":"s","child":null}})")),
                "it does not run at present"));
}
