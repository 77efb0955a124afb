#include "tools/console/format.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>

namespace troupe::console {
namespace {

template <class... Args>
std::string printed(const char* how, Args... args) {
  std::array<char, 48> out{};
  const int n = std::snprintf(out.data(), out.size(), how, args...);
  return {out.data(), static_cast<std::size_t>(n < 0 ? 0 : n)};
}

/// A value below 1000 in at most four characters.
std::string short_decimal(double value) {
  return value < 99.95 ? printed("%.1f", value) : printed("%.0f", value);
}

} // namespace

std::string duration_text(figure nanoseconds) {
  if (!nanoseconds) return std::string{dash};
  const auto ns = *nanoseconds;
  const auto value = static_cast<double>(ns);
  if (ns < 0) return printed("%" PRId64 "ns", ns);
  if (ns == 0) return "0";
  if (ns < 1000) return printed("%" PRId64 "ns", ns);
  if (value < 999.5e3) return short_decimal(value / 1e3) + "us";
  if (value < 999.5e6) return short_decimal(value / 1e6) + "ms";
  const auto seconds = ns / 1'000'000'000;
  if (seconds < 100) return printed("%.1fs", value / 1e9);
  if (seconds < 3600) return printed("%" PRId64 "m%02" PRId64 "s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return printed("%" PRId64 "h%02" PRId64 "m", seconds / 3600, seconds / 60 % 60);
  return printed("%" PRId64 "d%02" PRId64 "h", seconds / 86'400, seconds / 3600 % 24);
}

std::string count_text(figure count) {
  if (!count) return std::string{dash};
  const auto value = static_cast<double>(*count);
  const auto size = value < 0 ? -value : value;
  const char* sign = value < 0 ? "-" : "";
  if (size < 10'000) return printed("%" PRId64, *count);
  if (size < 999.5e3) return sign + short_decimal(size / 1e3) + "k";
  if (size < 999.5e6) return sign + short_decimal(size / 1e6) + "M";
  return sign + short_decimal(size / 1e9) + "G";
}

std::string bytes_text(figure bytes) {
  if (!bytes) return std::string{dash};
  const auto value = static_cast<double>(*bytes);
  if (value < 1000) return printed("%" PRId64 "B", *bytes);
  if (value < 1000.0 * 1024) return short_decimal(value / 1024) + "K";
  if (value < 1000.0 * 1024 * 1024) return short_decimal(value / 1024 / 1024) + "M";
  return short_decimal(value / 1024 / 1024 / 1024) + "G";
}

std::string share_text(figure millionths) {
  if (!millionths) return std::string{dash};
  const auto percent = static_cast<double>(*millionths) / 1e4;
  return percent < 9.95 ? printed("%.1f%%", percent) : printed("%.0f%%", percent);
}

std::string thousandths_text(figure thousandths) {
  if (!thousandths) return std::string{dash};
  return printed("%.2f", static_cast<double>(*thousandths) / 1e3);
}

std::string text_or_dash(std::string_view text) { return std::string{text.empty() ? dash : text}; }

std::vector<std::string> pretty_json(std::string_view json, std::size_t most) {
  std::vector<std::string> out;
  std::string line;
  std::size_t depth = 0;
  bool quoted = false;
  const auto end_line = [&] {
    out.push_back(std::move(line));
    line.assign(depth * 2, ' ');
  };
  for (std::size_t i = 0; i < json.size() && out.size() < most; ++i) {
    const char c = json[i];
    if (quoted) {
      line.push_back(c);
      if (c == '\\' && i + 1 < json.size()) line.push_back(json[++i]);
      else if (c == '"') quoted = false;
      continue;
    }
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') continue;
    if (c == '}' || c == ']') {
      if (depth > 0) --depth;
      end_line();
      line.push_back(c);
      continue;
    }
    line.push_back(c);
    if (c == '"') quoted = true;
    else if (c == ':') line.push_back(' ');
    else if (c == ',') end_line();
    else if (c == '{' || c == '[') {
      const auto next = json.find_first_not_of(" \n\t\r", i + 1);
      if (next != std::string_view::npos && (json[next] == '}' || json[next] == ']')) {
        line.push_back(json[next]);
        i = next;
        continue;
      }
      ++depth;
      end_line();
    }
  }
  if (out.size() >= most) out.emplace_back("(more is left out)");
  else if (line.find_first_not_of(' ') != std::string::npos) out.push_back(std::move(line));
  return out;
}

} // namespace troupe::console
