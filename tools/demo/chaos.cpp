#include "tools/demo/chaos.hpp"

#include <array>

namespace troupe::demo {
namespace {

using namespace std::chrono_literals;

constexpr auto recovery_patience = 15s;
constexpr auto live_patience = 45s;
/// How long a kill of the exec process waits for orders in flight, so that it hurts.
constexpr auto order_patience = 3s;

/// The order of kills; "" is a random actor.
constexpr std::array<std::string_view, 8> turns{"exec", "model", "", "train", "exec", "ingest", "", "exec"};

/// Actors that may be killed at random, wherever they run.
constexpr std::array<std::string_view, 9> victims{
    "feed/BTC-USDT@binance",         "connector/binance",           "predictor/BTC-USDT@binance/1m",
    "predictor/BTC-USDT@binance/5m", "store",                       "orchestrator",
    "risk",                          "executor/main@binance",       "model/cnn"};

/// The actor whose state shows that a node does its work again.
std::string_view witness_of(std::string_view node) {
  if (node == "exec") return "executor/main@binance";
  if (node == "ingest") return "feed/BTC-USDT@binance";
  if (node == "model") return "model/cnn";
  return "trainer/cnn";
}

/// Whether an actor that answers also does its work.
bool works(std::string_view actor, const json_view& page) {
  if (!page.there()) return false;
  if (actor.starts_with("executor/")) return page.text("state_name") == "live";
  if (actor.starts_with("feed/")) return page.text("validity") == "valid";
  return true;
}

} // namespace

bool works_anew(std::string_view actor, const std::string& before, const actor_answer& now) {
  return !now.identity.empty() && now.identity != before && works(actor, now.page);
}

std::chrono::seconds chaos::patience() const { return system_.source().kind == "live" ? live_patience : recovery_patience; }

void chaos::strike() {
  const auto next = turns[turn_++ % turns.size()];
  if (next.empty()) kill_random_actor();
  else kill_process(std::string{next});
}

bool chaos::works_again(const std::string& node) {
  if (!system_.node_ready(node)) return false;
  const auto state = system_.actor_status(std::string{witness_of(node)});
  if (node == "model") return state.integer("inferences") > 0;
  return works(witness_of(node), state);
}

void chaos::kill_process(const std::string& node) {
  bool in_flight = false;
  if (node == "exec") {
    // Kill it while orders rest or are on their way: that is when it hurts.
    rig::wait_until(
        [&] {
          seen_.executor_round();
          const auto& now = seen_.figures();
          return in_flight = now.live_orders + now.unknown_orders > 0;
        },
        order_patience);
  }
  const auto before = system_.node_pid(node);
  if (auto done = system_.kill_node(node); !done) {
    figures_.log.push_back("kill of " + node + " was refused: " + done.error().text);
    return;
  }
  ++figures_.kills;
  ++figures_.process_kills;
  if (in_flight) ++figures_.with_orders_in_flight;
  const auto after = rig::wait_until(
      [&] { return system_.node_pid(node) != before && works_again(node); }, patience());
  recovered(node, "process " + node + (in_flight ? " with orders in flight" : ""), after);
}

void chaos::kill_random_actor() {
  const auto victim = std::string{victims[random_() % victims.size()]};
  const auto before = system_.ask_actor(victim).identity;
  if (before.empty()) {
    figures_.log.push_back("actor " + victim + " could not be asked, so it was not killed");
    return;
  }
  const auto replaced = [&] { return works_anew(victim, before, system_.ask_actor(victim)); };
  if (auto done = system_.kill_actor(victim); !done) {
    figures_.log.push_back("kill of actor " + victim + " was refused: " + done.error().text);
    return;
  }
  ++figures_.kills;
  ++figures_.actor_kills;
  if (victim.starts_with("executor/") && seen_.figures().live_orders > 0) ++figures_.with_orders_in_flight;
  recovered("actor", "actor " + victim, rig::wait_until(replaced, patience()));
}

void chaos::recovered(const std::string& kind, const std::string& what, std::optional<std::chrono::milliseconds> after) {
  if (!after) {
    ++figures_.not_recovered;
    figures_.log.push_back(what + ": did not recover");
    return;
  }
  auto& longest = figures_.longest_recovery_ms[kind];
  longest = std::max<std::int64_t>(longest, after->count());
  figures_.log.push_back(what + ": back after " + std::to_string(after->count()) + " ms");
}

} // namespace troupe::demo
