#pragma once

/// MEXC's spot frames: protobuf (PushDataV3ApiWrapper) for data, JSON for control answers on the same socket,
/// and the REST book image. Rules: MEXC "Spot v3" documentation and mexcdevelop/websocket-proto.
///
/// - aggregated depth → `depth` with the range fromVersion..toVersion; limited depth → `image`; aggregated
///   book ticker → `best`; aggregated deals → one `trade` each; kline → `candle`, never `closed`, because the
///   venue says of none that it is complete.
/// - Deals carry their id in field 5, which older servers don't send. Without it `id` is made of the deal's
///   time, price, size, side and place among equals, so that the same deal gets the same id on any socket.

#include "actors/connectors/json_frame.hpp"

#include <memory>
#include <vector>

namespace troupe::mexc {

struct push;

/// Decoder of one instrument's frames. See `frame_decoder`.
class decoder final : public frame_decoder {
public:
  explicit decoder(const instrument_spec& instrument, const json_limits& limits = {});
  ~decoder() override;
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;

  const market_event& decode(std::string_view frame) noexcept override;
  const market_event* next() noexcept override;

private:
  class json_part;

  const market_event& only(event_kind kind, frame_damage damage) noexcept;
  market_event& add(event_kind kind, const push& from);
  frame_damage read(const push& from) noexcept;
  frame_damage read_amounts(std::string_view at, std::string_view quantity, price& p, size& q) const noexcept;
  frame_damage read_level(std::string_view message, level& out) const noexcept;
  frame_damage read_depth(const push& from) noexcept;
  frame_damage read_limited(const push& from) noexcept;
  frame_damage read_best(const push& from) noexcept;
  frame_damage read_deals(const push& from) noexcept;
  frame_damage read_deal(std::string_view message, const push& from) noexcept;
  frame_damage read_candle(const push& from) noexcept;

  instrument_spec instrument_;
  json_limits limits_;
  level_lane bids_;
  level_lane asks_;
  std::unique_ptr<json_part> json_;
  std::vector<market_event> events_;
  std::size_t count_ = 0;
  std::size_t given_ = 0;
  bool from_json_ = false;
};

} // namespace troupe::mexc
