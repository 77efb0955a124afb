#include "actors/trainers/training_chain.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace troupe {

training_chain check_training_chain(std::span<const checkpoint_manifest> manifests) {
  std::map<std::string_view, const checkpoint_manifest*> known;
  const checkpoint_manifest* newest = nullptr;
  const auto rank = [](const checkpoint_manifest& m) { return std::tuple{m.trained_to, m.version.step}; };
  for (const auto& m : manifests) {
    known.emplace(m.version.weights, &m);
    if (!newest || rank(*newest) < rank(m)) newest = &m;
  }
  training_chain out;
  out.checkpoints = known.size();
  if (!newest) return out;
  out.trained_to = newest->trained_to;
  // Backwards: each range must end where the younger one begins. Each ancestor leaves `known`, so that a
  // ring of parents ends too.
  auto begin = newest->trained_to;
  for (const auto* m = newest; m != nullptr;) {
    ++out.lineage;
    if (m->trained_to > begin) out.trained_twice += m->trained_to - std::max(begin, m->trained_from);
    else out.gaps += begin - m->trained_to;
    begin = std::min(begin, m->trained_from);
    known.erase(m->version.weights);
    if (m->parent.empty()) {
      out.from_start = true;
      out.gaps += begin;
      break;
    }
    const auto parent = known.find(m->parent);
    m = parent == known.end() ? nullptr : parent->second;
  }
  out.abandoned = out.checkpoints - out.lineage;
  return out;
}

} // namespace troupe
