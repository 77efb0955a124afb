#pragma once

/// The generated market: an order-flow model that emits the same frames as a recording. Whoever shows it
/// must say GENERATED. Pure: randomness is one seed, time is the market clock's.
///
/// Model. A hidden fair price makes a Gaussian random walk; when it passes the best price of a side, or at
/// random, a market order takes from the book (sizes log-normal); limit orders set, and cancels delete,
/// levels at distances from the fair price drawn from a table of quantiles. Its rates, sizes and distances
/// are fitted to a recording (`fit_flow`). Best bid and ask are published whenever they change, diffs every
/// 100 ms.

#include "tools/venue_sim/market_source.hpp"

#include <array>
#include <deque>

namespace troupe::venue_sim {

/// Figures of a recording, and parameters of the model. Sizes and logs refer to the base asset.
struct flow_parameters {
  double trades_per_s = 0;
  double sets_per_s = 0;    ///< levels that got a new quantity, both sides
  double deletes_per_s = 0; ///< levels that vanished
  double buyer_maker_share = 0.5;
  double trade_log_mean = 0; ///< natural logarithm of trade sizes
  double trade_log_sd = 1;
  double level_log_mean = 0; ///< of level sizes
  double level_log_sd = 1;
  double mid_sd_per_sqrt_s = 0; ///< ticks
  double start_price = 0;
  std::array<double, 17> distance_quantiles{}; ///< ticks from the mid at 0, 1/16 … 1 of all level changes
};

/// Fits the parameters to a recording.
flow_parameters fit_flow(const recording& from);
/// The same as one JSON object.
std::string to_json(const flow_parameters& p);
/// Fitted to the recorded Binance spot BTCUSDT stream of 2024-08-08 23:54 … 2024-08-09 00:05 UTC.
const flow_parameters& btcusdt_flow();
/// The same market in which everything happens `activity` times as often: its time stretched or shortened, its
/// seconds as long as before.
flow_parameters with_activity(flow_parameters p, double activity);

class flow_market final : public market_source {
public:
  /// `start_ns` is the market time of the first event.
  flow_market(const flow_parameters& p, std::uint64_t seed, std::int64_t start_ns, venue_kind venue);

  [[nodiscard]] std::int64_t next_time() const override;
  const market_event& advance() override;
  void seek(std::int64_t market_ns) override;

private:
  struct pending {
    market_event event;
    std::vector<book_level> bids;
    std::vector<book_level> asks;
  };
  using changes = std::vector<std::pair<std::int64_t, std::int64_t>>; ///< ticks, quantity in steps; the newest last

  std::uint64_t draw();
  double uniform();
  double normal();
  [[nodiscard]] std::int64_t draw_size(double log_mean, double log_sd);
  [[nodiscard]] std::int64_t draw_distance();
  [[nodiscard]] std::int64_t best_bid() const { return bids_.begin()->first; }
  [[nodiscard]] std::int64_t best_ask() const { return asks_.begin()->first; }

  void fill_book();
  void step();
  void set_level(bool bid, std::int64_t ticks, std::int64_t steps);
  void limit_order();
  void cancel_order();
  void market_order(bool buy, std::int64_t steps);
  void keep_filled();
  void note_top();
  void emit_diff(std::int64_t at_ns);
  void plan_next();
  [[nodiscard]] book_level level(std::int64_t ticks, std::int64_t steps) const {
    return {ticks * shape_.tick_e8, steps * shape_.step_e8};
  }

  flow_parameters p_;
  std::uint64_t state_;
  double fair_ = 0; ///< ticks
  market_book::bid_map bids_; ///< ticks → quantity in steps
  market_book::ask_map asks_;
  changes changed_bids_;
  changes changed_asks_;
  std::int64_t update_id_ = 1'000'000'000;
  std::int64_t diffed_id_ = 0;
  std::int64_t trade_id_ = 1'000'000;
  std::int64_t top_[4] = {0, 0, 0, 0};
  std::int64_t now_ns_ = 0;
  std::int64_t next_step_ns_ = 0;
  std::int64_t next_diff_ns_ = 0;
  std::deque<pending> waiting_;
  pending current_;
};

} // namespace troupe::venue_sim
