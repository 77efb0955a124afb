#pragma once

/// Where the TLS front (`front.hpp`) meets CAF: a node's or program's front, the way to a peer through it,
/// and whether a peer that says who it is came with that node's certificate.

#include "runtime/cluster/front.hpp"

#include <caf/fwd.hpp>

#include <memory>

namespace troupe {

/// The front of node `name` (empty: of an operator's program). Null where no node of `conf` is behind TLS.
result<std::shared_ptr<cluster_front>> make_front(front_options options, const nodes_conf& conf,
                                                  const std::string& name);

/// Where CAF is to connect for that node: its own address, or the front's loopback port that leads there.
node_spec way_to(const cluster_front* front, const node_spec& node);

/// What the front knows of a dial that CAF reports as failed; CAF's words where it knows nothing.
std::string dial_words(const cluster_front* front, const std::string& peer, std::string otherwise);

/// Why a hello that claims to be of `claimed` is refused: the connection of that CAF node id came in with
/// another node's certificate, or past the front. Empty where it fits, and where `self` is not behind TLS.
std::string certificate_trouble(const cluster_front* front, const node_spec* self, const node_name& claimed,
                                const caf::node_id& from);

} // namespace troupe
