#include "tools/inspection/actor_tables.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace troupe::inspection {
namespace {

std::string padded(std::string text, std::size_t width, bool right = false) {
  if (text.size() >= width) return text;
  text.insert(right ? 0 : text.size(), width - text.size(), ' ');
  return text;
}

std::string state_of(const actor_report& r) {
  if (r.suspended) return "suspended";
  if (r.handler_running >= std::chrono::milliseconds{100}) return "busy " + duration_text(r.handler_running);
  return r.tapped ? "tapped" : "";
}

std::string ns_text(const json_view& of, std::string_view key) { return duration_text(nanoseconds{of.integer(key)}); }

std::string ms_text(const json_view& of, std::string_view key) {
  return duration_text(nanoseconds{of.integer(key) * 1'000'000});
}

void add_child(std::string& out, const json_view& child, std::size_t depth) {
  out += std::string(depth * 2, ' ') + child.text("id") + "  " + child.text("state");
  if (const auto up = child.integer("up_ms", -1); up >= 0) out += " " + ms_text(child, "up_ms");
  if (child.integer("restart_in_ms", -1) >= 0) out += ", again in " + ms_text(child, "restart_in_ms");
  if (const auto n = child.integer("restarts"); n > 0) out += ", " + std::to_string(n) + " restarts";
  const auto history = child.items("history");
  if (!history.empty())
    out += ", " + ms_text(history.back(), "ago_ms") + " ago: " + history.back().text("why");
  out += "\n";
}

void add_tree(std::string& out, const json_view& page, std::size_t depth) {
  out += std::string(depth * 2, ' ') + page.text("name") + "  " + page.text("strategy") + ", "
         + std::to_string(page.integer("restarts_in_period")) + " of " + std::to_string(page.integer("intensity"))
         + " restarts within " + ms_text(page, "period_ms") + (page.flag("stopping") ? ", stopping" : "") + "\n";
  for (const auto& child : page.items("children")) {
    const auto below = child.at("tree");
    if (below.there()) add_tree(out, below, depth + 1);
    else add_child(out, child, depth + 1);
  }
  if (const auto left = page.integer("children_left_out"); left > 0)
    out += std::string((depth + 1) * 2, ' ') + "… " + std::to_string(left) + " more\n";
}

void add_figures(std::string& out, const json_view& a) {
  out += "kind      " + a.text("kind") + ", up " + ns_text(a, "uptime") + ", " + std::to_string(a.integer("restarts"))
         + " restarts" + (a.flag("suspended") ? ", suspended with " + std::to_string(a.integer("parked")) + " parked" : "")
         + "\n";
  out += "mailbox   " + std::to_string(a.integer("mailbox")) + " waiting, oldest seen " + ns_text(a, "mailbox_age") + "\n";
  out += "messages  " + std::to_string(a.integer("messages")) + ", " + std::to_string(a.integer("messages_per_second"))
         + "/s, " + std::to_string(a.integer("errors")) + " errors, " + std::to_string(a.integer("unexpected"))
         + " without a handler, " + std::to_string(a.integer("asks")) + " questions open\n";
  out += "handler   p50 " + ns_text(a, "handler_p50") + ", p99 " + ns_text(a, "handler_p99");
  if (a.integer("handler_running") > 0) out += ", one runs for " + ns_text(a, "handler_running");
  out += "\n";
  for (const auto& type : a.items("types"))
    out += "  " + padded(type.text("type"), 24) + padded(std::to_string(type.integer("count")), 12, true) + "  p50 "
           + padded(ns_text(type, "p50"), 8, true) + "  p99 " + padded(ns_text(type, "p99"), 8, true) + "\n";
}

} // namespace

std::string duration_text(nanoseconds x) {
  struct unit {
    std::int64_t ns;
    const char* name;
  };
  constexpr std::array units{unit{86'400'000'000'000, "d"}, unit{3'600'000'000'000, "h"}, unit{60'000'000'000, "min"},
                             unit{1'000'000'000, "s"},      unit{1'000'000, "ms"},        unit{1'000, "us"}};
  const auto n = x.count();
  if (n == 0) return "0";
  for (const auto& u : units) {
    if (n < u.ns) continue;
    const auto value = static_cast<double>(n) / static_cast<double>(u.ns);
    char text[40];
    std::snprintf(text, sizeof text, value < 10 ? "%.1f %s" : "%.0f %s", value, u.name);
    return text;
  }
  return std::to_string(n) + " ns";
}

std::string actor_table_text(const std::vector<placed_row>& rows) {
  std::size_t names = 4;
  std::size_t nodes = 4;
  for (const auto& r : rows) {
    names = std::max(names, r.row.name.size());
    nodes = std::max(nodes, r.node.size());
  }
  auto out = padded("NODE", nodes) + "  " + padded("NAME", names)
             + "  MAILBOX      AGE     MSG/S   MESSAGES       P50      P99  RESTARTS  ERRORS  STATE\n";
  for (const auto& [node, r] : rows) {
    auto line = padded(node, nodes) + "  " + padded(r.name, names) + padded(std::to_string(r.mailbox), 9, true)
                + padded(duration_text(r.mailbox_age), 9, true) + padded(std::to_string(r.messages_per_second), 10, true)
                + padded(std::to_string(r.messages), 11, true) + padded(duration_text(r.handler_p50), 10, true)
                + padded(duration_text(r.handler_p99), 9, true) + padded(std::to_string(r.restarts), 10, true)
                + padded(std::to_string(r.errors), 8, true) + "  " + state_of(r);
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string tree_text(const json_view& page) {
  std::string out;
  add_tree(out, page, 0);
  return out;
}

std::string actor_text(const std::string& node, const json_view& page) {
  std::string out = node + "/" + page.text("actor.name") + "\n";
  if (page.at("actor").at("name").there()) add_figures(out, page.at("actor"));
  else out = node + ": it does not run at present\n";
  const auto slot = page.at("slot");
  if (!slot.text("supervisor").empty()) out += "slot      of " + slot.text("supervisor") + "\n";
  if (slot.at("child").at("id").there()) add_child(out, slot.at("child"), 1);
  for (const auto& note : slot.items("child.history"))
    out += "restart   " + ms_text(note, "ago_ms") + " ago: " + note.text("why")
           + (note.at("back_us").there() ? ", back after " + std::to_string(note.integer("back_us")) + " us" : "") + "\n";
  for (const auto& s : page.items("settings"))
    out += "setting   " + s.text("key") + " = " + s.text("value") + "  (" + s.text("allowed") + "; " + s.text("meaning") + ")\n";
  for (const auto& e : page.items("errors")) out += "error     " + ms_text(e, "ago_ms") + " ago: " + e.text("text") + "\n";
  for (const auto* key : {"watchers", "watching"}) {
    const auto list = page.items(key);
    if (list.empty()) continue;
    out += padded(key, 10);
    for (const auto& name : list) out += (&name == &list.front() ? "" : ", ") + name.text({});
    out += "\n";
  }
  return out;
}

} // namespace troupe::inspection
