#pragma once

/// What the TLS front says of itself, for `troupe status`, the console and metrics. A plain value.

#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// A connection between this process and a peer that has shown who it is.
struct front_link {
  std::string peer;
  bool dialled = false; ///< by us
  std::string address;  ///< the peer's end
  nanoseconds open_for{};
  nanoseconds silent_for{}; ///< since the last byte of the peer
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;
  nanoseconds round_trip{};      ///< as the kernel measures it on the peer's socket
  std::uint64_t retransmits = 0; ///< segments sent again
  std::uint64_t credit = 0;      ///< bytes that may still go out before the peer has to answer, by TCP's window
};

/// What has happened with a peer since the start.
struct front_peer {
  std::string peer;
  std::uint64_t opened = 0; ///< connections, both ways
  std::uint64_t faults = 0; ///< dials that failed and connections that did not end in order
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::string last_trouble;
  nanoseconds trouble_ago{};
};

struct front_report {
  std::string listening;   ///< "10.0.0.2:4410"; empty: dials only
  std::string certificate; ///< whose name it shows
  std::string certificate_until;
  std::int64_t certificate_days_left = 0;
  std::vector<front_link> links;
  std::vector<front_peer> peers;
  std::uint64_t accepted = 0; ///< connections taken in, whoever they were
  std::uint64_t waiting = 0;  ///< of those, not proven yet
  std::map<std::string, std::uint64_t>
      refused;            ///< by kind: cap, silent, closed, not-tls, tls, certificate, framing
  bool faults_on = false; ///< the rig disturbs links
};

/// One JSON object with these fields; times in microseconds and milliseconds as their names say.
std::string to_json(const front_report& report);

} // namespace troupe
