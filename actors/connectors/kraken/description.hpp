#pragma once

/// Kraken, spot: WebSocket v2 and public REST.

#include "actors/connectors/venue.hpp"

namespace troupe::kraken {

const venue_description& description();

} // namespace troupe::kraken
