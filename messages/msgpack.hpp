#pragma once

/// msgpack from the field list: a message is an array of its fields in order. Stored values stand
/// behind a schema hash (`storage/record.hpp`), so the list may grow from version to version.
/// Decoding never throws: unknown or damaged input is an error with the field's name.

#include "messages/errc.hpp"
#include "messages/fields.hpp"

#include <msgpack.hpp>

namespace troupe {

/// Bounds on untrusted input: containers and strings, and nesting.
inline constexpr std::size_t msgpack_max_items = 1u << 20;
inline constexpr std::size_t msgpack_max_bytes = 64u << 20;
inline constexpr std::size_t msgpack_max_depth = 32;

namespace detail {

using packer = msgpack::packer<msgpack::sbuffer>;

template <class T>
void pack_value(packer& out, const T& x) {
  if constexpr (std::is_same_v<T, bool> || std::is_integral_v<T>) out.pack(x);
  else if constexpr (std::is_enum_v<T>) out.pack(static_cast<std::underlying_type_t<T>>(x));
  else if constexpr (std::is_same_v<T, std::string>) {
    out.pack_bin(static_cast<std::uint32_t>(x.size()));
    out.pack_bin_body(x.data(), static_cast<std::uint32_t>(x.size()));
  } else if constexpr (std::is_same_v<T, nanoseconds>) out.pack(static_cast<std::int64_t>(x.count()));
  else if constexpr (strong_type<T>) pack_value(out, strong_member(x));
  else if constexpr (is_vector<T>::value) {
    out.pack_array(static_cast<std::uint32_t>(x.size()));
    for (const auto& item : x) pack_value(out, item);
  } else if constexpr (is_map<T>::value) {
    out.pack_map(static_cast<std::uint32_t>(x.size()));
    for (const auto& [key, value] : x) {
      pack_value(out, key);
      pack_value(out, value);
    }
  } else {
    out.pack_array(static_cast<std::uint32_t>(std::tuple_size_v<decltype(T::fields())>));
    for_each_field(x, [&](std::string_view, const auto& value) { pack_value(out, value); });
  }
}

/// Returns an empty string on success, else the path of the field that does not fit.
template <class T>
std::string unpack_value(const msgpack::object& in, T& x) {
  using msgpack::type::object_type;
  if constexpr (std::is_same_v<T, bool>) {
    if (in.type != object_type::BOOLEAN) return ": not a bool";
    x = in.via.boolean;
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> raw{};
    if (auto err = unpack_value(in, raw); !err.empty()) return err;
    x = static_cast<T>(raw);
  } else if constexpr (std::is_integral_v<T>) {
    if (in.type == object_type::POSITIVE_INTEGER) {
      if (!std::in_range<T>(in.via.u64)) return ": integer out of range";
      x = static_cast<T>(in.via.u64);
    } else if (in.type == object_type::NEGATIVE_INTEGER) {
      if (!std::in_range<T>(in.via.i64)) return ": integer out of range";
      x = static_cast<T>(in.via.i64);
    } else return ": not an integer";
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (in.type == object_type::BIN) x.assign(in.via.bin.ptr, in.via.bin.size);
    else if (in.type == object_type::STR) x.assign(in.via.str.ptr, in.via.str.size);
    else return ": not a string";
  } else if constexpr (std::is_same_v<T, nanoseconds>) {
    std::int64_t raw = 0;
    if (auto err = unpack_value(in, raw); !err.empty()) return err;
    x = nanoseconds{raw};
  } else if constexpr (strong_type<T>) {
    return unpack_value(in, strong_member(x));
  } else if constexpr (is_vector<T>::value) {
    if (in.type != object_type::ARRAY) return ": not an array";
    x.clear();
    // One by one: a forged length must not allocate more than what was parsed.
    for (std::uint32_t i = 0; i < in.via.array.size; ++i) {
      typename T::value_type item{};
      if (auto err = unpack_value(in.via.array.ptr[i], item); !err.empty())
        return "[" + std::to_string(i) + "]" + err;
      x.push_back(std::move(item));
    }
  } else if constexpr (is_map<T>::value) {
    if (in.type != object_type::MAP) return ": not a map";
    x.clear();
    for (std::uint32_t i = 0; i < in.via.map.size; ++i) {
      typename T::key_type key{};
      typename T::mapped_type value{};
      if (auto err = unpack_value(in.via.map.ptr[i].key, key); !err.empty()) return "{key}" + err;
      if (auto err = unpack_value(in.via.map.ptr[i].val, value); !err.empty()) return "{value}" + err;
      x.emplace(std::move(key), std::move(value));
    }
  } else {
    constexpr auto count = std::tuple_size_v<decltype(T::fields())>;
    if (in.type != object_type::ARRAY) return ": not a " + std::string{T::type_name};
    if (in.via.array.size != count)
      return ": " + std::to_string(in.via.array.size) + " fields instead of " + std::to_string(count);
    std::string err;
    std::uint32_t i = 0;
    for_each_field(x, [&](std::string_view name, auto& value) {
      if (!err.empty()) return;
      if (auto inner = unpack_value(in.via.array.ptr[i++], value); !inner.empty())
        err = "." + std::string{name} + inner;
    });
    return err;
  }
  return {};
}

/// Parses bytes within the bounds above; the handle owns the parsed objects.
result<msgpack::object_handle> parse_msgpack(std::string_view bytes);

} // namespace detail

/// Encodes a message.
template <has_fields T>
std::string to_msgpack(const T& x) {
  msgpack::sbuffer buffer;
  detail::packer out{buffer};
  detail::pack_value(out, x);
  return {buffer.data(), buffer.size()};
}

/// Decodes exactly one message; trailing bytes are an error.
template <has_fields T>
result<T> from_msgpack(std::string_view bytes) {
  auto parsed = detail::parse_msgpack(bytes);
  if (!parsed) return std::move(parsed).error();
  T x{};
  if (auto err = detail::unpack_value(parsed->get(), x); !err.empty())
    return {codec_errc::wrong_type, std::string{T::type_name} + err};
  return x;
}

} // namespace troupe
