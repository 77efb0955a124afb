#include "messages/money.hpp"
#include "storage/tape/line_source.hpp"
#include "storage/tape/tape_tools.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace troupe {
namespace {

enum class text_format { lines, two_way };

/// Bound on what a two-way recording may hold, since it is sorted in memory.
constexpr std::uint64_t max_two_way_bytes = 1u << 30;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

error bad_line(const line_source& from, const std::string& what) {
  return {storage_errc::bad_input, from.place() + ": " + what};
}

/// Whether the first line is `<19 digits> <frame>`.
text_format guess(std::string_view line) noexcept {
  const auto space = line.find(' ');
  const bool lines =
      space != std::string_view::npos && space >= 16 && space <= 19
      && std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(space), is_digit);
  return lines ? text_format::lines : text_format::two_way;
}

// --- Python's spelling of bytes
// -------------------------------------------------------------------

int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Turns b'…' into the bytes it stands for; false when it is malformed.
bool decode_python_bytes(std::string_view text, std::string& out) {
  if (text.size() < 3 || text[0] != 'b' || (text[1] != '\'' && text[1] != '"')
      || text.back() != text[1])
    return false;
  text = text.substr(2, text.size() - 3);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return false;
    switch (text[i]) {
    case 'n':
      out += '\n';
      break;
    case 'r':
      out += '\r';
      break;
    case 't':
      out += '\t';
      break;
    case '\\':
    case '\'':
    case '"':
      out += text[i];
      break;
    case 'x': {
      if (i + 2 >= text.size()) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
      break;
    }
    default:
      return false;
    }
  }
  return true;
}

bool is_python_bytes(std::string_view text) noexcept {
  return text.starts_with("b'") || text.starts_with("b\"");
}

// --- the import
// -----------------------------------------------------------------------------------

class importer {
public:
  importer(tape_writer& out, const tape_import_options& options, std::uint64_t total)
      : out_{out}, options_{options}, total_{total} {}

  status run_lines(line_source& in, std::string_view first);
  status read_two_way(line_source& in, std::string_view first);
  status write_two_way();

  std::uint64_t lines = 0;
  std::uint64_t skipped = 0;
  std::uint64_t not_json = 0;

  void next_file(std::uint64_t bytes) { done_ += bytes; }

private:
  struct event {
    market_time at;
    std::uint32_t channel;
    std::string payload;
  };

  result<std::uint32_t> channel(channel_kind kind, const std::string& name, const std::string& url);
  status take_line(line_source& in, std::string_view line);
  status take_two_way(line_source& in, std::string_view line);
  status add_event(line_source& in, channel_kind kind, const std::string& url,
                   std::string_view time_text, std::string_view payload);
  status check_frame(const line_source& in, std::string_view frame);
  void report(const line_source& in) {
    if (options_.progress && (lines & 1023u) == 0)
      options_.progress(done_ + in.bytes_read(), total_);
  }

  tape_writer& out_;
  const tape_import_options& options_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::map<std::pair<channel_kind, std::string>, std::uint32_t> channels_;
  std::string socket_url_;
  std::vector<event> events_;
  std::uint64_t event_bytes_ = 0;
  std::int64_t last_ns_ = 0;
  simdjson::dom::parser parser_;
};

/// Venues speak JSON but for keep-alives; a line that was cut off or mixed with another one does not parse.
status importer::check_frame(const line_source& in, std::string_view frame) {
  if (frame == "ping" || frame == "pong") return ok;
  simdjson::dom::element root;
  if (parser_.parse(frame.data(), frame.size()).get(root) == simdjson::SUCCESS) return ok;
  ++not_json;
  if (options_.binary) return ok;
  constexpr std::size_t shown = 40;
  std::string start;
  for (const char c : frame.substr(0, shown)) start += c >= ' ' && c <= '~' ? c : '.';
  return bad_line(in, "the frame is no JSON: `" + start + (frame.size() > shown ? "…" : "")
                          + "`; was the line cut off? Mend the recording, or import with --binary, which takes"
                            " every frame as it is");
}

result<std::uint32_t> importer::channel(channel_kind kind, const std::string& name,
                                        const std::string& url) {
  const auto key = std::pair{kind, url.empty() ? name : url};
  if (const auto it = channels_.find(key); it != channels_.end()) return it->second;
  auto id = out_.add_channel(name, kind, url);
  if (id) channels_.emplace(key, *id);
  return id;
}

status importer::take_line(line_source& in, std::string_view line) {
  const auto space = line.find(' ');
  std::int64_t ns = 0;
  const auto digits = line.substr(0, space);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), ns);
  if (space == std::string_view::npos || code != std::errc{}
      || end != digits.data() + digits.size())
    return bad_line(in, "not `<nanoseconds> <frame>`");
  const auto frame = line.substr(space + 1);
  if (auto good = check_frame(in, frame); !good) return good;
  if (ns < last_ns_)
    return bad_line(in, "receive time goes back by " + std::to_string(last_ns_ - ns)
                            + " ns; give lines and files in order of time");
  last_ns_ = ns;
  // A socket frame names its stream or channel; a bare book image is the reply of the REST
  // interface.
  const bool image = frame.starts_with("{\"lastUpdateId\"");
  const auto id = image ? channel(channel_kind::rest, "depth", {})
                        : channel(channel_kind::socket, "combined", {});
  if (!id) return id.error();
  if (auto done = out_.append({ns}, *id, frame); !done)
    return with_context(std::move(done).error(), in.place());
  return ok;
}

