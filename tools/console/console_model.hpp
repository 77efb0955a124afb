#pragma once

/// What the console shows and does, without a terminal, a network or a clock: answers of the nodes and key
/// presses go in; out come the state that `console_view.hpp` draws, what is to be asked next, and the
/// commands a person gave and confirmed. Time is handed in. Not thread-safe.

#include "tools/console/dialog.hpp"
#include "tools/console/grid.hpp"
#include "tools/console/history.hpp"
#include "tools/console/sample.hpp"

#include <deque>
#include <set>

namespace troupe::console {

enum class page : std::uint8_t { home, tree, top, actor, links, tap, log, help };

/// Columns by which actors can be ordered.
enum class order : std::uint8_t { mailbox, age, rate, p99, restarts, errors, messages, name };
inline constexpr std::array orders{order::mailbox, order::age,    order::rate,     order::p99,
                                   order::restarts, order::errors, order::messages, order::name};
std::string_view to_text(order by) noexcept;

enum class key : std::uint8_t {
  glyph,
  up,
  down,
  left,
  right,
  page_up,
  page_down,
  home,
  end,
  enter,
  escape,
  tab,
  backspace
};
struct key_press {
  key what = key::glyph;
  char32_t glyph = 0;
};

/// An actor, told apart over all nodes.
struct actor_ref {
  std::string node;
  std::string name;
  friend auto operator<=>(const actor_ref&, const actor_ref&) = default;
};

/// A node as the console knows it.
struct node_view {
  std::string name;
  std::string place;
  node_sample last;         ///< the newest answer; kept while the node is silent
  std::string trouble;      ///< why it does not answer; empty when it does
  steady_time answered{};   ///< of `last`; 0 = never
  figure cpu_share;         ///< millionths of one core, between the last two answers
  figure rate;              ///< messages a second
  figure starts;            ///< restarts of its process, as its parent process tells
  std::string process;      ///< state of its process, as its parent process tells
  std::deque<std::int64_t> rates; ///< of the last minute
  [[nodiscard]] bool known() const noexcept { return answered.ns != 0; }
  [[nodiscard]] bool up() const noexcept { return known() && trouble.empty(); }
};

struct log_entry {
  steady_time at{};
  style look = style::normal;
  std::string source;
  std::string text;
};

/// A line of the top page. Points into the model until its next change.
struct top_line {
  const node_view* node = nullptr;
  const actor_row* row = nullptr;
};

/// A line of the tree page: a node (`row` is null), or one of its supervisors and workers.
struct tree_line {
  const node_view* node = nullptr;
  const tree_row* row = nullptr;
  const actor_row* figures = nullptr; ///< where they are known
  bool folded = false;
  bool below = false; ///< something hangs below it
};

actor_ref ref_of(const top_line& line);
actor_ref ref_of(const tree_line& line);

/// A tap that is to run. Another `number` is another tap.
struct tap_wish {
  std::uint64_t number = 0;
  std::string node;  ///< empty: all nodes
  std::string actor; ///< or
  std::string id;    ///< of an order
  friend bool operator==(const tap_wish&, const tap_wish&) = default;
};

/// What is asked of the nodes for the page that is shown.
struct wishes {
  bool reports = false; ///< pages of feeds, models, accounts
  bool tree = false;
  bool timeline = false;
  order by = order::mailbox;
  bool ascending = false;
  std::string match;
  std::uint32_t rows = 0;
  actor_ref actor; ///< whose page; no name = none
  tap_wish tap;    ///< number 0 = none
  friend bool operator==(const wishes&, const wishes&) = default;
};

class console_model {
public:
  static constexpr std::size_t log_entries = 1000;
  static constexpr std::size_t tap_lines = 2000;
  static constexpr std::size_t rates_kept = 60;

  /// `nodes`: names and places, in the order of nodes.conf.
  explicit console_model(const std::vector<std::pair<std::string, std::string>>& nodes);
  console_model(const console_model&) = delete;
  console_model& operator=(const console_model&) = delete;

  // --- what comes in
  void take(node_sample sample);
  void take(actor_detail detail);
  void take(const tap_answer& answer);
  void take(const command_outcome& outcome, steady_time now);
  void take_process(const std::string& node, std::string state, figure restarts);
  void take_log(log_entry entry);
  void press(key_press pressed);
  void resize(screen_size size) { size_ = size; }
  void at(steady_time now) { now_ = now; }

  // --- what goes out
  [[nodiscard]] wishes wanted() const;
  /// Commands that were confirmed since the last call.
  std::vector<command> orders_given();
  [[nodiscard]] bool finished() const noexcept { return finished_; }

