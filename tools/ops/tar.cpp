#include "tools/ops/tar.hpp"

#include <array>
#include <cstring>
#include <zlib.h>
#include <zstd.h>

namespace troupe::ops {
namespace {

constexpr std::size_t block = 512;

error bad_archive(std::string text) {
  return {std::make_error_code(std::errc::invalid_argument), std::move(text)};
}

/// Octal digits with leading zeros, closed by a NUL.
void put_octal(char* at, std::size_t width, std::uint64_t value) {
  at[width - 1] = '\0';
  for (auto i = width - 1; i > 0; value /= 8) at[--i] = static_cast<char>('0' + value % 8);
}

std::array<char, block> header_of(const tar_file& file, std::int64_t seconds) {
  std::array<char, block> out{};
  std::memcpy(out.data(), file.name.data(), file.name.size());
  put_octal(out.data() + 100, 8, 0600);
  put_octal(out.data() + 108, 8, 0);
  put_octal(out.data() + 116, 8, 0);
  put_octal(out.data() + 124, 12, file.text.size());
  put_octal(out.data() + 136, 12, static_cast<std::uint64_t>(seconds < 0 ? 0 : seconds));
  out[156] = '0';
  std::memcpy(out.data() + 257, "ustar\00000", 8);
  // The checksum is taken with its own field blank.
  std::memset(out.data() + 148, ' ', 8);
  unsigned sum = 0;
  for (const char c : out)
    sum += static_cast<unsigned char>(c);
  put_octal(out.data() + 148, 7, sum);
  return out;
}

result<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return bad_archive("gzip could not begin");
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) return bad_archive("gzip could not end");
  return out;
}

} // namespace

result<std::string> make_tar(const std::vector<tar_file>& files, std::int64_t seconds) {
  std::string out;
  for (const auto& file : files) {
    if (file.name.empty() || file.name.size() > 100 || file.name.front() == '/'
        || file.name.find("..") != std::string::npos)
      return bad_archive("'" + file.name + "' is no name for an archive");
    const auto header = header_of(file, seconds);
    out.append(header.data(), header.size());
    out += file.text;
    out.append((block - file.text.size() % block) % block, '\0');
  }
  out.append(2 * block, '\0');
  return out;
}

result<packing> packing_of(std::string_view file_name) {
  if (file_name.ends_with(".tar.zst")) return packing::zstd;
  if (file_name.ends_with(".tar.gz") || file_name.ends_with(".tgz")) return packing::gzip;
  return bad_archive("'" + std::string{file_name} + "': write NAME.tar.zst or NAME.tar.gz");
}

result<std::string> pack(std::string_view bytes, packing how) {
  if (how == packing::gzip) return gzip(bytes);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const auto n = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
  if (ZSTD_isError(n)) return bad_archive(std::string{"zstd: "} + ZSTD_getErrorName(n));
  out.resize(n);
  return out;
}

} // namespace troupe::ops
