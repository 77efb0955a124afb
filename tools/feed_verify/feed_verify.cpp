#include "tools/feed_verify/feed_verify.hpp"

#include "messages/json.hpp"

#include <ostream>

namespace troupe {
namespace {

void write_level(json_writer& w, std::string_view key, const level& l, const feed_figures& f) {
  w.key(key).begin_array();
  w.string(format_decimal(l.at.raw, f.price_scale)).string(format_decimal(l.quantity.raw, f.size_scale));
  w.end_array();
}

void write_minutes(json_writer& w, const feed_figures& f) {
  w.key("candles_1m").begin_object();
  for (const auto& [at, b] : f.minutes) {
    w.key(std::to_string(at)).begin_array();
    for (const auto p : {b.open, b.high, b.low, b.close}) w.string(format_decimal(p.raw, f.price_scale));
    w.string(format_decimal(b.volume.raw, f.size_scale)).number(b.trades).end_array();
  }
  w.end_object();
}

void write_figures(json_writer& w, const feed_figures& f) {
  const auto& r = f.report;
  w.begin_object();
  w.field("symbol", f.symbol).field("rule", f.rule).field("validity", name_of(r.validity));
  w.field("frames", r.frames)
      .field("unknown_frames", r.unknown_frames)
      .field("damaged_frames", r.damaged_frames);
  w.field("depth_applied", r.diffs_applied).field("stale_dropped", r.diffs_stale).field("gaps", r.gaps);
  w.field("crossed", r.crossed).field("levels_applied", r.levels_applied).field("last_update_id", r.sequence);
  write_level(w, "best_bid", r.bid, f);
  write_level(w, "best_ask", r.ask, f);
  w.field("bid_levels", r.bid_levels).field("ask_levels", r.ask_levels);
  w.field("top20_crc32", static_cast<std::uint64_t>(f.top20_crc32));
  w.field("trades", r.trades).field("trade_volume", format_decimal(f.volume.raw, f.size_scale));
  w.field("first_trade", f.first_trade).field("last_trade", f.last_trade);
  w.field("trade_gaps", r.trade_gaps).field("trades_missing", f.missing_trades);
  w.field("bookTicker_msgs", f.best_frames);
  w.field("bookTicker_checked_at_equal_u", f.agreement.equal_number);
  w.field("bookTicker_equal", f.agreement.equal_number_agreed);
  w.field("bookTicker_checked_at_last_u", f.agreement.compared);
  w.field("bookTicker_equal_at_last_u", f.agreement.agreed);
  w.field("best_by_time_agreed", r.best_agreed).field("best_by_time_equal", r.best_equal);
  w.field("best_by_time_disagreed", r.best_disagreed).field("best_by_time_undecided", r.best_undecided);
  w.field("resyncs_best", r.resyncs_best);
  w.field("lag_p50_ms", static_cast<std::int64_t>(r.lag_p50.count() / 1'000'000));
  w.field("lag_p99_ms", static_cast<std::int64_t>(r.lag_p99.count() / 1'000'000));
  w.field("clock_offset_ms", static_cast<std::int64_t>(r.clock_offset.count() / 1'000'000));
  w.field("feature_frames", f.feature_frames).field("feature_hash", f.feature_hash);
  write_minutes(w, f);
  w.field("fault", f.fault);
  w.end_object();
}

void print_figures(std::ostream& out, const feed_figures& f) {
  const auto& r = f.report;
  const auto text = [&](const level& l) {
    return format_decimal(l.at.raw, f.price_scale) + " x " + format_decimal(l.quantity.raw, f.size_scale);
  };
  out << f.symbol << " (" << f.rule << " rule), " << r.frames << " frames, " << r.damaged_frames
      << " damaged, " << r.unknown_frames << " unknown\n"
      << "  changes    " << r.diffs_applied << " applied, " << r.diffs_stale << " stale, " << r.gaps
      << " gaps, " << r.crossed << " crossed, " << r.levels_applied << " levels; book " << name_of(r.validity)
      << '\n'
      << "  last u     " << r.sequence << '\n'
      << "  top        " << text(r.bid) << " / " << text(r.ask) << '\n'
      << "  levels     " << r.bid_levels << " / " << r.ask_levels << ", top-20 CRC " << f.top20_crc32 << '\n'
      << "  trades     " << r.trades << " (" << f.first_trade << "…" << f.last_trade << "), " << r.trade_gaps
      << " holes, volume " << format_decimal(f.volume.raw, f.size_scale) << ", " << f.minutes.size()
      << " minute bars\n"
      << "  best quote " << f.best_frames << " frames; equal " << f.agreement.equal_number_agreed << '/'
      << f.agreement.equal_number << " at equal u, " << f.agreement.agreed << '/' << f.agreement.compared
      << " with the last at or below u\n"
      << "  by time    without a number: " << r.best_agreed << " agree (" << r.best_equal << " equal), "
      << r.best_disagreed << " disagree, " << r.best_undecided << " undecided; books dropped for it "
      << r.resyncs_best << '\n'
      << "  clock      received - venue time at least " << r.clock_offset.count() / 1'000'000
      << " ms, lag above that p50 " << r.lag_p50.count() / 1'000'000 << " ms, p99 "
      << r.lag_p99.count() / 1'000'000 << " ms; "
      << f.feature_frames << " feature frames\n";
  if (!f.fault.empty()) out << "  FAULT      " << f.fault << '\n';
}

/// Why an honest replay is not right, where it shows first and what to look for; empty when it is right.
std::string fault_of(const feed_figures& f) {
  std::string why;
  const auto add = [&](std::uint64_t count, const char* what, const std::string& first, const char* remedy) {
    if (count == 0) return;
    if (!why.empty()) why += "; ";
    why += std::to_string(count) + " " + what + (first.empty() ? "" : ", the first at " + first) + " (" + remedy + ")";
  };
  const auto left_out = "was a file left out, or are they out of order? Else frames were lost: record again";
  add(f.report.gaps, "gap(s) in the sequence", f.first_gap, left_out);
  add(f.report.crossed, "crossed book(s)", f.first_crossed, left_out);
  add(f.report.damaged_frames, "damaged frame(s)", f.first_damaged, "was the line cut off? Cut it out or record again");
  add(f.report.trade_gaps, "hole(s) in the trade ids", f.first_hole, left_out);
  add(f.agreement.equal_number - f.agreement.equal_number_agreed,
      "difference(s) to the venue's own best bid and ask at equal u", {}, "a fault of the book: keep the recording");
  add(f.report.resyncs_best, "book(s) whose best bid and ask were not the venue's, by time", {},
      "a fault of the book: keep the recording");
  const bool never = f.report.validity == book_validity::bootstrapping && f.report.diffs_applied == 0;
  add(never ? 1 : 0, "book without an image, so that no change was applied", {},
      "name the file that holds the image in front of this one");
  return why;
}

} // namespace

std::string to_json(const std::vector<feed_figures>& figures, const std::vector<std::string>& unfinished) {
  json_writer w;
  w.begin_object().key("feeds").begin_array();
  for (const auto& f : figures) write_figures(w, f);
  w.end_array().key("unfinished").begin_array();
  for (const auto& line : unfinished) w.string(line);
  w.end_array().end_object();
  return std::move(w).text();
}

int feed_verify(const feed_verify_options& options, std::ostream& out, std::ostream& err) {
  const auto say = [&](const std::string& text) { err << "troupe: " << text << '\n'; };
  std::vector<std::string> unfinished;
  auto figures = options.line_order ? line_order_figures_of(options.inputs, &unfinished)
                 : options.figures  ? options.figures(options.inputs, &unfinished)
                                    : feed_figures_of(options.inputs, &unfinished);
  if (!figures) return say(figures.error().text), 1;
  bool fine = unfinished.empty() || options.allow_unfinished;
  for (auto& f : *figures) {
    if (!options.line_order) f.fault = fault_of(f);
    fine = fine && f.fault.empty();
  }
  if (options.json) out << to_json(*figures, unfinished) << '\n';
  else
    for (const auto& f : *figures) print_figures(out, f);
  for (const auto& line : unfinished)
    say(line + (options.allow_unfinished ? "" : ", --allow-unfinished takes it as it is"));
  for (const auto& f : *figures)
    if (!f.fault.empty()) say(f.symbol + ": " + f.fault);
  if (options.expect.empty()) return fine ? 0 : 1;
  const auto differences = compare_with_expectations(*figures, options.inputs, options.expect);
  if (!differences) return say(differences.error().text), 1;
  for (const auto& line : *differences) say(line);
  return fine && differences->empty() ? 0 : 1;
}

} // namespace troupe
