#include "tools/console/console_model.hpp"

#include "tools/console/format.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::console {
namespace {

constexpr std::size_t longest_state = 5000;
constexpr std::int64_t many_children = 200;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); })
         != text.end();
}

std::vector<std::string_view> terms_of(std::string_view filter) {
  std::vector<std::string_view> out;
  while (!filter.empty()) {
    const auto blank = filter.find(' ');
    if (blank != 0) out.push_back(filter.substr(0, blank));
    filter = blank == std::string_view::npos ? std::string_view{} : filter.substr(blank + 1);
  }
  return out;
}

constexpr std::string_view node_term = "node:";

bool matches(const std::vector<std::string_view>& terms, std::string_view node, std::string_view name) {
  for (const auto& term : terms) {
    if (term.starts_with(node_term)) {
      if (!contains(node, term.substr(node_term.size()))) return false;
    } else if (!contains(name, term)) return false;
  }
  return true;
}

} // namespace

std::string_view to_text(order by) noexcept {
  switch (by) {
  case order::mailbox: return "mailbox";
  case order::age: return "age";
  case order::rate: return "rate";
  case order::p99: return "p99";
  case order::restarts: return "restarts";
  case order::errors: return "errors";
  case order::messages: return "messages";
  case order::name: return "name";
  }
  return "name";
}

actor_ref ref_of(const top_line& line) { return {line.node->name, line.row->name}; }

actor_ref ref_of(const tree_line& line) {
  return {line.node->name, line.row == nullptr ? std::string{} : line.row->id};
}

console_model::console_model(const std::vector<std::pair<std::string, std::string>>& nodes) {
  for (const auto& [name, place] : nodes) {
    node_view view;
    view.name = name;
    view.place = place;
    nodes_.push_back(std::move(view));
  }
}

node_view* console_model::find_node(const std::string& name) {
  for (auto& node : nodes_)
    if (node.name == name) return &node;
  return nullptr;
}

// --- what comes in -------------------------------------------------------------------------------

void console_model::take(node_sample sample) {
  auto* node = find_node(sample.node);
  if (node == nullptr || paused_) return;
  now_ = std::max(now_, sample.at);
  note_changes(*node, sample);
  if (!sample.trouble.empty()) {
    node->trouble = std::move(sample.trouble);
    return refresh();
  }
  const bool same =
      node->known() && node->last.pid == sample.pid && node->last.incarnation == sample.incarnation;
  const auto elapsed = sample.at - node->answered;
  if (same && elapsed.count() > 0 && sample.cpu && node->last.cpu)
    node->cpu_share = (*sample.cpu - *node->last.cpu) * 1'000'000 / elapsed.count();
  else if (!same) node->cpu_share.reset();
  node->rate = sample.rate;
  if (!node->rate && same && elapsed.count() > 0 && sample.messages && node->last.messages)
    node->rate = std::max<std::int64_t>(0, (*sample.messages - *node->last.messages) * 1'000'000'000
                                               / elapsed.count());
  if (!node->rate && sample.whole) {
    node->rate = 0;
    for (const auto& row : sample.rows) *node->rate += row.rate.value_or(0);
  }
  if (node->rate) node->rates.push_back(*node->rate);
  while (node->rates.size() > rates_kept) node->rates.pop_front();
  history_.take(sample.node, sample.at, sample.rows);
  history_.forget(now_);
  node->trouble.clear();
  node->answered = sample.at;
  // A page of which this round had no part is kept from the round before.
  if (!sample.has_tree && same)
    sample.tree = std::move(node->last.tree), sample.has_tree = node->last.has_tree;
  if (!sample.has_rows && same) sample.rows = std::move(node->last.rows), sample.whole = node->last.whole;
  node->last = std::move(sample);
  refresh();
}

void console_model::note_changes(const node_view& before, const node_sample& now) {
  if (!now.trouble.empty()) {
    if (before.trouble.empty()) note(style::bad, now.node, "does not answer: " + now.trouble);
    return;
  }
  if (!before.trouble.empty()) note(style::good, now.node, "answers again");
  if (!before.known()) return;
  if (before.last.pid && now.pid && before.last.pid != now.pid)
    note(style::warn, now.node,
         "is another process now: pid " + std::to_string(*now.pid) + ", it was "
             + std::to_string(*before.last.pid));
  for (const auto& feed : now.feeds)
    for (const auto& old : before.last.feeds)
      if (old.name == feed.name && old.validity != feed.validity)
        note(feed.validity == "valid" ? style::good : style::bad, feed.name,
             "book is " + feed.validity + ", it was " + old.validity);
  for (const auto& account : now.accounts)
    for (const auto& old : before.last.accounts)
      if (old.account == account.account && old.state != account.state)
        note(account.state == "live" ? style::good : style::bad, account.account,
             "executor is " + account.state + ", it was " + old.state);
  if (now.halt && before.last.halt && now.halt->state != before.last.halt->state)
    note(now.halt->state == "active" ? style::good : style::bad, "risk",
         "trading is " + now.halt->state + (now.halt->who.empty() ? "" : ", set by " + now.halt->who) + " "
             + now.halt->reason);
}

