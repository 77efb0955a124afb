#include "tools/cli/feed_table.hpp"

#include "messages/json.hpp"
#include "messages/market.hpp"
#include "messages/money.hpp"

#include <algorithm>
#include <array>

namespace troupe::cli {
namespace {

using cells = std::vector<std::string>;

constexpr std::string_view prefix = "feed/";

/// What ended valid books, by the name the feed counts it under.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> causes{{
    {"resyncs_gap", "gap"},
    {"resyncs_crossed", "crossed"},
    {"resyncs_checksum", "checksum"},
    {"resyncs_overflow", "too many levels"},
    {"resyncs_depth", "left its image"},
    {"resyncs_best", "best bid/ask"},
    {"resyncs_session", "session"},
}};

/// "1.2 ms", "3.4 s"
std::string time_text(std::int64_t ns) {
  const auto away = ns < 0 ? -ns : ns;
  if (away >= 1'000'000'000) return format_decimal_short(ns / 10'000'000, 2) + " s";
  return format_decimal_short(ns / 100'000, 1) + " ms";
}

/// The sequence kind in words: what proves that nothing is missing.
std::string sequence_text(const json_view& page) {
  const auto family = page.text("family");
  return family.empty() ? "?" : family;
}

std::string proven_text(const json_view& page) {
  const auto levels = page.integer("proven_levels");
  return levels == 0 ? "all" : std::to_string(levels);
}

std::string checksums_text(const json_view& page) {
  const auto compared = page.integer("checksums_compared");
  return compared == 0 ? "-" : std::to_string(page.integer("checksums_equal")) + "/" + std::to_string(compared);
}

/// Readings of the same number, else those that were compared by time.
std::string best_text(const json_view& page) {
  const auto same = page.integer("quotes_same_number");
  if (same > 0) return std::to_string(page.integer("quotes_same_number_equal")) + "/" + std::to_string(same);
  const auto agreed = page.integer("best_agreed"), judged = agreed + page.integer("best_disagreed");
  return judged == 0 ? "-" : std::to_string(agreed) + "/" + std::to_string(judged) + " by time";
}

std::int64_t losses(const json_view& page) {
  std::int64_t out = 0;
  for (const auto& [key, words] : causes) out += page.integer(key);
  return out;
}

std::string causes_text(const json_view& page) {
  std::string out;
  for (const auto& [key, words] : causes)
    if (const auto n = page.integer(key); n > 0)
      out += (out.empty() ? "" : ", ") + std::string{words} + " " + std::to_string(n);
  return out.empty() ? "0" : out;
}

std::string rate_text(const json_view& page) {
  return format_decimal_short(page.integer("messages_per_s_e3") / 100, 1);
}

cells cells_of(const feed_row& row) {
  const auto& p = row.page;
  if (p.text("instrument").empty()) return {row.instrument, "does not answer", "", "", "", "", "", "", "", "", "", ""};
  return {row.instrument,
          p.text("validity"),
          sequence_text(p),
          proven_text(p),
          time_text(p.integer("age")),
          time_text(p.integer("lag_p50")),
          time_text(p.integer("lag_p99")),
          time_text(p.integer("clock_offset")),
          std::to_string(p.integer("gaps")),
          causes_text(p),
          checksums_text(p),
          best_text(p),
          rate_text(p)};
}

/// Columns aligned, the first to the left.
std::string aligned(const std::vector<cells>& lines) {
  std::vector<std::size_t> widths;
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], line[i].size());
    }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string gap(widths[i] - line[i].size(), ' ');
      text += (i == 0 ? "" : "  ") + (i < 3 ? line[i] + gap : gap + line[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  }
  return out;
}

} // namespace

std::vector<feed_row> feed_rows(const std::string& node, const json_view& page, std::string_view venue) {
  std::vector<feed_row> out;
  const auto reports = page.at("reports");
  for (const auto& name : reports.keys("")) {
    if (!name.starts_with(prefix)) continue;
    const instrument_id id{name.substr(prefix.size())};
    if (!venue.empty() && id.venue() != venue) continue;
    out.push_back({node, id.text, reports.at(name)});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.instrument < b.instrument; });
  return out;
}

