#pragma once

/// Small readers of parsed JSON for protocols and REST answers, where a frame is read for a few of
/// its members. What is absent or of another type is empty. Internal to the venues' sources.

#include "messages/money.hpp"

#include <simdjson.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::dom_reading {

namespace dom = simdjson::dom;

/// The largest text that is parsed; above any frame or page a venue sends.
inline constexpr std::size_t largest_text = 64 << 20;

/// Parses a copy of `text`; false when it is no JSON. Views of `out` live until the parser's next
/// use.
inline bool parse(dom::parser& parser, std::string_view text, dom::element& out) noexcept {
  if (text.empty() || text.size() > largest_text) return false;
  return parser.parse(text.data(), text.size(), true).get(out) == simdjson::SUCCESS;
}

inline std::string_view text_of(const dom::element& value) noexcept {
  std::string_view out;
  return value.get(out) == simdjson::SUCCESS ? out : std::string_view{};
}

/// The texts of an array's first cells; empty for cells of another type, none for what is no array.
template <std::size_t Most>
struct cell_texts {
  std::array<std::string_view, Most> cells;
  std::size_t count = 0;
  operator std::span<const std::string_view>() const noexcept { return std::span{cells}.first(count); }
};

template <std::size_t Most>
cell_texts<Most> texts_of(const dom::element& row) noexcept {
  cell_texts<Most> out;
  dom::array values;
  if (row.get(values) != simdjson::SUCCESS) return out;
  for (const auto value : values)
    if (out.count < Most) out.cells[out.count++] = text_of(value);
  return out;
}

inline std::string_view text_at(const dom::object& object, std::string_view key) noexcept {
  std::string_view out;
  return object[key].get(out) == simdjson::SUCCESS ? out : std::string_view{};
}

inline std::optional<std::int64_t> number_at(const dom::object& object,
                                             std::string_view key) noexcept {
  std::int64_t out = 0;
  return object[key].get(out) == simdjson::SUCCESS ? std::optional{out} : std::nullopt;
}

inline std::optional<bool> flag_at(const dom::object& object, std::string_view key) noexcept {
  bool out = false;
  return object[key].get(out) == simdjson::SUCCESS ? std::optional{out} : std::nullopt;
}

inline bool object_at(const dom::object& object, std::string_view key, dom::object& out) noexcept {
  return object[key].get(out) == simdjson::SUCCESS;
}

inline bool array_at(const dom::object& object, std::string_view key, dom::array& out) noexcept {
  return object[key].get(out) == simdjson::SUCCESS;
}

inline bool has(const dom::object& object, std::string_view key) noexcept {
  dom::element ignored;
  return object[key].get(ignored) == simdjson::SUCCESS;
}

} // namespace troupe::dom_reading
