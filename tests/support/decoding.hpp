#pragma once

/// What the tests of all decoders and protocols do: decode whole frames, feed a book, damage texts.

#include "actors/connectors/venue.hpp"
#include "actors/feeds/book_machine.hpp"

#include <random>
#include <string>
#include <vector>

namespace troupe::test {

/// An instrument of a venue's spelling, with room for any recorded number.
inline instrument_spec spec_of(std::string symbol, contract_kind kind = contract_kind::spot,
                               int price_scale = 8, int size_scale = 8) {
  instrument_spec out;
  out.id = {symbol + "@test"};
  out.venue_symbol = std::move(symbol);
  out.kind = kind;
  out.price_scale = static_cast<std::uint8_t>(price_scale);
  out.size_scale = static_cast<std::uint8_t>(size_scale);
  out.tick = {1};
  out.lot = {1};
  return out;
}

/// All events of one frame; their views die with the decoder's next frame.
inline std::vector<market_event> events_of(frame_decoder& decoder, std::string_view frame) {
  std::vector<market_event> out;
  for (const auto* e = &decoder.decode(frame); e != nullptr; e = decoder.next())
    out.push_back(*e);
  return out;
}

/// What the books of a recording did together.
struct book_tally {
  std::uint64_t frames = 0;  ///< frames with a book event
  std::uint64_t damaged = 0; ///< frames that could not be decoded
  std::uint64_t trades = 0;
  std::uint64_t bests = 0;
};

/// Feeds one frame's events to a machine.
inline void feed_frame(frame_decoder& decoder, book_machine& machine, std::string_view frame,
                       book_tally& tally) {
  bool book = false;
  for (const auto* e = &decoder.decode(frame); e != nullptr; e = decoder.next()) {
    if (e->kind == event_kind::damaged) ++tally.damaged;
    if (e->kind == event_kind::trade) ++tally.trades;
    if (e->kind == event_kind::best) ++tally.bests;
    if (e->kind == event_kind::image) machine.on_image(e->image), book = true;
    if (e->kind == event_kind::depth) machine.on_depth(e->depth), book = true;
  }
  if (book) ++tally.frames;
}

/// A machine for an instrument of `spec_of`.
inline std::unique_ptr<book_machine> machine_of(const book_rules& rules,
                                                const instrument_spec& spec, price tick = {1}) {
  return make_book_machine(rules, {tick, 4096}, {spec.price_scale, spec.size_scale});
}

/// Changes a text in one of the ways that wires and bugs do.
inline void mutate(std::string& text, std::mt19937_64& random) {
  static constexpr std::string_view spice = "0123456789\".,:[]{}eE+-truefalsnxu\\ \x00\x7f\xff\n";
  if (text.empty()) text = "{}";
  const auto place = [&] { return static_cast<std::size_t>(random() % text.size()); };
  switch (random() % 7) {
  case 0:
    text[place()] = static_cast<char>(random());
    break;
  case 1:
    text[place()] = spice[random() % spice.size()];
    break;
  case 2:
    text.erase(place(), 1 + random() % 4);
    break;
  case 3:
    text.insert(place(), 1, spice[random() % spice.size()]);
    break;
  case 4:
    text.resize(place());
    break;
  case 5: {
    const auto piece = text.substr(place(), 1 + random() % 24);
    text.insert(place(), piece);
    break;
  }
  default: {
    const auto at = text.find_first_of("0123456789", place());
    if (at != std::string::npos)
      text.insert(at, 1 + random() % 24, static_cast<char>('0' + random() % 10));
  }
  }
}

/// Decodes and takes `frame`, mutated over and over; returns how many frames broke a promise: a
/// frame that is neither damaged nor made of good events, or a price or size that is negative.
inline std::uint64_t broken_promises(frame_decoder& decoder, market_protocol& protocol,
                                     const std::vector<std::string>& frames,
                                     std::mt19937_64& random, int rounds) {
  std::uint64_t broken = 0;
  for (int i = 0; i < rounds; ++i) {
    auto text = frames[random() % frames.size()];
    for (auto n = 1 + random() % 3; n > 0; --n)
      mutate(text, random);
    protocol.take(text);
    const auto events = events_of(decoder, text);
    if (events.empty()) ++broken;
    for (const auto& e : events) {
      if (e.kind == event_kind::damaged && (events.size() != 1 || e.damage == frame_damage::none))
        ++broken;
      if (e.kind == event_kind::trade && (e.trade.at_price.raw < 0 || e.trade.quantity.raw < 0))
        ++broken;
      for (const auto& l : e.depth.bids)
        broken += l.at.raw < 0 || l.quantity.raw < 0;
      for (const auto& l : e.image.asks)
        broken += l.at.raw < 0 || l.quantity.raw < 0;
    }
  }
  return broken;
}

/// The decoder reads each frame, cut at any place, as damaged.
inline std::uint64_t cuts_not_damaged(frame_decoder& decoder, std::string_view frame) {
  std::uint64_t out = 0;
  for (std::size_t at = 0; at < frame.size(); ++at)
    out += decoder.decode(frame.substr(0, at)).kind != event_kind::damaged;
  return out;
}

} // namespace troupe::test
