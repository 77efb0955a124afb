#include "actors/connectors/bybit/protocol.hpp"

#include "actors/connectors/dom_reading.hpp"
#include "actors/connectors/rest_reading.hpp"
#include "messages/json.hpp"

#include <array>
#include <charconv>
#include <map>

namespace troupe::bybit {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view data_head = R"({"topic":")";

/// The topic of a data frame as the venue writes it, with `topic` first; empty for any other frame.
std::string_view topic_of(std::string_view frame) noexcept {
  if (!frame.starts_with(data_head)) return {};
  frame.remove_prefix(data_head.size());
  const auto quote = frame.substr(0, 128).find('"');
  return quote == std::string_view::npos ? std::string_view{} : frame.substr(0, quote);
}

/// v5 topics have a level, an interval or "publicTrade" in front of the symbol; those of the
/// retired v2
/// ("trade.BTCUSD", "orderBookL2_25.BTCUSD") are unknown.
bool is_known(std::string_view topic) noexcept {
  for (const std::string_view head : {"orderbook.", "publicTrade.", "kline.", "tickers."})
    if (topic.starts_with(head)) return true;
  return false;
}

class stream_protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override { return bybit::traits(); }

  std::vector<std::string> begin() override {
    asked_.clear();
    return {};
  }

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("subscribe", topics);
  }

  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("unsubscribe", topics);
  }

  std::string heartbeat() override { return R"({"op":"ping"})"; }

  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(const char* op, std::span<const market_topic> topics);
  void take_data(std::string_view topic) noexcept;
  void take_answer(std::string_view frame);
  void take_subscription(const dom_reading::dom::object& answer);

  inbound in_;
  std::array<std::string_view, 1> symbols_;
  std::vector<std::string> answered_;
  std::map<std::int64_t, std::vector<std::string>> asked_; ///< req_id → topics
  std::int64_t next_id_ = 1;
  simdjson::dom::parser parser_;
};

std::vector<market_command> stream_protocol::commands(const char* op,
                                                      std::span<const market_topic> topics) {
  const bool subscribes = std::string_view{op} == "subscribe";
  const auto most = traits().topics_per_message;
  std::vector<market_command> out;
  for (std::size_t i = 0; i < topics.size(); i += most) {
    auto& command = out.emplace_back();
    json_writer w;
    w.begin_object()
        .field("req_id", std::to_string(next_id_))
        .field("op", op)
        .key("args")
        .begin_array();
    for (const auto& topic : topics.subspan(i, std::min(most, topics.size() - i))) {
      w.string(topic.name);
      if (subscribes) command.topics.push_back(topic.name);
    }
    w.end_array().end_object();
    command.text = std::move(w).text();
    asked_[next_id_++] = command.topics;
  }
  return out;
}

const inbound& stream_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  const auto topic = topic_of(frame);
  if (!topic.empty())
    take_data(topic);
  else
    take_answer(frame);
  return in_;
}

void stream_protocol::take_data(std::string_view topic) noexcept {
  if (!is_known(topic)) return;
  const auto point = topic.rfind('.');
  in_.kind = inbound_kind::data;
  in_.topic = topic;
  symbols_[0] = topic.substr(point + 1);
  in_.symbols = symbols_;
}

/// Answers, and data whose first member is another one.
void stream_protocol::take_answer(std::string_view frame) {
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (!dom_reading::parse(parser_, frame, root)) {
    in_.kind = inbound_kind::damaged;
    return;
  }
  if (root.get(object) != simdjson::SUCCESS) return;
  if (const auto topic = dom_reading::text_at(object, "topic"); !topic.empty())
    return take_data(topic);
  const auto op = dom_reading::text_at(object, "op");
  // Spot and linear answer a ping with op "ping", other sockets with "pong".
  if (op == "ping" || op == "pong")
    in_.kind = inbound_kind::alive;
  else if (op == "subscribe" || op == "unsubscribe")
    take_subscription(object);
  else if (!op.empty() && dom_reading::flag_at(object, "success") == false) {
    in_.kind = inbound_kind::failure;
    in_.why = dom_reading::text_at(object, "ret_msg");
  }
}

void stream_protocol::take_subscription(const dom_reading::dom::object& answer) {
  const bool taken = dom_reading::flag_at(answer, "success").value_or(false);
  const bool ends = dom_reading::text_at(answer, "op") == "unsubscribe";
  in_.kind = taken ? inbound_kind::acknowledged : inbound_kind::refused;
  if (!taken) in_.why = dom_reading::text_at(answer, "ret_msg");
  const auto id = dom_reading::text_at(answer, "req_id");
  std::int64_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  if (const auto asked = asked_.find(number); asked != asked_.end()) {
    answered_ = std::move(asked->second);
    asked_.erase(asked);
    in_.topics = answered_;
  }
  if (ends) in_.kind = taken ? inbound_kind::alive : inbound_kind::failure;
}

} // namespace

const protocol_traits& traits() noexcept {
  static constexpr protocol_traits out{
      .heartbeat_every = 20s,
      .messages_per_second = 10,
      .topics_per_socket =
          200, // the names of all of a connection's topics may have 21,000 characters
      .topics_per_message = 10, // spot's limit
      .book_quiet = 2min,       // pairs that nobody trades change seldom
      .trades_quiet = 1h,
      .connects = 400, // 500 in five minutes are the venue's limit
      .connects_within = 5min,
  };
  return out;
}

std::string_view category_of(contract_kind kind) noexcept {
  switch (kind) {
  case contract_kind::linear:
    return "linear";
  case contract_kind::inverse:
    return "inverse";
  case contract_kind::spot:
    break;
  }
  return "spot";
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const std::string book = what.book_channel.empty() ? "orderbook.50" : what.book_channel;
  std::vector<market_socket_plan> out;
  for (const auto kind : {contract_kind::spot, contract_kind::linear, contract_kind::inverse}) {
    std::vector<market_topic> topics;
    for (const auto& i : instruments) {
      if (i.kind != kind) continue;
      const auto& symbol = i.venue_symbol;
      if (what.book) topics.push_back({topic_kind::book, symbol, book + "." + symbol});
      if (what.best && !(what.book && book == "orderbook.1"))
        topics.push_back({topic_kind::best, symbol, "orderbook.1." + symbol});
      if (what.trades) topics.push_back({topic_kind::trades, symbol, "publicTrade." + symbol});
      if (what.candles) topics.push_back({topic_kind::candles, symbol, "kline.1." + symbol});
    }
    add_sockets(out, "/v5/public/" + std::string{category_of(kind)}, std::move(topics),
                traits().topics_per_socket);
  }
  return out;
}

std::unique_ptr<market_protocol> make_protocol() {
  return std::make_unique<stream_protocol>();
}

} // namespace troupe::bybit
