#include "actors/connectors/coinbase/protocol.hpp"

#include "actors/connectors/dom_reading.hpp"
#include "actors/feeds/connection_sequence.hpp"

#include <algorithm>

namespace troupe::coinbase {

using namespace dom_reading;

const protocol_traits& traits() noexcept {
  static const protocol_traits out = {
      // The heartbeats channel ticks each second.
      .silence_limit = std::chrono::seconds{15},
      // 8 unauthenticated messages a second and address, which all sockets share.
      .messages_per_second = 4,
      .topics_per_socket = 40,
      .topics_per_message = 10,
      .book_quiet = std::chrono::seconds{60},
      .best_quiet = std::chrono::minutes{2},
      .trades_quiet = std::chrono::minutes{30},
      .connects = 8,
      .connects_within = std::chrono::seconds{2}};
  return out;
}

namespace {

/// "level2 BTC-USD" → "level2"
std::string_view channel_of(std::string_view topic) noexcept {
  return topic.substr(0, topic.find(' '));
}

/// The name under which a channel is subscribed to, by the one its data carries.
std::string_view subscribed_as(std::string_view channel) noexcept {
  return channel == "l2_data" ? std::string_view{"level2"} : channel;
}

class advanced_protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override {
    return coinbase::traits();
  }

  /// Subscribing within five seconds of connecting is a duty; the heartbeats keep quiet sockets
  /// open.
  std::vector<std::string> begin() override {
    sequence_.reset();
    return {R"({"type":"subscribe","channel":"heartbeats"})"};
  }

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("subscribe", topics);
  }

  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("unsubscribe", topics);
  }

  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(std::string_view type, std::span<const market_topic> topics);
  void take_channel(const dom::object& object, std::string_view channel);
  void take_subscriptions(const dom::array& events);
  void take_data(const dom::array& events, std::string_view channel);
  void see(const dom::object& item);
  bool in_sequence(const dom::object& object);

  dom::parser parser_;
  inbound in_;
  std::vector<std::string_view> symbols_;
  std::vector<std::string> answered_;
  std::string topic_;
  std::string why_;
  connection_sequence sequence_;
  std::size_t together_ = coinbase::traits().topics_per_message; // products in one message
};

std::vector<market_command> advanced_protocol::commands(std::string_view type,
                                                        std::span<const market_topic> topics) {
  std::vector<market_topic> sorted{topics.begin(), topics.end()};
  const auto head = [](const market_topic& t) { return channel_of(t.name); };
  std::ranges::stable_sort(sorted, {}, head);
  std::vector<market_command> out;
  for (const auto& topic : sorted) {
    const auto channel = channel_of(topic.name);
    const bool more = !out.empty() && channel_of(out.back().topics.front()) == channel
                      && out.back().topics.size() < together_;
    if (!more) {
      auto& text = out.emplace_back().text;
      text.append(R"({"type":")").append(type).append(R"(","channel":")").append(channel);
      text.append(R"(","product_ids":[)");
    }
    auto& command = out.back();
    if (more) command.text += ',';
    command.text.append(1, '"').append(topic.symbol).append(1, '"');
    command.topics.push_back(topic.name);
  }
  for (auto& command : out) {
    command.text += "]}";
    if (type != "subscribe") command.topics.clear();
  }
  return out;
}

const inbound& advanced_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  dom::element root;
  dom::object object;
  if (!parse(parser_, frame, root)) {
    in_.kind = inbound_kind::damaged;
    return in_;
  }
  if (root.get(object) != simdjson::SUCCESS) return in_;
  if (text_at(object, "type") == "error") {
    // It names no topic, so it answers the oldest command whole. What is tried again goes one by one, so
    // that a product which is gone takes no others with it.
    together_ = 1;
    in_.kind = inbound_kind::refused;
    in_.why = text_at(object, "message");
    return in_;
  }
  const auto channel = text_at(object, "channel");
  if (!channel.empty() && in_sequence(object)) take_channel(object, channel);
  return in_;
}

