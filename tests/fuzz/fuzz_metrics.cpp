// Any bytes as a page of metrics: refused, or what was read writes and reads back the same. And any bytes as
// help text and label value: what is written reads back as it was.

#include "runtime/telemetry/metrics_text.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace troupe;

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

/// Families without samples are not written.
bool same(const std::vector<metric_family>& read, const std::vector<metric_family>& again) {
  std::size_t next = 0;
  for (const auto& family : read) {
    if (family.samples.empty()) continue;
    if (next == again.size()) return false;
    const auto& other = again[next++];
    if (family.name != other.name || family.help != other.help || family.type != other.type) return false;
    if (family.samples.size() != other.samples.size()) return false;
    for (std::size_t i = 0; i < family.samples.size(); ++i)
      if (family.samples[i].labels != other.samples[i].labels
          || !same(family.samples[i].value, other.samples[i].value))
        return false;
  }
  return next == again.size();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes{reinterpret_cast<const char*>(data), size};
  const std::vector<metric_family> own{
      {"m_total",
       bytes,
       metric_type::counter,
       {{{{"a", bytes}, {"b", "x"}}, 1}, {{{"a", "x"}, {"b", bytes + "y"}}, 2}}}};
  const auto written = parse_metrics_text(metrics_text(own));
  if (!written || *written != own) std::abort();
  const auto read = parse_metrics_text(bytes);
  if (!read) return 0;
  const auto again = parse_metrics_text(metrics_text(*read));
  if (!again || !same(*read, *again)) std::abort();
  return 0;
}
