#include "actors/connectors/binance/codec.hpp"
#include "messages/tensor.hpp"
#include "tools/feed_verify/feed_verify.hpp"
#include "tools/feed_verify/recorded_frames.hpp"

#include <memory>

namespace troupe {
namespace {

using path = std::filesystem::path;

constexpr std::size_t most_waiting_bytes = 256 << 20; // frames kept while no image has told the scales

/// Counts what a feed tells.
class collector final : public feed_listener {
public:
  explicit collector(feed_figures& out) : out_{out} {}
  void on_bar(const bar& b) override {
    if (b.interval == std::chrono::minutes{1}) out_.minutes[b.open_time.ns / 1'000'000] = b;
  }
  void on_feature_frame(feature_frame&& frame) override {
    ++out_.feature_frames;
    out_.feature_hash = out_.feature_hash * 0x100000001b3ULL ^ frame.features.checksum;
  }

private:
  feed_figures& out_;
};

struct kept {
  recorded_frame frame; ///< but for its text
  std::string text;

  [[nodiscard]] recorded_frame whole() const {
    auto out = frame;
    out.text = text;
    return out;
  }
};

kept keep(const recorded_frame& frame) {
  kept out{frame, std::string{frame.text}};
  out.frame.symbol = {};
  return out;
}

error bad_input(const std::string& text) { return {std::make_error_code(std::errc::invalid_argument), text}; }

std::string names_of(const std::vector<path>& files) {
  std::string out;
  for (const auto& file : files) out += (out.empty() ? "" : ", ") + file.string();
  return out;
}

bool is_image(std::string_view text) { return text.starts_with(R"({"lastUpdateId":)"); }

/// The symbol a frame speaks of, upper case.
std::string symbol_of(const recorded_frame& frame, binance::decoder& peek) {
  if (!frame.symbol.empty()) return std::string{frame.symbol};
  const auto stream = binance::stream_of(frame.text);
  if (!stream.empty()) return binance::symbol_of_stream(stream);
  return std::string{peek.decode(frame.text).symbol};
}

/// One instrument: waits for the image to learn scales, then replays.
class replay {
public:
  replay(std::string symbol, bool line_order) : line_order_{line_order} {
    figures_.symbol = std::move(symbol);
  }

  void take(const recorded_frame& frame) {
    if (is_image(frame.text) && !core_) begin(frame.text);
    if (frame.text.find(R"("pu":)") < 256) figures_.rule = "futures";
    if (core_) return pass(frame);
    waiting_bytes_ += frame.text.size();
    waiting_.push_back(keep(frame));
    if (waiting_bytes_ > most_waiting_bytes) begin({});
  }

  feed_figures finish() {
    if (!core_) begin({});
    core_->finish();
    auto& f = figures_;
    f.report = core_->report();
    f.agreement = core_->agreement();
    f.first_trade = core_->trades().first();
    f.last_trade = core_->trades().last();
    f.missing_trades = core_->trades().missing();
    f.volume = core_->volume();
    f.top20_crc32 = core_->book().top_checksum(f.price_scale, f.size_scale);
    if (line_order_) judge_line_order();
    return std::move(f);
  }

private:
  void begin(std::string_view image) {
    if (auto scales = binance::scales_of_image(image); scales) {
      figures_.price_scale = scales->price_scale;
      figures_.size_scale = scales->size_scale;
      figures_.tick = scales->tick;
    } else {
      figures_.price_scale = figures_.size_scale = 8;
      figures_.tick = {1};
    }
    if (figures_.rule.empty())
      for (const auto& w : waiting_)
        if (w.text.find(R"("pu":)") < 256) figures_.rule = "futures";
    // Without a change before the image its own time field tells: only futures images carry one.
    if (figures_.rule.empty())
      figures_.rule = image.substr(0, 48).find(R"("E":)") == std::string_view::npos ? "spot" : "futures";
    feed_core_options options;
    options.spec.id.text = figures_.symbol;
    options.spec.venue_symbol = figures_.symbol;
    options.spec.price_scale = static_cast<std::uint8_t>(figures_.price_scale);
    options.spec.size_scale = static_cast<std::uint8_t>(figures_.size_scale);
    options.spec.tick = figures_.tick;
    options.rules.rule = figures_.rule == "futures" ? sequence_rule::futures : sequence_rule::spot;
    const binance::decoder_options scales{figures_.price_scale, figures_.size_scale};
    core_ = std::make_unique<feed_core>(options, std::make_unique<binance::decoder>(scales), collector_);
    reader_ = std::make_unique<binance::decoder>(scales);
    naive_ = std::make_unique<order_book>(book_options{figures_.tick});
    for (const auto& w : waiting_) pass(w.whole());
    waiting_.clear();
  }

