#pragma once

/// What a venue's market-data sockets speak besides data: how to subscribe, what keeps a socket alive, what
/// is answered to what. Pure: text in, text out. The session (`market_session.hpp`) drives it and knows the
/// time; decoders (`actors/feeds/events.hpp`) read the data.

#include "messages/instrument.hpp"
#include "messages/market.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// What a subscription carries.
enum class topic_kind : std::uint8_t { book, best, trades, candles };

/// One subscription of one instrument.
struct market_topic {
  topic_kind kind = topic_kind::book;
  std::string symbol; ///< the venue's spelling
  std::string name;   ///< the venue's own name of the subscription, unique on a socket: "orderbook.50.BTCUSDT"
};

/// One socket to hold.
struct market_socket_plan {
  std::string target; ///< path and query, "/v5/public/spot"
  std::vector<market_topic> topics;
  bool subscribed = false; ///< the target itself subscribes to all topics (Binance's ?streams=…)
};

/// What to subscribe to for each instrument.
struct market_selection {
  bool book = true;
  bool best = true;
  bool trades = true;
  bool candles = false;
  std::string book_channel; ///< one of the venue's `book_channel` names; empty: its default
};

/// What a frame of a socket turned out to be.
enum class inbound_kind : std::uint8_t {
  data,         ///< for the feeds of `symbols`
  acknowledged, ///< the venue took a subscription
  refused,      ///< the venue refused a subscription; `why` says so
  alive,        ///< heartbeat, pong, status: proves the socket, not a topic
  welcome,      ///< the venue lets us subscribe from now on (KuCoin)
  shutdown,     ///< the venue asks to reconnect (maintenance, restart)
  failure,      ///< the venue reports an error that belongs to no subscription
  broken,       ///< the connection's own sequence broke: every book of the socket is tainted
  unknown,      ///< well formed, of no known kind
  damaged       ///< can't be read
};

/// One frame, read as far as the session needs. Views are valid until the protocol's next call.
struct inbound {
  inbound_kind kind = inbound_kind::unknown;
  std::string_view text; ///< the frame as decoders take it: inflated where the venue compresses
  /// Of data, acknowledgement, refusal: `market_topic::name`; empty: not said. An answer without a topic
  /// answers the oldest command that still waits, whole.
  std::string_view topic;
  std::span<const std::string> topics; ///< of an answer to a command of several topics: all it answers
  /// Of data, and of any other frame that decoders must see (Bitfinex's channel numbers): whose feeds.
  std::span<const std::string_view> symbols;
  std::string_view why;                      ///< the venue's words
  std::int64_t code = 0;                     ///< the venue's error code
  std::uint64_t sequence = 0; ///< the topic's own number, for overlapping sockets; 0: can't overlap
  std::span<const std::string> replies; ///< to be sent at once: pongs, answers to tests
};

/// A message to the venue, with the topics whose answer it waits for.
struct market_command {
  std::string text;
  std::vector<std::string> topics; ///< names; empty: nothing to wait for (an unsubscription as a rule)
};

/// Numbers of a venue's sockets; from its documents, dated in config/venues.yaml where they may change.
struct protocol_traits {
  nanoseconds heartbeat_every{0};     ///< we send `heartbeat()` so often; 0: never
  nanoseconds silence_limit = std::chrono::seconds{60}; ///< a socket without any frame for so long is dead
  nanoseconds rotation{0};            ///< a socket is replaced at this age; 0: lives on
  std::uint32_t messages_per_second = 4;
  std::size_t topics_per_socket = 100;
  std::size_t topics_per_message = 10;
  bool acknowledges = true;           ///< subscriptions are answered
  bool waits_for_welcome = false;     ///< nothing may be sent before `inbound_kind::welcome`
  bool image_in_band = true;          ///< a new image comes by subscribing anew; false: by REST
  nanoseconds book_quiet = std::chrono::seconds{30};   ///< a book topic silent for so long is stale
  nanoseconds best_quiet = std::chrono::seconds{60};
  nanoseconds trades_quiet = std::chrono::minutes{10};
  std::uint32_t connects = 20; ///< new sockets allowed within `connects_within`
  nanoseconds connects_within = std::chrono::minutes{1};
};

/// The protocol of one connection. Not thread-safe.
class market_protocol {
public:
  virtual ~market_protocol() = default;

  [[nodiscard]] virtual const protocol_traits& traits() const noexcept = 0;

  /// The time, told before each call that makes messages: Gate's carry it. Most venues don't ask.
  virtual void at(market_time) {}

  /// A new connection: forgets ids, channel numbers and sequences of the one before. Returns what is said
  /// before any subscription (Bitfinex conf, Deribit set_heartbeat).
  virtual std::vector<std::string> begin() = 0;

  /// Messages that subscribe to `topics`, cut to the venue's sizes.
  virtual std::vector<market_command> subscribe(std::span<const market_topic> topics) = 0;

  /// Messages that end the subscriptions; subscribing again afterwards brings a new image.
  virtual std::vector<market_command> unsubscribe(std::span<const market_topic> topics) = 0;

  /// What keeps the socket alive; empty when the venue wants nothing.
  virtual std::string heartbeat() { return {}; }

  /// Reads one frame. Any bytes are safe.
  virtual const inbound& take(std::string_view frame) noexcept = 0;
};

} // namespace troupe
