#include "actors/connectors/bitfinex/protocol.hpp"

#include "actors/connectors/dom_reading.hpp"
#include "actors/feeds/connection_sequence.hpp"

#include <algorithm>
#include <unordered_map>

namespace troupe::bitfinex {

using namespace dom_reading;

const protocol_traits& traits() noexcept {
  static const protocol_traits out = {
      .heartbeat_every = std::chrono::seconds{20},
      // Each channel has a heartbeat every 15 s or so; our ping covers a socket without channels.
      .silence_limit = std::chrono::seconds{45},
      .messages_per_second = 8,
      .topics_per_socket = 24, // of 25 channels
      .topics_per_message = 1,
      .book_quiet = std::chrono::minutes{2}, // heartbeats of a channel prove that it lives
      .best_quiet = std::chrono::minutes{2},
      .trades_quiet = std::chrono::minutes{60},
      .connects = 15, // of 20 a minute
      .connects_within = std::chrono::minutes{1}};
  return out;
}

namespace {

constexpr std::string_view default_book = "book.P0.F0.100";

/// "book.P0.F0.100 tBTCUSD" → the text in front of the space
std::string_view head_of(std::string_view topic) noexcept {
  return topic.substr(0, topic.find(' '));
}

/// The n-th part of "book.P0.F0.100"; empty when there is none.
std::string_view part_of(std::string_view head, int n) noexcept {
  for (; n > 0; --n) {
    const auto point = head.find('.');
    if (point == std::string_view::npos) return {};
    head.remove_prefix(point + 1);
  }
  return head.substr(0, head.find('.'));
}

class v2_protocol final : public market_protocol {
public:
  explicit v2_protocol(std::uint32_t flags) : flags_{flags} {}

  [[nodiscard]] const protocol_traits& traits() const noexcept override {
    return bitfinex::traits();
  }

  std::vector<std::string> begin() override {
    channels_.clear();
    wanted_.clear();
    sequence_.reset();
    if (flags_ == 0) return {};
    return {R"({"event":"conf","flags":)" + std::to_string(flags_) + '}'};
  }

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override;
  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override;
  std::string heartbeat() override { return R"({"event":"ping","cid":1})"; }
  const inbound& take(std::string_view frame) noexcept override;

private:
  /// A channel of the connection; the views of `in_` point in here.
  struct channel {
    std::string topic;
    std::string symbol;
  };

  void take_event(const dom::object& object);
  void take_subscribed(const dom::object& object);
  void take_info(const dom::object& object);
  void take_data(const dom::array& frame);
  bool in_sequence(const dom::array& frame, std::size_t behind);
  [[nodiscard]] std::string topic_of(const dom::object& object) const;
  void about(const channel& one);

