#include "actors/connectors/binance/protocol.hpp"

#include "actors/connectors/binance/codec.hpp"
#include "actors/connectors/dom_reading.hpp"
#include "messages/json.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>

namespace troupe::binance {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t streams_in_url = 150;
constexpr std::size_t largest_answer = 65'536;

std::string lower_case(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Whole sockets of one class of streams.
void spread(const std::string& path, const std::vector<market_topic>& topics, std::size_t most,
            std::vector<market_socket_plan>& out) {
  for (std::size_t i = 0; i < topics.size(); i += most) {
    auto& plan = out.emplace_back();
    plan.target = path;
    const auto end = std::min(topics.size(), i + most);
    plan.topics.assign(topics.begin() + static_cast<std::ptrdiff_t>(i),
                       topics.begin() + static_cast<std::ptrdiff_t>(end));
    plan.subscribed = plan.topics.size() <= streams_in_url;
    if (!plan.subscribed) continue;
    plan.target += "?streams=";
    for (const auto& topic : plan.topics) {
      if (&topic != plan.topics.data()) plan.target += '/';
      plan.target += topic.name;
    }
  }
}

class stream_protocol final : public market_protocol {
public:
  explicit stream_protocol(market_kind kind) : kind_{kind} {}

  [[nodiscard]] const protocol_traits& traits() const noexcept override { return traits_of(kind_); }

  std::vector<std::string> begin() override {
    asked_.clear();
    return {};
  }

  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("SUBSCRIBE", topics);
  }

  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("UNSUBSCRIBE", topics);
  }

  const inbound& take(std::string_view frame) noexcept override;

private:
  std::vector<market_command> commands(const char* method, std::span<const market_topic> topics);
  void take_data(std::string_view stream, std::string_view frame);
  void take_answer(std::string_view frame);

  market_kind kind_;
  inbound in_;
  std::array<std::string_view, 1> symbols_;
  std::string symbol_;
  std::vector<std::string> answered_;
  std::map<std::int64_t, std::vector<std::string>> asked_; ///< command → its topics
  std::int64_t next_id_ = 1;
  simdjson::dom::parser parser_;
};

std::vector<market_command> stream_protocol::commands(const char* method,
                                                      std::span<const market_topic> topics) {
  const bool subscribes = std::string_view{method} == "SUBSCRIBE";
  std::vector<market_command> out;
  for (std::size_t i = 0; i < topics.size(); i += traits().topics_per_message) {
    auto& command = out.emplace_back();
    json_writer w;
    w.begin_object().field("method", method).key("params").begin_array();
    for (const auto& topic : topics.subspan(i, std::min(traits().topics_per_message, topics.size() - i))) {
      w.string(topic.name);
      if (subscribes) command.topics.push_back(topic.name);
    }
    w.end_array().field("id", next_id_).end_object();
    command.text = std::move(w).text();
    asked_[next_id_++] = command.topics;
  }
  return out;
}

const inbound& stream_protocol::take(std::string_view frame) noexcept {
  in_ = {};
  in_.text = frame;
  const auto stream = stream_of(frame);
  const bool shutdown =
      stream == "!serverShutdown"
      || (stream.empty() && frame.size() < largest_answer && frame.find("\"serverShutdown\"") != std::string_view::npos);
  if (shutdown) in_.kind = inbound_kind::shutdown;
  else if (stream.empty()) take_answer(frame);
  else take_data(stream, frame);
  return in_;
}

void stream_protocol::take_data(std::string_view stream, std::string_view frame) {
  in_.kind = inbound_kind::data;
  in_.topic = stream;
  in_.sequence = sequence_of(stream, frame);
  symbol_.assign(stream.substr(0, stream.find('@')));
  for (auto& c : symbol_) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  symbols_[0] = symbol_;
  in_.symbols = symbols_;
}

void stream_protocol::take_answer(std::string_view frame) {
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (frame.size() > largest_answer || !dom_reading::parse(parser_, frame, root)) {
    in_.kind = inbound_kind::damaged;
    return;
  }
  if (root.get(object) != simdjson::SUCCESS) return;
  simdjson::dom::object error = object;
  const bool failed = dom_reading::object_at(object, "error", error) || dom_reading::has(object, "code");
  if (failed) {
    in_.code = dom_reading::number_at(error, "code").value_or(0);
    in_.why = dom_reading::text_at(error, "msg");
    if (in_.why.empty()) in_.why = frame;
  }
  const auto asked = asked_.find(dom_reading::number_at(object, "id").value_or(0));
  if (asked == asked_.end()) {
    in_.kind = failed ? inbound_kind::failure : inbound_kind::unknown;
    return;
  }
  answered_ = std::move(asked->second);
  asked_.erase(asked);
  in_.topics = answered_;
  if (answered_.empty()) in_.kind = inbound_kind::alive; // the end of a subscription
  else in_.kind = failed ? inbound_kind::refused : inbound_kind::acknowledged;
}

} // namespace

const protocol_traits& traits_of(market_kind kind) noexcept {
  static const protocol_traits spot = {
      .silence_limit = 60s, // the venue pings every 20 s
      .rotation = 23h,      // of 24
      .messages_per_second = 4,
      .topics_per_socket = 300, // of 1024
      .topics_per_message = 100,
      .image_in_band = false,
      .book_quiet = 5s, // depth streams push every 100 ms
      .best_quiet = 30s,
      .trades_quiet = 10min,
      .connects = 300,
      .connects_within = 5min,
  };
  static const protocol_traits usdm = [] {
    auto out = spot;
    out.silence_limit = 240s; // the venue pings every 3 minutes
    return out;
  }();
  return kind == market_kind::spot ? spot : usdm;
}

std::vector<market_socket_plan> plan_sockets(market_kind kind, std::span<const instrument_spec> instruments,
                                             const market_selection& what) {
  const auto channel = "@" + (what.book_channel.empty() ? std::string{"depth@100ms"} : what.book_channel);
  std::vector<market_topic> books, trades;
  for (const auto& each : instruments) {
    const auto lower = lower_case(each.venue_symbol);
    const auto add = [&](std::vector<market_topic>& to, topic_kind of, const std::string& suffix) {
      to.push_back({of, each.venue_symbol, lower + suffix});
    };
    if (what.book) add(books, topic_kind::book, channel);
    if (what.best) add(books, topic_kind::best, "@bookTicker");
    if (what.trades) add(trades, topic_kind::trades, "@trade");
    if (what.candles) add(trades, topic_kind::candles, "@kline_1m");
  }
  std::vector<market_socket_plan> out;
  const auto most = traits_of(kind).topics_per_socket;
  if (kind == market_kind::usdm) {
    spread("/public/stream", books, most, out);
    spread("/market/stream", trades, most, out);
    return out;
  }
  books.insert(books.end(), trades.begin(), trades.end());
  spread("/stream", books, most, out);
  return out;
}

std::unique_ptr<market_protocol> make_protocol(market_kind kind) {
  return std::make_unique<stream_protocol>(kind);
}

std::uint64_t sequence_of(std::string_view stream, std::string_view frame) noexcept {
  if (stream.find("@kline") != std::string_view::npos) return 0;
  const auto key = stream.find("@trade") != std::string_view::npos ? std::string_view{"\"t\":"} : "\"u\":";
  const auto at = frame.find(key);
  if (at == std::string_view::npos) return 0;
  std::uint64_t out = 0;
  const auto* from = frame.data() + at + key.size();
  std::from_chars(from, frame.data() + frame.size(), out);
  return out;
}

} // namespace troupe::binance
