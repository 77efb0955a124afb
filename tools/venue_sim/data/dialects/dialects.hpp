#pragma once

/// The dialects' makers, one file each. Internal to the simulator.

#include "tools/venue_sim/data/dialect.hpp"

namespace troupe::venue_sim {

std::unique_ptr<venue_dialect> make_bybit_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_okx_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_kraken_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_gate_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_deribit_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_coinbase_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_bitfinex_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_kucoin_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_htx_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_mexc_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_binance_dialect(const data_world& world);
std::unique_ptr<venue_dialect> make_binance_usdm_dialect(const data_world& world);

} // namespace troupe::venue_sim
