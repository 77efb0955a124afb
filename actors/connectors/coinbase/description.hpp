#pragma once

/// Coinbase, spot: Advanced Trade's public WebSocket and REST.

#include "actors/connectors/venue.hpp"

namespace troupe::coinbase {

const venue_description& description();

} // namespace troupe::coinbase
