#include "actors/feeds/events.hpp"

namespace troupe {

std::string_view name_of(frame_damage damage) noexcept {
  switch (damage) {
  case frame_damage::none: return "none";
  case frame_damage::not_json: return "no JSON";
  case frame_damage::too_large: return "too large";
  case frame_damage::missing_field: return "field missing";
  case frame_damage::wrong_type: return "field of another type";
  case frame_damage::bad_number: return "bad number";
  case frame_damage::too_many_decimals: return "more decimals than the instrument has";
  case frame_damage::bad_range: return "sequence or time out of range";
  }
  return "?";
}

std::string_view name_of(event_kind kind) noexcept {
  switch (kind) {
  case event_kind::depth: return "depth";
  case event_kind::image: return "image";
  case event_kind::best: return "best";
  case event_kind::trade: return "trade";
  case event_kind::candle: return "candle";
  case event_kind::acknowledgement: return "acknowledgement";
  case event_kind::failure: return "failure";
  case event_kind::shutdown: return "shutdown";
  case event_kind::other: return "other";
  case event_kind::damaged: return "damaged";
  }
  return "?";
}

std::string_view name_of(book_validity validity) noexcept {
  switch (validity) {
  case book_validity::empty: return "empty";
  case book_validity::bootstrapping: return "bootstrapping";
  case book_validity::valid: return "valid";
  case book_validity::gap: return "gap";
  case book_validity::crossed: return "crossed";
  case book_validity::stale: return "stale";
  case book_validity::disconnected: return "disconnected";
  case book_validity::damaged: return "damaged";
  }
  return "?";
}

} // namespace troupe
