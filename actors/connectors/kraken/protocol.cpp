#include "actors/connectors/kraken/protocol.hpp"

#include "actors/connectors/dom_reading.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace troupe::kraken {

using namespace dom_reading;

const protocol_traits& traits() noexcept {
  static const protocol_traits out = {
      .heartbeat_every = std::chrono::seconds{10},
      // The venue's own heartbeat comes each second once something is subscribed; our ping covers
      // the rest.
      .silence_limit = std::chrono::seconds{20},
      .messages_per_second = 5,
      .topics_per_socket = 120,
      .topics_per_message = 20,
      // A healthy book was seen silent for 9 s, and quiet pairs are silent for longer.
      .book_quiet = std::chrono::seconds{60},
      .best_quiet = std::chrono::seconds{120},
      .trades_quiet = std::chrono::minutes{30},
      .connects = 100, // of about 150 in ten minutes and address
      .connects_within = std::chrono::minutes{10}};
  return out;
}

namespace {

constexpr std::string_view default_book = "book.100";

/// "book.100 BTC/USD" in parts.
struct topic_parts {
  std::string_view channel; ///< "book"
  std::string_view depth;   ///< "100", empty for other channels
  std::string_view symbol;
};

topic_parts split_topic(std::string_view name) noexcept {
  topic_parts out;
  const auto space = name.find(' ');
  const auto head = name.substr(0, space);
  const auto point = head.find('.');
  out.channel = head.substr(0, point);
  if (point != std::string_view::npos) out.depth = head.substr(point + 1);
  if (space != std::string_view::npos) out.symbol = name.substr(space + 1);
  return out;
}

std::string key_of(std::string_view channel, std::string_view symbol) {
  std::string out{channel};
  out += ' ';
  out += symbol;
  return out;
}

class v2_protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override { return kraken::traits(); }

  std::vector<std::string> begin() override {
    names_.clear();
    asked_.clear();
    return {};
  }

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("subscribe", topics);
  }

  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("unsubscribe", topics);
  }

  std::string heartbeat() override { return R"({"method":"ping"})"; }

  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(std::string_view method,
                                       std::span<const market_topic> topics);
  void write(std::string_view method, std::span<const market_topic> topics,
             std::vector<market_command>& out);
  void take_object(const dom::object& object);
  void take_answer(const dom::object& object, std::string_view method);
  void take_data(const dom::object& object, std::string_view channel);
  void take_status(const dom::object& object);

  dom::parser parser_;
  inbound in_;
  std::vector<std::string_view> symbols_;
  std::vector<std::string> answered_;
  std::string key_;
  std::unordered_map<std::string, std::string> names_;                // "book BTC/USD" → topic
  std::unordered_map<std::uint64_t, std::vector<std::string>> asked_; // request → its topics
  std::uint64_t request_ = 0;
};

std::vector<market_command> v2_protocol::commands(std::string_view method,
                                                  std::span<const market_topic> topics) {
  std::vector<market_topic> sorted{topics.begin(), topics.end()};
  const auto head = [](const market_topic& t) { return t.name.substr(0, t.name.find(' ')); };
  std::ranges::stable_sort(sorted, {}, head);
  std::vector<market_command> out;
  std::span<const market_topic> rest{sorted};
  while (!rest.empty()) {
    const auto same =
        std::ranges::find_if(rest, [&](const auto& t) { return head(t) != head(rest.front()); });
    const auto count = std::min<std::size_t>(static_cast<std::size_t>(same - rest.begin()),
                                             traits().topics_per_message);
    write(method, rest.first(count), out);
    rest = rest.subspan(count);
  }
  return out;
}