  std::uint32_t flags_;
  dom::parser parser_;
  inbound in_;
  std::string topic_;
  std::string symbol_;
  std::string why_;
  std::string_view symbols_[1];
  std::vector<std::string> wanted_; // topics we asked for
  std::unordered_map<std::uint64_t, channel> channels_;
  connection_sequence sequence_;
};

std::vector<market_command> v2_protocol::subscribe(std::span<const market_topic> topics) {
  std::vector<market_command> out;
  for (const auto& topic : topics) {
    const auto head = head_of(topic.name);
    market_command command;
    auto& text = command.text;
    const auto kind = part_of(head, 0);
    text.append(R"({"event":"subscribe","channel":")").append(kind).append(1, '"');
    if (kind == "candles") {
      text.append(R"(,"key":"trade:)").append(part_of(head, 1)).append(1, ':').append(topic.symbol);
    } else {
      text.append(R"(,"symbol":")").append(topic.symbol);
    }
    text += '"';
    if (kind == "book") {
      text.append(R"(,"prec":")")
          .append(part_of(head, 1))
          .append(R"(","freq":")")
          .append(part_of(head, 2));
      text.append(R"(","len":")").append(part_of(head, 3)).append(1, '"');
    }
    text += '}';
    command.topics = {topic.name};
    if (std::ranges::find(wanted_, topic.name) == wanted_.end()) wanted_.push_back(topic.name);
    out.push_back(std::move(command));
  }
  return out;
}

/// Ends go by channel number; a topic that was never confirmed has none.
std::vector<market_command> v2_protocol::unsubscribe(std::span<const market_topic> topics) {
  std::vector<market_command> out;
  for (const auto& topic : topics) {
    std::erase(wanted_, topic.name);
    for (const auto& [number, one] : channels_)
      if (one.topic == topic.name)
        out.push_back({R"({"event":"unsubscribe","chanId":)" + std::to_string(number) + '}', {}});
  }
  return out;
}

const inbound& v2_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  dom::element root;
  dom::object object;
  dom::array array;
  if (!parse(parser_, frame, root))
    in_.kind = inbound_kind::damaged;
  else if (root.get(object) == simdjson::SUCCESS)
    take_event(object);
  else if (root.get(array) == simdjson::SUCCESS)
    take_data(array);
  return in_;
}

void v2_protocol::about(const channel& one) {
  topic_ = one.topic;
  symbol_ = one.symbol;
  symbols_[0] = symbol_;
  in_.topic = topic_;
  in_.symbols = symbols_;
}

/// The topic an answer speaks of: the one we asked for with its channel, symbol and, for books,
/// precision.
std::string v2_protocol::topic_of(const dom::object& object) const {
  const auto kind = text_at(object, "channel");
  auto symbol = text_at(object, "symbol");
  const auto key = text_at(object, "key"); // trade:1m:tBTCUSD
  if (symbol.empty() && key.rfind(':') != std::string_view::npos
      && key.find(':') + 1 < key.size()) {
    const auto inner = key.substr(key.find(':') + 1);
    symbol = inner.substr(inner.find(':') + 1);
  }
  const auto fits = [](std::string_view said, std::string_view asked) {
    return said.empty() || said == asked; // errors may leave out what was wrong
  };
  for (const auto& topic : wanted_) {
    const auto head = head_of(topic);
    const auto asked = std::string_view{topic}.substr(std::min(head.size() + 1, topic.size()));
    if (part_of(head, 0) != kind || asked != symbol) continue;
    if (kind == "book"
        && !(fits(text_at(object, "prec"), part_of(head, 1))
             && fits(text_at(object, "freq"), part_of(head, 2))
             && fits(text_at(object, "len"), part_of(head, 3))))
      continue;
    return topic;
  }
  return {};
}

void v2_protocol::take_event(const dom::object& object) {
  const auto name = text_at(object, "event");
  if (name == "subscribed") return take_subscribed(object);
  if (name == "info") return take_info(object);
  if (name == "pong") in_.kind = inbound_kind::alive;
  if (name == "unsubscribed") {
    in_.kind = inbound_kind::alive;
    if (const auto number = number_at(object, "chanId"))
      channels_.erase(static_cast<std::uint64_t>(*number));
  }
  if (name == "conf") {
    in_.kind = text_at(object, "status") == "OK" ? inbound_kind::alive : inbound_kind::failure;
    in_.why = "the venue refused the connection's flags";
  }
  if (name != "error") return;
  in_.code = number_at(object, "code").value_or(0);
  in_.why = text_at(object, "msg");
  topic_ = topic_of(object);
  // Errors of subscriptions repeat what was asked for; others (an unknown event) speak of none.
  in_.kind = topic_.empty() ? inbound_kind::failure : inbound_kind::refused;
  in_.topic = topic_;
}

void v2_protocol::take_subscribed(const dom::object& object) {
  const auto number = number_at(object, "chanId");
  if (!number || *number <= 0) {
    in_.kind = inbound_kind::damaged;
    return;
  }
  channel one;
  one.topic = topic_of(object);
  if (one.topic.empty()) return; // not asked for by us
  one.symbol = one.topic.substr(head_of(one.topic).size() + 1);
  about(one);
  in_.kind = inbound_kind::acknowledged; // with the symbol: decoders learn the number too
  channels_[static_cast<std::uint64_t>(*number)] = std::move(one);
}

/// 20051: reconnect; 20060: maintenance begins; 20061: it has ended and all is to be subscribed
/// anew.
void v2_protocol::take_info(const dom::object& object) {
  in_.kind = inbound_kind::alive;
  in_.code = number_at(object, "code").value_or(0);
  in_.why = text_at(object, "msg");
  dom::object platform;
  const bool down =
      object_at(object, "platform", platform) && number_at(platform, "status").value_or(1) == 0;
  if (down) in_.why = "the platform is in maintenance";
  if (down || in_.code == 20051 || in_.code == 20060 || in_.code == 20061)
    in_.kind = inbound_kind::shutdown;
}

/// The number behind the content must be one more than that of the message before, on whatever
/// channel.
bool v2_protocol::in_sequence(const dom::array& frame, std::size_t behind) {
  constexpr std::int64_t least_time = 1'000'000'000'000;
  std::int64_t number = 0;
  const bool there =
      frame.at(behind).get(number) == simdjson::SUCCESS && number > 0 && number < least_time;
  const bool begins = sequence_.count() == 0;
  const auto expected = sequence_.last() + 1;
  if (!there && begins) return true; // the flag was not asked for, or not granted
  if (there
      && sequence_.take(static_cast<std::uint64_t>(number)) == connection_sequence::step::next)
    return true;
  why_ = "sequence number " + (there ? std::to_string(number) : std::string{"absent"}) + " where "
         + std::to_string(expected) + " was due";
  in_.kind = inbound_kind::broken;
  in_.why = why_;
  return false;
}

void v2_protocol::take_data(const dom::array& frame) {
  std::uint64_t number = 0;
  std::string_view word;
  dom::element content;
  if (frame.at(0).get(number) != simdjson::SUCCESS || frame.at(1).get(content) != simdjson::SUCCESS)
    return;
  const bool worded = content.get(word) == simdjson::SUCCESS;
  const bool heartbeat = worded && word == "hb";
  if (!in_sequence(frame, worded && !heartbeat ? 3 : 2)) return;
  in_.kind = inbound_kind::alive;
  const auto found = channels_.find(number);
  if (found == channels_.end()) return; // a channel that is being ended
  in_.kind = inbound_kind::data;
  about(found->second);
  // A heartbeat proves its channel, as quiet pairs have nothing else for minutes, and says nothing to feeds.
  if (heartbeat) in_.symbols = {};
}

} // namespace

std::unique_ptr<market_protocol> make_protocol(std::uint32_t flags) {
  return std::make_unique<v2_protocol>(flags);
}

std::unique_ptr<market_protocol> make_protocol() {
  return make_protocol(flag_timestamp | flag_sequence);
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const auto book = what.book_channel.empty() ? default_book : std::string_view{what.book_channel};
  std::vector<market_socket_plan> out;
  constexpr std::size_t most = 4; // topics of one instrument: they stay on one socket
  for (const auto& instrument : instruments) {
    if (out.empty() || out.back().topics.size() + most > traits().topics_per_socket)
      out.push_back({.target = "/ws/2", .topics = {}});
    const auto add = [&](topic_kind kind, std::string_view head) {
      out.back().topics.push_back(
          {kind, instrument.venue_symbol, std::string{head} + ' ' + instrument.venue_symbol});
    };
    if (what.book) add(topic_kind::book, book);
    if (what.best) add(topic_kind::best, "ticker");
    if (what.trades) add(topic_kind::trades, "trades");
    if (what.candles) add(topic_kind::candles, "candles.1m");
  }
  std::erase_if(out, [](const auto& socket) { return socket.topics.empty(); });
  return out;
}

} // namespace troupe::bitfinex
