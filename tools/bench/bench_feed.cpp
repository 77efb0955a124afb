#include "tools/bench/bench_feed.hpp"

#include "actors/connectors/binance/codec.hpp"
#include "messages/json.hpp"
#include "tools/bench/feed_ways.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <random>

namespace troupe {
namespace {

using namespace bench;
using path = std::filesystem::path;
using clock = std::chrono::steady_clock;

std::int64_t now_ns() {
  return std::chrono::duration_cast<nanoseconds>(clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::int64_t percentile(std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[std::min(place, sorted.size() - 1)];
}

/// Figures of one way over all runs.
struct measured {
  std::string name;
  std::function<std::unique_ptr<way>()> make;
  std::vector<double> total_ns;
  std::vector<double> p50, p99, p999; // of depth messages, one a run
  end_state end;
  std::uint64_t sink = 0;
};

/// Whole stream, clock read twice in all.
void run_total(measured& m, const frame_buffer& in) {
  auto w = m.make();
  const auto from = now_ns();
  for (const auto& f : in.frames()) w->take(in, f);
  m.total_ns.push_back(static_cast<double>(now_ns() - from));
  m.end = w->end();
  m.sink += w->sink();
}

/// The same with each depth message timed by itself (about 20 ns of clock in each).
void run_each(measured& m, const frame_buffer& in) {
  auto w = m.make();
  std::vector<std::int64_t> times;
  times.reserve(in.frames().size());
  for (const auto& f : in.frames()) {
    if (!f.depth) {
      w->take(in, f);
      continue;
    }
    const auto from = now_ns();
    w->take(in, f);
    times.push_back(now_ns() - from);
  }
  m.sink += w->sink();
  std::sort(times.begin(), times.end());
  m.p50.push_back(static_cast<double>(percentile(times, 0.50)));
  m.p99.push_back(static_cast<double>(percentile(times, 0.99)));
  m.p999.push_back(static_cast<double>(percentile(times, 0.999)));
}

struct stream_result {
  std::string name;
  std::size_t frames = 0;
  std::size_t bytes = 0;
  std::uint64_t levels = 0;
  std::vector<measured> ways;
  bool agree = true;
};

/// Median of the ratios run by run: both ways of a ratio saw the same load of the machine.
double ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> out;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) out.push_back(a[i] / b[i]);
  return median(std::move(out));
}

stream_result measure_stream(std::string name, const frame_buffer& in, const stream_facts& facts,
                             std::uint64_t levels, unsigned runs) {
  stream_result out;
  out.name = std::move(name);
  out.frames = in.frames().size();
  out.bytes = in.payload_bytes();
  out.levels = levels;
  const auto add = [&](std::string way_name, std::function<std::unique_ptr<way>()> make) {
    measured m;
    m.name = std::move(way_name);
    m.make = std::move(make);
    out.ways.push_back(std::move(m));
  };
  add("parse_only", [] { return make_parse_only(); });
  add("token_walk", [] { return make_token_walk(); });
  add("map_book", [&] { return make_map_book(facts); });
  add("book", [&] { return make_book(facts); });
  add("feed", [&] { return make_feed(facts); });
  for (unsigned run = 0; run < runs; ++run)
    for (std::size_t i = 0; i < out.ways.size(); ++i) {
      // Each run starts with another way, so that none always has the warm cache.
      auto& m = out.ways[(i + run) % out.ways.size()];
      run_total(m, in);
      run_each(m, in);
    }
  out.agree = out.ways[2].end == out.ways[3].end && out.ways[3].end == out.ways[4].end
              && out.ways[3].end.sequence != 0;
  return out;
}

// --- depth sweep ---------------------------------------------------------------------------------

/// A generated stream (marked so in the output) over a book of `depth` levels a side: messages of 20 levels
/// at random places, so that only the size of the book differs.
frame_buffer generated_stream(std::size_t depth, std::size_t messages, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  frame_buffer out;
  constexpr std::int64_t touch = 600'000;
  const auto row = [&](bool bid, bool may_delete) {
    const auto distance = 1 + 2 * static_cast<std::int64_t>(random() % depth);
    const auto at = bid ? touch - distance : touch + distance;
    const auto size = may_delete && random() % 4 == 0 ? 0 : 1 + random() % 9999;
    return "[\"" + format_decimal(at, 1) + "\",\"" + format_decimal(static_cast<std::int64_t>(size), 3)
           + "\"]";
  };
  const auto rows = [&](bool bid, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += (i ? "," : "") + row(bid, true);
    return text;
  };
  const auto all = [&](bool bid) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) {
      const auto distance = 1 + 2 * static_cast<std::int64_t>(i);
      text += (i ? "," : "");
      text += "[\"" + format_decimal(bid ? touch - distance : touch + distance, 1) + "\",\"1.500\"]";
    }
    return text;
  };
  out.add({}, R"({"lastUpdateId":10,"E":1723161256501,"T":1723161256493,"bids":[)" + all(true)
                  + R"(],"asks":[)" + all(false) + "]}");
  for (std::size_t i = 0; i < messages; ++i) {
    const auto u = 11 + i;
    out.add(
        {},
        R"({"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":)"
            + std::to_string(u) + R"(,"u":)" + std::to_string(u) + R"(,"pu":)" + std::to_string(u - 1)
            + R"(,"b":[)" + rows(true, 10) + R"(],"a":[)" + rows(false, 10) + "]}}");
  }
  out.pad();
  return out;
}

