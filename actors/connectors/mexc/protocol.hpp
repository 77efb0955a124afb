#pragma once

/// MEXC's market-data socket: JSON commands and answers, protobuf data, on one connection.
/// Rules: MEXC "Spot v3 / Websocket Market Streams": at most 30 subscriptions a socket; a socket without any
/// subscription is closed after 30 s, one without data and ping after 60 s, any after 24 h; 100 messages/s.
/// A refusal comes as an answer with code 0 and "Not Subscribed successfully! [channel]. Reason: …".

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/market_protocol.hpp"

#include <array>
#include <map>

namespace troupe::mexc {

inline constexpr protocol_traits traits{
    .heartbeat_every = std::chrono::seconds{20},
    .silence_limit = std::chrono::seconds{60},
    .rotation = std::chrono::hours{23},
    .messages_per_second = 20,
    .topics_per_socket = 30,
    .topics_per_message = 1,
    .image_in_band = false,
};

class protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override { return mexc::traits; }
  std::vector<std::string> begin() override;
  std::vector<market_command> subscribe(std::span<const market_topic> topics) override;
  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override;
  std::string heartbeat() override { return R"({"method":"PING"})"; }
  const inbound& take(std::string_view frame) noexcept override;

private:
  void take_answer(std::string_view frame);
  void take_words(std::string_view words);

  json_frame in_;
  inbound out_;
  std::map<std::string, int, std::less<>> leaving_; ///< unsubscriptions whose answer is to come
  std::vector<std::string> topics_;
  std::array<std::string_view, 1> symbols_;
};

} // namespace troupe::mexc
