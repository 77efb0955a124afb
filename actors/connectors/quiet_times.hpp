#pragma once

/// How long a venue's topics and sockets may be silent before the session does something about it
/// (market_session.hpp). Per venue in config/venues.yaml, with the date they were checked; what the protocol's own
/// `protocol_traits` say holds where nothing is given.

#include "actors/connectors/market_protocol.hpp"

#include <algorithm>

namespace troupe {

/// 0: as the protocol has it.
struct quiet_times {
  nanoseconds book{0};      ///< a book topic; after it the topic is subscribed again, after as much again the socket replaced
  nanoseconds trades{0};    ///< a topic of trades or candles; it is subscribed again
  nanoseconds bbo{0};       ///< a topic of best bid and ask; likewise
  nanoseconds heartbeat{0}; ///< a socket without any frame or ping; it is replaced
};

inline protocol_traits with_quiet_times(protocol_traits traits, const quiet_times& given) {
  const auto put = [](nanoseconds& into, nanoseconds value) {
    if (value > nanoseconds::zero()) into = value;
  };
  put(traits.book_quiet, given.book);
  put(traits.trades_quiet, given.trades);
  put(traits.best_quiet, given.bbo);
  put(traits.silence_limit, given.heartbeat);
  return traits;
}

/// The same, books and sockets silent for `most` at most: for tests that can't wait for minutes.
inline protocol_traits quiet_at_most(protocol_traits traits, nanoseconds most) {
  for (auto* each : {&traits.book_quiet, &traits.silence_limit})
    if (*each > nanoseconds::zero()) *each = std::min(*each, most);
  return traits;
}

/// The longest time from the moment a book's topic falls silent until the session has put a new subscription or a new
/// socket in its place: the watchdog of the topic, or of the socket, or the answer that never comes.
inline nanoseconds noticed_within(const protocol_traits& traits, nanoseconds ack_deadline) {
  const auto topic = traits.acknowledges ? traits.book_quiet + ack_deadline : 2 * traits.book_quiet;
  return std::min(traits.silence_limit, topic);
}

} // namespace troupe
