#include "tools/bench/bench_decoders.hpp"

#include "actors/connectors/binance/codec.hpp"
#include "messages/json.hpp"
#include "tools/bench/frame_buffer.hpp"
#include "tools/feed_verify/verify_all.hpp"
#include "tools/json_view.hpp"

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <numeric>
#include <ostream>
#include <unistd.h>

namespace troupe {
namespace {

using path = std::filesystem::path;
namespace od = simdjson::ondemand;

std::int64_t steady_ns() {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double middle_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A stream of one venue, its frames in one padded buffer, so that no way has to copy them.
struct decoder_stream {
  std::string name;   ///< "kraken v2"
  std::string client; ///< what the node script calls it; empty: neither client knows the interface
  planned_frames frames;
  bench::frame_buffer laid_out;
  std::size_t bytes = 0;
  std::vector<double> parse, book;
  std::size_t valid_books = 0;
  double ccxt = 0, tardis = 0; ///< ns a frame; 0: not measured
};

// --- the ways -------------------------------------------------------------------------------------

/// simdjson on-demand over a document of any shape: every key, string and number touched as text, none converted.
class shapeless_parse {
public:
  void take(const bench::frame_buffer& in, const bench::frame_place& frame) {
    const simdjson::padded_string_view text{in.text(frame), in.readable(frame)};
    od::document document;
    od::value root;
    if (parser_.iterate(text).get(document) == simdjson::SUCCESS && document.get_value().get(root) == simdjson::SUCCESS)
      walk(root);
  }
  [[nodiscard]] std::uint64_t sink() const noexcept { return sink_; }

private:
  void walk(od::value& value) {
    od::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return;
    if (type == od::json_type::object) return walk_object(value);
    if (type == od::json_type::array) return walk_array(value);
    if (type != od::json_type::string) return touch(value.raw_json_token());
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS && !text.empty()) touch(text);
  }

  void walk_object(od::value& value) {
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return;
    for (auto field : object) {
      od::raw_json_string key;
      od::value inner;
      if (field.key().get(key) != simdjson::SUCCESS || field.value().get(inner) != simdjson::SUCCESS) return;
      sink_ += static_cast<unsigned char>(*key.raw());
      walk(inner);
    }
  }

  void walk_array(od::value& value) {
    od::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return;
    for (auto each : array) {
      od::value inner;
      if (each.get(inner) != simdjson::SUCCESS) return;
      walk(inner);
    }
  }

  void touch(std::string_view text) noexcept { sink_ += text.size() + static_cast<unsigned char>(text[0]); }

  od::parser parser_;
  std::uint64_t sink_ = 0;
};

std::uint64_t run_parse(decoder_stream& stream) {
  shapeless_parse parse;
  const auto from = steady_ns();
  for (const auto& place : stream.laid_out.frames()) parse.take(stream.laid_out, place);
  stream.parse.push_back(static_cast<double>(steady_ns() - from));
  return parse.sink();
}

std::uint64_t run_book(decoder_stream& stream) {
  struct one_book {
    std::unique_ptr<frame_decoder> decoder;
    std::unique_ptr<book_machine> machine;
  };
  std::vector<one_book> books;
  for (const auto& spec : stream.frames.books)
    books.push_back({stream.frames.decoder(spec),
                     make_book_machine(stream.frames.rules, {.tick = spec.tick}, {spec.price_scale, spec.size_scale})});
  std::uint64_t sink = 0;
  const auto from = steady_ns();
  for (std::size_t i = 0; i < stream.frames.frames.size(); ++i) {
    auto& b = books[stream.frames.frames[i].book];
    for (const auto* e = &b.decoder->decode(stream.laid_out.text(stream.laid_out.frames()[i])); e != nullptr; e = b.decoder->next()) {
      if (e->kind == event_kind::depth) b.machine->on_depth(e->depth);
      else if (e->kind == event_kind::image) b.machine->on_image(e->image);
      else if (e->kind == event_kind::trade) sink += static_cast<std::uint64_t>(e->trade.at_price.raw);
      else if (e->kind == event_kind::best) sink += static_cast<std::uint64_t>(e->best.bid.at.raw);
    }
  }
  stream.book.push_back(static_cast<double>(steady_ns() - from));
  stream.valid_books = 0;
  for (const auto& b : books) {
    stream.valid_books += b.machine->valid() ? 1 : 0;
    sink += b.machine->sequence();
  }
  return sink;
}

// --- the streams ----------------------------------------------------------------------------------

result<decoder_stream> binance_stream(std::string name, const char* venue, const path& file) {
  auto in = bench::frame_buffer::load({file});
  if (!in) return std::move(in).error();
  const auto scales = binance::scales_of_image(in->image());
  if (!scales) return scales.error();
  decoder_stream out;
  out.client = name;
  out.name = std::move(name);
  const auto& description = *find_venue(venue);
  out.frames.rules = description.books.front().rules;
  out.frames.rules.image_levels = 0; // the recording has one image
  out.frames.decoder = description.decoder;
  instrument_spec spec;
  spec.venue_symbol = "BTCUSDT";
  spec.price_scale = static_cast<std::uint8_t>(scales->price_scale);
  spec.size_scale = static_cast<std::uint8_t>(scales->size_scale);
  spec.tick = scales->tick;
  spec.lot = {1};
  out.frames.books.push_back(spec);
  for (const auto& f : in->frames()) out.frames.frames.push_back({0, std::string{in->text(f)}});
  return out;
}

/// The tick a venue's rules would tell: what divides every price of the recording.
void find_ticks(planned_frames& frames) {
  std::vector<std::unique_ptr<frame_decoder>> decoders;
  std::vector<std::int64_t> ticks(frames.books.size());
  for (const auto& spec : frames.books) decoders.push_back(frames.decoder(spec));
  for (const auto& frame : frames.frames) {
    auto& decoder = *decoders[frame.book];
    for (const auto* e = &decoder.decode(frame.text); e != nullptr; e = decoder.next()) {
      const auto take = [&](std::span<const level> levels) {
        for (const auto& l : levels) ticks[frame.book] = std::gcd(ticks[frame.book], l.at.raw);
      };
      if (e->kind == event_kind::depth) take(e->depth.bids), take(e->depth.asks);
      if (e->kind == event_kind::image) take(e->image.bids), take(e->image.asks);
    }
  }
  for (std::size_t i = 0; i < ticks.size(); ++i) frames.books[i].tick = {std::max<std::int64_t>(ticks[i], 1)};
}

struct recorded_stream {
  const char* name;
  const char* file; ///< its end
  const char* client;
};

constexpr recorded_stream recorded_streams[] = {{"kraken v2", "kraken_btcusd_sample.cbcap", "kraken"},
                                                {"kraken v1 (replay)", "KRAKEN.ws.50.0", "kraken-v1"},
                                                {"coinbase exchange (replay)", "COINBASE.ws.28.0", "coinbase"},
                                                {"bitfinex", "bitfinex_ws_raw.jsonl", "bitfinex"},
                                                {"kucoin level2", "KUCOIN.ws.1.0", "kucoin"},
                                                {"htx swap step0", "HUOBI_SWAP.ws.1.0", "htx"}};

result<std::vector<decoder_stream>> load_streams(const path& venues) {
  std::vector<decoder_stream> out;
  const auto examples = venues / "nkaz001+hftbacktest/examples";
  for (const auto& [name, venue, file] : {std::tuple{"binance", "binance", "spot/btcusdt_20240808.gz"},
                                          std::tuple{"binance-usdm", "binance-usdm", "usdm/btcusdt_20240808.gz"}}) {
    auto stream = binance_stream(name, venue, examples / file);
    if (!stream) return std::move(stream).error();
    out.push_back(std::move(*stream));
  }
  for (const auto& each : recorded_streams) {
    const auto plan = std::ranges::find_if(recording_plans(), [&](const auto& p) { return p.file.ends_with(each.file); });
    decoder_stream stream;
    stream.name = each.name;
    stream.client = each.client;
    stream.frames = frames_of_recording(*plan, venues);
    find_ticks(stream.frames);
    if (stream.frames.frames.size() < 1000)
      return error{std::make_error_code(std::errc::no_such_file_or_directory),
                   (venues / plan->file).string() + ": fewer than 1,000 frames; set TROUPE_DATA to the folder of recordings"};
    out.push_back(std::move(stream));
  }
  for (auto& stream : out) {
    for (const auto& frame : stream.frames.frames) stream.laid_out.add({}, frame.text);
    stream.laid_out.pad();
    stream.bytes = stream.laid_out.payload_bytes();
  }
  return out;
}

// --- the npm clients ------------------------------------------------------------------------------

/// Writes the streams for the node script, a JSON line a frame, runs it and reads what it measured.
status measure_clients(std::vector<decoder_stream>& streams, const bench_decoders_options& options) {
  const auto bad = [](const std::string& text) { return error{std::make_error_code(std::errc::io_error), text}; };
  char pattern[] = "/tmp/troupe_decoders_XXXXXX";
  if (::mkdtemp(pattern) == nullptr) return bad("no temporary folder");
  const path folder{pattern};
  for (const auto& stream : streams) {
    if (stream.client.empty()) continue;
    std::ofstream file{folder / (stream.client + ".jsonl")};
    for (const auto& frame : stream.frames.frames) {
      json_writer w;
      w.begin_object().field("symbol", stream.frames.books[frame.book].venue_symbol).field("text", frame.text).end_object();
      file << w.text() << '\n';
    }
  }
  const auto command = "cd '" + options.clients.string() + "' && node bench_decoders.mjs '" + folder.string() + "' "
                       + std::to_string(options.runs);
  std::string answer;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe != nullptr) {
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) answer.append(buffer, n);
  }
  const bool ran = pipe != nullptr && ::pclose(pipe) == 0;
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!ran) return bad("node bench_decoders.mjs failed in " + options.clients.string() + "; run npm install there");
  const auto view = json_view::parse(answer);
  for (auto& stream : streams) {
    stream.ccxt = view.real(stream.client + ".ccxt");
    stream.tardis = view.real(stream.client + ".tardis");
  }
  return ok;
}