struct sweep_point {
  std::size_t depth = 0;
  double ours_ns = 0; // per level
  double map_ns = 0;
};

std::vector<sweep_point> depth_sweep(unsigned runs) {
  constexpr std::size_t messages = 5000;
  constexpr double levels = 20.0 * messages;
  const stream_facts facts{1, 3, {1}, sequence_rule::futures};
  std::vector<std::size_t> depths{10, 50, 100, 500, 1000, 2000, 5000};
  std::vector<frame_buffer> streams;
  for (const auto d : depths) streams.push_back(generated_stream(d, messages, 7));
  std::vector<std::vector<double>> ours(depths.size());
  std::vector<std::vector<double>> maps(depths.size());
  for (unsigned run = 0; run < runs; ++run)
    for (std::size_t i = 0; i < depths.size(); ++i) {
      const auto& in = streams[i];
      const auto timed = [&](std::unique_ptr<way> w) {
        w->take(in, in.frames()[0]); // the image is not part of the figure
        const auto from = now_ns();
        for (std::size_t f = 1; f < in.frames().size(); ++f) w->take(in, in.frames()[f]);
        return static_cast<double>(now_ns() - from) / levels;
      };
      ours[i].push_back(timed(make_book(facts)));
      maps[i].push_back(timed(make_map_book(facts)));
    }
  std::vector<sweep_point> out;
  for (std::size_t i = 0; i < depths.size(); ++i)
    out.push_back({depths[i], median(ours[i]), median(maps[i])});
  return out;
}

double flatness(const std::vector<sweep_point>& sweep) {
  double least = 1e9;
  double most = 0;
  for (const auto& p : sweep) {
    least = std::min(least, p.ours_ns);
    most = std::max(most, p.ours_ns);
  }
  return least > 0 ? most / least : 0;
}

// --- output --------------------------------------------------------------------------------------

void print_stream(std::ostream& out, const stream_result& r) {
  char line[200];
  std::snprintf(line, sizeof line, "%s: %zu frames, %.1f MB, %llu levels in depth messages\n", r.name.c_str(),
                r.frames, static_cast<double>(r.bytes) / 1e6, static_cast<unsigned long long>(r.levels));
  out << line;
  std::snprintf(line, sizeof line, "  %-11s %9s %9s %9s %8s %9s %9s %9s %8s\n", "way", "ns/frame", "ns/level",
                "Mframes/s", "x parse", "p50 ns", "p99 ns", "p99.9 ns", "x parse");
  out << line;
  const auto& parse = r.ways[0];
  for (const auto& m : r.ways) {
    const auto total = median(m.total_ns);
    std::snprintf(line, sizeof line, "  %-11s %9.1f %9.1f %9.2f %8.2f %9.0f %9.0f %9.0f %8.2f\n",
                  m.name.c_str(), total / static_cast<double>(r.frames),
                  total / static_cast<double>(r.levels), static_cast<double>(r.frames) * 1e3 / total,
                  ratio(m.total_ns, parse.total_ns), median(m.p50), median(m.p99), median(m.p999),
                  ratio(m.p999, parse.p999));
    out << line;
  }
}

