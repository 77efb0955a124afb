#pragma once

/// HTX's market-data sockets: /ws (spot), /feed (spot, changes by price), /swap-ws and /linear-swap-ws.
/// Rules: HTX "Websocket Market Data": frames are gzip; the server pings about every 5 s with a number that
/// must come back; each subscription is one message, answered by `subbed` or by status "error" with its id.
///
/// The image of an mbp book answers a request on the same socket. It may be about a second older than the
/// changes, so it is asked for once the changes reach back further than that: a second after the first one,
/// by the venue's own time; where nothing changes, at the second ping behind the subscription's answer.

#include "actors/connectors/htx/inflate.hpp"
#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/market_protocol.hpp"

#include <array>
#include <map>

namespace troupe::htx {

inline constexpr protocol_traits traits{
    .silence_limit = std::chrono::seconds{20},
    .messages_per_second = 10,
    .topics_per_socket = 60,
    .topics_per_message = 1,
};

class protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override { return htx::traits; }
  std::vector<std::string> begin() override;
  std::vector<market_command> subscribe(std::span<const market_topic> topics) override;
  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override;
  const inbound& take(std::string_view frame) noexcept override;

private:
  /// The image that a subscribed mbp book still needs.
  struct image_wait {
    bool acknowledged = false;
    int pings = 0;            ///< seen since the acknowledgement
    market_time first_change; ///< 0: none yet
  };

  void take_object(json_object root);
  void take_ping(json_value number);
  void take_data(json_object& root, std::string_view channel);
  void take_image(json_object& root, std::string_view channel);
  void take_answer(json_object& root);
  void ask_for_image(const std::string& topic);
  void see_change(market_time sent);

  json_frame in_;
  inflater inflater_;
  inbound out_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::string> asked_; ///< by id: subscriptions not yet answered
  std::map<std::string, image_wait, std::less<>> images_;
  std::vector<std::string> replies_;
  std::array<std::string_view, 1> symbols_;
  std::string topic_;
};

} // namespace troupe::htx
