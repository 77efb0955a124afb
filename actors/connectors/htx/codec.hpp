#pragma once

/// HTX's market frames (spot, and linear and inverse swaps), gzip or already inflated: whole books
/// (depth.step0), changes by price (mbp), changes of swaps (high_freq), trades, best bid and ask, candles.
/// Rules: HTX "Spot Websocket Market Data" and "Swap Market Data interface".
///
/// - depth.step0 is a whole book each time; its version jumps freely and proves nothing.
/// - mbp chains by prevSeqNum; its image answers a request (`rep`) on the same socket.
/// - high_freq counts its version by one; `event` tells images from changes.
/// - Numbers are JSON numbers; sizes with digits behind the instrument's scale (sums in floating point) are
///   rounded, never to 0. Trade ids beyond 64 bits are taken as text.
/// - Sizes of swaps are contracts. Linear ones are turned into base units, for a contract is the instrument's
///   lot; inverse ones stay contracts, whose worth in base units depends on the price.

#include "actors/connectors/htx/inflate.hpp"
#include "actors/connectors/json_frame.hpp"

#include <memory>

namespace troupe::htx {

/// "market.btcusdt.mbp.150" → "btcusdt", "mbp.150".
struct channel_parts {
  std::string_view symbol;
  std::string_view name;
};
channel_parts parts_of_channel(std::string_view channel) noexcept;

/// Decoder of one instrument's frames. See `frame_decoder`.
class decoder final : public frame_decoder {
public:
  explicit decoder(const instrument_spec& instrument, const json_limits& limits = {});
  ~decoder() override;
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;

  const market_event& decode(std::string_view frame) noexcept override;
  const market_event* next() noexcept override;

  /// See `json_decoder`.
  const market_event& decode_general(std::string_view frame) noexcept;
  [[nodiscard]] bool took_layout() const noexcept;

private:
  class json_part;
  const market_event& decode(std::string_view frame, bool general) noexcept;

  inflater inflater_;
  std::unique_ptr<json_part> json_;
  market_event damaged_;
  bool broken_ = false;
};

} // namespace troupe::htx
