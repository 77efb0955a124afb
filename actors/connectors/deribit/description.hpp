#pragma once

/// Deribit as a venue: futures, options and spot. Source: Deribit OpenAPI v2.1.1 and
/// docs.deribit.com.

#include "actors/connectors/venue.hpp"

namespace troupe::deribit {

/// deribit: "BTC-USD-PERP@deribit" is BTC-PERPETUAL.
const venue_description& description();

} // namespace troupe::deribit
