#include "actors/connectors/htx/protocol.hpp"

#include "actors/connectors/htx/codec.hpp"

namespace troupe::htx {

using namespace std::string_view_literals;

namespace {

constexpr nanoseconds image_age = std::chrono::seconds{1};
constexpr int pings_until_image = 2;

std::string message(std::string_view word, std::string_view topic, std::uint64_t id) {
  std::string out = R"({")";
  out += word;
  out += R"(":")";
  out += topic;
  out += R"(","id":")";
  out += std::to_string(id);
  out += R"("})";
  return out;
}

/// mbp books need an image; mbp.refresh is whole by itself.
bool needs_image(std::string_view topic) noexcept {
  const auto name = parts_of_channel(topic).name;
  return name.starts_with("mbp."sv) && !name.starts_with("mbp.refresh"sv);
}

} // namespace

std::vector<std::string> protocol::begin() {
  next_id_ = 1;
  asked_.clear();
  images_.clear();
  return {};
}

std::vector<market_command> protocol::subscribe(std::span<const market_topic> topics) {
  std::vector<market_command> out;
  for (const auto& topic : topics) {
    asked_[next_id_] = topic.name;
    if (needs_image(topic.name)) images_[topic.name] = {};
    out.push_back({message("sub", topic.name, next_id_++), {topic.name}});
  }
  return out;
}

std::vector<market_command> protocol::unsubscribe(std::span<const market_topic> topics) {
  std::vector<market_command> out;
  for (const auto& topic : topics) {
    images_.erase(topic.name);
    out.push_back({message("unsub", topic.name, next_id_++), {}});
  }
  return out;
}

const inbound& protocol::take(std::string_view frame) noexcept {
  out_ = {};
  replies_.clear();
  frame_damage damage = frame_damage::none;
  const auto text = inflater_.text_of(frame, damage);
  if (damage == frame_damage::none && in_.open(text)) {
    if (in_.is_object()) take_object(in_.object());
    in_.finish();
    if (!in_.fine()) damage = in_.damage();
  } else if (damage == frame_damage::none) {
    damage = in_.damage();
  }
  if (damage != frame_damage::none) {
    out_ = {};
    out_.kind = inbound_kind::damaged;
    replies_.clear();
  }
  out_.text = text;
  out_.replies = replies_;
  return out_;
}

void protocol::take_object(json_object root) {
  json_value value;
  if (in_.find(root, "ch", value)) return take_data(root, in_.text(value));
  if (in_.find(root, "ping", value)) return take_ping(value);
  if (in_.find(root, "rep", value)) return take_image(root, in_.text(value));
  take_answer(root);
}

void protocol::take_ping(json_value number) {
  const auto digits = in_.token(number);
  if (!in_.fine() || digits.size() > 20) return in_.fail(frame_damage::bad_number);
  out_.kind = inbound_kind::alive;
  replies_.push_back(R"({"pong":)" + std::string{digits} + '}');
  for (auto& [topic, wait] : images_)
    if (wait.acknowledged && wait.first_change.ns == 0 && ++wait.pings == pings_until_image)
      ask_for_image(topic);
  std::erase_if(images_, [](const auto& item) { return item.second.pings >= pings_until_image; });
}

void protocol::ask_for_image(const std::string& topic) {
  replies_.push_back(message("req", topic, next_id_++));
}

void protocol::see_change(market_time sent) {
  const auto found = images_.find(out_.topic);
  if (found == images_.end()) return;
  auto& wait = found->second;
  if (wait.first_change.ns == 0) wait.first_change = sent;
  if (sent - wait.first_change < image_age) return;
  ask_for_image(found->first);
  images_.erase(found);
}

void protocol::take_data(json_object& root, std::string_view channel) {
  out_.topic = channel;
  const auto parts = parts_of_channel(channel);
  if (parts.symbol.empty()) return; // of no kind we know
  out_.kind = inbound_kind::data;
  symbols_[0] = parts.symbol;
  out_.symbols = symbols_;
  json_value value;
  market_time sent;
  if (in_.find(root, "ts", value)) sent = in_.time(value, time_unit::ms);
  if (parts.name == "trade.detail"sv || parts.name.starts_with("kline."sv)) return;
  if (!in_.find(root, "tick", value)) return;
  json_object tick = in_.object(value);
  for (const auto key : {"seqNum"sv, "version"sv, "seqId"sv})
    if (in_.fine() && in_.find(tick, key, value)) {
      out_.sequence = in_.id(value);
      break;
    }
  if (in_.fine() && needs_image(channel)) see_change(sent);
}

void protocol::take_image(json_object& root, std::string_view channel) {
  const auto parts = parts_of_channel(channel);
  json_value value;
  if (in_.find(root, "status", value) && in_.text(value) != "ok"sv) return take_answer(root);
  out_.topic = channel;
  out_.kind = parts.symbol.empty() ? inbound_kind::unknown : inbound_kind::data;
  symbols_[0] = parts.symbol;
  if (!parts.symbol.empty()) out_.symbols = symbols_;
}

void protocol::take_answer(json_object& root) {
  json_value value;
  if (in_.find(root, "unsubbed", value)) {
    out_.kind = inbound_kind::alive;
    return;
  }
  const auto subscribed = in_.find(root, "subbed", value) ? in_.text(value) : ""sv;
  const auto status = in_.find(root, "status", value) ? in_.text(value) : ""sv;
  const auto id = in_.find(root, "id", value) ? in_.id(value) : 0;
  if (in_.find(root, "err-msg", value)) out_.why = in_.text(value);
  if (!in_.fine() || (subscribed.empty() && status != "error"sv)) return;
  const auto found = asked_.find(id);
  topic_ = found != asked_.end() ? found->second : std::string{subscribed};
  if (found != asked_.end()) asked_.erase(found);
  out_.topic = topic_;
  if (status == "error"sv) {
    // An error without a subscription of ours is a refused request or unsubscription.
    out_.kind = topic_.empty() ? inbound_kind::failure : inbound_kind::refused;
    if (const auto wait = images_.find(topic_); wait != images_.end()) images_.erase(wait);
    return;
  }
  out_.kind = inbound_kind::acknowledged;
  if (const auto wait = images_.find(topic_); wait != images_.end()) wait->second.acknowledged = true;
}

} // namespace troupe::htx
