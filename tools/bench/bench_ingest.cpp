#include "tools/bench/bench_ingest.hpp"

#include "runtime/log.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <thread>

namespace troupe {
namespace {

using namespace bench;

constexpr auto spare_market_time = std::chrono::seconds{10};

std::filesystem::path recordings_folder(const bench_ingest_options& options) {
  if (!options.data.empty()) return options.data;
  if (const char* named = std::getenv("TROUPE_DATA"); named != nullptr && *named != '\0')
    return named;
  return std::filesystem::path{".."} / "shared" / "data";
}

result<std::vector<const venue_description*>> venues_of(const bench_ingest_options& options) {
  std::vector<const venue_description*> out;
  for (const auto& name : options.venues) {
    const auto* venue = find_venue(name);
    if (venue == nullptr)
      return error{std::make_error_code(std::errc::invalid_argument),
                   "no venue is named '" + name + "'"};
    out.push_back(venue);
  }
  if (out.empty())
    for (const auto* venue : all_venues())
      out.push_back(venue);
  return out;
}

bool wants(const bench_ingest_options& options, std::string_view way) {
  return options.ways.empty()
         || std::find(options.ways.begin(), options.ways.end(), way) != options.ways.end();
}

void print_streams(std::ostream& out, const std::vector<venue_stream>& streams) {
  out << "streams, each shown under other names:\n";
  char line[160];
  for (const auto& s : streams) {
    std::snprintf(line, sizeof line,
                  "  %-13s %-9s %8zu frames, %6.0f s of market time, %6.1f messages/s, %5.1f MB\n",
                  std::string{s.venue->name}.c_str(), std::string{s.source}.c_str(),
                  s.frames.size(), static_cast<double>(s.length.count()) / 1e9, s.rate(),
                  static_cast<double>(s.bytes) / 1e6);
    out << line;
  }
}

void write_streams(json_writer& w, const std::vector<venue_stream>& streams) {
  w.key("streams").begin_array();
  for (const auto& s : streams)
    w.begin_object()
        .field("venue", s.venue->name)
        .field("source", s.source)
        .field("frames", s.frames.size())
        .field("market_seconds", static_cast<double>(s.length.count()) / 1e9, 1)
        .field("messages_per_second", s.rate(), 1)
        .field("bytes", s.bytes)
        .end_object();
  w.end_array();
}

/// All that is played lies in memory before anything is measured.
result<std::vector<venue_stream>>
make_streams(const bench_ingest_options& options,
             const std::vector<const venue_description*>& venues) {
  std::vector<venue_stream> out;
  const auto played = (options.seconds + options.warm_up) * std::max(options.speed, 0.001);
  const auto length = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>{played})
                      + spare_market_time;
  for (const auto* venue : venues) {
    auto stream = make_stream(*venue, recordings_folder(options), length, options.seed,
                              options.busy ? 1 : activity_of(*venue, options.seed));
    if (!stream) return std::move(stream).error();
    out.push_back(std::move(*stream));
  }
  return out;
}

/// All ways that are wanted. Sockets that can't carry the load end in `failure`: the other figures
/// stand.
result<std::vector<ingest_figures>> run_ways(const bench_ingest_options& options,
                                             std::vector<venue_stream>& streams,
                                             std::string& failure) {
  auto venues = venues_of(options);
  if (!venues) return std::move(venues).error();
  std::vector<ingest_figures> out;
  if (wants(options, "core") || wants(options, "actors")) {
    auto made = make_streams(options, *venues);
    if (!made) return std::move(made).error();
    streams = std::move(*made);
  }
  if (wants(options, "core")) out.push_back(ingest_cores(options, streams));
  if (wants(options, "actors")) out.push_back(ingest_actors(options, streams));
  if (!wants(options, "sockets")) return out;
  auto figures = ingest_sockets(options, *venues);
  if (figures)
    out.push_back(std::move(*figures));
  else
    failure = figures.error().message();
  return out;
}

} // namespace

int bench_ingest(const bench_ingest_options& options, std::ostream& out, std::ostream& err) {
  log::set_least(log::severity::error); // hundreds of books begin
  std::vector<venue_stream> streams;
  std::string failure;
  const auto all = run_ways(options, streams, failure);
  if (!all) {
    err << "troupe: bench ingest: " << all.error().message() << '\n';
    return 1;
  }
  const auto cores = std::thread::hardware_concurrency();
  if (options.json) {
    json_writer w;
    w.begin_object()
        .field("bench", "ingest")
        .field("instruments_per_venue", options.instruments)
        .field("cores", cores);
    write_streams(w, streams);
    w.key("ways").begin_array();
    for (const auto& figures : *all)
      write(w, figures);
    w.end_array().end_object();
    out << w.text() << '\n';
  } else {
    out << options.instruments << " instruments a venue on " << cores << " cores\n";
    if (!streams.empty()) print_streams(out, streams);
    for (const auto& figures : *all)
      print(out, figures);
  }
  if (!failure.empty()) {
    err << "troupe: bench ingest: sockets: " << failure << '\n';
    return 1;
  }
  for (const auto& figures : *all)
    if (!figures.sound()) {
      err << "troupe: bench ingest: " << figures.way
          << ": not every feed published what it was sent\n";
      return 1;
    }
  return 0;
}

} // namespace troupe
