#define CAF_SUITE metrics_text
#include "runtime/telemetry/metrics_text.hpp"
#include "runtime/telemetry/process_figures.hpp"

#include <caf/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace troupe;

namespace {

metric_family family(std::string name, metric_type type, std::vector<metric_sample> samples) {
  return {std::move(name), "Help.", type, std::move(samples)};
}

/// Text of any bytes, the escaped ones often.
std::string hostile_text(std::mt19937_64& random) {
  constexpr std::string_view often = "\\\"\n{},= #aZ09_";
  std::string out;
  for (auto n = random() % 12; n > 0; --n)
    out += random() % 4 == 0 ? static_cast<char>(random() % 256) : often[random() % often.size()];
  return out;
}

} // namespace

CAF_TEST(a_page_is_written_as_the_format_says) {
  const std::vector<metric_family> page{
      family("troupe_orders_total", metric_type::counter,
             {{{{"venue", "binance"}, {"why", "a \"b\" \\ c\nd"}}, 3}, {{}, 0.25}}),
      family("troupe_nothing", metric_type::gauge, {}),
      family("troupe_age_seconds", metric_type::gauge,
             {{{{"node", "a"}}, std::numeric_limits<double>::infinity()},
              {{{"node", "b"}}, std::numeric_limits<double>::quiet_NaN()},
              {{{"node", "c"}}, -1e-9}}),
  };
  CAF_CHECK_EQUAL(metrics_text(page),
                  "# HELP troupe_orders_total Help.\n"
                  "# TYPE troupe_orders_total counter\n"
                  "troupe_orders_total{venue=\"binance\",why=\"a \\\"b\\\" \\\\ c\\nd\"} 3\n"
                  "troupe_orders_total 0.25\n"
                  "# HELP troupe_age_seconds Help.\n"
                  "# TYPE troupe_age_seconds gauge\n"
                  "troupe_age_seconds{node=\"a\"} +Inf\n"
                  "troupe_age_seconds{node=\"b\"} NaN\n"
                  "troupe_age_seconds{node=\"c\"} -1e-09\n");
  CAF_CHECK_EQUAL(metrics_text({}), "");
}

CAF_TEST(what_is_written_reads_back_the_same) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 2000; ++round) {
    std::vector<metric_family> page;
    for (std::size_t f = 0; f < 1 + random() % 3; ++f) {
      metric_family one{"m" + std::to_string(f) + "_total", hostile_text(random), metric_type::counter, {}};
      for (std::size_t i = 0; i < 1 + random() % 4; ++i) {
        metric_sample sample{{{"n", std::to_string(i)}}, std::ldexp(static_cast<double>(random()), -20)};
        for (std::size_t l = 0; l < random() % 3; ++l)
          sample.labels.emplace_back("l" + std::to_string(l), hostile_text(random));
        one.samples.push_back(std::move(sample));
      }
      page.push_back(std::move(one));
    }
    const auto text = metrics_text(page);
    const auto read = parse_metrics_text(text);
    CAF_REQUIRE_EQUAL(read ? std::string{} : read.error().text, std::string{});
    CAF_REQUIRE(*read == page);
  }
}

CAF_TEST(damaged_pages_are_refused_with_their_line) {
  const auto refused = [](std::string_view text, std::string_view where) {
    const auto read = parse_metrics_text(text);
    CAF_REQUIRE(!read);
    CAF_CHECK(read.error().text.find(where) != std::string::npos);
  };
  const std::string head = "# HELP a_total x\n# TYPE a_total counter\n";
  refused("a_total 1\n", "line 1: a sample");
  refused(head + "a_total 1", "line 3: the last line");
  refused(head + "a_total 1 2\n", "line 3: no value");
  refused(head + "a_total one\n", "line 3: no value");
  refused(head + "a_total{x=\"1} 1\n", "line 3: a label value does not end");
  refused(head + "a_total{x=\"\\q\"} 1\n", "line 3: an unknown escape");
  refused(head + "a_total{x=1} 1\n", "line 3: a label value has no quote");
  refused(head + "a_total{x=\"1\",x=\"2\"} 1\n", "line 3: a label twice");
  refused(head + "a_total{x=\"1\",y=\"2\"} 1\na_total{y=\"2\",x=\"1\"} 2\n", "line 4: the same labels");
  refused(head + "a_total 1\n# TYPE b gauge\nb 1\n# HELP a_total x\n", "line 6: a_total lies apart");
  refused(head + "# TYPE a_total counter\n", "line 3: a second TYPE");
  refused("# TYPE h histogram\n", "line 1: type 'histogram'");
  CAF_CHECK(parse_metrics_text("\n# a remark\n" + head + " a_total { x = \"1\" , } 1\n"));
}

CAF_TEST(names_follow_the_rules_of_prometheus) {
  using enum metric_type;
  const auto good = [](const char* name, metric_type type) {
    return check_metric(family(name, type, {})).has_value();
  };
  CAF_CHECK(good("troupe_orders_total", counter));
  CAF_CHECK(good("troupe_age_seconds", gauge));
  CAF_CHECK(!good("troupe_orders", counter));
  CAF_CHECK(!good("troupe_orders_total", gauge));
  CAF_CHECK(!good("troupe_age_ms", gauge));
  CAF_CHECK(!good("troupe_wait_nanoseconds_total", counter));
  CAF_CHECK(!good("troupe_waits_count", gauge));
  CAF_CHECK(!good("1troupe", gauge));
  CAF_CHECK(!good("troupe-age", gauge));
  CAF_CHECK(!check_metric({"troupe_age", "", gauge, {}}));
  CAF_CHECK(!check_metric(family("troupe_age", gauge, {{{{"le", "1"}}, 1}})));
  CAF_CHECK(!check_metric(family("troupe_age", gauge, {{{{"__name", "1"}}, 1}})));
}

CAF_TEST(the_process_knows_itself) {
  const auto figures = read_process_figures();
  CAF_CHECK(figures.resident_bytes > 1'000'000);
  CAF_CHECK(figures.open_files >= 3);
  CAF_CHECK(figures.most_files >= figures.open_files);
  CAF_CHECK(figures.threads >= 1);
  CAF_CHECK(figures.started_seconds > 1.6e9);
  CAF_CHECK(read_disk_figures("/").total_bytes > 0);
  CAF_CHECK_EQUAL(read_disk_figures("/no/such/folder").total_bytes, 0u);
  std::string page;
  append_process_metrics(page, figures, {10, 5}, {{"node", "n"}});
  const auto read = parse_metrics_text(page);
  CAF_REQUIRE(read);
  for (const auto& each : *read)
    CAF_CHECK_EQUAL(check_metric(each) ? "" : check_metric(each).error().text, "");
}
