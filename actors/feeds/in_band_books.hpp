#pragma once

/// Book families B to E: the image comes on the socket, in order with the changes. What came before it is
/// left out; any later image replaces the whole book.

#include "actors/feeds/book_machine.hpp"
#include "actors/feeds/recent_numbers.hpp"

namespace troupe {

/// What B to E share. The families differ in what they make of a change's numbers.
class in_band_book : public book_machine {
public:
  in_band_book(const book_rules& rules, const book_options& options, book_scales scales,
               const machine_limits& limits)
      : book_machine{rules, options, scales, limits} {}

  build_step on_depth(const depth_event& change) override;
  build_step on_image(const image_event& image) override;

protected:
  /// What the numbers of a change say.
  enum class numbers : std::uint8_t { follows, repeats, breaks };

  [[nodiscard]] virtual numbers numbers_of(const depth_event& change) const noexcept = 0;
  virtual void seen(const depth_event&) noexcept {}
  virtual void starts(const image_event&) noexcept {}
};

/// B. A change names the number before it: Deribit `prev_change_id`, OKX `prevSeqId` (equal ids are a sign of
/// life; after maintenance a linked id may be lower), Gate obu U == last + 1, Bybit u == last + 1.
class chained_book final : public in_band_book {
public:
  using in_band_book::in_band_book;
  void reset() noexcept override;

protected:
  [[nodiscard]] numbers numbers_of(const depth_event& change) const noexcept override;
  void seen(const depth_event& change) noexcept override { recent_.add(change.last); }
  void starts(const image_event& image) noexcept override;

private:
  recent_numbers recent_;
};

/// C. Nothing but the checksum: Kraken. Its rows are applied in their order, as a price may come twice.
class checksummed_book final : public in_band_book {
public:
  using in_band_book::in_band_book;

protected:
  [[nodiscard]] numbers numbers_of(const depth_event&) const noexcept override { return numbers::follows; }
};

/// D. The session checks the connection's numbers (`connection_sequence`); here they may only not step back.
/// Several changes of one message share its number.
class connection_book final : public in_band_book {
public:
  using in_band_book::in_band_book;

protected:
  [[nodiscard]] numbers numbers_of(const depth_event& change) const noexcept override {
    return change.last >= last_ ? numbers::follows : numbers::breaks;
  }
};

/// E. Every message is an image; their numbers prove nothing (HTX depth.step0 jumps freely). A change has no
/// meaning here and is left out.
class image_book final : public in_band_book {
public:
  using in_band_book::in_band_book;
  build_step on_depth(const depth_event& change) override;

protected:
  [[nodiscard]] numbers numbers_of(const depth_event&) const noexcept override { return numbers::breaks; }
};

} // namespace troupe
