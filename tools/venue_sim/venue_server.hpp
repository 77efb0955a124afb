#pragma once

/// The simulator as an object: opens ports, plays the market, answers. `venue_sim_main` wraps it into a
/// process. All its work happens on one I/O thread of its own; public functions may be called from any.

#include "tools/venue_sim/venue_sim.hpp"

#include <functional>
#include <memory>

namespace troupe::venue_sim {

class venue_server {
public:
  /// Loads the market, restores the ledger, opens the ports. `on_end` is called at most once, from the
  /// I/O thread, when the control endpoint asks for the end (ok) or the ledger fails (its error): the owner
  /// must then destroy the object.
  static result<std::unique_ptr<venue_server>> start(venue_sim_options options,
                                                     std::function<void(status)> on_end);
  /// Closes all sockets; returns when the I/O thread is done.
  ~venue_server();
  venue_server(const venue_server&) = delete;
  venue_server& operator=(const venue_server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::uint16_t control_port() const noexcept;
  [[nodiscard]] std::filesystem::path authority() const;
  /// The JSON object that `venue_sim_main` prints.
  [[nodiscard]] std::string ready_line() const;

private:
  struct impl;
  explicit venue_server(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

} // namespace troupe::venue_sim
