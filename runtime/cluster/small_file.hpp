#pragma once

/// Small durable files of a node's data directory: replaced as a whole, synced, checksummed.

#include "messages/error.hpp"
#include "runtime/cluster/errc.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

/// An error that names the file and what the system said (errno).
error refused_file(const std::filesystem::path& file);

/// Temporary file, sync, rename, sync of the directory: after a crash there is the old text or the new one.
/// Blocks on the disk.
status replace_synced(const std::filesystem::path& dir, const std::string& name, const std::string& text);

/// A number and pairs of words, such as the nodes that were declared dead.
struct kept_rows {
  std::uint64_t version = 0;
  std::vector<std::pair<std::string, std::string>> rows;
};

/// Writes them: first line "MAGIC VERSION", one line a pair, then a checksum (FNV-1a). `magic` holds the
/// format's version. Words hold no blank or line end. Blocks on the disk.
status save_rows(const std::filesystem::path& directory, const std::string& name, std::string_view magic,
                 const kept_rows& what);

/// Reads them; nothing where the file is missing. A damaged file is an error that names it: it is never
/// taken for an empty one.
result<kept_rows> load_rows(const std::filesystem::path& directory, const std::string& name,
                            std::string_view magic);

} // namespace troupe
