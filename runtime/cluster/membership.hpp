#pragma once

/// Who is in the cluster: a pure state machine over the peers of nodes.conf. The owner (the member
/// actor) feeds it time and what it hears, and carries out the events it returns. No CAF, no clock.
///
/// A peer's life: `joining` (no confirmed link) → `up` (hello accepted, both directories exchanged, a
/// heartbeat answered) → `suspected` (connection lost, or silent) → `up` again or replaced by a newer
/// incarnation; `leaving` after a farewell; `dead` once declared so. An incarnation that was replaced
/// or declared dead is refused for ever; a newer one takes its place at once.
///
/// Who declares death is not decided here: after `stable_after` of suspicion the event `settled` says
/// that a vote may begin (`quorum.hpp`), and `declare_dead` takes the outcome. A declaration is for ever and
/// goes out in every hello: that is how the dead one learns of it when the link heals, and ends.

#include "messages/cluster.hpp"

#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe {

enum class peer_state : std::uint8_t { joining, up, suspected, leaving, dead };

std::string_view to_string(peer_state state) noexcept;

/// All times are steady time. The defaults keep DESIGN's promise: with a tick every 100 ms or more
/// often, a silent peer is noticed within 1.5 s.
struct membership_options {
  nanoseconds ping_interval = std::chrono::milliseconds{500};
  nanoseconds silent_after = std::chrono::milliseconds{1350}; ///< silence that makes a peer suspected
  nanoseconds abandon_after = std::chrono::seconds{4};            ///< silence that gives the link up
  nanoseconds stable_after = std::chrono::seconds{5};         ///< suspicion that may be voted on
  nanoseconds join_timeout = std::chrono::seconds{3};         ///< for one attempt, dial to up
  nanoseconds retry_least = std::chrono::milliseconds{250};   ///< pause between dials, doubled ...
  nanoseconds retry_most = std::chrono::seconds{1};           ///< ... up to this, plus up to 25 % jitter: it is part
                                                              ///< of how long a node that came back stays unused
  double suspicion_warning = 3;                               ///< phi from which the warning band begins
  double suspicion_threshold = 25;                            ///< phi that suspects before `silent_after`
  bool accept_other_builds = false;                           ///< only during a rolling upgrade
};

/// What the owner has to do.
struct member_event {
  enum class kind : std::uint8_t {
    dial,    ///< connect to the peer and say hello
    ping,    ///< send a heartbeat with `sequence`
    up,      ///< the peer counts from now on; its names may be used
    down,    ///< fail what waits for it, withdraw its names; `drop_link` says whether the link is gone too
    warning, ///< suspicion entered the warning band
    settled, ///< suspected for `stable_after`: a vote may begin
  };
  kind what;
  node_name peer;
  std::uint64_t incarnation = 0;
  std::uint64_t sequence = 0;
  bool drop_link = false;
  std::string why{};
};

/// Answer to a hello.
struct admission {
  bool accepted = false;
  std::string refused;         ///< in words, with both sides' values
  bool sender_is_dead = false; ///< its incarnation is dead for ever: it has to end
  bool self_is_dead = false;   ///< the peer knows that this node was declared dead: this one has to end
  std::vector<member_event> events;
};

/// One peer as shown in status and metrics.
struct peer_view {
  node_name name;
  peer_state state = peer_state::joining;
  std::uint64_t incarnation = 0;
  double suspicion = 0; ///< phi: 1 = one in ten, 3 = one in a thousand heartbeats comes later
  bool warning = false;
  bool settled = false;
  nanoseconds silence{};    ///< since it was last heard
  nanoseconds round_trip{}; ///< of the last answered heartbeat
  nanoseconds in_state{};
  std::uint64_t joins = 0; ///< times it came up
  std::string build;
  std::string last_trouble; ///< newest refusal or loss, in words
};

/// Suspicion after `silence` when heartbeats come `mean` apart with deviation `deviation`:
/// -log10 of the probability that a heartbeat comes even later, capped at 40. The normal tail is
/// approximated by the logistic function 1/(1+exp(-y(1.5976+0.070566y²))) (Bowling et al. 2009).
double suspicion_value(nanoseconds silence, nanoseconds mean, nanoseconds deviation) noexcept;

class membership {
public:
  /// `self`: this node's hello. `peers`: the others of nodes.conf; those named in `dialled` are dialled
  /// by this side, the others dial us. `seed` drives the jitter only.
  membership(hello self, std::vector<node_name> peers, std::vector<node_name> dialled,
             membership_options options, std::uint64_t seed);

  /// Time passes: due dials, heartbeats, suspicions. To be called at least every 100 ms. A gap of more
  /// than a second between two calls means that this node itself stood still; nobody is suspected for it.
  std::vector<member_event> tick(steady_time now);

