// Page 1: nodes, feeds, models, accounts, what is wrong.

#include "tools/console/console_view.hpp"
#include "tools/console/format.hpp"
#include "tools/console/table.hpp"

#include <algorithm>

namespace troupe::console::view {
namespace {

style look_of_node(const node_view& node) {
  if (!node.trouble.empty()) return style::bad;
  return node.known() ? style::normal : style::dim;
}

std::string state_of(const node_view& node) {
  if (!node.trouble.empty()) return node.known() ? "silent" : "down";
  if (!node.known()) return "asking";
  return "up";
}

/// The last minute's rates as little bars, newest at the right.
void put_spark(grid& out, int x, int y, int room, const std::deque<std::int64_t>& rates) {
  if (rates.empty()) return;
  const auto most = std::max<std::int64_t>(1, *std::max_element(rates.begin(), rates.end()));
  const auto count = std::min(rates.size(), static_cast<std::size_t>(room));
  const auto& heights = out.marks().spark;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = rates[rates.size() - count + i];
    const auto step = static_cast<std::size_t>(value * static_cast<std::int64_t>(heights.size() - 1) / most);
    out.put_glyph(x + room - static_cast<int>(count - i), y, heights[std::min(step, heights.size() - 1)],
                  style::dim);
  }
}

/// Head line of a section; returns the next line.
int section(grid& out, area where, int y, std::string_view title, std::size_t shown, std::size_t all) {
  auto text = std::string{title};
  if (shown < all) text += " (" + std::to_string(shown) + " of " + std::to_string(all) + ")";
  out.rule(where.x, y, where.width);
  out.put(where.x + 1, y, where.width - 2, " " + text + " ", style::heading);
  return y + 1;
}

int draw_nodes(grid& out, const console_model& model, area where) {
  constexpr int spark = 20;
  const bool wide = where.width >= 110;
  table lines{out,
              where.x,
              where.width - (wide ? spark + 1 : 0),
              {{"NODE"},
               {"STATE", 7},
               {"PID", 7, true},
               {"UP", 6, true},
               {"CPU", 5, true},
               {"MEM", 6, true},
               {"ACTORS", 6, true},
               {"MSG/S", 6, true},
               {"RST", 4, true},
               {"AGE", 5, true, 70},
               {"ROLES", 16, false, 100}}};
  lines.head(where.y);
  const auto& nodes = model.nodes();
  const auto first = first_line(model.selected(), nodes.size(), where.height - 1);
  int y = where.y + 1;
  for (auto i = first; i < nodes.size() && y < where.end(); ++i, ++y) {
    const auto& node = nodes[i];
    const auto& last = node.last;
    const auto look = look_of_node(node);
    const bool stale = !node.trouble.empty();
    const auto figures = stale ? style::dim : style::normal;
    lines.put(y, "NODE", node.name, look);
    lines.put(y, "STATE", state_of(node), stale ? style::bad : node.up() ? style::good : style::dim);
    lines.put(y, "PID", last.pid ? std::to_string(*last.pid) : std::string{dash}, figures);
    lines.put(y, "UP", duration_text(last.uptime), figures);
    lines.put(y, "CPU", share_text(stale ? figure{} : node.cpu_share), figures);
    lines.put(y, "MEM", bytes_text(last.memory), figures);
    lines.put(y, "ACTORS", count_text(last.actors), figures);
    lines.put(y, "MSG/S", count_text(stale ? figure{} : node.rate), figures);
    lines.put(y, "RST", count_text(node.starts), node.starts.value_or(0) > 0 ? style::warn : figures);
    lines.put(y, "AGE", node.known() ? ago(model, node.answered) : std::string{dash},
              stale ? style::bad : style::dim);
    lines.put(y, "ROLES", last.roles, style::dim);
    if (wide) put_spark(out, where.x + where.width - spark, y, spark, node.rates);
    if (i == model.selected()) lines.select(y);
  }
  return y;
}

struct shown_feed {
  const node_view* node;
  const feed_row* row;
};

int draw_feeds(grid& out, const std::vector<shown_feed>& feeds, area where) {
  int y =
      section(out, where, where.y, "feeds",
              std::min<std::size_t>(feeds.size(), static_cast<std::size_t>(where.height - 1)), feeds.size());
  table lines{out,
              where.x,
              where.width,
              {{"FEED"},
               {"BOOK", 9},
               {"AGE", 6, true},
               {"LAG50", 6, true, 70},
               {"LAG99", 6, true, 60},
               {"GAPS", 5, true},
               {"BID", 11, true, 76},
               {"ASK", 11, true, 76},
               {"FRAMES", 7, true, 100}}};
  if (feeds.empty() && y < where.end()) out.put(where.x, y, where.width, dash, style::dim);
  for (std::size_t i = 0; i < feeds.size() && y < where.end(); ++i, ++y) {
    const auto& row = *feeds[i].row;
    const bool stale = !feeds[i].node->trouble.empty();
    lines.put(y, "FEED", row.instrument.empty() ? row.name : row.instrument,
              stale ? style::dim : style::normal);
    lines.put(y, "BOOK", stale ? "silent" : text_or_dash(row.validity),
              !stale && row.validity == "valid" ? style::good : style::bad);
    lines.put(y, "AGE", stale ? std::string{dash} : duration_text(row.age));
    lines.put(y, "LAG50", duration_text(row.lag_p50), style::dim);
    lines.put(y, "LAG99", duration_text(row.lag_p99), style::dim);
    lines.put(y, "GAPS", count_text(row.gaps), row.gaps.value_or(0) > 0 ? style::warn : style::normal);
    lines.put(y, "BID", text_or_dash(row.bid), stale ? style::dim : style::normal);
    lines.put(y, "ASK", text_or_dash(row.ask), stale ? style::dim : style::normal);
    lines.put(y, "FRAMES", count_text(row.frames), style::dim);
  }
  return y;
}

struct shown_model {
  const node_view* node;
  const model_row* row;
};

int draw_models(grid& out, const std::vector<shown_model>& models, area where) {
  int y = section(out, where, where.y, "models",
                  std::min<std::size_t>(models.size(), static_cast<std::size_t>(where.height - 1)),
                  models.size());
  table lines{out,
              where.x,
              where.width,
              {{"MODEL", 20},
               {"STATE", 8},
               {"STEP", 7, true},
               {"COUNT", 7, true},
               {"P99", 7, true},
               {"WEIGHTS", 10, false, 70},
               {"NOTE"}}};
  if (models.empty() && y < where.end()) out.put(where.x, y, where.width, dash, style::dim);
  for (std::size_t i = 0; i < models.size() && y < where.end(); ++i, ++y) {
    const auto& row = *models[i].row;
    const bool stale = !models[i].node->trouble.empty();
    lines.put(y, "MODEL", row.name);
    lines.put(y, "STATE", stale ? "silent" : row.trainer ? "learns" : row.ready ? "serves" : "waits",
              !stale && row.ready ? style::good : style::bad);
    lines.put(y, "STEP", count_text(row.step));
    lines.put(y, "COUNT", count_text(row.count));
    lines.put(y, "P99", duration_text(row.p99));
    lines.put(y, "WEIGHTS", text_or_dash(row.serving.substr(0, 10)), style::dim);
    lines.put(y, "NOTE", row.note, style::dim);
  }
  return y;
}

int draw_accounts(grid& out, const console_model& model, area where) {
  int y = section(out, where, where.y, "account", 0, 0);
  table lines{out,
              where.x,
              where.width,
              {{"ACCOUNT"},
               {"STATE", 11},
               {"TRADING", 8},
               {"EQUITY", 16, true},
               {"PNL", 13, true},
               {"POSITION", 12, true, 76},
               {"OPEN", 4, true, 100},
               {"UNKNOWN", 7, true, 100},
               {"SESSION", 7, false, 100}}};
  bool any = false;
  for (const auto& node : model.nodes())
    for (const auto& row : node.last.accounts) {
      if (y >= where.end()) return y;
      any = true;
      const bool stale = !node.trouble.empty();
      const auto look = stale ? style::dim : style::normal;
      lines.put(y, "ACCOUNT", row.account, look);
      lines.put(y, "STATE", stale ? "silent" : text_or_dash(row.state),
                !stale && row.state == "live" ? style::good : style::bad);
      lines.put(y, "TRADING", text_or_dash(row.halt), row.halt == "active" ? style::good : style::bad);
      lines.put(y, "EQUITY", text_or_dash(row.equity), look);
      lines.put(y, "PNL", text_or_dash(row.realised), look);
      lines.put(y, "POSITION", text_or_dash(row.position), look);
      lines.put(y, "OPEN", count_text(row.live_orders), look);
      lines.put(y, "UNKNOWN", count_text(row.unknown_orders),
                row.unknown_orders.value_or(0) > 0 ? style::bad : look);
      lines.put(y, "SESSION", row.session_up ? "up" : "down", row.session_up ? look : style::bad);
      ++y;
    }
  if (!any && y < where.end()) out.put(where.x, y++, where.width, dash, style::dim);
  return y;
}

int draw_alerts(grid& out, const std::vector<log_entry>& alerts, area where) {
  int y =
      section(out, where, where.y, "alerts",
              std::min<std::size_t>(alerts.size(), static_cast<std::size_t>(std::max(0, where.height - 1))),
              alerts.size());
  if (alerts.empty() && y < where.end()) out.put(where.x, y++, where.width, "none", style::good);
  for (std::size_t i = 0; i < alerts.size() && y < where.end(); ++i, ++y) {
    const int used = out.put_name(where.x, y, std::min(30, where.width), alerts[i].source, alerts[i].look);
    out.put(where.x + used + 1, y, where.width - used - 1, alerts[i].text, alerts[i].look);
  }
  return y;
}

} // namespace

