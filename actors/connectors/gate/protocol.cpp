#include "actors/connectors/gate/protocol.hpp"

#include "actors/connectors/dom_reading.hpp"
#include "actors/connectors/gate/codec.hpp"
#include "actors/connectors/json_frame.hpp"
#include "actors/connectors/rest_reading.hpp"
#include "messages/json.hpp"

#include <array>
#include <map>

namespace troupe::gate {

using namespace std::chrono_literals;

namespace {

/// The channel of one of our topics.
std::string_view channel_of(std::string_view topic) noexcept {
  return topic.starts_with("ob.") ? "spot.obu" : topic.substr(0, topic.find(':'));
}

/// Channels of which one request takes one instrument.
bool is_single(std::string_view channel) noexcept {
  return channel == "spot.obu" || channel == "spot.order_book_update" || channel == "spot.candlesticks";
}

void write_payload(json_writer& w, std::string_view channel, const market_topic& topic) {
  if (channel == "spot.obu")
    w.string(topic.name);
  else if (channel == "spot.order_book_update")
    w.string(topic.symbol).string("100ms");
  else if (channel == "spot.candlesticks")
    w.string("1m").string(topic.symbol);
  else
    w.string(topic.symbol);
}

class channel_protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override { return gate::traits(); }

  std::vector<std::string> begin() override {
    asked_.clear();
    next_id_ = 1;
    return {};
  }

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("subscribe", topics);
  }

  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("unsubscribe", topics);
  }

  /// Each message carries the time in seconds; the venue's documents call it required.
  void at(market_time now) override { now_ = now; }

  std::string heartbeat() override {
    json_writer w;
    return std::move(begin_message(w).field("channel", "spot.ping").end_object()).text();
  }

  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(std::string_view event,
                                       std::span<const market_topic> topics);
  market_command command_of(std::string_view event, std::string_view channel,
                            std::span<const market_topic* const> topics);
  void take_update(std::string_view channel, json_object& root);
  void take_answer(std::string_view event, json_object& root);
  void take_topics(json_object& root);

  json_writer& begin_message(json_writer& w) const {
    w.begin_object();
    return now_.ns > 0 ? w.field("time", now_.ns / 1'000'000'000) : w;
  }

  inbound in_;
  json_frame frame_;
  market_time now_;
  std::string topic_;
  std::array<std::string_view, 1> symbols_;
  std::vector<std::string> answered_;
  std::map<std::uint64_t, std::vector<std::string>> asked_; ///< id → topics
  std::uint64_t next_id_ = 1;
};

market_command channel_protocol::command_of(std::string_view event, std::string_view channel,
                                            std::span<const market_topic* const> topics) {
  market_command out;
  json_writer w;
  begin_message(w).field("id", next_id_).field("channel", channel).field("event", event);
  w.key("payload").begin_array();
  for (const auto* topic : topics) {
    write_payload(w, channel, *topic);
    if (event == "subscribe") out.topics.push_back(topic->name);
  }
  w.end_array().end_object();
  out.text = std::move(w).text();
  asked_[next_id_++] = out.topics;
  return out;
}

/// One message for each channel and so many instruments as it takes.
std::vector<market_command> channel_protocol::commands(std::string_view event,
                                                       std::span<const market_topic> topics) {
  std::vector<market_command> out;
  for (const std::string_view channel : {"spot.obu", "spot.order_book_update", "spot.book_ticker",
                                         "spot.trades", "spot.candlesticks"}) {
    std::vector<const market_topic*> batch;
    const auto flush = [&] {
      if (!batch.empty()) out.push_back(command_of(event, channel, batch));
      batch.clear();
    };
    for (const auto& topic : topics) {
      if (channel_of(topic.name) != channel) continue;
      batch.push_back(&topic);
      if (is_single(channel) || batch.size() == traits().topics_per_message) flush();
    }
    flush();
  }
  return out;
}

