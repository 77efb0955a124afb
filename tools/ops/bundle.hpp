#pragma once

/// `troupe debug bundle`: what someone needs who is to find out what went wrong, in one archive, without
/// secrets.
///
/// | file | holds |
/// |---|---|
/// | versions.txt | versions of the program, the kernel, the distribution |
/// | config/… | the files of the configuration; of .env only the names |
/// | settings.txt | every setting in force with its origin |
/// | status.json, metrics/NODE.txt, doctor.json | what the nodes and the host say |
/// | logs/NODE.log, logs/NODE.audit.log | the newest 256 KiB of each |
/// | data.txt | names, sizes and times of all files of the data folder |
/// | host.txt | memory, load, limits, mounts |
/// | FAILED.txt | what could not be had, and why |
///
/// Everything passes through `secret_words` before it is archived.

#include "tools/ops/secret_words.hpp"
#include "tools/ops/tar.hpp"

#include <filesystem>

namespace troupe::ops {

/// Texts that the caller has: they go into the archive under these names.
struct bundle_request {
  std::filesystem::path config;
  std::filesystem::path data;
  std::vector<tar_file> texts;
  std::vector<std::string> failed; ///< lines of FAILED.txt
};

/// Names and values of a .env file, whatever its permissions: the values must be known to be taken out.
std::vector<std::pair<std::string, std::string>> env_entries(const std::filesystem::path& file);

/// The files of the archive, stripped.
std::vector<tar_file> collect_bundle(const bundle_request& request);

/// Collects, packs by the name's ending and writes the file with mode 0600; an existing one is refused.
/// Returns its size in bytes.
result<std::uint64_t> write_bundle(const bundle_request& request, const std::filesystem::path& file,
                                   std::int64_t seconds);

} // namespace troupe::ops
