#include "actors/feeds/in_band_books.hpp"

namespace troupe {

build_step in_band_book::on_depth(const depth_event& change) {
  if (!valid()) return ++counts_.ignored, build_step::ignored;
  const auto said = numbers_of(change);
  if (said == numbers::repeats) return ++counts_.stale, build_step::stale;
  auto step = build_step::gap;
  if (said == numbers::follows) [[likely]]
    step = apply(change);
  else
    ++counts_.gaps;
  if (step != build_step::applied) [[unlikely]]
    book_machine::reset(); // the numbers seen stay known, so that a late repeat is told from a break
  else
    seen(change);
  return step;
}

build_step in_band_book::on_image(const image_event& image) {
  starts(image);
  const auto step = load(image);
  if (step == build_step::replaced) phase_ = phase::valid;
  else book_machine::reset();
  return step;
}

// --- B -------------------------------------------------------------------------------------------

void chained_book::reset() noexcept {
  book_machine::reset();
  recent_.clear();
}

in_band_book::numbers chained_book::numbers_of(const depth_event& change) const noexcept {
  const bool next = change.has_previous ? change.previous == last_ : change.first == last_ + 1;
  if (next) [[likely]]
    return numbers::follows;
  return change.last <= last_ && recent_.holds(change.last) ? numbers::repeats : numbers::breaks;
}

/// A numbering that begins anew meets its old numbers again.
void chained_book::starts(const image_event& image) noexcept {
  if (image.last <= last_) recent_.clear();
  recent_.add(image.last);
}

// --- E -------------------------------------------------------------------------------------------

build_step image_book::on_depth(const depth_event&) {
  ++counts_.ignored;
  return build_step::ignored;
}

} // namespace troupe
