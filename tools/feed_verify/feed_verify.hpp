#pragma once

/// `troupe feed verify FILE…`: replays a recording through the feed and prints what came out: changes
/// applied, stale, gaps, the end of the book, trades, agreement with the venue's own best bid and ask.

#include "actors/feeds/feed_core.hpp"

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>

namespace troupe {

struct feed_figures;

struct feed_verify_options {
  std::vector<std::filesystem::path> inputs; ///< files of one recording, in order of time
  std::filesystem::path expect;              ///< expectations (JSON) to compare with; empty = none
  bool line_order = false;                   ///< replay the deliberately wrong way; must be caught
  bool allow_unfinished = false;             ///< a tape without an end is said to be one, but is no failure
  bool json = false;
  /// Reads other recordings than Binance's (tapes of `troupe tape record`); empty: `feed_figures_of`.
  std::function<result<std::vector<feed_figures>>(const std::vector<std::filesystem::path>& inputs,
                                                  std::vector<std::string>* unfinished)>
      figures;
};

/// What one instrument's feed ended with. Prices and sizes are text with the venue's decimals.
struct feed_figures {
  std::string symbol;
  std::string rule; ///< "spot" or "futures"
  feed_report report;
  agreement_meter::counts agreement;
  int price_scale = 0;
  int size_scale = 0;
  price tick;
  std::uint64_t best_frames = 0; ///< the venue's own best bid and ask, frames
  std::uint64_t first_trade = 0;
  std::uint64_t last_trade = 0;
  std::uint64_t missing_trades = 0;
  size volume;
  std::uint32_t top20_crc32 = 0;
  std::uint64_t feature_frames = 0;
  std::uint64_t feature_hash = 0;      ///< over all feature frames, for comparisons between runs
  std::map<std::int64_t, bar> minutes; ///< one-minute bars by open time in ms
  /// Where each kind of trouble was first noticed; empty where there was none.
  std::string first_damaged, first_gap, first_crossed, first_hole;
  std::string fault;                   ///< why this replay is wrong; empty when nothing is
};

/// Replays recordings; one entry an instrument, in order of symbol. Errors name file, line and remedy.
/// @param unfinished see read_recordings
result<std::vector<feed_figures>> feed_figures_of(const std::vector<std::filesystem::path>& inputs,
                                                  std::vector<std::string>* unfinished = nullptr);

/// The same the wrong way: changes in front of the image are lost. `fault` says how it shows.
result<std::vector<feed_figures>> line_order_figures_of(const std::vector<std::filesystem::path>& inputs,
                                                        std::vector<std::string>* unfinished = nullptr);

/// Figures as one JSON object; `unfinished`: a line for each tape that has no end.
std::string to_json(const std::vector<feed_figures>& figures, const std::vector<std::string>& unfinished = {});

/// Differences to an expectations file, one line each; empty when all figures it names are equal. An error
/// when the file can't be read or names none of the inputs.
result<std::vector<std::string>> compare_with_expectations(const std::vector<feed_figures>& figures,
                                                           const std::vector<std::filesystem::path>& inputs,
                                                           const std::filesystem::path& expectations);

/// The command. Data on `out`, words on `err`. Exit code: 0 fine; 1 a gap, crossed book, disagreement in a
/// single file at equal numbers, difference to the expectations, an unfinished tape (unless allowed), or
/// unreadable input.
int feed_verify(const feed_verify_options& options, std::ostream& out, std::ostream& err);

} // namespace troupe
