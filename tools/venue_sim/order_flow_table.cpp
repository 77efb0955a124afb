// The generated market's parameters: figures of the recorded Binance spot BTCUSDT stream of 2024-08-08 23:54
// to 2024-08-09 00:05 UTC (99,574 frames), as `troupe venue sim --fit` prints them. Of the distances the last
// one, a level 138,000 USDT away, is cut to 400 USDT.

#include "tools/venue_sim/order_flow.hpp"

namespace troupe::venue_sim {

const flow_parameters& btcusdt_flow() {
  static const flow_parameters fitted{.trades_per_s = 30.593,
                                      .sets_per_s = 239.234,
                                      .deletes_per_s = 218.951,
                                      .buyer_maker_share = 0.543,
                                      .trade_log_mean = -6.622,
                                      .trade_log_sd = 2.605,
                                      .level_log_mean = -3.079,
                                      .level_log_sd = 2.654,
                                      .mid_sd_per_sqrt_s = 733.3,
                                      .start_price = 61837.63,
                                      .distance_quantiles = {0.5, 67.5, 240.5, 451, 732.5, 1099.5, 1557.5,
                                                             2027.5, 2598.5, 3478.5, 4679.5, 5983.5, 7859.5,
                                                             10036.5, 12461.5, 23894.5, 40000}};
  return fitted;
}

} // namespace troupe::venue_sim
