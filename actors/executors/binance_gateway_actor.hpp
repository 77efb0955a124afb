#pragma once

/// The live Binance spot gateway: `binance::spot_gateway` over HTTPS and the WS API's user stream.
/// Not an actor itself: a part of the executor's shell, which owns it and forwards its events to itself.
///
/// Threads: commands may be given from any thread and return at once; all events come from the given
/// runner's I/O thread, never concurrently. The runner must outlive the gateway and have one thread.

#include "actors/connectors/binance/spot_gateway.hpp"
#include "runtime/net/net.hpp"

namespace troupe {

struct binance_gateway_options {
  binance::spot_gateway_options gateway;
  net::address rest;                   ///< https://api.binance.com
  net::address ws_api;                 ///< wss://ws-api.binance.com:443 (the path /ws-api/v3 is added)
  std::filesystem::path authority;     ///< PEM; empty: the system's store
  int connections = 4;                 ///< kept-alive HTTPS connections
  nanoseconds socket_idle = std::chrono::seconds{60}; ///< transport level; the core pings on its own
};

class binance_spot_gateway final : public venue_gateway {
public:
  /// Registers both keys for redaction in logs. An error when the authority can't be read or a key is empty.
  static result<std::unique_ptr<binance_spot_gateway>>
  make(net::io_runner& io, binance_gateway_options options, api_keys keys,
       const market_clock& market, const steady_clock& steady);
  /// The same with an I/O thread of its own, which ends with the gateway.
  static result<std::unique_ptr<binance_spot_gateway>> make(binance_gateway_options options,
                                                            api_keys keys,
                                                            const market_clock& market,
                                                            const steady_clock& steady);
  ~binance_spot_gateway() override;

  [[nodiscard]] gateway_traits traits() const override;
  void start(gateway_events& events) override;
  /// Waits until the I/O thread has ended everything (not from an event handler). Afterwards no event comes.
  void stop() override;
  void place(command_id command, const intent& order) override;
  void cancel(command_id command, const instrument_id& instrument, const std::string& client_id) override;
  void query(command_id command, const instrument_id& instrument, const std::string& client_id) override;
  void open_orders(command_id command, const instrument_id& instrument) override;
  void trades_since(command_id command, const instrument_id& instrument,
                    const std::string& trade_id) override;
  void account(command_id command) override;
  void rules(command_id command, const instrument_id& instrument) override;
  /// As of at most half a second ago.
  [[nodiscard]] std::string status_json() const override;

private:
  struct impl;
  explicit binance_spot_gateway(std::shared_ptr<impl> state) : impl_{std::move(state)} {}
  std::unique_ptr<net::io_runner> own_io_; // outlives what runs on it
  std::shared_ptr<impl> impl_;
};

} // namespace troupe
