#pragma once

/// Gate as a venue: spot. Source: Gate API v4, Spot WebSocket v4.

#include "actors/connectors/venue.hpp"

namespace troupe::gate {

/// gate: "BTC-USDT@gate" is BTC_USDT.
const venue_description& description();

} // namespace troupe::gate
