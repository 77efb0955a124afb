#pragma once

/// KuCoin (spot) as the connector, the feeds and the back-filler know it.

#include "actors/connectors/venue.hpp"

namespace troupe::kucoin {

/// Sockets: the host of the ticket; REST: api.kucoin.com.
/// Book channels: "level2" (default) is changes joined with a REST image of the best 100 levels, so levels
/// beyond the image are known only once they change; "level2Depth50" is the best 50 levels as a whole.
const venue_description& description();

} // namespace troupe::kucoin
