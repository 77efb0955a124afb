#pragma once

/// Several training streams as one. Each store numbers the stream of its own instruments from 1; a trainer
/// that learns from several takes their rows as they come and gives them numbers of its own, which it counts as
/// consumed. How far it is in each stream becomes durable together with the weights (P7). Pure.
///
/// With one store its numbers are kept as they are.

#include "messages/learning.hpp"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace troupe {

class stream_positions {
public:
  /// At the begin of all streams. @pre at least one store, no name twice
  explicit stream_positions(std::vector<std::string> stores = {"store"});

  using rows_type = std::map<std::string, std::uint64_t>;

  /// Goes on from weights that have consumed so many rows, with the positions that were kept with them; none
  /// where there was only one store then, whose stream the first store goes on with.
  void resume(std::uint64_t consumed, const rows_type& positions);

  /// Behind which number of its own the store is to be asked next.
  [[nodiscard]] std::uint64_t after(const std::string& store) const;

  /// Takes what a store answered: rows known already are left out, the others are numbered and handed out.
  std::vector<snapshot> take(const std::string& store, const std::vector<snapshot>& rows);

  /// The effect of the next `count` rows that were handed out is in the weights.
  void consumed(std::size_t count);

  /// How far the weights are in each stream, to be kept with them.
  [[nodiscard]] const rows_type& trained() const noexcept { return trained_; }

  [[nodiscard]] const std::vector<std::string>& stores() const noexcept { return stores_; }

private:
  struct row {
    std::string store;
    std::uint64_t sequence = 0;
  };

  std::vector<std::string> stores_;
  rows_type trained_; // also of stores that are no longer configured
  rows_type pulled_;
  std::deque<row> open_; // handed out, not yet in the weights
  std::uint64_t last_number_ = 0;
};

} // namespace troupe
