#pragma once

/// The venue simulator: a process of its own that speaks Binance's REST and WebSocket protocol over TLS on
/// loopback. Its market is a recorded stream (played once or looped) or a generated one; orders of clients
/// are matched against that market by rules of its own and every accepted order, fill and cancel stands in
/// a synced ledger *before* the client hears of it. The ledger is the truth others are checked against
/// (ledger.hpp, ledger_check.hpp). It shares no encoder, decoder or book with the connectors it tests.
///
/// Everything of one simulator runs on one thread; `venue_sim_main` blocks it until the simulator is told
/// to stop (control endpoint, SIGTERM, SIGINT).

#include "messages/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace troupe::venue_sim {

enum class venue_sim_errc {
  bad_recording = 1, ///< a tape or recording can't be read or holds no usable stream
  bad_ledger,        ///< the ledger is damaged before its tail, or belongs to another simulator version
  ledger_io,         ///< the ledger can't be written or synced
  bad_option,        ///< an option contradicts another or is out of range
  network            ///< a port can't be opened, the certificate can't be made
};
std::error_code make_error_code(venue_sim_errc code) noexcept;

/// Market time as a scaled clock that several processes of one host share:
/// market_now = origin_market + rate × (steady_now - origin_steady), CLOCK_MONOTONIC being common to them.
struct scaled_clock {
  std::int64_t rate_permille = 1000; ///< 1000 = real time, 75000 = 75 times as fast
  std::int64_t origin_market_ns = 0; ///< 0: the market starts with its source's first frame
  std::int64_t origin_steady_ns = 0; ///< 0: now, when the server is ready

  [[nodiscard]] constexpr std::int64_t market_at(std::int64_t steady_ns) const noexcept {
    const auto elapsed = steady_ns - origin_steady_ns;
    const auto whole = elapsed / 1000 * rate_permille;
    return origin_market_ns + whole + elapsed % 1000 * rate_permille / 1000;
  }
  /// The steady time at which the market clock reaches `market_ns`.
  [[nodiscard]] constexpr std::int64_t steady_at(std::int64_t market_ns) const noexcept {
    const auto ahead = market_ns - origin_market_ns;
    return origin_steady_ns + ahead / rate_permille * 1000 + ahead % rate_permille * 1000 / rate_permille;
  }
};

enum class venue_kind : std::uint8_t { binance_spot, binance_usdm };

/// What a simulator is started with. Ports of 0 are chosen by the system and named in the ready line.
struct venue_sim_options {
  std::filesystem::path folder; ///< ledger, certificate authority and certificate live here
  venue_kind venue = venue_kind::binance_spot;
  std::vector<std::filesystem::path>
      tapes;              ///< recordings (.gz) or tapes of one stream, in order; empty: generated
  bool loop = true;       ///< play the recording again and again, shifted; else stop at its end
  std::uint64_t seed = 1; ///< of the generated market and of random faults
  scaled_clock clock;
  std::string address = "127.0.0.1"; ///< clients come in here; another one only within a network of test hosts
  std::uint16_t port = 0;         ///< REST, market streams and WebSocket API, told apart by path
  std::uint16_t control_port = 0; ///< plain HTTP on loopback: state, faults, stop
  std::string api_key = "simulator-key";
  std::string api_secret = "simulator-secret";
  std::string base_balance = "10";       ///< opening balance of the base asset, decimal text
  std::string quote_balance = "1000000"; ///< opening balance of the quote asset, decimal text
  int maker_fee_ppm = 1000;              ///< parts per million of the received asset (Binance: 0.1 %)
  int taker_fee_ppm = 1000;
  /// A client's recvWindow is multiplied by this: market time may run so fast that 5 s of it are 67 ms.
  /// 0: the clock's rate, at least 1.
  int recv_window_factor = 0;
  int weight_per_minute = 6000;              ///< REQUEST_WEIGHT, counted in steady time
  int orders_per_10s = 100;                  ///< ORDERS, counted in steady time
  int ping_interval_ms = 20000;              ///< server pings of market sockets, steady time
  std::size_t client_queue_bytes = 8U << 20; ///< a socket whose unsent bytes exceed this is disconnected
  std::string faults; ///< faults that are on from the start, the control endpoint's JSON
  int ready_fd = 1;   ///< descriptor that gets the ready line
};

/// Runs a simulator until it is told to stop. Prints one JSON line on `ready_fd` when it accepts clients:
/// {"ready":true,"source":"tape"|"generated","port":…,"control_port":…,"ca":"…/ca.pem","symbol":"BTCUSDT",
///  "rate_permille":…,"origin_market_ns":…,"origin_steady_ns":…,"lap_start_ns":…,"lap_ns":…,"pid":…}
/// Seams of a looped tape lie at lap_start_ns + k × lap_ns (k ≥ 1) of market time; lap_ns is 0 without a
/// loop. Returns the process exit code; an error is one line on standard error.
int venue_sim_main(const venue_sim_options& options);

/// Fits the generated market's parameters to recordings and returns them as one JSON object
/// (`troupe venue sim --fit`).
result<std::string> fit_generated_market(const std::vector<std::filesystem::path>& tapes);

} // namespace troupe::venue_sim

template <>
struct std::is_error_code_enum<troupe::venue_sim::venue_sim_errc> : std::true_type {};
