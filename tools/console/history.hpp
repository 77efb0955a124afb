#pragma once

/// What the counters of many actors were a while ago, so that tables can show change over a window beside
/// absolute figures. Bounded: 14 points an actor, none for actors that were not seen for a minute.
/// Not thread-safe.

#include "tools/console/sample.hpp"

#include <array>
#include <string_view>
#include <unordered_map>

namespace troupe::console {

/// Counters of one actor at one instant.
struct history_point {
  steady_time at{};
  std::int64_t messages = 0;
  std::int64_t mailbox = 0;
  std::int64_t restarts = 0;
  std::int64_t errors = 0;
};

/// How counters changed within a window. Absent: too little is known yet.
struct change {
  nanoseconds over{}; ///< what really lies between the two instants
  figure rate;        ///< messages a second
  figure messages;
  figure mailbox;
  figure restarts;
  figure errors;
};

class actor_history {
public:
  static constexpr nanoseconds spacing = std::chrono::seconds{5}; ///< between two points that are kept
  static constexpr nanoseconds forgets_after = std::chrono::seconds{60};

  /// Takes the rows of a node's answer.
  void take(const std::string& node, steady_time at, const std::vector<actor_row>& rows);

  /// Change of an actor over the last `window`; nothing when the actor is not known.
  [[nodiscard]] change over(const std::string& node, const std::string& name, nanoseconds window) const;

  /// Drops actors that were not seen for `forgets_after`.
  void forget(steady_time now);

  [[nodiscard]] std::size_t size() const;

private:
  static constexpr std::size_t kept = 13;
  struct record {
    std::array<history_point, kept> points{};
    std::size_t count = 0;
    std::size_t next = 0;
    history_point newest{};
    history_point raw{}; ///< as the actor told last; `newest` is summed over incarnations
    void add(const history_point& told);
    [[nodiscard]] const history_point* at_or_before(steady_time t) const;
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using records = std::unordered_map<std::string, record, text_hash, std::equal_to<>>;

  std::map<std::string, records> nodes_;
};

} // namespace troupe::console
