#include "tools/bench/bench_consolidate.hpp"
#include "tools/bench/benchmarks.hpp"
#include "tools/cli/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <unistd.h>

#include <iostream>

namespace troupe::cli {

namespace {

/// Becomes `troupe-model`, which stands beside this program: only it links LibTorch.
int run_model_program(const std::vector<std::string>& words) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "troupe-model";
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  return fail({std::make_error_code(std::errc::no_such_file_or_directory),
               program.string() + " can't be run; build it with: ninja troupe-model"});
}

} // namespace

void add_bench_commands(CLI::App& app, global_options& global) {
  auto* bench = app.add_subcommand("bench", "Benchmarks, each against a named baseline in the same run");
  bench->require_subcommand(1);
  bench->add_subcommand("feed", "Frame to book against simdjson parse-only and a std::map book")
      ->callback(run(global, [&global] { return bench_feed(std::cout, global.json); }));
  bench->add_subcommand("actors", "A hop with introspection on against bare CAF")
      ->callback(run(global, [&global] { return bench_actors(std::cout, global.json); }));
  bench->add_subcommand("learning", "Does it learn: skill ratio on a planted signal and on inputs without one")
      ->callback(run(global, [] { return run_model_program({"bench", "learning"}); }));
  bench->add_subcommand("journal", "Journal append and group commit against bare fdatasync")
      ->callback(run(global, [&global] { return bench_journal(std::cout, global.json); }));
  bench->add_subcommand("consolidate", "A merged book of twelve venues, GENERATED: views made, taken, told")
      ->callback(run(global, [&global] { return bench_consolidate(std::cout, global.json); }));
}

} // namespace troupe::cli
