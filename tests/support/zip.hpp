#pragma once

/// The one file within a zip archive, as recordings come: deflated. Checks its CRC.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <zlib.h>

namespace troupe::test {

inline std::uint64_t little_endian(const std::string& bytes, std::size_t at, int count) {
  std::uint64_t out = 0;
  for (int i = 0; i < count; ++i)
    out |= std::uint64_t{static_cast<unsigned char>(bytes.at(at + i))} << (8 * i);
  return out;
}

/// Nothing when the archive is damaged or packed otherwise. Sizes are not read: some archives keep them in
/// 64-bit extensions, and a deflated stream knows its own end.
inline std::optional<std::string> unzip_first(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
  const auto directory = bytes.rfind("PK\x01\x02");
  if (directory == std::string::npos || directory + 46 > bytes.size()) return std::nullopt;
  const auto method = little_endian(bytes, directory + 10, 2);
  const auto crc = little_endian(bytes, directory + 16, 4);
  const auto data = 30 + little_endian(bytes, 26, 2) + little_endian(bytes, 28, 2);
  if (method != 8 || data > directory) return std::nullopt;
  z_stream z{};
  if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return std::nullopt;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + data));
  z.avail_in = static_cast<uInt>(directory - data);
  std::string out;
  auto step = Z_OK;
  while (step == Z_OK) {
    const auto filled = out.size();
    out.resize(filled + (1u << 16));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    z.avail_out = 1u << 16;
    step = inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
  }
  inflateEnd(&z);
  if (step != Z_STREAM_END) return std::nullopt;
  const auto check = crc32(0, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(out.size()));
  return check == crc ? std::optional{out} : std::nullopt;
}

} // namespace troupe::test
