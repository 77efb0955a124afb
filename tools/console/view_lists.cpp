// Pages 2, 3 and 5: supervision tree, top, links.

#include "tools/console/console_view.hpp"
#include "tools/console/format.hpp"
#include "tools/console/table.hpp"

namespace troupe::console::view {
namespace {

style look_of_state(const std::string& state) {
  if (state == "running" || state == "up") return style::good;
  return state == "starting" || state == "backing_off" || state == "waiting" || state == "joining" ? style::warn
                                                                                               : style::bad;
}

std::string signed_count(figure value) {
  if (!value) return std::string{dash};
  return (*value > 0 ? "+" : "") + count_text(value);
}

std::string filter_text(const console_model& model) {
  return model.filter().empty() ? "" : "  filter: " + model.filter();
}

} // namespace

void draw_tree(grid& out, const console_model& model, area where) {
  table lines{out,
              where.x,
              where.width,
              {{"SUPERVISION TREE"},
               {"STATE", 9},
               {"RST", 4, true},
               {"MAILBOX", 7, true},
               {"MSG/S", 6, true},
               {"P99", 7, true, 90},
               {"ERR", 4, true, 90},
               {"UP", 6, true, 110},
               {"RESTART", 9, false, 110},
               {"LAST ERROR", 60, false, 150}}};
  lines.head(where.y);
  out.put(where.x + 17, where.y, 30, filter_text(model), style::dim);
  const auto& tree = model.tree();
  const auto first = first_line(model.selected(), tree.size(), where.height - 1);
  int y = where.y + 1;
  for (auto i = first; i < tree.size() && y < where.end(); ++i, ++y) {
    const auto& line = tree[i];
    const auto fold_mark = [&](int x) {
      out.put_glyph(x, y,
                    !line.below   ? out.marks().leaf
                    : line.folded ? out.marks().folded
                                  : out.marks().unfolded,
                    style::dim);
    };
    if (line.row == nullptr) {
      lines.put(y, "SUPERVISION TREE", "  " + line.node->name + (line.below ? "" : "  (no tree known)"),
                style::heading);
      fold_mark(where.x);
      lines.put(y, "STATE", line.node->up() ? "up" : line.node->known() ? "silent" : "down",
                line.node->up() ? style::good : style::bad);
      lines.put(y, "RST", count_text(line.node->starts));
      lines.put(y, "MSG/S", count_text(line.node->rate));
    } else {
      const auto& row = *line.row;
      const int indent = 2 + 2 * row.depth;
      auto label = std::string(static_cast<std::size_t>(indent) + 2, ' ') + row.id;
      if (row.supervisor && row.children)
        label += " (" + row.strategy + ", " + count_text(row.children) + ")";
      lines.put(y, "SUPERVISION TREE", label, row.supervisor ? style::heading : style::normal);
      fold_mark(where.x + indent);
      lines.put(y, "STATE", text_or_dash(row.state), look_of_state(row.state));
      lines.put(y, "RST", count_text(row.restarts),
                row.restarts.value_or(0) > 0 ? style::warn : style::normal);
      lines.put(y, "RESTART", row.restart, style::dim);
      lines.put(y, "LAST ERROR", row.last_error, style::warn);
      if (line.figures != nullptr) {
        lines.put(y, "MAILBOX", count_text(line.figures->mailbox));
        lines.put(y, "MSG/S", count_text(line.figures->rate));
        lines.put(y, "P99", duration_text(line.figures->p99));
        lines.put(y, "ERR", count_text(line.figures->errors));
        lines.put(y, "UP", duration_text(line.figures->age));
      }
    }
    if (i == model.selected()) lines.select(y);
  }
}

namespace {

std::string_view title_of(order by) {
  switch (by) {
  case order::mailbox: return "MAILBOX";
  case order::age: return "AGE";
  case order::rate: return "MSG/S";
  case order::p99: return "P99";
  case order::restarts: return "RST";
  case order::errors: return "ERR";
  case order::messages: return "MSGS";
  case order::name: return "ACTOR";
  }
  return "";
}

void draw_top_line(table& lines, const console_model& model, const top_line& line, int y) {
  const auto& row = *line.row;
  const bool stale = !line.node->trouble.empty();
  const auto look = stale ? style::dim : style::normal;
  lines.put(y, "ACTOR", row.name, row.suspended ? style::warn : look);
  lines.put(y, "NODE", line.node->name, stale ? style::bad : style::dim);
  lines.put(y, "AGE", duration_text(row.mailbox_age),
            row.mailbox_age.value_or(0) > 1'000'000'000 ? style::warn : look);
  lines.put(y, "P50", duration_text(row.p50), look);
  lines.put(y, "P99", duration_text(row.p99), look);
  lines.put(y, "UP", duration_text(row.age), look);
  lines.put(y, "KIND", row.kind, style::dim);
  lines.put(y, "LAST ERROR", row.last_error, style::warn);
  const bool windowed = model.window().count() > 0;
  const auto delta = windowed ? model.changed(line) : change{};
  const auto restarts = windowed ? delta.restarts : row.restarts;
  const auto errors = windowed ? delta.errors : row.errors;
  lines.put(y, "MAILBOX", windowed ? signed_count(delta.mailbox) : count_text(row.mailbox), look);
  lines.put(y, "MSG/S", count_text(windowed ? delta.rate : row.rate), look);
  lines.put(y, "MSGS", count_text(windowed ? delta.messages : row.messages), look);
  lines.put(y, "RST", count_text(restarts), restarts.value_or(0) > 0 ? style::warn : look);
  lines.put(y, "ERR", count_text(errors), errors.value_or(0) > 0 ? style::warn : look);
}

} // namespace

void draw_top(grid& out, const console_model& model, area where) {
  figure actors;
  for (const auto& node : model.nodes())
    if (node.last.actors) actors = actors.value_or(0) + *node.last.actors;
  out.put(where.x, where.y, where.width,
          "top by " + std::string{to_text(model.ordered_by())} + (model.ascending() ? " (least first)" : "")
              + (model.window().count() > 0 ? ", change over " + duration_text(model.window().count())
                                            : ", absolute")
              + ": " + std::to_string(model.top().size()) + " of " + count_text(actors) + " actors"
              + filter_text(model),
          style::dim);
  table lines{out,
              where.x,
              where.width,
              {{"ACTOR"},
               {"NODE", 7},
               {"MAILBOX", 7, true},
               {"AGE", 6, true},
               {"MSG/S", 6, true},
               {"P50", 6, true, 80},
               {"P99", 6, true},
               {"RST", 4, true},
               {"ERR", 4, true},
               {"MSGS", 6, true, 100},
               {"UP", 6, true, 100},
               {"KIND", 14, false, 120},
               {"LAST ERROR", 50, false, 160}}};
  lines.head(where.y + 1, title_of(model.ordered_by()));
  const auto& top = model.top();
  const auto first = first_line(model.selected(), top.size(), where.height - 2);
  int y = where.y + 2;
  for (auto i = first; i < top.size() && y < where.end(); ++i, ++y) {
    draw_top_line(lines, model, top[i], y);
    if (i == model.selected()) lines.select(y);
  }
  if (top.empty())
    out.put(where.x, y, where.width,
            model.filter().empty() ? "no node has told its actors yet" : "no actor matches the filter");
}

void draw_links(grid& out, const console_model& model, area where) {
  table lines{out,
              where.x,
              where.width,
              {{"FROM", 8},
               {"TO", 8},
               {"STATE", 7},
               {"RTT", 6, true},
               {"SUSPICION", 9, true},
               {"SILENT", 6, true},
               {"CREDIT", 6, true},
               {"IN", 5, true},
               {"OUT", 5, true},
               {"JOINS", 5, true, 84},
               {"FAULTS", 6, true, 92},
               {"NAMES", 5, true, 100},
               {"SINCE", 6, true, 106},
               {"LAST TROUBLE", 0}}};
  lines.head(where.y);
  std::size_t count = 0;
  for (const auto& node : model.nodes()) count += node.last.links.size();
  const auto first = first_line(model.selected(), count, where.height - 1);
  std::size_t i = 0;
  int y = where.y + 1;
  for (const auto& node : model.nodes())
    for (const auto& row : node.last.links) {
      const auto index = i++;
      if (index < first || y >= where.end()) continue;
      const bool stale = !node.trouble.empty();
      lines.put(y, "FROM", node.name, stale ? style::bad : style::normal);
      lines.put(y, "TO", row.to);
      lines.put(y, "STATE", stale ? "silent" : text_or_dash(row.state),
                stale ? style::bad : look_of_state(row.state));
      lines.put(y, "RTT", duration_text(row.round_trip));
      lines.put(y, "SUSPICION", thousandths_text(row.suspicion), row.warning ? style::warn : style::normal);
      lines.put(y, "SILENT", duration_text(row.silence));
      lines.put(y, "CREDIT", bytes_text(row.credit));
      lines.put(y, "IN", bytes_text(row.bytes_in));
      lines.put(y, "OUT", bytes_text(row.bytes_out));
      lines.put(y, "JOINS", count_text(row.joins));
      lines.put(y, "FAULTS", count_text(row.faults),
                row.faults.value_or(0) > 0 ? style::warn : style::normal);
      lines.put(y, "NAMES", count_text(row.names));
      lines.put(y, "SINCE", duration_text(row.since));
      lines.put(y, "LAST TROUBLE", row.trouble, style::warn);
      if (index == model.selected()) lines.select(y);
      ++y;
    }
  if (count == 0)
    out.put(where.x, y, where.width, "no links: one node, or none has answered yet", style::dim);
}

} // namespace troupe::console::view
