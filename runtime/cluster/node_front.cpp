#include "runtime/cluster/node_front.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/node_id.hpp>

namespace troupe {
namespace {

/// As it stands at the begin of a client hand-shake.
std::string node_id_bytes(const caf::node_id& id) {
  std::vector<char> out;
  caf::binary_serializer sink{nullptr, out};
  if (auto failed = sink(const_cast<caf::node_id&>(id))) return {};
  return {out.begin(), out.end()};
}

} // namespace

result<std::shared_ptr<cluster_front>> make_front(front_options options, const nodes_conf& conf,
                                                  const std::string& name) {
  if (!conf.any_tls()) return std::shared_ptr<cluster_front>{};
  options.conf = conf;
  options.node = name;
  return cluster_front::start(std::move(options));
}

node_spec way_to(const cluster_front* front, const node_spec& node) {
  auto out = node;
  if (front == nullptr || !node.tls) return out;
  out.host = "127.0.0.1";
  out.port = front->port_to(node.name.text);
  return out;
}

std::string dial_words(const cluster_front* front, const std::string& peer, std::string otherwise) {
  const auto words = front == nullptr ? std::string{} : front->last_trouble(peer);
  return words.empty() ? otherwise : words;
}

std::string certificate_trouble(const cluster_front* front, const node_spec* self, const node_name& claimed,
                                const caf::node_id& from) {
  if (front == nullptr || self == nullptr || !self->tls) return {};
  const auto shown = front->certified_as(node_id_bytes(from));
  if (shown.size() == 1 && *shown.begin() == claimed.text) return {};
  if (shown.empty())
    return "the hello of '" + claimed.text + "' did not come through the TLS front of '" + self->name.text
           + "'";
  std::string names;
  for (const auto& name : shown)
    names += (names.empty() ? "'" : ", '") + name + "'";
  return "the hello says '" + claimed.text + "', but the certificate of its connection is that of " + names;
}

} // namespace troupe
