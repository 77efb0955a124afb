#include "messages/json.hpp"
#include "runtime/config/configuration.hpp"
#include "storage/tape/tape_tools.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/tape_deck_commands.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

using path = std::filesystem::path;

std::string utc_text(market_time at) {
  const std::time_t seconds = at.ns / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03d", static_cast<int>(at.ns / 1'000'000 % 1000));
  return text;
}

void print_info(const tape_info& info) {
  std::cout << "instrument  " << (info.head.instrument.empty() ? "several" : info.head.instrument) << '\n'
            << "venue       " << info.head.venue << '\n'
            << "source      " << info.head.source << '\n'
            << "frames      " << info.records << " in " << info.blocks << " blocks\n"
            << "bytes       " << info.payload_bytes << " of frames, " << info.file_bytes << " on disk\n"
            << "from        " << utc_text(info.first) << " UTC\n"
            << "to          " << utc_text(info.last) << " UTC\n"
            << "finished    ";
  if (info.finished) std::cout << "yes\n";
  else std::cout << "no: the writer was stopped or the end is cut off; this is the readable part, " << info.unread_bytes
                 << " bytes behind it are not\n";
  for (std::size_t i = 0; i < info.channels.size(); ++i)
    std::cout << "channel " << info.channels[i].id << "   " << info.channels[i].name << "  "
              << (i < info.records_by_channel.size() ? info.records_by_channel[i] : 0) << " frames\n";
}

int import_command(const global_options& global, tape_import_options options) {
  if (::isatty(STDERR_FILENO) != 0)
    options.progress = [](std::uint64_t done, std::uint64_t total) {
      std::fprintf(stderr, "\rimporting %3d %%", total == 0 ? 100 : static_cast<int>(done * 100 / total));
    };
  const auto report = import_tape(real_disk(), options);
  if (options.progress) std::fputs("\r                \r", stderr);
  if (!report) return fail(report.error());
  if (global.json) std::cout << to_json(*report) << '\n';
  else {
    std::cout << options.output.string() << ": " << report->lines << " lines, " << report->skipped_lines
              << " of them no frames";
    if (report->not_json > 0) std::cout << ", " << report->not_json << " frames that are no JSON";
    std::cout << '\n';
    print_info(report->tape);
  }
  return 0;
}

int info_command(const global_options& global, const path& file) {
  const auto info = tape_info_of(real_disk(), file);
  if (!info) return fail(info.error());
  if (global.json) std::cout << to_json(*info) << '\n';
  else print_info(*info);
  return 0;
}

/// "at least 400 frames in 2 blocks, 1234 bytes"
std::string loss_text(std::uint64_t records, std::uint64_t blocks, std::uint64_t bytes, bool exact) {
  return std::string{exact ? "" : "at least "} + std::to_string(records) + " frames in " + std::to_string(blocks)
         + " blocks, " + std::to_string(bytes) + " bytes";
}

int verify_command(const global_options& global, const path& file, const std::string& silence_text) {
  const auto silence = parse_duration(silence_text);
  if (!silence || silence->count() <= 0)
    return fail({make_error_code(config_errc::bad_value),
                 "--silence " + silence_text + ": write a duration above 0, such as 250ms, 10s or 5m"});
  const auto found = verify_tape(real_disk(), file, *silence);
  if (!found) return fail(found.error());
  if (global.json) std::cout << to_json(*found) << '\n';
  else {
    for (const auto& line : found->damage) std::cout << "damage   " << line << '\n';
    for (const auto& [from, to] : found->silences)
      std::cout << "silence  " << utc_text(from) << " … " << utc_text(to) << '\n';
    std::cout << (found->intact ? "intact   " : "damaged  ") << found->records << " frames read, lost "
              << loss_text(found->lost_records, found->lost_blocks, found->lost_bytes, found->lost_is_exact) << '\n';
  }
  return found->intact ? 0 : 1;
}

int recover_command(const global_options& global, const path& from, const path& to) {
  const auto done = recover_tape(real_disk(), from, to);
  if (!done) return fail(done.error());
  if (global.json) {
    std::cout << to_json(*done) << '\n';
    return 0;
  }
  for (const auto& line : done->damage) std::cout << "damage      " << line << '\n';
  print_info(done->tape);
  std::cout << "recovered   " << done->tape.records << " frames into " << to.string() << '\n'
            << "lost        " << loss_text(done->lost_records, done->lost_blocks, done->lost_bytes, done->lost_is_exact)
            << '\n';
  return 0;
}

} // namespace

void add_tape_commands(CLI::App& app, global_options& global) {
  auto* tape = app.add_subcommand("tape", "Tapes of raw venue frames: record, replay, import, info, verify, recover");
  tape->require_subcommand(1);
  add_tape_deck_commands(*tape, global);

  auto options = std::make_shared<tape_import_options>();
  auto* import = tape->add_subcommand("import", "Make a tape from recordings (time-stamped lines or two-way text, .gz too)");
  import->add_option("INPUT", options->inputs, "Recording files, in order of time")->required()->check(CLI::ExistingFile);
  import->add_option("-o,--output", options->output, "The tape to write; must not exist")->required();
  import->add_option("--instrument", options->instrument, "BTC-USDT@binance");
  import->add_option("--venue", options->venue, "binance");
  import->add_option("--remarks", options->remarks, "Free words");
  import->add_flag("--binary", options->binary, "Take frames that are no JSON too, for venues that send something else");
  import->callback(run(global, [&global, options] { return import_command(global, *options); }));

  auto file = std::make_shared<path>();
  auto* info = tape->add_subcommand("info", "What a tape holds");
  info->add_option("TAPE", *file, "Tape file")->required()->check(CLI::ExistingFile);
  info->callback(run(global, [&global, file] { return info_command(global, *file); }));

  auto silence = std::make_shared<std::string>("10s");
  auto* verify = tape->add_subcommand("verify", "Read everything; find damage and gaps in time");
  verify->add_option("TAPE", *file, "Tape file")->required()->check(CLI::ExistingFile);
  verify->add_option("--silence", *silence, "Report silences longer than this")->capture_default_str();
  verify->callback(run(global, [&global, file, silence] { return verify_command(global, *file, *silence); }));

  auto target = std::make_shared<path>();
  auto* recover = tape->add_subcommand("recover", "Copy what is readable of a damaged tape into a new one");
  recover->add_option("TAPE", *file, "Damaged tape")->required()->check(CLI::ExistingFile);
  recover->add_option("-o,--output", *target, "The tape to write; must not exist")->required();
  recover->callback(run(global, [&global, file, target] { return recover_command(global, *file, *target); }));
}

} // namespace troupe::cli
