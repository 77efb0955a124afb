#include "runtime/log.hpp"

#include "messages/json.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <vector>

namespace troupe::log {
namespace {

/// What doesn't fit into the queue pushes the oldest line out; the order path never waits for a disk.
constexpr std::size_t queue_length = 8192;
constexpr std::size_t shortest_secret = 6;
constexpr std::size_t most_components = 100;

struct state {
  std::shared_mutex mutex;
  std::vector<std::string> secrets;
  std::string node;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger;
  severity least = severity::info;
  std::map<std::string, severity, std::less<>> components; // with a level of their own
  std::atomic<severity> lowest{severity::info};             // of all these

  [[nodiscard]] severity least_of(std::string_view component) const {
    const auto i = components.find(component);
    return i == components.end() ? least : i->second;
  }
  void find_lowest() {
    auto low = least;
    for (const auto& [name, level] : components) low = std::min(low, level);
    lowest = low;
  }
};

state& shared() {
  static state instance;
  return instance;
}

struct level_text {
  std::string_view text;
  int number; // OpenTelemetry SeverityNumber
};

constexpr level_text describe(severity level) {
  switch (level) {
  case severity::debug: return {"DEBUG", 5};
  case severity::info: return {"INFO", 9};
  case severity::warn: return {"WARN", 13};
  case severity::error: return {"ERROR", 17};
  }
  return {"INFO", 9};
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now - seconds).count();
  const std::time_t whole = seconds.count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char text[48];
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%06dZ", static_cast<int>(micros));
  return text;
}

std::string format_line(severity level, std::string_view component, std::string_view body,
                        std::initializer_list<attribute> attributes, std::string_view node) {
  const auto [text, number] = describe(level);
  json_writer w;
  w.begin_object()
      .field("Timestamp", timestamp())
      .field("SeverityText", text)
      .field("SeverityNumber", number)
      .field("Body", body)
      .key("Resource")
      .begin_object()
      .field("service.name", "troupe")
      .field("service.instance.id", node)
      .end_object()
      .key("Attributes")
      .begin_object()
      .field("component", component);
  for (const auto& a : attributes) w.field(a.key, std::string_view{a.value});
  w.end_object().end_object();
  return std::move(w).text();
}

spdlog::level::level_enum to_spdlog(severity level) {
  switch (level) {
  case severity::debug: return spdlog::level::debug;
  case severity::info: return spdlog::level::info;
  case severity::warn: return spdlog::level::warn;
  case severity::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

void replace_all(std::string& text, const std::string& what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at))
    text.replace(at, what.size(), "[redacted]");
}

} // namespace

status open(const options& how) {
  auto& s = shared();
  try {
    auto pool = std::make_shared<spdlog::details::thread_pool>(queue_length, 1);
    spdlog::sink_ptr sink;
    if (how.file.empty()) sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(how.file);
    auto logger = std::make_shared<spdlog::async_logger>("troupe", std::move(sink), pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::debug);
    logger->flush_on(spdlog::level::info);
    const std::unique_lock lock{s.mutex};
    s.pool = std::move(pool);
    s.logger = std::move(logger);
    s.node = how.node;
    s.least = how.least;
    s.find_lowest();
    return ok;
  } catch (const spdlog::spdlog_ex& e) {
    return troupe::error{
            std::make_error_code(std::errc::io_error),
            "log file " + how.file + " can't be opened (" + e.what() + "); choose another with log.file"};
  }
}

void close() {
  auto& s = shared();
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::unique_lock lock{s.mutex};
    pool = std::move(s.pool);
    logger = std::move(s.logger);
  }
  if (logger) logger->flush();
}

void register_secret(std::string value) {
  if (value.size() < shortest_secret) return;
  auto& s = shared();
  const std::unique_lock lock{s.mutex};
  if (std::find(s.secrets.begin(), s.secrets.end(), value) == s.secrets.end()) s.secrets.push_back(std::move(value));
}

std::string redact(std::string text) {
  auto& s = shared();
  const std::shared_lock lock{s.mutex};
  for (const auto& secret : s.secrets) replace_all(text, secret);
  return text;
}

bool set_least(severity least, const std::string& component) {
  auto& s = shared();
  const std::unique_lock lock{s.mutex};
  if (component.empty()) s.least = least;
  else if (s.components.size() >= most_components && !s.components.contains(component)) return false;
  else s.components[component] = least;
  s.find_lowest();
  return true;
}

void write(severity level, std::string_view component, std::string_view body,
           std::initializer_list<attribute> attributes) {
  auto& s = shared();
  if (level < s.lowest.load(std::memory_order_relaxed)) return;
  std::shared_ptr<spdlog::logger> logger;
  std::string node;
  {
    const std::shared_lock lock{s.mutex};
    if (level < s.least_of(component)) return;
    logger = s.logger;
    node = s.node;
  }
  const auto line = redact(format_line(level, component, body, attributes, node));
  if (logger) logger->log(to_spdlog(level), line);
  else std::fprintf(stderr, "%s\n", line.c_str());
}

} // namespace troupe::log
