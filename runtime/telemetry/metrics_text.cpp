#include "runtime/telemetry/metrics_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

namespace troupe {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Length of the name that `text` starts with; colons are for recording rules and allowed in metric names
/// only.
std::size_t name_length(std::string_view text, bool colons) {
  std::size_t n = 0;
  while (n < text.size()
         && (is_letter(text[n]) || (colons && text[n] == ':') || (n > 0 && is_digit(text[n]))))
    ++n;
  return n;
}

bool is_name(std::string_view text, bool colons) {
  return !text.empty() && name_length(text, colons) == text.size();
}

/// In HELP a backslash and a line feed are escaped, in label values the quote as well.
void append_escaped(std::string& out, std::string_view text, bool quote) {
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quote)
      out += "\\\"";
    else
      out += c;
  }
}

void append_value(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  std::array<char, 32> digits{};
  // The shortest text that reads back as the same number.
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

error bad_metric(std::string_view name, std::string_view why) {
  return {std::make_error_code(std::errc::invalid_argument),
          "metric " + std::string{name} + ": " + std::string{why}};
}

/// Units that Prometheus wants as their base unit.
constexpr std::array<std::string_view, 12> refused_units{
    "_ms",      "_milliseconds", "_us",   "_microseconds", "_ns",        "_nanoseconds",
    "_minutes", "_hours",        "_days", "_kilobytes",    "_megabytes", "_percent"};

} // namespace

std::string_view to_string(metric_type type) noexcept {
  return type == metric_type::counter ? "counter" : "gauge";
}

status check_metric(const metric_family& family) {
  const std::string_view name = family.name;
  if (!is_name(name, false)) return bad_metric(name, "letters, digits and underscores only, no digit first");
  if (family.help.empty()) return bad_metric(name, "a help text is needed");
  const bool total = name.ends_with("_total");
  if (total != (family.type == metric_type::counter))
    return bad_metric(name, total ? "only counters end in _total" : "a counter ends in _total");
  const auto stem = total ? name.substr(0, name.size() - 6) : name;
  for (const auto unit : refused_units)
    if (stem.ends_with(unit)) return bad_metric(name, "use the base unit: seconds, bytes or a ratio");
  for (const auto suffix : {"_count", "_sum", "_bucket"})
    if (stem.ends_with(suffix)) return bad_metric(name, "the suffixes of histograms are theirs");
  for (const auto& sample : family.samples)
    for (const auto& [label, value] : sample.labels) {
      if (!is_name(label, false) || label.starts_with("__"))
        return bad_metric(name, "label '" + label + "' is no label name");
      if (label == "le" || label == "quantile")
        return bad_metric(name, "label " + label + " belongs to histograms");
    }
  return ok;
}

void append_metrics(std::string& out, const metric_family& family) {
  if (family.samples.empty()) return;
  out += "# HELP " + family.name + " ";
  append_escaped(out, family.help, false);
  out += "\n# TYPE " + family.name + " ";
  out += to_string(family.type);
  out += '\n';
  for (const auto& sample : family.samples) {
    out += family.name;
    char before = '{';
    for (const auto& [label, value] : sample.labels) {
      out += before;
      out += label;
      out += "=\"";
      append_escaped(out, value, true);
      out += '"';
      before = ',';
    }
    if (before == ',') out += '}';
    out += ' ';
    append_value(out, sample.value);
    out += '\n';
  }
}

std::string metrics_text(std::span<const metric_family> families) {
  std::string out;
  for (const auto& family : families)
    append_metrics(out, family);
  return out;
}

// --- reading -------------------------------------------------------------------------------------

namespace {

class metrics_reader {
public:
  explicit metrics_reader(std::string_view text) : rest_{text} {}

  result<std::vector<metric_family>> read() {
    while (!rest_.empty()) {
      ++number_;
      const auto end = rest_.find('\n');
      if (end == std::string_view::npos) return bad("the last line does not end");
      line_ = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (auto done = read_line(); !done) return std::move(done).error();
    }
    return std::move(families_);
  }

private:
  [[nodiscard]] error bad(std::string_view why) const {
    return {std::make_error_code(std::errc::invalid_argument),
            "metrics, line " + std::to_string(number_) + ": " + std::string{why}};
  }

  void skip_blanks() {
    while (!line_.empty() && (line_.front() == ' ' || line_.front() == '\t'))
      line_.remove_prefix(1);
  }

  std::string_view take_name(bool colons) {
    const auto name = line_.substr(0, name_length(line_, colons));
    line_.remove_prefix(name.size());
    return name;
  }

  status read_line() {
    skip_blanks();
    if (line_.empty()) return ok;
    if (line_.front() == '#') return read_comment();
    return read_sample();
  }

