#include "tools/node/front_settings.hpp"

namespace troupe::node {

front_options front_settings(const configuration& config, const std::filesystem::path& folder) {
  front_options out;
  out.directory = folder / config.text("cluster.tls.directory"); // an absolute name stays what it is
  out.frames.payload = static_cast<std::uint64_t>(config.integer("cluster.tls.payload_max"));
  const auto faults = config.text("cluster.rig.faults");
  if (!faults.empty()) out.faults = folder / faults;
  return out;
}

} // namespace troupe::node
