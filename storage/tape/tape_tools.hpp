#pragma once

/// What the command line does with tapes: import, info, verify, recover. Results are messages with
/// a field list, so `to_json(x)` gives the `--json` output.

#include "storage/tape/tape_reader.hpp"
#include "storage/tape/tape_writer.hpp"

#include <functional>

namespace troupe {

struct tape_import_options {
  /// Files of one recording, in order of time (lines), or the files of one venue (two-way text).
  std::vector<std::filesystem::path> inputs;
  /// The tape to write; must not exist.
  std::filesystem::path output;
  /// Put into the head, "BTC-USDT@binance".
  std::string instrument = {};
  std::string venue = {};
  std::string remarks = {};
  /// Takes frames that are no JSON too, for venues that send something else. Without it such a frame is refused
  /// with its line: it was most likely cut off. Python's bytes literals (two-way text) need no permission.
  bool binary = false;
  tape_writer_options writer = {};
  /// Called now and then with the bytes read so far and in all.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

/// Figures of an import.
struct tape_import_report {
  std::string format;
  std::uint64_t lines = 0;
  std::uint64_t skipped_lines = 0;
  std::uint64_t not_json = 0;
  tape_info tape;

  TROUPE_FIELDS(
      tape_import_report, "What an import did.",
      TROUPE_FIELD(format,
                   "\"lines\" (time, space, frame) or \"two-way\" (sent, received, REST replies)"),
      TROUPE_FIELD(lines, "lines read, blank ones not counted"),
      TROUPE_FIELD(skipped_lines, "lines that are no frames (socket opened, configuration)"),
      TROUPE_FIELD(not_json, "frames taken with --binary that are no JSON"),
      TROUPE_FIELD(tape, "the tape written"))
};

/// Imports recordings; .gz is unpacked. On any error nothing is left behind.
/// Formats: (1) `<ns since 1970> <frame>` a line, a bare `{"lastUpdateId":…}` being a REST book
/// image; (2) `URL <-> ts`, `URL <- ts: text`, `URL -> ts: body`, `ts: text`, ts in seconds with a
/// fraction. A record's channel says what it is; records of all inputs are put in order of time.
result<tape_import_report> import_tape(disk& on, const tape_import_options& options);

/// Figures of a tape from its index, or by a scan where it has none.
result<tape_info> tape_info_of(disk& on, const std::filesystem::path& path);

/// A silence on the tape longer than asked for.
struct tape_silence {
  market_time from;
  market_time to;
  TROUPE_FIELDS(tape_silence, "No frame on any channel.", TROUPE_FIELD(from, "last frame before"),
                TROUPE_FIELD(to, "first frame after"))
};

struct tape_verification {
  bool intact = false;
  std::vector<std::string> damage;
  std::vector<tape_silence> silences;
  std::uint64_t records = 0;
  std::uint64_t lost_records = 0;
  std::uint64_t lost_blocks = 0;
  std::uint64_t lost_bytes = 0;
  bool lost_is_exact = true;
  tape_info tape;

  TROUPE_FIELDS(tape_verification, "What a full check of a tape found.",
                TROUPE_FIELD(intact, "every checksum, count and the content hash are right"),
                TROUPE_FIELD(damage, "each as file:block:offset and what is wrong"),
                TROUPE_FIELD(silences, "silences longer than asked for, the first 1,000"),
                TROUPE_FIELD(records, "records read"),
                TROUPE_FIELD(lost_records,
                             "records in damaged blocks, as far as headers and index say"),
                TROUPE_FIELD(lost_blocks, "blocks that are damaged or gone"),
                TROUPE_FIELD(lost_bytes, "bytes of the file that no readable block claims"),
                TROUPE_FIELD(lost_is_exact, "false: at least so many; what else is gone can't be known"),
                TROUPE_FIELD(tape, "figures of the tape"))
};

/// Reads everything, past damaged blocks. An error only when the file can't be read at all.
result<tape_verification> verify_tape(disk& on, const std::filesystem::path& path,
                                      nanoseconds silence);

/// What a recovery saved and what it could not.
struct tape_recovery {
  tape_info tape;
  std::uint64_t lost_records = 0;
  std::uint64_t lost_blocks = 0;
  std::uint64_t lost_bytes = 0;
  bool lost_is_exact = true;
  std::vector<std::string> damage;

  TROUPE_FIELDS(tape_recovery, "What a recovery did.", TROUPE_FIELD(tape, "the tape written"),
                TROUPE_FIELD(lost_records, "frames of the damaged tape that are not in the new one"),
                TROUPE_FIELD(lost_blocks, "blocks that are damaged or gone"),
                TROUPE_FIELD(lost_bytes, "bytes of the file that no readable block claims"),
                TROUPE_FIELD(lost_is_exact, "false: at least so many; what else is gone can't be known"),
                TROUPE_FIELD(damage, "each as file:block:offset and what is wrong"))
};

/// Copies what is readable of a damaged or unfinished tape into a new one.
result<tape_recovery> recover_tape(disk& on, const std::filesystem::path& from,
                                   const std::filesystem::path& to);

} // namespace troupe
