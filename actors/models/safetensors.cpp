#include "actors/models/safetensors.hpp"

#include "messages/json.hpp"
#include "messages/tensor.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace troupe {
namespace {

constexpr std::uint64_t max_tensor_bytes = 1ull << 31;

std::string_view dtype_name(tensor_dtype dtype) noexcept {
  switch (dtype) {
  case tensor_dtype::f32: return "F32";
  case tensor_dtype::f64: return "F64";
  case tensor_dtype::i64: return "I64";
  case tensor_dtype::u8: return "U8";
  }
  return "?";
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const auto extent : shape) {
    if (out.size() > 1) out += ", ";
    out += extent < 0 ? "≤ " + std::to_string(-extent) : std::to_string(extent);
  }
  return out + "]";
}

bool shape_fits(std::span<const std::int64_t> found, std::span<const std::int64_t> rule) noexcept {
  if (found.size() != rule.size()) return false;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (rule[i] < 0 ? found[i] < 0 || found[i] > -rule[i] : found[i] != rule[i]) return false;
  return true;
}

template <class Float>
bool all_finite(std::string_view bytes) noexcept {
  for (std::size_t i = 0; i + sizeof(Float) <= bytes.size(); i += sizeof(Float)) {
    Float x;
    std::memcpy(&x, bytes.data() + i, sizeof x);
    if (!std::isfinite(x)) return false;
  }
  return true;
}

bool finite(tensor_dtype dtype, std::string_view bytes) noexcept {
  if (dtype == tensor_dtype::f32) return all_finite<float>(bytes);
  if (dtype == tensor_dtype::f64) return all_finite<double>(bytes);
  return true;
}

// One file being read; every method names what it found wrong.
struct reader {
  std::string_view header;
  std::string_view data;
  std::span<const tensor_rule> rules;
  std::string_view source;
  tensor_file out;
  std::vector<bool> seen;
  std::size_t next_offset = 0;

  troupe::error fail(model_errc code, std::string_view tensor, std::string what) const {
    std::string text{source};
    text += ": ";
    if (!tensor.empty()) {
      text += "tensor ";
      text += tensor;
      text += ": ";
    }
    return {make_error_code(code), text + std::move(what)};
  }

  status read_metadata(simdjson::dom::element value) {
    simdjson::dom::object object;
    if (value.get(object) || !out.metadata.empty())
      return fail(model_errc::bad_container, "", "bad __metadata__");
    for (const auto [key, text] : object) {
      std::string_view view;
      if (text.get(view) || !out.metadata.emplace(key, view).second)
        return fail(model_errc::bad_container, "", "bad __metadata__");
    }
    return ok;
  }

  result<std::vector<std::int64_t>> read_integers(simdjson::dom::object entry, std::string_view tensor,
                                                  const char* key) const {
    simdjson::dom::array array;
    if (entry.at_key(key).get(array) || array.size() > 8)
      return fail(model_errc::bad_container, tensor, std::string{"bad "} + key);
    std::vector<std::int64_t> integers;
    for (const auto item : array) {
      std::int64_t x = 0;
      if (item.get(x) || x < 0) return fail(model_errc::bad_container, tensor, std::string{"bad "} + key);
      integers.push_back(x);
    }
    return integers;
  }

  status read_tensor(std::string_view name, simdjson::dom::element value) {
    const auto shown = name.substr(0, 80);
    const auto rule = std::ranges::find(rules, name, &tensor_rule::name);
    if (rule == rules.end()) return fail(model_errc::unknown_tensor, shown, "not a tensor of this network");
    const auto index = static_cast<std::size_t>(rule - rules.begin());
    if (seen[index]) return fail(model_errc::bad_container, shown, "named twice");
    seen[index] = true;

    simdjson::dom::object entry;
    std::string_view dtype;
    if (value.get(entry) || entry.size() != 3 || entry.at_key("dtype").get(dtype))
      return fail(model_errc::bad_container, shown, "not {dtype, shape, data_offsets}");
    if (dtype != dtype_name(rule->dtype))
      return fail(model_errc::wrong_type, shown,
                  "expected type " + std::string{dtype_name(rule->dtype)} + ", found "
                      + std::string{dtype.substr(0, 16)});
    auto shape = read_integers(entry, shown, "shape");
    if (!shape) return std::move(shape).error();
    if (!shape_fits(*shape, rule->shape))
      return fail(model_errc::wrong_shape, shown,
                  "expected shape " + shape_text(rule->shape) + ", found " + shape_text(*shape));
    const auto bytes = tensor_bytes(rule->dtype, *shape);
    if (!bytes) return fail(model_errc::too_large, shown, bytes.error().text);
    auto offsets = read_integers(entry, shown, "data_offsets");
    if (!offsets) return std::move(offsets).error();
    return take(shown, *rule, std::move(*shape), *bytes, *offsets);
  }

  status take(std::string_view shown, const tensor_rule& rule, std::vector<std::int64_t> shape,
              std::size_t bytes, std::span<const std::int64_t> offsets) {
    if (offsets.size() != 2 || static_cast<std::uint64_t>(offsets[0]) != next_offset
        || static_cast<std::uint64_t>(offsets[1]) != next_offset + bytes)
      return fail(model_errc::bad_container, shown,
                  "data_offsets leave a hole, overlap, or don't fit the shape");
    if (next_offset + bytes > data.size()) return fail(model_errc::bad_container, shown, "data end early");
    const auto content = data.substr(next_offset, bytes);
    if (!finite(rule.dtype, content)) return fail(model_errc::not_finite, shown, "holds infinities or NaN");
    next_offset += bytes;
    out.tensors.push_back({rule.name, rule.dtype, std::move(shape), std::string{content}});
    return ok;
  }

