#pragma once

/// Reading and writing packed tensors.

#include "messages/errc.hpp"
#include "messages/learning.hpp"

#include <span>

namespace troupe {

/// Bytes of one item; 0 for an unknown dtype.
std::size_t item_size(tensor_dtype dtype) noexcept;

/// Packs floats. @pre product of shape == values.size()
packed_tensor pack_f32(std::span<const float> values, std::vector<std::int64_t> shape);

/// Checks dtype, shape, length and checksum.
status check_tensor(const packed_tensor& tensor);

/// The numbers of an f32 tensor, after all checks.
result<std::vector<float>> unpack_f32(const packed_tensor& tensor);

} // namespace troupe
