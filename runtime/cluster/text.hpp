#pragma once

/// Small texts shared by the files of this folder.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace troupe {

/// 16 lower-case hexadecimal digits.
inline std::string hex_text(std::uint64_t x) {
  char buffer[20];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(x));
  return buffer;
}

/// Whole milliseconds.
inline std::int64_t whole_millis(std::chrono::nanoseconds d) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

} // namespace troupe
