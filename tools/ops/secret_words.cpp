#include "tools/ops/secret_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace troupe::ops {
namespace {

constexpr std::size_t shortest = 6;
constexpr std::string_view gone = "[redacted]";

/// Base64 of a value that begins `skip` bytes into a group of three: only the characters that depend on
/// nothing else, so that it is found inside a longer text.
std::string base64_core(const std::string& value, std::size_t skip, bool url) {
  const std::string_view alphabet = url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                                        : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto bytes = std::string(skip, '\0') + value;
  std::string out;
  const auto whole_bits = bytes.size() * 8;
  for (std::size_t bit = 0; bit + 6 <= whole_bits; bit += 6) {
    unsigned six = 0;
    for (std::size_t i = bit; i < bit + 6; ++i)
      six = six << 1 | (static_cast<unsigned char>(bytes[i / 8]) >> (7 - i % 8) & 1u);
    if (bit >= skip * 8) out += alphabet[six];
  }
  return out;
}

std::string hex_of(const std::string& value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : value) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string percent_of(const std::string& value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : value) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) || std::string_view{"-._~"}.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    out += '%';
    out += digits[u >> 4];
    out += digits[u & 15];
  }
  return out;
}

std::string lower(std::string text) {
  for (auto& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void replace_exact(std::string& text, const std::string& what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + gone.size()))
    text.replace(at, what.size(), gone);
}

void replace_any_case(std::string& text, const std::string& lowered) {
  auto low = lower(text);
  for (auto at = low.find(lowered); at != std::string::npos; at = low.find(lowered, at + gone.size())) {
    text.replace(at, lowered.size(), gone);
    low.replace(at, lowered.size(), gone);
  }
}

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// Words behind which a secret stands; `ends` = the name ends in it, else it holds it.
struct announced {
  std::string_view word;
  bool ends;
};
constexpr std::array<announced, 12> announcing{{{"_key", true},
                                                {"_secret", true},
                                                {"apikey", true},
                                                {"api_key", true},
                                                {"secretkey", true},
                                                {"signature", true},
                                                {"listenkey", true},
                                                {"authorization", true},
                                                {"password", true},
                                                {"passphrase", true},
                                                {"token", true},
                                                {"secret", true}}};

bool announces(std::string_view name) {
  const auto low = lower(std::string{name});
  for (const auto& each : announcing)
    if (each.ends ? low.ends_with(each.word) : low.find(each.word) != std::string::npos) return true;
  return false;
}

/// `NAME=value`, `NAME: value`, `"NAME":"value"`: the value goes, up to where it ends.
std::string strip_announced(const std::string& text) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    if (!is_name(text[i])) {
      out += text[i++];
      continue;
    }
    auto end = i;
    while (end < text.size() && is_name(text[end]))
      ++end;
    const auto name = std::string_view{text}.substr(i, end - i);
    out += name;
    i = end;
    if (!announces(name)) continue;
    // What stands between name and value.
    auto at = i;
    while (at < text.size() && (text[at] == '"' || text[at] == '\\' || text[at] == ' '))
      ++at;
    if (at >= text.size() || (text[at] != '=' && text[at] != ':')) continue;
    ++at;
    bool quoted = false;
    while (at < text.size() && (text[at] == ' ' || text[at] == '"' || text[at] == '\\'))
      quoted = text[at++] == '"' || quoted;
    out.append(text, i, at - i);
    const std::string_view stops =
        quoted ? "\"\\\n" : (lower(std::string{name}).ends_with("authorization") ? "\"\n" : " \t\n\r&,;\"}");
    auto stop = std::min(text.find_first_of(stops, at), text.size());
    if (stop > at) out += gone;
    i = stop;
  }
  return out;
}

/// Private keys in PEM, whole.
void strip_pem(std::string& text) {
  constexpr std::string_view begin = "-----BEGIN ";
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const auto line = text.substr(at, text.find('\n', at) - at);
    if (line.find("PRIVATE KEY") == std::string::npos) continue;
    const auto last = text.find("-----END ", at);
    const auto end = last == std::string::npos ? text.size() : text.find('\n', last);
    text.replace(at, (end == std::string::npos ? text.size() : end) - at, gone);
  }
}

} // namespace

secret_words::secret_words(const std::vector<std::string>& values) {
  for (const auto& value : values) {
    if (value.size() < shortest) continue;
    exact_.push_back(value);
    exact_.push_back(percent_of(value));
    for (std::size_t skip = 0; skip < 3; ++skip)
      for (const bool url : {false, true})
        exact_.push_back(base64_core(value, skip, url));
    lowered_.push_back(hex_of(value));
  }
  std::sort(exact_.begin(), exact_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string secret_words::strip(std::string text) const {
  for (const auto& value : exact_)
    replace_exact(text, value);
  for (const auto& value : lowered_)
    replace_any_case(text, value);
  strip_pem(text);
  return strip_announced(text);
}

} // namespace troupe::ops