  status read_comment() {
    line_.remove_prefix(1);
    skip_blanks();
    const bool help = line_.starts_with("HELP ");
    if (!help && !line_.starts_with("TYPE ")) return ok;
    line_.remove_prefix(5);
    skip_blanks();
    const auto name = take_name(true);
    if (name.empty()) return bad("a name is missing");
    if (!line_.empty() && line_.front() != ' ' && line_.front() != '\t') return bad("not a name");
    if (!line_.empty()) line_.remove_prefix(1);
    if (families_.empty() || families_.back().name != name) {
      if (!names_.emplace(name).second) return bad(std::string{name} + " lies apart");
      families_.push_back({.name = std::string{name}, .help = {}, .type = metric_type::gauge, .samples = {}});
      typed_ = helped_ = false;
      seen_.clear();
    }
    return help ? take_help() : take_type();
  }

  status take_help() {
    if (helped_) return bad("a second HELP");
    if (!families_.back().samples.empty()) return bad("HELP behind the samples");
    helped_ = true;
    auto text = unescape(line_, false);
    if (!text) return std::move(text).error();
    families_.back().help = std::move(text).value();
    return ok;
  }

  status take_type() {
    if (typed_) return bad("a second TYPE");
    if (!families_.back().samples.empty()) return bad("TYPE behind the samples");
    typed_ = true;
    if (line_ != "counter" && line_ != "gauge")
      return bad("type '" + std::string{line_} + "' is not known here");
    families_.back().type = line_ == "counter" ? metric_type::counter : metric_type::gauge;
    return ok;
  }

  result<std::string> unescape(std::string_view text, bool quote) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        out += text[i];
        continue;
      }
      const char next = ++i < text.size() ? text[i] : '\0';
      if (next == '\\')
        out += '\\';
      else if (next == 'n')
        out += '\n';
      else if (next == '"' && quote)
        out += '"';
      else
        return bad("an unknown escape");
    }
    return out;
  }

  status read_sample() {
    const auto name = take_name(true);
    if (families_.empty() || families_.back().name != name || !typed_)
      return bad("a sample of '" + std::string{name} + "' without its TYPE before it");
    metric_sample sample;
    skip_blanks();
    if (line_.starts_with('{'))
      if (auto done = take_labels(sample.labels); !done) return done;
    skip_blanks();
    if (auto done = take_value(sample.value); !done) return done;
    auto key = sample.labels;
    std::sort(key.begin(), key.end());
    if (std::adjacent_find(key.begin(), key.end(), [](auto& a, auto& b) { return a.first == b.first; })
        != key.end())
      return bad("a label twice");
    if (!seen_.insert(std::move(key)).second) return bad("the same labels twice");
    families_.back().samples.push_back(std::move(sample));
    return ok;
  }

  status take_labels(std::vector<metric_label>& labels) {
    line_.remove_prefix(1);
    while (true) {
      skip_blanks();
      if (line_.starts_with('}')) break;
      const auto name = take_name(false);
      skip_blanks();
      if (name.empty() || !line_.starts_with('=')) return bad("a label is damaged");
      line_.remove_prefix(1);
      skip_blanks();
      auto value = take_quoted();
      if (!value) return std::move(value).error();
      labels.emplace_back(name, std::move(value).value());
      skip_blanks();
      if (line_.starts_with(','))
        line_.remove_prefix(1);
      else if (!line_.starts_with('}'))
        return bad("neither comma nor brace behind a label");
    }
    line_.remove_prefix(1);
    return ok;
  }

  result<std::string> take_quoted() {
    if (!line_.starts_with('"')) return bad("a label value has no quote");
    std::size_t end = 1;
    while (end < line_.size() && line_[end] != '"')
      end += line_[end] == '\\' ? 2 : 1;
    if (end >= line_.size()) return bad("a label value does not end");
    auto out = unescape(line_.substr(1, end - 1), true);
    line_.remove_prefix(end + 1);
    return out;
  }

  status take_value(double& value) {
    if (line_ == "NaN")
      value = std::numeric_limits<double>::quiet_NaN();
    else if (line_ == "+Inf")
      value = std::numeric_limits<double>::infinity();
    else if (line_ == "-Inf")
      value = -std::numeric_limits<double>::infinity();
    else {
      const auto* end = line_.data() + line_.size();
      const auto [at, failed] = std::from_chars(line_.data(), end, value);
      if (failed != std::errc{} || at != end || !std::isfinite(value))
        return bad("no value, or more than one");
    }
    return ok;
  }

  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
  std::vector<metric_family> families_;
  std::set<std::string, std::less<>> names_;
  std::set<std::vector<metric_label>> seen_; // labels of the family being read
  bool typed_ = false;
  bool helped_ = false;
};

} // namespace

result<std::vector<metric_family>> parse_metrics_text(std::string_view text) {
  return metrics_reader{text}.read();
}

} // namespace troupe
