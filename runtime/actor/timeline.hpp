#pragma once

/// What happened in this process lately: a ring of spawns, exits, restarts, long handlers and links.

#include "messages/introspection.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

enum class timeline_event : std::uint8_t { spawn, exit, restart, handler, link_up, link_down, stall, clock };

std::string_view to_text(timeline_event what) noexcept;

/// Thread-safe. Holds the newest 16384 rows; names and details are cut at 120 bytes.
class timeline {
public:
  static constexpr std::size_t capacity = 16384;

  /// The ring of this process. Lives for ever.
  static timeline& instance();

  /// Something that happens now.
  void add(timeline_event what, std::string_view actor, std::string_view detail) noexcept;

  /// A handler that took long. `type`: key of the message type; `since`: steady ns.
  void add_handler(std::string_view actor, std::uintptr_t type, std::int64_t since,
                   std::int64_t took) noexcept;

  /// Rows with numbers above `after`, oldest first. `wall_minus_steady`: what turns steady time into
  /// UTC. Fills rows, newest and lost.
  [[nodiscard]] timeline_page page(std::uint64_t after, std::size_t limit,
                                   std::int64_t wall_minus_steady) const;

private:
  struct row {
    std::int64_t at = 0;
    std::int64_t took = 0;
    timeline_event what{};
    std::uintptr_t type = 0;
    std::string actor;
    std::string detail;
  };
  void put(row x);

  mutable std::mutex guard_;
  std::vector<row> rows_; // row number n lies at (n - 1) % capacity
  std::uint64_t newest_ = 0;
};

} // namespace troupe
