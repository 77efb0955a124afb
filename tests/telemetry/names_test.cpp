#define CAF_SUITE metric_names
#include "tools/json_view.hpp"
#include "tools/node/metrics_table.hpp"

#include <caf/test/unit_test.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

using namespace troupe;
using namespace troupe::node;

namespace {

std::string whole(const std::string& name) {
  std::ifstream in{std::string{TROUPE_PACKAGING} + "/" + name};
  std::string out{std::istreambuf_iterator<char>{in}, {}};
  CAF_REQUIRE(!out.empty());
  return out;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The words of a query outside of its quotes, without the functions' names.
std::vector<std::string> words_of(const std::string& query) {
  std::vector<std::string> out;
  bool quoted = false;
  for (std::size_t i = 0; i < query.size();) {
    if (query[i] == '"') quoted = !quoted;
    if (quoted || !is_word(query[i]) || std::isdigit(static_cast<unsigned char>(query[i]))) {
      // A number takes its unit along: 5m, 1e9.
      if (!quoted && std::isdigit(static_cast<unsigned char>(query[i])))
        while (i + 1 < query.size() && is_word(query[i + 1]))
          ++i;
      ++i;
      continue;
    }
    auto end = i;
    while (end < query.size() && is_word(query[end]))
      ++end;
    if (end == query.size() || query[end] != '(') out.push_back(query.substr(i, end - i));
    i = end;
  }
  return out;
}

/// Every name must be a metric of the table, a label of one of the query's metrics, or a word of the
/// language.
void check_query(const std::string& where, const std::string& query) {
  static const auto all = all_metrics();
  static const std::set<std::string> language{"by",     "without", "on",  "or",  "and", "unless", "bool",
                                             "offset", "sum",     "min", "max", "avg", "count",  "__rate_interval"};
  static const std::set<std::string> targets{"job", "instance"}; // Prometheus adds them
  std::set<std::string> labels = targets;
  std::size_t metrics = 0;
  const auto words = words_of(query);
  for (const auto& word : words)
    for (const auto& each : all)
      if (each.name == word) {
        ++metrics;
        labels.insert(each.labels.begin(), each.labels.end());
      }
  if (std::find(words.begin(), words.end(), "up") != words.end()) ++metrics;
  CAF_CHECK(metrics > 0);
  for (const auto& word : words) {
    const bool metric =
        word == "up" || std::any_of(all.begin(), all.end(), [&](const auto& x) { return x.name == word; });
    if (metric || language.contains(word) || labels.contains(word) || word == "node") continue;
    CAF_ERROR(where << ": '" << word << "' is no metric, nor a label of one, in: " << query);
  }
}

} // namespace

CAF_TEST(every_query_of_the_board_asks_for_what_there_is) {
  const auto board = json_view::parse(whole("grafana/troupe.json"));
  CAF_REQUIRE(board.there());
  std::size_t queries = 0;
  for (const auto& panel : board.items("panels"))
    for (const auto& target : panel.items("targets")) {
      check_query(panel.text("title"), target.text("expr"));
      ++queries;
    }
  for (const auto& each : board.items("annotations.list"))
    check_query("annotation", each.text("expr"));
  CAF_CHECK(queries >= 30);
}

CAF_TEST(every_alert_asks_for_what_there_is_and_has_a_test) {
  const auto rules = YAML::Load(whole("prometheus/troupe.rules.yml"));
  const auto tests = whole("prometheus/troupe.rules.test.yml");
  std::size_t alerts = 0;
  for (const auto& group : rules["groups"])
    for (const auto& rule : group["rules"]) {
      const auto name = rule["alert"].as<std::string>();
      check_query(name, rule["expr"].as<std::string>());
      CAF_CHECK(rule["annotations"]["action"]);
      CAF_CHECK(tests.find("- name: " + name + "\n") != std::string::npos);
      CAF_CHECK(tests.find("- name: " + name + " stays quiet\n") != std::string::npos);
      ++alerts;
    }
  CAF_CHECK(alerts >= 20);
}

CAF_TEST(a_name_that_is_not_there_is_found) {
  const auto words = words_of("sum by (kind) (rate(troupe_nothing_total{node=~\"$node\"}[5m])) > 1e9");
  CAF_CHECK((words == std::vector<std::string>{"sum", "by", "kind", "troupe_nothing_total", "node"}));
}