  /// A hello arrived (or the hello in the answer to ours): admit the peer or refuse it.
  admission admit(const hello& peer, steady_time now);

  /// A dial led to nothing.
  void dial_failed(const node_name& peer, std::string why, steady_time now);

  /// The peer acknowledged our full directory / sent its own.
  std::vector<member_event> directory_taken(const node_name& peer, std::uint64_t incarnation,
                                            steady_time now);
  std::vector<member_event> directory_given(const node_name& peer, std::uint64_t incarnation,
                                            steady_time now);

  /// Anything was heard from that incarnation. `answered`: the number of our ping that it answers.
  std::vector<member_event> heard(const node_name& peer, std::uint64_t incarnation,
                                  std::optional<std::uint64_t> answered, steady_time now);

  /// The connection to that incarnation is gone.
  std::vector<member_event> link_lost(const node_name& peer, std::uint64_t incarnation, std::string why,
                                      steady_time now);

  /// That incarnation said farewell.
  std::vector<member_event> farewell(const node_name& peer, std::uint64_t incarnation, steady_time now);

  /// That incarnation is dead for ever.
  std::vector<member_event> declare_dead(const node_name& peer, std::uint64_t incarnation, std::string why,
                                         steady_time now);

  /// What a peer's hello or heartbeat says of the dead; what concerns this node itself is left out.
  std::vector<member_event> learn_dead(const std::vector<node_start>& dead, steady_time now);

  /// Whether one of these is this node's own start.
  [[nodiscard]] bool names_self(const std::vector<node_start>& dead) const noexcept;

  /// Every start that was declared dead; also in this node's hello. Survives in the owner's keeping.
  [[nodiscard]] const std::vector<node_start>& declared() const noexcept { return self_.dead; }

  /// Starts suspected for `stable_after`, as this node brings them into a vote.
  [[nodiscard]] std::vector<node_start> suspects() const;

  /// Peers that are up.
  [[nodiscard]] std::vector<node_name> reached() const;

  [[nodiscard]] std::vector<peer_view> view(steady_time now) const;
  [[nodiscard]] std::optional<peer_view> view_of(const node_name& peer, steady_time now) const;
  [[nodiscard]] bool is_up(const node_name& peer, std::uint64_t incarnation) const noexcept;
  /// True for an incarnation that is neither dead nor replaced.
  [[nodiscard]] bool is_current(const node_name& peer, std::uint64_t incarnation) const noexcept;
  /// True for an incarnation of a known peer that is dead or was replaced by a newer one.
  [[nodiscard]] bool is_outlived(const node_name& peer, std::uint64_t incarnation) const noexcept;
  /// Whether peers of another build are welcome from now on: while a rolling upgrade is under way.
  void accept_other_builds(bool yes) noexcept { options_.accept_other_builds = yes; }
  [[nodiscard]] const hello& self() const noexcept { return self_; }
  [[nodiscard]] const membership_options& options() const noexcept { return options_; }

private:
  struct peer {
    node_name name;
    bool dialled = false;
    peer_state state = peer_state::joining;
    std::uint64_t incarnation = 0; // newest that was admitted
    std::uint64_t dead_up_to = 0;  // this one and all before are dead
    bool linked = false;           // hello accepted, connection not known to be lost
    bool given = false, taken = false, answered = false;
    bool dialling = false;
    bool settled = false;
    bool warned = false;
    std::uint32_t failures = 0; // dials in a row that led to nothing
    std::uint64_t joins = 0;
    std::uint64_t ping_sequence = 0;
    steady_time next_dial{};
    steady_time attempt_until{};
    steady_time last_ping{};
    steady_time last_heard{};
    steady_time since{};
    nanoseconds round_trip{};
    std::deque<std::int64_t> intervals; // newest gaps between what was heard, ns
    std::string build;
    std::string last_trouble;
  };

  peer* find(const node_name& name) noexcept;
  [[nodiscard]] const peer* find(const node_name& name) const noexcept;
  [[nodiscard]] std::string refusal(const hello& other, const peer* known, bool& sender_is_dead) const;
  [[nodiscard]] double suspicion(const peer& p, steady_time now) const;
  void remember_declared(const node_start& what);
  void set_state(peer& p, peer_state next, steady_time now);
  void schedule_dial(peer& p, steady_time now);
  void drop(peer& p, peer_state next, std::string why, steady_time now, std::vector<member_event>& out);
  void suspect_silent(peer& p, steady_time now, std::vector<member_event>& out);
  void tick_peer(peer& p, steady_time now, std::vector<member_event>& out);
  void try_up(peer& p, steady_time now, std::vector<member_event>& out);

  hello self_;
  membership_options options_;
  std::vector<peer> peers_;
  std::optional<steady_time> last_tick_;
  std::mt19937_64 random_;
};

} // namespace troupe
