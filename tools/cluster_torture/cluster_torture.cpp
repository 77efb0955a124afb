#include "tools/cluster_torture/cluster_torture.hpp"

#include "actors/trainers/training_chain.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "storage/checkpoint_store.hpp"
#include "tools/cluster_torture/cluster_rig.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>

namespace troupe::cluster_torture {
namespace {

using namespace std::chrono_literals;

constexpr auto recovery_patience = 30s;
constexpr auto agreement_patience = 10s;
constexpr auto settle_patience = 20s;
constexpr auto first_order_patience = 90s;
/// Shorter silences end before anybody must have noticed.
constexpr auto long_enough = 2500ms;
constexpr auto executor_name = "executor/main@binance";

/// As tests/cluster/seven-nodes.conf; the laboratory gives each its host and port.
constexpr std::string_view seven_nodes = R"(
node ingest-1  host=127.0.0.1  port=1  roles=ingest     threads=2
node ingest-2  host=127.0.0.1  port=2  roles=ingest     threads=2
node exec      host=127.0.0.1  port=3  roles=execution  threads=2  accounts=main@binance
node model-1   host=127.0.0.1  port=4  roles=model      threads=1  device=cpu
node model-2   host=127.0.0.1  port=5  roles=model      threads=1  device=cpu
node train     host=127.0.0.1  port=6  roles=train      threads=1  device=cpu
node gateway   host=127.0.0.1  port=7  roles=gateway    threads=1
)";

std::vector<victim> victims_of(const nodes_conf& conf) {
  std::vector<victim> out;
  for (const auto& node : conf.nodes())
    out.push_back({node.name.text, node.has(node_role::ingest) || node.has(node_role::execution)});
  return out;
}

/// A target is split over many resting orders, which are renewed all the time: many of them are on their way or at the
/// venue at any moment, and each fault hits them.
std::map<std::string, std::string> load_of_orders() {
  return {{"executor.layers", "40"},       {"executor.layer_ticks", "2000"},     {"executor.order_life", "400s"},
          {"executor.cross_after", "0s"},  {"executor.reprice_ticks", "2000"},   {"orchestrator.max_position", "0.04"},
          {"orchestrator.shape", "sign"},  {"orchestrator.min_holding", "300s"}, {"risk.max_open_orders", "100"},
          {"risk.order_rate", "100"},      {"risk.collar", "0.05"}};
}

std::int64_t ms_since(std::int64_t begin) { return (monotonic_ns() - begin) / 1'000'000; }

/// One run: the cluster, its plan, what was seen.
class torture {
public:
  torture(cluster_rig& system, const cluster_torture_options& options) : system_{system}, options_{options} {
    record_.seed = options.seed;
    record_.nodes = system.conf().nodes().size();
    record_.start_ms = system.ready_after().count();
    for (const auto& node : system.conf().nodes()) {
      if (node.has(node_role::execution)) execution_ = node.name.text;
      if (node.has(node_role::train)) train_ = node.name.text;
    }
  }

  torture_record run(const std::vector<cluster_fault>& plan);

private:
  [[nodiscard]] json_view executor() const { return system_.report(execution_, executor_name); }
  [[nodiscard]] bool live() const { return executor().text("state_name") == "live"; }
  [[nodiscard]] std::map<std::string, std::int64_t> predictions_by_node();
  void look_at_books(const json_view& page, const std::string& actor);
  void look_at_mailboxes();
  bool halt_outlives_a_kill();
  bool agree();
  void count_orders();
  void suffer(const cluster_fault& fault);
  std::int64_t inflict(const cluster_fault& fault, suffered& seen);
  void end(const cluster_fault& fault, pid_t stopped);
  void recover(suffered& seen, pid_t before, std::int64_t ended);
  void wait_until_gone(const std::string& node, pid_t before) const;
  void measure_memory(std::map<std::string, std::uint64_t>& out) const;
  void settle();
  void check_training();

