#include "tools/demo/rig.hpp"

#include "messages/trading.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "storage/journal_entries.hpp"
#include "storage/journal_tools.hpp"
#include "tools/demo/journal_view.hpp"

#include <csignal>
#include <poll.h>

namespace troupe::demo {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto poll_interval = 10ms;
constexpr auto stop_patience = 15s;

/// Where an actor of the demonstration lives, by its name.
std::string node_of(std::string_view actor) {
  for (const std::string_view prefix : {"executor/", "journal/", "risk", "orchestrator"})
    if (actor.starts_with(prefix)) return "exec";
  if (actor.starts_with("model/")) return "model";
  if (actor.starts_with("trainer/")) return "train";
  return "ingest";
}

error too_late(const std::string& what) { return {std::make_error_code(std::errc::timed_out), what}; }

} // namespace

std::optional<std::chrono::milliseconds> rig::wait_until(const std::function<bool()>& done,
                                                         std::chrono::milliseconds patience) {
  const auto begin = clock::now();
  while (!done()) {
    if (clock::now() - begin >= patience) return std::nullopt;
    // Nothing to wait on but time: the condition lives in another process.
    ::poll(nullptr, 0, static_cast<int>(poll_interval.count()));
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begin);
}

result<std::unique_ptr<rig>> rig::start(const demo_options& options, const std::string& recordings) {
  std::unique_ptr<rig> out{new rig};
  out->options_ = options;
  auto source = choose_source(options, recordings);
  if (!source) return std::move(source).error();
  if (auto fine = check_inputs(options, *source); !fine) return std::move(fine).error();
  auto files = make_workspace(options);
  if (!files) return std::move(files).error();
  out->files_ = std::move(*files);
  auto prepared = prepare_tapes(out->files_, std::move(*source));
  if (!prepared) {
    discard(out->files_);
    return std::move(prepared).error();
  }
  out->source_ = std::move(*prepared);
  if (auto done = out->start_processes(); !done) return std::move(done).error();
  return out;
}

status rig::start_processes() {
  if (!options_.live) {
    auto simulator = start_simulator(files_, source_, options_, ready_);
    if (!simulator) return std::move(simulator).error();
    simulator_.emplace(std::move(*simulator));
  }
  if (auto done = write_configuration(files_, source_, options_, options_.live ? nullptr : &ready_); !done) return done;
  return start_nodes();
}

rig::~rig() {
  if (auto done = stop(); !done) std::fprintf(stderr, "troupe: %s\n", done.error().text.c_str());
}

double rig::speed() const noexcept { return options_.live ? 1.0 : static_cast<double>(ready_.rate_permille) / 1000.0; }

status rig::start_nodes() {
  child_options child;
  child.arguments = {own_program().string(), "--config", files_.config.string(), "--data", files_.data.string(), "up"};
  child.log = files_.logs / "up.log";
  auto parent = child_process::start(child);
  if (!parent) return std::move(parent).error();
  parent_.emplace(std::move(*parent));
  const auto interrupted = [this] { return options_.interrupted && options_.interrupted(); };
  const auto ready =
      wait_until([&] { return interrupted() || parent_status().flag("ready") || parent_->poll().has_value(); },
                 std::chrono::duration_cast<std::chrono::milliseconds>(start_patience));
  if (interrupted())
    return error{std::make_error_code(std::errc::interrupted), "interrupted while the nodes were starting"};
  if (ready && !parent_->poll()) return ok;
  std::string logs = tail_of(files_.logs / "up.log");
  return too_late("the nodes did not get ready; logs in " + files_.logs.string() + " and " + files_.data.string() + "\n" + logs);
}

json_view rig::parent_status() const {
  const auto answer = ask_stem(files_.data / "up.sock", "status", 500ms);
  return answer ? json_view::parse(*answer) : json_view{};
}

cluster_client& rig::connection() {
  if (!client_) {
    auto conf = load_nodes_conf(files_.config / "nodes.conf");
    client_ = std::make_unique<cluster_client>(conf ? std::move(*conf) : nodes_conf{},
                                               client_options{.connect_within = 500ms, .answer_within = 500ms});
  }
  return *client_;
}

actor_answer rig::ask_actor(const std::string& name) {
  auto& client = connection();
  auto found = client.find<observable_actor>(node_of(name), name);
  if (!found) return {};
  auto report = client.ask<status_report>(*found, 500ms, status_request{1});
  if (!report) return {};
  return {json_view::parse(report->json), to_string(found->address())};
}

status rig::kill_node(const std::string& node) {
  auto answer = ask_stem(files_.data / "up.sock", "kill " + node + " KILL", 1s);
  if (!answer) return std::move(answer).error();
  return ok;
}

status rig::kill_actor(const std::string& name) {
  auto done = connection().command(node_of(name), admin_command{"kill", name, {{"confirm", name}}, "chaos"});
  if (!done) return std::move(done).error();
  return ok;
}

bool rig::node_ready(const std::string& node) const {
  for (const auto& row : parent_status().items("nodes"))
    if (row.text("node") == node) return row.flag("ready") && row.text("state") == "running";
  return false;
}

std::string rig::lost_node() const {
  for (const auto& row : parent_status().items("nodes"))
    if (row.text("state") == "failed")
      return "node " + row.text("node") + " is not started again: " + row.text("last_exit") + "; see "
             + (files_.logs / "up.log").string();
  return {};
}

pid_t rig::node_pid(const std::string& node) const {
  for (const auto& row : parent_status().items("nodes"))
    if (row.text("node") == node) return static_cast<pid_t>(row.integer("pid"));
  return 0;
}

status rig::set_trading(const std::string& state, const std::string& reason) {
  halt_command command;
  command.state = state == "active" ? trading_state::active
                  : state == "reducing" ? trading_state::reducing
                                        : trading_state::halted;
  command.who = "demo";
  command.reason = reason;
  auto done = connection().halt(command);
  if (!done) return std::move(done).error();
  return ok;
}

status rig::stop() {
  if (stopped_) return ok;
  stopped_ = true;
  client_.reset();
  status outcome = ok;
  if (parent_) {
    parent_->signal(SIGTERM);
    if (!parent_->wait(std::chrono::duration_cast<std::chrono::milliseconds>(stop_patience)))
      outcome = too_late("the nodes did not stop in order; see " + (files_.logs / "up.log").string());
    parent_.reset();
  }
  if (simulator_) {
    simulator_->signal(SIGTERM);
    simulator_->wait(5s);
    simulator_.reset();
  }
  return outcome;
}

std::filesystem::path rig::journal_folder() const { return files_.data / "exec" / "journal" / "main@binance"; }

result<venue_sim::ledger_comparison> rig::compare() const {
  // The ledger first: an order is journaled before it is sent, so every order of this ledger must stand in a journal
  // that is read after it, and a venue order without a journal row is never a false alarm. An order between the two
  // readings shows as one that the venue does not have yet; the next comparison knows better.
  auto ledger = venue_sim::read_ledger(files_.simulator / "ledger.log");
  if (!ledger) return std::move(ledger).error();
  auto journal = read_journal_view(journal_folder());
  if (!journal) return std::move(journal).error();
  return venue_sim::compare_with_ledger(*ledger, journal->intents, journal->fills);
}

} // namespace troupe::demo