void v2_protocol::write(std::string_view method, std::span<const market_topic> topics,
                        std::vector<market_command>& out) {
  const auto parts = split_topic(topics.front().name);
  const bool subscribes = method == "subscribe";
  market_command command;
  auto& text = command.text;
  text.append(R"({"method":")")
      .append(method)
      .append(R"(","params":{"channel":")")
      .append(parts.channel);
  text.append(R"(","symbol":[)");
  for (const auto& topic : topics) {
    if (&topic != topics.data()) text += ',';
    text.append(1, '"').append(topic.symbol).append(1, '"');
    if (!subscribes) continue;
    names_[key_of(parts.channel, topic.symbol)] = topic.name;
    command.topics.push_back(topic.name);
  }
  text += ']';
  if (!parts.depth.empty()) text.append(R"(,"depth":)").append(parts.depth);
  if (parts.channel == "ohlc") text.append(R"(,"interval":1)");
  if (subscribes && parts.channel == "ticker") text.append(R"(,"event_trigger":"bbo")");
  // Trades and candles of before the subscription must not enter the tape.
  if (subscribes) text.append(R"(,"snapshot":)").append(parts.channel == "book" ? "true" : "false");
  text.append(R"(},"req_id":)").append(std::to_string(++request_)).append(1, '}');
  if (subscribes) asked_[request_] = command.topics;
  out.push_back(std::move(command));
}

const inbound& v2_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  dom::element root;
  dom::object object;
  if (!parse(parser_, frame, root))
    in_.kind = inbound_kind::damaged;
  else if (root.get(object) == simdjson::SUCCESS)
    take_object(object);
  return in_;
}

void v2_protocol::take_object(const dom::object& object) {
  const auto channel = text_at(object, "channel");
  if (channel == "heartbeat" || channel == "instrument")
    in_.kind = inbound_kind::alive;
  else if (channel == "status")
    take_status(object);
  else if (!channel.empty())
    take_data(object, channel);
  else if (const auto method = text_at(object, "method"); !method.empty())
    take_answer(object, method);
  else if (has(object, "error")) {
    in_.kind = inbound_kind::failure;
    in_.why = text_at(object, "error");
  }
}

void v2_protocol::take_status(const dom::object& object) {
  in_.kind = inbound_kind::alive;
  dom::array rows;
  if (!array_at(object, "data", rows)) return;
  for (const auto row : rows) {
    dom::object state;
    if (row.get(state) != simdjson::SUCCESS) continue;
    // cancel_only, post_only and limit_only keep the book going.
    if (text_at(state, "system") != "maintenance") continue;
    in_.kind = inbound_kind::shutdown;
    in_.why = "maintenance";
  }
}

void v2_protocol::take_data(const dom::object& object, std::string_view channel) {
  dom::array rows;
  if (!array_at(object, "data", rows)) return;
  symbols_.clear();
  for (const auto row : rows) {
    dom::object item;
    if (row.get(item) != simdjson::SUCCESS) continue;
    const auto symbol = text_at(item, "symbol");
    if (!symbol.empty() && std::ranges::find(symbols_, symbol) == symbols_.end())
      symbols_.push_back(symbol);
  }
  if (symbols_.empty()) return;
  in_.kind = inbound_kind::data;
  in_.symbols = symbols_;
  key_.assign(channel).append(1, ' ').append(symbols_.front());
  if (const auto found = names_.find(key_); found != names_.end()) in_.topic = found->second;
}

void v2_protocol::take_answer(const dom::object& object, std::string_view method) {
  in_.kind = inbound_kind::alive; // pong; the answer to an unsubscription
  if (method != "subscribe") return;
  const auto request = number_at(object, "req_id");
  const auto asked = asked_.find(request ? static_cast<std::uint64_t>(*request) : 0);
  const auto topic_of = [&](std::string_view channel, std::string_view symbol) -> std::string_view {
    const auto found = names_.find(key_of(channel, symbol));
    return found == names_.end() ? std::string_view{} : std::string_view{found->second};
  };
  if (flag_at(object, "success").value_or(false)) {
    dom::object result;
    in_.kind = inbound_kind::acknowledged;
    if (object_at(object, "result", result))
      in_.topic = topic_of(text_at(result, "channel"), text_at(result, "symbol"));
    return;
  }
  in_.kind = inbound_kind::refused;
  in_.why = text_at(object, "error");
  if (asked == asked_.end()) return; // the oldest command that waits
  // A refused pair is named, a refused depth is not: then the whole request is refused.
  if (const auto symbol = text_at(object, "symbol"); !symbol.empty())
    in_.topic = topic_of(split_topic(asked->second.front()).channel, symbol);
  if (!in_.topic.empty()) return;
  answered_ = asked->second;
  if (answered_.size() == 1)
    in_.topic = answered_.front();
  else
    in_.topics = answered_;
}

} // namespace

std::unique_ptr<market_protocol> make_protocol() {
  return std::make_unique<v2_protocol>();
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const auto book = what.book_channel.empty() ? default_book : std::string_view{what.book_channel};
  std::vector<market_socket_plan> out;
  const auto add = [&](topic_kind kind, std::string_view head, const instrument_spec& i) {
    out.back().topics.push_back({kind, i.venue_symbol, key_of(head, i.venue_symbol)});
  };
  constexpr std::size_t most = 4; // topics of one instrument: they stay on one socket
  for (const auto& instrument : instruments) {
    if (out.empty() || out.back().topics.size() + most > traits().topics_per_socket)
      out.push_back({.target = "/v2", .topics = {}});
    if (what.book) add(topic_kind::book, book, instrument);
    if (what.best) add(topic_kind::best, "ticker", instrument);
    if (what.trades) add(topic_kind::trades, "trade", instrument);
    if (what.candles) add(topic_kind::candles, "ohlc", instrument);
  }
  std::erase_if(out, [](const auto& socket) { return socket.topics.empty(); });
  return out;
}

} // namespace troupe::kraken
