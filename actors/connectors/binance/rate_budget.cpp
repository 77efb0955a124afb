#include "actors/connectors/binance/rate_budget.hpp"

namespace troupe::binance {

using namespace std::chrono_literals;

rate_budget_options spot_limits() {
  return {.limits = {{"weight", 1min, 6000},
                     {"requests", 5min, 61'000},
                     {"orders", 10s, 50},
                     {"connects", 5min, 300}}};
}

rate_budget_options usdm_limits() {
  return {.limits = {{"weight", 1min, 2400},
                     {"orders", 10s, 300},
                     {"orders", 1min, 1200},
                     {"connects", 5min, 300}}};
}

} // namespace troupe::binance
