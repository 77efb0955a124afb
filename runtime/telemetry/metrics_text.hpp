#pragma once

/// Prometheus' text format 0.0.4 ("Exposition formats" of its documents): written, checked and read back.
/// Pure. Values are `double`, as the format says: figures for people, never money that is counted with.

#include "messages/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

enum class metric_type : std::uint8_t { counter, gauge };

/// The word of a TYPE line.
std::string_view to_string(metric_type type) noexcept;

/// Name and value; any bytes may stand in a value, they are escaped when written.
using metric_label = std::pair<std::string, std::string>;

/// One line: the labels that tell it from the others of its family, and its value.
struct metric_sample {
  std::vector<metric_label> labels;
  double value = 0;
  friend bool operator==(const metric_sample&, const metric_sample&) = default;
};

/// All lines of one name, with their HELP and TYPE.
struct metric_family {
  std::string name;
  std::string help;
  metric_type type = metric_type::gauge;
  std::vector<metric_sample> samples;
  friend bool operator==(const metric_family&, const metric_family&) = default;
};

/// Prometheus' rules of naming, as `promtool check metrics` asks for them: letters, digits and underscores,
/// a counter ends in `_total` and nothing else does, times are `_seconds` and sizes `_bytes` (no
/// milliseconds, no kilobytes), there is a help text, no label is named `le`, `quantile` or with a leading
/// `__`. The error names the metric and the rule.
status check_metric(const metric_family& family);

/// The page: HELP and TYPE once before the samples of a family; families without samples are left out.
/// Ends in a newline unless it is empty.
/// @pre names and label names are of the format's characters (`check_metric`)
std::string metrics_text(std::span<const metric_family> families);

/// The same, behind text that stands there already.
void append_metrics(std::string& out, const metric_family& family);

/// Reads a page of the format: families in order of appearance. Comments that are neither HELP nor TYPE are
/// skipped, a sample without a TYPE is refused, as are a second TYPE of a name, samples of one family that
/// lie apart, two samples with the same labels, time stamps and histograms (we write none). Errors name line
/// and reason (std::errc::invalid_argument).
result<std::vector<metric_family>> parse_metrics_text(std::string_view text);

} // namespace troupe
