#pragma once

/// HTX (spot, linear and inverse swaps) as the connector, the feeds and the back-filler know it.

#include "actors/connectors/venue.hpp"

namespace troupe::htx {

/// Sockets: /ws and /feed at api.huobi.pro, /swap-ws and /linear-swap-ws at api.hbdm.com; REST: paths
/// beginning with /swap- and /linear-swap- at api.hbdm.com, all others at api.huobi.pro.
/// Book channels: "depth.step0" (default) is the best 150 levels as a whole, of any instrument; "mbp.150" and
/// "mbp.400" are spot's chained changes, "depth.size_150.high_freq" those of swaps: instruments that don't
/// have the chosen channel get no book.
const venue_description& description();

} // namespace troupe::htx
