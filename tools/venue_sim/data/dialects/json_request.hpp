#pragma once

/// Reading what clients send: JSON messages and query strings. Bad input gives empty answers, never
/// an exception. Internal to the dialects.

#include "tools/venue_sim/parameters.hpp"

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::venue_sim {

/// One message of a client.
class json_request {
public:
  explicit json_request(std::string_view text)
      : fine_{parser_.parse(text.data(), text.size()).get(root_) == simdjson::SUCCESS} {}

  [[nodiscard]] bool fine() const noexcept { return fine_; }
  [[nodiscard]] simdjson::dom::element root() const noexcept { return root_; }

  /// The text at a JSON pointer ("/params/channel"); empty when there is none.
  [[nodiscard]] std::string_view text(const char* pointer) const {
    std::string_view out;
    if (fine_ && root_.at_pointer(pointer).get(out) != simdjson::SUCCESS) return {};
    return out;
  }
  /// The JSON text of the value at a pointer, as it would be echoed; empty when there is none.
  [[nodiscard]] std::string raw(const char* pointer) const {
    simdjson::dom::element value;
    if (!fine_ || root_.at_pointer(pointer).get(value) != simdjson::SUCCESS) return {};
    return simdjson::minify(value);
  }
  /// The texts of the array at a pointer.
  [[nodiscard]] std::vector<std::string> texts(const char* pointer) const {
    std::vector<std::string> out;
    simdjson::dom::array items;
    if (!fine_ || root_.at_pointer(pointer).get(items) != simdjson::SUCCESS) return out;
    for (const auto item : items) {
      std::string_view text;
      if (item.get(text) == simdjson::SUCCESS) out.emplace_back(text);
    }
    return out;
  }

private:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
  bool fine_ = false;
};

/// A member's text; empty when there is none.
inline std::string_view text_of(simdjson::dom::element object, std::string_view key) {
  std::string_view out;
  if (object[key].get(out) != simdjson::SUCCESS) return {};
  return out;
}

/// Parameters of a query string.
inline parameters query_of(std::string_view query) {
  bool fine = false;
  return parameters::from_form(query, {}, fine);
}

} // namespace troupe::venue_sim
