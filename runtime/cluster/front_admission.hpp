#pragma once

/// Who may knock at the cluster port: caps on connections overall and per address, a share of its own for
/// the hosts of nodes.conf, and a throttle for the log. Pure: instants are handed in. Not thread-safe.

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/errc.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace troupe {

struct admission_limits {
  std::size_t waiting = 64;           ///< connections that have not proven who they are
  std::size_t waiting_strangers = 32; ///< of those, from addresses that are no host of nodes.conf
  std::size_t waiting_per_address = 16;
  std::size_t proven = 256;             ///< connections of peers
  std::size_t proven_per_peer = 16;     ///< a link and a few command-line programs
  std::size_t accepts_per_second = 200; ///< more wait in the kernel's queue
};

class front_admission {
public:
  front_admission(admission_limits limits, std::set<std::string> known_addresses)
      : limits_{limits}, known_{std::move(known_addresses)} {}

  /// A connection arrives; admitted, it counts as waiting until `proven` or `gone`.
  status arrive(const std::string& address);
  /// It has shown the certificate of `peer`.  Refused, it goes on waiting until `gone`.
  status prove(const std::string& address, const std::string& peer);
  /// A waiting connection ends.
  void gone(const std::string& address);
  /// A proven connection ends.
  void left(const std::string& peer);

  /// May one more connection be taken in now? False: look again in the returned time.
  bool may_accept(steady_time now, nanoseconds& again);

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t proven() const noexcept { return proven_; }

private:
  admission_limits limits_;
  std::set<std::string> known_;
  std::map<std::string, std::size_t> by_address_; // waiting
  std::map<std::string, std::size_t> by_peer_;    // proven
  std::size_t waiting_ = 0;
  std::size_t strangers_ = 0;
  std::size_t proven_ = 0;
  steady_time second_{};
  std::size_t accepted_ = 0; // within second_
};

/// Lets a line through once in ten seconds per key, and says how many were left out before it. Bounded:
/// behind 256 keys all others share one.
class line_throttle {
public:
  static constexpr nanoseconds every = std::chrono::seconds{10};

  struct verdict {
    bool write = false;
    std::uint64_t left_out = 0;
  };
  verdict ask(const std::string& key, steady_time now);

private:
  struct entry {
    steady_time written;
    std::uint64_t left_out = 0;
  };
  std::map<std::string, entry> entries_;
};

} // namespace troupe
