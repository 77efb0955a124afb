#include "tools/cluster_torture/nemesis.hpp"

#include "messages/json.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace troupe::cluster_torture {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, fault_kinds> names{"kill",  "pause", "black_hole", "deaf",      "mute",
                                                          "reset", "slow",  "lossy",      "stop_start"};

/// splitmix64 (Steele, Lea, Flood 2014): the same numbers with every library.
class dice {
public:
  explicit dice(std::uint64_t seed) : state_{seed} {}
  std::uint64_t draw() {
    state_ += 0x9e3779b97f4a7c15ULL;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(draw() >> 11) * 0x1.0p-53; }
  /// Between two times, even in their logarithm.
  nanoseconds between(nanoseconds low, nanoseconds high) {
    const auto from = std::log(static_cast<double>(low.count())), to = std::log(static_cast<double>(high.count()));
    return nanoseconds{std::llround(std::exp(from + (to - from) * uniform()))};
  }

private:
  std::uint64_t state_;
};

/// Hands out all numbers below `count` in random order, again and again.
class deck {
public:
  explicit deck(std::size_t count) : count_{count} {}
  std::size_t deal(dice& random) {
    if (left_.empty())
      for (std::size_t n = 0; n < count_; ++n) left_.push_back(n);
    const auto at = left_.begin() + static_cast<std::ptrdiff_t>(random.draw() % left_.size());
    const auto out = *at;
    left_.erase(at);
    return out;
  }

private:
  std::size_t count_;
  std::vector<std::size_t> left_;
};

nanoseconds length_of(fault_kind kind, const nemesis_options& options, dice& random) {
  switch (kind) {
  case fault_kind::kill:
  case fault_kind::stop_start: return 0ns;
  case fault_kind::pause: return random.between(100ms, std::max<nanoseconds>(options.longest_pause, 200ms));
  case fault_kind::reset: return random.between(100ms, 1s);
  case fault_kind::black_hole:
  case fault_kind::deaf:
  case fault_kind::mute: return random.between(500ms, 12s);
  case fault_kind::slow:
  case fault_kind::lossy: return random.between(2s, 8s);
  }
  return 0ns;
}

} // namespace

std::string_view name_of(fault_kind kind) noexcept { return names[static_cast<std::size_t>(kind)]; }

bool of_network(fault_kind kind) noexcept {
  return kind != fault_kind::kill && kind != fault_kind::pause && kind != fault_kind::stop_start;
}

std::vector<cluster_fault> plan_faults(const std::vector<victim>& victims, const nemesis_options& options) {
  std::vector<cluster_fault> out;
  dice random{options.seed};
  deck kinds{fault_kinds}, nodes{victims.size()};
  auto at = options.quiet_start;
  const auto end = options.length - options.quiet_end;
  while (at < end) {
    cluster_fault next;
    next.at = at;
    next.kind = static_cast<fault_kind>(kinds.deal(random));
    next.node = victims[nodes.deal(random)].node;
    next.lasts = std::min(length_of(next.kind, options, random), end - at);
    at += next.lasts + options.between + random.between(100ms, 2s);
    out.push_back(std::move(next));
  }
  return out;
}

std::string to_json(const std::vector<cluster_fault>& plan) {
  json_writer w;
  w.begin_array();
  for (const auto& fault : plan)
    w.begin_object()
        .field("at_ms", fault.at.count() / 1'000'000)
        .field("kind", name_of(fault.kind))
        .field("node", fault.node)
        .field("lasts_ms", fault.lasts.count() / 1'000'000)
        .end_object();
  w.end_array();
  return std::move(w).text();
}

} // namespace troupe::cluster_torture
