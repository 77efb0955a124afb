#include "tools/cli/command.hpp"

#include <cstdio>

extern char** environ;

namespace troupe::cli {

result<configuration> load_configuration(const global_options& global) {
  configuration_source source;
  source.folder = global.config;
  source.overrides = global.overrides;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string line = *entry;
    const auto equals = line.find('=');
    if (equals != std::string::npos && line.starts_with("TROUPE__"))
      source.environment[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return configuration::load(source);
}

int fail(const error& what) {
  std::fprintf(stderr, "troupe: %s\n", what.text.c_str());
  return 1;
}

std::function<void()> run(global_options& global, std::function<int()> body) {
  return [&global, body = std::move(body)] { global.exit_code = body(); };
}

} // namespace troupe::cli