void write_stream(json_writer& w, const stream_result& r) {
  w.begin_object()
      .field("stream", r.name)
      .field("frames", r.frames)
      .field("bytes", r.bytes)
      .field("levels", r.levels);
  w.field("books_agree", r.agree).key("ways").begin_array();
  const auto& parse = r.ways[0];
  for (const auto& m : r.ways) {
    const auto total = median(m.total_ns);
    w.begin_object().field("way", m.name).field("total_ns", total, 0);
    w.field("ns_per_frame", total / static_cast<double>(r.frames), 2);
    w.field("ns_per_level", total / static_cast<double>(r.levels), 2);
    w.field("times_parse_only", ratio(m.total_ns, parse.total_ns), 3);
    w.field("p50_ns", median(m.p50), 0).field("p99_ns", median(m.p99), 0).field("p999_ns", median(m.p999), 0);
    w.field("p999_times_parse_only", ratio(m.p999, parse.p999), 3).end_object();
  }
  w.end_array().end_object();
}

path data_folder(const bench_feed_options& options) {
  if (!options.data.empty()) return options.data;
  if (const char* named = std::getenv("TROUPE_DATA"); named != nullptr && *named != '\0') return named;
  return path{".."} / "shared" / "data";
}

struct source {
  std::string name;
  std::string file;
  sequence_rule rule;
};

/// Levels within the changes of a recording.
std::uint64_t count_levels(const frame_buffer& in, const stream_facts& facts) {
  binance::decoder decoder{{facts.price_scale, facts.size_scale}};
  std::uint64_t out = 0;
  for (const auto& f : in.frames()) {
    const auto& event = decoder.decode(in.text(f));
    if (event.kind == event_kind::depth) out += event.depth.bids.size() + event.depth.asks.size();
  }
  return out;
}

result<stream_result> measure_source(const source& s, const path& folder, unsigned runs) {
  const auto file = folder / "venues" / "nkaz001+hftbacktest" / "examples" / s.file;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return error{std::make_error_code(std::errc::no_such_file_or_directory),
                 "no recording " + file.string() + "; set TROUPE_DATA to the folder of recordings"};
  auto in = frame_buffer::load({file});
  if (!in) return std::move(in).error();
  const auto scales = binance::scales_of_image(in->image());
  if (!scales) return scales.error();
  const stream_facts facts{scales->price_scale, scales->size_scale, scales->tick, s.rule};
  return measure_stream(s.name, *in, facts, count_levels(*in, facts), runs);
}

} // namespace

int bench_feed(const bench_feed_options& options, std::ostream& out, std::ostream& err) {
  const auto folder = data_folder(options);
  const auto runs = std::max(options.runs, 1U);
  std::vector<stream_result> results;
  for (const auto& s :
       {source{"binance-usdm BTCUSDT depth@0ms", "usdm/btcusdt_20240808.gz", sequence_rule::futures},
        source{"binance BTCUSDT depth@100ms", "spot/btcusdt_20240808.gz", sequence_rule::spot}}) {
    auto measured = measure_source(s, folder, runs);
    if (!measured) {
      err << "troupe: bench feed: " << measured.error().message() << '\n';
      return 1;
    }
    results.push_back(std::move(*measured));
  }
  const auto sweep = options.depth_sweep ? depth_sweep(runs) : std::vector<sweep_point>{};
  if (options.json) {
    json_writer w;
    w.begin_object().field("bench", "feed").field("runs", runs).key("streams").begin_array();
    for (const auto& r : results) write_stream(w, r);
    w.end_array().key("depth_sweep").begin_array();
    for (const auto& p : sweep)
      w.begin_object()
          .field("levels", p.depth)
          .field("ns_per_level", p.ours_ns, 2)
          .field("map_ns_per_level", p.map_ns, 2)
          .end_object();
    w.end_array()
        .field("depth_sweep_source", "GENERATED")
        .field("depth_sweep_flatness", flatness(sweep), 3)
        .end_object();
    out << w.text() << '\n';
  } else {
    out << "median of " << runs << " alternating runs\n";
    for (const auto& r : results) print_stream(out, r);
    if (!sweep.empty()) out << "book depth (GENERATED stream): ns per level, ours / std::map\n";
    char line[100];
    for (const auto& p : sweep) {
      std::snprintf(line, sizeof line, "  %5zu levels a side  %7.1f / %7.1f\n", p.depth, p.ours_ns, p.map_ns);
      out << line;
    }
    if (!sweep.empty()) {
      std::snprintf(line, sizeof line, "  most / least: %.2f\n", flatness(sweep));
      out << line;
    }
  }
  bool agree = true;
  for (const auto& r : results) agree = agree && r.agree;
  if (!agree) err << "troupe: bench feed: the ways end with different books: the figures mean nothing\n";
  return agree ? 0 : 1;
}

} // namespace troupe
