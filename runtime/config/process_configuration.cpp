#include "runtime/config/process_configuration.hpp"

extern char** environ;

namespace troupe {

result<configuration> load_process_configuration(const std::filesystem::path& folder,
                                                 const std::vector<std::string>& overrides) {
  configuration_source source;
  source.folder = folder;
  source.overrides = overrides;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string line = *entry;
    const auto equals = line.find('=');
    if (equals != std::string::npos && line.starts_with("TROUPE__"))
      source.environment[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return configuration::load(source);
}

} // namespace troupe