/// False, and `broken`, when a message is missing. The first number of a connection must be 0.
bool advanced_protocol::in_sequence(const dom::object& object) {
  const auto number = number_at(object, "sequence_num");
  const bool begins = sequence_.count() == 0;
  const auto expected = begins ? 0 : sequence_.last() + 1;
  const bool there = number && *number >= 0;
  if (there
      && sequence_.take(static_cast<std::uint64_t>(*number)) == connection_sequence::step::next
      && (!begins || *number == 0))
    return true;
  why_ = "sequence_num " + (there ? std::to_string(*number) : std::string{"absent"}) + " where "
         + std::to_string(expected) + " was due";
  in_.kind = inbound_kind::broken;
  in_.why = why_;
  return false;
}

void advanced_protocol::take_channel(const dom::object& object, std::string_view channel) {
  dom::array events;
  if (channel == "heartbeats" || channel == "status") {
    in_.kind = inbound_kind::alive;
    return;
  }
  if (!array_at(object, "events", events)) return;
  if (channel == "subscriptions")
    take_subscriptions(events);
  else
    take_data(events, channel);
}

/// All subscriptions there are, each time: {"subscriptions":{"level2":["BTC-USD"],…}}
void advanced_protocol::take_subscriptions(const dom::array& events) {
  in_.kind = inbound_kind::alive;
  answered_.clear();
  for (const auto event : events) {
    dom::object item;
    dom::object channels;
    if (event.get(item) != simdjson::SUCCESS || !object_at(item, "subscriptions", channels))
      continue;
    for (const auto [channel, value] : channels) {
      dom::array products;
      if (channel == "heartbeats" || value.get(products) != simdjson::SUCCESS) continue;
      for (const auto product : products)
        answered_.push_back(std::string{subscribed_as(channel)} + ' '
                            + std::string{text_of(product)});
    }
  }
  if (answered_.empty()) return;
  in_.kind = inbound_kind::acknowledged;
  in_.topics = answered_;
}

void advanced_protocol::see(const dom::object& item) {
  const auto product = text_at(item, "product_id");
  if (!product.empty() && std::ranges::find(symbols_, product) == symbols_.end())
    symbols_.push_back(product);
}

/// The product stands in the event (level2) or in each of its rows.
void advanced_protocol::take_data(const dom::array& events, std::string_view channel) {
  const auto rows_of = [&]() -> std::string_view {
    if (channel == "market_trades") return "trades";
    return channel == "candles" ? "candles" : "tickers";
  }();
  symbols_.clear();
  for (const auto event : events) {
    dom::object item;
    dom::array rows;
    if (event.get(item) != simdjson::SUCCESS) continue;
    see(item);
    if (channel == "l2_data" || !array_at(item, rows_of, rows)) continue;
    for (const auto row : rows) {
      dom::object object;
      if (row.get(object) == simdjson::SUCCESS) see(object);
    }
  }
  if (symbols_.empty()) return;
  in_.kind = inbound_kind::data;
  in_.symbols = symbols_;
  topic_.assign(subscribed_as(channel)).append(1, ' ').append(symbols_.front());
  in_.topic = topic_;
}

} // namespace

std::unique_ptr<market_protocol> make_protocol() {
  return std::make_unique<advanced_protocol>();
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  std::vector<market_socket_plan> out;
  constexpr std::size_t most = 4; // topics of one instrument: they stay on one socket
  for (const auto& instrument : instruments) {
    if (out.empty() || out.back().topics.size() + most > traits().topics_per_socket)
      out.push_back({.target = "/", .topics = {}});
    const auto add = [&](topic_kind kind, std::string_view channel) {
      out.back().topics.push_back(
          {kind, instrument.venue_symbol, std::string{channel} + ' ' + instrument.venue_symbol});
    };
    if (what.book) add(topic_kind::book, "level2");
    if (what.best) add(topic_kind::best, "ticker");
    if (what.trades) add(topic_kind::trades, "market_trades");
    if (what.candles) add(topic_kind::candles, "candles");
  }
  std::erase_if(out, [](const auto& socket) { return socket.topics.empty(); });
  return out;
}

} // namespace troupe::coinbase