// --- output ---------------------------------------------------------------------------------------

double ns_per_frame(const decoder_stream& s, const std::vector<double>& runs) {
  return middle_of(runs) / static_cast<double>(s.frames.frames.size());
}

double times_parse(const decoder_stream& s) {
  std::vector<double> out;
  for (std::size_t i = 0; i < s.book.size(); ++i) out.push_back(s.book[i] / s.parse[i]);
  return middle_of(std::move(out));
}

/// How many times as long the faster of the two clients takes.
double times_clients(const decoder_stream& s) {
  const double faster = s.ccxt <= 0 ? s.tardis : s.tardis <= 0 ? s.ccxt : std::min(s.ccxt, s.tardis);
  return faster / ns_per_frame(s, s.book);
}

void print(std::ostream& out, const std::vector<decoder_stream>& streams, unsigned runs) {
  out << "median of " << runs << " alternating runs; ns a frame\n";
  char line[200];
  std::snprintf(line, sizeof line, "%-28s %8s %8s %10s %10s %8s %10s %10s %8s\n", "stream", "frames", "MB", "parse", "book",
                "x parse", "ccxt", "tardis", "x faster");
  out << line;
  for (const auto& s : streams) {
    std::snprintf(line, sizeof line, "%-28s %8zu %8.1f %10.0f %10.0f %8.2f %10.0f %10.0f %8.1f\n", s.name.c_str(),
                  s.frames.frames.size(), static_cast<double>(s.bytes) / 1e6, ns_per_frame(s, s.parse),
                  ns_per_frame(s, s.book), times_parse(s), s.ccxt, s.tardis, times_clients(s));
    out << line;
  }
}

