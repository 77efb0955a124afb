#include "tools/netlab/link_faults.hpp"

namespace troupe::netlab {

/// splitmix64 (Steele, Lea, Flood 2014).
std::uint64_t link_faults::draw() {
  state_ += 0x9e3779b97f4a7c15ULL;
  auto z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void link_faults::set(std::size_t from, std::size_t to, const link_fault& fault) {
  if (fault == link_fault{})
    faults_.erase({from, to});
  else
    faults_[{from, to}] = fault;
}

verdict link_faults::decide(std::size_t from, std::size_t to) {
  const auto found = faults_.find({from, to});
  if (found == faults_.end()) return {};
  const auto& fault = found->second;
  verdict out;
  if (fault.black_hole || strikes(fault.lost)) {
    out.pass = false;
    return out;
  }
  out.reset = fault.reset;
  out.twice = strikes(fault.duplicated);
  out.after = fault.delay;
  if (fault.jitter.count() > 0)
    out.after += nanoseconds{static_cast<std::int64_t>(draw() % static_cast<std::uint64_t>(fault.jitter.count()))};
  return out;
}

} // namespace troupe::netlab
