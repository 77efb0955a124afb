#pragma once

/// Structured logs: one JSON object a line, in OpenTelemetry's field names, through spdlog.
/// Registered secrets are replaced by value in every line before it leaves the process, whatever
/// part of the program wrote them. For shells, runtime and tools; pure code does not log.
/// All functions are thread-safe and never block on a slow sink: what doesn't fit is dropped and counted.

#include "messages/error.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace troupe::log {

enum class severity : std::uint8_t { debug, info, warn, error };

/// One attribute of a line.
struct attribute {
  std::string_view key;
  std::string value;
};

struct options {
  std::string node;               ///< name shown in every line
  std::string file;               ///< path of the log file; empty = standard error
  severity least = severity::info; ///< lines below it are not written
};

/// Opens the sink. Call once at start; before it, lines go to standard error.
status open(const options& how);

/// Flushes and closes the sink.
void close();

/// From now on `value` is replaced by "[redacted]" wherever it appears. Values under 6 bytes are ignored.
void register_secret(std::string value);

/// The text with all registered secrets replaced; for pages and messages that leave the process.
std::string redact(std::string text);

/// Changes the lowest severity that is written: of one component, or of all that have none of their own.
/// False when 100 components have one already.
bool set_least(severity least, const std::string& component = {});

void write(severity level, std::string_view component, std::string_view body,
           std::initializer_list<attribute> attributes = {});

inline void debug(std::string_view component, std::string_view body, std::initializer_list<attribute> a = {}) {
  write(severity::debug, component, body, a);
}
inline void info(std::string_view component, std::string_view body, std::initializer_list<attribute> a = {}) {
  write(severity::info, component, body, a);
}
inline void warn(std::string_view component, std::string_view body, std::initializer_list<attribute> a = {}) {
  write(severity::warn, component, body, a);
}
inline void error(std::string_view component, std::string_view body, std::initializer_list<attribute> a = {}) {
  write(severity::error, component, body, a);
}

} // namespace troupe::log