void write(std::ostream& out, const std::vector<decoder_stream>& streams, unsigned runs) {
  json_writer w;
  w.begin_object().field("bench", "decoders").field("runs", runs).key("streams").begin_array();
  for (const auto& s : streams)
    w.begin_object()
        .field("stream", s.name)
        .field("frames", s.frames.frames.size())
        .field("bytes", s.bytes)
        .field("valid_books", s.valid_books)
        .field("parse_only_ns", ns_per_frame(s, s.parse), 1)
        .field("book_ns", ns_per_frame(s, s.book), 1)
        .field("times_parse_only", times_parse(s), 3)
        .field("ccxt_ns", s.ccxt, 0)
        .field("tardis_ns", s.tardis, 0)
        .field("faster_client_times", times_clients(s), 2)
        .end_object();
  out << w.end_array().end_object().text() << '\n';
}

} // namespace

int bench_decoders(const bench_decoders_options& options, std::ostream& out, std::ostream& err) {
  auto data = options.data;
  if (data.empty())
    if (const char* named = std::getenv("TROUPE_DATA"); named != nullptr && *named != '\0') data = named;
  if (data.empty()) data = path{".."} / "shared" / "data";
  auto streams = load_streams(data / "venues");
  if (!streams) {
    err << "troupe: bench decoders: " << streams.error().message() << '\n';
    return 1;
  }
  std::uint64_t sink = 0;
  const auto measure = [&] {
    for (unsigned run = 0; run < std::max(options.runs, 1U); ++run)
      for (auto& stream : *streams) {
        if (run % 2 == 0) sink += run_parse(stream) + run_book(stream);
        else sink += run_book(stream) + run_parse(stream);
      }
  };
  measure();
  bool fine = sink != 0;
  for (const auto& stream : *streams)
    if (stream.valid_books == 0) {
      err << "troupe: bench decoders: " << stream.name << ": no book ends valid; the figures mean nothing\n";
      fine = false;
    }
  if (!options.clients.empty()) {
    const auto done = measure_clients(*streams, options);
    if (!done) err << "troupe: bench decoders: " << done.error().message() << '\n';
    else measure(); // before and behind the clients: a load that comes or goes meets both
    fine = fine && done;
  }
  if (options.json) write(out, *streams, options.runs);
  else print(out, *streams, options.runs);
  return fine ? 0 : 1;
}

} // namespace troupe
