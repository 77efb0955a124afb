#pragma once

/// Seeded random numbers of the learning code: same seed, same numbers on every machine and library
/// version. xoshiro256** by Blackman and Vigna (public domain), seeded by splitmix64. Its whole state
/// is four integers, so that a checkpoint can hold it.

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace troupe {

class random_stream {
public:
  using state_type = std::array<std::uint64_t, 4>;

  explicit random_stream(std::uint64_t seed = 0) noexcept {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15ULL;
      auto z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }
  explicit random_stream(const state_type& state) noexcept : state_{state} {}

  /// 64 random bits.
  std::uint64_t next() noexcept {
    const auto result = std::rotl(state_[1] * 5, 7) * 9;
    const auto t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// A whole number in [0, bound). The bias is below bound / 2^64. @pre bound > 0
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

  /// A number in [0, 1) with 53 random bits.
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// A standard normal number (Box–Muller, one of the pair is thrown away to keep the state small).
  double normal() noexcept {
    const auto radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

  [[nodiscard]] const state_type& state() const noexcept { return state_; }

private:
  state_type state_{};
};

} // namespace troupe
