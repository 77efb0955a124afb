#include "tools/demo/observation.hpp"

#include "messages/learning.hpp"

namespace troupe::demo {
namespace {

constexpr auto feed_name = "feed/BTC-USDT@binance";
constexpr auto executor_name = "executor/main@binance";

/// Counters by horizon live on disk and only grow; an answer from an actor that is just opening is not taken.
void read_counts(const json_view& page, std::string_view key, std::array<std::int64_t, 4>& out) {
  const auto items = page.items(key);
  for (std::size_t i = 0; i < out.size() && i < items.size(); ++i)
    out[i] = std::max(out[i], items[i].integer(""));
}

void read_named_counts(const json_view& page, std::array<std::int64_t, 4>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::max(out[i], page.integer(name_of(all_horizons[i])));
}

} // namespace

void observation::round() {
  feed_round();
  learning_round();
  executor_round();
  if (const auto page = system_.actor_status("orchestrator"); page.there()) figures_.decisions.seen(page.integer("decisions"));
}

void observation::feed_round() {
  const auto page = system_.actor_status(feed_name);
  if (!page.there()) return;
  figures_.frames.seen(page.integer("frames"));
  figures_.levels.seen(page.integer("levels_applied"));
  figures_.gaps.seen(page.integer("gaps"));
  figures_.book = page.text("validity");
}

void observation::learning_round() {
  if (const auto page = system_.actor_status("store"); page.there()) {
    read_counts(page, "learning_counts.made", figures_.made);
    read_counts(page, "learning_counts.matured", figures_.matured);
    read_counts(page, "learning_counts.scored", figures_.scored);
    read_counts(page, "learning_counts.expired", figures_.expired);
  }
  const auto page = system_.actor_status("trainer/cnn");
  if (!page.there()) return;
  read_named_counts(page.at("trained_by_horizon"), figures_.trained);
  figures_.before.weights = page.text("first_weights");
  figures_.before.loss = page.real("first_loss");
  figures_.after.weights = page.text("weights");
  figures_.after.step = page.integer("steps");
  figures_.after.loss = page.real("loss");
  figures_.loss_samples = page.integer("loss_samples");
}

bool observation::executor_round() {
  const auto page = system_.actor_status(executor_name);
  if (!page.there()) return false;
  figures_.executor = page.text("state_name");
  figures_.orders = std::max(figures_.orders, page.integer("orders"));
  figures_.fills = std::max(figures_.fills, page.integer("fills"));
  figures_.denied = page.integer("denied");
  figures_.rejected = page.integer("rejected");
  figures_.live_orders = page.integer("live_orders");
  figures_.unknown_orders = page.integer("unknown_orders");
  figures_.equity = page.text("equity");
  figures_.position = page.text("position");
  return true;
}

} // namespace troupe::demo
