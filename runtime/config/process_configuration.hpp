#pragma once

/// The configuration of this process: its folder, its environment, its command line.

#include "runtime/config/configuration.hpp"

namespace troupe {

/// Loads the folder with the `TROUPE__…` variables of this process's environment and the given overrides. A folder
/// that is not there is an error; each file in it may be missing.
result<configuration> load_process_configuration(const std::filesystem::path& folder,
                                                 const std::vector<std::string>& overrides);

} // namespace troupe
