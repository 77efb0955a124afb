#define CAF_SUITE metrics_page
#include "tools/node/metrics_page.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

const metric_family* family_of(const std::vector<metric_family>& page, std::string_view name) {
  for (const auto& each : page)
    if (each.name == name) return &each;
  return nullptr;
}

/// The value of the one line with these labels, -1 when there is none.
double value_at(const std::vector<metric_family>& page, std::string_view name,
                const std::vector<metric_label>& labels) {
  const auto* family = family_of(page, name);
  if (family == nullptr) return -1;
  for (const auto& sample : family->samples)
    if (sample.labels == labels) return sample.value;
  return -1;
}

std::vector<metric_family> read_page(metrics_page& page, steady_time now = {}) {
  auto read = parse_metrics_text(page.text(now));
  CAF_REQUIRE_EQUAL(read ? std::string{} : read.error().text, std::string{});
  return *read;
}

actor_report counts(std::string name, std::string kind, std::uint64_t id, std::uint64_t messages,
                    std::uint64_t restarts) {
  actor_report out;
  out.name = std::move(name);
  out.kind = std::move(kind);
  out.id = id;
  out.messages = messages;
  out.restarts = restarts;
  return out;
}

} // namespace

CAF_TEST(the_table_keeps_the_rules_of_naming) {
  std::set<std::string> seen;
  for (const auto& each : all_metrics()) {
    CAF_CHECK(seen.insert(each.name).second);
    metric_family family{each.name, each.help, each.type, {{{}, 0}}};
    for (const auto& label : each.labels)
      family.samples[0].labels.emplace_back(label, "x");
    const auto checked = check_metric(family);
    CAF_CHECK_EQUAL(checked ? std::string{} : checked.error().text, std::string{});
    CAF_CHECK(each.name.starts_with("troupe_") || each.name.starts_with("process_"));
    CAF_CHECK(each.help.ends_with("."));
  }
}

CAF_TEST(reports_become_lines_with_their_labels) {
  metrics_page page{{"ingest", "1.0-x", "abc"}};
  page.take_report("feed/BTC-USDT@binance",
                   R"({"validity":"valid","frames":12,"age":1500000000,"lag_p50":2000000,"bid_levels":7})",
                   {});
  page.take_report("feed/ETH-USDT@okx", R"({"validity":"stale","frames":3})", {});
  page.take_report("risk", R"({"state":"halted","approved":5,"denied":{"order_rate":2,"stale":1}})", {});
  page.take_report(
      "member",
      R"({"peers":[{"node":"exec","state":"up","suspicion":0.02,"silence_ms":338,"round_trip_us":197}]})",
      {});
  page.take_report("predictor/BTC-USDT@binance/15m", R"({"made":4,"hit_rate":null})", {});
  page.take_report(
      "executor/main@binance",
      R"({"state_name":"live","equity":"1610.5","instruments":[{"instrument":"BTC-USDT@binance","position":"-0.005"}]})",
      {});
  const auto read = read_page(page, steady_time{2'000'000'000});
  const metric_label node{"node", "ingest"};
  const std::vector<metric_label> btc{node, {"instrument", "BTC-USDT@binance"}, {"venue", "binance"}};
  CAF_CHECK_EQUAL(value_at(read, "troupe_feed_valid", btc), 1);
  CAF_CHECK_EQUAL(value_at(read, "troupe_feed_frames_total", btc), 12);
  CAF_CHECK_EQUAL(value_at(read, "troupe_feed_age_seconds", btc), 1.5);
  CAF_CHECK_EQUAL(value_at(read, "troupe_feed_bid_levels", btc), 7);
  CAF_CHECK_EQUAL(
      value_at(read, "troupe_feed_valid", {node, {"instrument", "ETH-USDT@okx"}, {"venue", "okx"}}), 0);
  CAF_CHECK_EQUAL(value_at(read, "troupe_risk_halted", {node}), 1);
  CAF_CHECK_EQUAL(value_at(read, "troupe_risk_reducing", {node}), 0);
  CAF_CHECK_EQUAL(value_at(read, "troupe_risk_denied_total", {node, {"code", "order_rate"}}), 2);
  CAF_CHECK_EQUAL(value_at(read, "troupe_risk_denied_total", {node, {"code", "stale"}}), 1);
  CAF_CHECK_EQUAL(value_at(read, "troupe_peer_up", {node, {"peer", "exec"}}), 1);
  CAF_CHECK_EQUAL(value_at(read, "troupe_peer_silence_seconds", {node, {"peer", "exec"}}), 0.338);
  const std::vector<metric_label> fifteen{
      node, {"instrument", "BTC-USDT@binance"}, {"venue", "binance"}, {"horizon", "15m"}};
  CAF_CHECK_EQUAL(value_at(read, "troupe_predictor_predictions_total", fifteen), 4);
  CAF_CHECK(family_of(read, "troupe_predictor_hit_ratio") == nullptr); // null is no figure
  const std::vector<metric_label> account{node, {"account", "main@binance"}, {"venue", "binance"}};
  CAF_CHECK_EQUAL(value_at(read, "troupe_executor_live", account), 1);
  CAF_CHECK_EQUAL(value_at(read, "troupe_executor_equity", account), 1610.5);
  auto position = account;
  position.emplace_back("instrument", "BTC-USDT@binance");
  CAF_CHECK_EQUAL(value_at(read, "troupe_executor_position", position), -0.005);
  CAF_CHECK_EQUAL(value_at(read, "troupe_actor_report_age_seconds", {node, {"actor", "risk"}}), 2);
  CAF_CHECK_EQUAL(value_at(read, "troupe_build_info", {node, {"build", "1.0-x"}, {"schema", "abc"}}), 1);
  for (const auto& each : read)
    CAF_CHECK_EQUAL(check_metric(each) ? "" : check_metric(each).error().text, "");
}

CAF_TEST(what_is_on_the_page_is_in_the_table) {
  metrics_page page{{"n", "b", "s"}};
  page.take_actors({counts("feed/a", "feed", 1, 10, 0)});
  auto text = page.text({});
  append_scrape_metrics(text, {}, {page.node_label()});
  const auto read = parse_metrics_text(text);
  CAF_REQUIRE(read);
  const auto all = all_metrics();
  for (const auto& each : *read) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.name == each.name; });
    CAF_REQUIRE(found != all.end());
    CAF_CHECK(found->type == each.type);
    CAF_CHECK_EQUAL(found->help, each.help);
  }
}

