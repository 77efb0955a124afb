// Pages 4, 6, 7 and help: one actor, taps, log.

#include "tools/console/console_view.hpp"
#include "tools/console/format.hpp"
#include "tools/console/table.hpp"

#include <algorithm>

namespace troupe::console::view {
namespace {

/// A line of a page that scrolls.
struct text_line {
  std::string text;
  style look = style::normal;
};

void put_lines(grid& out, area where, const std::vector<text_line>& lines, std::size_t scroll) {
  const auto room = static_cast<std::size_t>(std::max(where.height, 1));
  const auto first = lines.size() > room ? std::min(scroll, lines.size() - room) : 0;
  int y = where.y;
  for (auto i = first; i < lines.size() && y < where.end(); ++i, ++y)
    out.put(where.x, y, where.width, lines[i].text, lines[i].look);
  if (first + room < lines.size())
    out.put_right(where.x, where.end() - 1, where.width,
                  " " + std::to_string(lines.size() - first - room) + " more below ", style::selected);
}

std::string padded(std::string text, std::size_t width, bool right = false) {
  const auto length = printable(text, true).size();
  if (length >= width) return text;
  const std::string blanks(width - length, ' ');
  return right ? blanks + text : text + blanks;
}

void add_names(std::vector<text_line>& out, std::string_view title, const std::vector<std::string>& names) {
  constexpr std::size_t most = 50;
  out.push_back({std::string{title} + (names.empty() ? ": " + std::string{dash} : ""), style::heading});
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) out.push_back({"  " + names[i]});
  if (names.size() > most)
    out.push_back({"  and " + std::to_string(names.size() - most) + " more", style::dim});
}

void add_incidents(std::vector<text_line>& out, std::string_view title, const std::vector<incident>& all) {
  out.push_back({std::string{title} + (all.empty() ? ": " + std::string{dash} : ""), style::heading});
  for (const auto& one : all)
    out.push_back({"  " + duration_text(one.ago) + " ago  " + one.text, style::warn});
}

std::vector<text_line> lines_about(const actor_detail& detail) {
  std::vector<text_line> out;
  out.push_back({"MESSAGE TYPE                    COUNT     P50     P99", style::heading});
  for (const auto& row : detail.types)
    out.push_back({padded(row.type.substr(0, 28), 28) + padded(count_text(row.count), 9, true)
                   + padded(duration_text(row.p50), 8, true) + padded(duration_text(row.p99), 8, true)});
  if (detail.types.empty()) out.push_back({std::string{dash}, style::dim});
  add_incidents(out, "RESTARTS", detail.restarts);
  add_incidents(out, "LAST ERRORS", detail.errors);
  add_names(out, "CHILDREN", detail.children);
  add_names(out, "WATCHERS", detail.watchers);
  add_names(out, "WATCHES", detail.watching);
  add_names(out, "SETTINGS", detail.settings);
  return out;
}

std::vector<text_line> lines_of_state(const console_model& model) {
  std::vector<text_line> out{{"STATE", style::heading}};
  for (const auto& line : model.state_lines()) out.push_back({line});
  if (model.state_lines().empty()) out.push_back({std::string{dash}, style::dim});
  return out;
}

void draw_actor_head(grid& out, const console_model& model, const actor_detail& detail, area where) {
  const auto& row = detail.row;
  out.put_name(where.x, where.y, where.width, detail.name + " on " + detail.node, style::heading);
  out.put(where.x, where.y + 1, where.width,
          "kind " + text_or_dash(row.kind) + "  parent " + text_or_dash(row.parent) + "  id "
              + (row.id ? std::to_string(*row.id) : std::string{dash}) + "  up " + duration_text(row.age)
              + (row.suspended ? "  SUSPENDED" : "") + (row.tapped ? "  TAPPED" : ""),
          row.suspended || row.tapped ? style::warn : style::normal);
  out.put(where.x, where.y + 2, where.width,
          "mailbox " + count_text(row.mailbox) + "  oldest waits " + duration_text(row.mailbox_age)
              + "  messages " + count_text(row.messages) + "  " + count_text(row.rate) + "/s  handler p50 "
              + duration_text(row.p50) + " p99 " + duration_text(row.p99));
  out.put(where.x, where.y + 3, where.width,
          "restarts " + count_text(row.restarts) + "  errors " + count_text(row.errors) + "  unexpected "
              + count_text(row.unexpected) + "  parked " + count_text(row.parked) + "  running since "
              + duration_text(row.running) + "  seen " + ago(model, detail.at) + " ago",
          row.errors.value_or(0) > 0 ? style::warn : style::normal);
  if (!detail.trouble.empty())
    out.put(where.x, where.y, where.width, detail.name + ": " + detail.trouble, style::bad);
}

} // namespace

