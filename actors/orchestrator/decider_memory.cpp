#include "actors/orchestrator/decider_memory.hpp"

#include <xxhash.h>

#include <array>
#include <charconv>

namespace troupe {
namespace {

constexpr std::string_view memory_head = "troupe-decider 1 ";
constexpr std::size_t checksum_digits = 16;

std::string checksum_of(std::string_view body) {
  auto value = XXH3_64bits(body.data(), body.size());
  std::string out(checksum_digits, '0');
  for (auto i = out.size(); i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
}

/// The shortest text that reads back as the same number.
template <class T>
void put(std::string& out, T value) {
  std::array<char, 32> text{};
  const auto [end, why] = std::to_chars(text.data(), text.data() + text.size(), value);
  out += ' ';
  out.append(text.data(), end);
}

/// Takes words off the front of a line.
struct word_reader {
  std::string_view rest;
  bool good = true;

  std::string_view word() {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto out = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return out;
  }

  template <class T>
  void take(T& out) {
    const auto text = word();
    const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), out);
    good = good && why == std::errc{} && end == text.data() + text.size();
  }
};

std::size_t index_of_horizon(std::string_view name) {
  for (const auto over : all_horizons)
    if (name_of(over) == name) return static_cast<std::size_t>(over);
  return all_horizons.size();
}

bool read_line(std::string_view line, decider_memory& out) {
  word_reader in{line};
  const auto what = in.word();
  if (what == "target") {
    size target;
    market_time changed;
    in.take(target.raw);
    in.take(changed.ns);
    out.target = target;
    if (changed.ns != 0) out.changed = changed;
    return in.good;
  }
  const auto h = index_of_horizon(in.word());
  if (h == all_horizons.size()) return false;
  if (what == "learned") {
    in.take(out.fused.losses[h]);
    in.take(out.fused.scored[h]);
    return in.good;
  }
  if (what != "waits") return false;
  auto& row = out.fused.waiting[h].emplace_back();
  in.take(row.due.ns);
  in.take(row.twice_mid);
  in.take(row.up);
  return in.good;
}

} // namespace

std::string encode_memory(const decider_memory& memory) {
  std::string body;
  if (memory.target) {
    body += "target";
    put(body, memory.target->raw);
    put(body, memory.changed ? memory.changed->ns : 0);
    body += '\n';
  }
  for (const auto over : all_horizons) {
    const auto h = static_cast<std::size_t>(over);
    body += "learned " + std::string{name_of(over)};
    put(body, memory.fused.losses[h]);
    put(body, memory.fused.scored[h]);
    body += '\n';
    for (const auto& row : memory.fused.waiting[h]) {
      body += "waits " + std::string{name_of(over)};
      put(body, row.due.ns);
      put(body, row.twice_mid);
      put(body, row.up);
      body += '\n';
    }
  }
  return std::string{memory_head} + checksum_of(body) + '\n' + body;
}

result<decider_memory> decode_memory(std::string_view bytes) {
  const auto damaged = [](const char* what) {
    return error{std::make_error_code(std::errc::bad_message), std::string{"damaged ("} + what + ")"};
  };
  if (!bytes.starts_with(memory_head)) return damaged("wrong head");
  bytes.remove_prefix(memory_head.size());
  if (bytes.size() <= checksum_digits || bytes[checksum_digits] != '\n') return damaged("cut off");
  auto body = bytes.substr(checksum_digits + 1);
  if (bytes.substr(0, checksum_digits) != checksum_of(body)) return damaged("checksum");
  decider_memory out;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    if (!read_line(body.substr(0, end), out)) return damaged("content");
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return out;
}

} // namespace troupe
