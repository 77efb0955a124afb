#pragma once

/// KuCoin's spot frames: changes of the book, matches, tickers, candles, whole small books, and the REST
/// book image. Rules: KuCoin "Spot public channels" and docs.kucoin.com's level2 page.
///
/// - A change spans sequenceStart..sequenceEnd; its rows [price, size, sequence] are numbered, and a row at
///   price "0" only moves the number on. Rows and their numbers are handed on as they are.
/// - Books hold sizes finer than the lot; what is finer than the instrument's scale is rounded, never to 0.
/// - Match times are nanoseconds as text, candles run open, close, high, low.

#include "actors/connectors/json_frame.hpp"

#include <array>
#include <vector>

namespace troupe::kucoin {

/// What a topic is, and of which symbol: "/market/level2:BTC-USDT".
enum class topic_class : std::uint8_t { other, level2, match, ticker, candles, whole_book };
struct topic_parts {
  topic_class kind = topic_class::other;
  std::string_view symbol;
  std::string_view interval; ///< of candles, "1min"
};
topic_parts parts_of_topic(std::string_view topic) noexcept;

/// Decoder of one instrument's frames. See `json_decoder`.
class decoder final : public json_decoder {
public:
  explicit decoder(const instrument_spec& instrument, const json_limits& limits = {});

private:
  struct known_data;

  bool read_layout(std::string_view frame) override;
  bool scan_data(layout_scan& scan, known_data& out);
  bool scan_changes(layout_scan& scan, known_data& out);
  bool scan_rows(layout_scan& scan, side s);
  void add_known(const known_data& data, topic_class kind, std::string_view symbol);
  void read_object(json_object root) override;
  void read_message(json_object& root, std::string_view topic);
  void read_level2(json_object& data, std::string_view symbol);
  void add_level2(std::string_view symbol, std::uint64_t first, std::uint64_t last, market_time at);
  void read_rows(json_object& changes, side s);
  void read_match(json_object& data, std::string_view symbol);
  void read_ticker(json_object& data, std::string_view symbol);
  void read_candle(json_object& data, const topic_parts& topic);
  void read_image(json_object& data, std::string_view symbol);
  void read_answer(json_object& root, std::string_view type);

  std::array<std::vector<std::uint64_t>, 2> rows_; // numbers of the rows, bids and asks
};

} // namespace troupe::kucoin
