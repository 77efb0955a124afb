// `troupe actor …` and `troupe audit …`: looking at actors and giving them orders.

#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/audit_log.hpp"
#include "runtime/cluster/node_verbs.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tools/cli/command.hpp"
#include "tools/inspection/actor_tables.hpp"
#include "tools/inspection/chrome_trace.hpp"
#include "tools/inspection/envelope.hpp"
#include "tools/inspection/inspector.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <poll.h>
#include <sstream>

namespace troupe::cli {
namespace {

using namespace std::chrono_literals;
using inspection::inspector;
using inspection::placed_row;

// --- what the commands share ---------------------------------------------------------------------

/// A connection to the configured cluster, made when a command runs.
struct cluster_access {
  std::unique_ptr<cluster_client> client;
  std::unique_ptr<inspector> look;
};

result<cluster_access> connect(const global_options& global) {
  auto config = load_configuration(global);
  if (!config) return std::move(config).error();
  auto nodes = load_nodes_conf_of(global.config, config->text("cluster.nodes"));
  if (!nodes) return std::move(nodes).error();
  auto settings = client_settings(global);
  if (!settings) return std::move(settings).error();
  cluster_access out;
  out.client = std::make_unique<cluster_client>(std::move(*nodes), std::move(*settings));
  out.look = std::make_unique<inspector>(*out.client);
  return out;
}

inspection::envelope_head head_of(const std::string& node = "*", std::uint64_t incarnation = 0) {
  return {node, incarnation, wall_clock{}.now()};
}

/// Waits between two looks, shorter when a signal comes.
void pause_for(nanoseconds time) {
  ::poll(nullptr, 0, static_cast<int>(time.count() / 1'000'000));
}

/// With --json an error is an answer too: on standard output, exit code 1.
int refused(const global_options& global, const error& why, const std::string& node = "*") {
  if (global.json) {
    std::cout << inspection::envelope(head_of(node), why) << '\n';
    return 1;
  }
  return fail(why);
}

/// "5s", "250ms", "2m".
result<nanoseconds> read_duration(const std::string& text) {
  double value = 0;
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  const double ns = unit == "ms" ? 1e6 : unit == "s" || unit.empty() ? 1e9 : unit == "m" ? 60e9 : 0;
  if (why != std::errc{} || ns == 0 || !(value > 0) || value * ns > 3600e9)
    return error{std::make_error_code(std::errc::invalid_argument),
                 "'" + text + "' is no time; say 250ms, 5s or 2m, at most an hour"};
  return nanoseconds{static_cast<std::int64_t>(std::llround(value * ns))};
}

void write_rows(json_writer& w, const std::vector<placed_row>& rows) {
  w.key("rows").begin_array();
  for (const auto& r : rows)
    w.begin_object().field("node", r.node).key("actor").raw(to_json(r.row)).end_object();
  w.end_array();
}

void write_nodes(json_writer& w, const std::vector<inspection::node_rows>& all) {
  w.key("nodes").begin_array();
  for (const auto& n : all) {
    w.begin_object()
        .field("node", n.node)
        .field("incarnation", n.page.incarnation)
        .field("at_ns", n.page.at.ns);
    w.field("actors", n.page.actors)
        .field("matching", n.page.matching)
        .field("trouble", n.trouble)
        .end_object();
  }
  w.end_array();
}

/// Rows of all nodes in one order, cut to what was asked for.
std::vector<placed_row> together(const std::vector<inspection::node_rows>& all, const actor_query& query) {
  std::vector<placed_row> out;
  for (const auto& n : all)
    for (const auto& row : n.page.rows) out.push_back({n.node, row});
  std::stable_sort(out.begin(), out.end(), [&](const placed_row& a, const placed_row& b) {
    return inspection::sorts_before(a.row, b.row, query.sort);
  });
  const auto first = std::min<std::size_t>(query.offset, out.size());
  out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(first));
  if (out.size() > query.limit) out.resize(query.limit);
  return out;
}

/// Exit code 1 when a node could not be asked or refused the question.
int show_rows(const global_options& global, const std::vector<inspection::node_rows>& all,
              const std::vector<placed_row>& rows) {
  std::string trouble;
  for (const auto& n : all)
    if (!n.trouble.empty()) trouble += (trouble.empty() ? "" : "; ") + n.node + ": " + n.trouble;
  if (global.json) {
    json_writer w;
    w.begin_object();
    write_rows(w, rows);
    write_nodes(w, all);
    w.end_object();
    const auto data = std::move(w).text();
    std::cout << (trouble.empty()
                      ? inspection::envelope(head_of(), data)
                      : inspection::envelope(head_of(),
                                             {make_error_code(cluster_errc::unreachable), trouble}, data))
              << '\n';
    return trouble.empty() ? 0 : 1;
  }
  std::cout << inspection::actor_table_text(rows);
  std::uint64_t matching = 0;
  for (const auto& n : all) matching += n.page.matching;
  if (matching > rows.size())
    std::fprintf(stderr, "troupe: %zu of %llu actors shown; --limit and --offset show others\n",
                 rows.size(), static_cast<unsigned long long>(matching));
  return trouble.empty() ? 0 : fail({make_error_code(cluster_errc::unreachable), trouble});
}

// --- list, top -----------------------------------------------------------------------------------

struct list_options {
  actor_query query;
  std::string node;
  std::string window;
};

int list_command(const global_options& global, const list_options& what) {
  auto access = connect(global);
  if (!access) return refused(global, access.error());
  const auto all = access->look->actors(what.query, what.node);
  if (all.empty())
    return refused(
        global, {make_error_code(cluster_errc::not_found), "nodes.conf has no node '" + what.node + "'"});
  return show_rows(global, all, together(all, what.query));
}

/// Two samples of every actor and what happened between them; actors that came meanwhile count from zero.
int window_command(const global_options& global, const list_options& what, nanoseconds window) {
  auto access = connect(global);
  if (!access) return refused(global, access.error());
  auto query = what.query;
  query.offset = 0;
  query.limit = 100'000;
  const auto early = access->look->actors(query, what.node);
  pause_for(window);
  auto late = access->look->actors(query, what.node);
  for (auto& n : late) {
    std::map<std::string, const actor_report*> before;
    market_time since = n.page.at;
    for (const auto& e : early)
      if (e.node == n.node && e.page.incarnation == n.page.incarnation) {
        since = e.page.at;
        for (const auto& row : e.page.rows) before.emplace(row.name, &row);
      }
    const actor_report none;
    for (auto& row : n.page.rows) {
      const auto i = before.find(row.name);
      row = inspection::difference(i == before.end() ? none : *i->second, row, n.page.at - since);
    }
  }
  return show_rows(global, late, together(late, what.query));
}

int top_command(const global_options& global, list_options what) {
  if (what.window.empty()) return list_command(global, what);
  const auto window = read_duration(what.window);
  return window ? window_command(global, what, *window) : refused(global, window.error());
}

// --- show, tree ----------------------------------------------------------------------------------

int show_command(const global_options& global, const std::string& name) {
  auto access = connect(global);
  if (!access) return refused(global, access.error());
  const auto where = access->look->find(name);
  if (!where) return refused(global, where.error());
  const auto page = access->look->document(where->node, "actor", where->actor);
  if (!page) return refused(global, page.error(), where->node);
  if (global.json)
    std::cout << inspection::envelope(head_of(where->node), *page) << '\n';
  else
    std::cout << inspection::actor_text(where->node, json_view::parse(*page));
  return 0;
}

int tree_command(const global_options& global, const std::string& node, const std::string& from) {
  auto access = connect(global);
  if (!access) return refused(global, access.error());
  json_writer w;
  w.begin_array();
  std::string trouble;
  bool any = false;
  for (const auto& spec : access->client->conf().nodes()) {
    const auto& name = spec.name.text;
    if (!node.empty() && node != name) continue;
    any = true;
    const auto page = access->look->document(name, "tree", from);
    if (!page) {
      trouble += (trouble.empty() ? "" : "; ") + name + ": "
                 + (page.error().text.empty() ? page.error().message() : page.error().text);
      continue;
    }
    w.begin_object().field("node", name).key("tree").raw(*page).end_object();
    if (!global.json) std::cout << name << ":\n" << inspection::tree_text(json_view::parse(*page));
  }
  if (!any)
    return refused(global,
                   {make_error_code(cluster_errc::not_found), "nodes.conf has no node '" + node + "'"});
  w.end_array();
  const error why{make_error_code(cluster_errc::unreachable), trouble};
  if (global.json)
    std::cout << (trouble.empty() ? inspection::envelope(head_of(), w.text())
                                  : inspection::envelope(head_of(), why, w.text()))
              << '\n';
  else if (!trouble.empty())
    fail(why);
  return trouble.empty() ? 0 : 1;
}

// --- orders --------------------------------------------------------------------------------------

struct order_options {
  std::string verb;
  std::string target; ///< an actor, or a node for drain and log-level
  bool of_node = false;
  std::map<std::string, std::string> arguments;
  std::string confirm;
};

int order_command(const global_options& global, order_options what) {
  auto access = connect(global);
  if (!access) return refused(global, access.error());
  inspection::place where{what.target, {}};
  if (!what.of_node) {
    auto found = access->look->find(what.target);
    if (!found) return refused(global, found.error());
    where = std::move(*found);
  }
  if (!what.confirm.empty()) {
    const auto& full = what.of_node ? where.node : where.actor;
    // The name as it was given counts too: an ending that is unique names the same actor.
    what.arguments["confirm"] = what.confirm == what.target ? full : what.confirm;
  }
  const auto done = access->look->order(where, what.verb, what.arguments, operator_name());
  if (!done) return refused(global, done.error(), where.node);
  if (global.json) {
    json_writer w;
    w.begin_object()
        .field("verb", what.verb)
        .field("actor", where.actor)
        .field("text", done->text)
        .end_object();
    std::cout << inspection::envelope(head_of(where.node), w.text()) << '\n';
  } else {
    std::fprintf(stderr, "troupe: %s: %s\n", where.node.c_str(), done->text.c_str());
  }
  return 0;
}

// --- tap -----------------------------------------------------------------------------------------

volatile std::sig_atomic_t interrupted = 0;

struct tap_options {
  std::string actor;
  std::string order;
  std::string type;
  std::uint32_t count = 100;
  std::uint32_t per_second = 100;
  std::string lasts = "10s";
};

void print_rows(const global_options& global, const inspection::tap_session::caught& caught) {
  for (const auto& [node, row] : caught.rows) {
    if (global.json) {
      std::cout << inspection::envelope({node, 0, row.at}, to_json(row)) << '\n';
      continue;
    }
    const auto seconds = row.at.ns / 1'000'000'000;
    char clock[40];
    const std::time_t whole = seconds % 86'400;
    std::snprintf(clock, sizeof clock, "%02d:%02d:%02d.%06d", static_cast<int>(whole / 3600),
                  static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60),
                  static_cast<int>(row.at.ns % 1'000'000'000 / 1000));
    std::cout << clock << "  " << node << "/" << row.actor << (row.answer ? "  answer " : "  ") << row.type
              << "  from " << (row.sender.empty() ? "-" : row.sender) << "  " << row.text << '\n';
  }
  std::cout.flush();
}

int tap_command(const global_options& global, const tap_options& what) {
  const auto lasts = read_duration(what.lasts);
  if (!lasts) return refused(global, lasts.error());
  if (what.actor.empty() == what.order.empty())
    return refused(global, {std::make_error_code(std::errc::invalid_argument),
                            "say the name of an actor or --order ID, one of them"});
  auto access = connect(global);
  if (!access) return refused(global, access.error());
  tap_start ask{what.actor, what.type, what.order, what.count, what.per_second, *lasts, operator_name()};
  inspection::tap_session tap{*access->client};
  std::vector<std::string> nodes;
  if (!what.actor.empty()) {
    const auto where = access->look->find(what.actor);
    if (!where) return refused(global, where.error());
    ask.actor = where->actor;
    nodes.push_back(where->node);
  } else {
    for (const auto& spec : access->client->conf().nodes()) nodes.push_back(spec.name.text);
  }
  std::size_t open = 0;
  for (const auto& node : nodes) {
    const auto begun = tap.start(node, ask);
    if (begun)
      ++open;
    else if (nodes.size() == 1)
      return refused(global, begun.error(), node);
    else
      std::fprintf(stderr, "troupe: %s is not tapped: %s\n", node.c_str(), begun.error().text.c_str());
  }
  if (open == 0)
    return refused(global, {make_error_code(cluster_errc::unreachable), "no node could be tapped"});
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::uint64_t shown = 0;
  inspection::tap_session::caught last;
  while (interrupted == 0 && shown < what.count) {
    auto caught = tap.pull();
    if (!caught) return refused(global, caught.error());
    print_rows(global, *caught);
    shown += caught->rows.size();
    last = std::move(*caught);
    if (last.over) break;
    if (last.rows.empty()) pause_for(100ms);
  }
  std::fprintf(stderr, "troupe: %llu shown, %llu matched, %llu beyond the rate, %llu lost%s%s\n",
               static_cast<unsigned long long>(shown), static_cast<unsigned long long>(last.matched),
               static_cast<unsigned long long>(last.limited), static_cast<unsigned long long>(last.lost),
               last.why.empty() ? "" : "; ended by ", last.why.c_str());
  return 0;
}

// --- time line, audit ----------------------------------------------------------------------------

int timeline_command(const global_options& global, const std::string& file) {
  auto access = connect(global);
  if (!access) return refused(global, access.error());
  std::vector<timeline_page> pages;
  std::size_t rows = 0;
  int code = 0;
  for (const auto& spec : access->client->conf().nodes()) {
    auto page = access->look->timeline(spec.name.text);
    if (!page) {
      code = fail({page.error().code, spec.name.text + ": " + page.error().message()});
      continue;
    }
    rows += page->rows.size();
    pages.push_back(std::move(*page));
  }
  const auto text = inspection::chrome_trace(pages);
  if (file.empty() || file == "-") {
    std::cout << text << '\n';
    return code;
  }
  std::ofstream out{file};
  if (!(out << text << '\n' << std::flush))
    return fail(
        {std::make_error_code(std::errc::io_error), file + " can't be written; name another --out"});
  std::fprintf(stderr,
               "troupe: %zu events of %zu nodes in %s; open it in ui.perfetto.dev or chrome://tracing\n",
               rows, pages.size(), file.c_str());
  return code;
}

int audit_command(const global_options& global, const std::vector<std::string>& files,
                  const std::string& head) {
  auto names = files;
  std::error_code missing;
  if (names.empty())
    for (const auto& entry : std::filesystem::directory_iterator{global.data, missing})
      if (std::filesystem::exists(entry.path() / "audit.log", missing))
        names.push_back((entry.path() / "audit.log").string());
  if (names.empty())
    return refused(global,
                   {std::make_error_code(std::errc::no_such_file_or_directory),
                    "no audit.log below " + global.data.string() + "; name the file, or another --data"});
  std::sort(names.begin(), names.end());
  json_writer w;
  w.begin_array();
  std::string trouble;
  for (const auto& name : names) {
    std::ifstream in{name, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    const auto chain =
        in ? verify_audit(text.str(), head)
           : result<audit_chain>{error{std::make_error_code(std::errc::io_error), "can't be read"}};
    w.begin_object().field("file", name).field("intact", chain.has_value());
    if (chain)
      w.field("records", chain->records).field("head", chain->head);
    else
      w.field("text", chain.error().text);
    w.end_object();
    if (!chain)
      trouble += (trouble.empty() ? "" : "\n") + name + ": " + chain.error().text;
    else if (!global.json)
      std::cout << name << ": " << chain->records << " records, intact; newest " << chain->head << '\n';
  }
  w.end_array();
  const error why{make_error_code(cluster_errc::unreadable), trouble};
  if (global.json)
    std::cout << (trouble.empty() ? inspection::envelope(head_of(), w.text())
                                  : inspection::envelope(head_of(), why, w.text()))
              << '\n';
  else if (!trouble.empty())
    fail(why);
  return trouble.empty() ? 0 : 1;
}

// --- the commands --------------------------------------------------------------------------------

constexpr auto name_help = "Actor: its name, NODE/NAME, or an ending that only one has";

void add_table_options(CLI::App& command, list_options& what) {
  command.add_option("--match", what.query.match, "Only names with this part");
  command.add_option("--kind", what.query.kind, "Only actors of this class");
  command.add_option("--node", what.node, "Only this node");
  command.add_option("--limit", what.query.limit, "At most so many rows")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command.add_option("--offset", what.query.offset, "Leave out so many rows first")
      ->check(CLI::Range(0, 10'000'000));
}

void add_looking(CLI::App& actor, global_options& global) {
  auto list = std::make_shared<list_options>();
  auto* list_app =
      actor.add_subcommand("list", "Actors of all nodes with mailbox, rate, handler times, restarts");
  add_table_options(*list_app, *list);
  list_app
      ->add_option("--sort", list->query.sort,
                   "name, mailbox, age, rate, p99, restarts, errors or messages")
      ->check(CLI::IsMember({"name", "mailbox", "age", "rate", "p99", "restarts", "errors", "messages"}));
  list_app->callback(run(global, [&global, list] { return list_command(global, *list); }));

  auto top = std::make_shared<list_options>();
  top->query.sort = "mailbox";
  top->query.limit = 20;
  auto* top_app =
      actor.add_subcommand("top", "The actors with most of something, as it stands or over a window");
  add_table_options(*top_app, *top);
  top_app->add_option("--by", top->query.sort, "mailbox, age, rate, p99, restarts, errors or messages")
      ->check(CLI::IsMember({"mailbox", "age", "rate", "p99", "restarts", "errors", "messages"}))
      ->capture_default_str();
  top_app->add_option("--window", top->window,
                      "Two looks, this far apart; counters are what came between them");
  top_app->callback(run(global, [&global, top] { return top_command(global, *top); }));

  auto name = std::make_shared<std::string>();
  auto* show = actor.add_subcommand(
      "show", "One actor: figures by message type, settings, errors, watchers, restarts, state");
  show->add_option("NAME", *name, name_help)->required();
  show->callback(run(global, [&global, name] { return show_command(global, *name); }));

  auto node = std::make_shared<std::string>();
  auto from = std::make_shared<std::string>();
  auto* tree =
      actor.add_subcommand("tree", "Supervisors and their children, with states and reasons of restarts");
  tree->add_option("--node", *node, "Only this node");
  tree->add_option("--from", *from, "Begin at this supervisor");
  tree->callback(run(global, [&global, node, from] { return tree_command(global, *node, *from); }));

  auto file = std::make_shared<std::string>();
  auto* events = actor.add_subcommand("timeline", "What happened lately on all nodes, as a Chrome trace");
  events->add_option("--out", *file, "File to write; default: standard output");
  events->callback(run(global, [&global, file] { return timeline_command(global, *file); }));
}

void add_tap(CLI::App& actor, global_options& global) {
  auto what = std::make_shared<tap_options>();
  auto* tap = actor.add_subcommand("tap", "Watch messages of one actor, or all that name one order");
  tap->add_option("NAME", what->actor, name_help);
  tap->add_option("--order", what->order,
                  "Order, client order, trade or prediction id, or decision number: on all nodes; "
                  "next: the first order that comes");
  tap->add_option("--type", what->type, "Only messages of this type");
  tap->add_option("--count", what->count, "Ends after so many")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  tap->add_option("--rate", what->per_second, "At most so many a second and node")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  tap->add_option("--for", what->lasts, "Ends after so long, at most 10m")->capture_default_str();
  tap->callback(run(global, [&global, what] { return tap_command(global, *what); }));
}

CLI::App* add_order(CLI::App& under, global_options& global, const std::string& verb, const char* help,
                    const std::shared_ptr<order_options>& what) {
  what->verb = verb;
  auto* command = under.add_subcommand(verb, help);
  command
      ->add_option(what->of_node ? "NODE" : "NAME", what->target,
                   what->of_node ? "Name in nodes.conf" : name_help)
      ->required();
  command->add_option("--confirm", what->confirm, "The name once more; severe orders need it");
  command->callback(run(global, [&global, what] { return order_command(global, *what); }));
  return command;
}

void add_orders(CLI::App& actor, global_options& global) {
  constexpr std::pair<const char*, const char*> verbs[]{
      {"kill", "Kill an actor; its supervisor starts it again"},
      {"restart", "Stop an actor, or a supervisor with all below it, in order and start it again"},
      {"stop", "Stop a child in order; it stays stopped"},
      {"start", "Start a child that was stopped"},
      {"suspend", "Hold back an actor's ordinary messages"},
      {"resume", "Let a suspended actor go on"}};
  for (const auto& [verb, help] : verbs)
    add_order(actor, global, verb, help, std::make_shared<order_options>());

  auto set = std::make_shared<order_options>();
  auto* command = add_order(actor, global, "set",
                            "Change a setting while the actor runs; `actor show` lists them", set);
  command->add_option("KEY", set->arguments["key"], "Setting")->required();
  command->add_option("VALUE", set->arguments["value"], "Its new value")->required();

  auto level = std::make_shared<order_options>();
  level->of_node = true;
  command = add_order(actor, global, "log-level",
                      "Lowest severity a node writes, of all or of one component", level);
  command->add_option("LEVEL", level->arguments["level"], "debug, info, warn or error")->required();
  command->add_option("--component", level->arguments["component"], "Only this component of the log");

  auto drain = std::make_shared<order_options>();
  drain->of_node = true;
  add_order(actor, global, "drain", "A node stops in order and is not started again", drain);
}

} // namespace

void add_actor_commands(CLI::App& app, global_options& global) {
  auto* actor = app.add_subcommand("actor", "Look at the actors of all nodes and give them orders");
  actor->require_subcommand(1);
  add_looking(*actor, global);
  add_tap(*actor, global);
  add_orders(*actor, global);

  auto* audit = app.add_subcommand("audit", "Who ordered what");
  audit->require_subcommand(1);
  auto files = std::make_shared<std::vector<std::string>>();
  auto head = std::make_shared<std::string>();
  auto* verify = audit->add_subcommand("verify", "Check that no record was changed, removed or inserted");
  verify->add_option("FILE", *files, "audit.log of a node; default: of all nodes below --data");
  verify->add_option("--head", *head, "Hash of the newest record as noted elsewhere: shows a cut-off end");
  verify->callback(run(global, [&global, files, head] { return audit_command(global, *files, *head); }));
}

} // namespace troupe::cli
