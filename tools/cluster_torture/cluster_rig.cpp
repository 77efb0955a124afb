#include "tools/cluster_torture/cluster_rig.hpp"

#include "messages/trading.hpp"
#include "runtime/cluster/front_certificates.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "storage/journal_entries.hpp"
#include "storage/journal_tools.hpp"
#include "tools/demo/journal_view.hpp"
#include "tools/demo/rig.hpp"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <thread>

namespace troupe::cluster_torture {
namespace {

using namespace std::chrono_literals;

constexpr auto start_patience = 90s;
constexpr auto simulator_patience = 30s;
constexpr auto stop_patience = 20s;
constexpr std::uint16_t cluster_port = 4410;

error too_late(const std::string& what) { return {std::make_error_code(std::errc::timed_out), what}; }

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

/// The file's nodes as hosts of the laboratory.
std::string laid_out(const nodes_conf& conf) {
  std::string out;
  for (std::size_t n = 0; n < conf.nodes().size(); ++n) {
    const auto& node = conf.nodes()[n];
    out += "node " + node.name.text + " host=" + netlab::network_lab::address_of(n)
           + " port=" + std::to_string(cluster_port) + " tls=on threads=" + std::to_string(node.threads) + " roles=";
    for (std::size_t r = 0; r < node.roles.size(); ++r) out += (r == 0 ? "" : ",") + std::string{to_string(node.roles[r])};
    out += " device=" + node.device;
    if (!node.accounts.empty()) out += " accounts=" + joined(node.accounts);
    if (!node.labels.empty()) out += " labels=" + joined(node.labels);
    if (!node.standby_for.empty()) out += " standby-for=" + node.standby_for;
    out += "\n";
  }
  return out;
}

} // namespace

std::optional<std::chrono::milliseconds> wait_until(const std::function<bool()>& done, std::chrono::milliseconds patience) {
  return demo::rig::wait_until(done, patience);
}

// --- start ---------------------------------------------------------------------------------------

result<std::unique_ptr<cluster_rig>> cluster_rig::start(const cluster_rig_options& options) {
  std::unique_ptr<cluster_rig> out{new cluster_rig};
  demo::demo_options plan;
  plan.folder = options.folder;
  plan.speed = options.speed;
  plan.seed = options.seed;
  auto source = demo::choose_source(plan, options.recordings);
  if (!source) return std::move(source).error();
  auto files = demo::make_workspace(plan);
  if (!files) return std::move(files).error();
  out->files_ = std::move(*files);
  auto prepared = demo::prepare_tapes(out->files_, std::move(*source));
  if (!prepared) return std::move(prepared).error();
  out->source_ = std::move(*prepared);
  if (auto made = out->make_conf(options); !made) return made.error();
  auto lab = netlab::network_lab::start(out->conf_.nodes().size() + 1, options.seed);
  if (!lab) return std::move(lab).error();
  out->lab_ = std::move(*lab);
  if (auto made = out->make_certificates(); !made) return made.error();
  if (auto started = out->start_simulator(options); !started) return started.error();
  if (auto started = out->start_parents(); !started) return started.error();
  if (auto whole = out->wait_until_whole(); !whole) return whole.error();
  return out;
}

status cluster_rig::make_conf(const cluster_rig_options& options) {
  const auto text = laid_out(options.nodes);
  auto conf = parse_nodes_conf(text, "nodes.conf");
  if (!conf) return conf.error();
  conf_ = std::move(*conf);
  std::ofstream file{files_.config / "nodes.conf", std::ios::trunc};
  file << text;
  file.flush();
  return file.good() ? status{ok} : status{too_late((files_.config / "nodes.conf").string() + " can't be written")};
}

status cluster_rig::make_certificates() {
  const auto authority = files_.folder / "authority";
  if (auto made = init_authority(authority); !made) return made.error();
  for (const auto& node : conf_.nodes()) {
    certificate_request request;
    request.authority = authority;
    request.directory = files_.folder / "certificates" / node.name.text;
    request.node = node.name.text;
    if (auto issued = issue_certificate(request); !issued) return issued.error();
  }
  return ok;
}

status cluster_rig::start_simulator(const cluster_rig_options& options) {
  const auto host = conf_.nodes().size();
  demo::child_options child;
  child.arguments = lab_->runs_on(host);
  const std::vector<std::string> words{demo::own_program().string(), "venue", "sim", "--address",
                                       netlab::network_lab::address_of(host), "--folder", files_.simulator.string(),
                                       "--speed", options.speed, "--seed", std::to_string(options.seed), "--credentials",
                                       (files_.config / ".env").string(), "--orders-per-10s", "1000", "--ready-fd", "3"};
  child.arguments.insert(child.arguments.end(), words.begin(), words.end());
  for (const auto& tape : source_.tapes) child.arguments.insert(child.arguments.end(), {"--tape", tape.string()});
  child.log = files_.logs / "simulator.log";
  child.ready_line = true;
  auto process = demo::child_process::start(child);
  if (!process) return std::move(process).error();
  const auto line = process->wait_ready(std::chrono::duration_cast<std::chrono::milliseconds>(simulator_patience));
  if (!line) return line.error();
  auto parsed = demo::parse_ready_line(*line);
  if (!parsed) return parsed.error();
  ready_ = *parsed;
  ready_.address = netlab::network_lab::address_of(host);
  simulators_.push_back(std::move(*process));
  auto second = start_data_venue(options);
  if (!second) return second.error();
  demo::demo_options plan;
  plan.settings = std::move(*second);
  for (const auto& [key, value] : options.settings) plan.settings[key] = value;
  plan.settings["cluster.tls.directory"] = (files_.folder / "certificates").string();
  return demo::write_configuration(files_, source_, plan, &ready_);
}

/// A second venue without orders, so that every ingest node has a market to watch. Returns its settings.
result<std::map<std::string, std::string>> cluster_rig::start_data_venue(const cluster_rig_options& options) {
  const auto host = conf_.nodes().size();
  const auto folder = files_.folder / "data-venue";
  demo::child_options child;
  child.arguments = lab_->runs_on(host);
  const std::vector<std::string> words{demo::own_program().string(), "venue", "sim", "--venue", "bybit", "--symbol",
                                       "BTC-USDT", "--address", netlab::network_lab::address_of(host), "--folder",
                                       folder.string(), "--seed", std::to_string(options.seed), "--speed", options.speed,
                                       "--origin-market", std::to_string(ready_.origin_market), "--origin-steady",
                                       std::to_string(ready_.origin_steady), "--ready-fd", "3"};
  child.arguments.insert(child.arguments.end(), words.begin(), words.end());
  child.log = files_.logs / "data-venue.log";
  child.ready_line = true;
  auto process = demo::child_process::start(child);
  if (!process) return std::move(process).error();
  const auto line = process->wait_ready(std::chrono::duration_cast<std::chrono::milliseconds>(simulator_patience));
  if (!line) return line.error();
  simulators_.push_back(std::move(*process));
  const auto ready = json_view::parse(*line);
  const auto base = netlab::network_lab::address_of(host) + ":" + std::to_string(ready.integer("port"));
  std::map<std::string, std::string> out{{"instruments", "BTC-USDT@binance,BTC-USDT@bybit"},
                                         {"venues.bybit.rest", "https://" + base},
                                         {"venues.bybit.stream", "wss://" + base},
                                         {"venues.bybit.ca", ready.text("ca")},
                                         {"venues.bybit.instruments.BTC-USDT.symbol", "BTCUSDT"},
                                         {"venues.bybit.instruments.BTC-USDT.price_scale", "2"},
                                         {"venues.bybit.instruments.BTC-USDT.size_scale", "8"},
                                         {"venues.bybit.instruments.BTC-USDT.tick", "0.01"},
                                         {"venues.bybit.instruments.BTC-USDT.lot", "0.000001"},
                                         {"placement.settle", "3s"},
                                         {"placement.pause", "1s"}};
  const auto ingest = conf_.with(node_role::ingest);
  if (ingest.size() > 1)
    out["placement.pins"] = "BTC-USDT@binance=" + ingest[0]->name.text + ",BTC-USDT@bybit=" + ingest[1]->name.text;
  return out;
}

status cluster_rig::start_parents() {
  for (const auto& node : conf_.nodes()) {
    demo::child_options child;
    child.arguments = lab_->runs_on(host_of(node.name.text));
    const std::vector<std::string> words{demo::own_program().string(), "--config", files_.config.string(), "--data",
                                         data_of(node.name.text).string(), "up", "--host", node.host};
    child.arguments.insert(child.arguments.end(), words.begin(), words.end());
    child.log = files_.logs / (node.name.text + "-up.log");
    auto parent = demo::child_process::start(child);
    if (!parent) return std::move(parent).error();
    parents_.push_back(std::move(*parent));
    watchers_.push_back(std::make_unique<node_watcher>(*lab_, host_of(node.name.text), conf_, node.name.text,
                                                       files_.folder / "certificates"));
  }
  return ok;
}

status cluster_rig::wait_until_whole() {
  const auto whole = [&] {
    for (const auto& node : conf_.nodes())
      if (!node_ready(node.name.text) || !watcher(node.name.text).sees_all(1)) return false;
    return true;
  };
  const auto took = wait_until(whole, std::chrono::duration_cast<std::chrono::milliseconds>(start_patience));
  if (took) {
    ready_after_ = *took;
    return ok;
  }
  std::string late;
  for (const auto& node : conf_.nodes()) {
    const auto& name = node.name.text;
    if (node_ready(name) && watcher(name).sees_all(1)) continue;
    late += "\n" + name + ": " + (node_ready(name) ? "does not see all others" : "is not ready") + " "
            + watcher(name).trouble() + "\n" + demo::tail_of(files_.logs / (name + "-up.log"))
            + demo::tail_of(data_of(name) / (name + ".log"));
  }
  return too_late("the cluster did not get whole; logs in " + files_.folder.string() + late);
}

cluster_rig::~cluster_rig() {
  if (auto done = stop(); !done) std::fprintf(stderr, "troupe: %s\n", done.error().text.c_str());
}

// --- looking -------------------------------------------------------------------------------------

json_view cluster_rig::parent_row(const std::string& node) const {
  const auto answer = ask_stem(data_of(node) / "up.sock", "status", 500ms);
  if (!answer) return {};
  for (const auto& row : json_view::parse(*answer).items("nodes"))
    if (row.text("node") == node) return row;
  return {};
}

bool cluster_rig::node_ready(const std::string& node) const {
  const auto row = parent_row(node);
  return row.flag("ready") && row.text("state") == "running";
}

pid_t cluster_rig::node_pid(const std::string& node) const { return static_cast<pid_t>(parent_row(node).integer("pid")); }

status cluster_rig::tell_parent(const std::string& node, const std::string& words) const {
  auto answer = ask_stem(data_of(node) / "up.sock", words, 1s);
  if (!answer) return std::move(answer).error();
  if (answer->starts_with("refused")) return too_late(*answer);
  return ok;
}

json_view cluster_rig::report(const std::string& node, const std::string& actor) const {
  return json_view::parse(watcher(node).picture().whole).at("reports").at(actor);
}

std::vector<std::string> cluster_rig::actors() const {
  std::set<std::string> out;
  for (const auto& node : conf_.nodes())
    for (const auto& actor : json_view::parse(watcher(node.name.text).picture().whole).items("actors"))
      out.insert(actor.text("name"));
  return {out.begin(), out.end()};
}

std::uint64_t cluster_rig::resident(const std::string& node) const {
  std::ifstream file{"/proc/" + std::to_string(node_pid(node)) + "/statm"};
  std::uint64_t total = 0, pages = 0;
  if (!(file >> total >> pages)) return 0;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string cluster_rig::execution_node() const {
  const auto with = conf_.with(node_role::execution);
  return with.empty() ? std::string{} : with.front()->name.text;
}

result<venue_sim::ledger_comparison> cluster_rig::compare() const {
  // The ledger first: see demo::rig::compare.
  auto ledger = venue_sim::read_ledger(files_.simulator / "ledger.log");
  if (!ledger) return std::move(ledger).error();
  auto view = demo::read_journal_view(journal());
  if (!view) return std::move(view).error();
  return venue_sim::compare_with_ledger(*ledger, view->intents, view->fills);
}

std::filesystem::path cluster_rig::journal() const {
  const auto node = execution_node();
  return data_of(node) / node / "journal" / "main@binance";
}

result<history_findings> cluster_rig::history() const {
  history_check check;
  const auto read = read_journal(real_disk(), journal(), [&](const journal_row& row) -> status {
    check.row(row.sequence, row.epoch);
    return visit_entry(row.entry, [&](const auto& what) { check.take(what); });
  });
  if (!read) return read.error();
  return check.findings();
}

// --- end -----------------------------------------------------------------------------------------

status cluster_rig::set_trading(trading_state state, const std::string& reason) {
  status outcome = too_late("not asked");
  std::thread{[&] {
    if (outcome = lab_->enter(host_of(execution_node())); !outcome) return;
    client_options options{.connect_within = 2s, .answer_within = 2s};
    options.front.directory = files_.folder / "certificates";
    cluster_client client{conf_, options};
    halt_command command;
    command.state = state;
    command.who = "torture";
    command.reason = reason;
    auto done = client.halt(command);
    outcome = done ? status{ok} : status{std::move(done).error()};
  }}.join();
  return outcome;
}

status cluster_rig::stop() {
  if (stopped_) return ok;
  stopped_ = true;
  watchers_.clear();
  if (lab_) lab_->heal();
  status outcome = ok;
  for (auto& parent : parents_) parent.signal(SIGTERM);
  for (auto& parent : parents_)
    if (!parent.wait(std::chrono::duration_cast<std::chrono::milliseconds>(stop_patience)))
      outcome = too_late("a parent did not stop in order; logs in " + files_.logs.string());
  parents_.clear();
  for (auto& simulator : simulators_) {
    simulator.signal(SIGTERM);
    simulator.wait(5s);
  }
  simulators_.clear();
  lab_.reset();
  return outcome;
}

} // namespace troupe::cluster_torture
