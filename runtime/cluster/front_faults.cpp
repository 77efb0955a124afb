#include "runtime/cluster/front_faults.hpp"

#include "runtime/config/suggest.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {
namespace {

constexpr nanoseconds retransmission = std::chrono::milliseconds{200};
constexpr nanoseconds longest_delay = std::chrono::seconds{60};
constexpr std::uint32_t whole_ppm = 1'000'000;

std::vector<std::string> fault_words(std::string_view line) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : line.substr(0, line.find('#'))) {
    if (c != ' ' && c != '\t' && c != '\r')
      word += c;
    else if (!word.empty())
      out.push_back(std::exchange(word, {}));
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

template <class T>
bool read_whole(std::string_view text, T& out) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && failed == std::errc{} && end == text.data() + text.size();
}

/// "50ms", "2s" or "300us".
bool read_delay(std::string_view text, nanoseconds& out) {
  std::int64_t scale = 0;
  std::size_t unit = 2;
  if (text.ends_with("ms"))
    scale = 1'000'000;
  else if (text.ends_with("us"))
    scale = 1'000;
  else if (text.ends_with("s"))
    scale = 1'000'000'000, unit = 1;
  std::uint32_t number = 0;
  if (scale == 0 || !read_whole(text.substr(0, text.size() - unit), number)) return false;
  out = nanoseconds{static_cast<std::int64_t>(number) * scale};
  return out <= longest_delay;
}

/// "5%" or "0.25%", as parts per million.
bool read_percent(std::string_view text, std::uint32_t& ppm) {
  if (!text.ends_with('%')) return false;
  text.remove_suffix(1);
  const auto point = text.find('.');
  std::uint32_t whole = 0;
  if (!read_whole(text.substr(0, point), whole) || whole > 100) return false;
  std::uint32_t part = 0;
  if (point != std::string_view::npos) {
    std::string digits{text.substr(point + 1)};
    if (digits.empty() || digits.size() > 4) return false;
    digits.resize(4, '0');
    if (!read_whole(std::string_view{digits}, part)) return false;
  }
  ppm = whole * 10'000 + part;
  return ppm <= whole_ppm;
}

/// One line without its comment; an empty text means that it was understood.
std::string read_fault(const std::vector<std::string>& words, link_fault_plan& plan) {
  if (words[0] == "seed")
    return words.size() == 2 && read_whole(words[1], plan.seed) ? "" : "expected: seed NUMBER";
  if (words.size() < 3) return "expected: NODE to|from|both black-hole|cut|delay TIME|loss PERCENT";
  link_fault fault;
  fault.peer = words[0];
  fault.to = words[1] != "from";
  fault.from = words[1] != "to";
  if (fault.to && fault.from && words[1] != "both")
    return "'" + words[1] + "' is no direction; write to, from or both";
  if (words[2] == "black-hole" || words[2] == "cut") {
    fault.what = words[2] == "cut" ? link_fault::kind::cut : link_fault::kind::black_hole;
    if (words.size() != 3) return "'" + words[2] + "' takes nothing behind it";
  } else if (words[2] == "loss") {
    fault.what = link_fault::kind::loss;
    if (words.size() != 4 || !read_percent(words[3], fault.loss_ppm))
      return "expected: loss PERCENT, such as loss 5%";
  } else if (words[2] == "delay") {
    const bool plain = words.size() == 4 && read_delay(words[3], fault.delay);
    const bool jittered = words.size() == 6 && words[4] == "jitter" && read_delay(words[3], fault.delay)
                          && read_delay(words[5], fault.jitter);
    if (!plain && !jittered)
      return "expected: delay TIME, or delay TIME jitter TIME, of at most 60s; such as delay 50ms";
  } else {
    static const std::vector<std::string> kinds{"black-hole", "cut", "delay", "loss"};
    return "unknown fault '" + words[2] + "'" + did_you_mean(words[2], kinds);
  }
  plan.faults.push_back(std::move(fault));
  return {};
}

} // namespace

result<link_fault_plan> parse_link_faults(std::string_view text, std::string_view file) {
  link_fault_plan plan;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    const auto words = fault_words(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (words.empty()) continue;
    if (const auto trouble = read_fault(words, plan); !trouble.empty())
      return {cluster_errc::bad_syntax, std::string{file} + ":" + std::to_string(line) + ": " + trouble};
  }
  return plan;
}

bool link_faults::concerns(const link_fault& fault, std::string_view peer, link_direction direction) const {
  return (fault.peer == "*" || fault.peer == peer)
         && (direction == link_direction::to_peer ? fault.to : fault.from);
}

// splitmix64: any seed is a good one.
std::uint64_t link_faults::draw(std::uint64_t below) {
  state_ += 0x9e3779b97f4a7c15u;
  auto z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % below;
}

nanoseconds link_faults::hold(std::string_view peer, link_direction direction) {
  nanoseconds out{};
  for (const auto& fault : plan_.faults) {
    if (!concerns(fault, peer, direction)) continue;
    if (fault.what == link_fault::kind::loss && draw(whole_ppm) < fault.loss_ppm) out += retransmission;
    if (fault.what != link_fault::kind::delay) continue;
    out += fault.delay;
    if (fault.jitter.count() > 0)
      out +=
          nanoseconds{static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(fault.jitter.count()) + 1))};
  }
  return out;
}

bool link_faults::black_hole(std::string_view peer, link_direction direction) const {
  return std::any_of(plan_.faults.begin(), plan_.faults.end(), [&](const link_fault& f) {
    return f.what == link_fault::kind::black_hole && concerns(f, peer, direction);
  });
}

bool link_faults::cut(std::string_view peer) const {
  return std::any_of(plan_.faults.begin(), plan_.faults.end(), [&](const link_fault& f) {
    return f.what == link_fault::kind::cut && (f.peer == "*" || f.peer == peer);
  });
}

} // namespace troupe
