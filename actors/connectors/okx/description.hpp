#pragma once

/// OKX as a venue: spot. Source: OKX API v5.

#include "actors/connectors/venue.hpp"

namespace troupe::okx {

/// okx: "BTC-USDT@okx".
const venue_description& description();

} // namespace troupe::okx