  cluster_rig& system_;
  const cluster_torture_options& options_;
  torture_record record_;
  std::string execution_;
  std::string train_;
  std::vector<std::string> wanted_;
  struct book_seen {
    std::int64_t session = 0, sequence = 0;
    friend bool operator==(const book_seen&, const book_seen&) = default;
  };
  std::map<std::string, book_seen> books_;
  std::map<std::string, std::int64_t> made_; ///< by predictor, as last reported
  std::map<std::string, std::int64_t> predictions_; ///< by ingest node
};

/// Predictions seen to be made so far, by ingest node; a predictor that was started anew counts from 0.
std::map<std::string, std::int64_t> torture::predictions_by_node() {
  for (const auto& node : system_.conf().nodes()) {
    if (!node.has(node_role::ingest)) continue;
    const auto page = json_view::parse(system_.watcher(node.name.text).picture().whole);
    for (const auto& actor : page.items("actors")) {
      const auto name = actor.text("name");
      if (name.starts_with("feed/")) look_at_books(page, name);
      if (!name.starts_with("predictor/")) continue;
      const auto made = page.at("reports").at(name).integer("made");
      auto& last = made_[name];
      predictions_[node.name.text] += made >= last ? made - last : made;
      last = made;
    }
  }
  return predictions_;
}

/// P6: the best prices of a book that says it is valid are apart.
void torture::look_at_books(const json_view& page, const std::string& actor) {
  const auto book = page.at("reports").at(actor);
  if (book.text("validity") != "valid") return;
  auto& last = books_[actor];
  const book_seen now{book.integer("session"), book.integer("sequence")};
  if (now == last) return;
  ++record_.books_seen;
  const auto bid = std::strtod(book.text("bid").c_str(), nullptr), ask = std::strtod(book.text("ask").c_str(), nullptr);
  if (bid <= 0 || ask <= bid)
    record_.bad_books.push_back(actor + " is valid with " + book.text("bid") + " bid and " + book.text("ask") + " asked");
  last = now;
}

/// P9: what waits for an actor, on every node.
void torture::look_at_mailboxes() {
  for (const auto& node : system_.conf().nodes())
    for (const auto& actor : json_view::parse(system_.watcher(node.name.text).picture().whole).items("actors"))
      if (const auto waiting = actor.integer("mailbox"); waiting > record_.longest_mailbox) {
        record_.longest_mailbox = waiting;
        record_.longest_mailbox_of = actor.text("name") + " on " + node.name.text;
      }
}

/// P8: halted, killed, started again: still halted. What was sent meanwhile the history tells.
bool torture::halt_outlives_a_kill() {
  if (auto halted = system_.set_trading(trading_state::halted, "the torture kills the node of a halted account"); !halted) {
    record_.troubles.push_back(halted.error().text);
    return false;
  }
  const auto before = system_.node_pid(execution_);
  const auto is_halted = [&] { return executor().text("halt") == "halted"; };
  if (!wait_until(is_halted, settle_patience)) return false;
  (void)system_.tell_parent(execution_, "kill " + execution_ + " KILL");
  const auto killed = monotonic_ns();
  const auto back = [&] {
    return system_.node_pid(execution_) != before && system_.watcher(execution_).picture().at > killed
           && system_.node_ready(execution_) && executor().there();
  };
  if (!wait_until(back, recovery_patience)) return false;
  const auto again = monotonic_ns();
  // A page of the new process, and time enough to send something if it wanted to.
  wait_until([&] { return monotonic_ns() - again > nanoseconds{2s}.count(); }, 3s);
  return is_halted();
}

bool torture::agree() {
  return wait_until(
             [&] {
               const auto found = system_.compare();
               if (!found) return false;
               record_.lost = static_cast<std::int64_t>(found->lost.size());
               record_.duplicated = static_cast<std::int64_t>(found->duplicated.size());
               record_.fills_wrong = static_cast<std::int64_t>(found->fills_missing.size() + found->fills_extra.size()
                                                               + found->fills_differ.size());
               return found->clean();
             },
             agreement_patience)
      .has_value();
}

void torture::count_orders() {
  const auto page = executor();
  record_.orders = std::max(record_.orders, page.integer("orders"));
  record_.fills = std::max(record_.fills, page.integer("fills"));
}

/// Does what the plan says and waits as long as it lasts. Returns when it began.
std::int64_t torture::inflict(const cluster_fault& fault, suffered& seen) {
  const auto host = system_.host_of(fault.node);
  auto& lab = system_.lab();
  pid_t stopped = 0;
  const auto began = monotonic_ns();
  const auto one_way = [&](bool towards) {
    for (std::size_t other = 0; other < lab.hosts(); ++other)
      if (other != host) lab.set(towards ? other : host, towards ? host : other, {.black_hole = true});
  };
  switch (fault.kind) {
  case fault_kind::kill: (void)system_.tell_parent(fault.node, "kill " + fault.node + " KILL"); break;
  case fault_kind::stop_start: (void)system_.tell_parent(fault.node, "restart " + fault.node); break;
  case fault_kind::pause:
    stopped = system_.node_pid(fault.node);
    if (stopped > 0) ::kill(stopped, SIGSTOP);
    break;
  case fault_kind::black_hole: lab.set_around(host, {.black_hole = true}); break;
  case fault_kind::deaf: one_way(true); break;
  case fault_kind::mute: one_way(false); break;
  case fault_kind::reset: lab.set_around(host, {.reset = true}); break;
  case fault_kind::slow: lab.set_around(host, {.delay = 100ms, .jitter = 200ms}); break;
  case fault_kind::lossy: lab.set_around(host, {.lost = 50'000}); break;
  }
  const auto noticed = [&] {
    for (const auto& node : system_.conf().nodes()) {
      if (node.name.text == fault.node) continue;
      if (const auto at = system_.watcher(node.name.text).missed_since(fault.node, began); at != 0) {
        if (!seen.noticed_ms) seen.noticed_ms = (at - began) / 1'000'000;
        seen.noticed_ms = std::min(*seen.noticed_ms, (at - began) / 1'000'000);
      }
    }
    return false;
  };
  wait_until(noticed, std::chrono::duration_cast<std::chrono::milliseconds>(fault.lasts));
  end(fault, stopped);
  (void)noticed();
  return began;
}

void torture::end(const cluster_fault& fault, pid_t stopped) {
  if (of_network(fault.kind)) system_.lab().heal();
  if (stopped > 0) ::kill(stopped, SIGCONT);
}

/// A process that was killed or told to stop: what is seen of it from now on is its successor's.
void torture::wait_until_gone(const std::string& node, pid_t before) const {
  const auto gone = [&] { return before <= 0 || ::kill(before, 0) != 0 || system_.node_pid(node) != before; };
  if (!wait_until(gone, settle_patience)) std::fprintf(stderr, "troupe: %s did not end\n", node.c_str());
}

void torture::recover(suffered& seen, pid_t before, std::int64_t ended) {
  // Each node's predictors have to predict again, also those that the fault did not hit.
  const auto made = predictions_by_node();
  const auto more_from_all = [&] {
    const auto now = predictions_by_node();
    return std::all_of(now.begin(), now.end(), [&](const auto& n) {
      const auto before = made.find(n.first);
      return n.second > (before == made.end() ? 0 : before->second);
    });
  };
  const auto& node = seen.fault.node;
  const bool replaced = seen.fault.kind == fault_kind::kill || seen.fault.kind == fault_kind::stop_start;
  wait_until(
      [&] {
        if (replaced && system_.node_pid(node) == before) return false;
        if (!seen.live_ms && system_.watcher(execution_).picture().whole_at > ended && live()) seen.live_ms = ms_since(ended);
        if (!seen.predicts_ms && more_from_all()) seen.predicts_ms = ms_since(ended);
        if (!seen.whole_again_ms) {
          bool whole = true;
          for (const auto& node : system_.conf().nodes())
            whole = whole && system_.node_ready(node.name.text) && system_.watcher(node.name.text).sees_all(ended);
          if (whole) seen.whole_again_ms = ms_since(ended);
        }
        return seen.live_ms && seen.predicts_ms && seen.whole_again_ms;
      },
      recovery_patience);
}

void torture::suffer(const cluster_fault& fault) {
  suffered seen;
  seen.fault = fault;
  seen.execution = fault.node == execution_;
  const auto* spec = system_.conf().find(fault.node);
  seen.models = spec != nullptr && spec->has(node_role::model);
  const auto page = executor();
  seen.in_flight = page.integer("live_orders") + page.integer("unknown_orders");
  seen.silent = (fault.kind == fault_kind::pause || fault.kind == fault_kind::black_hole || fault.kind == fault_kind::mute
                 || fault.kind == fault_kind::deaf)
                && fault.lasts >= long_enough;
  const auto before = system_.node_pid(fault.node);
  inflict(fault, seen);
  if (fault.kind == fault_kind::kill || fault.kind == fault_kind::stop_start) wait_until_gone(fault.node, before);
  const auto ended = monotonic_ns();
  recover(seen, before, ended);
  seen.agrees = agree();
  count_orders();
  look_at_mailboxes();
  std::fprintf(stderr, "%6.1f s  %-10s %-8s %5ld ms  noticed %ld  whole %ld  predicts %ld  live %ld ms  %s\n",
               static_cast<double>(fault.at.count()) / 1e9, std::string{name_of(fault.kind)}.c_str(), fault.node.c_str(),
               static_cast<long>(fault.lasts.count() / 1'000'000), static_cast<long>(seen.noticed_ms.value_or(-1)),
               static_cast<long>(seen.whole_again_ms.value_or(-1)), static_cast<long>(seen.predicts_ms.value_or(-1)),
               static_cast<long>(seen.live_ms.value_or(-1)), seen.agrees ? "agrees" : "does NOT agree");
  record_.faults.push_back(std::move(seen));
}

void torture::measure_memory(std::map<std::string, std::uint64_t>& out) const {
  for (const auto& node : system_.conf().nodes()) out[node.name.text] = system_.resident(node.name.text);
}

void torture::settle() {
  if (auto reduced = system_.set_trading(trading_state::reducing, "the torture ends"); !reduced) record_.unsettled = reduced.error().text;
  const auto at_rest = wait_until(
      [&] {
        const auto page = executor();
        return page.there() && page.integer("live_orders") + page.integer("unknown_orders") == 0;
      },
      settle_patience);
  if (!at_rest && record_.unsettled.empty()) record_.unsettled = "orders are open or unknown";
  count_orders();
}

void torture::check_training() {
  const auto root = system_.folder() / "data" / train_ / train_ / "checkpoints";
  auto store = checkpoint_store::open(real_disk(), {.root = root});
  const auto manifests = store ? store->list("cnn") : result<std::vector<checkpoint_manifest>>{store.error()};
  if (!manifests) {
    record_.troubles.push_back("training can't be checked: " + manifests.error().text);
    return;
  }
  const auto chain = check_training_chain(*manifests);
  record_.trained_twice = static_cast<std::int64_t>(chain.trained_twice);
  record_.training_gaps = static_cast<std::int64_t>(chain.gaps);
}

torture_record torture::run(const std::vector<cluster_fault>& plan) {
  const auto working = [&] {
    count_orders();
    const auto made = predictions_by_node();
    return record_.orders > 0 && !made.empty()
           && std::all_of(made.begin(), made.end(), [](const auto& n) { return n.second > 0; });
  };
  if (!wait_until(working, first_order_patience)) {
    record_.troubles.emplace_back("no order and no prediction before the first fault");
    return record_;
  }
  wanted_ = system_.actors();
  const auto begin = monotonic_ns();
  bool measured = false;
  for (const auto& fault : plan) {
    wait_until([&] { return monotonic_ns() - begin >= fault.at.count(); }, options_.length);
    if (!std::exchange(measured, true)) measure_memory(record_.resident_begin);
    if (monotonic_ns() - begin > std::chrono::nanoseconds{options_.length}.count()) break;
    suffer(fault);
  }
  wait_until([&] { return monotonic_ns() - begin >= std::chrono::nanoseconds{options_.length}.count(); }, options_.length);
  settle();
  measure_memory(record_.resident_end);
  const auto there = system_.actors();
  for (const auto& name : wanted_)
    if (std::find(there.begin(), there.end(), name) == there.end()) record_.actors_missing.push_back(name);
  record_.seconds = (monotonic_ns() - begin) / 1'000'000'000;
  record_.halt_kept = halt_outlives_a_kill();
  if (auto stopped = system_.stop(); !stopped) record_.troubles.push_back(stopped.error().text);
  if (!agree()) record_.troubles.emplace_back("journal and ledger do not agree at the end");
  if (auto found = system_.history()) record_.history = std::move(*found);
  else record_.troubles.push_back("the journal can't be read: " + found.error().text);
  check_training();
  return record_;
}

} // namespace

int torture_cluster(const cluster_torture_options& options) {
  const auto conf = options.nodes.empty() ? parse_nodes_conf(seven_nodes, "the torture's own nodes") : load_nodes_conf(options.nodes);
  if (!conf) {
    std::fprintf(stderr, "troupe: %s\n", conf.error().text.c_str());
    return 1;
  }
  nemesis_options nemesis;
  nemesis.seed = options.seed;
  nemesis.length = options.length;
  nemesis.longest_pause = std::min<nanoseconds>(60s, nanoseconds{options.length} / 10);
  const auto plan = plan_faults(victims_of(*conf), nemesis);
  if (options.plan_only) {
    std::cout << to_json(plan) << std::endl;
    return 0;
  }
  cluster_rig_options rig;
  rig.nodes = *conf;
  rig.folder = options.folder;
  rig.recordings = options.recordings;
  rig.seed = options.seed;
  rig.settings = load_of_orders();
  auto system = cluster_rig::start(rig);
  if (!system) {
    std::fprintf(stderr, "troupe: %s\n", system.error().text.c_str());
    return 1;
  }
  std::fprintf(stderr, "troupe: torture of a cluster of %zu nodes, seed %lu, %zu faults planned, whole after %ld ms, folder %s\n",
               (*system)->conf().nodes().size(), static_cast<unsigned long>(options.seed), plan.size(),
               static_cast<long>((*system)->ready_after().count()), (*system)->folder().c_str());
  torture one{**system, options};
  const auto record = one.run(plan);
  std::cout << to_json(record, options.limits) << std::endl;
  const auto missed = shortfalls(record, options.limits);
  for (const auto& line : missed) std::fprintf(stderr, "troupe: %s\n", line.c_str());
  return missed.empty() ? 0 : 1;
}

} // namespace troupe::cluster_torture
