#include "actors/connectors/mexc/protocol.hpp"

#include "actors/connectors/mexc/wire.hpp"

#include <charconv>

namespace troupe::mexc {

using namespace std::string_view_literals;

namespace {

market_command command(std::string_view method, const market_topic& topic) {
  market_command out;
  out.text = R"({"method":")";
  out.text += method;
  out.text += R"(","params":[")";
  out.text += topic.name;
  out.text += R"("]})";
  return out;
}

/// The channels of "a,b"; of a refusal those between brackets.
std::vector<std::string> channels_of(std::string_view words, bool refused) {
  if (refused) {
    const auto open = words.find('[');
    const auto close = words.find(']');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
    words = words.substr(open + 1, close - open - 1);
  }
  std::vector<std::string> out;
  while (words.starts_with("spot@"sv)) {
    const auto comma = words.find(',');
    out.emplace_back(words.substr(0, comma));
    if (comma == std::string_view::npos) break;
    words.remove_prefix(comma + 1);
    while (!words.empty() && words.front() == ' ') words.remove_prefix(1);
  }
  return out;
}

std::uint64_t number_of(std::string_view text) noexcept {
  std::uint64_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? out : 0;
}

} // namespace

std::vector<std::string> protocol::begin() {
  leaving_.clear();
  return {};
}

std::vector<market_command> protocol::subscribe(std::span<const market_topic> topics) {
  std::vector<market_command> out;
  for (const auto& topic : topics) {
    out.push_back(command("SUBSCRIPTION", topic));
    out.back().topics.push_back(topic.name);
  }
  return out;
}

std::vector<market_command> protocol::unsubscribe(std::span<const market_topic> topics) {
  std::vector<market_command> out;
  for (const auto& topic : topics) {
    out.push_back(command("UNSUBSCRIPTION", topic));
    ++leaving_[topic.name];
  }
  return out;
}

const inbound& protocol::take(std::string_view frame) noexcept {
  out_ = {};
  out_.text = frame;
  if (is_json(frame)) {
    take_answer(frame);
    return out_;
  }
  push from;
  if (!read_push(frame, from)) {
    out_.kind = inbound_kind::damaged;
    return out_;
  }
  out_.kind = inbound_kind::data;
  out_.topic = from.channel;
  symbols_[0] = from.symbol;
  if (!from.symbol.empty()) out_.symbols = symbols_;
  out_.sequence = number_of(version_of(from));
  return out_;
}

void protocol::take_answer(std::string_view frame) {
  out_.kind = inbound_kind::damaged;
  if (!in_.open(frame, 1 << 20) || !in_.is_object()) return;
  auto root = in_.object();
  json_value value;
  const auto code = in_.find(root, "code", value) ? in_.integer(value) : 0;
  const auto words = in_.find(root, "msg", value) ? in_.text(value) : std::string_view{};
  in_.finish();
  if (!in_.fine()) return;
  out_.code = code;
  out_.why = words;
  take_words(words);
}

void protocol::take_words(std::string_view words) {
  if (words == "PONG"sv) {
    out_.kind = inbound_kind::alive;
    return;
  }
  const bool refused = words.find("Not Subscribed"sv) != std::string_view::npos;
  topics_ = channels_of(words, refused);
  if (!topics_.empty()) out_.topic = topics_.front();
  out_.topics = topics_;
  if (refused) {
    out_.kind = inbound_kind::refused;
    return;
  }
  if (out_.code != 0 || topics_.empty()) {
    out_.kind = out_.code != 0 ? inbound_kind::failure : inbound_kind::unknown;
    return;
  }
  out_.kind = inbound_kind::acknowledged;
  // The answers to both commands read alike; they come in the order of the commands.
  const auto left = leaving_.find(topics_.front());
  if (left == leaving_.end()) return;
  if (--left->second == 0) leaving_.erase(left);
  out_.kind = inbound_kind::alive;
  out_.topic = {};
  out_.topics = {};
}

} // namespace troupe::mexc
