#pragma once

/// Times as text. Internal to the dialects.

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

namespace troupe::venue_sim {

/// "2026-08-02T03:35:51.983359Z" with `digits` (0, 3 or 6) digits of a second.
inline std::string iso_time(std::int64_t ms, int digits) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char date[32];
  const auto length = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out{date, length};
  if (digits > 0) {
    char fraction[16];
    std::snprintf(fraction, sizeof fraction, ".%03d", static_cast<int>(ms % 1000));
    out += fraction;
    out.append(static_cast<std::size_t>(digits - 3), '0');
  }
  return out += 'Z';
}

inline std::string iso_micros(std::int64_t ms) {
  return iso_time(ms, 6);
}

} // namespace troupe::venue_sim
