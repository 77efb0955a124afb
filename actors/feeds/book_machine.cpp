#include "actors/feeds/book_machine.hpp"

#include "actors/feeds/book_builder.hpp"
#include "actors/feeds/checksums.hpp"
#include "actors/feeds/in_band_books.hpp"

namespace troupe {

std::string_view name_of(book_family family) noexcept {
  switch (family) {
  case book_family::ranged: return "ranged";
  case book_family::chained: return "chained";
  case book_family::checksummed: return "checksummed";
  case book_family::connection: return "connection";
  case book_family::images: return "images";
  }
  return "?";
}

namespace {

/// A cut must leave the best ten alone.
bool can_keep_ten(const book_rules& rules) noexcept {
  return rules.checksum == kraken_book_checksum && best_ten_checksum::available()
         && (!rules.cut_beyond_depth || rules.depth == 0 || rules.depth >= best_ten_checksum::depth);
}

} // namespace

book_machine::book_machine(const book_rules& rules, const book_options& options, book_scales scales,
                           const machine_limits& limits)
    : rules_{rules}, limits_{limits}, book_{options}, scales_{scales}, keeps_ten_{can_keep_ten(rules)} {}

void book_machine::reset() noexcept {
  phase_ = phase::empty;
  last_ = 0;
  newest_ = {};
  book_.clear();
  ten_.forget();
}

build_step book_machine::apply(const depth_event& change) {
  book_.apply(change.bids, change.asks);
  if (keeps_ten_) ten_.changed(side::buy, change.bids), ten_.changed(side::sell, change.asks);
  last_ = change.last;
  newest_ = change.event;
  ++counts_.applied;
  counts_.levels += change.bids.size() + change.asks.size();
  const auto fault = judge(change.has_checksum, change.checksum);
  if (fault != build_step::applied) [[unlikely]]
    return fault;
  if (hook_ != nullptr) hook_(hook_context_, change, book_);
  return build_step::applied;
}

build_step book_machine::load(const image_event& image) {
  counts_.images_unasked += valid() && rules_.family != book_family::images ? 1 : 0;
  ++counts_.images;
  put_image(image);
  ten_.forget();
  last_ = image.last;
  newest_ = image.event;
  const auto fault = judge(image.has_checksum, image.checksum);
  return fault == build_step::applied ? build_step::replaced : fault;
}

/// Where every message is an image, most levels are those of the one before.
void book_machine::put_image(const image_event& image) {
  const bool repeats = rules_.family == book_family::images && !rules_.cut_beyond_depth;
  if (!repeats || !difference_.take(image.bids, image.asks, valid()))
    return book_.load(image.bids, image.asks);
  book_.apply(difference_.bids(), difference_.asks());
}

/// The checksum is looked at first: it says more than a crossed top, which may be its consequence.
build_step book_machine::judge(bool has_checksum, std::uint32_t checksum) {
  if (rules_.cut_beyond_depth) cut();
  if (rules_.checksum != nullptr && has_checksum && (checksum != 0 || !rules_.zero_is_no_checksum)) {
    ++counts_.checksums_compared;
    if (this->checksum() != checksum) return build_step::checksum_mismatch;
    ++counts_.checksums_equal;
  } else if (rules_.family == book_family::checksummed || rules_.family == book_family::images) {
    ++counts_.unproven;
  }
  if (book_.crossed()) [[unlikely]] {
    ++counts_.crossed;
    return build_step::crossed;
  }
  if (book_.levels(side::buy) > limits_.max_levels || book_.levels(side::sell) > limits_.max_levels)
      [[unlikely]] {
    ++counts_.overflows;
    return build_step::overflow;
  }
  return build_step::applied;
}

std::uint32_t book_machine::checksum() noexcept {
  return keeps_ten_ ? ten_.of(book_) : rules_.checksum(book_, scales_.price, scales_.size);
}

/// Kraken: "you should remove the price levels that fall out of the subscribed depth".
void book_machine::cut() {
  if (rules_.depth == 0) return;
  book_.cut(side::buy, rules_.depth);
  book_.cut(side::sell, rules_.depth);
}

std::unique_ptr<book_machine> make_book_machine(const book_rules& rules, const book_options& options,
                                                book_scales scales, const machine_limits& limits) {
  switch (rules.family) {
  case book_family::ranged: break;
  case book_family::chained:
    if (rules.joined_image || !rules.image_in_band) break;
    return std::make_unique<chained_book>(rules, options, scales, limits);
  case book_family::checksummed:
    return std::make_unique<checksummed_book>(rules, options, scales, limits);
  case book_family::connection: return std::make_unique<connection_book>(rules, options, scales, limits);
  case book_family::images: return std::make_unique<image_book>(rules, options, scales, limits);
  }
  return std::make_unique<book_builder>(rules, options, scales, limits);
}

} // namespace troupe
