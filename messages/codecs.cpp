#include "messages/json.hpp"
#include "messages/msgpack.hpp"
#include "messages/tensor.hpp"

#include <xxhash.h>

#include <bit>
#include <cmath>

namespace troupe {
namespace {

class codec_category final : public std::error_category {
  const char* name() const noexcept override { return "codec"; }
  std::string message(int value) const override {
    switch (static_cast<codec_errc>(value)) {
    case codec_errc::truncated: return "input ends early";
    case codec_errc::wrong_type: return "value of another type";
    case codec_errc::too_large: return "beyond the size limits";
    case codec_errc::wrong_length: return "length does not fit the shape";
    case codec_errc::unknown_value: return "unknown value";
    case codec_errc::trailing_bytes: return "bytes behind the end";
    case codec_errc::bad_checksum: return "checksum does not match";
    case codec_errc::wrong_schema: return "written with another schema";
    }
    return "unknown";
  }
};

} // namespace

std::error_code make_error_code(codec_errc code) noexcept {
  static const codec_category category;
  return {static_cast<int>(code), category};
}

// --- msgpack ------------------------------------------------------------------------------------

result<msgpack::object_handle> detail::parse_msgpack(std::string_view bytes) {
  if (bytes.size() > msgpack_max_bytes)
    return {codec_errc::too_large, std::to_string(bytes.size()) + " bytes of msgpack"};
  // A container of n items needs at least n bytes, so the limits follow the input and a forged
  // length can't make the parser allocate more than the input is worth.
  const auto items = std::min(bytes.size(), msgpack_max_items);
  const msgpack::unpack_limit limit{items, items, bytes.size(), bytes.size(), 0, msgpack_max_depth};
  try {
    std::size_t offset = 0;
    auto handle = msgpack::unpack(bytes.data(), bytes.size(), offset, nullptr, nullptr, limit);
    if (offset != bytes.size())
      return {codec_errc::trailing_bytes, std::to_string(bytes.size() - offset) + " bytes"};
    return handle;
  } catch (const msgpack::insufficient_bytes&) {
    return {codec_errc::truncated, std::to_string(bytes.size()) + " bytes of msgpack"};
  } catch (const msgpack::unpack_error& e) {
    return {codec_errc::too_large, e.what()};
  }
}

// --- JSON ---------------------------------------------------------------------------------------

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      if (c < 0x20 || c == 0x7f) {
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
      } else out += raw;
    }
  }
  out += '"';
}

void json_writer::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = false;
}

json_writer& json_writer::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  return *this;
}

json_writer& json_writer::open(char bracket) {
  separate();
  out_ += bracket;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  needs_comma_ = true;
  return *this;
}

json_writer& json_writer::string(std::string_view text) {
  separate();
  append_json_string(out_, text);
  needs_comma_ = true;
  return *this;
}

json_writer& json_writer::number(double x, int decimals) {
  if (!std::isfinite(x)) return raw("null");
  char buffer[64];
  const auto length = std::snprintf(buffer, sizeof buffer, "%.*f", decimals, x);
  return raw({buffer, static_cast<std::size_t>(length)});
}

// --- tensors ------------------------------------------------------------------------------------

static_assert(std::endian::native == std::endian::little, "packed tensors are little-endian");

std::size_t item_size(tensor_dtype dtype) noexcept {
  switch (dtype) {
  case tensor_dtype::f32: return 4;
  case tensor_dtype::f64: return 8;
  case tensor_dtype::i64: return 8;
  case tensor_dtype::u8: return 1;
  }
  return 0;
}

packed_tensor pack_f32(std::span<const float> values, std::vector<std::int64_t> shape) {
  packed_tensor out;
  out.dtype = tensor_dtype::f32;
  out.shape = std::move(shape);
  out.bytes.assign(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  out.checksum = XXH3_64bits(out.bytes.data(), out.bytes.size());
  return out;
}

status check_tensor(const packed_tensor& tensor) {
  const auto item = item_size(tensor.dtype);
  if (item == 0) return {codec_errc::unknown_value, "tensor dtype " + std::to_string(static_cast<int>(tensor.dtype))};
  std::uint64_t count = 1;
  for (const auto extent : tensor.shape) {
    if (extent < 0 || extent > (1 << 28)) return {codec_errc::wrong_length, "tensor extent " + std::to_string(extent)};
    count *= static_cast<std::uint64_t>(extent);
    if (count > (1u << 28)) return {codec_errc::too_large, "tensor of more than 2^28 items"};
  }
  if (count * item != tensor.bytes.size())
    return {codec_errc::wrong_length, "tensor shape needs " + std::to_string(count * item) + " bytes, has "
                                          + std::to_string(tensor.bytes.size())};
  if (XXH3_64bits(tensor.bytes.data(), tensor.bytes.size()) != tensor.checksum)
    return {codec_errc::bad_checksum, "tensor of " + std::to_string(tensor.bytes.size()) + " bytes"};
  return ok;
}

result<std::vector<float>> unpack_f32(const packed_tensor& tensor) {
  if (auto checked = check_tensor(tensor); !checked) return std::move(checked).error();
  if (tensor.dtype != tensor_dtype::f32) return {codec_errc::wrong_type, "tensor is not f32"};
  std::vector<float> out(tensor.bytes.size() / sizeof(float));
  std::copy(tensor.bytes.begin(), tensor.bytes.end(), reinterpret_cast<char*>(out.data()));
  return out;
}

} // namespace troupe
