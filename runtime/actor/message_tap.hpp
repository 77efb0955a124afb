#pragma once

/// Watching messages as actors handle them: of one actor, or of all that name one order. While nobody
/// watches it costs one look at a variable the handler has in hand anyway.
///
/// Every tap is bounded in count, in rate and in time; it ends by itself, whatever becomes of who
/// started it.

#include "messages/error.hpp"
#include "messages/introspection.hpp"
#include "runtime/actor/errc.hpp"

#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

struct actor_stats;

/// Given as the id, it stands for the first order that comes from now on.
inline constexpr std::string_view next_order = "next";

/// One tap. Thread-safe.
class message_tap {
public:
  /// Rows that wait to be fetched; more overwrite the oldest.
  static constexpr std::size_t ring_size = 1000;

  /// Bounds are clamped to those of `tap_start`. `type`: key of the message type, 0 = all.
  message_tap(std::uint64_t number, const tap_start& what, std::uintptr_t type, std::int64_t now);

  /// A handler begins. `now`: steady ns.
  void offer(const actor_stats& actor, const caf::mailbox_element& x, std::int64_t now);

  /// Something that `actor` took over otherwise than by a message.
  void offer(const std::string& actor, const std::string& sender, const caf::message& content, std::int64_t now);

  /// Takes up to `limit` rows out. `wall_minus_steady` turns steady time into UTC. Fills everything but node,
  /// incarnation and at.
  tap_page take(std::size_t limit, std::int64_t now, std::int64_t wall_minus_steady);

  /// The first end counts.
  void end(std::string why);

  [[nodiscard]] bool over(std::int64_t now);
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  [[nodiscard]] const std::string& actor() const noexcept { return what_.actor; }

private:
  struct caught {
    tap_row row;
    std::int64_t at;
  };
  [[nodiscard]] bool due(std::int64_t now);
  void offer(const caf::type_erased_tuple& content, std::uintptr_t type, caught found);
  [[nodiscard]] bool follows(const caf::type_erased_tuple& content, const caught& found);
  void add(caught found);

  const std::uint64_t number_;
  const tap_start what_;
  const std::uintptr_t type_;
  const std::int64_t until_;
  std::atomic<bool> ended_{false};
  std::mutex guard_;
  std::deque<caught> rows_;
  std::uint64_t shown_ = 0;
  std::uint64_t matched_ = 0;
  std::uint64_t limited_ = 0;
  std::uint64_t lost_ = 0;
  std::int64_t second_since_ = 0;
  std::uint32_t in_second_ = 0;
  std::string why_;
  std::vector<std::string> ids_;                            ///< of the order
  std::optional<std::pair<std::string, caught>> candidate_; ///< the newest decision, while none has an order yet
};

/// The taps of this process, at most 8 at a time. Thread-safe.
class tap_registry {
public:
  static constexpr std::size_t most_taps = 8;

  static tap_registry& instance();

  /// Errors in words: too many taps, neither actor nor id, unknown type. An actor that does not live now
  /// may come later.
  result<std::shared_ptr<message_tap>> start(const tap_start& what, std::int64_t now);

  /// Ends a tap and takes it out of all actors. Nothing happens when it is gone already.
  void remove(std::uint64_t number, std::string why);

  /// Takes out the taps that have ended by their bounds.
  void sweep(std::int64_t now);

  /// A handler of an actor with these taps begins.
  void handled(std::uint32_t taps, const actor_stats& actor, const caf::mailbox_element& x) noexcept;

  /// Something that no message says: what an actor hands to a venue, and what comes back. `actor` took it over
  /// from `sender`; either of them may be what a tap is about.
  void noted(const std::string& actor, const std::string& sender, const caf::message& content) noexcept;

  /// The taps a new actor of that name belongs to, one bit each.
  [[nodiscard]] std::uint32_t taps_of(const std::string& actor) const noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return active_.load(std::memory_order_relaxed); }

private:
  void remove_now(std::uint64_t number, std::string why);
  void sweep_now(std::int64_t now);

  std::mutex changes_; ///< one start or end at a time: marks of a slot's old tap must be gone before a new one's
  mutable std::shared_mutex guard_;
  std::array<std::shared_ptr<message_tap>, most_taps> taps_{};
  std::atomic<std::size_t> active_{0};
  std::uint64_t last_ = 0;
};

} // namespace troupe
