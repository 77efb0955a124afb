#pragma once

/// Compares what an executor's journal says with what the simulator's ledger says. The two were written by
/// two processes; neither reads the other's file. Pure.
///
/// lost: an intent without a known end, or a venue order without a journal row.
/// duplicated: one intent with more than one venue order.

#include "tools/venue_sim/ledger.hpp"

namespace troupe::venue_sim {

/// How an intent stands in the journal at the moment of the comparison.
enum class intent_end : std::uint8_t {
  open,     ///< resting at the venue, as the journal believes
  done,     ///< filled, cancelled or expired
  rejected, ///< refused by the venue
  absent,   ///< the venue was asked and never had it
  denied,   ///< never sent
  unknown   ///< sent, no answer yet: counts as lost
};

/// One journaled intent; amounts are not needed, identities are.
struct journaled_intent {
  std::string intent;          ///< identity of the intent
  std::string client_order_id; ///< derived from it
  intent_end end = intent_end::unknown;
};

/// One journaled fill, in units of 10^-8.
struct journaled_fill {
  std::int64_t trade_id = 0;
  std::string client_order_id;
  std::int64_t price_e8 = 0;
  std::int64_t quantity_e8 = 0;
  std::int64_t commission_e8 = 0;
  std::string commission_asset;
};

struct ledger_comparison {
  std::vector<std::string> lost;          ///< client order id and why
  std::vector<std::string> duplicated;    ///< intent and its venue orders
  std::vector<std::string> fills_missing; ///< in the ledger, not in the journal
  std::vector<std::string> fills_extra;   ///< in the journal, not in the ledger (also: one trade id twice)
  std::vector<std::string> fills_differ;  ///< same trade id, other price, quantity or fee
  std::size_t intents = 0;
  std::size_t venue_orders = 0;
  std::size_t fills = 0;

  [[nodiscard]] bool clean() const noexcept {
    return lost.empty() && duplicated.empty() && fills_missing.empty() && fills_extra.empty()
           && fills_differ.empty();
  }
  /// One JSON object: the counts, and at most 20 texts of each kind.
  [[nodiscard]] std::string to_json() const;
};

/// Compares after both sides have come to rest (no request on its way).
ledger_comparison compare_with_ledger(const ledger_content& ledger,
                                      const std::vector<journaled_intent>& intents,
                                      const std::vector<journaled_fill>& fills);

/// raw × 10^-scale in units of 10^-8; nullopt when it doesn't fit or isn't whole.
std::optional<std::int64_t> to_e8(std::int64_t raw, int scale);

} // namespace troupe::venue_sim