/// Only the head is read: what `result` holds is walked over as far as the instrument's name.
const inbound& channel_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  if (!frame_.open(frame) || (!frame_.is_object() && !frame_.is_array())) {
    in_.kind = inbound_kind::damaged;
    return in_;
  }
  if (!frame_.is_object()) return in_;
  auto root = frame_.object();
  json_value found;
  if (frame_.find(root, "channel", found)) {
    const auto channel = frame_.text(found);
    std::string_view event;
    if (frame_.find(root, "event", found)) event = frame_.text(found);
    if (channel == "spot.pong")
      in_.kind = inbound_kind::alive;
    else if (event == "update")
      take_update(channel, root);
    else if (!event.empty())
      take_answer(event, root);
  }
  frame_.finish();
  if (!frame_.fine()) in_.kind = inbound_kind::damaged;
  return in_;
}

void channel_protocol::take_update(std::string_view channel, json_object& root) {
  json_value found;
  if (!frame_.find(root, "result", found) || found.raw_json_token()[0] != '{') return;
  auto result = frame_.object(found);
  const bool candle = channel == "spot.candlesticks";
  const bool pair = channel == "spot.trades" || channel == "spot.tickers";
  if (!frame_.find(result, candle ? "n" : pair ? "currency_pair" : "s", found)) return;
  const auto name = frame_.text(found);
  symbols_[0] = candle ? symbol_of_candle(name) : symbol_of_book(name);
  if (symbols_[0].empty()) return;
  in_.kind = inbound_kind::data;
  in_.symbols = symbols_;
  topic_ = channel == "spot.obu" ? std::string{name}
                                 : std::string{channel} + ":" + std::string{symbols_[0]};
  in_.topic = topic_;
}

void channel_protocol::take_answer(std::string_view event, json_object& root) {
  json_value found;
  in_.kind = inbound_kind::acknowledged;
  // Null, or absent, where the request was taken.
  if (frame_.find(root, "error", found) && found.raw_json_token()[0] == '{') {
    auto failure = frame_.object(found);
    in_.kind = inbound_kind::refused;
    in_.code = frame_.integer(failure, "code");
    in_.why = frame_.text(failure, "message");
  }
  take_topics(root);
  if (event == "subscribe") return;
  in_.kind = in_.kind == inbound_kind::refused ? inbound_kind::failure : inbound_kind::alive;
}

void channel_protocol::take_topics(json_object& root) {
  json_value found;
  if (!frame_.find(root, "id", found)) return;
  const auto asked = asked_.find(frame_.id(found));
  if (asked == asked_.end()) return;
  answered_ = std::move(asked->second);
  asked_.erase(asked);
  in_.topics = answered_;
}

} // namespace

const protocol_traits& traits() noexcept {
  static constexpr protocol_traits out{
      .heartbeat_every = 15s,
      .messages_per_second = 10,
      .topics_per_socket = 200,
      .topics_per_message = 50,
      .book_quiet = 5min, // quiet pairs say nothing, and the venue repeats nothing
      .best_quiet = 5min,
      .trades_quiet = 1h,
      .connects = 60,
      .connects_within = 1min,
  };
  return out;
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const bool joined = what.book_channel == "order_book_update";
  const std::string_view levels = what.book_channel == "obu.50" ? ".50" : ".400";
  std::vector<market_topic> topics;
  for (const auto& i : instruments) {
    const auto& symbol = i.venue_symbol;
    auto book = joined ? "spot.order_book_update:" + symbol : "ob." + symbol + std::string{levels};
    if (what.book) topics.push_back({topic_kind::book, symbol, std::move(book)});
    if (what.best) topics.push_back({topic_kind::best, symbol, "spot.book_ticker:" + symbol});
    if (what.trades) topics.push_back({topic_kind::trades, symbol, "spot.trades:" + symbol});
    if (what.candles)
      topics.push_back({topic_kind::candles, symbol, "spot.candlesticks:" + symbol});
  }
  std::vector<market_socket_plan> out;
  add_sockets(out, "/ws/v4/", std::move(topics), traits().topics_per_socket);
  return out;
}

std::unique_ptr<market_protocol> make_protocol() {
  return std::make_unique<channel_protocol>();
}

} // namespace troupe::gate
