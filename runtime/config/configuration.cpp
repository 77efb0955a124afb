#include "runtime/config/configuration.hpp"

#include "messages/fields.hpp"
#include "runtime/config/suggest.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cassert>

namespace troupe {
namespace {

class config_category final : public std::error_category {
  const char* name() const noexcept override { return "config"; }
  std::string message(int value) const override {
    switch (static_cast<config_errc>(value)) {
    case config_errc::unreadable: return "file can't be read";
    case config_errc::bad_syntax: return "syntax error";
    case config_errc::unknown_key: return "unknown key";
    case config_errc::bad_value: return "value doesn't fit its key";
    case config_errc::missing_value: return "value missing";
    case config_errc::wrong_permissions: return "permissions too wide";
    case config_errc::duplicate_key: return "key given twice";
    }
    return "unknown";
  }
};

/// Nesting of the YAML files; deeper input is refused, as are aliases.
constexpr int deepest = 8;

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  while (true) {
    const auto to = text.find(at, from);
    parts.push_back(text.substr(from, to == std::string_view::npos ? to : to - from));
    if (to == std::string_view::npos) return parts;
    from = to + 1;
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool matches(std::string_view pattern, std::string_view path) {
  const auto a = split(pattern, '.');
  const auto b = split(path, '.');
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != "*" && a[i] != b[i]) return false;
  return true;
}

const setting* find_setting(std::string_view path) {
  for (const auto& row : all_settings())
    if (matches(row.path, path)) return &row;
  return nullptr;
}

/// A path that is a section of settings: an example of a key in it; else empty.
std::string key_below(std::string_view path) {
  const auto parts = split(path, '.');
  for (const auto& row : all_settings()) {
    const auto pattern = split(row.path, '.');
    if (pattern.size() <= parts.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < parts.size(); ++i) same = same && (pattern[i] == "*" || pattern[i] == parts[i]);
    if (same) return std::string{pattern[parts.size()] == "*" ? "NAME" : pattern[parts.size()]};
  }
  return {};
}

/// The setting above a path that lies too deep; null when there is none.
const setting* setting_above(std::string_view path) {
  for (auto dot = path.rfind('.'); dot != std::string_view::npos; dot = path.rfind('.')) {
    path = path.substr(0, dot);
    if (const auto* row = find_setting(path)) return row;
  }
  return nullptr;
}

/// Known paths with the free parts of `path` filled in, so that a typo behind a venue's name is found.
std::vector<std::string> candidates(std::string_view path) {
  const auto parts = split(path, '.');
  std::vector<std::string> out;
  for (const auto& row : all_settings()) {
    std::string candidate;
    const auto pattern = split(row.path, '.');
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (i > 0) candidate += '.';
      candidate += pattern[i] == "*" && i < parts.size() ? parts[i] : pattern[i];
    }
    out.push_back(std::move(candidate));
  }
  return out;
}

std::string_view kind_text(setting_kind kind) {
  switch (kind) {
  case setting_kind::text: return "text";
  case setting_kind::integer: return "a whole number";
  case setting_kind::decimal: return "a decimal number";
  case setting_kind::duration: return "a duration such as 250ms, 10s or 5m";
  case setting_kind::boolean: return "true or false";
  case setting_kind::text_list: return "a list";
  }
  return "?";
}

bool fits(setting_kind kind, std::string_view text) {
  switch (kind) {
  case setting_kind::text:
  case setting_kind::text_list: return true;
  case setting_kind::integer: return parse_decimal(text, 0).has_value();
  case setting_kind::decimal: return parse_decimal(text, 9).has_value();
  case setting_kind::duration: return parse_duration(text).has_value();
  case setting_kind::boolean: return text == "true" || text == "false";
  }
  return false;
}

/// @pre both texts fit the kind
bool below(setting_kind kind, std::string_view text, std::string_view least) {
  if (kind == setting_kind::duration) return parse_duration(text).value_or({}) < parse_duration(least).value_or({});
  return parse_decimal(text, 9).value_or(0) < parse_decimal(least, 9).value_or(0);
}

bool one_of(std::string_view words, std::string_view text) {
  const auto known = split(words, '|');
  return std::find(known.begin(), known.end(), text) != known.end();
}

/// A leaf of the YAML tree with its place.
struct leaf {
  std::string path;
  std::string text;
  int line;
  bool list;
};

status collect(const YAML::Node& node, const std::string& path, int depth, const std::string& file,
               std::vector<leaf>& out) {
  const auto place = file + ":" + std::to_string(node.Mark().line + 1);
  if (depth > deepest) return {config_errc::bad_syntax, place + ": nested deeper than " + std::to_string(deepest)};
  if (node.IsMap()) {
    std::vector<std::string> seen;
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>();
      const auto line = entry.first.Mark().line + 1;
      if (std::find(seen.begin(), seen.end(), key) != seen.end())
        return {config_errc::duplicate_key, file + ":" + std::to_string(line) + ": '" + key + "' stands twice; keep one"};
      seen.push_back(key);
      const auto below = path.empty() ? key : path + "." + key;
      if (entry.second.IsNull()) continue;
      if (auto done = collect(entry.second, below, depth + 1, file, out); !done) return done;
      if (!out.empty() && out.back().path == below) out.back().line = line;
    }
    return ok;
  }
  if (node.IsSequence()) {
    std::string joined;
    for (const auto& item : node) {
      if (!item.IsScalar()) return {config_errc::bad_syntax, place + ": a list may hold plain values only"};
      if (!joined.empty()) joined += ',';
      joined += item.as<std::string>();
    }
    out.push_back({path, joined, node.Mark().line + 1, true});
    return ok;
  }
  out.push_back({path, node.as<std::string>(), node.Mark().line + 1, false});
  return ok;
}

