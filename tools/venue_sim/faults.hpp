#pragma once

/// Scripted faults, drawn from one seed. Configured by JSON, one object with a member per fault:
/// {"accept_then_drop":{"per_million":20000,"count":5},"slow_ack":{"per_million":100000,"ms":800}}
/// `per_million` is the chance at each opportunity (default: certain), `count` how often at most (default:
/// without end), `ms` a duration where one is needed, `stream` the topic of silent_topic. A member set to
/// null switches its fault off; {"all":null} all of them. Pure.

#include "messages/error.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::venue_sim {

enum class fault : std::uint8_t {
  drop_before_accept, ///< an order request is not looked at; its connection is reset
  accept_then_drop,   ///< an order is taken, its connection reset before the answer
  slow_ack,           ///< an order is taken, its answer comes `ms` later
  error_unknown,      ///< 504 and code -1007, whether the order was taken (half of the cases) or not
  too_many_requests,  ///< 429 and Retry-After `ms`/1000, the order not taken
  duplicate_event,    ///< a private event is sent twice
  missing_event,      ///< a private event is never sent
  close_1000,         ///< all market sockets are closed in order
  close_1006,         ///< all market sockets end without a closing handshake (their TCP connection is cut)
  tcp_reset,          ///< every connection of the port is reset
  private_reset,      ///< the sockets of the WebSocket API are reset
  silent_topic,       ///< a stream (`stream`, or the depth stream) says nothing for `ms`
  drop_diff,          ///< a depth diff is left out
  duplicate_diff,     ///< a depth diff is sent twice
  reorder_diff,       ///< a depth diff is sent after the next one
  wrong_frame,        ///< a frame is cut in half: no JSON
  server_shutdown,    ///< the serverShutdown event on all market sockets, which are closed 1 s later
  // Those below strike the market data of all venues (data/data_server.hpp).
  black_hole,         ///< a socket stays open, but nothing is read, written or answered any more
  wrong_checksum,     ///< a change goes out with another checksum than its book has
  crossed_book,       ///< a change carries a bid above the best ask
  slow_image,         ///< an image comes `ms` later, by REST or, with all behind it, on its socket
  refused_request,    ///< a REST request is answered 429 with Retry-After `ms`/1000
  banned,             ///< all REST requests are answered 418 for `ms`
  skewed_clock,       ///< the venue's clock is `ms` ahead from now on
  muted_topic,        ///< a depth stream (or `stream`) says nothing until the client subscribes anew
  silent_socket,      ///< sockets read on, but nothing is sent on them any more: no data, answer or ping
  refused_connect,    ///< new sockets are answered 429 for `ms`
};
inline constexpr std::size_t fault_kinds = 27;

std::string_view text_of(fault f) noexcept;

struct fault_setting {
  bool on = false;
  std::int64_t per_million = 1'000'000;
  std::int64_t left = -1; ///< -1: without end
  std::int64_t ms = 500;
  std::string stream;
  std::uint64_t struck = 0;
};

class fault_plan {
public:
  explicit fault_plan(std::uint64_t seed) : state_{seed} {}

  /// @errors bad_option naming the member; nothing is changed then
  status configure(std::string_view json);
  /// Draws: does this fault strike now?
  bool strikes(fault f);
  /// A fair coin of the same seed.
  bool coin() { return (draw() & 1) != 0; }
  [[nodiscard]] const fault_setting& setting(fault f) const { return settings_[static_cast<std::size_t>(f)]; }
  [[nodiscard]] std::string to_json() const;

private:
  std::uint64_t draw();
  std::array<fault_setting, fault_kinds> settings_{};
  std::uint64_t state_;
};

} // namespace troupe::venue_sim
