#include "tools/venue_sim/data/dialects/dialects.hpp"

#include <array>

namespace troupe::venue_sim {
namespace {

struct dialect_row {
  std::string_view venue;
  std::unique_ptr<venue_dialect> (*make)(const data_world& world);
};

constexpr std::array rows{
    dialect_row{"bybit", &make_bybit_dialect},
    dialect_row{"okx", &make_okx_dialect},
    dialect_row{"kraken", &make_kraken_dialect},
    dialect_row{"gate", &make_gate_dialect},
    dialect_row{"deribit", &make_deribit_dialect},
    dialect_row{"coinbase", &make_coinbase_dialect},
    dialect_row{"bitfinex", &make_bitfinex_dialect},
    dialect_row{"kucoin", &make_kucoin_dialect},
    dialect_row{"htx", &make_htx_dialect},
    dialect_row{"mexc", &make_mexc_dialect},
    dialect_row{"binance", &make_binance_dialect},
    dialect_row{"binance-usdm", &make_binance_usdm_dialect},
};

} // namespace

std::unique_ptr<venue_dialect> make_dialect(std::string_view venue, const data_world& world) {
  for (const auto& row : rows)
    if (row.venue == venue) return row.make(world);
  return nullptr;
}

std::vector<std::string_view> dialect_names() {
  std::vector<std::string_view> out;
  for (const auto& row : rows)
    out.push_back(row.venue);
  return out;
}

} // namespace troupe::venue_sim