/// Why there is no setting at a path, and what to write instead.
std::string unknown_key(const std::string& path) {
  if (const auto below = key_below(path); !below.empty())
    return "'" + path + "' is a section and takes no value of its own; write its keys below it, indented, such as "
           + path.substr(path.rfind('.') + 1) + ": { " + below + ": … }";
  if (const auto* above = setting_above(path))
    return "'" + std::string{above->path} + "' takes " + std::string{kind_text(above->kind)} + ", no keys below it";
  return "unknown key '" + path + "'" + did_you_mean(path, candidates(path));
}

/// Fills the free parts of a pattern with every name that is configured at their place.
void expand(const configuration& from, const std::string& done, std::string_view rest, const setting& row,
            std::vector<std::pair<std::string, const setting*>>& out) {
  const auto star = rest.find('*');
  if (star == std::string_view::npos) {
    out.emplace_back(done + std::string{rest}, &row);
    return;
  }
  const auto prefix = done + std::string{rest.substr(0, star - 1)};
  for (const auto& name : from.names(prefix)) expand(from, prefix + "." + name, rest.substr(star + 1), row, out);
}

} // namespace

std::error_code make_error_code(config_errc code) noexcept {
  static const config_category category;
  return {static_cast<int>(code), category};
}

result<nanoseconds> parse_duration(std::string_view text) {
  struct unit {
    std::string_view suffix;
    std::int64_t nanoseconds;
  };
  static constexpr unit units[] = {{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000},
                                   {"m", 60'000'000'000}, {"h", 3'600'000'000'000}, {"d", 86'400'000'000'000}};
  const auto digits = text.find_first_not_of("-0123456789.");
  if (digits == std::string_view::npos || digits == 0)
    return {config_errc::bad_value, "'" + std::string{text} + "' is no duration; write 250ms, 10s or 5m"};
  for (const auto& [suffix, length] : units) {
    if (text.substr(digits) != suffix) continue;
    // Large whole amounts leave no room for nine decimals.
    auto amount = parse_decimal(text.substr(0, digits), 9);
    const std::int64_t scale = amount ? 1'000'000'000 : 1;
    if (!amount) amount = parse_decimal(text.substr(0, digits), 0);
    if (!amount) break;
    const auto total = static_cast<__int128>(*amount) * length / scale;
    if (total > INT64_MAX || total < INT64_MIN) break;
    return nanoseconds{static_cast<std::int64_t>(total)};
  }
  return {config_errc::bad_value, "'" + std::string{text} + "' is no duration; write 250ms, 10s or 5m"};
}

status configuration::set(const std::string& path, std::string text, std::string origin, const std::string& place) {
  const auto* row = find_setting(path);
  if (row == nullptr) return {config_errc::unknown_key, place + ": " + unknown_key(path)};
  if (!fits(row->kind, text))
    return {config_errc::bad_value, place + ": " + path + " must be " + std::string{kind_text(row->kind)} + ", not '" + text + "'"};
  if (!row->least.empty() && below(row->kind, text, row->least))
    return {config_errc::bad_value, place + ": " + path + " must be at least " + std::string{row->least} + ", not " + text};
  if (!row->words.empty() && !one_of(row->words, text))
    return {config_errc::bad_value, place + ": " + path + " must be one of " + std::string{row->words} + ", not '" + text + "'"};
  values_[path] = {std::move(text), std::move(origin)};
  return ok;
}

status configuration::load_yaml(const std::filesystem::path& file) {
  std::error_code missing;
  if (!std::filesystem::exists(file, missing)) return ok;
  const auto name = file.string();
  if (!std::filesystem::is_regular_file(file, missing))
    return {config_errc::unreadable, name + ": is no file; put the settings there, or remove it"};
  std::vector<leaf> leaves;
  try {
    const auto root = YAML::LoadFile(name);
    if (root.IsNull()) return ok;
    if (!root.IsMap()) return {config_errc::bad_syntax, name + ":1: the file must be a map of keys"};
    if (auto done = collect(root, "", 0, name, leaves); !done) return done;
  } catch (const YAML::BadFile&) {
    return {config_errc::unreadable, name + ": can't be read; check its permissions"};
  } catch (const YAML::Exception& e) {
    return {config_errc::bad_syntax, name + ":" + std::to_string(e.mark.line + 1) + ":" + std::to_string(e.mark.column + 1)
                                         + ": " + e.msg};
  }
  for (auto& [path, text, line, list] : leaves) {
    const auto place = name + ":" + std::to_string(line);
    const auto* known = find_setting(path);
    if (list && known != nullptr && known->kind != setting_kind::text_list)
      return {config_errc::bad_value,
              place + ": " + path + " must be " + std::string{kind_text(known->kind)} + ", not a list"};
    if (auto done = set(path, std::move(text), place, place); !done) return done;
    if (known->file != file.filename().string())
      return {config_errc::unknown_key, place + ": '" + path + "' belongs into " + std::string{known->file}};
  }
  return ok;
}

result<configuration> configuration::load(const configuration_source& source) {
  configuration out;
  for (const auto& row : all_settings())
    if (row.path.find('*') == std::string_view::npos)
      out.values_[std::string{row.path}] = {std::string{row.fallback}, "default"};
  for (const auto* file : {"troupe.yaml", "models.yaml", "venues.yaml"})
    if (auto done = out.load_yaml(source.folder / file); !done) return std::move(done).error();
  for (const auto& [key, value] : source.environment) {
    if (!key.starts_with("TROUPE__")) continue;
    std::string path;
    for (std::size_t i = 8; i < key.size(); ++i) {
      if (key[i] == '_' && i + 1 < key.size() && key[i + 1] == '_') {
        path += '.';
        ++i;
      } else path += static_cast<char>(std::tolower(static_cast<unsigned char>(key[i])));
    }
    if (auto done = out.set(path, value, "environment " + key, "environment variable " + key); !done)
      return std::move(done).error();
  }
  for (const auto& item : source.overrides) {
    const auto equals = item.find('=');
    if (equals == std::string::npos)
      return {config_errc::bad_syntax, "--set " + item + ": write --set section.key=value"};
    if (auto done = out.set(item.substr(0, equals), item.substr(equals + 1), "--set", "--set " + item); !done)
      return std::move(done).error();
  }
  // The free-part settings of every name that occurs get their defaults too.
  std::vector<std::pair<std::string, const setting*>> defaults;
  for (const auto& row : all_settings())
    if (row.path.find('*') != std::string_view::npos) expand(out, "", row.path, row, defaults);
  for (auto& [path, row] : defaults)
    if (!out.values_.contains(path)) out.values_[path] = {std::string{row->fallback}, "default"};
  return out;
}

const std::string& configuration::at(std::string_view path) const {
  static const std::string empty;
  const auto found = values_.find(path);
  if (found != values_.end()) return found->second.text;
  assert(find_setting(path) != nullptr && "setting is not in the table");
  return empty;
}

std::string configuration::text(std::string_view path) const { return at(path); }

std::int64_t configuration::integer(std::string_view path) const { return parse_decimal(at(path), 0).value_or(0); }

std::int64_t configuration::decimal(std::string_view path, int scale) const {
  return parse_decimal(at(path), scale).value_or(0);
}

nanoseconds configuration::duration(std::string_view path) const {
  return parse_duration(at(path)).value_or(nanoseconds{0});
}

bool configuration::boolean(std::string_view path) const { return at(path) == "true"; }

std::vector<std::string> configuration::list(std::string_view path) const {
  std::vector<std::string> out;
  for (const auto part : split(at(path), ','))
    if (const auto item = trimmed(part); !item.empty()) out.emplace_back(item);
  return out;
}

std::vector<std::string> configuration::names(std::string_view prefix) const {
  std::vector<std::string> out;
  const auto start = std::string{prefix} + ".";
  for (auto it = values_.lower_bound(start); it != values_.end() && it->first.starts_with(start); ++it) {
    const auto name = it->first.substr(start.size(), it->first.find('.', start.size()) - start.size());
    if (out.empty() || out.back() != name) out.push_back(name);
  }
  return out;
}

std::uint64_t configuration::hash() const {
  auto sum = stable_hash("configuration");
  for (const auto& [path, value] : values_) sum = stable_hash(value.text, stable_hash(path, sum));
  return sum;
}

} // namespace troupe
