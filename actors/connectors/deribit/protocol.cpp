#include "actors/connectors/deribit/protocol.hpp"

#include "actors/connectors/deribit/codec.hpp"
#include "actors/connectors/dom_reading.hpp"
#include "actors/connectors/rest_reading.hpp"
#include "messages/json.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace troupe::deribit {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view data_head =
    R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":")";

/// The channel of a notification as the venue writes it; empty for any other frame.
std::string_view channel_of(std::string_view frame) noexcept {
  if (!frame.starts_with(data_head)) return {};
  frame.remove_prefix(data_head.size());
  const auto quote = frame.substr(0, 128).find('"');
  return quote == std::string_view::npos ? std::string_view{} : frame.substr(0, quote);
}

class rpc_protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override {
    return deribit::traits();
  }

  std::vector<std::string> begin() override;

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("public/subscribe", topics, true);
  }

  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("public/unsubscribe", topics, false);
  }

  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(const char* method, std::span<const market_topic> topics,
                                       bool subscribes);
  void take_data(std::string_view channel) noexcept;
  void take_other(std::string_view frame);
  void take_heartbeat(const dom_reading::dom::object& params);
  void take_answer(const dom_reading::dom::object& answer);

  inbound in_;
  std::array<std::string_view, 1> symbols_;
  std::vector<std::string> answered_;
  std::array<std::string, 1> replies_;
  std::map<std::int64_t, std::vector<std::string>> asked_; ///< id → topics
  std::int64_t next_id_ = 1;
  simdjson::dom::parser parser_;
};

json_writer request(std::int64_t id, std::string_view method) {
  json_writer w;
  w.begin_object()
      .field("jsonrpc", "2.0")
      .field("id", id)
      .field("method", method)
      .key("params")
      .begin_object();
  return w;
}

std::vector<std::string> rpc_protocol::begin() {
  asked_.clear();
  next_id_ = 1;
  // Without an answer to its test the venue cuts the socket.
  auto w = request(next_id_++, "public/set_heartbeat");
  w.field("interval", 30).end_object().end_object();
  return {std::move(w).text()};
}

std::vector<market_command>
rpc_protocol::commands(const char* method, std::span<const market_topic> topics, bool subscribes) {
  const auto most = traits().topics_per_message;
  std::vector<market_command> out;
  for (std::size_t i = 0; i < topics.size(); i += most) {
    auto& command = out.emplace_back();
    auto w = request(next_id_, method);
    w.key("channels").begin_array();
    for (const auto& topic : topics.subspan(i, std::min(most, topics.size() - i))) {
      w.string(topic.name);
      if (subscribes) command.topics.push_back(topic.name);
    }
    w.end_array().end_object().end_object();
    command.text = std::move(w).text();
    asked_[next_id_++] = command.topics;
  }
  return out;
}

const inbound& rpc_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  const auto channel = channel_of(frame);
  if (!channel.empty())
    take_data(channel);
  else
    take_other(frame);
  return in_;
}

void rpc_protocol::take_data(std::string_view channel) noexcept {
  in_.kind = inbound_kind::data;
  in_.topic = channel;
  symbols_[0] = instrument_of_channel(channel);
  in_.symbols = symbols_;
  if (symbols_[0].empty()) in_.kind = inbound_kind::unknown;
}

void rpc_protocol::take_other(std::string_view frame) {
  simdjson::dom::element root;
  simdjson::dom::object object;
  simdjson::dom::object params;
  if (!dom_reading::parse(parser_, frame, root)) {
    in_.kind = inbound_kind::damaged;
    return;
  }
  if (root.get(object) != simdjson::SUCCESS) return;
  const auto method = dom_reading::text_at(object, "method");
  if (method.empty()) return take_answer(object);
  if (!dom_reading::object_at(object, "params", params)) return;
  if (method == "heartbeat") return take_heartbeat(params);
  const auto channel = dom_reading::text_at(params, "channel");
  if (method == "subscription" && !channel.empty()) take_data(channel);
}

void rpc_protocol::take_heartbeat(const dom_reading::dom::object& params) {
  in_.kind = inbound_kind::alive;
  if (dom_reading::text_at(params, "type") != "test_request") return;
  auto w = request(next_id_++, "public/test");
  w.end_object().end_object();
  replies_[0] = std::move(w).text();
  in_.replies = replies_;
}

/// The result of a subscription lists the channels that were taken; one that is not among them was
/// refused.
void rpc_protocol::take_answer(const dom_reading::dom::object& answer) {
  simdjson::dom::object failure;
  simdjson::dom::array channels;
  const bool failed = dom_reading::object_at(answer, "error", failure);
  if (failed) {
    in_.code = dom_reading::number_at(failure, "code").value_or(0);
    in_.why = dom_reading::text_at(failure, "message");
  }
  const auto asked = asked_.find(dom_reading::number_at(answer, "id").value_or(-1));
  if (asked == asked_.end() || asked->second.empty()) {
    if (asked != asked_.end()) asked_.erase(asked);
    if (failed)
      in_.kind = inbound_kind::failure;
    else if (dom_reading::has(answer, "result"))
      in_.kind = inbound_kind::alive;
    return;
  }
  answered_ = std::move(asked->second);
  asked_.erase(asked);
  in_.topics = answered_;
  in_.kind = inbound_kind::refused;
  if (failed || !dom_reading::array_at(answer, "result", channels) || channels.size() == 0) return;
  answered_.clear();
  for (const auto channel : channels)
    answered_.emplace_back(dom_reading::text_of(channel));
  in_.topics = answered_;
  in_.kind = inbound_kind::acknowledged;
}

} // namespace

const protocol_traits& traits() noexcept {
  static constexpr protocol_traits out{
      .silence_limit = 45s, // the venue's heartbeat comes every 30 s
      .messages_per_second =
          3, // subscriptions refill at 3.3 a second; overrunning ends the session
      .topics_per_socket = 400,
      .topics_per_message = 100,
      .book_quiet = 5min, // options change seldom, and the venue repeats nothing
      .best_quiet = 5min,
      .trades_quiet = 24h,
      .connects = 30, // 32 connections for each address
      .connects_within = 1min,
  };
  return out;
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const std::string interval = what.book_channel.empty() ? "100ms" : what.book_channel;
  std::vector<market_topic> topics;
  for (const auto& i : instruments) {
    const auto& symbol = i.venue_symbol;
    if (what.book) topics.push_back({topic_kind::book, symbol, "book." + symbol + "." + interval});
    if (what.best) topics.push_back({topic_kind::best, symbol, "quote." + symbol});
    if (what.trades) topics.push_back({topic_kind::trades, symbol, "trades." + symbol + ".100ms"});
    if (what.candles)
      topics.push_back({topic_kind::candles, symbol, "chart.trades." + symbol + ".1"});
  }
  std::vector<market_socket_plan> out;
  add_sockets(out, "/ws/api/v2", std::move(topics), traits().topics_per_socket);
  return out;
}

std::unique_ptr<market_protocol> make_protocol() {
  return std::make_unique<rpc_protocol>();
}

} // namespace troupe::deribit
