#pragma once

/// Bitfinex: public WebSocket v2 and REST v2.

#include "actors/connectors/venue.hpp"

namespace troupe::bitfinex {

const venue_description& description();

} // namespace troupe::bitfinex
