#pragma once

/// The five ways venues let a book be kept true, one state machine each behind one interface.
///
/// | family | bootstrap | continuity |
/// |---|---|---|
/// | A ranged | REST image joined with buffered changes | ranges of ids follow each other |
/// | B chained | image in band | a change names the id before it |
/// | C checksummed | image in band | the checksum of the book behind each message |
/// | D connection | image in band | a sequence over all messages of the connection, kept by the session |
/// | E images | every message is an image | none |
///
/// Whatever the family: a fault drops the book whole, `needs_image()` becomes true, and nothing is valid
/// until an image has come. In B to E a later image always replaces the whole book.

#include "actors/feeds/best_ten_checksum.hpp"
#include "actors/feeds/events.hpp"
#include "actors/feeds/image_difference.hpp"
#include "actors/feeds/order_book.hpp"

#include <memory>

namespace troupe {

/// Which machine keeps the book.
enum class book_family : std::uint8_t { ranged, chained, checksummed, connection, images };

/// Words for people: "ranged".
std::string_view name_of(book_family family) noexcept;

/// How a venue of family A chains its changes.
enum class sequence_rule : std::uint8_t {
  spot,    ///< Binance spot, Gate: U == previous u + 1; the first bridges U <= L+1 <= u; u <= L is stale
  futures, ///< Binance futures: pu == previous u; the first applied bridges pu <= L <= u; u < L is stale
  overlap  ///< KuCoin, MEXC: first <= last + 1 <= last of the change; what is at or below the book is stale
};

/// A venue's checksum of its book. The scales are the decimals the venue itself writes.
using book_checksum = std::uint32_t (*)(const order_book& book, int price_scale, int size_scale);

/// The venue's rules for one book channel.
///
/// What the decoders give, by family:
/// - A: `first`, `last` (and `previous` for `futures`); `bid_rows`, `ask_rows` where the venue numbers rows.
/// - B: `last`, and either `previous` with `has_previous` (Deribit, OKX, HTX) or `first` (Gate obu; Bybit:
///   first == last == u). Bybit's u == 1, Gate's full=true and every in-band snapshot are `image` events.
/// - C: `checksum` with `has_checksum` on every change and image; `last` may stay 0.
/// - D: `last` is the connection's number. A checksum that comes by itself (Bitfinex cs) is a `depth` event
///   without rows.
/// - E: `image` events.
struct book_rules {
  book_family family = book_family::ranged;
  sequence_rule rule = sequence_rule::spot; ///< family A
  book_checksum checksum = nullptr;         ///< families B to E where the venue gives one; null: ignored
  std::size_t depth = 0; ///< levels a side the subscription holds; 0: all
  bool cut_beyond_depth = false; ///< the venue deletes no levels that fall out of `depth` (Kraken): cut them
  bool image_in_band = true; ///< false: `on_image` comes of a REST request
  std::size_t checksum_levels = 0; ///< levels a side the checksum proves (Kraken 10, OKX and Bitfinex 25)
  bool zero_is_no_checksum = false; ///< the venue may send 0 for "none" (OKX since June 2026)
  bool joined_image = false; ///< family B: the image answers a request (HTX mbp), so changes are buffered and
                             ///< joined with it by their numbers; implied by image_in_band == false
  std::size_t image_levels = 0; ///< levels a side at which the venue cuts its REST image; 0: it tells all.
                                ///< What lies beyond is unknown until it changes, so a market that moves
                                ///< there needs a new image (KuCoin tells 100 to who has no key)
};

/// Decimals of an instrument's prices and sizes.
struct book_scales {
  int price = 0;
  int size = 0;
};

/// Limits of a machine's memory.
struct machine_limits {
  std::size_t max_buffered_changes = 4096;   ///< oldest are dropped beyond
  std::size_t max_buffered_levels = 1 << 20; ///< oldest are dropped beyond
  std::size_t max_levels = 1 << 18;          ///< levels a side beyond which the book is taken for damaged
};

/// What one input did.
enum class build_step : std::uint8_t {
  applied,           ///< the book moved on and is valid
  buffered,          ///< kept until the image comes
  stale,             ///< at or below what the book holds; left out
  bridged,           ///< the image was joined with the buffer; the book is valid
  waiting,           ///< the image was taken; the first change that bridges it is still to come
  too_old,           ///< the image is older than the first buffered change: ask for a new one
  gap,               ///< the sequence broke: the book was dropped, ask for an image
  crossed,           ///< bid at or above ask: the book was dropped, ask for an image
  overflow,          ///< more levels than can be: the book was dropped, ask for an image
  ignored,           ///< an image that nobody waits for; a change that came before its in-band image
  replaced,          ///< an in-band image was taken as the whole book; the book is valid
  checksum_mismatch, ///< the venue's checksum is another one: the book was dropped, ask for an image
  shallow            ///< the market left the levels that the image told: the book was dropped, ask for an image
};

/// The input dropped the book.
constexpr bool is_fault(build_step step) noexcept {
  return step == build_step::gap || step == build_step::crossed || step == build_step::overflow
         || step == build_step::checksum_mismatch || step == build_step::shallow;
}

/// Counts since construction; they only grow.
struct machine_counts {
  std::uint64_t applied = 0;            ///< changes applied
  std::uint64_t stale = 0;              ///< changes at or below the image or replayed
  std::uint64_t levels = 0;             ///< levels within applied changes
  std::uint64_t gaps = 0;               ///< breaks of the sequence
  std::uint64_t crossed = 0;            ///< crossed states
  std::uint64_t overflows = 0;          ///< books with more levels than can be
  std::uint64_t shallow = 0;            ///< markets that left the levels of their image
  std::uint64_t images = 0;             ///< images taken
  std::uint64_t images_refused = 0;     ///< images too old or not waited for
  std::uint64_t images_unasked = 0;     ///< of the images taken those that replaced a valid book
  std::uint64_t ignored = 0;            ///< changes that came before their in-band image
  std::uint64_t buffer_dropped = 0;     ///< buffered changes dropped for room
  std::uint64_t checksums_compared = 0; ///< the venue's checksums compared with ours
  std::uint64_t checksums_equal = 0;    ///< of these equal
  std::uint64_t unproven = 0;           ///< changes and images that neither number nor checksum proves
};

/// Keeps one book as its family demands. Published only while `valid()`. No allocation while changes are
/// applied. Not thread-safe.
class book_machine {
public:
  virtual ~book_machine() = default;
  book_machine(const book_machine&) = delete;
  book_machine& operator=(const book_machine&) = delete;

