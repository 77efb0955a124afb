#include "tools/feed_verify/recorded_frames.hpp"

#include "messages/money.hpp"
#include "storage/tape/line_source.hpp"
#include "storage/tape/tape_reader.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace troupe {
namespace {

using path = std::filesystem::path;
using taker = std::function<status(const recorded_frame&)>;

error bad_line(const line_source& from, std::string_view what) {
  return {std::make_error_code(std::errc::invalid_argument), from.place() + ": " + std::string{what}};
}

bool is_tape(const path& file) {
  std::ifstream in{file, std::ios::binary};
  char magic[8] = {};
  in.read(magic, sizeof magic);
  return in.gcount() == 8 && std::string_view{magic, 8} == "TRTAPE01";
}

/// The value of `symbol=` in a request.
std::string_view symbol_of_url(std::string_view url) {
  const auto at = url.find("symbol=");
  if (at == std::string_view::npos) return {};
  url.remove_prefix(at + 7);
  return url.substr(0, url.find_first_of("& "));
}

// --- tapes ---------------------------------------------------------------------------------------

status read_tape(const path& file, const taker& take) {
  auto tape = tape_reader::open(real_disk(), file, {.allow_unfinished = true});
  if (!tape) return std::move(tape).error();
  tape_record record;
  for (;;) {
    const auto more = tape->next(record);
    if (!more) return more.error();
    if (!*more) return ok;
    const auto* channel = tape->channel(record.channel);
    if (channel != nullptr && channel->kind == channel_kind::sent) continue;
    recorded_frame frame{record.received, record.payload, false, {}};
    if (channel != nullptr && channel->kind == channel_kind::rest) {
      frame.rest = true;
      frame.symbol = symbol_of_url(channel->url);
    }
    if (auto taken = take(frame); !taken) return taken;
  }
}

// --- lines ---------------------------------------------------------------------------------------

/// `<ns> <frame>`; false when the line is no such line.
bool split_line(std::string_view line, recorded_frame& out) {
  std::int64_t ns = 0;
  const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), ns);
  if (fault != std::errc{} || end == line.data() + line.size() || *end != ' ') return false;
  out = {market_time{ns}, line.substr(static_cast<std::size_t>(end - line.data()) + 1), false, {}};
  return true;
}

// --- two-way text --------------------------------------------------------------------------------

struct kept_frame {
  market_time received;
  std::string text;
  bool rest = false;
  std::string symbol;
};

bool parse_seconds(std::string_view text, market_time& out) {
  const auto point = text.find('.');
  auto digits = text;
  // More than nine decimals are cut: a nanosecond is the finest there is.
  if (point != std::string_view::npos && text.size() - point - 1 > 9) digits = text.substr(0, point + 10);
  const auto parsed = parse_decimal(digits, 9);
  if (!parsed) return false;
  out.ns = *parsed;
  return true;
}

/// Splits "…: text" into time and text.
bool split_time(std::string_view line, market_time& at, std::string_view& text) {
  const auto colon = line.find(": ");
  if (colon == std::string_view::npos || !parse_seconds(line.substr(0, colon), at)) return false;
  text = line.substr(colon + 2);
  return true;
}

/// A line of two-way text. False for what is no frame: sent text, opened sockets, settings.
bool split_two_way(std::string_view line, kept_frame& out) {
  const bool digit = !line.empty() && line[0] >= '0' && line[0] <= '9';
  std::string_view text;
  if (digit) {
    if (!split_time(line, out.received, text)) return false;
    out.text = text;
    out.rest = false;
    return true;
  }
  const auto arrow = line.find(" -> ");
  const bool address = line.starts_with("http") || line.starts_with("ws");
  if (!address || arrow == std::string_view::npos || !split_time(line.substr(arrow + 4), out.received, text))
    return false;
  out.text = text;
  out.rest = true;
  out.symbol = symbol_of_url(line.substr(0, arrow));
  return true;
}

status pass_on(std::vector<kept_frame>& frames, const taker& take) {
  std::stable_sort(frames.begin(), frames.end(),
                   [](const kept_frame& a, const kept_frame& b) { return a.received < b.received; });
  for (const auto& f : frames)
    if (auto taken = take({f.received, f.text, f.rest, f.symbol}); !taken) return taken;
  frames.clear();
  return ok;
}

status read_text(const path& file, std::vector<kept_frame>& two_way, const taker& take) {
  auto lines = line_source::open(real_disk(), file);
  if (!lines) return std::move(lines).error();
  enum class form { unknown, lines, two_way } found = form::unknown;
  std::string_view line;
  for (;;) {
    const auto more = lines->next(line);
    if (!more) return more.error();
    if (!*more) return ok;
    if (line.empty()) continue;
    recorded_frame frame;
    if (found == form::unknown) found = split_line(line, frame) ? form::lines : form::two_way;
    if (found == form::lines) {
      if (!split_line(line, frame))
        return bad_line(*lines, "expected a receive time in ns, a space and a frame");
      if (auto taken = take(frame); !taken) return taken;
      continue;
    }
    if (kept_frame kept; split_two_way(line, kept)) two_way.push_back(std::move(kept));
  }
}

} // namespace

status read_recordings(const std::vector<path>& files, const taker& take) {
  std::vector<kept_frame> two_way;
  for (const auto& file : files) {
    auto done = is_tape(file) ? read_tape(file, take) : read_text(file, two_way, take);
    if (!done) return done;
  }
  return pass_on(two_way, take);
}

} // namespace troupe
