#pragma once

/// Bybit as a venue: spot, linear and inverse under one name. Source: bybit-exchange/docs, docs/v5.

#include "actors/connectors/venue.hpp"

namespace troupe::bybit {

/// bybit: "BTC-USDT@bybit" is spot, "BTC-USDT-PERP@bybit" the linear perpetual.
const venue_description& description();

} // namespace troupe::bybit