void draw_actor(grid& out, const console_model& model, area where) {
  if (model.actor().name.empty()) {
    out.put(where.x, where.y, where.width, "no actor chosen: Enter on page 2 or 3, or g and its name");
    return;
  }
  const auto* detail = model.detail();
  if (detail == nullptr) {
    out.put(where.x, where.y, where.width, "asking " + model.actor().node + " for " + model.actor().name,
            style::dim);
    return;
  }
  draw_actor_head(out, model, *detail, where);
  constexpr int head = 4;
  const area body{where.x, where.y + head, where.width, where.height - head};
  constexpr int two_columns = 130;
  if (where.width >= two_columns) {
    const int half = where.width / 2;
    put_lines(out, {body.x, body.y, half - 2, body.height}, lines_about(*detail), 0);
    put_lines(out, {body.x + half, body.y, where.width - half, body.height}, lines_of_state(model),
              model.scroll());
    return;
  }
  auto lines = lines_about(*detail);
  for (auto& line : lines_of_state(model)) lines.push_back(std::move(line));
  put_lines(out, body, lines, model.scroll());
}

void draw_tap(grid& out, const console_model& model, area where) {
  const auto& tap = model.tap();
  if (tap.number == 0) {
    out.put(where.x, where.y, where.width,
            model.tapped().empty() ? "no tap runs: t here, or t on an actor" : "the tap was stopped",
            style::dim);
  } else {
    auto text = "tap of " + (tap.actor.empty() ? "order " + tap.id + " on every node" : tap.actor);
    for (const auto& [node, state] : model.tap_states()) {
      text +=
          "  " + node + ": " + count_text(state.seen) + " seen, " + count_text(state.dropped) + " not shown";
      if (state.ended) text += ", ended: " + state.why;
      if (!state.trouble.empty()) text += ", " + state.trouble;
    }
    out.put(where.x, where.y, where.width, text, style::heading);
  }
  table lines{out,
              where.x,
              where.width,
              {{"TIME", 12},
               {"ACTOR", where.width >= 120 ? 34 : 18},
               {"FROM", where.width >= 120 ? 30 : 12},
               {"TYPE", where.width >= 120 ? 22 : 14},
               {"CONTENT"}}};
  lines.head(where.y + 1);
  const auto& tapped = model.tapped();
  const auto room = static_cast<std::size_t>(std::max(1, where.height - 2));
  // The newest stand at the bottom; scrolling goes back in time.
  const auto back = std::min(model.scroll(), tapped.size() > room ? tapped.size() - room : 0);
  const auto first = tapped.size() > room ? tapped.size() - room - back : 0;
  int y = where.y + 2;
  for (auto i = first; i < tapped.size() && y < where.end(); ++i, ++y) {
    const auto& line = tapped[i];
    lines.put(y, "TIME", line.when, style::dim);
    lines.put(y, "ACTOR", line.actor);
    lines.put(y, "FROM", text_or_dash(line.sender), style::dim);
    lines.put(y, "TYPE", line.type, style::heading);
    lines.put(y, "CONTENT", "", style::normal);
    const int x = where.width >= 120 ? 12 + 34 + 30 + 22 + 4 : 12 + 18 + 12 + 14 + 4;
    out.put(where.x + x, y, where.width - x, line.content);
  }
}

void draw_log(grid& out, const console_model& model, area where) {
  out.put(where.x, where.y, where.width, "what happened while the console looked, newest first", style::dim);
  const auto& log = model.log();
  const auto room = static_cast<std::size_t>(std::max(1, where.height - 1));
  const auto skipped = log.size() > room ? std::min(model.scroll(), log.size() - room) : 0;
  int y = where.y + 1;
  for (auto i = skipped; i < log.size() && y < where.end(); ++i, ++y) {
    const auto& entry = log[log.size() - 1 - i];
    out.put_right(where.x, y, 7, ago(model, entry.at), style::dim);
    const int used =
        out.put_name(where.x + 8, y, std::min(28, where.width / 3), entry.source, style::heading);
    out.put(where.x + 9 + used, y, where.width - 9 - used, entry.text, entry.look);
  }
  if (log.empty()) out.put(where.x, y, where.width, "nothing", style::dim);
}

void draw_help(grid& out, const console_model& model, area where) {
  std::vector<text_line> lines{
      {"PAGES", style::heading},
      {"  1 nodes, feeds, models, account, alerts   2 supervision tree   3 top of actors"},
      {"  4 one actor   5 links between nodes   6 live messages   7 what happened"},
      {"MOVING", style::heading},
      {"  arrows, PgUp PgDn, Home End, Tab; Enter opens; Esc back, or lifts the filter"},
      {"  g go to an actor by name   / filter by part of the name, node:NAME   p pause"},
      {"  < > column to sort by   i invert   w absolute, change over 10 s, over 60 s"},
      {"  left right or blank: fold and unfold the tree"},
      {"ACTIONS (each asked twice; what trades or ends a node wants its name typed)", style::heading},
      {"  k kill   r restart   s suspend or resume   m move   e set a value"},
      {"  on page 1 for the selected node, else for the actor's: l log level   d drain"},
      {"  every order is written to the node's audit.log, with your login name"},
      {"TAP", style::heading},
      {"  t live messages of the actor, or of one order: id:ORDER   x stop"},
      {"  1000 messages, 50 a second, 5 minutes at most; it ends with the console"},
      {"FIGURES", style::heading},
      {"  " + std::string{dash} + " not told by the node   AGE of data; in tables: of the oldest message"},
      {"  MSG/S handled a second   P50 P99 time in handlers   RST restarts   ERR failed"},
      {"q quits; nothing that runs depends on the console", style::dim}};
  put_lines(out, where, lines, model.scroll());
}

} // namespace troupe::console::view