void console_model::take(actor_detail detail) {
  if (paused_ || detail.node != actor_.node || detail.name != actor_.name) return;
  if (!detail.trouble.empty() && has_detail_) {
    detail_.trouble = std::move(detail.trouble);
    return;
  }
  has_detail_ = true;
  if (detail.state != detail_.state || state_lines_.empty())
    state_lines_ = pretty_json(detail.state, longest_state);
  detail_ = std::move(detail);
}

void console_model::take(const tap_answer& answer) {
  if (tap_.number == 0) return;
  auto& state = tap_states_[answer.node];
  const bool ended_before = state.ended;
  state = answer;
  state.lines.clear();
  for (const auto& line : answer.lines) tapped_.push_back(line);
  while (tapped_.size() > tap_lines) tapped_.pop_front();
  if (answer.ended && !ended_before) note(style::normal, answer.node, "tap ended: " + answer.why);
}

void console_model::take(const command_outcome& outcome, steady_time now) {
  now_ = std::max(now_, now);
  const auto& what = outcome.what;
  auto text = what.verb + " " + (what.target.empty() ? what.node : what.target) + ": " + outcome.text;
  if (outcome.done) text += " (" + duration_text(outcome.took.count()) + ")";
  note(outcome.done ? style::good : style::bad, what.node, text);
  say(outcome.done ? style::good : style::bad, std::move(text));
}

void console_model::take_process(const std::string& node, std::string state, figure restarts) {
  auto* view = find_node(node);
  if (view == nullptr || paused_) return;
  if (view->starts && restarts && *restarts > *view->starts)
    note(style::warn, node, "its process was started again (restart " + std::to_string(*restarts) + ")");
  view->process = std::move(state);
  view->starts = restarts;
}

void console_model::take_log(log_entry entry) {
  log_.push_back(std::move(entry));
  if (log_.size() > log_entries) log_.pop_front();
}

void console_model::note(style look, std::string source, std::string text) {
  take_log({now_, look, std::move(source), std::move(text)});
}

void console_model::say(style look, std::string text) {
  notice_ = std::move(text);
  notice_style_ = look;
}

// --- what goes out -------------------------------------------------------------------------------

wishes console_model::wanted() const {
  constexpr std::uint32_t few = 50;
  constexpr std::uint32_t page_of_names = 300;
  constexpr std::uint32_t page_of_top = 100;
  constexpr std::uint32_t page_of_changes = 500;
  wishes out;
  out.reports = page_ == page::home;
  out.tree = page_ == page::tree;
  out.timeline = true;
  out.by = page_ == page::tree ? order::name : order_;
  out.ascending = ascending_;
  for (const auto& term : terms_of(filter_))
    if (!term.starts_with(node_term)) {
      out.match = term;
      break;
    }
  // Pages that show no rows make no node sort its actors.
  const bool listed = page_ == page::home || page_ == page::tree || page_ == page::top;
  out.rows = page_ == page::tree ? page_of_names : listed ? few : 0;
  // What changed most needn't be what is largest: more of them are compared.
  if (page_ == page::top)
    out.rows = window_.count() > 0
                   ? page_of_changes
                   : std::max(page_of_top, static_cast<std::uint32_t>(selected()) + page_of_top);
  out.rows = std::min<std::uint32_t>(out.rows, 1000);
  if (page_ == page::actor) out.actor = actor_;
  out.tap = tap_;
  return out;
}

std::vector<command> console_model::orders_given() { return std::exchange(given_, {}); }

// --- lists ---------------------------------------------------------------------------------------

change console_model::changed(const top_line& line) const {
  return history_.over(line.node->name, line.row->name, window_);
}

std::int64_t console_model::sort_value(const node_view& node, const actor_row& row) const {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  if (window_.count() > 0 && order_ != order::age && order_ != order::p99) {
    const auto delta = history_.over(node.name, row.name, window_);
    switch (order_) {
    case order::mailbox: return delta.mailbox.value_or(least);
    case order::rate: return delta.rate.value_or(least);
    case order::restarts: return delta.restarts.value_or(least);
    case order::errors: return delta.errors.value_or(least);
    case order::messages: return delta.messages.value_or(least);
    default: return 0;
    }
  }
  switch (order_) {
  case order::mailbox: return row.mailbox.value_or(least);
  case order::age: return row.mailbox_age.value_or(least);
  case order::rate: return row.rate.value_or(least);
  case order::p99: return row.p99.value_or(least);
  case order::restarts: return row.restarts.value_or(least);
  case order::errors: return row.errors.value_or(least);
  case order::messages: return row.messages.value_or(least);
  case order::name: return 0;
  }
  return 0;
}

