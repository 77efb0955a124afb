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

std::string words_of_unfinished(const path& file, const tape_info& info) {
  return file.string() + ": the tape was never finished or its end is cut off: only its first "
         + std::to_string(info.records) + " frames are here, " + std::to_string(info.unread_bytes)
         + " bytes behind them can't be read; `troupe tape recover` makes a whole tape of what is readable";
}

result<tape_reader> open_tape(const path& file, std::vector<std::string>* unfinished) {
  auto whole = tape_reader::open(real_disk(), file);
  if (whole || unfinished == nullptr) return whole;
  auto part = tape_reader::open(real_disk(), file, {.allow_unfinished = true});
  if (part) unfinished->push_back(words_of_unfinished(file, part->info()));
  return part;
}

status read_tape(const path& file, const taker& take, std::vector<std::string>* unfinished) {
  auto tape = open_tape(file, unfinished);
  if (!tape) return std::move(tape).error();
  tape_record record;
  for (std::uint64_t number = 1;; ++number) {
    const auto more = tape->next(record);
    if (!more)
      return error{more.error().code,
                   more.error().text + "; `troupe tape recover` copies what is readable into a new tape"};
    if (!*more) return ok;
    const auto* channel = tape->channel(record.channel);
    if (channel != nullptr && channel->kind == channel_kind::sent) continue;
    recorded_frame frame{record.received, record.payload, false, {}, &file, number, true};
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
  out.received.ns = ns;
  out.text = line.substr(static_cast<std::size_t>(end - line.data()) + 1);
  return true;
}

// --- two-way text --------------------------------------------------------------------------------

struct kept_frame {
  market_time received;
  std::string text;
  bool rest = false;
  std::string symbol;
  const path* file = nullptr;
  std::uint64_t line = 0;
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

/// Lines of a two-way text that are no frames: sockets opened, text sent, settings.
bool tells_no_frame(std::string_view line) {
  return line.starts_with("configuration:") || line.find(" <- ") != std::string_view::npos
         || line.find(" <-> ") != std::string_view::npos;
}

status pass_on(std::vector<kept_frame>& frames, const taker& take) {
  std::stable_sort(frames.begin(), frames.end(),
                   [](const kept_frame& a, const kept_frame& b) { return a.received < b.received; });
  for (const auto& f : frames)
    if (auto taken = take({f.received, f.text, f.rest, f.symbol, f.file, f.line, false}); !taken) return taken;
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
    frame.file = &file;
    frame.number = lines->number();
    if (found == form::unknown) found = split_line(line, frame) ? form::lines : form::two_way;
    if (found == form::lines) {
      if (!split_line(line, frame))
        return bad_line(*lines, "expected a receive time in ns, a space and a frame; mend or cut out the line");
      if (auto taken = take(frame); !taken) return taken;
      continue;
    }
    kept_frame kept;
    if (split_two_way(line, kept)) {
      kept.file = &file;
      kept.line = lines->number();
      two_way.push_back(std::move(kept));
    } else if (!tells_no_frame(line))
      return bad_line(*lines, "neither `<ns> <frame>`, `time: frame` nor `URL -> time: body`; is it a recording? "
                              "Mend or cut out the line");
  }
}

} // namespace

std::string place_of(const recorded_frame& frame) {
  const auto name = frame.file == nullptr ? std::string{"recording"} : frame.file->string();
  return name + (frame.in_tape ? ":frame " : ":") + std::to_string(frame.number);
}

status read_recordings(const std::vector<path>& files, const taker& take, std::vector<std::string>* unfinished) {
  std::vector<kept_frame> two_way;
  for (const auto& file : files) {
    auto done = is_tape(file) ? read_tape(file, take, unfinished) : read_text(file, two_way, take);
    if (!done) return done;
  }
  return pass_on(two_way, take);
}

} // namespace troupe
