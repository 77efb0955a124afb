#include "tools/bench/bench_consolidate.hpp"
#include "tools/bench/bench_decoders.hpp"
#include "tools/bench/benchmarks.hpp"
#include "tools/cli/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <unistd.h>

#include <iostream>
#include <memory>

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

void add_ingest(CLI::App& bench, global_options& global) {
  auto options = std::make_shared<bench_ingest_options>();
  auto* ingest = bench.add_subcommand(
      "ingest", "Many feeds faster than real time: alone, as actors, over TLS from simulators; age of books and cost");
  ingest->add_option("--venue", options->venues, "Venues; all when none is named");
  ingest->add_option("--way", options->ways, "core, actors or sockets; all when none is named")
      ->check(CLI::IsMember({"core", "actors", "sockets"}));
  ingest->add_option("--instruments", options->instruments, "Instruments a venue")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  ingest->add_option("--speed", options->speed, "Times real time, in process")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str();
  ingest->add_option("--socket-speed", options->socket_speed, "Times real time, over sockets")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  ingest->add_option("--seconds", options->seconds, "Seconds that are measured, each way")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  ingest->add_option("--warm-up", options->warm_up, "Seconds before that")->check(CLI::Range(0, 600))->capture_default_str();
  ingest->add_flag("--busy", options->busy, "Generated instruments as busy as a recorded BTC-USDT, not as their venue's recordings");
  ingest->add_option("--threads", options->threads, "Threads that feeds run on")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  ingest->add_option("--patience", options->patience, "Seconds until all books must have come over sockets")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  ingest->callback(run(global, [&global, options] {
    options->json = global.json;
    return bench_ingest(*options, std::cout, std::cerr);
  }));
}

} // namespace

void add_bench_commands(CLI::App& app, global_options& global) {
  auto* bench = app.add_subcommand("bench", "Benchmarks, each against a named baseline in the same run");
  bench->require_subcommand(1);
  bench->add_subcommand("feed", "Frame to book against simdjson parse-only and a std::map book")
      ->callback(run(global, [&global] { return bench_feed(std::cout, global.json); }));
  add_ingest(*bench, global);
  auto decoders_options = std::make_shared<bench_decoders_options>();
  auto* decoders = bench->add_subcommand(
      "decoders", "Each venue's decoder and book against simdjson parse-only, and against npm clients where named");
  decoders->add_option("--runs", decoders_options->runs, "Alternating runs")->check(CLI::Range(1, 1000))->capture_default_str();
  decoders->add_option("--clients", decoders_options->clients, "Folder with bench_decoders.mjs, ccxt and tardis-dev")
      ->check(CLI::ExistingDirectory);
  decoders->callback(run(global, [&global, decoders_options] {
    decoders_options->json = global.json;
    return bench_decoders(*decoders_options, std::cout, std::cerr);
  }));
  bench
      ->add_subcommand("actors",
                       "Hop, questions, batches and a blob with introspection on, in a process and between two, against bare CAF")
      ->callback(run(global, [&global] { return bench_actors(std::cout, global.json); }));
  bench->add_subcommand("learning", "Does it learn: skill ratio on a planted signal and on inputs without one")
      ->callback(run(global, [] { return run_model_program({"bench", "learning"}); }));
  bench->add_subcommand("journal", "Journal append and group commit against bare fdatasync")
      ->callback(run(global, [&global] { return bench_journal(std::cout, global.json); }));
  bench->add_subcommand("consolidate", "A merged book of twelve venues, GENERATED: views made, taken, told")
      ->callback(run(global, [&global] { return bench_consolidate(std::cout, global.json); }));
}

} // namespace troupe::cli
