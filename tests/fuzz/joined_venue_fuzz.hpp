#pragma once

/// What the fuzz targets of these codecs share: frames go through protocol, decoder and a book machine, bodies
/// through the readers of the REST interface. Aborts when a promise of `frame_decoder` is broken, or a valid book
/// is crossed.

#include "actors/connectors/venue.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe::fuzz {

[[noreturn]] inline void found(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

inline void check_levels(std::span<const level> levels) {
  for (const auto& l : levels)
    if (l.at.raw < 0 || l.quantity.raw < 0) found("a negative level");
}

/// Takes one event; `only` tells that the frame has no other.
inline void take_event(const market_event& e, bool only, book_machine& machine) {
  switch (e.kind) {
  case event_kind::damaged:
    if (e.damage == frame_damage::none || !only) found("damage without a reason, or beside good events");
    break;
  case event_kind::depth:
    check_levels(e.depth.bids);
    check_levels(e.depth.asks);
    if (e.depth.first > e.depth.last) found("a range upside down");
    machine.on_depth(e.depth);
    break;
  case event_kind::image:
    check_levels(e.image.bids);
    check_levels(e.image.asks);
    machine.on_image(e.image);
    break;
  case event_kind::trade:
    if (e.trade.at_price.raw < 0 || e.trade.quantity.raw < 0) found("a negative trade");
    break;
  default: break;
  }
  if (machine.valid() && machine.book().crossed()) found("a crossed book is valid");
}

/// The input's frames begin with their length (two bytes, little endian), for frames may hold any byte.
inline void run(const venue_description& venue, std::string_view channel, const instrument_spec& spec,
                std::string_view input) {
  const auto protocol = venue.protocol();
  const auto decoder = venue.decoder(spec);
  const auto machine = make_book_machine(venue.rules_of(channel), {spec.tick, 256},
                                         {spec.price_scale, spec.size_scale});
  protocol->begin();
  while (input.size() >= 2) {
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(input[0])
                                                 | static_cast<unsigned char>(input[1]) << 8);
    const auto frame = input.substr(2, length);
    input.remove_prefix(2 + frame.size());
    if (protocol->take(frame).replies.size() > 1) found("one frame is answered more than once");
    const auto* e = &decoder->decode(frame);
    for (bool first = true; e != nullptr; first = false) {
      if (!first && e->kind == event_kind::damaged) found("damage behind a good event");
      take_event(*e, first, *machine);
      e = decoder->next();
    }
  }
}

/// The same bytes as a REST body.
inline void run_rest(const venue_description& venue, const instrument_spec& spec, std::string_view input) {
  if (venue.ticket_url != nullptr) (void)venue.ticket_url(input).has_value();
  if (const auto all = venue.read_instruments(input, {}); all.has_value())
    for (const auto& one : *all)
      if (one.tick.raw <= 0 || one.lot.raw <= 0 || one.id.text.empty()) found("an instrument without rules");
  const auto page = venue.read_candles(spec, std::chrono::minutes{1}, input);
  if (!page.has_value()) return;
  for (std::size_t i = 1; i < page->bars.size(); ++i)
    if (page->bars[i - 1].open_time >= page->bars[i].open_time) found("candles out of order");
}

inline instrument_spec instrument(const char* symbol, contract_kind kind) {
  instrument_spec out;
  out.id.text = "ABC-USDT@fuzz";
  out.venue_symbol = symbol;
  out.kind = kind;
  out.price_scale = 2;
  out.size_scale = 4;
  out.tick = {1};
  out.lot = {10};
  return out;
}

} // namespace troupe::fuzz
