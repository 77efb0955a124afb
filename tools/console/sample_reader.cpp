#include "tools/console/sample_reader.hpp"

#include "tools/json_view.hpp"

#include <limits>

namespace troupe::console {
namespace {

constexpr std::int64_t nothing_there = std::numeric_limits<std::int64_t>::min();

figure figure_at(const json_view& page, std::string_view path, std::int64_t unit = 1) {
  const auto value = page.integer(path, nothing_there);
  if (value == nothing_there) return std::nullopt;
  return value * unit;
}

figure scaled_at(const json_view& page, std::string_view path, double unit) {
  constexpr double none = -1e300;
  const auto value = page.real(path, none);
  if (value != none) return static_cast<std::int64_t>(value * unit);
  return figure_at(page, path, static_cast<std::int64_t>(unit));
}

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t us = 1'000;

void read_links(node_sample& out, const json_view& membership) {
  for (const auto& peer : membership.items("peers")) {
    link_row row;
    row.to = peer.text("node");
    row.state = peer.text("state");
    row.trouble = peer.text("last_trouble");
    row.round_trip = figure_at(peer, "round_trip_us", us);
    row.suspicion = scaled_at(peer, "suspicion", 1000);
    row.silence = figure_at(peer, "silence_ms", ms);
    row.since = figure_at(peer, "in_state_ms", ms);
    row.joins = figure_at(peer, "joins");
    row.names = figure_at(peer, "names");
    row.warning = peer.flag("warning");
    out.links.push_back(std::move(row));
  }
}

/// What the TLS front says of the same peers.
void read_front(node_sample& out, const json_view& front) {
  for (auto& row : out.links) {
    for (const auto& peer : front.items("peers")) {
      if (peer.text("peer") != row.to) continue;
      row.bytes_in = figure_at(peer, "bytes_in");
      row.bytes_out = figure_at(peer, "bytes_out");
      row.faults = figure_at(peer, "faults");
    }
    for (const auto& link : front.items("links"))
      if (link.text("peer") == row.to)
        row.credit = row.credit.value_or(0) + figure_at(link, "credit_bytes").value_or(0);
  }
}

void read_supervisor(std::vector<tree_row>& out, const json_view& page, int depth) {
  constexpr int deepest = 64;
  if (depth > deepest) return;
  for (const auto& child : page.items("children")) {
    tree_row row;
    row.id = child.text("id");
    row.state = child.text("state");
    row.restart = child.text("restart");
    row.last_error = child.text("last_error");
    row.depth = depth;
    row.supervisor = child.text("kind") == "supervisor";
    row.restarts = figure_at(child, "restarts");
    const auto below = child.at("tree");
    if (below.there()) {
      row.strategy = below.text("strategy");
      row.children = figure_at(below, "counts.specs");
    }
    out.push_back(std::move(row));
    if (below.there()) read_supervisor(out, below, depth + 1);
  }
}

std::vector<tree_row> tree_of(const json_view& page) {
  std::vector<tree_row> out;
  if (!page.there() || page.text("name").empty()) return out;
  tree_row root;
  root.id = page.text("name");
  root.state = page.flag("stopping") ? "stopping" : "running";
  root.strategy = page.text("strategy");
  root.supervisor = true;
  root.children = figure_at(page, "counts.specs");
  out.push_back(std::move(root));
  read_supervisor(out, page, 1);
  return out;
}

std::string joined(const std::vector<json_view>& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ",") + item.text("");
  return out;
}

feed_row feed_of(const std::string& actor, const json_view& page) {
  feed_row row;
  row.name = actor;
  row.instrument = page.text("instrument");
  row.validity = page.text("validity");
  row.bid = page.text("bid");
  row.ask = page.text("ask");
  row.age = figure_at(page, "age");
  row.lag_p50 = figure_at(page, "lag_p50");
  row.lag_p99 = figure_at(page, "lag_p99");
  row.gaps = figure_at(page, "gaps");
  row.resyncs = figure_at(page, "resyncs");
  row.frames = figure_at(page, "frames");
  return row;
}

model_row model_of(const std::string& actor, const json_view& page) {
  model_row row;
  row.name = actor;
  row.trainer = actor.starts_with("trainer/");
  row.serving = page.text(row.trainer ? "weights" : "serving");
  row.ready = row.trainer ? true : page.flag("ready");
  row.step = figure_at(page, row.trainer ? "steps" : "step");
  row.count = figure_at(page, row.trainer ? "trained" : "inferences");
  if (!row.trainer) row.p99 = scaled_at(page, "p99_us", 1000);
  row.note = page.text(row.trainer ? "last_refusal" : "last_refusal");
  if (row.trainer && row.note.empty())
    if (const auto loss = scaled_at(page, "loss", 1e4))
      row.note =
          "loss " + std::to_string(*loss / 10'000) + "." + std::to_string(10'000 + *loss % 10'000).substr(1);
  return row;
}

account_row account_of(const json_view& page) {
  account_row row;
  row.account = page.text("account");
  row.state = page.text("state_name");
  row.halt = page.text("halt");
  row.equity = page.text("equity");
  row.position = page.text("position");
  for (const auto& item : page.items("instruments")) {
    const auto realised = item.text("realised");
    if (!realised.empty()) row.realised += (row.realised.empty() ? "" : " ") + realised;
  }
  row.live_orders = figure_at(page, "live_orders");
  row.unknown_orders = figure_at(page, "unknown_orders");
  row.alarms = figure_at(page, "alarms");
  row.session_up = page.flag("session_up");
  return row;
}

} // namespace

void read_node(node_sample& out, std::string_view json) {
  const auto page = json_view::parse(json);
  if (!page.there()) return;
  out.build = page.text("build");
  out.roles = joined(page.items("roles"));
  out.incarnation = figure_at(page, "incarnation");
  out.pid = figure_at(page, "pid");
  out.uptime = figure_at(page, "uptime_ms", ms);
  out.threads = figure_at(page, "threads");
  out.links.clear();
  read_links(out, page.at("membership"));
  read_front(out, page.at("links"));
  if (auto tree = tree_of(page.at("tree")); !tree.empty()) {
    out.has_tree = true;
    out.tree = std::move(tree);
  }
}

std::vector<tree_row> read_tree(std::string_view json) { return tree_of(json_view::parse(json)); }

bool is_reported(std::string_view actor) {
  return actor.starts_with("feed/") || actor.starts_with("model/") || actor.starts_with("trainer/")
         || actor.starts_with("executor/") || actor == "risk";
}

void read_report(node_sample& out, const std::string& actor, std::string_view json) {
  if (!is_reported(actor)) return;
  const auto page = json_view::parse(json);
  if (!page.there()) return;
  if (actor.starts_with("feed/")) out.feeds.push_back(feed_of(actor, page));
  else if (actor.starts_with("executor/")) out.accounts.push_back(account_of(page));
  else if (actor == "risk") out.halt = halt_row{page.text("state"), page.text("who"), page.text("reason")};
  else out.models.push_back(model_of(actor, page));
}

void read_process(node_sample& out, std::string_view json) {
  const auto page = json_view::parse(json).at("process");
  if (!page.there()) return;
  out.memory = figure_at(page, "rss_bytes");
  const auto user = figure_at(page, "cpu_user_ms", ms);
  const auto system = figure_at(page, "cpu_system_ms", ms);
  if (user && system) out.cpu = *user + *system;
  out.actors = figure_at(page, "actors");
  out.messages = figure_at(page, "messages");
}

void read_actor(actor_detail& out, std::string_view json) {
  const auto page = json_view::parse(json);
  if (!page.there()) return;
  const auto figures = page.at("actor");
  auto& row = out.row;
  row.name = out.name;
  row.kind = figures.text("kind");
  row.parent = figures.text("parent");
  row.last_error = figures.text("last_error");
  row.id = figure_at(figures, "id");
  row.mailbox = figure_at(figures, "mailbox");
  row.mailbox_age = figure_at(figures, "mailbox_age");
  row.messages = figure_at(figures, "messages");
  row.rate = figure_at(figures, "messages_per_second");
  row.errors = figure_at(figures, "errors");
  row.restarts = figure_at(figures, "restarts");
  row.p50 = figure_at(figures, "handler_p50");
  row.p99 = figure_at(figures, "handler_p99");
  row.age = figure_at(figures, "uptime");
  row.running = figure_at(figures, "handler_running");
  row.parked = figure_at(figures, "parked");
  row.unexpected = figure_at(figures, "unexpected");
  row.suspended = figures.flag("suspended");
  row.tapped = figures.flag("tapped");
  for (const auto& item : figures.items("types"))
    out.types.push_back(
        {item.text("type"), figure_at(item, "count"), figure_at(item, "p50"), figure_at(item, "p99")});
  for (const auto& item : page.items("state.children"))
    out.children.push_back(item.text("id") + " (" + item.text("state") + ")");
  for (const auto& item : page.items("watchers")) out.watchers.push_back(item.text(""));
  for (const auto& item : page.items("watching")) out.watching.push_back(item.text(""));
  for (const auto& item : page.items("settings"))
    out.settings.push_back(item.text("key") + " = " + item.text("value") + "  (" + item.text("allowed") + ") "
                           + item.text("meaning"));
  for (const auto& item : page.items("errors"))
    out.errors.push_back({figure_at(item, "ago_ms", ms), item.text("text")});
  for (const auto& item : page.items("slot.child.history")) {
    auto text = item.text("why");
    if (const auto back = figure_at(item, "back_us"))
      text += ", back after " + std::to_string(*back / 1000) + "." + std::to_string(*back / 100 % 10) + " ms";
    out.restarts.push_back({figure_at(item, "ago_ms", ms), std::move(text)});
  }
  out.state = page.raw("state");
}

void read_rows(node_sample& out, troupe::actor_page&& told, bool all_wanted) {
  out.actors = static_cast<std::int64_t>(told.actors);
  out.has_rows = true;
  out.whole = all_wanted && told.rows.size() == told.actors;
  out.rows.reserve(told.rows.size());
  for (auto& from : told.rows) {
    actor_row row;
    row.name = std::move(from.name);
    row.parent = std::move(from.parent);
    row.kind = std::move(from.kind);
    row.last_error = std::move(from.last_error);
    row.id = static_cast<std::int64_t>(from.id);
    row.mailbox = static_cast<std::int64_t>(from.mailbox);
    row.mailbox_age = from.mailbox_age.count();
    row.messages = static_cast<std::int64_t>(from.messages);
    row.rate = static_cast<std::int64_t>(from.messages_per_second);
    row.errors = static_cast<std::int64_t>(from.errors);
    row.restarts = static_cast<std::int64_t>(from.restarts);
    row.p50 = from.handler_p50.count();
    row.p99 = from.handler_p99.count();
    row.age = from.uptime.count();
    row.running = from.handler_running.count();
    row.parked = static_cast<std::int64_t>(from.parked);
    row.unexpected = static_cast<std::int64_t>(from.unexpected);
    row.suspended = from.suspended;
    row.tapped = from.tapped;
    out.rows.push_back(std::move(row));
  }
}

tap_answer read_tap(const std::string& node, troupe::tap_page&& told) {
  tap_answer out;
  out.node = node;
  for (auto& row : told.rows)
    out.lines.push_back({node, std::move(row.actor), clock_text(row.at),
                         std::move(row.type) + (row.answer ? "<" : ""), std::move(row.sender),
                         std::move(row.text), row.sequence});
  out.seen = static_cast<std::int64_t>(told.matched);
  out.dropped = static_cast<std::int64_t>(told.limited + told.lost);
  out.ended = told.ended && told.rows.empty();
  out.why = std::move(told.why);
  return out;
}

std::vector<timeline_note> read_timeline(const troupe::timeline_page& told) {
  std::vector<timeline_note> out;
  for (const auto& row : told.rows) {
    if (row.what == "spawn" || row.what == "exit" || row.what == "handler") continue;
    auto text = row.what + (row.detail.empty() ? "" : ": " + row.detail);
    if (row.took.count() > 0) text += " (" + std::to_string(row.took.count() / ms) + " ms)";
    out.push_back({told.at - row.at, row.actor, std::move(text), row.what != "link_up"});
  }
  return out;
}

std::string clock_text(market_time at) {
  constexpr std::int64_t second = 1'000'000'000;
  const auto seconds = at.ns / second % 86'400;
  std::string out = "00:00:00.000";
  const auto put = [&out](std::size_t where, std::int64_t value, int digits) {
    for (int i = digits; i-- > 0; value /= 10)
      out[where + static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  };
  put(0, seconds / 3600, 2);
  put(3, seconds / 60 % 60, 2);
  put(6, seconds % 60, 2);
  put(9, at.ns % second / ms, 3);
  return out;
}

} // namespace troupe::console
