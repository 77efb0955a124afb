#pragma once

/// What a demonstration runs on: which market, how fast, in which folder; and the files that its processes read.

#include "messages/error.hpp"
#include "tools/demo/child_process.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe::demo {

/// What the command line asked for.
struct demo_options {
  std::chrono::seconds length{0};              ///< 0 = until interrupted
  std::string speed;                           ///< market time per wall time; empty = the source's default
  std::filesystem::path folder;                ///< kept; empty = a new one below the temporary folder
  std::vector<std::filesystem::path> tapes;    ///< --tape
  bool live = false;                           ///< real Binance public streams, paper venue
  bool generated = false;                      ///< the generated market even where recordings are
  bool chaos = false;
  bool json = false;
  std::uint64_t seed = 1;
  std::uint32_t kills = 0;                     ///< chaos: stop killing after this many; 0 = no limit
  std::map<std::string, std::string> settings; ///< further settings of the nodes
  std::function<bool()> interrupted;           ///< whether a person wants it to end; asked while it starts
};

/// Where market data comes from; `kind` is what banner and JSON say.
struct market_source {
  std::string kind;                          ///< live, tape, looped or generated
  std::vector<std::filesystem::path> tapes;
  std::string words;                         ///< one line for the banner
};

/// Chooses the source: --live, --tape, the recorded spot pair where it is, else the generated market.
result<market_source> choose_source(const demo_options& options, const std::string& recordings_folder);

/// Checks what was asked for before anything is written: speed, settings, tapes that are named.
status check_inputs(const demo_options& options, const market_source& source);

/// Folder and files of one run.
struct workspace {
  std::filesystem::path folder;
  bool made = false;              ///< the folder was not there before
  std::filesystem::path config;   ///< configuration folder, .env and nodes.conf included
  std::filesystem::path data;     ///< data folder of the nodes
  std::filesystem::path logs;
  std::filesystem::path simulator;
};

/// Makes the folders (0700), a random key in `.env` (0600) and nodes.conf with free ports. On any error nothing is
/// left behind.
result<workspace> make_workspace(const demo_options& options);

/// Removes what `make_workspace` made and what was written into it since.
void discard(const workspace& files);

/// Recordings become a tape of our own in the folder, so that what is replayed has been checked frame by frame.
result<market_source> prepare_tapes(const workspace& files, market_source source);

/// The simulator's ready line.
struct simulator_ready {
  std::string address = "127.0.0.1"; ///< where it listens
  std::uint16_t port = 0;
  std::uint16_t control_port = 0;
  std::string ca;
  std::int64_t rate_permille = 1000;
  std::int64_t origin_market = 0;
  std::int64_t origin_steady = 0;
  std::int64_t lap_start = 0;
  std::int64_t lap = 0;
};

result<simulator_ready> parse_ready_line(const std::string& line);

/// Starts the simulator on the prepared source and waits until it is ready.
result<child_process> start_simulator(const workspace& files, const market_source& source, const demo_options& options,
                                      simulator_ready& ready);

/// Writes troupe.yaml, models.yaml and venues.yaml for the nodes. `ready` is null with live data.
status write_configuration(const workspace& files, const market_source& source, const demo_options& options,
                           const simulator_ready* ready);

} // namespace troupe::demo
