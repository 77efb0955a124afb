#pragma once

/// What the configuration says of a venue's sockets.

#include "actors/connectors/quiet_times.hpp"
#include "actors/connectors/venue.hpp"
#include "runtime/config/configuration.hpp"

namespace troupe::node {

/// `venues.VENUE.quiet.*`; 0 where nothing is given.
inline quiet_times configured_quiet_times(const configuration& config, const std::string& venue) {
  const auto of = [&](const char* what) { return config.duration("venues." + venue + ".quiet." + what); };
  return {of("book"), of("trades"), of("bbo"), of("heartbeat")};
}

/// The venue's traits with them.
inline protocol_traits configured_traits(const configuration& config, const venue_description& venue) {
  return with_quiet_times(venue.traits, configured_quiet_times(config, std::string{venue.name}));
}

} // namespace troupe::node
