#include "runtime/config/process_configuration.hpp"

extern char** environ;

namespace troupe {

result<configuration> load_process_configuration(const std::filesystem::path& folder,
                                                 const std::vector<std::string>& overrides) {
  std::error_code failed;
  if (!std::filesystem::is_directory(folder, failed))
    return {config_errc::unreadable, folder.string() + ": no such folder; name the folder of the configuration files"
                                                       " with --config"};
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
