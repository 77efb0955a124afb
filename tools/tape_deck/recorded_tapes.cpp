#include "tools/tape_deck/recorded_tapes.hpp"

#include "storage/tape/tape_reader.hpp"
#include "tools/tape_deck/tape_file_series.hpp"

#include <memory>

namespace troupe {
namespace {

using path = std::filesystem::path;

/// Counts what a recorded feed tells.
class recorded_listener final : public feed_listener {
public:
  explicit recorded_listener(feed_figures& out) : out_{out} {}
  void on_bar(const bar& b) override {
    if (b.interval == std::chrono::minutes{1}) out_.minutes[b.open_time.ns / 1'000'000] = b;
  }
  void on_feature_frame(feature_frame&&) override { ++out_.feature_frames; }

private:
  feed_figures& out_;
};

/// One instrument of a recording.
struct recorded_instrument {
  recorded_instrument(const venue_description& venue, const instrument_spec& spec, const std::string& channel) {
    figures.symbol = spec.id.text;
    figures.rule = name_of(venue.rules_of(channel).family);
    figures.price_scale = spec.price_scale;
    figures.size_scale = spec.size_scale;
    figures.tick = spec.tick;
    feed_core_options options;
    options.spec = spec;
    options.rules = venue.rules_of(channel);
    core = std::make_unique<feed_core>(options, venue.decoder(spec), listener);
    reader = venue.decoder(spec);
  }
  recorded_instrument(const recorded_instrument&) = delete;
  recorded_instrument& operator=(const recorded_instrument&) = delete;

  void take(const tape_record& record, const path& file, std::uint64_t number) {
    if (reader->decode(record.payload).kind == event_kind::best) ++figures.best_frames;
    core->on_frame(record.received, record.payload);
    const auto first = [&](std::string& place, std::uint64_t count) {
      if (count > 0 && place.empty()) place = file.string() + ":frame " + std::to_string(number);
    };
    const auto& counts = core->machine().counts();
    first(figures.first_damaged, core->damaged().total());
    first(figures.first_gap, counts.gaps);
    first(figures.first_crossed, counts.crossed);
    first(figures.first_hole, core->trades().holes());
  }

  feed_figures finish() {
    core->finish();
    figures.report = core->report();
    figures.agreement = core->agreement();
    figures.first_trade = core->trades().first();
    figures.last_trade = core->trades().last();
    figures.missing_trades = core->trades().missing();
    figures.volume = core->volume();
    figures.top20_crc32 = core->book().top_checksum(figures.price_scale, figures.size_scale);
    return std::move(figures);
  }

  feed_figures figures;
  recorded_listener listener{figures};
  std::unique_ptr<feed_core> core;
  std::unique_ptr<frame_decoder> reader;
};

using instruments = std::map<std::string, std::unique_ptr<recorded_instrument>>;

result<tape_reader> open_part(const path& file, std::vector<std::string>* unfinished) {
  auto whole = tape_reader::open(real_disk(), file);
  if (whole || unfinished == nullptr) return whole;
  auto part = tape_reader::open(real_disk(), file, {.allow_unfinished = true});
  if (part) unfinished->push_back(file.string() + ": the tape was never finished: only its first "
                                  + std::to_string(part->info().records) + " frames are here");
  return part;
}

status read_one(const path& file, instruments& all, std::vector<std::string>* unfinished) {
  auto tape = open_part(file, unfinished);
  if (!tape) return std::move(tape).error();
  const auto facts = facts_of(tape->info().head);
  if (!facts)
    return error{std::make_error_code(std::errc::invalid_argument),
                 file.string() + ": not a recording of `troupe tape record`; verify it by itself"};
  const auto& venue = *find_venue(tape->info().head.venue);
  for (const auto& spec : facts->instruments)
    if (auto& one = all[spec.id.text]; !one)
      one = std::make_unique<recorded_instrument>(venue, spec, facts->book_channel);
  tape_record record;
  for (std::uint64_t number = 1;; ++number) {
    const auto more = tape->next(record);
    if (!more) return more.error();
    if (!*more) return ok;
    const auto* channel = tape->channel(record.channel);
    const auto at = channel == nullptr ? all.end() : all.find(channel->name);
    if (at != all.end()) at->second->take(record, file, number);
  }
}

} // namespace

bool is_own_recording(const path& file) {
  const auto tape = tape_reader::open(real_disk(), file, {.allow_unfinished = true});
  return tape && facts_of(tape->info().head).has_value();
}

result<std::vector<feed_figures>> own_recording_figures(const std::vector<path>& files,
                                                        std::vector<std::string>* unfinished) {
  instruments all;
  for (const auto& file : files)
    if (auto done = read_one(file, all, unfinished); !done) return std::move(done).error();
  std::vector<feed_figures> out;
  for (auto& [id, one] : all) out.push_back(one->finish());
  return out;
}

} // namespace troupe
