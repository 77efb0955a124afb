#include "tools/node/metrics_table.hpp"

#include <cassert>
#include <utility>

namespace troupe::node {
namespace {

using enum metric_type;

constexpr double nano = 1e-9;
constexpr double micro = 1e-6;
constexpr double milli = 1e-3;

constexpr metric_row rows[] = {
    // --- feeds -----------------------------------------------------------------------------------
    {"troupe_feed_valid",
     gauge,
     "1 while the book is contiguous, uncrossed and fresh, else 0.",
     "feed",
     "validity",
     1,
     {},
     {},
     "valid"},
    {"troupe_feed_age_seconds", gauge, "Market time since the book changed last.", "feed", "age", nano},
    {"troupe_feed_lag_p50_seconds", gauge, "Median delay of frames, above the clock's offset.", "feed",
     "lag_p50", nano},
    {"troupe_feed_lag_p99_seconds", gauge,
     "99th percentile of the delay of frames, above the clock's offset.", "feed", "lag_p99", nano},
    {"troupe_feed_clock_offset_seconds", gauge,
     "Receive time less venue time at its least: clocks, and the shortest way.", "feed", "clock_offset",
     nano},
    {"troupe_feed_frames_total", counter, "Frames of the venue that the feed took.", "feed", "frames"},
    {"troupe_feed_damaged_frames_total", counter, "Frames that could not be decoded.", "feed",
     "damaged_frames"},
    {"troupe_feed_unknown_frames_total", counter, "Frames of a kind that is not known.", "feed",
     "unknown_frames"},
    {"troupe_feed_changes_total", counter, "Changes applied to the book.", "feed", "diffs_applied"},
    {"troupe_feed_gaps_total", counter, "Gaps in the venue's sequence.", "feed", "gaps"},
    {"troupe_feed_crossed_total", counter, "Times the book was crossed.", "feed", "crossed"},
    {"troupe_feed_resyncs_total", counter, "Times the book was dropped and built anew.", "feed", "resyncs"},
    {"troupe_feed_checksums_compared_total", counter, "Checksums of the venue that were compared.", "feed",
     "checksums_compared"},
    {"troupe_feed_checksums_equal_total", counter, "Checksums of the venue that agreed.", "feed",
     "checksums_equal"},
    {"troupe_feed_quotes_compared_total", counter,
     "Best bids and asks of the venue that were compared with the book.", "feed", "quotes_compared"},
    {"troupe_feed_quotes_equal_total", counter, "Best bids and asks of the venue that agreed with the book.",
     "feed", "quotes_equal"},
    {"troupe_feed_best_agreed_total", counter,
     "Best bids and asks without a number that the book had or passed at their time.", "feed", "best_agreed"},
    {"troupe_feed_best_disagreed_total", counter,
     "Best bids and asks without a number that the book did not have around their time.", "feed",
     "best_disagreed"},
    {"troupe_feed_trades_total", counter, "Trades heard.", "feed", "trades"},
    {"troupe_feed_trade_gaps_total", counter, "Gaps in the venue's trade numbers.", "feed", "trade_gaps"},
    {"troupe_feed_bars_stored_total", counter, "Bars that the store has confirmed.", "feed", "bars_stored"},
    {"troupe_feed_bars_lost_total", counter, "Bars that never reached the store.", "feed", "bars_lost"},
    {"troupe_feed_bid_levels", gauge, "Price levels of the bid side.", "feed", "bid_levels"},
    {"troupe_feed_ask_levels", gauge, "Price levels of the ask side.", "feed", "ask_levels"},

    // --- connectors ------------------------------------------------------------------------------
    {"troupe_connector_received_bytes_total", counter, "Bytes received from the venue's sockets.",
     "connector", "bytes"},
    {"troupe_connector_lag_seconds", gauge, "Time a frame waits between socket and feed.", "connector",
     "lag_ns", nano},
    {"troupe_connector_used_weight", gauge, "REST weight used in the running window.", "connector",
     "used_weight"},
    {"troupe_connector_budget_refusals_total", counter, "REST requests held back by our own budget.",
     "connector", "budget_refusals"},
    {"troupe_connector_bans_total", counter, "Times the venue told us to stay away.", "connector", "bans"},
    {"troupe_connector_image_failures_total", counter, "Book images that could not be fetched.", "connector",
     "image_failures"},
    {"troupe_connector_undelivered_frames_total", counter, "Frames that no feed took.", "connector",
     "undelivered_frames"},
    {"troupe_connector_pauses_total", counter, "Times reading was paused because feeds were behind.",
     "connector", "pauses"},
    {"troupe_connector_session_connects_total", counter, "Connections made, by session.", "connector",
     "connects", 1, "sessions", "session=#"},
    {"troupe_connector_session_failures_total", counter, "Connections that failed, by session.", "connector",
     "failures", 1, "sessions", "session=#"},
    {"troupe_connector_session_messages_total", counter, "Messages received, by session.", "connector",
     "messages", 1, "sessions", "session=#"},
    {"troupe_connector_session_breaker_opens_total", counter, "Times the circuit breaker opened, by session.",
     "connector", "breaker_opens", 1, "sessions", "session=#"},
    {"troupe_connector_connected", gauge, "1 while the session of the instrument stands.", "connector",
     "connected", 1, "instruments", "instrument=instrument"},

    // --- merged books ----------------------------------------------------------------------------
    {"troupe_consolidator_venues_joined", gauge, "Books that are part of the merged one.", "consolidator",
     "joined"},
    {"troupe_consolidator_venues_known", gauge, "Books that should be part of the merged one.",
     "consolidator", "venues_known"},
    {"troupe_consolidator_arbitrages_total", counter,
     "Times one venue's bid was above another's ask after fees.", "consolidator", "arbitrages"},

    // --- back-fill -------------------------------------------------------------------------------
    {"troupe_backfill_bars_total", counter, "Bars fetched from the venue and stored.", "backfiller",
     "stored"},
    {"troupe_backfill_store_failures_total", counter, "Bars that the store refused.", "backfiller",
     "store_failures"},

    // --- predictions -----------------------------------------------------------------------------
    {"troupe_predictor_predictions_total", counter, "Predictions made.", "predictor", "made"},
    {"troupe_predictor_abstentions_total", counter, "Instants at which no prediction was made.", "predictor",
     "abstained"},
    {"troupe_predictor_scored_total", counter, "Predictions whose outcome is known.", "predictor", "scored"},
    {"troupe_predictor_expired_total", counter, "Predictions whose outcome came too late or never.",
     "predictor", "expired"},
    {"troupe_predictor_model_errors_total", counter, "Questions that the model did not answer.", "predictor",
     "model_errors"},
    {"troupe_predictor_pending", gauge, "Predictions that wait for their outcome.", "predictor", "pending"},
    {"troupe_predictor_hit_ratio", gauge, "Share of scored predictions whose direction was right.",
     "predictor", "hit_rate"},
    {"troupe_predictor_brier_score", gauge, "Mean Brier score of the scored predictions; smaller is better.",
     "predictor", "mean_brier"},

    // --- models ----------------------------------------------------------------------------------
    {"troupe_model_ready", gauge, "1 while the model serves a checkpoint.", "model", "ready"},
    {"troupe_model_step", gauge, "Training step of the checkpoint that serves.", "model", "step"},
    {"troupe_model_inferences_total", counter, "Predictions computed.", "model", "inferences"},
    {"troupe_model_batches_total", counter, "Batches computed.", "model", "batches"},
    {"troupe_model_latency_p50_seconds", gauge, "Median time from question to answer within the model.",
     "model", "p50_us", micro},
    {"troupe_model_latency_p99_seconds", gauge, "99th percentile of the time from question to answer.",
     "model", "p99_us", micro},
    {"troupe_model_expired_total", counter, "Questions that were too old when their turn came.", "model",
     "expired"},
    {"troupe_model_overloaded_total", counter, "Questions refused because the queue was full.", "model",
     "overloaded"},
    {"troupe_model_swaps_total", counter, "Checkpoints taken into service.", "model", "swaps"},
    {"troupe_model_refused_checkpoints_total", counter, "Checkpoints that were damaged or did not fit.",
     "model", "refused_checkpoints"},

    // --- training --------------------------------------------------------------------------------
    {"troupe_trainer_steps_total", counter, "Training steps.", "trainer", "steps"},
    {"troupe_trainer_samples_total", counter, "Samples trained on.", "trainer", "trained"},
    {"troupe_trainer_replayed_total", counter, "Samples drawn again from replay memory.", "trainer",
     "replayed"},
    {"troupe_trainer_loss", gauge, "Moving loss.", "trainer", "loss"},
    {"troupe_trainer_checkpoints_total", counter, "Checkpoints written.", "trainer", "checkpoints"},
    {"troupe_trainer_consumed_samples", gauge, "Samples of the training stream that were taken.", "trainer",
     "consumed"},
    {"troupe_trainer_stored_samples", gauge, "Samples of the training stream that are in the store.",
     "trainer", "newest_in_store"},
    {"troupe_trainer_trained_twice_total", counter, "Samples that entered training twice; must stay 0.",
     "trainer", "chain.trained_twice"},
    {"troupe_trainer_write_errors_total", counter, "Checkpoints that could not be written.", "trainer",
     "write_errors"},

    // --- storage ---------------------------------------------------------------------------------
    {"troupe_store_open", gauge, "1 while the store is open.", "store", "open"},
    {"troupe_store_puts_total", counter, "Records stored.", "store", "puts"},
    {"troupe_store_bars_total", counter, "Bars stored.", "store", "bars"},
    {"troupe_store_failures_total", counter, "Writes that failed.", "store", "failures"},
    {"troupe_store_slowest_sync_seconds", gauge, "Slowest synced write since the start.", "store",
     "slowest_sync_ns", nano},
    {"troupe_journal_records_total", counter, "Records of the order journal.", "journal", "records"},
    {"troupe_journal_durable_records_total", counter, "Records of the order journal that are on disk.",
     "journal", "durable"},
    {"troupe_journal_bytes_total", counter, "Bytes appended to the order journal.", "journal", "bytes"},
    {"troupe_journal_syncs_total", counter, "Syncs of the order journal.", "journal", "syncs"},
    {"troupe_journal_commit_mean_seconds", gauge, "Mean time of a group commit, its sync included.",
     "journal", "commit_ns_mean", nano},
    {"troupe_journal_commit_max_seconds", gauge, "Longest group commit since the start.", "journal",
     "commit_ns_max", nano},

    // --- trading ---------------------------------------------------------------------------------
    {"troupe_executor_live",
     gauge,
     "1 while the executor may send orders.",
     "executor",
     "state_name",
     1,
     {},
     {},
     "live"},
    {"troupe_executor_session_up", gauge, "1 while the session with the venue stands.", "executor",
     "session_up"},
    {"troupe_executor_epoch", gauge, "Epoch that fences older executors of the account.", "executor",
     "epoch"},
    {"troupe_executor_intents_total", counter, "Intents journaled.", "executor", "intents"},
    {"troupe_executor_orders_total", counter, "Orders the venue took.", "executor", "orders"},
    {"troupe_executor_fills_total", counter, "Fills booked.", "executor", "fills"},
    {"troupe_executor_rejected_total", counter, "Orders the venue refused.", "executor", "rejected"},
    {"troupe_executor_denied_total", counter, "Orders risk refused; never sent.", "executor", "denied"},
    {"troupe_executor_alarms_total", counter, "Differences with the venue that need a person.", "executor",
     "alarms"},
    {"troupe_executor_open_orders", gauge, "Orders that rest at the venue.", "executor", "live_orders"},
    {"troupe_executor_unknown_orders", gauge, "Orders whose fate is not known yet.", "executor",
     "unknown_orders"},
    {"troupe_executor_oldest_unknown_seconds", gauge, "Age of the oldest order whose fate is not known.",
     "executor", "oldest_unknown", nano},
    {"troupe_executor_lease_seconds", gauge, "How long risk's permission still holds.", "executor",
     "lease_left_ns", nano},
    {"troupe_executor_equity", gauge, "Equity in the quote asset at the mid.", "executor", "equity"},
    {"troupe_executor_position", gauge, "Net position in the base asset.", "executor", "position", 1,
     "instruments", "instrument=instrument"},
    {"troupe_executor_realised", gauge, "Realised profit in the quote asset.", "executor", "realised", 1,
     "instruments", "instrument=instrument"},
    {"troupe_risk_halted", gauge, "1 while trading is halted.", "risk", "state", 1, {}, {}, "halted"},
    {"troupe_risk_reducing",
     gauge,
     "1 while only reducing orders may be sent.",
     "risk",
     "state",
     1,
     {},
     {},
     "reducing"},
    {"troupe_risk_approved_total", counter, "Orders that passed risk.", "risk", "approved"},
    {"troupe_risk_denied_total",
     counter,
     "Orders that risk refused, by reason.",
     "risk",
     {},
     1,
     "denied",
     "code=@"},
    {"troupe_orchestrator_decisions_total", counter, "Decisions, by instrument.", "orchestrator", "decisions",
     1, "instruments", "instrument=instrument"},
    {"troupe_orchestrator_abstentions_total", counter, "Instants without a decision, by instrument.",
     "orchestrator", "abstained", 1, "instruments", "instrument=instrument"},
    {"troupe_orchestrator_signal", gauge, "Fused signal, -1 to 1, by instrument.", "orchestrator",
     "score_ppm", micro, "instruments", "instrument=instrument"},

    // --- cluster ---------------------------------------------------------------------------------
    {"troupe_peer_up", gauge, "1 while the other node is a member.", "member", "state", 1, "peers",
     "peer=node", "up"},
    {"troupe_peer_suspicion", gauge, "Suspicion of the failure detector.", "member", "suspicion", 1, "peers",
     "peer=node"},
    {"troupe_peer_silence_seconds", gauge, "Time since the other node was heard.", "member", "silence_ms",
     milli, "peers", "peer=node"},
    {"troupe_peer_round_trip_seconds", gauge, "Round trip to the other node.", "member", "round_trip_us",
     micro, "peers", "peer=node"},
    {"troupe_peer_joins_total", counter, "Times the other node joined.", "member", "joins", 1, "peers",
     "peer=node"},
    {"troupe_peer_names", gauge, "Names of the other node that this one knows.", "member", "names", 1,
     "peers", "peer=node"},
    {"troupe_link_received_bytes_total", counter, "Bytes received over TLS, by peer.", "node", "bytes_in", 1,
     "links.links", "peer=peer"},
    {"troupe_link_sent_bytes_total", counter, "Bytes sent over TLS, by peer.", "node", "bytes_out", 1,
     "links.links", "peer=peer"},
    {"troupe_link_round_trip_seconds", gauge, "Round trip of the TLS link as TCP measures it, by peer.",
     "node", "round_trip_us", micro, "links.links", "peer=peer"},
    {"troupe_link_silence_seconds", gauge, "Time since the TLS link brought anything, by peer.", "node",
     "silent_ms", milli, "links.links", "peer=peer"},
    {"troupe_link_opened_total", counter, "TLS links made, by peer.", "node", "opened", 1, "links.peers",
     "peer=peer"},
    {"troupe_link_faults_total", counter, "TLS links that failed, by peer.", "node", "faults", 1,
     "links.peers", "peer=peer"},
    {"troupe_link_refused_total",
     counter,
     "Connections to the cluster port that were refused, by reason.",
     "node",
     {},
     1,
     "links.refused",
     "why=@"},
    {"troupe_link_certificate_left_seconds", gauge, "Time until the node's own certificate ends.", "node",
     "links.certificate_days_left", 86400},
    {"troupe_cluster_asks_failed_total", counter, "Questions failed because their node went down.", "member",
     "asks_failed"},
    {"troupe_cluster_name_conflicts_total", counter, "Names that two nodes claimed.", "member",
     "name_conflicts"},
};

/// What the page knows without asking an actor; the code that makes it is in metrics_page.cpp and
/// runtime/telemetry.
struct page_row {
  std::string_view name;
  metric_type type;
  std::string_view help;
  std::string_view label;
};

constexpr page_row page_rows[] = {
    {"troupe_build_info", gauge, "1, with the build and the message schema of the node.", "build,schema"},
    {"troupe_actors", gauge, "Live actors, by kind.", "kind"},
    {"troupe_actor_mailbox_messages", gauge, "Messages that wait, by kind.", "kind"},
    {"troupe_actor_mailbox_age_seconds", gauge, "Age of the oldest sampled message that waits, by kind.",
     "kind"},
    {"troupe_actor_messages_total", counter, "Messages handled, by kind.", "kind"},
    {"troupe_actor_errors_total", counter, "Handlers that failed, by kind.", "kind"},
    {"troupe_actor_unexpected_total", counter, "Messages without a handler, by kind.", "kind"},
    {"troupe_actor_restarts_total", counter, "Restarts, by kind.", "kind"},
    {"troupe_actor_suspended", gauge, "Actors that an operator suspended, by kind.", "kind"},
    {"troupe_actor_handler_p99_seconds", gauge, "Slowest actor's 99th percentile of handler time, by kind.",
     "kind"},
    {"troupe_actor_report_age_seconds", gauge,
     "Time since the actor gave its report last; an actor that is stuck gives none.", "actor"},
    {"troupe_stuck_handlers", gauge, "Handlers that have run for longer than 100 ms.", ""},
    {"troupe_longest_handler_seconds", gauge, "How long the longest of them has run.", ""},
    {"troupe_page_age_seconds", gauge,
     "Time since the node's actors made this page; it grows when the scheduler is stuck.", ""},
    {"troupe_metrics_truncated_total", counter, "Lines left out because a metric had too many.", ""},
    {"troupe_scrape_seconds", gauge, "What answering the scrape before this one cost.", ""},
    {"troupe_disk_free_bytes", gauge, "Free space of the file system that holds the data folder.", ""},
    {"troupe_disk_size_bytes", gauge, "Size of the file system that holds the data folder.", ""},
    {"process_cpu_seconds_total", counter, "User and system time of the process.", ""},
    {"process_resident_memory_bytes", gauge, "Memory of the process that lies in RAM.", ""},
    {"process_virtual_memory_bytes", gauge, "Address space of the process.", ""},
    {"process_open_fds", gauge, "Open file descriptors.", ""},
    {"process_max_fds", gauge, "Most file descriptors the process may open.", ""},
    {"process_threads", gauge, "Threads of the process.", ""},
    {"process_start_time_seconds", gauge, "When the process started, seconds since 1970.", ""},
};

struct named_labels {
  std::string_view report;
  std::string_view labels; ///< of the parts behind the slash, in order
};

/// What stands behind the slash of an actor's name.
constexpr named_labels actor_labels[] = {
    {"feed", "instrument"},  {"connector", "venue"}, {"consolidator", "symbol"},
    {"backfiller", "venue"}, {"model", "model"},     {"trainer", "model"},
    {"executor", "account"}, {"journal", "account"}, {"predictor", "instrument,horizon"},
};

std::string_view take_until(std::string_view& text, char at) {
  const auto end = text.find(at);
  const auto out = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return out;
}

} // namespace

std::span<const metric_row> metric_rows() {
  return rows;
}

metric_family empty_family(std::string_view name) {
  for (const auto& row : page_rows)
    if (row.name == name) return {std::string{row.name}, std::string{row.help}, row.type, {}};
  assert(false && "metric is not in the table");
  return {};
}

std::vector<metric_label> labels_of_actor(std::string_view actor) {
  std::vector<metric_label> out;
  const auto report = take_until(actor, '/');
  for (const auto& known : actor_labels) {
    if (known.report != report) continue;
    auto labels = known.labels;
    while (!labels.empty() && !actor.empty()) {
      const auto label = take_until(labels, ',');
      // The last label takes all that is left: names of accounts and models may hold a slash.
      const auto value = labels.empty() ? std::exchange(actor, {}) : take_until(actor, '/');
      out.emplace_back(label, value);
      const auto at = value.find('@');
      if ((label == "instrument" || label == "account") && at != std::string_view::npos)
        out.emplace_back("venue", value.substr(at + 1));
    }
  }
  return out;
}

std::vector<metric_description> all_metrics() {
  std::vector<metric_description> out;
  for (const auto& row : page_rows) {
    metric_description one{std::string{row.name}, row.type, std::string{row.help}, {"node"}};
    for (auto labels = row.label; !labels.empty();)
      one.labels.emplace_back(take_until(labels, ','));
    out.push_back(std::move(one));
  }
  for (const auto& row : metric_rows()) {
    if (!out.empty() && out.back().name == row.name) continue;
    metric_description one{std::string{row.name}, row.type, std::string{row.help}, {"node"}};
    for (const auto& known : actor_labels)
      if (known.report == row.report) {
        auto labels = known.labels;
        while (!labels.empty()) {
          const auto label = take_until(labels, ',');
          one.labels.emplace_back(label);
          if (label == "instrument" || label == "account") one.labels.emplace_back("venue");
        }
      }
    if (!row.label.empty()) one.labels.emplace_back(row.label.substr(0, row.label.find('=')));
    out.push_back(std::move(one));
  }
  return out;
}

} // namespace troupe::node
