#include "tools/demo/plan.hpp"

#include "runtime/config/configuration.hpp"
#include "storage/file.hpp"
#include "storage/tape/tape_tools.hpp"

#include <simdjson.h>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace troupe::demo {
namespace {

using path = std::filesystem::path;

constexpr auto default_speed = "75";
constexpr std::chrono::seconds simulator_patience{30};

error io_error(const path& where) {
  return {std::make_error_code(static_cast<std::errc>(errno)), where.string() + ": " + std::strerror(errno)};
}

status write_file(const path& where, const std::string& text, mode_t mode) {
  const int fd = ::open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return io_error(where);
  const auto written = ::write(fd, text.data(), text.size());
  ::close(fd);
  if (written != static_cast<ssize_t>(text.size())) return io_error(where);
  return ok;
}

std::string random_hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) raw.assign(bytes, 'x');
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : raw) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

bool is_own_tape(const path& file) { return file.extension() == ".ttape"; }

std::string speed_of(const demo_options& options, const market_source& source) {
  if (!options.speed.empty()) return options.speed;
  return source.kind == "live" ? "1" : default_speed;
}

} // namespace

result<market_source> choose_source(const demo_options& options, const std::string& recordings_folder) {
  if (options.live && (options.generated || !options.tapes.empty()))
    return error{std::make_error_code(std::errc::invalid_argument), "--live goes with neither --tape nor --generated"};
  if (options.live) return market_source{"live", {}, "LIVE: public streams of Binance, orders on the paper venue"};
  if (!options.tapes.empty()) {
    for (const auto& tape : options.tapes)
      if (!std::filesystem::exists(tape))
        return error{std::make_error_code(std::errc::no_such_file_or_directory), tape.string() + ": no such tape"};
    return market_source{"looped", options.tapes,
                         "LOOPED tape " + options.tapes.front().string() + ": each lap starts at the last mid, seams are not scored"};
  }
  const path spot = path{recordings_folder} / "venues/nkaz001+hftbacktest/examples/spot";
  const std::vector<path> pair{spot / "btcusdt_20240808.gz", spot / "btcusdt_20240809.gz"};
  if (!options.generated && std::filesystem::exists(pair[0]) && std::filesystem::exists(pair[1]))
    return market_source{"looped", pair,
                         "LOOPED recording of Binance spot BTCUSDT, 2024-08-08/09: each lap starts at the last mid, seams are not scored"};
  return market_source{"generated", {}, "GENERATED market: order-flow model fitted to a recorded stream, not real data"};
}

status check_inputs(const demo_options& options, const market_source& source) {
  const auto speed = speed_of(options, source);
  const auto rate = parse_decimal(speed, 3);
  if (!rate || *rate <= 0)
    return error{std::make_error_code(std::errc::invalid_argument),
                 "--speed " + speed + ": write a number above 0 with at most 3 decimals"};
  configuration_source settings;
  settings.folder = "/dev/null"; // holds no files: the settings alone are checked
  for (const auto& [key, value] : options.settings) settings.overrides.push_back(key + "=" + value);
  if (auto loaded = configuration::load(settings); !loaded) return std::move(loaded).error();
  if (source.tapes.size() > 1 && std::any_of(source.tapes.begin(), source.tapes.end(), is_own_tape))
    return error{std::make_error_code(std::errc::invalid_argument), "--tape takes one .ttape, or recordings in order of time"};
  for (const auto& tape : source.tapes) {
    if (!is_own_tape(tape)) continue;
    if (auto opened = tape_reader::open(real_disk(), tape); !opened) return std::move(opened).error();
  }
  return ok;
}

