#include "tools/bench/ingest_rates.hpp"

#include <algorithm>
#include <array>

namespace troupe::bench {
namespace {

struct rate_of_venue {
  std::string_view venue;
  double messages; ///< recorded
  double seconds;  ///< they took
  double instruments;
  double beside; ///< messages a second of one more instrument, recorded at another time
};

// What a line of the recordings' own list says: frames received, seconds, instruments asked for.
constexpr std::array rates{
    rate_of_venue{"binance", 265, 30.0, 4, 119.2},
    rate_of_venue{"binance-usdm", 1535, 30.1, 4, 271.9},
    rate_of_venue{"bybit", 3342, 29.7, 10, 0},
    rate_of_venue{"deribit", 136, 30.4, 10, 0},
    rate_of_venue{"mexc", 4721, 30.3, 10, 0},
    rate_of_venue{"coinbase", 9946, 30.8, 10, 0},
    rate_of_venue{"kraken", 4430, 30.5, 10, 41.0},
    rate_of_venue{"okx", 410, 10.8, 3, 0},
    rate_of_venue{"kucoin", 4721, 30.3, 10, 0},
    rate_of_venue{"gate", 239, 30.1, 10, 0},
    rate_of_venue{"bitfinex", 1693, 30.7, 7, 0},
    rate_of_venue{"htx", 1296, 29.9, 5, 0},
};

} // namespace

std::optional<double> recorded_rate(std::string_view venue) noexcept {
  const auto* found = std::find_if(rates.begin(), rates.end(), [&](const auto& r) { return r.venue == venue; });
  if (found == rates.end()) return std::nullopt;
  const double instruments = found->instruments + (found->beside > 0 ? 1 : 0);
  return (found->messages / found->seconds + found->beside) / instruments;
}

} // namespace troupe::bench
