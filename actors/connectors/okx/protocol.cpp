#include "actors/connectors/okx/protocol.hpp"

#include "actors/connectors/dom_reading.hpp"
#include "actors/connectors/rest_reading.hpp"
#include "messages/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::okx {

using namespace std::chrono_literals;

namespace {

/// Takes `head` and the text up to the next quote from the front.
bool take_member(std::string_view& text, std::string_view head, std::string_view& out) noexcept {
  if (!text.starts_with(head)) return false;
  text.remove_prefix(head.size());
  const auto quote = text.substr(0, 64).find('"');
  if (quote == std::string_view::npos) return false;
  out = text.substr(0, quote);
  text.remove_prefix(quote + 1);
  return true;
}

/// What stands behind `mark` in a sentence, up to a comma, blank or quote:
/// "channel:books,instId:BTC-USDT".
std::string_view word_behind(std::string_view sentence, std::string_view mark) noexcept {
  const auto at = sentence.find(mark);
  if (at == std::string_view::npos) return {};
  sentence.remove_prefix(at + mark.size());
  return sentence.substr(0, sentence.find_first_of(", \""));
}

class stream_protocol final : public market_protocol {
public:
  [[nodiscard]] const protocol_traits& traits() const noexcept override { return okx::traits(); }

  std::vector<std::string> begin() override { return {}; }

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("subscribe", topics);
  }

  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("unsubscribe", topics);
  }

  std::string heartbeat() override { return "ping"; }

  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(const char* op, std::span<const market_topic> topics);
  bool take_data(std::string_view frame);
  void name_topic(std::string_view channel, std::string_view symbol);
  void take_other(std::string_view frame);
  void take_event(std::string_view event, const dom_reading::dom::object& object);

  inbound in_;
  std::string topic_;
  std::array<std::string_view, 1> symbols_;
  simdjson::dom::parser parser_;
};

std::vector<market_command> stream_protocol::commands(const char* op,
                                                      std::span<const market_topic> topics) {
  const auto most = traits().topics_per_message;
  std::vector<market_command> out;
  for (std::size_t i = 0; i < topics.size(); i += most) {
    auto& command = out.emplace_back();
    json_writer w;
    w.begin_object().field("op", op).key("args").begin_array();
    for (const auto& topic : topics.subspan(i, std::min(most, topics.size() - i))) {
      const auto channel = std::string_view{topic.name}.substr(0, topic.name.find(':'));
      w.begin_object().field("channel", channel).field("instId", topic.symbol).end_object();
      if (std::string_view{op} == "subscribe") command.topics.push_back(topic.name);
    }
    w.end_array().end_object();
    command.text = std::move(w).text();
  }
  return out;
}

const inbound& stream_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  if (frame == "pong")
    in_.kind = inbound_kind::alive;
  else if (!take_data(frame))
    take_other(frame);
  return in_;
}

void stream_protocol::name_topic(std::string_view channel, std::string_view symbol) {
  topic_.assign(channel).append(":").append(symbol);
  in_.topic = topic_;
}

/// {"arg":{"channel":"books","instId":"BTC-USDT"},… as the venue writes it.
bool stream_protocol::take_data(std::string_view frame) {
  std::string_view channel;
  std::string_view symbol;
  auto rest = frame;
  if (!take_member(rest, R"({"arg":{"channel":")", channel)
      || !take_member(rest, R"(,"instId":")", symbol) || !rest.starts_with("},"))
    return false;
  // An answer may begin with its arg too.
  if (rest.size() < 512 && rest.find(R"("event":)") != std::string_view::npos) return false;
  name_topic(channel, symbol);
  in_.kind = inbound_kind::data;
  symbols_[0] = symbol;
  in_.symbols = symbols_;
  return true;
}

void stream_protocol::take_other(std::string_view frame) {
  simdjson::dom::element root;
  simdjson::dom::object object;
  simdjson::dom::object arg;
  if (!dom_reading::parse(parser_, frame, root)) {
    in_.kind = inbound_kind::damaged;
    return;
  }
  if (root.get(object) != simdjson::SUCCESS) return;
  if (dom_reading::object_at(object, "arg", arg)) {
    symbols_[0] = dom_reading::text_at(arg, "instId");
    name_topic(dom_reading::text_at(arg, "channel"), symbols_[0]);
  }
  const auto event = dom_reading::text_at(object, "event");
  if (!event.empty()) return take_event(event, object);
  if (in_.topic.empty() || symbols_[0].empty() || !dom_reading::has(object, "data")) return;
  in_.kind = inbound_kind::data;
  in_.symbols = symbols_;
}

void stream_protocol::take_event(std::string_view event, const dom_reading::dom::object& object) {
  in_.why = dom_reading::text_at(object, "msg");
  const auto code = dom_reading::text_at(object, "code");
  std::from_chars(code.data(), code.data() + code.size(), in_.code);
  if (event == "subscribe")
    in_.kind = inbound_kind::acknowledged;
  else if (event == "unsubscribe" || event.starts_with("channel-conn-count"))
    in_.kind = inbound_kind::alive;
  else if (event == "notice")
    in_.kind = inbound_kind::shutdown; // 64008: the connection will soon be closed
  if (event != "error") return;
  // A refusal names its topic in words only: "Wrong URL or channel:books,instId:X doesn't exist."
  in_.kind = inbound_kind::failure;
  const auto channel = word_behind(in_.why, "channel:");
  const auto symbol = word_behind(in_.why, "instId:");
  if (in_.topic.empty() && !channel.empty() && !symbol.empty()) name_topic(channel, symbol);
  if (!in_.topic.empty()) in_.kind = inbound_kind::refused;
}

} // namespace

const protocol_traits& traits() noexcept {
  static constexpr protocol_traits out{
      .heartbeat_every = 25s, // a socket is cut after 30 s without anything
      .messages_per_second = 2,
      .topics_per_socket =
          120, // 480 subscriptions and their ends an hour, so that all may be renewed
      .topics_per_message = 40,
      .book_quiet = 90s, // a book without changes repeats its number after 60 s
      .trades_quiet = 1h,
      .connects = 100, // three a second
      .connects_within = 1min,
  };
  return out;
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const std::string book = what.book_channel.empty() ? "books" : what.book_channel;
  std::vector<market_topic> topics;
  std::vector<market_topic> candles;
  for (const auto& i : instruments) {
    const auto& symbol = i.venue_symbol;
    if (what.book) topics.push_back({topic_kind::book, symbol, book + ":" + symbol});
    if (what.best) topics.push_back({topic_kind::best, symbol, "bbo-tbt:" + symbol});
    if (what.trades) topics.push_back({topic_kind::trades, symbol, "trades:" + symbol});
    if (what.candles) candles.push_back({topic_kind::candles, symbol, "candle1m:" + symbol});
  }
  std::vector<market_socket_plan> out;
  add_sockets(out, "/ws/v5/public", std::move(topics), traits().topics_per_socket);
  add_sockets(out, "/ws/v5/business", std::move(candles), traits().topics_per_socket);
  return out;
}

std::unique_ptr<market_protocol> make_protocol() {
  return std::make_unique<stream_protocol>();
}

} // namespace troupe::okx
