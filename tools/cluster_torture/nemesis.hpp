#pragma once

/// The plan of a cluster's torture: which node suffers what, when and for how long, from one seed. The same seed gives
/// the same plan, whatever the machine. Pure.

#include "messages/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cluster_torture {

/// What is done to a node.
enum class fault_kind : std::uint8_t {
  kill,       ///< kill -9; its parent starts it again
  pause,      ///< SIGSTOP, later SIGCONT
  black_hole, ///< no packet comes or goes
  deaf,       ///< packets to it vanish, its own arrive
  mute,       ///< its packets vanish, others' arrive
  reset,      ///< its connections are reset as they show themselves
  slow,       ///< packets take their time and overtake each other
  lossy,      ///< 5 % of the packets are lost
  stop_start, ///< stopped in order and started again
};
inline constexpr std::size_t fault_kinds = 9;

std::string_view name_of(fault_kind kind) noexcept;
/// True where the network is at fault: that is what `lasts` of and is healed.
bool of_network(fault_kind kind) noexcept;

/// A node that may suffer.
struct victim {
  std::string node;
  bool votes = false; ///< has a voice in who is dead
};

struct cluster_fault {
  nanoseconds at{0}; ///< behind the begin of the torture; earlier only when the last recovery took longer
  fault_kind kind = fault_kind::kill;
  std::string node;
  nanoseconds lasts{0};
  friend bool operator==(const cluster_fault&, const cluster_fault&) = default;
};

struct nemesis_options {
  std::uint64_t seed = 1;
  nanoseconds length{0};
  nanoseconds quiet_start = std::chrono::seconds{10}; ///< the first fault comes behind it
  nanoseconds quiet_end = std::chrono::seconds{15};   ///< no fault in the last …
  nanoseconds between = std::chrono::seconds{2};      ///< from a fault's end to the next one, at least
  nanoseconds longest_pause = std::chrono::seconds{60};
};

/// Every kind of fault comes before any comes again, and so does every node; lengths are spread evenly over their
/// logarithm. A fault may be longer than what is left between the quiet times: then it is cut.
/// @pre victims is not empty
std::vector<cluster_fault> plan_faults(const std::vector<victim>& victims, const nemesis_options& options);

/// The plan as JSON, for the report.
std::string to_json(const std::vector<cluster_fault>& plan);

} // namespace troupe::cluster_torture
