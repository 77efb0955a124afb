#include "tools/demo/summary.hpp"

#include "messages/json.hpp"
#include "messages/learning.hpp"

#include <array>

namespace troupe::demo {
namespace {

constexpr std::int64_t least_orders = 50;
constexpr std::int64_t least_fills = 10;
constexpr std::int64_t least_kills = 10;
constexpr std::int64_t least_kills_in_flight = 3;
/// Live: time until predictions are made, and for as many of them as one training step takes in.
constexpr std::int64_t live_warm_up_s = 60;
constexpr std::int64_t live_batch_s = 200;
/// Live: a chaos run shorter than this may end before its first kill.
constexpr std::int64_t live_first_kill_s = 45;
constexpr std::array<std::int64_t, 4> horizon_s{60, 300, 900, 3600};

void write_model(json_writer& w, std::string_view name, const model_figures& model) {
  w.key(name)
      .begin_object()
      .field("weights", model.weights)
      .field("step", model.step)
      .field("loss", model.loss)
      .end_object();
}

void write_predictions(json_writer& w, const run_figures& f) {
  w.key("predictions").begin_object();
  for (std::size_t i = 0; i < all_horizons.size(); ++i)
    w.key(name_of(all_horizons[i]))
        .begin_object()
        .field("made", f.made[i])
        .field("matured", f.matured[i])
        .field("scored", f.scored[i])
        .field("expired", f.expired[i])
        .field("trained", f.trained[i])
        .end_object();
  w.end_object();
}

/// Collects what was not reached.
struct judgement {
  std::vector<std::string> out;

  void at_least(std::int64_t have, std::int64_t want, const std::string& what) {
    if (have < want) out.push_back(what + ": " + std::to_string(have) + " instead of at least " + std::to_string(want));
  }
  void none(std::int64_t have, const std::string& what) {
    if (have != 0) out.push_back(what + ": " + std::to_string(have) + " instead of none");
  }
};

void judge_whole(const run_summary& run, judgement& j) {
  const auto& f = run.figures;
  j.at_least(f.orders, least_orders, "orders");
  j.at_least(f.fills, least_fills, "fills");
  for (std::size_t i = 0; i < all_horizons.size(); ++i)
    j.at_least(f.matured[i], 1, "predictions matured over " + std::string{name_of(all_horizons[i])});
  for (const std::size_t i : {0, 1})
    j.at_least(f.trained[i], 1, "predictions trained on over " + std::string{name_of(all_horizons[i])});
  if (!run.chaos) return;
  j.at_least(run.kills.kills, least_kills, "kills");
  j.at_least(run.kills.with_orders_in_flight, least_kills_in_flight, "kills with orders in flight");
}

/// Nothing is asked of a live run that its length does not make certain: it may be a quiet hour without an order.
void judge_live(const run_summary& run, judgement& j) {
  const auto& f = run.figures;
  j.at_least(f.frames.total(), 1, "frames");
  if (f.book != "valid") j.out.push_back("the book is '" + f.book + "' at the end instead of valid");
  for (std::size_t i = 0; i < all_horizons.size(); ++i) {
    const std::string over{name_of(all_horizons[i])};
    if (run.seconds >= horizon_s[i] + live_warm_up_s) j.at_least(f.matured[i], 1, "predictions matured over " + over);
    if (run.seconds >= horizon_s[i] + live_warm_up_s + live_batch_s)
      j.at_least(f.trained[i], 1, "predictions trained on over " + over);
  }
  if (run.chaos && run.seconds >= live_first_kill_s) j.at_least(run.kills.kills, 1, "kills");
}

void judge_ledger(const run_summary& run, judgement& j) {
  if (!run.ledger_error.empty()) j.out.push_back("journal and ledger can't be compared: " + run.ledger_error);
  if (!run.ledger) return;
  j.none(static_cast<std::int64_t>(run.ledger->lost.size()), "orders lost");
  j.none(static_cast<std::int64_t>(run.ledger->duplicated.size()), "orders duplicated");
  j.none(static_cast<std::int64_t>(run.ledger->fills_missing.size()), "fills missing in the journal");
  j.none(static_cast<std::int64_t>(run.ledger->fills_extra.size()), "fills only in the journal");
  j.none(static_cast<std::int64_t>(run.ledger->fills_differ.size()), "fills that differ");
}

} // namespace

std::string summary_json(const run_summary& run) {
  const auto& f = run.figures;
  json_writer w;
  w.begin_object()
      .field("source", run.source)
      .field("speed", run.speed, 3)
      .field("seconds", run.seconds)
      .field("interrupted", run.interrupted)
      .field("settled", run.started && run.unsettled.empty())
      .field("seed", run.seed)
      .field("folder", run.folder)
      .field("frames", f.frames.total())
      .field("levels", f.levels.total())
      .field("gaps", f.gaps.total());
  write_predictions(w, f);
  w.key("model").begin_object();
  write_model(w, "before", f.before);
  write_model(w, "after", f.after);
  w.field("loss_samples", f.loss_samples).end_object();
  w.field("decisions", f.decisions.total())
      .field("orders", f.orders)
      .field("fills", f.fills)
      .field("denied", f.denied)
      .field("rejected", f.rejected)
      .field("equity", f.equity)
      .field("position", f.position)
      .field("restarts", run.restarts)
      .field("kills", run.kills.kills);
  if (run.chaos) {
    w.field("kills_with_orders_in_flight", run.kills.with_orders_in_flight).field("not_recovered", run.kills.not_recovered);
    w.key("longest_recovery_ms").begin_object();
    for (const auto& [kind, ms] : run.kills.longest_recovery_ms) w.field(kind, ms);
    w.end_object().key("kill_log").begin_array();
    for (const auto& line : run.kills.log) w.string(line);
    w.end_array();
  }
  if (run.ledger) {
    w.field("orders_lost", run.ledger->lost.size())
        .field("orders_duplicated", run.ledger->duplicated.size())
        .key("ledger")
        .raw(run.ledger->to_json());
  } else w.field("ledger", run.ledger_error.empty() ? "none: paper venue" : run.ledger_error);
  w.field("trained_twice", run.trained_twice).field("training_gaps", run.training_gaps);
  w.key("shortfalls").begin_array();
  for (const auto& line : shortfalls(run)) w.string(line);
  w.end_array().end_object();
  return std::move(w).text();
}

std::vector<std::string> shortfalls(const run_summary& run) {
  judgement j;
  if (!run.started) return {};
  if (!run.lost_node.empty()) j.out.push_back(run.lost_node);
  if (run.source == "live") {
    if (run.whole) judge_live(run, j);
  } else if (run.whole) judge_whole(run, j);
  j.none(run.trained_twice, "snapshots trained on twice");
  j.none(run.training_gaps, "snapshots left out of training");
  if (!run.training_error.empty()) j.out.push_back("training can't be checked: " + run.training_error);
  if (run.chaos) j.none(run.kills.not_recovered, "kills without recovery");
  if (!run.unsettled.empty()) j.out.push_back("not at rest at the end: " + run.unsettled);
  judge_ledger(run, j);
  return std::move(j.out);
}

} // namespace troupe::demo
