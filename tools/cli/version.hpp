#pragma once

/// Version, build id and schema hash of this program.

#include <string>

namespace troupe::cli {

/// Build id: version and commit; nodes compare it in their handshake.
std::string build_id();

std::string version_text();
std::string version_json();

} // namespace troupe::cli
