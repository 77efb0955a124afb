#include "tools/ops/init_files.hpp"

#include "runtime/config/configuration.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::ops {
namespace {

/// What a first configuration sets itself; all else stands there as a comment with its default.
struct chosen {
  std::string_view path;
  std::string_view value;
};

constexpr chosen first_values[] = {
    {"instruments", "[BTC-USDT@binance]"}, {"trading.mode", "paper"},  {"trading.account", "main@binance"},
    {"trading.gateway", "paper"},          {"metrics.port", "9464"},   {"predictor.model", "cnn"},
    {"risk.max_position", "0.05"},         {"risk.max_order", "0.05"}, {"risk.max_notional", "10000"},
};

std::string_view first_value(std::string_view path) {
  for (const auto& each : first_values)
    if (each.path == path) return each.value;
  return {};
}

std::string yaml_value(const setting& row) {
  std::string fallback{row.fallback};
  if (row.kind == setting_kind::text_list) return "[" + fallback + "]";
  if (fallback.empty() || row.kind == setting_kind::text) return "\"" + fallback + "\"";
  return fallback;
}

/// A line of the file; `commented` ones begin with '#' and no blank of their own, so that taking the sign
/// away makes them count.
void line(std::string& out, bool commented, int depth, const std::string& text) {
  if (commented) out += '#';
  out.append(static_cast<std::size_t>(depth) * 2, ' ');
  out += text;
  out += '\n';
}

std::string name_of(std::string_view part) {
  return part == "*" ? "BTC-USDT" : std::string{part};
}

/// Does anything below this path stand in the file uncommented?
bool has_first_value(std::string_view prefix) {
  for (const auto& each : first_values)
    if (each.path.starts_with(prefix) && each.path.size() > prefix.size() && each.path[prefix.size()] == '.')
      return true;
  return false;
}

/// The settings of troupe.yaml so that those of one section stand together, wherever they stand in the table: a
/// section may begin only once in a file.
std::vector<const setting*> settings_by_section() {
  std::map<std::string_view, std::size_t> first; // place of a path or section in the table
  std::vector<std::pair<std::vector<std::size_t>, const setting*>> keyed;
  for (const auto& row : all_settings()) {
    if (row.file != "troupe.yaml") continue;
    std::vector<std::size_t> key;
    for (auto dot = row.path.find('.');; dot = row.path.find('.', dot + 1)) {
      key.push_back(first.try_emplace(row.path.substr(0, dot), first.size()).first->second);
      if (dot == std::string_view::npos) break;
    }
    keyed.emplace_back(std::move(key), &row);
  }
  std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<const setting*> out;
  for (const auto& [key, row] : keyed) out.push_back(row);
  return out;
}

std::string settings_text() {
  std::string out =
      "## The main configuration of Troupe. Every key is optional. A line that begins with one # shows a\n"
      "## default; take the sign away (and those of the lines it stands below) to set it.\n"
      "##   troupe config check              checks this folder\n"
      "##   troupe config show --origin      every value and where it comes from\n"
      "## Keys of accounts stand in .env, never here.\n";
  std::vector<std::string> open; // parts of the section being written
  for (const auto* each : settings_by_section()) {
    const auto& row = *each;
    std::vector<std::string> parts;
    for (auto rest = row.path; !rest.empty();) {
      const auto dot = rest.find('.');
      parts.push_back(name_of(rest.substr(0, dot)));
      rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
    }
    std::size_t same = 0;
    while (same < open.size() && same + 1 < parts.size() && open[same] == parts[same])
      ++same;
    if (same == 0) out += '\n';
    std::string prefix;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      prefix += (i == 0 ? "" : ".") + parts[i];
      if (i >= same) line(out, !has_first_value(prefix), static_cast<int>(i), parts[i] + ":");
    }
    open.assign(parts.begin(), parts.end() - 1);
    const auto depth = static_cast<int>(parts.size()) - 1;
    out += std::string(static_cast<std::size_t>(depth) * 2, ' ') + "## " + std::string{row.doc} + "\n";
    const auto value = first_value(row.path);
    line(out, value.empty(), depth,
         parts.back() + ": " + (value.empty() ? yaml_value(row) : std::string{value}));
  }
  return out;
}

constexpr auto env_text = "# Keys of accounts: copy this file to .env and run: chmod 600 .env\n"
                          "# A .env that others may read is refused. Give keys no right to withdraw.\n"
                          "# Account main@binance:\n"
                          "#TROUPE_MAIN_BINANCE_KEY=\n"
                          "#TROUPE_MAIN_BINANCE_SECRET=\n";

error unwritable(const std::filesystem::path& file) {
  return {std::error_code{errno, std::generic_category()},
          file.string() + ": can't be written: " + std::strerror(errno)};
}

/// False when a file of that name is there.
result<bool> write_new(const std::filesystem::path& path, const init_file& file) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file.mode);
  if (fd < 0) {
    if (errno == EEXIST) return false;
    return unwritable(path);
  }
  std::size_t done = 0;
  while (done < file.text.size()) {
    const auto n = ::write(fd, file.text.data() + done, file.text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      auto why = unwritable(path);
      ::close(fd);
      ::unlink(path.c_str()); // a half file would be left alone by the next try
      return why;
    }
    done += static_cast<std::size_t>(n);
  }
  if (::fchmod(fd, file.mode) != 0 || ::close(fd) != 0) return unwritable(path);
  return true;
}

} // namespace

std::vector<init_file> init_files() {
  std::vector<init_file> out{{"troupe.yaml", settings_text()}};
  for (const auto* name : {"venues.yaml", "models.yaml", "nodes.conf"})
    out.push_back({name, std::string{shipped_file(name)}});
  out.push_back({".env.example", env_text, 0600});
  return out;
}

result<std::vector<init_outcome>> write_init_files(const std::filesystem::path& folder) {
  std::error_code failed;
  if (!std::filesystem::exists(folder, failed)) {
    std::filesystem::create_directories(folder, failed);
    if (failed) return error{failed, folder.string() + ": can't be made: " + failed.message()};
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  }
  std::vector<init_outcome> out;
  for (const auto& file : init_files()) {
    auto written = write_new(folder / file.name, file);
    if (!written) return std::move(written).error();
    out.push_back({file.name, *written});
  }
  return out;
}

} // namespace troupe::ops
