#pragma once

/// The sending end of a high-rate edge: at most W messages are on their way unacknowledged; what
/// exceeds that waits here, one value a key, merged (newest wins, or summed). Every merge and every
/// drop is counted. Pure: the owner sends what it is handed and reports the acknowledgements.
///
/// ```
/// conflating_edge<instrument_id, quote> edge{{.window = 4, .max_keys = 64}};
/// if (auto now = edge.offer(q.instrument, q)) tell(self, dst, *now);  // else it waits
/// // on acknowledged: if (auto next = edge.acknowledged()) tell(self, dst, *next);
/// // receiver restarted: edge.reset(); then send what edge.take_ready() yields
/// ```
/// Keys are sent in the order in which they began to wait, so that no key starves.
/// Not thread-safe; belongs to one actor.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

namespace troupe {

/// Merge policy: the newer value replaces the one that waits.
struct newest_wins {
  template <class Value>
  void operator()(Value& waiting, Value&& newer) const {
    waiting = std::move(newer);
  }
};

/// Merge policy for volumes and counts: nothing is lost, the parts are added.
struct sum_up {
  template <class Value>
  void operator()(Value& waiting, Value&& newer) const {
    waiting += newer;
  }
};

struct edge_options {
  std::size_t window = 4;     ///< messages on their way without acknowledgement, ≥ 1
  std::size_t max_keys = 256; ///< keys that may wait; a further one is dropped and counted
};

struct edge_counters {
  std::uint64_t offered = 0;   ///< values handed in
  std::uint64_t sent = 0;      ///< values handed out for sending
  std::uint64_t conflated = 0; ///< values merged into one that waited
  std::uint64_t dropped = 0;   ///< values refused because `max_keys` waited
  std::uint64_t forgotten = 0; ///< unacknowledged when the receiver was lost
  friend bool operator==(const edge_counters&, const edge_counters&) = default;
};

template <class Key, class Value, class Merge = newest_wins, class Hash = std::hash<Key>>
class conflating_edge {
public:
  explicit conflating_edge(edge_options options, Merge merge = {})
      : options_{options.window == 0 ? 1 : options.window, options.max_keys}, merge_{std::move(merge)} {}

  /// Takes a value; returns it when it may be sent at once, else keeps it.
  [[nodiscard]] std::optional<Value> offer(const Key& key, Value value) {
    ++counters_.offered;
    if (const auto i = waiting_.find(key); i != waiting_.end()) {
      merge_(i->second, std::move(value));
      ++counters_.conflated;
      return std::nullopt;
    }
    // A free window means that nobody waits: `acknowledged` refills it first.
    if (in_flight_ < options_.window && order_.empty()) return send(std::move(value));
    if (waiting_.size() >= options_.max_keys) {
      ++counters_.dropped;
      return std::nullopt;
    }
    waiting_.emplace(key, std::move(value));
    order_.push_back(key);
    return std::nullopt;
  }

  /// One message was taken by the receiver; returns the next to send, if any waits. An
  /// acknowledgement too many (of a message before a reset) is ignored.
  [[nodiscard]] std::optional<Value> acknowledged() {
    if (in_flight_ > 0) --in_flight_;
    return take_ready();
  }

  /// The next waiting value if the window allows; call until empty after a reset.
  [[nodiscard]] std::optional<Value> take_ready() {
    if (in_flight_ >= options_.window || order_.empty()) return std::nullopt;
    const auto i = waiting_.find(order_.front());
    order_.pop_front();
    auto value = std::move(i->second);
    waiting_.erase(i);
    return send(std::move(value));
  }

  /// The receiver was replaced: nothing is on its way any more. What waits keeps waiting.
  void reset() {
    counters_.forgotten += in_flight_;
    in_flight_ = 0;
  }

  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return order_.size(); }
  [[nodiscard]] const edge_counters& counters() const noexcept { return counters_; }

private:
  std::optional<Value> send(Value value) {
    ++in_flight_;
    ++counters_.sent;
    return value;
  }

  edge_options options_;
  Merge merge_;
  std::unordered_map<Key, Value, Hash> waiting_;
  std::deque<Key> order_;
  std::size_t in_flight_ = 0;
  edge_counters counters_;
};

} // namespace troupe
