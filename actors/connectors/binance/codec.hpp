#pragma once

/// Binance's public frames (spot, USDⓈ-M and COIN-M futures): combined-stream and raw-stream JSON, and the
/// REST book image. Two ways lead to the same result: a scanner made for the venue's usual layout, and
/// simdjson for everything else (other key order, white space, escapes, nested or unknown fields).
/// The scanner either decodes a frame completely or declines it; it never guesses.
/// Rules: Binance "WebSocket Streams" for spot and USDⓈ-M futures.

#include "actors/feeds/events.hpp"

#include <memory>
#include <string>

namespace troupe::binance {

/// Scales of the instrument whose frames are decoded, and the limit of one frame.
struct decoder_options {
  int price_scale = 8;                    ///< decimals of a raw price, 0..12
  int size_scale = 8;                     ///< decimals of a raw size, 0..12
  std::size_t max_frame_bytes = 16 << 20; ///< larger frames are damaged; a full image is about 1 MB
};

/// Decoder of one instrument's frames. See `frame_decoder`.
class decoder final : public frame_decoder {
public:
  explicit decoder(const decoder_options& options = {});
  ~decoder() override;
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;

  const market_event& decode(std::string_view frame) noexcept override;

  /// The same without the scanner; what the scanner is tested against.
  const market_event& decode_general(std::string_view frame) noexcept;

  /// True when the scanner took the last frame, false when simdjson did.
  [[nodiscard]] bool took_fast_path() const noexcept { return fast_; }

private:
  struct tables;
  struct general;
  struct scan;

  bool decode_fast(std::string_view frame) noexcept;
  level* level_space(std::size_t count);

  decoder_options options_;
  market_event event_;
  std::unique_ptr<tables> tables_;
  std::unique_ptr<general> general_;
  std::unique_ptr<level[]> levels_;
  std::size_t level_capacity_ = 0;
  bool fast_ = false;
};

/// Stream name of a combined-socket frame ("btcusdt@depth@100ms"); empty for any other frame. Reads the
/// frame's head only, so that a session can route frames to feeds without decoding them.
std::string_view stream_of(std::string_view frame) noexcept;

/// The symbol part of a stream name in upper case: "btcusdt@trade" → "BTCUSDT".
std::string symbol_of_stream(std::string_view stream);

/// Scales that hold every number of a book image, and the tick that divides all its prices.
struct image_scales {
  int price_scale = 0;
  int size_scale = 0;
  price tick;
};

/// Learns scales and tick from an image, for recordings without instrument rules. An error when `image`
/// is no book image.
result<image_scales> scales_of_image(std::string_view image);

} // namespace troupe::binance
