#include "actors/feeds/book_builder.hpp"

#include <array>

namespace troupe {
namespace {

/// Changes an image can be ahead of: beyond, the numbering began anew and nothing would ever join it.
constexpr std::uint32_t most_below_image = 4096;

book_rules rules_of(const builder_options& options) {
  book_rules out;
  out.rule = options.rule;
  out.image_in_band = false;
  return out;
}

machine_limits limits_of(const builder_options& options) {
  return {options.max_buffered_changes, options.max_buffered_levels, options.max_levels};
}

} // namespace

book_builder::book_builder(const builder_options& options)
    : book_builder{rules_of(options), options.book, {}, limits_of(options)} {}

book_builder::book_builder(const book_rules& rules, const book_options& options, book_scales scales,
                           const machine_limits& limits)
    : book_machine{rules, options, scales, limits}, chain_{chain_of(rules)} {}

book_builder::chain book_builder::chain_of(const book_rules& rules) noexcept {
  if (rules.family != book_family::ranged) return chain::linked;
  switch (rules.rule) {
  case sequence_rule::spot: return chain::spot;
  case sequence_rule::futures: return chain::futures;
  case sequence_rule::overlap: return chain::overlap;
  }
  return chain::spot;
}

void book_builder::reset() noexcept {
  book_machine::reset();
  image_last_ = 0;
  recent_.clear();
  forget_buffer();
}

void book_builder::forget_buffer() noexcept {
  buffer_.clear();
  buffered_levels_ = 0;
}

// --- the venue's rules ---------------------------------------------------------------------------

/// The change is the one right behind number `last`.
bool book_builder::follows(const depth_event& change, std::uint64_t last) const noexcept {
  switch (chain_) {
  case chain::spot: return change.first == last + 1;
  case chain::futures: return change.has_previous && change.previous == last;
  case chain::overlap: return change.first <= last + 1 && last < change.last;
  case chain::linked: return change.has_previous ? change.previous == last : change.first == last + 1;
  }
  return false;
}

/// Nothing in the change is newer than the image.
bool book_builder::is_stale(const depth_event& change) const noexcept {
  return chain_ == chain::futures ? change.last < image_last_ : change.last <= image_last_;
}

/// The change joins the image without a hole. Futures: the venue words it as U <= L <= u; as a change covers
/// all numbers after pu, an image between pu and U joins as well (its range has no change of this symbol).
/// Linked (OKX by REST: prevSeqId <= seqId of the image < seqId): the same, but the image is not within.
bool book_builder::bridges(const depth_event& change) const noexcept {
  if (chain_ == chain::spot || chain_ == chain::overlap || (chain_ == chain::linked && !change.has_previous))
    return change.first <= image_last_ + 1 && image_last_ < change.last;
  const auto from = change.has_previous ? change.previous : change.first;
  return from <= image_last_ && !is_stale(change);
}

// --- inputs --------------------------------------------------------------------------------------

build_step book_builder::on_depth(const depth_event& change) {
  if (phase_ == phase::joining) return join(change);
  if (phase_ == phase::empty) return buffer(change);
  if (follows(change, last_)) [[likely]]
    return move_on(change);
  if (change.last <= last_ && recent_.holds(change.last)) return ++counts_.stale, build_step::stale;
  ++counts_.gaps;
  return drop(build_step::gap, change);
}

build_step book_builder::buffer(const depth_event& change) {
  const bool next = buffer_.empty() || follows(change, buffer_.back().change.last);
  if (!next) {
    if (change.last <= buffer_.back().change.last && recent_.holds(change.last))
      return ++counts_.stale, build_step::stale;
    ++counts_.gaps;
    return drop(build_step::gap, change);
  }
  keep(change);
  return build_step::buffered;
}

build_step book_builder::on_image(const image_event& image) {
  if (phase_ != phase::empty) return ++counts_.images_refused, build_step::ignored;
  image_last_ = image.last;
  const auto too_old = [&](const depth_event& first) { return !is_stale(first) && !bridges(first); };
  if (!buffer_.empty() && too_old(buffer_.front().change))
    return ++counts_.images_refused, build_step::too_old;
  const auto step = load(image);
  if (step != build_step::replaced) {
    book_machine::reset(); // the image is wrong, not what waits for it
    return step;
  }
  bid_horizon_ = horizon_of(image.bids);
  ask_horizon_ = horizon_of(image.asks);
  phase_ = phase::joining;
  below_image_ = 0;
  return replay_buffer();
}

/// Levels a side that must lie within what the image told.
constexpr std::size_t told_levels = 10;

book_builder::horizon book_builder::horizon_of(std::span<const level> side_of_image) const noexcept {
  const auto count = side_of_image.size();
  if (rules_.image_levels == 0 || count < rules_.image_levels || count < told_levels) return {};
  return {true, side_of_image.back().at};
}

/// The best levels reach beyond the end of the image, where levels may stand that were never told.
bool book_builder::left_image(side which, const horizon& limit) const {
  if (!limit.cut) [[likely]]
    return false;
  std::array<level, told_levels> best;
  const auto count = book_.top(which, best);
  if (count < told_levels) return true;
  return which == side::buy ? best.back().at < limit.last : best.back().at > limit.last;
}

build_step book_builder::replay_buffer() {
  auto step = build_step::waiting;
  auto fault = build_step::ignored;
  // Swapped out: a change that breaks the sequence starts a new buffer.
  std::deque<kept> changes;
  changes.swap(buffer_);
  buffered_levels_ = 0;
  for (const auto& entry : changes) {
    auto change = entry.change;
    const std::span all{entry.levels};
    const std::span rows{entry.rows};
    change.bids = all.first(entry.bids);
    change.asks = all.subspan(entry.bids);
    change.bid_rows = rows.first(entry.numbered_bids);
    change.ask_rows = rows.subspan(entry.numbered_bids);
    const auto done = on_depth(change);
    if (is_fault(done)) fault = done;
    if (done != build_step::stale) step = done;
  }
  if (fault != build_step::ignored) return fault;
  return step == build_step::applied ? build_step::bridged : step;
}

build_step book_builder::join(const depth_event& change) {
  if (is_stale(change) && ++below_image_ <= most_below_image) {
    recent_.add(change.last);
    return ++counts_.stale, build_step::stale;
  }
  if (!bridges(change)) {
    ++counts_.gaps;
    return drop(build_step::gap, change);
  }
  phase_ = phase::valid;
  const auto step = move_on(change);
  return step == build_step::applied ? build_step::bridged : step;
}

build_step book_builder::move_on(const depth_event& change) {
  const auto step = apply(chain_ == chain::overlap ? newer_rows(change) : change);
  if (step != build_step::applied) [[unlikely]]
    return drop(step, change);
  if (left_image(side::buy, bid_horizon_) || left_image(side::sell, ask_horizon_)) [[unlikely]] {
    ++counts_.shallow;
    return drop(build_step::shallow, change);
  }
  recent_.add(change.last);
  return step;
}

/// KuCoin: of a change that overlaps the book only the rows with a greater number than the book's count, and
/// a price of 0 moves nothing but the number.
const depth_event& book_builder::newer_rows(const depth_event& change) {
  const auto counts = [this](const level& row, std::span<const std::uint64_t> numbers, std::size_t i) {
    return row.at.raw != 0 && (i >= numbers.size() || numbers[i] > last_);
  };
  newer_levels_.clear();
  for (std::size_t i = 0; i < change.bids.size(); ++i)
    if (counts(change.bids[i], change.bid_rows, i)) newer_levels_.push_back(change.bids[i]);
  const auto bids = newer_levels_.size();
  for (std::size_t i = 0; i < change.asks.size(); ++i)
    if (counts(change.asks[i], change.ask_rows, i)) newer_levels_.push_back(change.asks[i]);
  if (newer_levels_.size() == change.bids.size() + change.asks.size()) return change;
  newer_ = change;
  newer_.bids = std::span{newer_levels_}.first(bids);
  newer_.asks = std::span{newer_levels_}.subspan(bids);
  newer_.bid_rows = newer_.ask_rows = {};
  return newer_;
}

/// The book is dropped whole; the change that showed the fault is the first of the new buffer. The numbers
/// seen stay known, so that a late repeat is told from a break.
build_step book_builder::drop(build_step why, const depth_event& change) {
  book_machine::reset();
  image_last_ = 0;
  forget_buffer();
  keep(change);
  return why;
}

void book_builder::keep(const depth_event& change) {
  recent_.add(change.last);
  kept entry;
  entry.change = change;
  entry.bids = change.bids.size();
  entry.levels.reserve(change.bids.size() + change.asks.size());
  entry.levels.assign(change.bids.begin(), change.bids.end());
  entry.levels.insert(entry.levels.end(), change.asks.begin(), change.asks.end());
  entry.numbered_bids = change.bid_rows.size();
  entry.rows.assign(change.bid_rows.begin(), change.bid_rows.end());
  entry.rows.insert(entry.rows.end(), change.ask_rows.begin(), change.ask_rows.end());
  buffered_levels_ += entry.levels.size();
  buffer_.push_back(std::move(entry));
  while (buffer_.size() > 1
         && (buffer_.size() > limits_.max_buffered_changes
             || buffered_levels_ > limits_.max_buffered_levels)) {
    buffered_levels_ -= buffer_.front().levels.size();
    buffer_.pop_front();
    ++counts_.buffer_dropped;
  }
}

} // namespace troupe