void console_model::refresh() {
  refresh_top();
  keep_selected(top_, top_selected_, top_index_);
  if (page_ != page::tree) return;
  refresh_tree();
  keep_selected(tree_, tree_selected_, tree_index_);
}

/// Lines come and go: what was selected stays so, wherever it is now; when it is gone, its neighbour is.
template <class Line>
void console_model::keep_selected(const std::vector<Line>& lines, actor_ref& selected, std::size_t& index) {
  if (selected == actor_ref{} || lines.empty()) return;
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (ref_of(lines[i]) == selected) {
      index = i;
      return;
    }
  index = std::min(index, lines.size() - 1);
  selected = ref_of(lines[index]);
}

void console_model::refresh_top() {
  struct candidate {
    std::int64_t value;
    top_line line;
  };
  const auto terms = terms_of(filter_);
  std::vector<candidate> found;
  for (const auto& node : nodes_)
    for (const auto& row : node.last.rows)
      if (matches(terms, node.name, row.name)) found.push_back({sort_value(node, row), {&node, &row}});
  std::sort(found.begin(), found.end(), [up = ascending_](const candidate& a, const candidate& b) {
    if (a.value != b.value) return up ? a.value < b.value : a.value > b.value;
    if (const auto names = a.line.row->name.compare(b.line.row->name); names != 0) return names < 0;
    return a.line.node < b.line.node;
  });
  top_.clear();
  for (const auto& one : found) top_.push_back(one.line);
}

void console_model::refresh_tree() {
  const auto terms = terms_of(filter_);
  tree_.clear();
  for (const auto& node : nodes_) {
    std::map<std::string_view, const actor_row*> figures;
    for (const auto& row : node.last.rows) figures.emplace(row.name, &row);
    const auto folded = [&](const std::string& id, figure children) {
      const auto i = folds_.find(actor_ref{node.name, id});
      return i != folds_.end() ? i->second : children.value_or(0) > many_children && terms.empty();
    };
    tree_line head{&node, nullptr, nullptr, folded("", {}), !node.last.tree.empty()};
    tree_.push_back(head);
    if (head.folded) continue;
    int hidden_below = std::numeric_limits<int>::max();
    for (const auto& row : node.last.tree) {
      if (row.depth > hidden_below) continue;
      hidden_below = std::numeric_limits<int>::max();
      // With a filter the branches stay, so that what is found can be placed.
      if (!row.supervisor && !matches(terms, node.name, row.id)) continue;
      const auto i = figures.find(row.id);
      tree_line line{&node, &row, i == figures.end() ? nullptr : i->second,
                     row.supervisor && folded(row.id, row.children), row.supervisor};
      if (line.folded) hidden_below = row.depth;
      tree_.push_back(line);
    }
  }
}

std::vector<log_entry> console_model::alerts() const {
  std::vector<log_entry> out;
  const auto add = [&](style look, std::string source, std::string text) {
    out.push_back({now_, look, std::move(source), std::move(text)});
  };
  for (const auto& node : nodes_) {
    if (!node.trouble.empty()) {
      add(style::bad, node.name, node.trouble);
      continue;
    }
    const auto& last = node.last;
    if (last.halt && last.halt->state != "active" && !last.halt->state.empty())
      add(style::bad, "risk", "trading is " + last.halt->state + ": " + last.halt->reason);
    for (const auto& account : last.accounts) {
      if (account.state != "live")
        add(style::bad, account.account, "executor is " + text_or_dash(account.state));
      if (account.unknown_orders.value_or(0) > 0)
        add(style::bad, account.account,
            std::to_string(*account.unknown_orders) + " orders whose fate is not known");
      if (account.alarms.value_or(0) > 0)
        add(style::warn, account.account, std::to_string(*account.alarms) + " alarms so far");
    }
    for (const auto& feed : last.feeds)
      if (feed.validity != "valid") add(style::bad, feed.name, "book is " + text_or_dash(feed.validity));
    for (const auto& model : last.models)
      if (!model.ready)
        add(style::warn, model.name, "does not serve" + (model.note.empty() ? "" : ": " + model.note));
    for (const auto& link : last.links)
      if (link.state != "up" || link.warning)
        add(link.state == "up" ? style::warn : style::bad, node.name + " > " + link.to,
            "link is " + link.state + (link.trouble.empty() ? "" : ": " + link.trouble));
    constexpr std::int64_t stuck_after = 100'000'000;
    for (const auto& row : last.rows) {
      if (row.running.value_or(0) >= stuck_after)
        add(style::bad, row.name, "its handler runs since " + duration_text(row.running));
      if (row.suspended) add(style::warn, row.name, "is suspended");
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.look > b.look; });
  return out;
}

} // namespace troupe::console
