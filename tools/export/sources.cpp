#include "actors/connectors/venue.hpp"
#include "actors/feeds/feed_core.hpp"
#include "storage/rocksdb_store.hpp"
#include "tools/export/export.hpp"
#include "tools/feed_verify/recorded_frames.hpp"

#include <algorithm>
#include <map>

namespace troupe {
namespace {

namespace fs = std::filesystem;

/// The folder of a store at or below a path.
result<fs::path> find_store(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / "CURRENT", ignored)) return folder;
  if (fs::exists(folder / "store" / "CURRENT", ignored)) return folder / "store";
  std::vector<fs::path> below;
  for (const auto& entry : fs::directory_iterator{folder, ignored})
    if (fs::exists(entry.path() / "store" / "CURRENT", ignored)) below.push_back(entry.path() / "store");
  std::sort(below.begin(), below.end());
  if (!below.empty()) return below.front();
  return {storage_errc::not_found,
          folder.string() + " holds no store; name the data folder of the nodes with --data"};
}

/// Collects what a feed tells of one recording.
class tape_listener final : public feed_listener {
public:
  /// What had opened before the tape began lacks trades.
  void on_bar(const bar& b) override {
    if (b.open_time >= began) bars[b.interval].push_back(b);
  }
  void on_feature_frame(feature_frame&& frame) override { frames.push_back(std::move(frame)); }

  market_time began;
  std::map<nanoseconds, std::vector<bar>> bars;
  std::vector<feature_frame> frames;
};

} // namespace

result<export_source> store_source(const fs::path& folder, const instrument_id& instrument) {
  const auto where = find_store(folder);
  if (!where) return where.error();
  auto opened = open_rocksdb_store({.directory = *where, .read_only = true});
  if (!opened) return std::move(opened).error();
  std::shared_ptr<store> open{std::move(*opened)};
  export_source out;
  out.name = "store " + where->string();
  out.bars = [open](const bar_range& what) { return read_bars(*open, what); };
  out.frames = [open, instrument](const std::function<void(const feature_frame&)>& take) {
    return frames_of_training(
        instrument, [&](const training_pull& what) { return open->pull(what); }, take);
  };
  return out;
}

result<export_source> tape_source(const fs::path& tape, const instrument_spec& spec) {
  const auto* venue = find_venue(spec.id.venue());
  if (venue == nullptr)
    return {storage_errc::not_found,
            "there is no venue '" + std::string{spec.id.venue()} + "'; `troupe venue list` names them"};
  auto heard = std::make_shared<tape_listener>();
  feed_core_options options;
  options.spec = spec;
  options.rules = venue->rules_of({});
  feed_core core{options, venue->decoder(spec), *heard};
  std::uint64_t frames = 0;
  auto done = read_recordings({tape}, [&](const recorded_frame& frame) -> status {
    if (!frame.symbol.empty() && frame.symbol != spec.venue_symbol) return ok;
    if (frames++ == 0) {
      heard->began = frame.received;
      core.on_session(1, true, frame.received);
    }
    core.on_frame(frame.received, frame.text);
    return ok;
  });
  if (!done) return std::move(done).error();
  // Open bars stay open: what the end of a tape cuts off is no whole bar.
  export_source out;
  out.name = "tape " + tape.filename().string();
  out.bars = [heard](const bar_range& what) -> result<bar_page> {
    bar_page page;
    const auto& all = heard->bars[what.interval];
    for (const auto& b : all) {
      if (b.open_time < what.from || b.open_time >= what.to) continue;
      page.more = page.bars.size() == what.limit;
      if (page.more) break;
      page.bars.push_back(b);
    }
    return page;
  };
  out.frames = [heard](const std::function<void(const feature_frame&)>& take) -> status {
    for (const auto& frame : heard->frames)
      take(frame);
    return ok;
  };
  return out;
}

} // namespace troupe