  result<tensor_file> run() {
    seen.assign(rules.size(), false);
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    simdjson::dom::object object;
    if (parser.parse(simdjson::padded_string(header)).get(root) || root.get(object))
      return fail(model_errc::bad_container, "", "header is not a JSON object");
    bool has_metadata = false;
    for (const auto [key, value] : object) {
      if (key == "__metadata__") {
        if (std::exchange(has_metadata, true)) return fail(model_errc::bad_container, "", "two __metadata__");
        if (auto read = read_metadata(value); !read) return std::move(read).error();
      } else if (auto read = read_tensor(key, value); !read) return std::move(read).error();
    }
    for (std::size_t i = 0; i < rules.size(); ++i)
      if (!seen[i])
        return fail(model_errc::missing_tensor, rules[i].name,
                    "missing, expected shape " + shape_text(rules[i].shape));
    if (next_offset != data.size())
      return fail(model_errc::bad_container, "",
                  std::to_string(data.size() - next_offset) + " bytes behind the data");
    return std::move(out);
  }
};

template <class Number>
std::vector<Number> numbers_of(const named_tensor& tensor) {
  std::vector<Number> out(tensor.bytes.size() / sizeof(Number));
  std::memcpy(out.data(), tensor.bytes.data(), out.size() * sizeof(Number));
  return out;
}

template <class Number>
named_tensor tensor_of(std::string name, tensor_dtype dtype, std::span<const Number> values,
                       std::vector<std::int64_t> shape) {
  return {std::move(name), dtype, std::move(shape),
          std::string{reinterpret_cast<const char*>(values.data()), values.size_bytes()}};
}

} // namespace

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

const named_tensor* tensor_file::find(std::string_view name) const noexcept {
  const auto it = std::ranges::find(tensors, name, &named_tensor::name);
  return it == tensors.end() ? nullptr : &*it;
}

result<std::size_t> tensor_bytes(tensor_dtype dtype, std::span<const std::int64_t> shape) {
  std::uint64_t bytes = item_size(dtype);
  if (bytes == 0) return {model_errc::wrong_type, "unknown tensor type"};
  for (const auto extent : shape) {
    if (extent < 0 || static_cast<std::uint64_t>(extent) > max_tensor_bytes)
      return {model_errc::too_large, "extent " + std::to_string(extent)};
    bytes *= static_cast<std::uint64_t>(extent); // both factors ≤ 2^31: no overflow
    if (bytes > max_tensor_bytes) return {model_errc::too_large, "tensor of more than 2 GiB"};
  }
  return static_cast<std::size_t>(bytes);
}

std::string write_safetensors(const tensor_file& file) {
  json_writer w;
  w.begin_object();
  if (!file.metadata.empty()) {
    w.key("__metadata__").begin_object();
    for (const auto& [key, value] : file.metadata) w.field(key, value);
    w.end_object();
  }
  std::size_t offset = 0;
  for (const auto& tensor : file.tensors) {
    w.key(tensor.name).begin_object().field("dtype", dtype_name(tensor.dtype)).key("shape").begin_array();
    for (const auto extent : tensor.shape) w.number(extent);
    w.end_array()
        .key("data_offsets")
        .begin_array()
        .number(offset)
        .number(offset + tensor.bytes.size())
        .end_array();
    w.end_object();
    offset += tensor.bytes.size();
  }
  auto header = std::move(w.end_object()).text();
  header.append((8 - header.size() % 8) % 8, ' ');

  const auto length = static_cast<std::uint64_t>(header.size());
  std::string out;
  out.reserve(sizeof length + header.size() + offset);
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out += header;
  for (const auto& tensor : file.tensors) out += tensor.bytes;
  return out;
}

result<tensor_file> read_safetensors(std::string_view bytes, std::span<const tensor_rule> rules,
                                     std::string_view source, const safetensors_limits& limits) {
  const std::string name{source};
  if (bytes.size() > limits.file_bytes)
    return {model_errc::too_large, name + ": " + std::to_string(bytes.size()) + " bytes"};
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length + 2) return {model_errc::bad_container, name + ": too short for a header"};
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > limits.header_bytes)
    return {model_errc::too_large, name + ": header of " + std::to_string(length) + " bytes"};
  if (length > bytes.size() - sizeof length) return {model_errc::bad_container, name + ": header ends early"};
  const auto header = bytes.substr(sizeof length, static_cast<std::size_t>(length));
  if (header.empty() || header.front() != '{')
    return {model_errc::bad_container, name + ": header is not JSON"};
  reader in{header, bytes.substr(sizeof length + header.size()), rules, source, {}, {}, 0};
  return in.run();
}

named_tensor make_tensor(std::string name, std::span<const float> values, std::vector<std::int64_t> shape) {
  return tensor_of(std::move(name), tensor_dtype::f32, values, std::move(shape));
}

named_tensor make_tensor(std::string name, std::span<const std::int64_t> values,
                         std::vector<std::int64_t> shape) {
  return tensor_of(std::move(name), tensor_dtype::i64, values, std::move(shape));
}

std::vector<float> floats_of(const named_tensor& tensor) {
  return tensor.dtype == tensor_dtype::f32 ? numbers_of<float>(tensor) : std::vector<float>{};
}

std::vector<std::int64_t> integers_of(const named_tensor& tensor) {
  return tensor.dtype == tensor_dtype::i64 ? numbers_of<std::int64_t>(tensor) : std::vector<std::int64_t>{};
}

} // namespace troupe
