#include "actors/connectors/kucoin/protocol.hpp"

#include "actors/connectors/kucoin/codec.hpp"

namespace troupe::kucoin {

using namespace std::string_view_literals;

namespace {

std::string_view channel_of(std::string_view topic) noexcept { return topic.substr(0, topic.find(':')); }

/// Topics of one channel share a message, "/market/level2:A,B"; candles name their interval with the symbol.
bool may_join(std::string_view joined, std::string_view name) noexcept {
  return channel_of(joined) == channel_of(name) && channel_of(name) != "/market/candles"sv;
}

} // namespace

std::vector<std::string> protocol::begin() {
  waiting_.clear();
  next_id_ = 1;
  return {};
}

std::vector<market_command> protocol::subscribe(std::span<const market_topic> topics) {
  return commands("subscribe", topics);
}

std::vector<market_command> protocol::unsubscribe(std::span<const market_topic> topics) {
  return commands("unsubscribe", topics);
}

std::vector<market_command> protocol::commands(std::string_view type, std::span<const market_topic> topics) {
  std::vector<std::vector<std::string>> groups;
  for (const auto& topic : topics) {
    const auto fits = [&](const auto& group) {
      return group.size() < kucoin::traits.topics_per_message && may_join(group.front(), topic.name);
    };
    const auto found = std::find_if(groups.begin(), groups.end(), fits);
    if (found != groups.end()) found->push_back(topic.name);
    else groups.push_back({topic.name});
  }
  std::vector<market_command> out;
  for (auto& names : groups) {
    market_command command;
    std::string joined = names.front();
    for (std::size_t i = 1; i < names.size(); ++i) {
      joined += ',';
      joined += names[i].substr(names[i].find(':') + 1);
    }
    command.text = R"({"id":)" + std::to_string(next_id_) + R"(,"type":")" + std::string{type}
                   + R"(","topic":")" + joined + R"(","privateChannel":false,"response":true})";
    if (type == "subscribe"sv) {
      waiting_[next_id_] = names;
      command.topics = std::move(names);
    }
    ++next_id_;
    out.push_back(std::move(command));
  }
  return out;
}

std::string protocol::heartbeat() {
  return R"({"id":)" + std::to_string(next_id_++) + R"(,"type":"ping"})";
}

const inbound& protocol::take(std::string_view frame) noexcept {
  out_ = {};
  out_.text = frame;
  answered_.clear();
  if (in_.open(frame) && in_.is_object()) {
    take_object(in_.object());
    in_.finish();
  }
  if (!in_.fine()) {
    out_ = {};
    out_.text = frame;
    out_.kind = inbound_kind::damaged;
  }
  return out_;
}

void protocol::take_object(json_object root) {
  json_value value;
  if (!in_.find(root, "type", value)) return;
  const auto type = in_.text(value);
  if (type == "message"sv) return take_data(root);
  if (type == "ack"sv) return take_answer(root, inbound_kind::acknowledged);
  if (type == "error"sv) return take_answer(root, inbound_kind::refused);
  if (type == "pong"sv) out_.kind = inbound_kind::alive;
  if (type == "welcome"sv) out_.kind = inbound_kind::welcome;
}

void protocol::take_answer(json_object& root, inbound_kind kind) {
  json_value value;
  const auto id = in_.find(root, "id", value) ? in_.id(value) : 0;
  if (kind == inbound_kind::refused) {
    out_.code = in_.find(root, "code", value) ? in_.integer(value) : 0;
    out_.why = in_.find(root, "data", value) ? in_.text(value) : ""sv;
  }
  if (!in_.fine()) return;
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) { // of an unsubscription, or of nothing we know
    out_.kind = kind == inbound_kind::refused ? inbound_kind::failure : inbound_kind::alive;
    return;
  }
  answered_ = std::move(found->second);
  waiting_.erase(found);
  out_.kind = kind;
  out_.topic = answered_.front();
  out_.topics = answered_;
}

void protocol::take_data(json_object& root) {
  out_.topic = in_.text(root, "topic");
  auto topic = parts_of_topic(out_.topic);
  if (topic.symbol == "all"sv) topic.symbol = in_.text(root, "subject");
  if (!in_.fine()) return;
  if (topic.kind == topic_class::other) return; // of no known channel
  out_.kind = inbound_kind::data;
  symbols_[0] = topic.symbol;
  out_.symbols = symbols_;
  const bool ranged = topic.kind == topic_class::level2;
  if (!ranged && topic.kind != topic_class::ticker) return;
  json_object data = in_.object(root, "data");
  json_value value;
  if (in_.find(data, ranged ? "sequenceEnd" : "sequence", value)) out_.sequence = in_.id(value);
}

} // namespace troupe::kucoin