namespace {

/// Everything below the folder; the folder itself is there.
status fill(workspace& out, const demo_options& options) {
  std::error_code failed;
  for (const auto& folder : {out.config, out.data, out.logs, out.simulator}) {
    std::filesystem::create_directories(folder, failed);
    if (failed) return error{failed, folder.string() + " can't be made"};
  }
  ::chmod(out.folder.c_str(), 0700);
  if (!options.live) {
    const auto keys = "TROUPE_MAIN_BINANCE_KEY=" + random_hex(32) + "\nTROUPE_MAIN_BINANCE_SECRET=" + random_hex(32) + "\n";
    if (auto done = write_file(out.config / ".env", keys, 0600); !done) return done;
  }
  std::string nodes;
  struct line {
    const char* name;
    const char* rest;
  };
  for (const auto& [name, rest] : {line{"ingest", "roles=ingest,gateway threads=2"},
                                   line{"exec", "roles=execution threads=2 accounts=main@binance"},
                                   line{"model", "roles=model threads=1"}, line{"train", "roles=train threads=1"}}) {
    const auto port = free_port();
    if (!port) return port.error();
    nodes += "node " + std::string{name} + " host=127.0.0.1 port=" + std::to_string(*port) + " " + rest + "\n";
  }
  return write_file(out.config / "nodes.conf", nodes, 0600);
}

} // namespace

result<workspace> make_workspace(const demo_options& options) {
  workspace out;
  if (options.folder.empty()) {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-demo-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return io_error(pattern);
    out.folder = pattern;
    out.made = true;
  } else {
    out.folder = std::filesystem::absolute(options.folder);
    std::error_code ignored;
    out.made = !std::filesystem::exists(out.folder, ignored);
    if (!out.made && !std::filesystem::is_empty(out.folder, ignored))
      return error{std::make_error_code(std::errc::file_exists),
                   out.folder.string() + " is not empty; choose another --folder, the demonstration writes keys and settings into it"};
  }
  out.config = out.folder / "config";
  out.data = out.folder / "data";
  out.logs = out.folder / "logs";
  out.simulator = out.folder / "simulator";
  if (auto done = fill(out, options); !done) {
    discard(out);
    return std::move(done).error();
  }
  return out;
}

void discard(const workspace& files) {
  std::error_code ignored;
  if (files.made) {
    std::filesystem::remove_all(files.folder, ignored);
    return;
  }
  // The folder was there, empty: it stays, empty.
  for (const auto& entry : std::filesystem::directory_iterator{files.folder, ignored})
    std::filesystem::remove_all(entry.path(), ignored);
}

result<market_source> prepare_tapes(const workspace& files, market_source source) {
  if (source.tapes.empty() || is_own_tape(source.tapes.front())) return source;
  tape_import_options options;
  options.inputs = source.tapes;
  options.output = files.folder / "market.ttape";
  options.instrument = "BTC-USDT@binance";
  options.venue = "binance";
  auto report = import_tape(real_disk(), options);
  if (!report) return std::move(report).error();
  source.tapes = {options.output};
  return source;
}

result<simulator_ready> parse_ready_line(const std::string& line) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(line).get(root) != simdjson::SUCCESS)
    return error{std::make_error_code(std::errc::bad_message), "the simulator's ready line is no JSON: " + line};
  simulator_ready out;
  const auto number = [&](const char* key) {
    std::int64_t x = 0;
    return root[key].get(x) == simdjson::SUCCESS ? x : 0;
  };
  out.port = static_cast<std::uint16_t>(number("port"));
  out.control_port = static_cast<std::uint16_t>(number("control_port"));
  out.rate_permille = number("rate_permille");
  out.origin_market = number("origin_market_ns");
  out.origin_steady = number("origin_steady_ns");
  out.lap_start = number("lap_start_ns");
  out.lap = number("lap_ns");
  std::string_view ca;
  if (root["ca"].get(ca) == simdjson::SUCCESS) out.ca = ca;
  if (out.port == 0 || out.ca.empty())
    return error{std::make_error_code(std::errc::bad_message), "the simulator's ready line lacks port or ca: " + line};
  return out;
}

result<child_process> start_simulator(const workspace& files, const market_source& source, const demo_options& options,
                                      simulator_ready& ready) {
  child_options child;
  child.arguments = {own_program().string(), "venue", "sim", "--folder", files.simulator.string(), "--speed",
                     speed_of(options, source), "--seed", std::to_string(options.seed), "--credentials",
                     (files.config / ".env").string(), "--orders-per-10s", "1000", "--ready-fd", "3"};
  for (const auto& tape : source.tapes) child.arguments.insert(child.arguments.end(), {"--tape", tape.string()});
  child.log = files.logs / "simulator.log";
  child.ready_line = true;
  auto process = child_process::start(child);
  if (!process) return process;
  const auto line = process->wait_ready(simulator_patience, options.interrupted);
  if (!line) return line.error();
  auto parsed = parse_ready_line(*line);
  if (!parsed) return parsed.error();
  ready = *parsed;
  return process;
}

