#include "tools/node/metrics_page.hpp"

#include "tools/json_view.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace troupe::node {
namespace {

double in_seconds(nanoseconds x) {
  return static_cast<double>(x.count()) * 1e-9;
}

/// Numbers as they are, true and false as 1 and 0, decimal texts ("-0.00507") as their value; nothing for
/// null.
std::optional<double> value_of(const json_view& report, const metric_row& row, std::string_view path) {
  const auto at = report.at(path);
  if (!at.there()) return std::nullopt;
  if (!row.word.empty()) return report.text(path) == row.word ? 1.0 : 0.0;
  if (const auto number = at.figure({})) return *number * row.scale;
  const auto text = report.text(path);
  double x = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return x * row.scale;
}

/// The label of an item: its field, its key in the object (`key`), or its place.
metric_label label_of(const metric_row& row, const json_view& item, const std::string& key,
                      std::size_t place) {
  const auto equals = row.label.find('=');
  const std::string name{row.label.substr(0, equals)};
  const auto from = row.label.substr(equals + 1);
  if (from == "@") return {name, key};
  if (from == "#") return {name, std::to_string(place)};
  return {name, item.text(from)};
}

} // namespace

// --- totals --------------------------------------------------------------------------------------

void actor_totals::take(const std::vector<actor_report>& actors) {
  for (auto& [kind, figures] : kinds_)
    figures = {.messages = figures.messages,
               .errors = figures.errors,
               .unexpected = figures.unexpected,
               .restarts = figures.restarts};
  for (auto& [name, before] : last_)
    before.seen = false;
  for (const auto& actor : actors) {
    auto& kind = kinds_[actor.kind];
    auto& before = last_[actor.name];
    // Two live actors of one name (a supervisor of tests, a client): the second one's counts start afresh.
    if (before.seen || before.id != actor.id)
      before = {.id = actor.id, .restarts = std::min(before.restarts, actor.restarts)};
    const auto more = [](std::uint64_t now, std::uint64_t& then) {
      return now - std::min(std::exchange(then, now), now);
    };
    kind.messages += more(actor.messages, before.messages);
    kind.errors += more(actor.errors, before.errors);
    kind.unexpected += more(actor.unexpected, before.unexpected);
    kind.restarts += more(actor.restarts, before.restarts);
    before.seen = true;
    ++kind.actors;
    kind.mailbox += actor.mailbox;
    kind.mailbox_age = std::max(kind.mailbox_age, actor.mailbox_age);
    kind.handler_p99 = std::max(kind.handler_p99, actor.handler_p99);
    kind.suspended += actor.suspended ? 1 : 0;
  }
  std::erase_if(last_, [](const auto& each) { return !each.second.seen; });
}

// --- page ----------------------------------------------------------------------------------------

bool metrics_page::wants(std::string_view actor) {
  const auto report = actor.substr(0, actor.find('/'));
  const auto all = metric_rows();
  return std::any_of(all.begin(), all.end(), [&](const metric_row& row) { return row.report == report; });
}

void metrics_page::take_report(const std::string& actor, std::string_view json, steady_time now) {
  const auto report = json_view::parse(json);
  if (!report.there()) return;
  kept_report kept{now, {}};
  const auto kind = std::string_view{actor}.substr(0, actor.find('/'));
  auto labels = labels_of_actor(actor);
  labels.insert(labels.begin(), node_label());
  const auto all = metric_rows();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& row = all[i];
    if (row.report != kind) continue;
    if (row.each.empty()) {
      if (const auto value = value_of(report, row, row.path))
        kept.samples.emplace_back(i, metric_sample{labels, *value});
      continue;
    }
    const auto add = [&](const json_view& item, std::string_view path, const std::string& key,
                         std::size_t place) {
      const auto value = value_of(item, row, path);
      if (!value) return;
      auto told = labels;
      told.push_back(label_of(row, item, key, place));
      kept.samples.emplace_back(i, metric_sample{std::move(told), *value});
    };
    std::size_t place = 0;
    for (const auto& item : report.items(row.each))
      add(item, row.path, {}, place++);
    for (const auto& key : report.keys(row.each))
      add(report.at(row.each), key, key, place++);
  }
  reports_[actor] = std::move(kept);
}

