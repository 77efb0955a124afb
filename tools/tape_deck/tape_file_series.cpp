#include "tools/tape_deck/tape_file_series.hpp"

#include "messages/json.hpp"

#include <simdjson.h>

#include <cstdio>
#include <ctime>

namespace troupe {
namespace {

constexpr std::string_view recorder_name = "troupe tape record";

/// "20261122T114500"
std::string compact_utc(market_time at) {
  const std::time_t seconds = at.ns / 1'000'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%S", &parts);
  return text;
}

} // namespace

std::string recording_remarks(const tape_series_options& options) {
  json_writer w;
  w.begin_object().field("book", options.book_channel).key("instruments").begin_array();
  for (const auto& spec : options.instruments)
    w.begin_object()
        .field("id", spec.id.text)
        .field("symbol", spec.venue_symbol)
        .field("kind", static_cast<int>(spec.kind))
        .field("price_scale", static_cast<int>(spec.price_scale))
        .field("size_scale", static_cast<int>(spec.size_scale))
        .field("tick", spec.tick.raw)
        .field("lot", spec.lot.raw)
        .end_object();
  w.end_array().end_object();
  return std::move(w).text();
}

std::optional<recording_facts> facts_of(const tape_head& head) {
  if (head.source != recorder_name || find_venue(head.venue) == nullptr) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array list;
  if (parser.parse(head.remarks).get(root) != simdjson::SUCCESS) return {};
  recording_facts out;
  std::string_view text;
  if (root["book"].get(text) == simdjson::SUCCESS) out.book_channel = text;
  if (root["instruments"].get(list) != simdjson::SUCCESS) return {};
  for (const auto each : list) {
    instrument_spec spec;
    std::string_view id, symbol;
    std::int64_t kind = 0, price_scale = 0, size_scale = 0;
    const bool whole = each["id"].get(id) == simdjson::SUCCESS && each["symbol"].get(symbol) == simdjson::SUCCESS
                       && each["kind"].get(kind) == simdjson::SUCCESS
                       && each["price_scale"].get(price_scale) == simdjson::SUCCESS
                       && each["size_scale"].get(size_scale) == simdjson::SUCCESS
                       && each["tick"].get(spec.tick.raw) == simdjson::SUCCESS
                       && each["lot"].get(spec.lot.raw) == simdjson::SUCCESS;
    const bool sane = price_scale >= 0 && price_scale <= 18 && size_scale >= 0 && size_scale <= 18 && kind >= 0
                      && kind <= static_cast<int>(contract_kind::inverse) && spec.tick.raw > 0;
    if (!whole || !sane) return {};
    spec.id.text = id;
    spec.venue_symbol = symbol;
    spec.kind = static_cast<contract_kind>(kind);
    spec.price_scale = static_cast<std::uint8_t>(price_scale);
    spec.size_scale = static_cast<std::uint8_t>(size_scale);
    out.instruments.push_back(std::move(spec));
  }
  return out;
}

tape_file_series::tape_file_series(tape_series_options options)
    : options_{std::move(options)}, channels_(2 * options_.instruments.size()) {
  const auto& venue = *find_venue(options_.venue);
  if (venue.rules_of(options_.book_channel).image_in_band) return;
  for (const auto& spec : options_.instruments) decoders_.push_back(venue.decoder(spec));
}

status tape_file_series::open(market_time at) {
  char number[16];
  std::snprintf(number, sizeof number, "-%04zu.ttape", files_.size() + 1);
  files_.push_back(options_.folder / (options_.venue + "-" + compact_utc(at) + number));
  tape_head head;
  head.venue = options_.venue;
  head.source = recorder_name;
  head.remarks = recording_remarks(options_);
  if (options_.instruments.size() == 1) head.instrument = options_.instruments.front().id.text;
  auto made = tape_writer::create(real_disk(), files_.back(), head);
  if (!made) return std::move(made).error();
  writer_.emplace(std::move(*made));
  channels_.assign(channels_.size(), {});
  opened_ = flushed_ = at;
  file_bytes_ = 0;
  return ok;
}

result<std::uint32_t> tape_file_series::channel_of(std::size_t instrument, bool rest) {
  auto& known = channels_[2 * instrument + (rest ? 1 : 0)];
  if (known) return *known;
  auto added = writer_->add_channel(options_.instruments[instrument].id.text,
                                    rest ? channel_kind::rest : channel_kind::socket);
  if (added) known = *added;
  return added;
}

status tape_file_series::append(const queued_frame& frame) {
  const auto at = std::max(frame.received, last_);
  if (at != frame.received) ++set_forward_;
  last_ = at;
  const bool full = writer_ && (file_bytes_ >= options_.file_bytes || at - opened_ >= options_.file_time);
  if (full)
    if (auto done = finish(); !done) return done;
  if (!writer_)
    if (auto opened = open(at); !opened) return opened;
  const bool rest = !decoders_.empty()
                    && decoders_[frame.instrument]->decode(frame.payload).kind == event_kind::image;
  const auto channel = channel_of(frame.instrument, rest);
  if (!channel) return channel.error();
  if (auto done = writer_->append(at, *channel, frame.payload); !done) return done;
  ++frames_;
  bytes_ += frame.payload.size();
  file_bytes_ += frame.payload.size();
  if (at - flushed_ < options_.flush_every) return ok;
  flushed_ = at;
  return writer_->flush();
}

status tape_file_series::finish() {
  if (!writer_) return ok;
  auto done = writer_->finish();
  writer_.reset();
  if (!done) return std::move(done).error();
  return ok;
}

} // namespace troupe
