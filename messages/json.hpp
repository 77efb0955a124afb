#pragma once

/// JSON text: a small writer for status pages and `--json`, and messages by their field list.

#include "messages/fields.hpp"

namespace troupe {

/// Appends `text` quoted and escaped; control characters become \u00XX.
void append_json_string(std::string& out, std::string_view text);

/// Writes JSON piece by piece; the caller keeps brackets balanced. Not thread-safe.
/// ```
/// json_writer w;
/// w.begin_object().field("name", "x").key("list").begin_array().number(1).end_array().end_object();
/// ```
class json_writer {
public:
  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }
  json_writer& key(std::string_view name);
  json_writer& string(std::string_view text);
  json_writer& boolean(bool x) { return raw(x ? "true" : "false"); }
  template <std::integral T>
  json_writer& number(T x) { return raw(std::to_string(x)); }
  /// A figure for people; infinities and NaN become null.
  json_writer& number(double x, int decimals = 6);
  /// Text that is JSON already.
  json_writer& raw(std::string_view json);

  json_writer& field(std::string_view name, std::string_view text) { return key(name).string(text); }
  json_writer& field(std::string_view name, const char* text) { return key(name).string(text); }
  json_writer& field(std::string_view name, bool x) { return key(name).boolean(x); }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  json_writer& field(std::string_view name, T x) { return key(name).number(x); }
  json_writer& field(std::string_view name, double x, int decimals = 6) { return key(name).number(x, decimals); }

  [[nodiscard]] const std::string& text() const& noexcept { return out_; }
  [[nodiscard]] std::string text() && noexcept { return std::move(out_); }

private:
  void separate();
  json_writer& open(char bracket);
  json_writer& close(char bracket);

  std::string out_;
  bool needs_comma_ = false;
};

namespace detail {

template <class T>
void write_json(json_writer& w, const T& x) {
  if constexpr (std::is_same_v<T, bool>) w.boolean(x);
  else if constexpr (std::is_enum_v<T>) w.number(static_cast<std::int64_t>(x));
  else if constexpr (std::is_integral_v<T>) w.number(x);
  else if constexpr (std::is_same_v<T, std::string>) w.string(x);
  else if constexpr (std::is_same_v<T, nanoseconds>) w.number(static_cast<std::int64_t>(x.count()));
  else if constexpr (strong_type<T>) write_json(w, strong_member(x));
  else if constexpr (is_vector<T>::value) {
    w.begin_array();
    for (const auto& item : x) write_json(w, item);
    w.end_array();
  } else if constexpr (is_map<T>::value) {
    w.begin_object();
    for (const auto& [key, value] : x) {
      w.key(key);
      write_json(w, value);
    }
    w.end_object();
  } else {
    w.begin_object();
    for_each_field(x, [&](std::string_view name, const auto& value) {
      w.key(name);
      write_json(w, value);
    });
    w.end_object();
  }
}

} // namespace detail

/// A message as one JSON object, fields by name. Enums are numbers, times nanoseconds.
template <has_fields T>
std::string to_json(const T& x) {
  json_writer w;
  detail::write_json(w, x);
  return std::move(w).text();
}

} // namespace troupe