void metrics_page::keep_only(const std::vector<std::string>& names) {
  std::erase_if(reports_, [&](const auto& each) {
    return std::find(names.begin(), names.end(), each.first) == names.end();
  });
}

void metrics_page::add_actors(std::vector<metric_family>& out) const {
  const auto add = [&](std::string_view name, auto value) {
    auto family = empty_family(name);
    for (const auto& [kind, figures] : totals_.kinds())
      family.samples.push_back({{node_label(), {"kind", kind}}, static_cast<double>(value(figures))});
    out.push_back(std::move(family));
  };
  using totals = const actor_totals::of_kind&;
  add("troupe_actors", [](totals x) { return x.actors; });
  add("troupe_actor_mailbox_messages", [](totals x) { return x.mailbox; });
  add("troupe_actor_mailbox_age_seconds", [](totals x) { return in_seconds(x.mailbox_age); });
  add("troupe_actor_messages_total", [](totals x) { return x.messages; });
  add("troupe_actor_errors_total", [](totals x) { return x.errors; });
  add("troupe_actor_unexpected_total", [](totals x) { return x.unexpected; });
  add("troupe_actor_restarts_total", [](totals x) { return x.restarts; });
  add("troupe_actor_suspended", [](totals x) { return x.suspended; });
  add("troupe_actor_handler_p99_seconds", [](totals x) { return in_seconds(x.handler_p99); });
}

void metrics_page::add_reports(std::vector<metric_family>& out) {
  const auto all = metric_rows();
  std::vector<metric_family> by_row(all.size());
  std::vector<std::map<std::vector<metric_label>, std::size_t>> places(all.size());
  for (const auto& [actor, kept] : reports_)
    for (const auto& [row, sample] : kept.samples) {
      auto& samples = by_row[row].samples;
      const auto [place, added] = places[row].try_emplace(sample.labels, samples.size());
      if (added && samples.size() >= most_lines) {
        places[row].erase(place);
        ++truncated_;
      } else if (added) {
        samples.push_back(sample);
      } else if (auto& same = samples[place->second].value; all[row].type == metric_type::counter) {
        same += sample.value; // two links to one peer: a page may hold each set of labels once
      } else {
        same = std::max(same, sample.value);
      }
    }
  for (std::size_t i = 0; i < all.size(); ++i) {
    by_row[i].name = all[i].name;
    by_row[i].help = all[i].help;
    by_row[i].type = all[i].type;
    out.push_back(std::move(by_row[i]));
  }
}

std::string metrics_page::text(steady_time now) {
  std::vector<metric_family> out;
  const auto add = [&](std::string_view name, std::vector<metric_sample> samples) {
    out.push_back(empty_family(name));
    out.back().samples = std::move(samples);
  };
  add("troupe_build_info", {{{node_label(), {"build", who_.build}, {"schema", who_.schema}}, 1}});
  add_actors(out);
  std::vector<metric_sample> ages;
  for (const auto& [actor, kept] : reports_)
    if (ages.size() < most_lines)
      ages.push_back({{node_label(), {"actor", actor}}, in_seconds(now - kept.at)});
  add("troupe_actor_report_age_seconds", std::move(ages));
  add_reports(out);
  add("troupe_metrics_truncated_total", {{{node_label()}, static_cast<double>(truncated_)}});
  return metrics_text(out);
}

void append_scrape_metrics(std::string& out, const scrape_figures& figures,
                           const std::vector<metric_label>& labels) {
  const auto add = [&](std::string_view name, double value) {
    auto family = empty_family(name);
    family.samples.push_back({labels, value});
    append_metrics(out, family);
  };
  add("troupe_stuck_handlers", static_cast<double>(figures.stuck));
  add("troupe_longest_handler_seconds", in_seconds(figures.longest));
  add("troupe_page_age_seconds", in_seconds(figures.page_age));
  add("troupe_scrape_seconds", in_seconds(figures.last_scrape));
}

} // namespace troupe::node
