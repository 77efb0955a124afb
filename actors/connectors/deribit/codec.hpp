#pragma once

/// Deribit's public notifications: books, best bid and ask, trades, candles. Numbers are bare and
/// may have exponents; they are read as text. Deribit "JSON-RPC API v2, Subscriptions".

#include "actors/feeds/events.hpp"

#include <memory>

namespace troupe::deribit {

/// Decoder of one instrument's frames. Amounts are in USD for inverse contracts, else in the base
/// coin.
/// - `book.INST.raw|100ms|agg2`: type snapshot is an image; a change names the number before it.
/// - `book.INST.group.depth.interval`: every message is an image of so many levels.
/// - `quote.INST`: the best bid and ask.
/// - `trades.INST.…`: `id` is the trade's number within the instrument, without holes; `id_text`
/// the venue's
///   trade id. Block trades are no market trades.
/// - `chart.trades.INST.resolution`: candles without a completion flag.
std::unique_ptr<frame_decoder> make_decoder(const instrument_spec& instrument);

/// The instrument of a channel: the second part, the third of "chart.trades.…".
std::string_view instrument_of_channel(std::string_view channel) noexcept;

} // namespace troupe::deribit
