#pragma once

/// Version, build id and schema hash of this program.

#include <string>

namespace troupe::cli {

/// Build id: version and commit; nodes compare it in their handshake.
std::string build_id();

/// The version alone, "0.1.0".
std::string program_version();

std::string version_text();
std::string version_json();

} // namespace troupe::cli
