// A parent process for tests: cluster_test_stem DATA NODES_CONF NODE_PROGRAM [silence_ms]
// Starts NODE_PROGRAM once for each node of the file, as `troupe up` does with `troupe node`.

#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/stem.hpp"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  using namespace troupe;
  if (argc < 4) return 2;
  const std::filesystem::path data = argv[1];
  auto conf = load_nodes_conf(argv[2]);
  if (!conf) {
    std::fprintf(stderr, "%s\n", conf.error().text.c_str());
    return 1;
  }
  stem_options options;
  options.socket = data / "stem.sock";
  if (argc > 4) options.silence = std::chrono::milliseconds{std::atoi(argv[4])};
  options.abort_grace = std::chrono::milliseconds{500};
  for (const auto& node : conf->nodes())
    options.processes.push_back(
        {.name = node.name.text,
         .command = {argv[3], argv[2], node.name.text, (data / node.name.text).string()},
         .log_file = data / (node.name.text + ".log")});
  options.say = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  options.all_ready = [] { std::fprintf(stderr, "all ready\n"); };
  auto code = run_stem(options);
  if (code) return code.value();
  std::fprintf(stderr, "%s\n", code.error().text.c_str());
  return 1;
}