status importer::run_lines(line_source& in, std::string_view first) {
  // Channel 0 is the socket, also where the image comes first.
  if (auto id = channel(channel_kind::socket, "combined", {}); !id) return std::move(id).error();
  std::string_view line = first;
  while (true) {
    if (!line.empty()) {
      ++lines;
      if (auto done = take_line(in, line); !done) return done;
      report(in);
    }
    auto more = in.next(line);
    if (!more) return std::move(more).error();
    if (!*more) return ok;
  }
}

status importer::add_event(line_source& in, channel_kind kind, const std::string& url,
                           std::string_view time_text, std::string_view payload) {
  const auto ns = parse_decimal(time_text, 9);
  if (!ns)
    return bad_line(in, "`" + std::string{time_text.substr(0, 40)} + "` is no time in seconds");
  std::string bytes;
  if (is_python_bytes(payload)) {
    if (!decode_python_bytes(payload, bytes)) return bad_line(in, "malformed bytes literal");
  } else {
    // What the client itself sent is no frame of the venue, and bytes literals are binary by their own word.
    if (kind != channel_kind::sent)
      if (auto good = check_frame(in, payload); !good) return good;
    bytes = payload;
  }
  static constexpr std::string_view names[] = {"socket", "rest", "sent"};
  const auto id = channel(kind, std::string{names[static_cast<std::size_t>(kind)]}, url);
  if (!id) return id.error();
  event_bytes_ += bytes.size() + sizeof(event);
  if (event_bytes_ > max_two_way_bytes)
    return bad_line(in, "recording of more than 1 GiB; split it");
  events_.push_back({{*ns}, *id, std::move(bytes)});
  return ok;
}

status importer::take_two_way(line_source& in, std::string_view line) {
  if (line.starts_with("configuration:")) return ++skipped, ok;
  if (is_digit(line.front())) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos)
      return bad_line(in, "neither `time: frame` nor `URL <-> time`");
    return add_event(in, channel_kind::socket, socket_url_, line.substr(0, colon),
                     line.substr(colon + 2));
  }
  const auto space = line.find(' ');
  const auto url = std::string{line.substr(0, space)};
  if (space == std::string_view::npos || url.find("://") == std::string::npos)
    return bad_line(in, "neither `time: frame` nor `URL <-> time`");
  auto rest = line.substr(space + 1);
  if (rest.starts_with("<-> ")) {
    socket_url_ = url;
    return ++skipped, ok;
  }
  const auto kind = rest.starts_with("<- ") ? channel_kind::sent : channel_kind::rest;
  if (kind == channel_kind::rest && !rest.starts_with("-> "))
    return bad_line(in, "no arrow behind the address");
  rest.remove_prefix(3);
  const auto colon = rest.find(": ");
  if (colon == std::string_view::npos) return bad_line(in, "no `time: text` behind the arrow");
  return add_event(in, kind, url, rest.substr(0, colon), rest.substr(colon + 2));
}

status importer::read_two_way(line_source& in, std::string_view first) {
  socket_url_.clear();
  std::string_view line = first;
  while (true) {
    if (!line.empty()) {
      ++lines;
      if (auto done = take_two_way(in, line); !done) return done;
      report(in);
    }
    auto more = in.next(line);
    if (!more) return std::move(more).error();
    if (!*more) return ok;
  }
}

status importer::write_two_way() {
  std::stable_sort(events_.begin(), events_.end(),
                   [](const event& a, const event& b) { return a.at < b.at; });
  for (const auto& e : events_)
    if (auto done = out_.append(e.at, e.channel, e.payload); !done) return done;
  return ok;
}

std::string describe_inputs(const std::vector<std::filesystem::path>& inputs) {
  std::string out = "imported from";
  for (const auto& path : inputs)
    out += (&path == &inputs.front() ? " " : ", ") + path.filename().string();
  return out;
}

result<tape_import_report> run(const tape_import_options& options, std::vector<line_source>& inputs,
                               tape_writer& out) {
  std::uint64_t total = 0;
  for (const auto& in : inputs)
    total += in.file_bytes();
  importer work{out, options, total};
  tape_import_report report;
  for (auto& in : inputs) {
    std::string_view line;
    auto more = in.next(line);
    while (more && *more && line.empty())
      more = in.next(line);
    if (!more) return std::move(more).error();
    if (!*more) return {storage_errc::bad_input, in.place() + ": empty; nothing to import"};
    const auto format = guess(line);
    const std::string name = format == text_format::lines ? "lines" : "two-way";
    if (!report.format.empty() && report.format != name)
      return {storage_errc::bad_input,
              in.place() + ": not the same kind of recording as the file before"};
    report.format = name;
    auto done =
        format == text_format::lines ? work.run_lines(in, line) : work.read_two_way(in, line);
    if (!done) return std::move(done).error();
    work.next_file(in.file_bytes());
  }
  if (auto done = work.write_two_way(); !done) return std::move(done).error();
  report.lines = work.lines;
  report.skipped_lines = work.skipped;
  report.not_json = work.not_json;
  auto info = out.finish();
  if (!info) return std::move(info).error();
  report.tape = std::move(*info);
  return report;
}

} // namespace

result<tape_import_report> import_tape(disk& on, const tape_import_options& options) {
  if (options.inputs.empty()) return {storage_errc::bad_input, "no file to import was named"};
  std::vector<line_source> inputs;
  for (const auto& path : options.inputs) {
    auto in = line_source::open(on, path);
    if (!in) return std::move(in).error();
    inputs.push_back(std::move(*in));
  }
  auto out = tape_writer::create(on, options.output,
                                 {.instrument = options.instrument,
                                  .venue = options.venue,
                                  .source = describe_inputs(options.inputs),
                                  .remarks = options.remarks},
                                 options.writer);
  if (!out) return std::move(out).error();
  auto report = run(options, inputs, *out);
  if (!report) (void)out->discard();
  return report;
}

} // namespace troupe
