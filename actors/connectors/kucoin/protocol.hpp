#pragma once

/// KuCoin's market-data socket. Rules: KuCoin "Websocket introduction": each connection needs a ticket
/// (POST /api/v1/bullet-public, good for 24 h); nothing may be sent before `welcome`; a ping every
/// pingInterval (18 s), the venue gives up 10 s later; 100 messages in 10 s; at most 100 symbols in one
/// topic, 400 topics on a socket. A command of several symbols is answered once, by its id.

#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/market_protocol.hpp"

#include <array>
#include <map>

namespace troupe::kucoin {

inline constexpr protocol_traits traits{
    .heartbeat_every = std::chrono::seconds{18},
    .silence_limit = std::chrono::seconds{40},
    .rotation = std::chrono::hours{23},
    .messages_per_second = 8,
    .topics_per_socket = 300,
    .topics_per_message = 50,
    .waits_for_welcome = true,
    .image_in_band = false,
    .connects = 25,
};

class protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override { return kucoin::traits; }
  std::vector<std::string> begin() override;
  std::vector<market_command> subscribe(std::span<const market_topic> topics) override;
  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override;
  std::string heartbeat() override;
  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(std::string_view type, std::span<const market_topic> topics);
  void take_object(json_object root);
  void take_answer(json_object& root, inbound_kind kind);
  void take_data(json_object& root);

  json_frame in_;
  inbound out_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::vector<std::string>> waiting_; ///< by id: subscriptions not yet answered
  std::vector<std::string> answered_;
  std::array<std::string_view, 1> symbols_;
};


} // namespace troupe::kucoin
