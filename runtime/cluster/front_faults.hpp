#pragma once

/// Faults that the rig puts on links, decided here and carried out by the front. Off unless the setting
/// `cluster.rig.faults` names a file; then the front reads that file again whenever it changes.
///
/// One fault a line, `#` starts a comment; NODE is a peer's name or `*`:
/// ```
/// seed 7                       # of everything drawn below
/// model both black-hole        # nothing passes, nothing closes
/// exec  to   delay 50ms jitter 20ms
/// train from loss 5%           # a lost piece comes 200 ms late, as after a retransmission
/// *     both cut               # connections are reset, new ones refused
/// ```
/// `to` and `from` are seen from this node. A direction passes one piece of up to 64 KiB at a time, so a
/// delay also limits its throughput. Pure; same seed and same questions give the same answers.

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/errc.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

enum class link_direction : std::uint8_t { to_peer, from_peer };

struct link_fault {
  enum class kind : std::uint8_t { delay, loss, black_hole, cut };
  std::string peer; ///< "*": every peer
  bool to = true;
  bool from = true;
  kind what = kind::delay;
  nanoseconds delay{};        ///< kind::delay
  nanoseconds jitter{};       ///< kind::delay: up to so much more
  std::uint32_t loss_ppm = 0; ///< kind::loss

  friend bool operator==(const link_fault&, const link_fault&) = default;
};

struct link_fault_plan {
  std::uint64_t seed = 1;
  std::vector<link_fault> faults;
  friend bool operator==(const link_fault_plan&, const link_fault_plan&) = default;
};

/// Parses the text above. Errors name `file:line` and what to write.
result<link_fault_plan> parse_link_faults(std::string_view text, std::string_view file);

/// Not thread-safe.
class link_faults {
public:
  link_faults() = default;
  explicit link_faults(link_fault_plan plan) : plan_{std::move(plan)}, state_{plan_.seed} {}

  /// How long the next piece is kept back; zero: it passes at once.
  nanoseconds hold(std::string_view peer, link_direction direction);
  /// Nothing passes in this direction, and its end is not told either.
  [[nodiscard]] bool black_hole(std::string_view peer, link_direction direction) const;
  /// The peer's connections are reset and no new ones are let in.
  [[nodiscard]] bool cut(std::string_view peer) const;
  [[nodiscard]] bool any() const noexcept { return !plan_.faults.empty(); }

private:
  [[nodiscard]] bool concerns(const link_fault& fault, std::string_view peer, link_direction direction) const;
  std::uint64_t draw(std::uint64_t below);

  link_fault_plan plan_;
  std::uint64_t state_ = 1;
};

} // namespace troupe
