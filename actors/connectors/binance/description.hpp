#pragma once

/// Binance spot and USDⓈ-M as venues. Sources: binance-spot-api-docs (rest-api.md, web-socket-streams.md,
/// filters.md) and the USDⓈ-M pages of developers.binance.com.

#include "actors/connectors/venue.hpp"

namespace troupe::binance {

/// binance: spot.
const venue_description& description();

/// binance-usdm: linear perpetuals and futures margined in USDT and USDC.
const venue_description& usdm_description();

} // namespace troupe::binance
