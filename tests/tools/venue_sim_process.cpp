// A process that is nothing but the simulator: venue_sim_process FOLDER [name=value …]

#include "tools/venue_sim/venue_sim.hpp"

#include <iostream>
#include <string>

int main(int count, char** words) {
  troupe::venue_sim::venue_sim_options options;
  if (count < 2) {
    std::cerr << "a folder must be named\n";
    return 2;
  }
  options.folder = words[1];
  for (int i = 2; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals), value = equals == word.npos ? "" : word.substr(equals + 1);
    if (name == "tape")
      options.tapes.emplace_back(value);
    else if (name == "rate")
      options.clock.rate_permille = std::stoll(value);
    else if (name == "origin_market")
      options.clock.origin_market_ns = std::stoll(value);
    else if (name == "origin_steady")
      options.clock.origin_steady_ns = std::stoll(value);
    else if (name == "port")
      options.port = static_cast<std::uint16_t>(std::stoi(value));
    else if (name == "orders_per_10s")
      options.orders_per_10s = std::stoi(value);
    else if (name == "faults")
      options.faults = value;
    else if (name == "venue")
      options.venue = value == "usdm" ? troupe::venue_sim::venue_kind::binance_usdm
                                      : troupe::venue_sim::venue_kind::binance_spot;
    else {
      std::cerr << "unknown option " << name << '\n';
      return 2;
    }
  }
  return troupe::venue_sim::venue_sim_main(options);
}
