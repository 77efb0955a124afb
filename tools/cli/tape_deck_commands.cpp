#include "tools/cli/tape_deck_commands.hpp"

#include "messages/json.hpp"
#include "tools/cli/venue_check_commands.hpp"
#include "tools/tape_deck/tape_player.hpp"
#include "tools/tape_deck/tape_recorder.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

// --- record ---------------------------------------------------------------------------------------

struct record_arguments {
  std::vector<std::string> venues, instruments, rest, stream, authorities;
  std::string length = "0s", file_time = "1h";
  std::uint64_t file_megabytes = 1024;
  std::filesystem::path folder;
};

volatile std::sig_atomic_t record_interrupted = 0;

/// The value for a venue among "URL" (for all) and "VENUE=URL".
std::string value_of(const std::vector<std::string>& given, const std::string& venue) {
  std::string out;
  for (const auto& each : given) {
    const auto equals = each.find('=');
    const bool named = equals != std::string::npos && find_venue(each.substr(0, equals)) != nullptr;
    if (!named) out = each;
    else if (each.substr(0, equals) == venue) return each.substr(equals + 1);
  }
  return out;
}

/// The instruments given for a venue; those without "@venue" count for all of them.
std::vector<std::string> instruments_of(const std::vector<std::string>& given, const std::string& venue) {
  std::vector<std::string> out;
  for (const auto& each : given)
    if (each.find('@') == std::string::npos || each.ends_with("@" + venue)) out.push_back(each);
  return out;
}

result<tape_record_options> record_options(const configuration& config, const record_arguments& arguments) {
  tape_record_options out;
  const auto length = parse_duration(arguments.length);
  const auto file_time = parse_duration(arguments.file_time);
  if (!length) return length.error();
  if (!file_time) return file_time.error();
  if (file_time->count() <= 0 || length->count() < 0)
    return {config_errc::bad_value, "--file-time must be above 0, --for not below"};
  out.length = *length;
  out.file_time = *file_time;
  out.file_bytes = arguments.file_megabytes << 20;
  out.folder = arguments.folder;
  for (const auto& name : arguments.venues) {
    auto wanted = instruments_of(arguments.instruments, name);
    if (wanted.empty() && !arguments.instruments.empty())
      return {config_errc::missing_value, "no --instrument is of " + name + "; name one as BTC-USDT@" + name};
    auto venue = contact_options(config, {name, value_of(arguments.rest, name), value_of(arguments.stream, name),
                                          value_of(arguments.authorities, name), std::move(wanted)});
    if (!venue) return std::move(venue).error();
    out.venues.push_back(std::move(*venue));
  }
  return out;
}

void print_recording(const venue_recording& r) {
  std::cout << r.venue << ": " << r.frames << " frames, " << r.bytes << " bytes in " << r.files.size()
            << " tapes; sockets waited " << r.waits << " times, " << r.dropped << " dropped\n";
  for (const auto& file : r.files) std::cout << "  " << file.string() << '\n';
  for (const auto& feed : r.feeds)
    std::cout << "  " << feed.instrument << ": book " << feed.validity << ", " << feed.gaps << " gaps, " << feed.trades
              << " trades\n";
}

void write_recording(json_writer& w, const venue_recording& r) {
  w.begin_object().field("venue", r.venue).field("frames", r.frames).field("bytes", r.bytes);
  w.field("waits", r.waits).field("dropped", r.dropped).field("failure", r.failure).key("files").begin_array();
  for (const auto& file : r.files) w.string(file.string());
  w.end_array().key("feeds").begin_array();
  for (const auto& feed : r.feeds)
    w.begin_object()
        .field("instrument", feed.instrument)
        .field("validity", feed.validity)
        .field("gaps", feed.gaps)
        .field("trades", feed.trades)
        .end_object();
  w.end_array().end_object();
}

int record_command(const global_options& global, const record_arguments& arguments) {
  const auto config = load_configuration(global);
  if (!config) return fail(config.error());
  auto options = record_options(*config, arguments);
  if (!options) return fail(options.error());
  std::signal(SIGINT, [](int) { record_interrupted = 1; });
  std::signal(SIGTERM, [](int) { record_interrupted = 1; });
  options->stopped = [] { return record_interrupted != 0; };
  if (options->length.count() == 0) std::cerr << "recording until interrupted (Ctrl-C)\n";
  const auto done = record_tapes(*options);
  if (!done) return fail(done.error());
  json_writer w;
  w.begin_array();
  int code = 0;
  for (const auto& each : *done) {
    if (global.json) write_recording(w, each);
    else print_recording(each);
    if (each.failure.empty()) continue;
    std::cerr << "troupe: " << each.venue << ": " << each.failure << '\n';
    code = 1;
  }
  if (global.json) std::cout << w.end_array().text() << '\n';
  return code;
}

// --- replay ---------------------------------------------------------------------------------------

int replay_command(tape_play_options options, const std::string& speed) {
  if (speed != "max") {
    char* end = nullptr;
    options.speed = std::strtod(speed.c_str(), &end);
    if (end != speed.c_str() + speed.size() || !(options.speed >= 0.001 && options.speed <= 1e6))
      return fail({make_error_code(config_errc::bad_value), "--speed " + speed + ": write 0.1, 1, 20, … or max"});
  }
  const auto done = play_tapes(options, std::cout);
  if (!done) return fail(done.error());
  std::cerr << *done << " frames\n";
  return 0;
}

} // namespace

void add_tape_deck_commands(CLI::App& tape, global_options& global) {
  auto* record = tape.add_subcommand(
      "record", "Record venues' raw frames, several venues at once, into tapes of at most a size and a time");
  auto arguments = std::make_shared<record_arguments>();
  std::vector<std::string> names;
  for (const auto* each : all_venues()) names.emplace_back(each->name);
  record->add_option("--venue", arguments->venues, "Which venues")->required()->check(CLI::IsMember(names));
  record->add_option("--instrument", arguments->instruments,
                     "BTC-USDT for each venue, BTC-USDT@bybit for one; none: all configured ones");
  record->add_option("--for", arguments->length, "How long, 10s; 0s: until interrupted")->capture_default_str();
  record->add_option("--out", arguments->folder, "Folder of the tapes")->required();
  record->add_option("--file-size", arguments->file_megabytes, "A new tape behind so many MiB of frames")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  record->add_option("--file-time", arguments->file_time, "A new tape behind so much time")->capture_default_str();
  record->add_option("--rest", arguments->rest,
                     "Base URL of the REST API instead of the configured one; VENUE=URL for one of several");
  record->add_option("--stream", arguments->stream, "Base URL of the sockets, likewise");
  record->add_option("--ca", arguments->authorities, "File of the authority that signed the venue's certificate, likewise");
  record->callback(run(global, [&global, arguments] { return record_command(global, *arguments); }));

  auto options = std::make_shared<tape_play_options>();
  auto speed = std::make_shared<std::string>("max");
  auto* replay = tape.add_subcommand(
      "replay", "Print the frames of tapes, merged by receive time, as JSON lines with their original spacing");
  replay->add_option("TAPE", options->tapes, "Tapes")->required()->check(CLI::ExistingFile);
  replay->add_option("--speed", *speed, "0.1, 1, 20, …; max: as fast as it goes")->capture_default_str();
  replay->add_flag("--allow-unfinished", options->allow_unfinished,
                   "Take tapes that were never finished as far as they go");
  replay->callback(run(global, [options, speed] { return replay_command(*options, *speed); }));
}

} // namespace troupe::cli
