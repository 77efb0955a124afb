#pragma once

/// How busy the venues really are: messages a second of one instrument in the recordings, so that a load of
/// "20 times real" means something.

#include <optional>
#include <string_view>

namespace troupe::bench {

/// Book, trade and ticker messages a second of one instrument, averaged over what was recorded of a venue:
/// about 30 s of 2021 and 2022, where instruments stand beside each other that trade much and little; for
/// Binance also ten minutes of BTCUSDT in 2024. Venues without a recording of their present interface have the
/// rate of the former one (Bybit) or of the venue that is most like them (MEXC: KuCoin).
/// Empty for an unknown venue.
std::optional<double> recorded_rate(std::string_view venue) noexcept;

} // namespace troupe::bench
