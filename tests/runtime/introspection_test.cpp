#define CAF_SUITE introspection
#include "messages/trading.hpp"
#include "runtime/actor/actor_table.hpp"
#include "runtime/actor/message_tap.hpp"
#include "runtime/actor/message_view.hpp"
#include "runtime/actor/process_watch.hpp"
#include "runtime/actor/slot_table.hpp"
#include "runtime/actor/supervisor_actor.hpp"
#include "runtime/actor/timeline.hpp"
#include "tests/runtime/actor_fixture.hpp"

#include <random>
#include <thread>

using namespace troupe;
using namespace troupe::test;

namespace {

/// Something local that nobody declared printable.
struct private_thing {
  std::string key = "hunter2hunter2";
};
} // namespace
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(private_thing)
namespace {

/// Understands orders, reports, texts and private things; has a setting.
using watched_interface = caf::typed_actor<rpc<status_request>::to<status_report>, on<intent>,
                                           on<order_report>, on<std::string>, on<private_thing>>;

struct watched_state {
  using handle_type = watched_interface;
  static inline const char* name = "watched";
  explicit watched_state(actor_pointer<watched_interface> self) {
    declare_setting(self, whole_setting(
                              "threshold", "when it acts, parts per million", 1, 1000,
                              [this] { return threshold; }, [this](std::int64_t x) { threshold = x; }));
  }
  watched_interface::behavior_type make_behavior() {
    return {[this](const status_request&) {
              return status_report{"watched", std::to_string(threshold)};
            },
            [](const intent&) {}, [](const order_report&) {}, [](const std::string&) {},
            [](const private_thing&) {}};
  }
  std::int64_t threshold = 10;
};

struct fixture : actor_fixture {
  ~fixture() override {
    for (const auto number : open) tap_registry::instance().remove(number, "test ended");
    end_all();
  }
  watched_interface watched(std::string name) {
    auto h = keep(spawn_actor<watched_state>(sys, {.name = std::move(name)}));
    settle();
    return h;
  }
  std::shared_ptr<message_tap> tap(const tap_start& what) {
    auto started = tap_registry::instance().start(what, monotonic_ns());
    CAF_REQUIRE(started);
    open.push_back((*started)->number());
    return *started;
  }
  static tap_page take(message_tap& t, std::size_t limit = 1000) {
    return t.take(limit, monotonic_ns(), 0);
  }
  static bool tapped(const std::string& name) { return actor_table::instance().find(name).tapped; }
  static intent order_of(const std::string& id, std::uint64_t decision = 7) {
    intent x;
    x.client_id = id;
    x.decision_sequence = decision;
    return x;
  }
  std::vector<std::uint64_t> open;
};

/// A tap on one actor, or with `id` on all that name it.
tap_start about(std::string actor, std::string id = {}, std::string type = {}) {
  tap_start out;
  out.actor = std::move(actor);
  out.id = std::move(id);
  out.type = std::move(type);
  return out;
}

tap_start bounded(tap_start what, std::uint32_t count, std::uint32_t per_second, nanoseconds duration) {
  what.count = count;
  what.per_second = per_second;
  what.duration = duration;
  return what;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(introspection_tests, fixture)

// --- taps ----------------------------------------------------------------------------------------

CAF_TEST(a_tap_shows_what_one_actor_handles) {
  auto a = watched("watched/a");
  auto b = watched("watched/b");
  auto t = tap(about("watched/a"));
  CAF_CHECK(tapped("watched/a"));
  CAF_CHECK(!tapped("watched/b"));
  self->send(a, order_of("o-1"));
  self->send(b, order_of("o-2"));
  settle();
  const auto page = take(*t);
  CAF_REQUIRE_EQUAL(page.rows.size(), 1u);
  CAF_CHECK_EQUAL(page.rows[0].actor, "watched/a");
  CAF_CHECK_EQUAL(page.rows[0].type, "intent");
  CAF_CHECK_EQUAL(page.rows[0].sequence, 1u);
  CAF_CHECK(has(page.rows[0].text, "\"client_id\":\"o-1\""));
  CAF_CHECK(!page.rows[0].answer);
  CAF_CHECK(!page.ended);
  CAF_CHECK(take(*t).rows.empty());
}

CAF_TEST(a_tap_follows_a_name_into_its_next_incarnation_and_lets_go_in_the_end) {
  auto t = tap(about("watched/later"));
  auto a = watched("watched/later");
  CAF_CHECK(tapped("watched/later"));
  self->send(a, order_of("o-1"));
  settle();
  CAF_CHECK_EQUAL(take(*t).rows.size(), 1u);
  tap_registry::instance().remove(t->number(), "stopped");
  CAF_CHECK(!tapped("watched/later"));
  self->send(a, order_of("o-2"));
  settle();
  const auto page = take(*t);
  CAF_CHECK(page.rows.empty());
  CAF_CHECK_EQUAL(page.why, "stopped");
}

CAF_TEST(a_tap_on_an_order_sees_it_in_every_actor_and_nothing_else) {
  auto a = watched("watched/a");
  auto t = tap(about({}, "o-7"));
  auto by_decision = tap(about({}, "4711"));
  auto late = watched("watched/late");
  order_report filled;
  filled.client_id = "o-8";
  filled.fills.resize(2);
  filled.fills[1].client_id = "o-7";
  self->send(a, order_of("o-6"));
  self->send(a, order_of("o-7", 4711));
  self->send(late, filled);
  self->send(late, std::string{"o-7"}); // a text is no order
  settle();
  const auto page = take(*t);
  CAF_REQUIRE_EQUAL(page.rows.size(), 2u);
  CAF_CHECK_EQUAL(page.rows[0].actor + page.rows[1].actor, "watched/awatched/late");
  CAF_CHECK_EQUAL(page.matched, 2u);
  CAF_CHECK_EQUAL(take(*by_decision).rows.size(), 1u);
}

CAF_TEST(a_tap_on_the_next_order_follows_it_from_its_decision_to_the_venue_and_back) {
  auto t = tap(about({}, "next"));
  const auto decided = [](std::uint64_t sequence) {
    decision d;
    d.sequence = sequence;
    return d;
  };
  const auto asked = [](const std::string& client_id, std::uint64_t sequence) {
    risk_request r;
    r.order = order_of(client_id, sequence);
    return r;
  };
  const auto record = [](const std::string& bytes) {
    journal_append out;
    out.entries.resize(1);
    out.entries[0].bytes = bytes;
    return out;
  };
  const auto answered = [](const std::string& client_id) {
    order_report out;
    out.client_id = client_id;
    return out;
  };
  auto& taps = tap_registry::instance();
  const auto comes = [&](auto message) { taps.noted("watched/a", "somebody", caf::make_message(std::move(message))); };
  comes(order_of("before-the-first", 41));
  comes(decided(42)); // becomes no order
  comes(decided(43));
  comes(asked("order-of-43", 43));
  comes(decided(44));
  comes(asked("order-of-44", 44));
  comes(record("..order-of-43.."));
  comes(record("..order-of-44.."));
  taps.noted("gateway/x", "watched/a", caf::make_message(order_of("order-of-43", 43)));
  taps.noted("watched/a", "gateway/x", caf::make_message(answered("order-of-43")));
  taps.noted("watched/a", "gateway/x", caf::make_message(answered("order-of-44")));
  const auto page = take(*t);
  std::string seen;
  for (const auto& row : page.rows) seen += row.actor + ":" + row.type + " ";
  CAF_CHECK_EQUAL(seen, "watched/a:decision watched/a:risk_request watched/a:journal_append gateway/x:intent "
                        "watched/a:order_report ");
  CAF_CHECK_EQUAL(page.matched, 5u);
  // Also who watches one actor sees what it hands to the venue.
  auto by_name = tap(about("watched/a"));
  taps.noted("gateway/x", "watched/a", caf::make_message(order_of("order-of-45", 45)));
  CAF_CHECK_EQUAL(take(*by_name).rows.size(), 1u);
}

CAF_TEST(a_tap_ends_by_count) {
  auto a = watched("watched/a");
  auto t = tap(bounded(about("watched/a"), 3, 100, 10s));
  for (int i = 0; i < 10; ++i) self->send(a, order_of("o"));
  settle();
  const auto page = take(*t);
  CAF_CHECK_EQUAL(page.rows.size(), 3u);
  CAF_CHECK(page.ended);
  CAF_CHECK_EQUAL(page.why, "count");
  tap_registry::instance().sweep(monotonic_ns());
  CAF_CHECK(!tapped("watched/a"));
}

CAF_TEST(a_tap_is_limited_in_rate_and_says_how_much_it_left_out) {
  auto a = watched("watched/a");
  auto t = tap(bounded(about("watched/a"), 1000, 5, 1min));
  for (int i = 0; i < 100; ++i) self->send(a, order_of("o"));
  settle();
  const auto page = take(*t);
  // The test may run over the edge of a second once.
  CAF_CHECK(page.rows.size() == 5 || page.rows.size() == 10);
  CAF_CHECK_EQUAL(page.matched, 100u);
  CAF_CHECK_EQUAL(page.limited + page.rows.size(), 100u);
}

CAF_TEST(a_tap_ends_by_time_also_when_no_message_comes) {
  auto a = watched("watched/a");
  auto t = tap(bounded(about("watched/a"), 100, 100, 1ns));
  self->send(a, order_of("o"));
  settle();
  CAF_CHECK(take(*t).rows.empty());
  CAF_CHECK_EQUAL(take(*t).why, "duration");
  tap_registry::instance().sweep(monotonic_ns());
  CAF_CHECK(!tapped("watched/a"));
}

CAF_TEST(a_tap_that_nobody_fetches_keeps_a_bounded_number_of_rows) {
  auto a = watched("watched/a");
  auto t = tap(bounded(about("watched/a"), 10'000, 1000, 1min));
  for (int second = 0; second < 3; ++second)
    for (int i = 0; i < 600; ++i) {
      const auto element = caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, order_of("o"));
      t->offer(*actor_table::instance().stats_of("watched/a"), *element,
               monotonic_ns() + second * 2'000'000'000LL);
    }
  const auto page = take(*t, 10'000);
  CAF_CHECK_EQUAL(page.rows.size(), message_tap::ring_size);
  CAF_CHECK_EQUAL(page.lost, 800u);
  CAF_CHECK_EQUAL(page.rows.back().sequence, 1800u);
}

CAF_TEST(a_tap_refuses_what_it_cannot_do_in_words) {
  const auto refused = [](const tap_start& what) {
    return tap_registry::instance().start(what, monotonic_ns()).error().text;
  };
  CAF_CHECK(has(refused(tap_start{}), "name of an actor or the id of an order"));
  CAF_CHECK(has(refused(about("x", {}, "inent")), "no message type 'inent'"));
  for (std::size_t i = 0; i < tap_registry::most_taps; ++i) tap(about("x"));
  CAF_CHECK(has(refused(about("x")), "8 taps are open"));
}

CAF_TEST(a_tap_filters_by_type_and_marks_answers) {
  auto a = watched("watched/a");
  auto t = tap(about("asker", {}, "status_report"));
  auto asker = keep(spawn_actor<tester_state>(sys, {.name = "asker"}, [&](auto* self) {
    ask(self, a, 1s, status_request{}).then([](const status_report&) {}, [](const error&) {});
  }));
  settle();
  const auto page = take(*t);
  CAF_REQUIRE_EQUAL(page.rows.size(), 1u);
  CAF_CHECK(page.rows[0].answer);
  CAF_CHECK_EQUAL(page.rows[0].type, "status_report");
}

// --- secrets -------------------------------------------------------------------------------------

CAF_TEST(no_secret_is_shown) {
  auto a = watched("watched/a");
  auto t = tap(about("watched/a"));
  self->send(a, private_thing{});
  self->send(a, std::string{"GET /order?symbol=X&signature=deadbeefcafe0123&timestamp=5"});
  self->send(a, std::string{R"({"apiKey":"AKcanary42canary","secretKey": "SKcanary42canary"})"});
  self->send(a, std::string{"X-MBX-APIKEY: KKcanary42canary"});
  self->send(a, std::string{"Authorization: Bearer TKcanary42canary"});
  settle();
  const auto page = take(*t);
  CAF_REQUIRE_EQUAL(page.rows.size(), 5u);
  std::string all;
  for (const auto& row : page.rows) all += row.text + "\n";
  CAF_CHECK(!has(all, "canary42"));
  CAF_CHECK(!has(all, "deadbeef"));
  CAF_CHECK(!has(all, "hunter2"));
  CAF_CHECK(has(page.rows[0].text, "private_thing"));
  CAF_CHECK(has(page.rows[1].text, "signature=[redacted]&timestamp=5"));
}

CAF_TEST(texts_are_cut_and_bytes_are_counted) {
  const auto text = [](auto x) {
    return message_text(
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(x))->content(), 2000);
  };
  CAF_CHECK_LESS(text(std::string(10'000, 'x')).size(), 300u);
  CAF_CHECK_EQUAL(text(std::string("\x00\x01\x02", 3)), "\"<3 bytes>\"");
  order_report many;
  many.fills.resize(1000);
  CAF_CHECK_LESS(text(many).size(), 6000u);
  CAF_CHECK(has(text(many), "more"));
}

CAF_TEST(redaction_survives_any_text) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  const std::vector<std::string> pieces{
      "signature", "=", ":", "\"", " ", "Bearer", "api_key", "abcdefgh", "\xff", "%", "authorization", "{"};
  for (int i = 0; i < 3000; ++i) {
    std::string x;
    for (auto n = random() % 12; n > 0; --n) x += pieces[random() % pieces.size()];
    const auto once = redact_patterns(x);
    CAF_CHECK_LESS(once.size(), x.size() + 200);
    CAF_CHECK_EQUAL(redact_patterns("signature=0123456789" + x).find("0123456789"), std::string::npos);
  }
}

// --- settings ------------------------------------------------------------------------------------

CAF_TEST(a_setting_is_shown_changed_and_refused) {
  auto a = watched("watched/a");
  const auto stats = actor_table::instance().stats_of("watched/a");
  const auto order = [&](const std::string& key, const std::string& value) {
    std::string outcome = "nobody answered";
    CAF_CHECK(actor_table::instance().order_setting(
        "watched/a", {key, value, [&](const error& why) { outcome = why.code ? why.text : "done"; }}));
    settle();
    return outcome;
  };
  const auto shown = stats->settings();
  CAF_REQUIRE_EQUAL(shown.size(), 1u);
  CAF_CHECK_EQUAL(shown[0].value, "10");
  CAF_CHECK_EQUAL(shown[0].allowed, "1 to 1000");
  const auto value = [&] { return stats->settings().at(0).value; };
  CAF_CHECK_EQUAL(order("threshold", "500"), "done");
  CAF_CHECK_EQUAL(value(), "500");
  CAF_CHECK_EQUAL(order("threshold", "1001"), "threshold: '1001' is not a whole number from 1 to 1000");
  CAF_CHECK_EQUAL(order("threshold", "5x"), "threshold: '5x' is not a whole number from 1 to 1000");
  CAF_CHECK_EQUAL(order("treshold", "5"), "watched/a has no setting 'treshold'");
  CAF_CHECK_EQUAL(value(), "500");
  CAF_CHECK(!actor_table::instance().order_setting("nobody", {"a", "b", [](const error&) {}}));
}

CAF_TEST(an_order_for_a_setting_is_answered_when_the_actor_ends_first) {
  auto a = watched("watched/a");
  std::string outcome;
  CAF_CHECK(actor_table::instance().order_setting(
      "watched/a", {"threshold", "5", [&](const error& why) { outcome = why.text; }}));
  caf::anon_send_exit(a, caf::exit_reason::kill);
  auto b = watched("watched/b");
  settle();
  CAF_CHECK(outcome.empty() || has(outcome, "has ended")); // whichever the scheduler ran first
}

// --- the table -----------------------------------------------------------------------------------

CAF_TEST(a_page_is_sorted_filtered_and_cut_by_the_node) {
  for (int i = 0; i < 20; ++i) watched("row/" + std::string(i < 10 ? "0" : "") + std::to_string(i));
  auto busy = watched("row/99");
  for (int i = 0; i < 7; ++i) anon_send(busy, order_of("o"));
  actor_query query;
  query.match = "row/";
  query.limit = 5;
  auto page = actor_table::instance().page(query).value();
  CAF_CHECK_EQUAL(page.matching, 21u);
  CAF_REQUIRE_EQUAL(page.rows.size(), 5u);
  CAF_CHECK_EQUAL(page.rows[0].name, "row/00");
  query.offset = 18;
  page = actor_table::instance().page(query).value();
  CAF_CHECK_EQUAL(page.rows.size(), 3u);
  CAF_CHECK_EQUAL(page.rows[2].name, "row/99");
  query.offset = 0;
  query.limit = 1;
  query.sort = "mailbox";
  page = actor_table::instance().page(query).value();
  CAF_CHECK_EQUAL(page.rows[0].name, "row/99");
  CAF_CHECK_EQUAL(page.rows[0].mailbox, 7u);
  query.offset = 1000;
  CAF_CHECK(actor_table::instance().page(query).value().rows.empty());
  query.sort = "size";
  CAF_CHECK(has(actor_table::instance().page(query).error().text, "can't be sorted by 'size'"));
  query = {};
  query.kind = "watched";
  query.limit = 100'000;
  CAF_CHECK_EQUAL(actor_table::instance().page(query).value().rows.size(), 21u);
}

CAF_TEST(watchers_are_known_on_both_sides) {
  auto a = watched("watched/a");
  watch_token token;
  actor_pointer<tester_actor> inside = nullptr;
  auto w = keep(spawn_actor<tester_state>(sys, {.name = "watcher"}, [&](auto* self) {
    inside = self;
    token = watch(self, a, [](const error&) {});
  }));
  settle();
  const auto& table = actor_table::instance();
  CAF_CHECK_EQUAL(table.watchers_of(table.find("watched/a").id), std::vector<std::string>{"watcher"});
  CAF_CHECK_EQUAL(table.stats_of("watcher")->watching().size(), 1u);
  send_kill(a);
  settle();
  CAF_CHECK(table.stats_of("watcher")->watching().empty());
}

CAF_TEST(errors_are_kept_with_their_age) {
  auto s = keep(spawn_actor<subject_state>(sys, {.name = "subject/1"}, &notes));
  settle();
  const auto stats = actor_table::instance().stats_of("subject/1");
  for (int i = 0; i < 20; ++i) stats->set_last_error("error " + std::to_string(i));
  const auto kept = stats->errors_seen();
  CAF_REQUIRE_EQUAL(kept.size(), 8u);
  CAF_CHECK_EQUAL(kept.front().text, "error 12");
  CAF_CHECK_EQUAL(stats->last_error(), "error 19");
}

// --- time line -----------------------------------------------------------------------------------

CAF_TEST(the_time_line_knows_spawn_exit_restart_and_long_handlers) {
  const auto before = timeline::instance().page(0, 1, 0).newest;
  auto a = watched("line/a");
  timeline::instance().add_handler(
      "line/a", compat::type_key(*caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, intent{})),
      1000, 2'000'000);
  auto again = keep(spawn_actor<watched_state>(sys, {.name = "line/a", .restarts = 1}));
  send_kill(a);
  settle();
  const auto page = timeline::instance().page(before, 100, 5'000);
  std::string seen;
  for (const auto& row : page.rows) seen += row.what + " " + row.actor + " " + row.detail + ", ";
  CAF_CHECK(seen.starts_with(
      "spawn line/a watched, handler line/a intent, restart line/a watched, exit line/a "));
  CAF_CHECK_EQUAL(page.rows[1].at.ns, 6'000);
  CAF_CHECK(page.rows[1].took == 2ms);
  CAF_CHECK_EQUAL(page.lost, 0u);
}

CAF_TEST(the_time_line_is_bounded_and_tells_what_it_lost) {
  timeline line;
  for (std::size_t i = 0; i < timeline::capacity + 100; ++i)
    line.add(timeline_event::spawn, std::string(500, 'n'), "d");
  auto page = line.page(0, 10, 0);
  CAF_CHECK_EQUAL(page.lost, 100u);
  CAF_REQUIRE_EQUAL(page.rows.size(), 10u);
  CAF_CHECK_EQUAL(page.rows[0].sequence, 101u);
  CAF_CHECK_EQUAL(page.rows[0].actor.size(), 120u);
  page = line.page(timeline::capacity + 99, 10, 0);
  CAF_CHECK_EQUAL(page.rows.size(), 1u);
  CAF_CHECK(line.page(timeline::capacity + 100, 10, 0).rows.empty());
}

// --- supervisors ---------------------------------------------------------------------------------

CAF_TEST(a_child_is_renewed_in_order_and_its_history_tells_why_it_was_restarted) {
  std::vector<child_definition> children;
  child_spec spec;
  spec.id = "child/1";
  children.push_back({spec, [this](const child_start& how) -> result<caf::strong_actor_ptr> {
                        auto h = spawn_actor<subject_state>(
                            how.self, {.name = how.name, .restarts = how.restarts}, &notes);
                        return caf::actor_cast<caf::strong_actor_ptr>(h);
                      }});
  auto top = keep(spawn_supervisor(sys, environment(), {.name = "supervisor/x"}, std::move(children)));
  settle();
  CAF_CHECK_EQUAL(took(), "+child/1");
  CAF_CHECK_EQUAL(slot_table::instance().supervisor_of(&names, "child/1"), "supervisor/x");
  const auto tell_top = [&](const std::string& verb, const std::string& target) {
    std::string out;
    auto answer = self->request(top, 10s, admin_command{verb, target, {}, "test"});
    settle();
    answer.receive([&](const admin_result& r) { out = (r.done ? "done: " : "not: ") + r.text; },
                   [&](const caf::error& e) { out = from_caf(e).message(); });
    return out;
  };
  CAF_CHECK_EQUAL(tell_top("renew_child", "child/1"),
                  "done: 'child/1' was stopped in order and started again");
  CAF_CHECK_EQUAL(took(), "-child/1, +child/1");
  CAF_CHECK(has(tell_top("renew_child", "child/2"), "no child 'child/2'"));
  CAF_CHECK(has(tell_top("terminate_child", "child/1"), "done"));
  CAF_CHECK_EQUAL(slot_table::instance().supervisor_of(&names, "child/1"), "supervisor/x");
  CAF_CHECK(has(tell_top("restart_child", "child/1"), "done"));
  anon_send(names.find<subject_actor>("child/1"), order("fail"));
  settle();
  std::string page;
  auto answer = self->request(top, 10s, status_request{0});
  settle();
  answer.receive([&](const status_report& r) { page = r.json; }, [](const caf::error&) {});
  CAF_CHECK(has(page, "\"restarts_in_period\":1"));
  CAF_CHECK(has(page, "\"why\":\"had enough"));
  CAF_CHECK(has(page, "\"state\":\"running\""));
  end_all();
  CAF_CHECK_EQUAL(slot_table::instance().supervisor_of(&names, "child/1"), "");
}

// --- watching the process ------------------------------------------------------------------------

CAF_TEST(a_step_of_the_clock_and_a_stopped_process_are_told_apart) {
  clock_watch watch;
  constexpr std::int64_t ms = 1'000'000;
  auto wall = 1'000'000 * ms;
  CAF_CHECK_EQUAL(watch.look(50 * ms, wall, 50ms).jump.count(), 0);
  auto seen = watch.look(100 * ms, wall + 50 * ms, 50ms);
  CAF_CHECK_EQUAL(seen.jump.count() + seen.gap.count(), 0);
  seen = watch.look(150 * ms, wall + 100 * ms - 3'600'000 * ms, 50ms);
  CAF_CHECK_EQUAL(seen.jump.count(), -3'600'000 * ms);
  CAF_CHECK_EQUAL(seen.gap.count(), 0);
  seen = watch.look(5150 * ms, wall + 5100 * ms - 3'600'000 * ms, 50ms); // SIGSTOP for five seconds
  CAF_CHECK_EQUAL(seen.jump.count(), 0);
  CAF_CHECK_EQUAL(seen.gap.count(), 5000 * ms);
}

CAF_TEST(memory_that_grows_is_told_once_per_step_and_a_wave_is_not) {
  memory_watch watch;
  constexpr std::int64_t minute = 60'000'000'000;
  constexpr std::uint64_t mib = 1 << 20;
  int told = 0;
  for (int i = 0; i < 300; ++i) // a wave of 100 MiB around 1 GiB
    told += watch.look(minute * i + 1, 1000 * mib + (i % 2 == 0 ? 100 * mib : 0)) ? 1 : 0;
  CAF_CHECK_EQUAL(told, 0);
  std::vector<std::uint64_t> steps;
  for (int i = 0; i < 60; ++i) // 50 MiB a minute
    if (const auto least =
            watch.look(minute * (300 + i), (1000 + 50 * static_cast<std::uint64_t>(i)) * mib))
      steps.push_back(*least / mib);
  CAF_REQUIRE_EQUAL(steps.size(), 3u); // half as much again: at 1,500, 2,250 and 3,400 MiB
  CAF_CHECK_EQUAL(steps[0], 1000u);
  memory_watch young;
  CAF_CHECK(!young.look(1, 100 * mib));
  CAF_CHECK(!young.look(minute / 2, 3000 * mib)); // starting up
}

CAF_TEST(a_scheduler_that_does_not_answer_is_told_once_per_stall) {
  stall_watch watch{1s};
  CAF_CHECK(watch.wants_poke(0));
  const auto first = watch.poke(1);
  CAF_CHECK(!watch.wants_poke(0));
  CAF_CHECK(!watch.stalled(0, 500'000'000));
  CAF_CHECK(watch.stalled(0, 1'500'000'000).has_value());
  CAF_CHECK(!watch.stalled(0, 2'500'000'000));
  CAF_CHECK(!watch.stalled(first, 3'000'000'000));
  CAF_CHECK(watch.wants_poke(first));
}

CAF_TEST_FIXTURE_SCOPE_END()
