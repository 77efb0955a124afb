#pragma once

/// A first configuration: every setting with its default and what it means, made from the table of settings,
/// so that none is forgotten; venues, models and nodes as they are shipped.

#include "messages/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::ops {

/// One file of a first configuration.
struct init_file {
  std::string name;
  std::string text;
  unsigned mode = 0644;
};

/// All of them: troupe.yaml, venues.yaml, models.yaml, nodes.conf, .env.example. Pure.
std::vector<init_file> init_files();

/// The text of a file of config/ as it was when the program was built; empty when there is none of that name.
std::string_view shipped_file(std::string_view name);

/// What became of one file.
struct init_outcome {
  std::string name;
  bool written = false; ///< false: it was there and was left as it is
};

/// Writes what is not there yet; never changes a file that is. The folder is made with mode 0700 when
/// missing. Errors name the file.
result<std::vector<init_outcome>> write_init_files(const std::filesystem::path& folder);

} // namespace troupe::ops
