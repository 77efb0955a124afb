#pragma once

/// Fills → positions, cash, fees, PnL. Exact integers, average-price method.
///
/// Conventions: netting; a crossing fill closes first, then opens at its own price; a fee in the
/// quote asset is charged to realised PnL and to cash at its fill; a fee in the base asset shrinks
/// the position and is charged to realised PnL at the fill's price; a fee in a third asset is kept
/// by asset and enters no PnL (its rate is not known here). Amounts of money are 128-bit integers ×
/// 10^-24 of the quote asset; the cost removed by a partial close is cut off below that digit, so
/// that always cash = realised - cost, to the last digit. The ledger is a function of the *set* of
/// fills: they are booked in canonical order (venue time, then trade id), whatever their order of
/// arrival, and a known trade id changes nothing. Not thread-safe.

#include "actors/executors/errc.hpp"
#include "messages/trading.hpp"

#include <map>
#include <string>

namespace troupe {

__extension__ typedef __int128 int128;

/// Decimals of every amount of money in the ledger.
inline constexpr int ledger_scale = 24;

/// a × b / c, cut off towards zero, with a 192-bit product. An error when the quotient leaves 128
/// bits.
/// @pre c > 0
[[nodiscard]] result<int128> multiply_divide(int128 a, std::uint64_t b, std::uint64_t c);

/// Decimal text of raw × 10^-scale with `decimals` digits, cut off towards zero; trailing zeros
/// removed down to `at_least` decimals.
[[nodiscard]] std::string format_wide(int128 raw, int scale, int decimals, int at_least = 0);

/// raw × 10^(to - from), exact; an error where digits would be lost or the number does not fit.
[[nodiscard]] result<int128> rescale(int128 raw, int from, int to);

/// Order of venue trade ids: by length, then text, which is numerical order for decimal numbers.
[[nodiscard]] bool trade_id_before(const std::string& a, const std::string& b) noexcept;

/// What the ledger must know of an instrument.
struct ledger_instrument {
  instrument_spec spec;
  std::string base_asset;
  std::string quote_asset;
};

/// One net position.
struct ledger_position {
  std::int64_t quantity = 0; ///< signed, × 10^-base_scale; fees in the base asset are off already
  int base_scale = 8;        ///< at least 8, so that fees in the base asset fit
  int128 cost = 0;           ///< signed cost of what is held, × 10^-24
  int128 realised = 0;       ///< realised PnL, fees in quote and base included, × 10^-24
  int128 cash = 0;           ///< change of the quote balance by trading, × 10^-24
  std::map<std::string, int128> fees; ///< by asset, × 10^-24
  std::uint64_t fills = 0;
};

/// What booking a fill did.
enum class booking : std::uint8_t { booked, duplicate, fee_completed };

/// All positions of one account.
class ledger {
public:
  /// An error for contract kinds and scales the ledger can't represent exactly.
  [[nodiscard]] status add_instrument(const ledger_instrument& instrument);

  /// Books an execution. `contradiction` for a known trade id with other content; nothing changes
  /// then.
  [[nodiscard]] result<booking> book(const fill& execution);

  /// The position; zero for an instrument without fills.
  [[nodiscard]] ledger_position position(const instrument_id& instrument) const;
  /// The position in the instrument's own size scale, cut off towards zero (dust of fees is below
  /// it).
  [[nodiscard]] size position_size(const instrument_id& instrument) const;
  /// Average price of what is held, as text cut off after `decimals`; "0" when flat.
  [[nodiscard]] std::string average_price(const instrument_id& instrument, int decimals = 14) const;
  /// Value of the position at a price minus its cost, × 10^-24.
  [[nodiscard]] result<int128> unrealised(const instrument_id& instrument, price mark) const;
  /// Realised + unrealised at a mark, × 10^-24.
  [[nodiscard]] result<int128> total(const instrument_id& instrument, price mark) const;
  /// What trading has done to each asset's balance, × 10^-24: base, quote and fee assets.
  [[nodiscard]] std::map<std::string, int128> balance_changes() const;

  [[nodiscard]] std::uint64_t fill_count() const noexcept { return fill_count_; }
  [[nodiscard]] bool knows(const instrument_id& instrument, const std::string& trade_id) const;
  /// Fills of an instrument in canonical order.
  [[nodiscard]] std::vector<fill> fills(const instrument_id& instrument) const;
  /// Re-derives every position from the fills and compares; an error names the instrument that
  /// differs.
  [[nodiscard]] status check() const;

private:
  /// Canonical order of fills: venue time, then trade id (numerically, where it is a number).
  struct fill_key {
    market_time at;
    std::string trade_id;
    friend bool operator<(const fill_key& a, const fill_key& b) noexcept {
      return a.at != b.at ? a.at < b.at : trade_id_before(a.trade_id, b.trade_id);
    }
  };
  struct account_book {
    ledger_instrument instrument;
    std::map<fill_key, fill> fills;
    std::map<std::string, market_time> times; ///< trade id → its time, to find the key
    ledger_position figures;
  };

  [[nodiscard]] static result<ledger_position>
  applied(ledger_position p, const ledger_instrument& instrument, const fill& execution);
  [[nodiscard]] static result<ledger_position> derive(const account_book& book);
  [[nodiscard]] static result<booking> book_again(account_book& book, const fill& execution);

  std::map<instrument_id, account_book> books_;
  std::uint64_t fill_count_ = 0;
};

} // namespace troupe
