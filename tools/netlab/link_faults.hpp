#pragma once

/// What happens to the packets from one host of the laboratory to another, decided packet by packet from one seed.
/// Pure.

#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <utility>

namespace troupe::netlab {

/// A direction between two hosts. All zero: packets pass as they come.
struct link_fault {
  bool black_hole = false;      ///< packets vanish, nobody is told
  bool reset = false;           ///< each TCP connection that shows itself is reset at both ends
  nanoseconds delay{0};         ///< of every packet
  nanoseconds jitter{0};        ///< up to so much more, at random: packets overtake each other
  std::uint32_t lost = 0;       ///< of a million
  std::uint32_t duplicated = 0; ///< of a million
  friend bool operator==(const link_fault&, const link_fault&) = default;
};

/// What becomes of one packet.
struct verdict {
  bool pass = true;
  bool reset = false;
  bool twice = false;
  nanoseconds after{0};
};

/// Faults by direction, in the order of host numbers. Not thread-safe.
class link_faults {
public:
  explicit link_faults(std::uint64_t seed) : state_{seed} {}

  void set(std::size_t from, std::size_t to, const link_fault& fault);
  /// Everything passes again.
  void clear() { faults_.clear(); }

  verdict decide(std::size_t from, std::size_t to);

private:
  std::uint64_t draw();
  bool strikes(std::uint32_t of_a_million) { return of_a_million != 0 && draw() % 1'000'000 < of_a_million; }

  std::uint64_t state_;
  std::map<std::pair<std::size_t, std::size_t>, link_fault> faults_;
};

} // namespace troupe::netlab
