#pragma once

/// A request's parameters and its signature, as the venue reads them. Pure.

#include "tools/venue_sim/decimal.hpp"

#include <utility>
#include <vector>

namespace troupe::venue_sim {

/// Parameters in order of appearance, decoded.
class parameters {
public:
  /// From query and form body. False in `fine` when an escape is damaged.
  static parameters from_form(std::string_view query, std::string_view body, bool& fine);

  void add(std::string name, std::string value) { items_.emplace_back(std::move(name), std::move(value)); }
  /// Null when it wasn't sent. An empty value counts as sent.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] std::string get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  /// "a=1&b=2" of all parameters but the signature, sorted by name: what WebSocket API requests sign.
  [[nodiscard]] std::string sorted_text() const;

private:
  std::vector<std::pair<std::string, std::string>> items_;
};

/// What a REST request signs: the query immediately followed by the body, without the signature itself.
std::string signed_text(std::string_view query, std::string_view body);

/// HMAC-SHA256 in lower-case hex.
std::string hmac_hex(std::string_view secret, std::string_view text);

/// Compares without telling by its duration where the texts differ; hex digits in either case.
bool same_signature(std::string_view a, std::string_view b);

} // namespace troupe::venue_sim
