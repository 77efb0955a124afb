#pragma once

/// Small archives: POSIX ustar, packed with zstd or gzip. Pure but for `pack`'s libraries.

#include "messages/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::ops {

/// One file of an archive.
struct tar_file {
  std::string name; ///< relative, at most 100 bytes
  std::string text;
};

/// The bytes of a tar archive; mode 0600, no owner, all of one time. Errors: a name that does not fit, is
/// absolute or climbs (std::errc::invalid_argument).
result<std::string> make_tar(const std::vector<tar_file>& files, std::int64_t seconds);

enum class packing : std::uint8_t { zstd, gzip };

/// Chosen by the name: .tar.zst or .tar.gz (.tgz); an error names both.
result<packing> packing_of(std::string_view file_name);

result<std::string> pack(std::string_view bytes, packing how);

} // namespace troupe::ops
