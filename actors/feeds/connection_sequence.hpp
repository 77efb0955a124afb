#pragma once

/// Family D: venues that number all messages of a connection instead of each book's changes.

#include <cstdint>

namespace troupe {

/// Follows a number that grows by one with every message of a connection, whatever the message is about, from
/// any start. One break taints every book of the connection: the protocol answers `inbound_kind::broken`, the
/// session reconnects. Coinbase Advanced Trade: `sequence_num`; Bitfinex: the last element with SEQ_ALL.
/// Not thread-safe.
class connection_sequence {
public:
  enum class step : std::uint8_t {
    next,  ///< the first number, or the one behind the last
    broken ///< a hole, a repeat or a step back; the number taken is the new start
  };

  step take(std::uint64_t number) noexcept {
    const bool good = count_ == 0 || (number == last_ + 1 && number != 0);
    if (!good) {
      ++breaks_;
      if (number > last_) missing_ += number - last_ - 1;
    }
    last_ = number;
    ++count_;
    return good ? step::next : step::broken;
  }

  /// A new connection: any number may come first.
  void reset() noexcept { count_ = last_ = 0; }

  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }     ///< of this connection
  [[nodiscard]] std::uint64_t breaks() const noexcept { return breaks_; }   ///< over all connections
  [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; } ///< numbers within the holes

private:
  std::uint64_t last_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t breaks_ = 0;
  std::uint64_t missing_ = 0;
};

} // namespace troupe
