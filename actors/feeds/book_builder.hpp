#pragma once

/// Book family A: a REST image joined with buffered changes by their sequence numbers; and those of family B
/// whose image answers a request. Venues differ in the rule only.
/// Rules: Binance "How to manage a local order book correctly" (spot) and the same page for futures; KuCoin
/// "Level 2 market data"; MEXC "How to properly maintain a local copy of the order book"; Gate
/// "spot.order_book_update"; HTX "market by price (incremental)".

#include "actors/feeds/book_machine.hpp"
#include "actors/feeds/recent_numbers.hpp"

#include <deque>

namespace troupe {

/// Options of a builder that is made without `make_book_machine`.
struct builder_options {
  sequence_rule rule = sequence_rule::spot;
  book_options book{};
  std::size_t max_buffered_changes = 4096;   ///< see machine_limits
  std::size_t max_buffered_levels = 1 << 20; ///< see machine_limits
  std::size_t max_levels = 1 << 18;          ///< see machine_limits
};

using builder_counts = machine_counts;

/// Keeps one book in the venue's own sequence. Published only while `valid()`. Not thread-safe.
class book_builder final : public book_machine {
public:
  explicit book_builder(const builder_options& options);
  book_builder(const book_rules& rules, const book_options& options, book_scales scales,
               const machine_limits& limits);

  /// Takes a change. On `gap`, `crossed` and `overflow` the change is the first of the new buffer.
  build_step on_depth(const depth_event& change) override;

  /// Takes the image that was asked for; any other is `ignored`.
  build_step on_image(const image_event& image) override;

  void reset() noexcept override;
  [[nodiscard]] bool has_buffered() const noexcept override { return !buffer_.empty(); }

private:
  /// How numbers chain: those of sequence_rule, and family B with a joined image.
  enum class chain : std::uint8_t { spot, futures, overlap, linked };
  struct kept {
    depth_event change;
    std::vector<level> levels;       // bids, then asks
    std::vector<std::uint64_t> rows; // their numbers, bids, then asks; empty where the venue has none
    std::size_t bids = 0;
    std::size_t numbered_bids = 0;
  };

  /// Where the image ended on one side, if it was cut there.
  struct horizon {
    bool cut = false;
    price last;
  };

  static chain chain_of(const book_rules& rules) noexcept;
  [[nodiscard]] horizon horizon_of(std::span<const level> side_of_image) const noexcept;
  [[nodiscard]] bool left_image(side which, const horizon& limit) const;
  [[nodiscard]] bool follows(const depth_event& change, std::uint64_t last) const noexcept;
  [[nodiscard]] bool is_stale(const depth_event& change) const noexcept;
  [[nodiscard]] bool bridges(const depth_event& change) const noexcept;
  build_step move_on(const depth_event& change);
  build_step drop(build_step why, const depth_event& change);
  build_step join(const depth_event& change);
  build_step buffer(const depth_event& change);
  build_step replay_buffer();
  const depth_event& newer_rows(const depth_event& change);
  void keep(const depth_event& change);
  void forget_buffer() noexcept;

  chain chain_;
  std::uint64_t image_last_ = 0;
  horizon bid_horizon_;
  horizon ask_horizon_;
  std::uint32_t below_image_ = 0; // changes left out since the image came
  recent_numbers recent_;
  std::deque<kept> buffer_;
  std::size_t buffered_levels_ = 0;
  depth_event newer_;               // scratch of newer_rows
  std::vector<level> newer_levels_; // its rows
};

} // namespace troupe
