#pragma once

/// Any bytes as frames of a venue whose images come in band: never a crash, a frame is whole or
/// damaged, a book is never valid and crossed, and the protocol survives the same bytes. The input
/// is frames separated by newlines; the first byte of a line that is '!' begins a new connection.

#include "actors/connectors/venue.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe::test {

[[noreturn]] inline void fuzz_found(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// One decoder with its book.
class fuzzed_feed {
public:
  fuzzed_feed(std::unique_ptr<frame_decoder> decoder, const book_rules& rules)
      : decoder_{std::move(decoder)}, machine_{make_book_machine(
                                          rules, {.tick = {1}, .window_ticks = 256}, {2, 4})} {}

  void take(std::string_view frame) {
    std::size_t events = 0;
    for (const auto* e = &decoder_->decode(frame); e != nullptr; e = decoder_->next()) {
      if (++events > 1 && e->kind == event_kind::damaged) fuzz_found("damage behind a good event");
      check_levels(e->depth.bids), check_levels(e->depth.asks);
      check_levels(e->image.bids), check_levels(e->image.asks);
      if (e->kind == event_kind::image) machine_->on_image(e->image);
      if (e->kind == event_kind::depth) machine_->on_depth(e->depth);
      if (machine_->valid() && machine_->book().crossed()) fuzz_found("a crossed book is valid");
    }
  }

  void reset() { machine_->reset(); }

private:
  static void check_levels(std::span<const level> levels) {
    for (const auto& l : levels)
      if (l.at.raw < 0 || l.quantity.raw < 0) fuzz_found("a negative price or size");
  }

  std::unique_ptr<frame_decoder> decoder_;
  std::unique_ptr<book_machine> machine_;
};

/// Feeds the lines to a protocol and to decoders, and the whole to the readers of REST.
inline void fuzz_venue(const venue_description& venue, const instrument_spec& spec,
                       std::span<fuzzed_feed> feeds, std::string_view input) {
  const auto protocol = venue.protocol();
  const auto plans = venue.plan({&spec, 1}, {.candles = true, .book_channel = {}});
  const auto connect = [&] {
    protocol->begin();
    for (const auto& plan : plans)
      protocol->subscribe(plan.topics);
    for (auto& feed : feeds)
      feed.reset();
  };
  connect();
  (void)venue.read_instruments(input, {1});
  (void)venue.read_candles(spec, std::chrono::minutes{1}, input);
  while (!input.empty()) {
    const auto line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    if (line.starts_with('!')) {
      connect();
      continue;
    }
    const auto& in = protocol->take(line);
    for (const auto symbol : in.symbols)
      if (symbol.size() > line.size() + spec.venue_symbol.size())
        fuzz_found("a symbol out of nowhere");
    for (auto& feed : feeds)
      feed.take(line);
  }
}

inline instrument_spec fuzzed_instrument(std::string_view symbol) {
  instrument_spec out;
  out.id.text = "A-B@fuzz";
  out.venue_symbol = symbol;
  out.price_scale = 2;
  out.size_scale = 4;
  out.tick = {1};
  out.lot = {1};
  return out;
}

} // namespace troupe::test