std::string feed_table(const std::vector<feed_row>& rows) {
  std::vector<cells> lines{{"FEED", "STATE", "SEQUENCE", "PROVEN", "AGE", "LAG P50", "P99", "OFFSET", "GAPS", "RESYNCS",
                            "CHECKSUMS", "BEST", "MSG/S"}};
  for (const auto& row : rows) lines.push_back(cells_of(row));
  return aligned(lines);
}

std::string feed_sheet(const feed_row& row) {
  const auto& p = row.page;
  const auto number = [&](std::string_view key) { return std::to_string(p.integer(key)); };
  const std::vector<cells> lines{
      {"feed", row.instrument + " on node " + row.node},
      {"state", p.text("validity") + ", session " + number("session")},
      {"book", p.text("bid") + " x " + p.text("bid_size") + " / " + p.text("ask") + " x " + p.text("ask_size") + ", "
                   + number("bid_levels") + " / " + number("ask_levels") + " levels, number " + number("sequence")},
      {"sequence", sequence_text(p) + ", levels proven: " + proven_text(p)},
      {"age", time_text(p.integer("age"))},
      {"lag", "p50 " + time_text(p.integer("lag_p50")) + ", p99 " + time_text(p.integer("lag_p99"))
                  + " above the offset"},
      {"offset", time_text(p.integer("clock_offset")) + " received - venue time, the least of ten minutes"},
      {"messages", rate_text(p) + "/s, " + number("frames") + " so far, " + number("unknown_frames") + " unknown, "
                       + number("damaged_frames") + " damaged"},
      {"changes", number("diffs_applied") + " applied, " + number("diffs_stale") + " stale, " + number("gaps") + " gaps, "
                      + number("crossed") + " crossed, " + number("unprovable") + " unprovable"},
      {"resyncs", number("resyncs") + "; valid books lost to: " + causes_text(p) + "; replaced unasked: "
                      + number("images_unasked")},
      {"checksums", checksums_text(p)},
      {"best", "same number " + number("quotes_same_number_equal") + "/" + number("quotes_same_number") + "; by time "
                   + number("best_agreed") + " agree (" + number("best_equal") + " equal), " + number("best_disagreed")
                   + " disagree, " + number("best_undecided") + " undecided"},
      {"trades", number("trades") + ", " + number("trade_gaps") + " holes"},
      {"quarantine", number("quarantined") + " frames"},
  };
  auto out = aligned(lines);
  for (const auto& frame : p.items("damaged"))
    out += "  " + frame.text("why") + ", " + std::to_string(frame.integer("bytes")) + " bytes: " + frame.text("head").substr(0, 80)
           + '\n';
  return out;
}

std::string feed_list_json(const std::vector<feed_row>& rows) {
  json_writer w;
  w.begin_array();
  for (const auto& row : rows) {
    const auto& p = row.page;
    const auto number = [&](std::string_view key) { w.field(key, p.integer(key)); };
    w.begin_object().field("node", row.node).field("feed", row.instrument);
    w.field("venue", instrument_id{row.instrument}.venue());
    w.field("answers", !p.text("instrument").empty()).field("state", p.text("validity")).field("sequence_kind", sequence_text(p));
    for (const auto* key : {"proven_levels", "age", "lag_p50", "lag_p99", "clock_offset", "gaps"}) number(key);
    w.field("resyncs", p.integer("resyncs")).field("books_lost", losses(p)).key("books_lost_to").begin_object();
    for (const auto& [key, words] : causes) w.field(key.substr(key.find('_') + 1), p.integer(key));
    w.end_object();
    for (const auto* key : {"checksums_compared", "checksums_equal", "quotes_same_number", "quotes_same_number_equal",
                            "best_agreed", "best_equal", "best_disagreed", "best_undecided", "frames", "messages_per_s_e3"})
      number(key);
    w.end_object();
  }
  w.end_array();
  return std::move(w).text();
}

} // namespace troupe::cli
