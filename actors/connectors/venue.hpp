#pragma once

/// A venue, as the connector, the feeds, the back-filler and `troupe venue` know it: one description each,
/// made of pure functions. Hosts, limits and dated facts come from config/venues.yaml.

#include "actors/connectors/market_protocol.hpp"
#include "actors/feeds/bar_mender.hpp"
#include "actors/feeds/book_machine.hpp"
#include "actors/feeds/events.hpp"

#include <memory>

namespace troupe {

/// A request of the venue's public REST interface.
struct rest_call {
  std::string method = "GET";
  std::string target; ///< path and query; empty: the venue has no such call
  std::string body;
  std::uint32_t weight = 1; ///< of the venue's budget
};

/// One way a venue publishes its book.
struct book_channel {
  std::string_view name; ///< "depth", "obu", "mbp.150"
  book_rules rules;      ///< which of the five machines, and the venue's rule in it
};

/// A venue's own candle out of REST, and the page it comes in.
struct candle_page {
  std::vector<bar> bars;  ///< ascending by open time; holes stay holes; `closed` as the venue says
  bool volume_known = true;
};

/// How the venue pages its candles.
struct candle_rules {
  std::uint32_t per_page = 1000;
  bool newest_first = false; ///< as the venue lists them; `candle_page` is always ascending
  bool newest_only = false;  ///< the venue keeps only its newest page (Kraken)
};

/// In which order a venue tells trades of the past.
enum class trade_paging : std::uint8_t {
  onwards,   ///< from a time, oldest first; the next page begins where the last one ended
  backwards, ///< newest first; the next page ends where the last one began
  newest     ///< its newest page only
};

/// How the venue pages trades of the past.
struct trade_rules {
  trade_paging paging = trade_paging::newest;
  trade_identity known_by = trade_identity::id;
  std::uint32_t per_page = 1000;
  bool by_number = false; ///< backwards: the cursor is a trade's number, not a time
  nanoseconds step = std::chrono::milliseconds{1};   ///< backwards by time: the venue's unit
  nanoseconds pause = std::chrono::milliseconds{500}; ///< steady time between two requests
};

/// Which page of trades: from <= time <= to; or those in front of, or from, a number.
struct trade_cursor {
  market_time from;
  market_time to;
  std::uint64_t number = 0; ///< backwards: the trade behind the page; onwards: what the venue said is next
};

struct trade_page {
  std::vector<past_trade> trades; ///< in any order
  std::uint64_t next = 0;         ///< onwards: where the venue says that the next page begins; 0: by time
};

/// One venue. Function pointers are never null unless said.
struct venue_description {
  std::string_view name;                ///< "bybit"
  std::span<const book_channel> books;  ///< the first is the default
  protocol_traits traits;

  /// Distributes the topics of all instruments over sockets.
  std::vector<market_socket_plan> (*plan)(std::span<const instrument_spec> instruments,
                                          const market_selection& what);
  std::unique_ptr<market_protocol> (*protocol)();
  std::unique_ptr<frame_decoder> (*decoder)(const instrument_spec& instrument);

  /// REST image of a book; null where images come in band.
  rest_call (*image)(const instrument_spec& instrument, int levels) = nullptr;

  /// A call that must be made before each connection, and what it says; null where there is none (KuCoin).
  rest_call (*ticket)() = nullptr;
  /// The socket's whole URL out of the ticket's answer.
  result<std::string> (*ticket_url)(std::string_view body) = nullptr;

  /// Rules of the venue's instruments: one or several calls, and how to read an answer. Instruments get
  /// ids of our spelling, "BTC-USDT@bybit"; what can't be read is left out and counted.
  std::vector<rest_call> (*instruments)();
  result<std::vector<instrument_spec>> (*read_instruments)(std::string_view body, market_time now);

  /// The venue's own candles from `from` to before `to`, one page a call; intervals as in `bar`.
  candle_rules candles;
  rest_call (*candle_call)(const instrument_spec& instrument, nanoseconds interval, market_time from,
                           market_time to);
  result<candle_page> (*read_candles)(const instrument_spec& instrument, nanoseconds interval,
                                      std::string_view body);

  /// The venue's past public trades, one page a call; null where it has none.
  trade_rules trades;
  rest_call (*trade_call)(const instrument_spec& instrument, const trade_cursor& at) = nullptr;
  result<trade_page> (*read_trades)(const instrument_spec& instrument, std::string_view body) = nullptr;

  /// The call for what comes behind an answer to `instruments()`, its target empty at the end; null where
  /// each answer is all there is.
  rest_call (*more_instruments)(const rest_call& asked, std::string_view body) = nullptr;

  /// Targets of sockets and calls that begin so are the venue's second host's (HTX: swaps).
  std::span<const std::string_view> second_host{};
  [[nodiscard]] bool at_second_host(std::string_view target) const noexcept {
    for (const auto start : second_host)
      if (target.starts_with(start)) return true;
    return false;
  }

  /// Rules of a book channel; of the default one where the name is empty or unknown.
  [[nodiscard]] const book_rules& rules_of(std::string_view channel) const noexcept {
    for (const auto& each : books)
      if (each.name == channel) return each.rules;
    return books.front().rules;
  }
};

/// All venues, in this order: binance, binance-usdm, bybit, deribit, mexc, coinbase, kraken, okx, kucoin,
/// gate, bitfinex, htx.
std::span<const venue_description* const> all_venues() noexcept;

/// Null when there is no venue of that name.
const venue_description* find_venue(std::string_view name) noexcept;

} // namespace troupe