status write_configuration(const workspace& files, const market_source& source, const demo_options& options,
                           const simulator_ready* ready) {
  // Settings as "path: value" lines of one flat list; the loader takes nested maps, so nest them here.
  std::map<std::string, std::string> settings{
      {"source.kind", source.kind},
      {"trading.mode", "paper"},
      {"trading.gateway", source.kind == "live" ? "paper" : "venue"},
      {"orchestrator.dead_band", "0"},
      {"orchestrator.full_score", "0.5"},
      {"orchestrator.min_holding", "0s"},
      {"venues.binance.instruments.BTC-USDT.symbol", "BTCUSDT"},
      {"executor.order_life", "10s"},
      {"models.cnn.checkpoint_samples", "256"},
      {"models.cnn.checkpoint_every", "5s"},
  };
  if (ready == nullptr) {
    settings["venues.binance.rest"] = "https://api.binance.com";
    settings["venues.binance.stream"] = "wss://stream.binance.com:9443";
    settings["venues.binance.api"] = "wss://ws-api.binance.com:443/ws-api/v3";
  } else {
    // The simulator's account starts with some of the base asset, so it may sell first.
    settings["orchestrator.long_only"] = "false";
    // A touch that moves 75 times as fast as the sockets would be chased all the time.
    settings["executor.reprice_ticks"] = "500";
    const auto base = ready->address + ":" + std::to_string(ready->port);
    settings["clock.market.rate"] = std::to_string(ready->rate_permille / 1000) + "."
                                    + std::to_string(1000 + ready->rate_permille % 1000).substr(1);
    settings["clock.market.origin"] = std::to_string(ready->origin_market);
    settings["clock.market.steady"] = std::to_string(ready->origin_steady);
    settings["source.lap_origin"] = std::to_string(ready->lap_start);
    settings["source.lap_length"] = std::to_string(ready->lap) + "ns";
    settings["venues.binance.rest"] = "https://" + base;
    settings["venues.binance.stream"] = "wss://" + base;
    settings["venues.binance.api"] = "wss://" + base + "/ws-api/v3";
    settings["venues.binance.ca"] = ready->ca;
    settings["venues.binance.orders"] = "1000";
    // An order that has not reached the simulator within a second was lost with its socket.
    settings["venues.binance.processing"] = "1s";
  }
  for (const auto& [key, value] : options.settings) settings[key] = value;

  std::map<std::string, std::map<std::string, std::string>> by_file;
  for (const auto& [key, value] : settings) {
    const auto file = key.starts_with("venues.") ? "venues.yaml" : key.starts_with("models.") ? "models.yaml" : "troupe.yaml";
    by_file[file][key] = value;
  }
  for (const auto& [file, values] : by_file) {
    std::string text = "# Written by troupe demo.\n";
    std::vector<std::string> open;
    for (const auto& [key, value] : values) {
      std::vector<std::string> parts;
      for (std::size_t from = 0, to = 0; to != std::string::npos; from = to + 1) {
        to = key.find('.', from);
        parts.push_back(key.substr(from, to == std::string::npos ? to : to - from));
      }
      std::size_t shared = 0;
      while (shared + 1 < parts.size() && shared < open.size() && open[shared] == parts[shared]) ++shared;
      open.assign(parts.begin(), parts.end() - 1);
      for (std::size_t i = shared; i + 1 < parts.size(); ++i) text += std::string(2 * i, ' ') + parts[i] + ":\n";
      text += std::string(2 * (parts.size() - 1), ' ') + parts.back() + ": \"" + value + "\"\n";
    }
    if (auto done = write_file(files.config / file, text, 0600); !done) return done;
  }
  return ok;
}

} // namespace troupe::demo
