#pragma once

/// A data venue: one of the twelve venues' public market data on loopback TLS, REST and sockets on
/// one port, with scripted faults (faults.hpp) and a control port: GET /state, GET|POST /faults,
/// GET /truth, POST /measure (how late it is counts anew), POST /pause (the markets stand still from
/// then on), POST /stop. "behind" in /state: how late events went out, from their instant on the market's
/// clock until their frames were handed to the sockets.
///
/// The truth is what a client's book must be: per market the checksum of the best levels behind
/// each of the newest changes, as `GET /truth?symbol=S&from=N` lists it:
/// {"symbol":…,"changes":[[number,sequence,event_ms,crc],…]}. The checksum is CRC-32 over the best
/// 10 bids, then asks, best first, "price,size" in plain decimals without trailing zeros, joined by
/// '|'.
///
/// All its work happens on one I/O thread of its own; public functions may be called from any.

#include "tools/venue_sim/market_history.hpp"
#include "tools/venue_sim/venue_sim.hpp"

#include <functional>
#include <memory>

namespace troupe::venue_sim {

struct data_server_options {
  std::string venue = "bybit";
  std::filesystem::path folder; ///< certificates live here
  std::vector<std::filesystem::path>
      tapes; ///< shown under the first symbol, CLONED under the others; empty: GENERATED
  std::vector<std::string> symbols{"BTC-USDT", "ETH-USDT"}; ///< "-PERP" at the end: perpetual
  std::uint64_t seed = 1;
  double volatility = 1; ///< of generated markets, as a share of the recorded one's
  double activity = 1;   ///< of generated markets: how often things happen in them, likewise
  scaled_clock clock;
  std::string address = "127.0.0.1"; ///< clients come in here; another one only within a network of test hosts
  std::uint16_t port = 0;
  std::uint16_t control_port = 0;
  std::string faults;                  ///< on from the start, the control endpoint's JSON
  std::size_t truth_changes = 200'000; ///< remembered a market; 0: none is made, nor is `on_change` called
  history_limits history;             ///< a market, for REST
  std::size_t client_queue_bytes = 32U << 20;
  int ready_fd = 1;
  /// Hears the truth behind each change before any client does, on the I/O thread. May be empty.
  std::function<void(const std::string& symbol, std::uint64_t sequence, std::int64_t event_ms, std::uint32_t crc)>
      on_change;
};

class data_server {
public:
  /// @errors bad_option, bad_recording, network
  static result<std::unique_ptr<data_server>> start(data_server_options options,
                                                    std::function<void(status)> on_end);
  ~data_server();
  data_server(const data_server&) = delete;
  data_server& operator=(const data_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::uint16_t control_port() const noexcept;
  [[nodiscard]] std::filesystem::path authority() const;
  /// {"ready":true,"venue":…,"source":"GENERATED"|"CLONED"|"tape","port":…,"control_port":…,"ca":…,
  ///  "symbols":{"BTC-USDT":"BTCUSDT"},"pid":…}
  [[nodiscard]] std::string ready_line() const;
  /// What POST /faults does, as soon as the I/O thread comes to it.
  void set_faults(std::string json);
  /// What GET /state answers; waits for the I/O thread.
  [[nodiscard]] std::string state() const;

private:
  struct impl;
  explicit data_server(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

/// Runs one until it is told to stop; prints the ready line. Returns the process exit code.
int data_server_main(const data_server_options& options);

} // namespace troupe::venue_sim
