#pragma once

/// The safetensors container, read and written by ourselves: 8 bytes little-endian header length, a
/// JSON header {"name":{"dtype","shape","data_offsets"}, "__metadata__":{…}}, then the tensors' bytes
/// without holes (format: github.com/huggingface/safetensors). Files are input from outside: every
/// length, offset, name, type and shape is checked before anything is allocated for it.

#include "actors/models/errc.hpp"
#include "messages/error.hpp"
#include "messages/learning.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// One tensor: packed little-endian bytes in C order.
struct named_tensor {
  std::string name;
  tensor_dtype dtype = tensor_dtype::f32;
  std::vector<std::int64_t> shape;
  std::string bytes;
  friend bool operator==(const named_tensor&, const named_tensor&) = default;
};

/// What a file may and must hold: exactly these tensors, each once.
struct tensor_rule {
  std::string name;
  tensor_dtype dtype = tensor_dtype::f32;
  std::vector<std::int64_t> shape; ///< a negative extent stands for any extent up to its absolute value
};

/// A file's content. Tensors keep their order; metadata is a map of texts.
struct tensor_file {
  std::vector<named_tensor> tensors;
  std::map<std::string, std::string> metadata;

  /// The tensor of that name; nullptr when there is none.
  [[nodiscard]] const named_tensor* find(std::string_view name) const noexcept;
  friend bool operator==(const tensor_file&, const tensor_file&) = default;
};

/// Bounds on a file that is read.
struct safetensors_limits {
  std::size_t header_bytes = 4u << 20; ///< longest JSON header
  std::size_t file_bytes = 2u << 30;   ///< longest file
};

/// Bytes of a tensor of that type and shape; an error when negative or beyond 2^31.
result<std::size_t> tensor_bytes(tensor_dtype dtype, std::span<const std::int64_t> shape);

/// Writes a file whose data start 8-aligned. @pre each tensor's bytes fit its dtype and shape
std::string write_safetensors(const tensor_file& file);

/// Reads a file that holds exactly the tensors of `rules`. Numbers must be finite. `source` names the
/// file in error texts, which are one line: file, tensor, expected, found.
result<tensor_file> read_safetensors(std::string_view bytes, std::span<const tensor_rule> rules,
                                     std::string_view source, const safetensors_limits& limits = {});

/// Packs numbers as a tensor. @pre product of shape == values.size()
named_tensor make_tensor(std::string name, std::span<const float> values, std::vector<std::int64_t> shape);
named_tensor make_tensor(std::string name, std::span<const std::int64_t> values,
                         std::vector<std::int64_t> shape);

/// The numbers of a tensor of that type; an empty vector when the type is another.
std::vector<float> floats_of(const named_tensor& tensor);
std::vector<std::int64_t> integers_of(const named_tensor& tensor);

} // namespace troupe
