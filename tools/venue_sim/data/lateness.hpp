#pragma once

/// How late a simulated venue itself is: from the instant of an event on the market's clock to the moment at which
/// its frames were handed to the sockets. What a client measures holds this too; told apart, it says whose lag
/// it is. Pure; one owner.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe::venue_sim {

class lateness {
public:
  void add(std::int64_t ns) noexcept {
    const auto late = std::max<std::int64_t>(0, ns);
    ++counts_[std::min(places - 1, static_cast<std::size_t>(late / place_ns))];
    most_ns_ = std::max(most_ns_, late);
    ++count_;
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] double most_ms() const noexcept { return static_cast<double>(most_ns_) / 1e6; }
  /// The upper end of the place, a fifth of a millisecond wide, in which this share of all lies; beyond
  /// 400 ms the longest of all.
  [[nodiscard]] double ms(double share) const noexcept {
    const auto wanted = static_cast<double>(count_) * share;
    double seen = 0;
    for (std::size_t n = 0; n + 1 < places; ++n) {
      seen += static_cast<double>(counts_[n]);
      if (seen >= wanted && seen > 0) return static_cast<double>((n + 1) * place_ns) / 1e6;
    }
    return most_ms();
  }

private:
  static constexpr std::size_t places = 2001;
  static constexpr std::size_t place_ns = 200'000;
  std::array<std::uint32_t, places> counts_{};
  std::int64_t most_ns_ = 0;
  std::uint64_t count_ = 0;
};

} // namespace troupe::venue_sim