  /// Takes a change. A machine that joins images keeps the change that showed a fault for the next image.
  virtual build_step on_depth(const depth_event& change) = 0;

  /// Takes an image, in band or of a request.
  virtual build_step on_image(const image_event& image) = 0;

  /// Drops the book and the buffer: a session ended or a new one began.
  virtual void reset() noexcept;

  /// True while changes wait for an image.
  [[nodiscard]] virtual bool has_buffered() const noexcept { return false; }

  /// Called after each change that is applied, those out of the buffer included, with the book behind it.
  /// A plain function pointer: it is called in the hot path. Images are told by the step `replaced` alone.
  using applied_hook = void (*)(void* context, const depth_event& change, const order_book& book);
  void on_applied(applied_hook hook, void* context) noexcept { hook_ = hook, hook_context_ = context; }

  [[nodiscard]] bool valid() const noexcept { return phase_ == phase::valid; }
  /// True until an image has been taken, so that the owner asks for one (and again when it doesn't come).
  [[nodiscard]] bool needs_image() const noexcept { return phase_ == phase::empty; }
  [[nodiscard]] const order_book& book() const noexcept { return book_; }
  /// Last sequence number the book holds; 0 where the venue has none.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return last_; }
  /// Venue time of the last applied change, or of the image.
  [[nodiscard]] market_time newest() const noexcept { return newest_; }
  [[nodiscard]] const machine_counts& counts() const noexcept { return counts_; }
  [[nodiscard]] const book_rules& rules() const noexcept { return rules_; }

protected:
  enum class phase : std::uint8_t {
    empty,   // no image yet
    joining, // image taken, no change has bridged it yet
    valid
  };

  book_machine(const book_rules& rules, const book_options& options, book_scales scales,
               const machine_limits& limits);

  /// Puts the rows into the book and judges it: `applied`, or the fault. Drops nothing by itself.
  build_step apply(const depth_event& change);
  /// Makes the image the whole book and judges it: `replaced`, or the fault. Drops nothing by itself.
  build_step load(const image_event& image);

  book_rules rules_;
  machine_limits limits_;
  order_book book_;
  phase phase_ = phase::empty;
  std::uint64_t last_ = 0;
  market_time newest_;
  machine_counts counts_;

private:
  [[nodiscard]] build_step judge(bool has_checksum, std::uint32_t checksum);
  [[nodiscard]] std::uint32_t checksum() noexcept;
  void put_image(const image_event& image);
  void cut();

  book_scales scales_;
  bool keeps_ten_;        // the checksum is Kraken's, and kept from change to change
  best_ten_checksum ten_; // then
  image_difference difference_; // family E
  applied_hook hook_ = nullptr;
  void* hook_context_ = nullptr;
};

/// The machine of `rules.family`; never null.
std::unique_ptr<book_machine> make_book_machine(const book_rules& rules, const book_options& options,
                                                book_scales scales, const machine_limits& limits = {});

} // namespace troupe
