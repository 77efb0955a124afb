#pragma once

/// Book family A: a REST image joined with buffered changes by their sequence numbers. One state machine
/// for Binance spot and futures; KuCoin, Gate and MEXC differ in the rule only.
/// Rules: Binance "How to manage a local order book correctly" (spot) and the same page for futures.

#include "actors/feeds/book_machine.hpp"

#include <deque>

namespace troupe {

/// Limits of a bootstrap.
struct builder_options {
  sequence_rule rule = sequence_rule::spot;
  book_options book{};
  std::size_t max_buffered_changes = 4096;   ///< oldest are dropped beyond
  std::size_t max_buffered_levels = 1 << 20; ///< oldest are dropped beyond
  std::size_t max_levels = 1 << 18;          ///< levels a side beyond which the book is taken for damaged
};

using builder_counts = machine_counts;

/// Keeps one book in the venue's own sequence. Published only while `valid()`. Not thread-safe.
class book_builder {
public:
  explicit book_builder(const builder_options& options);

  /// Takes a change. On `gap`, `crossed` and `overflow` the change is the first of the new buffer.
  build_step on_depth(const depth_event& change);

  /// Called after each change that is applied, those out of the buffer included, with the book behind it.
  /// A plain function pointer: it is called in the hot path.
  using applied_hook = void (*)(void* context, const depth_event& change, const order_book& book);
  void on_applied(applied_hook hook, void* context) noexcept { hook_ = hook, hook_context_ = context; }

  /// Takes the REST image.
  build_step on_image(const image_event& image);

  /// Drops the book and the buffer: a session ended or a new one began.
  void reset() noexcept;

  [[nodiscard]] bool valid() const noexcept { return state_ == state::valid; }
  /// True until an image has been joined, so that the owner asks for one (and again when it doesn't come).
  [[nodiscard]] bool needs_image() const noexcept { return state_ == state::buffering; }
  [[nodiscard]] bool has_buffered() const noexcept { return !buffer_.empty(); }
  [[nodiscard]] const order_book& book() const noexcept { return book_; }
  /// Last sequence number the book holds.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return last_; }
  /// Venue time of the last applied change, or of the image.
  [[nodiscard]] market_time newest() const noexcept { return newest_; }
  [[nodiscard]] const builder_counts& counts() const noexcept { return counts_; }

private:
  enum class state : std::uint8_t {
    buffering, // no image yet
    waiting,   // image taken, no change has bridged it yet
    valid
  };
  struct kept {
    depth_event change;
    std::vector<level> levels; // bids, then asks
    std::size_t bids = 0;
  };

  [[nodiscard]] bool is_stale(const depth_event& change) const noexcept;
  [[nodiscard]] bool bridges(const depth_event& change) const noexcept;
  [[nodiscard]] bool follows(const depth_event& change) const noexcept;
  build_step drop(build_step why, const depth_event& change);
  build_step apply(const depth_event& change);
  build_step join(const depth_event& change);
  build_step replay_buffer();
  void keep(const depth_event& change);
  void forget_buffer() noexcept;

  builder_options options_;
  order_book book_;
  state state_ = state::buffering;
  std::uint64_t last_ = 0;
  std::uint64_t image_last_ = 0;
  market_time newest_;
  std::deque<kept> buffer_;
  std::size_t buffered_levels_ = 0;
  builder_counts counts_;
  applied_hook hook_ = nullptr;
  void* hook_context_ = nullptr;
};

} // namespace troupe
