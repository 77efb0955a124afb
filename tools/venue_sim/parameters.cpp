#include "tools/venue_sim/parameters.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace troupe::venue_sim {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool decode(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return true;
}

/// Calls `f(name=value text)` for every part between '&'.
template <class F>
void split(std::string_view text, F&& f) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    if (end > 0) f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

} // namespace

parameters parameters::from_form(std::string_view query, std::string_view body, bool& fine) {
  parameters out;
  fine = true;
  const auto take = [&](std::string_view part) {
    const auto equals = part.find('=');
    std::string name, value;
    fine = decode(part.substr(0, equals), name) && fine;
    if (equals != part.npos) fine = decode(part.substr(equals + 1), value) && fine;
    out.add(std::move(name), std::move(value));
  };
  split(query, take);
  split(body, take);
  return out;
}

const std::string* parameters::find(std::string_view name) const {
  for (const auto& [key, value] : items_)
    if (key == name) return &value;
  return nullptr;
}

std::string parameters::get(std::string_view name) const {
  const auto* found = find(name);
  return found == nullptr ? std::string{} : *found;
}

std::optional<std::int64_t> parameters::integer(std::string_view name) const {
  const auto* found = find(name);
  if (found == nullptr) return std::nullopt;
  std::int64_t value = 0;
  const auto* end = found->data() + found->size();
  const auto [stop, code] = std::from_chars(found->data(), end, value);
  // recvWindow may carry three decimals.
  if (code != std::errc{} || (stop != end && *stop != '.')) return std::nullopt;
  return value;
}

std::string parameters::sorted_text() const {
  auto sorted = items_;
  std::sort(sorted.begin(), sorted.end());
  std::string out;
  for (const auto& [name, value] : sorted) {
    if (name == "signature") continue;
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

std::string signed_text(std::string_view query, std::string_view body) {
  std::string out;
  const auto add = [&out](std::string_view text) {
    bool first = true;
    split(text, [&](std::string_view part) {
      if (part.starts_with("signature=")) return;
      if (!first) out += '&';
      first = false;
      out += part;
    });
  };
  add(query);
  add(body);
  return out;
}

std::string hmac_hex(std::string_view secret, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  unsigned char code[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), code, &length);
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    out += digits[code[i] >> 4];
    out += digits[code[i] & 15];
  }
  return out;
}

bool same_signature(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  int differs = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    differs |=
        std::tolower(static_cast<unsigned char>(a[i])) ^ std::tolower(static_cast<unsigned char>(b[i]));
  return differs == 0;
}

} // namespace troupe::venue_sim
