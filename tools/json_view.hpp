#pragma once

/// Reading status pages: values of a JSON document by dotted path. Tools only. Not thread-safe.

#include "messages/error.hpp"

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A parsed document, or a part of one. Copies share the document.
class json_view {
public:
  json_view() = default;

  /// Parses text; an empty view when it is no JSON.
  static json_view parse(std::string_view text) {
    json_view out;
    out.parser_ = std::make_shared<simdjson::dom::parser>();
    simdjson::dom::element root;
    if (out.parser_->parse(text.data(), text.size()).get(root) == simdjson::SUCCESS) out.element_ = root, out.there_ = true;
    return out;
  }

  [[nodiscard]] bool there() const noexcept { return there_; }

  /// The part behind a dotted path ("store.counts.made"); an empty view when there is none.
  [[nodiscard]] json_view at(std::string_view path) const {
    json_view out = *this;
    while (out.there_ && !path.empty()) {
      const auto dot = path.find('.');
      simdjson::dom::element next;
      out.there_ = out.element_[path.substr(0, dot)].get(next) == simdjson::SUCCESS;
      out.element_ = next;
      path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    }
    return out;
  }

  [[nodiscard]] std::int64_t integer(std::string_view path, std::int64_t fallback = 0) const {
    const auto part = at(path);
    std::int64_t x = 0;
    if (part.there_ && part.element_.get(x) == simdjson::SUCCESS) return x;
    std::uint64_t u = 0;
    if (part.there_ && part.element_.get(u) == simdjson::SUCCESS) return static_cast<std::int64_t>(u);
    return fallback;
  }

  [[nodiscard]] double real(std::string_view path, double fallback = 0) const {
    const auto part = at(path);
    double x = 0;
    return part.there_ && part.element_.get(x) == simdjson::SUCCESS ? x : fallback;
  }

  /// A number of any kind, or a truth value as 1 or 0; nothing for all else.
  [[nodiscard]] std::optional<double> figure(std::string_view path) const {
    const auto part = at(path);
    double x = 0;
    bool flag = false;
    if (part.there_ && part.element_.get(x) == simdjson::SUCCESS) return x;
    if (part.there_ && part.element_.get(flag) == simdjson::SUCCESS) return flag ? 1.0 : 0.0;
    return std::nullopt;
  }

  [[nodiscard]] std::string text(std::string_view path) const {
    const auto part = at(path);
    std::string_view x;
    return part.there_ && part.element_.get(x) == simdjson::SUCCESS ? std::string{x} : std::string{};
  }

  [[nodiscard]] bool flag(std::string_view path) const {
    const auto part = at(path);
    bool x = false;
    return part.there_ && part.element_.get(x) == simdjson::SUCCESS && x;
  }

  /// The part behind a path as JSON text; empty when it is not there or null.
  [[nodiscard]] std::string raw(std::string_view path) const {
    const auto part = at(path);
    return part.there_ && !part.element_.is_null() ? simdjson::minify(part.element_) : std::string{};
  }

  /// The items of an array; none when the path leads to something else.
  [[nodiscard]] std::vector<json_view> items(std::string_view path) const {
    std::vector<json_view> out;
    const auto part = at(path);
    simdjson::dom::array array;
    if (!part.there_ || part.element_.get(array) != simdjson::SUCCESS) return out;
    for (const auto item : array) {
      json_view view = *this;
      view.element_ = item;
      out.push_back(view);
    }
    return out;
  }

  /// The names of an object's members.
  [[nodiscard]] std::vector<std::string> keys(std::string_view path) const {
    std::vector<std::string> out;
    const auto part = at(path);
    simdjson::dom::object object;
    if (!part.there_ || part.element_.get(object) != simdjson::SUCCESS) return out;
    for (const auto member : object) out.emplace_back(member.key);
    return out;
  }

private:
  std::shared_ptr<simdjson::dom::parser> parser_;
  simdjson::dom::element element_;
  bool there_ = false;
};

} // namespace troupe
