#pragma once

/// `troupe venue list` and `troupe venue check VENUE`.

#include "tools/cli/command.hpp"
#include "tools/venue_check/venue_check.hpp"

namespace troupe::cli {

/// Adds both below `troupe venue`.
void add_venue_check_commands(CLI::App& venue, global_options& global);

/// How a command reaches a venue: what is empty comes from venues.yaml.
struct venue_contact {
  std::string venue, rest, stream;
  std::filesystem::path authority;
  std::vector<std::string> instruments; ///< "BTC-USDT" or "BTC-USDT@bybit"; none: all configured ones
};

/// The same with the configuration's addresses, limits and instruments filled in.
result<venue_check_options> contact_options(const configuration& config, const venue_contact& arguments);

} // namespace troupe::cli
