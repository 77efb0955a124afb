#include "actors/feeds/book_builder.hpp"

namespace troupe {

book_builder::book_builder(const builder_options& options) : options_{options}, book_{options.book} {}

void book_builder::reset() noexcept {
  state_ = state::buffering;
  last_ = image_last_ = 0;
  newest_ = {};
  book_.clear();
  forget_buffer();
}

void book_builder::forget_buffer() noexcept {
  buffer_.clear();
  buffered_levels_ = 0;
}

// --- the venue's rules ---------------------------------------------------------------------------

/// Nothing in the change is newer than what the book holds.
bool book_builder::is_stale(const depth_event& change) const noexcept {
  if (state_ == state::valid) return change.last <= last_;
  return options_.rule == sequence_rule::spot ? change.last <= image_last_ : change.last < image_last_;
}

/// The change joins the image without a hole. Futures: the venue words it as U <= L <= u; as a change covers
/// all numbers after pu, an image between pu and U joins as well (its range has no change of this symbol).
bool book_builder::bridges(const depth_event& change) const noexcept {
  if (options_.rule == sequence_rule::spot)
    return change.first <= image_last_ + 1 && image_last_ < change.last;
  const auto from = change.has_previous ? change.previous : change.first;
  return from <= image_last_ && image_last_ <= change.last;
}

/// The change is the one right behind the book.
bool book_builder::follows(const depth_event& change) const noexcept {
  if (options_.rule == sequence_rule::spot) return change.first == last_ + 1;
  return change.has_previous && change.previous == last_;
}

// --- inputs --------------------------------------------------------------------------------------

build_step book_builder::on_depth(const depth_event& change) {
  if (state_ == state::valid) [[likely]] {
    if (follows(change)) [[likely]]
      return apply(change);
    if (is_stale(change)) return ++counts_.stale, build_step::stale;
    ++counts_.gaps;
    return drop(build_step::gap, change);
  }
  if (state_ == state::waiting) return join(change);
  if (!buffer_.empty()) {
    const auto& newest = buffer_.back().change;
    if (change.last <= newest.last) return ++counts_.stale, build_step::stale;
    const bool next = options_.rule == sequence_rule::spot
                          ? change.first == newest.last + 1
                          : change.has_previous && change.previous == newest.last;
    if (!next) {
      ++counts_.gaps;
      return drop(build_step::gap, change);
    }
  }
  keep(change);
  return build_step::buffered;
}

build_step book_builder::on_image(const image_event& image) {
  if (state_ != state::buffering) return ++counts_.images_refused, build_step::ignored;
  image_last_ = image.last;
  const auto too_old = [&](const depth_event& first) { return !is_stale(first) && !bridges(first); };
  if (!buffer_.empty() && too_old(buffer_.front().change))
    return ++counts_.images_refused, build_step::too_old;
  book_.load(image.bids, image.asks);
  ++counts_.images;
  last_ = image.last;
  newest_ = image.event;
  state_ = state::waiting;
  return replay_buffer();
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
    change.bids = all.first(entry.bids);
    change.asks = all.subspan(entry.bids);
    const auto done = on_depth(change);
    if (done == build_step::gap || done == build_step::crossed || done == build_step::overflow) fault = done;
    if (done != build_step::stale) step = done;
  }
  if (fault != build_step::ignored) return fault;
  return step == build_step::applied ? build_step::bridged : step;
}

build_step book_builder::join(const depth_event& change) {
  if (is_stale(change)) return ++counts_.stale, build_step::stale;
  if (!bridges(change)) {
    ++counts_.gaps;
    return drop(build_step::gap, change);
  }
  state_ = state::valid;
  const auto step = apply(change);
  return step == build_step::applied ? build_step::bridged : step;
}

build_step book_builder::apply(const depth_event& change) {
  book_.apply(side::buy, change.bids);
  book_.apply(side::sell, change.asks);
  last_ = change.last;
  newest_ = change.event;
  ++counts_.applied;
  counts_.levels += change.bids.size() + change.asks.size();
  if (book_.crossed()) [[unlikely]] {
    ++counts_.crossed;
    return drop(build_step::crossed, change);
  }
  if (book_.levels(side::buy) > options_.max_levels || book_.levels(side::sell) > options_.max_levels)
      [[unlikely]]
    return drop(build_step::overflow, change);
  if (hook_ != nullptr) hook_(hook_context_, change, book_);
  return build_step::applied;
}

/// The book is dropped whole; the change that showed the fault is the first of the new buffer.
build_step book_builder::drop(build_step why, const depth_event& change) {
  reset();
  keep(change);
  return why;
}

void book_builder::keep(const depth_event& change) {
  kept entry;
  entry.change = change;
  entry.bids = change.bids.size();
  entry.levels.reserve(change.bids.size() + change.asks.size());
  entry.levels.assign(change.bids.begin(), change.bids.end());
  entry.levels.insert(entry.levels.end(), change.asks.begin(), change.asks.end());
  buffered_levels_ += entry.levels.size();
  buffer_.push_back(std::move(entry));
  while (buffer_.size() > 1
         && (buffer_.size() > options_.max_buffered_changes
             || buffered_levels_ > options_.max_buffered_levels)) {
    buffered_levels_ -= buffer_.front().levels.size();
    buffer_.pop_front();
    ++counts_.buffer_dropped;
  }
}

} // namespace troupe
