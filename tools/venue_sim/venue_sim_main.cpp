#include "tools/venue_sim/server_parts.hpp"
#include "tools/venue_sim/venue_server.hpp"

namespace troupe::venue_sim {

int venue_sim_main(const venue_sim_options& options) {
  return run_until_told<venue_server>(options);
}

} // namespace troupe::venue_sim
