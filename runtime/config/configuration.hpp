#pragma once

/// The configuration: typed settings from one table, with the origin of each value.
///
/// Precedence, weakest first: the table's default, `config/troupe.yaml`, `config/models.yaml`,
/// `config/venues.yaml`, the environment (`TROUPE__SECTION__KEY`, lower-cased, `__` between parts),
/// then `--set section.key=value`. Credentials are not settings: they stand in `.env`
/// (`runtime/config/credentials.hpp`). An unknown key is an error with file and line.
///
/// Symptom → setting: predictions come too rarely → predictor.interval; orders are denied as stale →
/// risk.stale_after; too many small trades → orchestrator.dead_band; the demo's market is too slow →
/// clock.market.rate.

#include "messages/money.hpp"
#include "messages/time.hpp"
#include "runtime/config/errc.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace troupe {

/// What a setting's text must look like.
enum class setting_kind : std::uint8_t { text, integer, decimal, duration, boolean, text_list };

/// One row of the table. A `*` in the path stands for one free part (a venue's or a model's name).
struct setting {
  std::string_view path;
  setting_kind kind;
  std::string_view fallback; ///< default, as text; lists are separated by commas
  std::string_view file;     ///< troupe.yaml, models.yaml or venues.yaml
  std::string_view doc;
  std::string_view least = {}; ///< smallest value allowed; empty = any
  std::string_view words = {}; ///< the only texts allowed, separated by '|'; empty = any
};

/// All settings; the reference page and `config show` are made from it.
std::span<const setting> all_settings();

/// A value and where it comes from ("default", "config/troupe.yaml:12", "environment", "--set").
struct configured_value {
  std::string text;
  std::string origin;
};

/// Where a configuration is read from.
struct configuration_source {
  std::filesystem::path folder;                     ///< holds the three YAML files; each may be missing
  std::map<std::string, std::string> environment;   ///< handed in, not read
  std::vector<std::string> overrides;               ///< "path=value"
};

/// A checked configuration. Reading a path that is not in the table is a programming error.
/// Immutable after loading, so safe to read from any thread.
class configuration {
public:
  /// Reads and checks everything; the first error names file:line, key and remedy.
  static result<configuration> load(const configuration_source& source);

  [[nodiscard]] std::string text(std::string_view path) const;
  [[nodiscard]] std::int64_t integer(std::string_view path) const;
  [[nodiscard]] nanoseconds duration(std::string_view path) const;
  [[nodiscard]] bool boolean(std::string_view path) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const;
  /// A decimal scaled by 10^scale. @pre the table's kind is decimal; too many decimals are refused at load.
  [[nodiscard]] std::int64_t decimal(std::string_view path, int scale) const;

  /// The free parts configured below a path: names("venues") → {"binance", …}.
  [[nodiscard]] std::vector<std::string> names(std::string_view prefix) const;

  /// All values by path, defaults included.
  [[nodiscard]] const std::map<std::string, configured_value, std::less<>>& values() const noexcept { return values_; }

  /// Stable hash of all values, for journals and run records.
  [[nodiscard]] std::uint64_t hash() const;

private:
  const std::string& at(std::string_view path) const;
  status set(const std::string& path, std::string text, std::string origin, const std::string& place);
  status load_yaml(const std::filesystem::path& file);

  std::map<std::string, configured_value, std::less<>> values_;
};

/// "250ms", "10s", "5m", "1h", "20us" as nanoseconds; an error for anything else.
result<nanoseconds> parse_duration(std::string_view text);

} // namespace troupe