void draw_home(grid& out, const console_model& model, area where) {
  std::vector<shown_feed> feeds;
  std::vector<shown_model> models;
  std::size_t accounts = 0;
  for (const auto& node : model.nodes()) {
    for (const auto& row : node.last.feeds) feeds.push_back({&node, &row});
    for (const auto& row : node.last.models) models.push_back({&node, &row});
    accounts += node.last.accounts.size();
  }
  // What is wrong and whose money it is come first, however small the screen.
  const auto alerts = model.alerts();
  const int for_accounts = 1 + std::max(1, static_cast<int>(accounts));
  const int for_alerts = std::clamp(1 + static_cast<int>(alerts.size()), 2, std::max(3, where.height / 4));
  const int for_models = 1 + std::clamp(static_cast<int>(models.size()), 1, std::max(2, where.height / 6));
  const int rest = where.height - for_accounts - for_alerts - for_models;
  const int for_nodes = std::clamp(1 + static_cast<int>(model.nodes().size()), 2, std::max(2, rest / 2 + 1));
  const int for_feeds =
      std::clamp(1 + std::max(1, static_cast<int>(feeds.size())), 2, std::max(2, rest - for_nodes));
  int y = draw_nodes(out, model, {where.x, where.y, where.width, for_nodes});
  y = std::min(y, where.y + for_nodes);
  draw_feeds(out, feeds, {where.x, y, where.width, for_feeds});
  y += for_feeds;
  draw_models(out, models, {where.x, y, where.width, for_models});
  y += for_models;
  draw_accounts(out, model, {where.x, y, where.width, for_accounts});
  y += for_accounts;
  draw_alerts(out, alerts, {where.x, y, where.width, where.end() - y});
}

} // namespace troupe::console::view
