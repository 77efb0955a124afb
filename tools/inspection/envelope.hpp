#pragma once

/// The one form of every machine-readable answer about actors; docs/introspection.md.

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <string>

namespace troupe::inspection {

/// Version of the form and of the data in it. Members may be added within a version; a member that changes its
/// meaning or goes makes a new one.
inline constexpr std::string_view envelope_schema = "troupe.introspection/1";

/// Who answers. Answers about several nodes are the program's own: node "*", incarnation 0.
struct envelope_head {
  std::string node = "*";
  std::uint64_t incarnation = 0;
  market_time at; ///< UTC
};

/// {"schema", "node", "incarnation", "at_ns", "ok": true, "data": …}. `data` is JSON.
std::string envelope(const envelope_head& head, const std::string& data);

/// The same with "ok": false and "error": {"code", "text"}; with `data`, what is known all the same.
std::string envelope(const envelope_head& head, const error& why, const std::string& data = {});

} // namespace troupe::inspection
