#pragma once

/// A read-only first contact with a venue: the connector and the feeds of a node, run for a while
/// against its public interfaces, and a list of what passed. No key is needed and nothing is
/// ordered.

#include "actors/connectors/venue.hpp"
#include "messages/error.hpp"
#include "runtime/net/net.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What is contacted and how.
struct venue_check_options {
  const venue_description* venue = nullptr; ///< required
  net::address rest;
  net::address sockets;
  std::filesystem::path authority;          ///< PEM; empty: the system's store
  std::vector<instrument_spec> instruments; ///< as configured; at least one
  std::string book_channel;                 ///< empty: the venue's default
  std::optional<protocol_traits> traits;    ///< instead of the venue's own
  std::uint32_t weight = 6000;
  nanoseconds weight_window = std::chrono::minutes{1};
  nanoseconds least = std::chrono::seconds{5}; ///< steady time that the feeds are watched at least
  nanoseconds most = std::chrono::seconds{30}; ///< and at most
};

/// How one point went. `note`: worth a look, but no fault of venue or program (a quiet market).
enum class check_verdict : std::uint8_t { pass, note, fail };
std::string_view name_of(check_verdict verdict) noexcept;

/// One line of the list.
struct check_line {
  std::string point; ///< "TLS", "BTC-USDT@bybit: book"
  check_verdict verdict = check_verdict::pass;
  std::string words;
};

using check_list = std::vector<check_line>;

/// Asks for the venue's rules by REST and compares them with the configured ones. The first lines
/// tell whether the name resolves and TLS stands; when they fail nothing else is asked.
check_list check_rules(const venue_check_options& options);

/// Subscribes and watches the feeds. To be called when `check_rules` found the venue there.
check_list check_market_data(const venue_check_options& options);

/// True when no line failed.
bool passed(const check_list& list) noexcept;

/// The rules of all instruments of a venue by REST, one call after the other; an error names the
/// call.
result<std::vector<instrument_spec>> fetch_instruments(const venue_check_options& options,
                                                       nanoseconds deadline);

} // namespace troupe
