#pragma once

/// MEXC (spot) as the connector, the feeds and the back-filler know it.

#include "actors/connectors/venue.hpp"

namespace troupe::mexc {

/// Sockets: wbs-api.mexc.com; REST: api.mexc.com.
/// Book channels: "aggre.depth@100ms" (default) and "aggre.depth@10ms" are changes joined with a REST image,
/// "limit.depth@20" is the best 20 levels as a whole.
const venue_description& description();

} // namespace troupe::mexc
