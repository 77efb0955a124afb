#include "tools/cli/command.hpp"

#include "runtime/config/process_configuration.hpp"

#include <unistd.h>

#include <cstdio>

namespace troupe::cli {

result<configuration> load_configuration(const global_options& global) {
  return load_process_configuration(global.config, global.overrides);
}

std::string operator_name() {
  const char* name = ::getlogin();
  return name != nullptr ? name : "uid " + std::to_string(::getuid());
}

int fail(const error& what) {
  std::fprintf(stderr, "troupe: %s\n", what.text.c_str());
  return 1;
}

std::function<void()> run(global_options& global, std::function<int()> body) {
  return [&global, body = std::move(body)] { global.exit_code = body(); };
}

} // namespace troupe::cli
