#pragma once

/// Requests and responses, as client and server see them.

#include "runtime/net/net.hpp"

#include <utility>

namespace troupe::net {

/// Header fields in order of appearance; names compare without case.
struct http_fields {
  std::vector<std::pair<std::string, std::string>> items;

  /// The first value of `name`, empty when there is none.
  [[nodiscard]] std::string_view find(std::string_view name) const noexcept;
  void add(std::string name, std::string value) { items.emplace_back(std::move(name), std::move(value)); }
};

struct http_request {
  std::string method = "GET";
  /// Path and query as on the request line: "/api/v3/depth?symbol=BTCUSDT&limit=1000".
  std::string target = "/";
  http_fields fields;
  std::string body;
  /// Server side only: "127.0.0.1:50213".
  std::string peer;

  /// The part of the target before '?'.
  [[nodiscard]] std::string_view path() const noexcept {
    return std::string_view{target}.substr(0, target.find('?'));
  }
  /// The part after '?', as it came (not decoded); empty when there is none.
  [[nodiscard]] std::string_view query() const noexcept {
    const auto mark = target.find('?');
    return mark == std::string::npos ? std::string_view{} : std::string_view{target}.substr(mark + 1);
  }
};

struct http_response {
  unsigned status = 200;
  http_fields fields;
  std::string body;
  /// Client side: when the last byte of the body was here (market clock of the client's options).
  market_time received;
};

/// Decodes %XX and '+' of one query component; nothing when the escapes are damaged.
result<std::string> percent_decode(std::string_view text);
/// Encodes all but the unreserved characters of RFC 3986 (A-Z a-z 0-9 - . _ ~).
std::string percent_encode(std::string_view text);
/// "a=1&b=%20" as decoded pairs in order.
result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

} // namespace troupe::net
