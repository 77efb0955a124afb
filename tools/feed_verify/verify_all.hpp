#pragma once

/// `troupe feed verify --all DIR`: every market-data recording of the venues below one folder, decoded with
/// the venue's own decoder, its book kept by the venue's own machine, and every figure compared with what is
/// known of the recording and with the independent end states that lie beside it.

#include "actors/connectors/venue.hpp"

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// What came out of one recording. Figures that a recording can't have are absent.
struct file_report {
  std::string file;  ///< below the folder
  std::string venue;
  /// messages, unknown, damaged, passed_over, books, valid_books, equal_books, applied, stale, gaps, crossed,
  /// images, checksums, checksums_equal, best, best_compared, best_equal, trades, candles, pairs, compared …
  std::map<std::string, std::uint64_t> figures;
  std::string remark;                    ///< why messages were passed over; what else a reader should know
  std::vector<std::string> differences;  ///< to what is known; empty when all is right

  void expect(const std::string& key, std::uint64_t should);
};

struct known_figure {
  const char* key;
  std::uint64_t value;
};

/// How a recording lies in its file.
enum class recording_form : std::uint8_t {
  two_way,    ///< "time: frame", "URL <- time: sent", "URL -> time: body"
  two_way_py, ///< the same with frames as Python bytes literals
  capture,    ///< header, then length and bytes of each frame
  lines       ///< a frame a line
};

/// One recording: which venue's code reads it, and what must come out.
struct recording_plan {
  std::string file;   ///< below the folder
  std::string images; ///< two-way file of REST replies to be merged by time; empty: none
  std::string venue;
  std::string channel;     ///< which of the venue's book channels; empty: the default
  std::string expectation; ///< entry of the expected end states (its `books`, or the one book's `final`); empty: none
  recording_form form = recording_form::two_way;
  int price_scale = 8;
  int size_scale = 8;
  contract_kind kind = contract_kind::spot;
  std::vector<std::string> symbols = {}; ///< told to the protocol before the first frame (Bitfinex)
  std::vector<known_figure> known = {};
  std::string remark = {};
  /// Instead of the venue's live code, for interfaces that are only replayed; null: the live one.
  std::unique_ptr<frame_decoder> (*decoder)(const instrument_spec&) = nullptr;
  std::unique_ptr<market_protocol> (*protocol)() = nullptr;
  std::string (*symbol_of)(const std::string& frame) = nullptr; ///< empty: no data; null: ask the protocol
  void (*shape)(instrument_spec& spec, const std::string& frame, const std::filesystem::path& root) = nullptr;
  void (*change_rules)(book_rules& rules) = nullptr;
  std::string copy = {}; ///< decoded copies of the frames, a JSON line each, which must say the same
};

/// Recordings with socket frames, and what is known of them.
const std::vector<recording_plan>& recording_plans();
/// Market-data files below the folder that are left out, with the reason.
const std::map<std::string, std::string>& left_out_recordings();

/// Replays one; an unreadable file is a difference.
file_report replay_recording(const recording_plan& plan, const std::filesystem::path& root);

/// The frames of a recording that carry data, with the books they go to: for measuring.
struct planned_frames {
  struct frame {
    std::size_t book = 0;
    std::string text;
  };
  std::vector<instrument_spec> books;
  std::vector<frame> frames; ///< REST images among them
  book_rules rules;
  std::unique_ptr<frame_decoder> (*decoder)(const instrument_spec&) = nullptr;
};

planned_frames frames_of_recording(const recording_plan& plan, const std::filesystem::path& root);

/// Messages with what another project (tardis-node) normalised them to: trades and books must be equal.
std::vector<file_report> compare_normalised(const std::filesystem::path& root);
/// Single frames of 2025 and 2026.
std::vector<file_report> replay_wire_frames(const std::filesystem::path& root);
/// Binance's recordings through the whole feed, as `feed verify FILE…` replays them.
std::vector<file_report> replay_binance(const std::filesystem::path& root);

/// All of it, with files that no plan names as differences.
std::vector<file_report> verify_all(const std::filesystem::path& root);

/// The command. Exit code 1 on any difference.
int verify_all_command(const std::filesystem::path& root, bool json, std::ostream& out, std::ostream& err);

} // namespace troupe
