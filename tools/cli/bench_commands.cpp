#include "tools/bench/benchmarks.hpp"
#include "tools/cli/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>

namespace troupe::cli {

void add_bench_commands(CLI::App& app, global_options& global) {
  auto* bench = app.add_subcommand("bench", "Benchmarks, each against a named baseline in the same run");
  bench->require_subcommand(1);
  bench->add_subcommand("feed", "Frame to book against simdjson parse-only and a std::map book")
      ->callback(run(global, [&global] { return bench_feed(std::cout, global.json); }));
  bench->add_subcommand("actors", "A hop with introspection on against bare CAF")
      ->callback(run(global, [&global] { return bench_actors(std::cout, global.json); }));
  bench->add_subcommand("journal", "Journal append and group commit against bare fdatasync")
      ->callback(run(global, [&global] { return bench_journal(std::cout, global.json); }));
}

} // namespace troupe::cli
