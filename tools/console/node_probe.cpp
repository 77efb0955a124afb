#include "tools/console/node_probe.hpp"

#include "messages/type_ids.hpp"
#include "runtime/clock.hpp"
#include "tools/console/sample_reader.hpp"

#include <algorithm>
#include <limits>

namespace troupe::console {
namespace {

using namespace std::chrono_literals;

constexpr nanoseconds answer_within = 1s;
/// An actor that is stopped in order has five seconds for it.
constexpr nanoseconds order_within = 6s;
/// An actor that is asked for the home page only; a late one is left out of this round.
constexpr nanoseconds report_within = 300ms;
constexpr nanoseconds late_pause = 5s;
constexpr nanoseconds look_again = 5s;
constexpr nanoseconds big_tree_pause = 5s;
constexpr std::int64_t big_node = 500;
constexpr std::uint32_t most_reports_of_a_kind = 24;
constexpr std::uint32_t most_events = 200;

std::string words_of(const error& why) { return why.text.empty() ? why.message() : why.text; }

} // namespace

node_probe::node_probe(std::string name, std::string place, std::unique_ptr<cluster_client> client,
                       std::string who)
    : name_{std::move(name)}, place_{std::move(place)}, client_{std::move(client)}, who_{std::move(who)} {}

node_sample node_probe::round(const wishes& wanted) {
  node_sample out;
  out.node = name_;
  out.place = place_;
  const auto silent = [&](const error& why) {
    out.trouble = words_of(why);
    out.at = {monotonic_ns()};
    reported_.clear();
    looked_for_reported_ = {};
    return out;
  };
  const auto node = client_->node(name_);
  if (!node) return silent(node.error());
  const auto status = client_->ask<status_report>(*node, answer_within, status_request{0});
  if (!status) return silent(status.error());
  read_node(out, status->json);
  // Verbosity 0 knows only the root's own children.
  out.has_tree = false;
  out.tree.clear();
  if (const auto process = client_->ask<status_report>(*node, answer_within, inspect_request{"node", ""}))
    read_process(out, process->json);
  out.at = {monotonic_ns()};
  ask_rows(out, *node, wanted);
  if (wanted.tree && (out.actors.value_or(0) < big_node || out.at - tree_at_ >= big_tree_pause))
    if (const auto tree = client_->ask<status_report>(*node, answer_within, inspect_request{"tree", ""})) {
      out.tree = read_tree(tree->json);
      out.has_tree = !out.tree.empty();
      tree_at_ = out.at;
    }
  if (wanted.reports) ask_reports(out, *node);
  return out;
}

void node_probe::ask_rows(node_sample& out, const node_actor& node, const wishes& wanted) {
  if (wanted.rows == 0) return;
  actor_query query;
  query.match = wanted.match;
  query.sort = to_text(wanted.by);
  query.ascending = wanted.ascending;
  query.limit = wanted.rows;
  if (auto page = client_->ask<troupe::actor_page>(node, answer_within, query))
    read_rows(out, std::move(page).value(), wanted.match.empty());
}

void node_probe::find_reported(const node_actor& node) {
  for (const auto* part : {"feed/", "model/", "trainer/", "executor/", "risk"}) {
    actor_query query;
    query.match = part;
    query.limit = most_reports_of_a_kind;
    const auto page = client_->ask<troupe::actor_page>(node, answer_within, query);
    if (!page) return;
    for (const auto& row : page->rows)
      if (is_reported(row.name)) reported_.try_emplace(row.name);
  }
}

void node_probe::ask_reports(node_sample& out, const node_actor& node) {
  if (looked_for_reported_.ns == 0 || out.at - looked_for_reported_ >= look_again) {
    find_reported(node);
    looked_for_reported_ = out.at;
  }
  for (auto i = reported_.begin(); i != reported_.end();) {
    auto& [name, known] = *i;
    if (known.not_before > out.at) {
      ++i;
      continue;
    }
    if (!known.handle) {
      const auto found = client_->ask<caf::strong_actor_ptr>(node, answer_within, name);
      if (!found || !found.value()) {
        i = reported_.erase(i);
        continue;
      }
      known.handle = caf::actor_cast<observable_actor>(found.value());
    }
    const auto report = client_->ask<status_report>(known.handle, report_within, status_request{0});
    if (report) read_report(out, name, report->json);
    else {
      // It may be dead, its successor is found by name; or it is busy, and is left alone for a while.
      known.handle = observable_actor{};
      if (report.error().code == cluster_errc::timed_out || report.error().code == runtime_errc::timeout)
        known.not_before = steady_time{monotonic_ns()} + late_pause;
    }
    ++i;
  }
}

actor_detail node_probe::detail(const std::string& actor) {
  actor_detail out;
  out.node = name_;
  out.name = actor;
  const auto node = client_->node(name_);
  if (!node) out.trouble = words_of(node.error());
  else if (const auto page =
               client_->ask<status_report>(*node, 2 * answer_within, inspect_request{"actor", actor}))
    read_actor(out, page->json);
  else out.trouble = words_of(page.error());
  out.at = {monotonic_ns()};
  return out;
}

std::vector<log_entry> node_probe::events() {
  std::vector<log_entry> out;
  const auto node = client_->node(name_);
  if (!node) return out;
  timeline_query query;
  query.limit = most_events;
  // First only the number of the newest row: what happened before is shown as far as one page goes.
  query.after = events_known_ ? newest_event_ : std::numeric_limits<std::uint64_t>::max();
  auto page = client_->ask<timeline_page>(*node, answer_within, query);
  if (!page) return out;
  const auto behind = [&](std::uint64_t newest) { return newest > most_events ? newest - most_events : 0; };
  // A node that started anew counts from the beginning; where more happened than a page holds, the newest
  // count.
  if (!events_known_ || page->newest < newest_event_ || page->newest > newest_event_ + most_events) {
    query.after = behind(page->newest);
    page = client_->ask<timeline_page>(*node, answer_within, query);
    if (!page) return out;
  }
  events_known_ = true;
  newest_event_ = page->newest;
  const steady_time now{monotonic_ns()};
  for (auto& note : read_timeline(*page))
    out.push_back({now - note.ago, note.bad ? style::warn : style::good, name_ + " " + note.actor,
                   std::move(note.text)});
  return out;
}

command_outcome node_probe::run(const command& what) {
  command_outcome out{what, false, {}, {}};
  admin_command order;
  order.verb = what.verb;
  order.target = what.target;
  order.arguments = what.arguments;
  order.who = who_;
  const steady_time began{monotonic_ns()};
  const auto node = client_->node(name_);
  if (!node) {
    out.text = "not sent: " + words_of(node.error());
    return out;
  }
  const auto done = client_->ask<admin_result>(*node, order_within, std::move(order));
  out.took = steady_time{monotonic_ns()} - began;
  out.done = done && done->done;
  if (done) out.text = done->text;
  else out.text = "sent, but " + words_of(done.error()) + "; it may still be carried out";
  return out;
}

void node_probe::end_tap(const node_actor& node) {
  if (tap_number_ != 0) {
    const auto ended = client_->ask<acknowledged>(node, answer_within, tap_stop{tap_number_});
    // A node that does not answer ends it by its own bounds.
    static_cast<void>(ended.has_value());
  }
  tap_number_ = 0;
}

std::optional<tap_answer> node_probe::tap(const tap_wish& wished) {
  const bool here = wished.number != 0 && (wished.node.empty() || wished.node == name_);
  if (!here && tap_number_ == 0) return std::nullopt;
  tap_answer trouble;
  trouble.node = name_;
  const auto node = client_->node(name_);
  if (!node) {
    trouble.trouble = words_of(node.error());
    tap_number_ = 0;
    return here ? std::optional{trouble} : std::nullopt;
  }
  if (wished != tap_) {
    end_tap(*node);
    tap_ = wished;
    if (!here) return std::nullopt;
    tap_start start;
    start.actor = wished.actor;
    start.id = wished.id;
    start.count = 1000;
    start.per_second = 50;
    start.duration = 5min;
    start.who = who_;
    auto begun = client_->ask<troupe::tap_page>(*node, answer_within, start, client_->asker());
    if (!begun) {
      trouble.trouble = words_of(begun.error());
      return trouble;
    }
    tap_number_ = begun->tap;
    return read_tap(name_, std::move(begun).value());
  }
  if (tap_number_ == 0) return std::nullopt;
  auto page = client_->ask<troupe::tap_page>(*node, answer_within, tap_pull{tap_number_});
  if (!page) {
    trouble.trouble = words_of(page.error());
    return trouble;
  }
  auto out = read_tap(name_, std::move(page).value());
  if (out.ended) tap_number_ = 0;
  return out;
}

} // namespace troupe::console
