// Any bytes as a safetensors file: refused, or what was read writes and reads back the same.

#include "actors/models/safetensors.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static const std::vector<tensor_rule> rules{{"a", tensor_dtype::f32, {2, 3}},
                                              {"b", tensor_dtype::i64, {-8}},
                                              {"c", tensor_dtype::u8, {-4, 2}},
                                              {"d", tensor_dtype::f64, {}}};
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto read = read_safetensors(bytes, rules, "input", {.header_bytes = 1u << 16, .file_bytes = 1u << 20});
  if (!read) return 0;
  const auto again = read_safetensors(write_safetensors(*read), rules, "rewritten");
  if (!again || !(*again == *read)) std::abort();
  return 0;
}
