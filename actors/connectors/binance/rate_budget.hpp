#pragma once

/// Binance's documented limits for the shared budget of requests.

#include "actors/connectors/rate_budget.hpp"

namespace troupe::binance {

/// Spot's documented limits: 6000 weight a minute, 61000 requests in 5 minutes (as recorded), 50
/// orders in 10 s.
rate_budget_options spot_limits();

/// USDⓈ-M: 2400 weight a minute, 300 orders in 10 s and 1200 a minute.
rate_budget_options usdm_limits();

} // namespace troupe::binance
