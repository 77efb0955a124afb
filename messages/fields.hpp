#pragma once

/// The one field list of a message type.
///
/// ```
/// struct quote {
///   instrument_id instrument;
///   price bid;
///   TROUPE_FIELDS(quote, "Best bid and ask of one book.",
///                 TROUPE_FIELD(instrument, "whose book"),
///                 TROUPE_FIELD(bid, "best bid, instrument price scale"))
/// };
/// ```
/// From it come CAF inspection (`inspect`), msgpack (`messages/msgpack.hpp`), JSON
/// (`messages/json.hpp`), the schema hash and the reference docs. A field that is declared but not
/// listed, a floating-point field and a pointer field are compile errors in `wire_message`.

#include "messages/money.hpp"
#include "messages/time.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

/// Name, accessor and documentation of one field.
template <class Class, class Type>
struct field {
  using value_type = Type;
  std::string_view name;
  Type Class::*member;
  std::string_view doc;
};

/// clang 14 deduces no template arguments for aggregates by itself.
template <class Class, class Type>
field(std::string_view, Type Class::*, std::string_view) -> field<Class, Type>;

#define TROUPE_FIELD(name_, doc_)                                                                  \
  ::troupe::field { #name_, &troupe_self::name_, doc_ }

#define TROUPE_FIELDS(type_, doc_, ...)                                                            \
  using troupe_self = type_;                                                                       \
  static constexpr std::string_view type_name = #type_;                                            \
  static constexpr std::string_view type_doc = doc_;                                               \
  static constexpr auto fields() { return std::tuple{__VA_ARGS__}; }                               \
  friend bool operator==(const type_&, const type_&) = default;

/// A type that carries a field list.
template <class T>
concept has_fields = requires {
  { T::type_name } -> std::convertible_to<std::string_view>;
  T::fields();
};

/// A strong type around one integer or string member called `raw`, `ns`, `value` or `text`.
template <class T>
concept strong_raw = std::is_aggregate_v<T> && requires(T t) { t.raw; } && !has_fields<T>;
template <class T>
concept strong_ns = std::is_aggregate_v<T> && requires(T t) { t.ns; } && !has_fields<T>;
template <class T>
concept strong_value = std::is_aggregate_v<T> && requires(T t) { t.value; } && !has_fields<T>;
template <class T>
concept strong_text = std::is_aggregate_v<T> && requires(T t) { t.text; t.text.size(); } && !has_fields<T>;
template <class T>
concept strong_type = strong_raw<T> || strong_ns<T> || strong_value<T> || strong_text<T>;

/// The single member of a strong type.
template <strong_type T>
constexpr auto& strong_member(T& x) noexcept {
  if constexpr (strong_raw<std::remove_const_t<T>>) return x.raw;
  else if constexpr (strong_ns<std::remove_const_t<T>>) return x.ns;
  else if constexpr (strong_value<std::remove_const_t<T>>) return x.value;
  else return x.text;
}

template <strong_type T>
using strong_member_t = std::remove_cvref_t<decltype(strong_member(std::declval<T&>()))>;

namespace detail {

struct any_field {
  template <class T>
  constexpr operator T() const noexcept;
};

template <class T, std::size_t... I>
constexpr bool brace_constructible(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), any_field{})...}; };
}

/// Number of members of an aggregate (up to 64).
template <class T, std::size_t N = 64>
constexpr std::size_t member_count() {
  if constexpr (N == 0) return 0;
  else if constexpr (brace_constructible<T>(std::make_index_sequence<N>{})) return N;
  else return member_count<T, N - 1>();
}

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class K, class V>
struct is_map<std::map<K, V>> : std::true_type {};

template <class T>
constexpr bool wire_safe();

template <class Tuple, std::size_t... I>
constexpr bool all_fields_wire_safe(std::index_sequence<I...>) {
  return (wire_safe<typename std::tuple_element_t<I, Tuple>::value_type>() && ...);
}