  // --- what is shown
  [[nodiscard]] page shown() const noexcept { return page_; }
  [[nodiscard]] screen_size size() const noexcept { return size_; }
  [[nodiscard]] steady_time now() const noexcept { return now_; }
  [[nodiscard]] bool paused() const noexcept { return paused_; }
  [[nodiscard]] const std::vector<node_view>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] const dialog& asking() const noexcept { return dialog_; }
  [[nodiscard]] const std::string& notice() const noexcept { return notice_; }
  [[nodiscard]] style notice_style() const noexcept { return notice_style_; }
  [[nodiscard]] const std::string& filter() const noexcept { return filter_; }
  [[nodiscard]] order ordered_by() const noexcept { return order_; }
  [[nodiscard]] bool ascending() const noexcept { return ascending_; }
  /// 0: absolute figures.
  [[nodiscard]] nanoseconds window() const noexcept { return window_; }
  [[nodiscard]] change changed(const top_line& line) const;
  [[nodiscard]] const std::vector<top_line>& top() const noexcept { return top_; }
  [[nodiscard]] const std::vector<tree_line>& tree() const noexcept { return tree_; }
  [[nodiscard]] const std::deque<log_entry>& log() const noexcept { return log_; }
  [[nodiscard]] const std::deque<tap_line>& tapped() const noexcept { return tapped_; }
  [[nodiscard]] const tap_wish& tap() const noexcept { return tap_; }
  [[nodiscard]] const std::map<std::string, tap_answer>& tap_states() const noexcept { return tap_states_; }
  [[nodiscard]] const actor_ref& actor() const noexcept { return actor_; }
  [[nodiscard]] const actor_detail* detail() const noexcept { return has_detail_ ? &detail_ : nullptr; }
  [[nodiscard]] const std::vector<std::string>& state_lines() const noexcept { return state_lines_; }
  /// Index of the selected line of the page shown.
  [[nodiscard]] std::size_t selected() const;
  /// First line of a page that scrolls.
  [[nodiscard]] std::size_t scroll() const noexcept { return scroll_; }
  /// What is wrong now, worst first.
  [[nodiscard]] std::vector<log_entry> alerts() const;
  /// The actor that an action is about: selected, or shown.
  [[nodiscard]] actor_ref target() const;
  /// The node that an action is about.
  [[nodiscard]] std::string target_node() const;

private:
  node_view* find_node(const std::string& name);
  void note(style look, std::string source, std::string text);
  void say(style look, std::string text);
  void note_changes(const node_view& before, const node_sample& now);
  void refresh();
  void refresh_top();
  void refresh_tree();
  template <class Line>
  static void keep_selected(const std::vector<Line>& lines, actor_ref& selected, std::size_t& index);
  [[nodiscard]] std::int64_t sort_value(const node_view& node, const actor_row& row) const;

  bool press_in_dialog(key_press pressed);
  void finish_dialog();
  void press_glyph(char32_t glyph);
  bool press_global(char32_t glyph);
  void press_action(char32_t glyph);
  void move_selection(long by);
  void scroll_by(long by);
  void show(page wanted);
  void open_actor(actor_ref whom);
  void enter();
  void fold(bool folded);
  void start_tap(tap_wish wish);
  void stop_tap();
  void change_order(int by);
  [[nodiscard]] std::size_t lines_shown() const;

  std::vector<node_view> nodes_;
  actor_history history_;
  screen_size size_{};
  steady_time now_{};
  page page_ = page::home;
  page before_ = page::top; ///< where Escape leads back from the actor page
  bool finished_ = false;
  bool paused_ = false;

  order order_ = order::mailbox;
  bool ascending_ = false;
  nanoseconds window_{};
  std::string filter_;
  std::vector<top_line> top_;
  actor_ref top_selected_; ///< nobody: the first line, whoever it is
  std::size_t top_index_ = 0;
  std::vector<tree_line> tree_;
  actor_ref tree_selected_;
  std::size_t tree_index_ = 0;
  std::map<actor_ref, bool> folds_; ///< what a person folded or unfolded
  std::size_t home_selected_ = 0;
  std::size_t link_selected_ = 0;
  std::size_t scroll_ = 0;

  actor_ref actor_;
  bool has_detail_ = false;
  actor_detail detail_;
  std::vector<std::string> state_lines_;

  tap_wish tap_;
  std::uint64_t taps_ = 0;
  std::deque<tap_line> tapped_;
  std::map<std::string, tap_answer> tap_states_; ///< by node, without lines

  dialog dialog_;
  std::vector<command> given_;
  std::deque<log_entry> log_;
  std::string notice_;
  style notice_style_ = style::normal;
};

} // namespace troupe::console
