// Any order of changes, images and resets on one family of book machines: never a crash, never a crossed or
// overlong book that is valid, and a book that is valid equals plain maps that took the same rows. Built once
// for each family (FUZZ_FAMILY).

#include "actors/feeds/checksums.hpp"
#include "tests/feeds/faulty_venue.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

using namespace troupe;

[[noreturn]] void found(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

/// The input, byte by byte; zeros behind its end.
struct bytes {
  std::span<const std::uint8_t> left;
  std::uint8_t next() {
    if (left.empty()) return 0;
    const auto out = left.front();
    left = left.subspan(1);
    return out;
  }
};

book_rules rules_of(std::uint8_t byte) {
  constexpr book_checksum checksums[] = {nullptr, kraken_book_checksum, okx_book_checksum,
                                         bitfinex_book_checksum};
  book_rules out;
  out.family = book_family::FUZZ_FAMILY;
  out.rule = static_cast<sequence_rule>(byte % 3);
  out.checksum = checksums[byte / 4 % 4];
  out.checksum_levels = 10;
  out.zero_is_no_checksum = (byte & 16) != 0;
  out.cut_beyond_depth = (byte & 32) != 0;
  out.depth = 4;
  out.joined_image = (byte & 64) != 0;
  out.image_in_band = (byte & 128) == 0;
  return out;
}

/// Follows the machine through its hook; images are told by the caller.
struct follower {
  test::map_book book;
  std::size_t depth = 0;

  void take(std::span<const level> bids, std::span<const level> asks) {
    for (const auto& l : bids) book.apply(side::buy, l.at, l.quantity);
    for (const auto& l : asks) book.apply(side::sell, l.at, l.quantity);
    if (depth != 0) test::cut_to(book, depth);
  }
};

std::vector<level> rows_of(bytes& in, std::int64_t from) {
  std::vector<level> out(in.next() % 6);
  for (auto& l : out) {
    const auto byte = in.next();
    l = {{from + byte % 16}, {byte / 32}};
  }
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes in{{data, size}};
  const auto rules = rules_of(in.next());
  const machine_limits limits{8, 32, 24};
  const auto machine = make_book_machine(rules, {price{1}, 256}, {1, 0}, limits);
  follower oracle;
  oracle.depth = rules.cut_beyond_depth ? rules.depth : 0;
  const auto follow = [](void* self, const depth_event& c, const order_book&) {
    static_cast<follower*>(self)->take(c.bids, c.asks);
  };
  machine->on_applied(follow, &oracle);
  std::uint64_t number = 1000;
  while (!in.left.empty()) {
    const auto what = in.next();
    const auto bids = rows_of(in, 92);
    const auto asks = rows_of(in, 104);
    const auto sum = static_cast<std::uint32_t>(in.next() % 2);
    auto step = build_step::ignored;
    if (what % 16 == 0) machine->reset();
    else if (what % 4 == 1) {
      image_event image;
      image.last = number - what / 16 % 4;
      image.bids = bids, image.asks = asks;
      image.has_checksum = (what & 128) != 0;
      image.checksum = sum;
      // A machine that waits for this image clears its book even when it finds a fault in it.
      const bool taken = machine->needs_image() || machine->rules().family != book_family::ranged;
      const auto before = oracle.book;
      if (taken) oracle.book.clear(), oracle.take(bids, asks);
      step = machine->on_image(image);
      if (step == build_step::ignored || step == build_step::too_old) oracle.book = before;
    } else {
      depth_event change;
      change.previous = number - (what & 16 ? 1 : 0);
      change.has_previous = (what & 32) != 0;
      change.first = number + (what & 64 ? 0 : 1);
      change.last = number += what / 4 % 4;
      change.has_checksum = (what & 128) != 0;
      change.checksum = sum;
      change.bids = bids, change.asks = asks;
      step = machine->on_depth(change);
    }
    const bool moved =
        step == build_step::applied || step == build_step::bridged || step == build_step::replaced;
    if (moved && !machine->valid()) found("a step that ends valid left the machine invalid");
    if (is_fault(step) && machine->valid()) found("a fault left the machine valid");
    if (!machine->valid()) continue;
    if (machine->book().crossed()) found("a crossed book is valid");
    if (machine->book().levels(side::buy) > limits.max_levels) found("an overlong book is valid");
    if (const auto why = test::whole_difference(machine->book(), oracle.book); !why.empty()) found(why);
  }
  return 0;
}