/// True when a value of T may cross nodes: integers, enums, strings, strong types, containers and
/// messages of such. Floating point and pointers may not: CAF 0.17.6 mangles or hangs on them.
template <class T>
constexpr bool wire_safe() {
  if constexpr (std::is_floating_point_v<T> || std::is_pointer_v<T>) return false;
  else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) return true;
  else if constexpr (std::is_same_v<T, std::string>) return true;
  else if constexpr (std::is_same_v<T, nanoseconds>) return true;
  else if constexpr (strong_type<T>) return wire_safe<strong_member_t<T>>();
  else if constexpr (is_vector<T>::value) return wire_safe<typename T::value_type>();
  else if constexpr (is_map<T>::value)
    return wire_safe<typename T::key_type>() && wire_safe<typename T::mapped_type>();
  else if constexpr (has_fields<T>) {
    using tuple = decltype(T::fields());
    return all_fields_wire_safe<tuple>(std::make_index_sequence<std::tuple_size_v<tuple>>{});
  } else return false;
}

} // namespace detail

/// True when the field list names every member of T.
template <has_fields T>
inline constexpr bool lists_all_fields =
    detail::member_count<T>() == std::tuple_size_v<decltype(T::fields())>;

/// A type that may be sent to another node: complete field list, no floats, no pointers.
template <class T>
concept wire_message = has_fields<T> && lists_all_fields<T> && detail::wire_safe<T>();

/// Calls `visit(name, value)` for each field in order.
template <has_fields T, class Visitor>
constexpr void for_each_field(T& x, Visitor&& visit) {
  std::apply([&](const auto&... f) { (visit(f.name, x.*(f.member)), ...); },
             std::remove_const_t<T>::fields());
}

// --- schema -------------------------------------------------------------------------------------

namespace detail {

template <class T>
void append_type_text(std::string& out) {
  if constexpr (std::is_same_v<T, bool>) out += "bool";
  else if constexpr (std::is_enum_v<T>) append_type_text<std::underlying_type_t<T>>(out);
  else if constexpr (std::is_integral_v<T>) {
    out += std::is_signed_v<T> ? 'i' : 'u';
    out += std::to_string(sizeof(T) * 8);
  } else if constexpr (std::is_same_v<T, std::string>) out += "str";
  else if constexpr (std::is_same_v<T, nanoseconds>) out += "ns";
  else if constexpr (strong_type<T>) append_type_text<strong_member_t<T>>(out);
  else if constexpr (is_vector<T>::value) {
    out += '[';
    append_type_text<typename T::value_type>(out);
    out += ']';
  } else if constexpr (is_map<T>::value) {
    out += "map:";
    append_type_text<typename T::key_type>(out);
    out += ':';
    append_type_text<typename T::mapped_type>(out);
  } else {
    out += T::type_name;
    out += '{';
    std::apply(
        [&](const auto&... f) {
          ((out += f.name, out += ':',
            append_type_text<typename std::remove_cvref_t<decltype(f)>::value_type>(out), out += ' '),
           ...);
        },
        T::fields());
    out += '}';
  }
}

} // namespace detail

/// Canonical text of a message's shape: names and wire types of all fields, nested ones included.
template <has_fields T>
std::string schema_text() {
  std::string out;
  detail::append_type_text<T>(out);
  return out;
}

/// FNV-1a of text; stable over builds and machines.
constexpr std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325ULL) noexcept {
  for (const char c : text) {
    seed ^= static_cast<unsigned char>(c);
    seed *= 0x100000001b3ULL;
  }
  return seed;
}

/// Hash of a message's shape; stored in front of records and compared in the join handshake.
template <has_fields T>
std::uint64_t schema_hash() {
  static const auto hash = stable_hash(schema_text<T>());
  return hash;
}

// --- CAF ----------------------------------------------------------------------------------------

/// CAF 0.17 inspection of every message; found by argument-dependent lookup.
template <class Inspector, has_fields T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  return std::apply([&](const auto&... entry) { return f(x.*(entry.member)...); }, T::fields());
}

/// CAF 0.17 inspection of strong types.
template <class Inspector, strong_type T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  return f(strong_member(x));
}

} // namespace troupe