  void pass(const recorded_frame& frame) {
    const auto& event = reader_->decode(frame.text);
    if (event.kind == event_kind::best) ++figures_.best_frames;
    if (line_order_) {
      naive_step(event);
      // The wrong way loses what stands in front of the image.
      if (event.kind == event_kind::depth && !naive_loaded_) return;
    }
    core_->on_frame(frame.received, frame.text);
    note_trouble(frame);
  }

  /// Where each kind of trouble was noticed first.
  void note_trouble(const recorded_frame& frame) {
    const auto first = [&](std::string& place, std::uint64_t count) {
      if (count > 0 && place.empty()) place = place_of(frame);
    };
    const auto& counts = core_->machine().counts();
    first(figures_.first_damaged, core_->damaged().total());
    first(figures_.first_gap, counts.gaps);
    first(figures_.first_crossed, counts.crossed);
    first(figures_.first_hole, core_->trades().holes());
  }

  /// What a program does that takes a recording line by line and doesn't check the sequence.
  void naive_step(const market_event& event) {
    if (event.kind == event_kind::image && !naive_loaded_) {
      naive_->load(event.image.bids, event.image.asks);
      naive_last_ = event.image.last;
      naive_loaded_ = true;
    } else if (event.kind == event_kind::depth && naive_loaded_ && event.depth.last > naive_last_) {
      naive_->apply(side::buy, event.depth.bids);
      naive_->apply(side::sell, event.depth.asks);
    }
  }

  void judge_line_order() {
    auto& f = figures_;
    if (naive_->crossed())
      f.fault = "book ends crossed, bid " + format_decimal_short(naive_->bid().at.raw, f.price_scale)
                + " over ask " + format_decimal_short(naive_->ask().at.raw, f.price_scale) + "; ";
    if (f.report.gaps > 0) f.fault += "the sequence shows " + std::to_string(f.report.gaps) + " gap(s); ";
    if (f.report.diffs_applied == 0 || f.report.validity != book_validity::valid)
      f.fault += "no valid book at the end; ";
    if (!f.fault.empty()) f.fault = "line order: " + f.fault.substr(0, f.fault.size() - 2);
  }

  bool line_order_;
  feed_figures figures_;
  collector collector_{figures_};
  std::unique_ptr<feed_core> core_;
  std::unique_ptr<binance::decoder> reader_;
  std::unique_ptr<order_book> naive_;
  std::uint64_t naive_last_ = 0;
  bool naive_loaded_ = false;
  std::vector<kept> waiting_;
  std::size_t waiting_bytes_ = 0;
};

result<std::vector<feed_figures>> replay_all(const std::vector<path>& inputs, bool line_order,
                                             std::vector<std::string>* unfinished) {
  std::map<std::string, std::unique_ptr<replay>> replays;
  std::vector<kept> homeless; // images that name no symbol, before any symbol was seen
  binance::decoder peek;
  const auto of = [&](const std::string& symbol) -> replay& {
    auto& found = replays[symbol];
    if (!found) found = std::make_unique<replay>(symbol, line_order);
    return *found;
  };
  std::uint64_t frames = 0;
  auto done = read_recordings(inputs, [&](const recorded_frame& frame) -> status {
    ++frames;
    auto symbol = symbol_of(frame, peek);
    if (!symbol.empty()) {
      auto& mine = of(symbol);
      for (const auto& h : homeless) mine.take(h.whole());
      homeless.clear();
      mine.take(frame);
      return ok;
    }
    if (!is_image(frame.text)) {
      // Answers to commands and the like are passed over; a frame that was cut off may not even say whose it is.
      if (peek.decode(frame.text).damage == frame_damage::not_json && !replays.empty())
        replays.begin()->second->take(frame);
      return ok;
    }
    if (replays.size() == 1) replays.begin()->second->take(frame);
    else if (replays.empty() && homeless.size() < 4)
      homeless.push_back(keep(frame));
    else
      return bad_input(place_of(frame)
                       + ": a book image without a symbol, but the recording has several instruments; write REST "
                         "replies as `URL -> time: body`, or record each instrument into files of its own");
    return ok;
  }, unfinished);
  if (!done) return std::move(done).error();
  if (frames == 0 || replays.empty())
    return bad_input(names_of(inputs) + ": none of its " + std::to_string(frames)
                     + " frames is a market-data frame that feed verify knows; is it the recording of a stream?");
  std::vector<feed_figures> out;
  for (auto& [symbol, one] : replays) out.push_back(one->finish());
  return out;
}

} // namespace

result<std::vector<feed_figures>> feed_figures_of(const std::vector<path>& inputs,
                                                  std::vector<std::string>* unfinished) {
  return replay_all(inputs, false, unfinished);
}

result<std::vector<feed_figures>> line_order_figures_of(const std::vector<path>& inputs,
                                                        std::vector<std::string>* unfinished) {
  return replay_all(inputs, true, unfinished);
}

} // namespace troupe
