// Key presses of the console's model.

#include "tools/console/console_model.hpp"

#include <algorithm>

namespace troupe::console {
namespace {

constexpr long far = 1'000'000'000;

/// Lines of a page's body: title, tabs, column heads and the two lines at the bottom are taken.
long page_step(screen_size size) { return std::max(1, size.height - 6); }

} // namespace

// --- selection -----------------------------------------------------------------------------------

std::size_t console_model::selected() const {
  switch (page_) {
  case page::home: return home_selected_;
  case page::links: return link_selected_;
  case page::top: return top_selected_ == actor_ref{} ? 0 : top_index_;
  case page::tree: return tree_selected_ == actor_ref{} ? 0 : tree_index_;
  default: return 0;
  }
}

std::size_t console_model::lines_shown() const {
  switch (page_) {
  case page::home: return nodes_.size();
  case page::top: return top_.size();
  case page::tree: return tree_.size();
  case page::links: {
    std::size_t count = 0;
    for (const auto& node : nodes_) count += node.last.links.size();
    return count;
  }
  default: return 0;
  }
}

void console_model::move_selection(long by) {
  const auto count = static_cast<long>(lines_shown());
  if (count == 0) return scroll_by(by);
  const auto wanted = static_cast<std::size_t>(std::clamp(static_cast<long>(selected()) + by, 0L, count - 1));
  if (page_ == page::home) home_selected_ = wanted;
  else if (page_ == page::links) link_selected_ = wanted;
  else if (page_ == page::top) {
    // The first line is a place, not an actor: whoever is largest.
    top_selected_ = wanted == 0 ? actor_ref{} : ref_of(top_[wanted]);
    top_index_ = wanted;
  } else if (page_ == page::tree) {
    tree_selected_ = ref_of(tree_[wanted]);
    tree_index_ = wanted;
  }
}

void console_model::scroll_by(long by) {
  // The newest messages stand at the bottom: up goes back in time.
  if (page_ == page::tap) by = -by;
  std::size_t lines = 400;
  if (page_ == page::actor) lines = state_lines_.size() + 400;
  if (page_ == page::log) lines = log_.size();
  if (page_ == page::tap) lines = tapped_.size();
  scroll_ =
      static_cast<std::size_t>(std::clamp(static_cast<long>(scroll_) + by, 0L, static_cast<long>(lines)));
}

actor_ref console_model::target() const {
  if (page_ == page::actor) return actor_;
  if (page_ == page::top && !top_.empty()) return ref_of(top_[selected()]);
  if (page_ == page::tree && !tree_.empty()) return ref_of(tree_[selected()]);
  return {};
}

std::string console_model::target_node() const {
  if (page_ == page::home && home_selected_ < nodes_.size()) return nodes_[home_selected_].name;
  return target().node;
}

// --- keys ----------------------------------------------------------------------------------------

void console_model::press(key_press pressed) {
  if (dialog_.open() && press_in_dialog(pressed)) return;
  switch (pressed.what) {
  case key::glyph: return press_glyph(pressed.glyph);
  case key::up: return move_selection(-1);
  case key::down: return move_selection(1);
  case key::page_up: return move_selection(-page_step(size_));
  case key::page_down: return move_selection(page_step(size_));
  case key::home: return move_selection(-far);
  case key::end: return move_selection(far);
  case key::left: return page_ == page::tree ? fold(true) : change_order(-1);
  case key::right: return page_ == page::tree ? fold(false) : change_order(1);
  case key::enter: return enter();
  case key::tab: return show(static_cast<page>((static_cast<int>(page_) + 1) % 8));
  case key::backspace:
  case key::escape:
    if (page_ == page::actor || page_ == page::help) return show(before_);
    if (!filter_.empty()) filter_.clear(), refresh();
    say(style::normal, "");
    return;
  }
}

/// True when the dialog used the key.
bool console_model::press_in_dialog(key_press pressed) {
  if (pressed.what == key::escape) {
    dialog_.close();
    say(style::normal, "nothing was done");
    return true;
  }
  if (pressed.what == key::backspace) return dialog_.erase(), true;
  const bool decides = pressed.what == key::enter ? dialog_.takes_text() : !dialog_.takes_text();
  if (pressed.what == key::glyph && !decides) return dialog_.type(pressed.glyph), true;
  if (!decides) return true;
  switch (dialog_.answer(pressed.what == key::glyph ? pressed.glyph : 0)) {
  case dialog::progress::asks_on: return true;
  case dialog::progress::done: finish_dialog(); return true;
  case dialog::progress::refused:
    dialog_.close();
    say(style::normal, "nothing was done");
    return true;
  }
  return true;
}

void console_model::finish_dialog() {
  const auto asked = dialog_;
  dialog_.close();
  switch (asked.at()) {
  case dialog::stage::filter:
    filter_ = asked.typed();
    return refresh();
  case dialog::stage::go_to: {
    for (const auto& node : nodes_)
      for (const auto& row : node.last.rows)
        if (row.name == asked.typed()) return open_actor({node.name, row.name});
    // It may well live beyond the page of rows that is here: the top page then looks for it.
    filter_ = asked.typed();
    show(page::top);
    return;
  }
  case dialog::stage::tap: {
    if (asked.typed().starts_with("id:")) return start_tap({0, "", "", asked.typed().substr(3)});
    std::string node;
    for (const auto& view : nodes_)
      for (const auto& row : view.last.rows)
        if (row.name == asked.typed()) node = view.name;
    if (!asked.typed().empty()) start_tap({0, node, asked.typed(), ""});
    return;
  }
  case dialog::stage::again:
    given_.push_back(asked.order());
    return say(style::prompt,
               asked.order().verb + " " + asked.order().target + " was sent to " + asked.order().node);
  default: return;
  }
}

void console_model::press_glyph(char32_t glyph) {
  if (press_global(glyph)) return;
  press_action(glyph);
}

bool console_model::press_global(char32_t glyph) {
  if (glyph >= U'1' && glyph <= U'7') return show(static_cast<page>(glyph - U'1')), true;
  switch (glyph) {
  case U'q': finished_ = true; return true;
  case U'?': show(page::help); return true;
  case U'/': dialog_.ask_text(dialog::stage::filter, filter_); return true;
  case U'g': dialog_.ask_text(dialog::stage::go_to, ""); return true;
  case U'p':
    paused_ = !paused_;
    say(style::normal, paused_ ? "the picture stands still; p lets it go on" : "");
    return true;
  case U'<': change_order(-1); return true;
  case U'>': change_order(1); return true;
  case U'i': ascending_ = !ascending_; refresh(); return true;
  case U'w': {
    using std::chrono::seconds;
    window_ = window_.count() == 0     ? seconds{10}
              : window_ == seconds{10} ? nanoseconds{seconds{60}}
                                       : nanoseconds{0};
    refresh();
    return true;
  }
  case U' ':
    if (page_ == page::tree && !tree_.empty()) fold(!tree_[selected()].folded);
    return true;
  case U't': {
    const auto whom = target();
    if (page_ == page::tap || whom.name.empty()) dialog_.ask_text(dialog::stage::tap, "");
    else start_tap({0, whom.node, whom.name, ""});
    return true;
  }
  case U'x':
    if (page_ == page::tap) stop_tap();
    return true;
  default: return false;
  }
}

void console_model::press_action(char32_t glyph) {
  const auto* what = find_action(glyph);
  if (what == nullptr) return;
  const auto whom = target();
  const auto node = target_node();
  if (node.empty() || (!what->of_node && whom.name.empty()))
    return say(style::warn,
               what->of_node ? "choose a node on page 1 first" : "choose an actor on page 2 or 3 first");
  command order{node, std::string{what->verb}, what->of_node ? std::string{} : whom.name, {}};
  if (what->verb == "suspend") {
    bool suspended = has_detail_ && page_ == page::actor && detail_.row.suspended;
    // The rows may be of a page that was left a while ago.
    if (page_ != page::actor)
      for (const auto& line : top_)
        if (ref_of(line) == whom) suspended = line.row->suspended;
    if (suspended) order.verb = "resume";
  }
  dialog_.begin(*what, std::move(order));
}

// --- what keys do --------------------------------------------------------------------------------

void console_model::show(page wanted) {
  if (page_ == wanted) return;
  if (page_ != page::actor && page_ != page::help) before_ = page_;
  // The actor page without an actor would say nothing: it takes the one that is selected.
  if (wanted == page::actor && actor_.name.empty()) {
    const auto whom = target();
    if (!whom.name.empty()) return open_actor(whom);
  }
  page_ = wanted;
  scroll_ = 0;
  refresh();
}

void console_model::open_actor(actor_ref whom) {
  if (page_ != page::actor && page_ != page::help) before_ = page_;
  if (whom != actor_) {
    has_detail_ = false;
    detail_ = {};
    state_lines_.clear();
  }
  actor_ = std::move(whom);
  page_ = page::actor;
  scroll_ = 0;
}

void console_model::enter() {
  if (page_ == page::home && home_selected_ < nodes_.size()) {
    filter_ = "node:" + nodes_[home_selected_].name;
    return show(page::top);
  }
  const auto whom = target();
  if (page_ == page::tree && !tree_.empty() && tree_[selected()].row == nullptr)
    return fold(!tree_[selected()].folded);
  if ((page_ == page::top || page_ == page::tree) && !whom.name.empty()) open_actor(whom);
}

void console_model::fold(bool folded) {
  if (tree_.empty()) return;
  const auto& line = tree_[selected()];
  if (!line.below) return;
  tree_index_ = selected();
  tree_selected_ = ref_of(line);
  folds_[tree_selected_] = folded;
  refresh();
}

void console_model::change_order(int by) {
  if (page_ != page::top) return;
  const auto count = static_cast<int>(orders.size());
  order_ = orders[static_cast<std::size_t>((static_cast<int>(order_) + by + count) % count)];
  refresh();
}

void console_model::start_tap(tap_wish wish) {
  wish.number = ++taps_;
  tap_ = std::move(wish);
  tapped_.clear();
  tap_states_.clear();
  show(page::tap);
}

void console_model::stop_tap() {
  if (tap_.number == 0) return;
  note(style::normal, "console",
       "tap of " + (tap_.actor.empty() ? "order " + tap_.id : tap_.actor) + " was stopped");
  tap_ = {};
}

} // namespace troupe::console