CAF_TEST(totals_never_fall_when_an_actor_starts_afresh) {
  actor_totals totals;
  totals.take({counts("feed/a", "feed", 1, 100, 0), counts("feed/b", "feed", 2, 50, 0)});
  CAF_CHECK_EQUAL(totals.kinds().at("feed").messages, 150u);
  totals.take({counts("feed/a", "feed", 1, 130, 0), counts("feed/b", "feed", 7, 5, 1)});
  CAF_CHECK_EQUAL(totals.kinds().at("feed").messages, 185u);
  CAF_CHECK_EQUAL(totals.kinds().at("feed").restarts, 1u);
  totals.take({counts("feed/b", "feed", 7, 6, 1)});
  CAF_CHECK_EQUAL(totals.kinds().at("feed").messages, 186u);
  CAF_CHECK_EQUAL(totals.kinds().at("feed").actors, 1u);
  totals.take({});
  CAF_CHECK_EQUAL(totals.kinds().at("feed").messages, 186u);
  CAF_CHECK_EQUAL(totals.kinds().at("feed").actors, 0u);
}

CAF_TEST(a_metric_with_too_many_lines_is_cut_and_counted) {
  metrics_page page{{"n", "b", "s"}};
  for (std::size_t i = 0; i < metrics_page::most_lines + 10; ++i)
    page.take_report("feed/S" + std::to_string(i) + "@v", R"({"frames":1})", {});
  const auto read = read_page(page);
  CAF_CHECK_EQUAL(family_of(read, "troupe_feed_frames_total")->samples.size(), metrics_page::most_lines);
  CAF_CHECK_EQUAL(value_at(read, "troupe_metrics_truncated_total", {{"node", "n"}}), 10);
}

CAF_TEST(two_items_with_the_same_labels_are_one_line) {
  metrics_page page{{"n", "b", "s"}};
  page.take_report("node",
                   R"({"links":{"certificate_days_left":12,"refused":{"garbage":3},)"
                   R"("links":[{"peer":"exec","bytes_in":10,"round_trip_us":200},{"peer":"exec","bytes_in":5,"round_trip_us":900}]}})",
                   {});
  const auto read = read_page(page);
  const std::vector<metric_label> exec{{"node", "n"}, {"peer", "exec"}};
  CAF_CHECK_EQUAL(value_at(read, "troupe_link_received_bytes_total", exec), 15);
  CAF_CHECK_EQUAL(value_at(read, "troupe_link_round_trip_seconds", exec), 900e-6);
  CAF_CHECK_EQUAL(value_at(read, "troupe_link_refused_total", {{"node", "n"}, {"why", "garbage"}}), 3);
  CAF_CHECK_EQUAL(value_at(read, "troupe_link_certificate_left_seconds", {{"node", "n"}}), 12 * 86400);
}

CAF_TEST(reports_of_actors_that_left_are_forgotten_and_damaged_ones_change_nothing) {
  metrics_page page{{"n", "b", "s"}};
  page.take_report("store", R"({"puts":4})", {});
  page.take_report("store", R"({"puts":)", {});
  CAF_CHECK_EQUAL(value_at(read_page(page), "troupe_store_puts_total", {{"node", "n"}}), 4);
  page.keep_only({"risk"});
  CAF_CHECK(family_of(read_page(page), "troupe_store_puts_total") == nullptr);
  CAF_CHECK(metrics_page::wants("feed/BTC-USDT@binance"));
  CAF_CHECK(!metrics_page::wants("supervisor/root"));
}
