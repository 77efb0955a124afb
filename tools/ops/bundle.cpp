#include "tools/ops/bundle.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/utsname.h>
#include <unistd.h>

namespace troupe::ops {
namespace {

using path = std::filesystem::path;

constexpr std::uintmax_t log_tail = 256 * 1024;
constexpr std::uintmax_t largest_config = 1024 * 1024;
constexpr std::size_t most_listed = 20'000;

/// The last bytes of a file, from the beginning of a line.
std::string tail_of(const path& file, std::uintmax_t bytes) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return {};
  in.seekg(0, std::ios::end);
  const auto size = static_cast<std::uintmax_t>(in.tellg());
  const auto from = size > bytes ? size - bytes : 0;
  in.seekg(static_cast<std::streamoff>(from));
  std::string out(static_cast<std::size_t>(size - from), '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  if (from > 0) out.erase(0, out.find('\n') == std::string::npos ? 0 : out.find('\n') + 1);
  return out;
}

/// Files of /proc say they are empty.
std::string whole_of(const path& file) {
  std::ifstream in{file, std::ios::binary};
  std::ostringstream out;
  if (in) out << in.rdbuf();
  return std::move(out).str();
}

void add_configuration(const path& folder, std::vector<tar_file>& out) {
  for (const auto* name : {"troupe.yaml", "models.yaml", "venues.yaml", "nodes.conf"})
    for (const auto& place : {folder / name, folder.parent_path() / name}) {
      auto text = tail_of(place, largest_config);
      if (text.empty()) continue;
      out.push_back({std::string{"config/"} + name, std::move(text)});
      break;
    }
  std::string names;
  for (const auto& [name, value] : env_entries(folder / ".env"))
    names += name + (value.empty() ? " is empty\n" : " is set, " + std::to_string(value.size()) + " bytes\n");
  if (!names.empty()) out.push_back({"config/env-names.txt", std::move(names)});
}

void add_logs(const path& data, std::vector<tar_file>& out) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator{data, failed}) {
    const auto name = entry.path().filename().string();
    if (entry.path().extension() == ".log" && name.size() < 60)
      out.push_back({"logs/" + name, tail_of(entry.path(), log_tail)});
    if (!entry.is_directory(failed) || name.size() >= 60) continue;
    auto audit = tail_of(entry.path() / "audit.log", log_tail);
    if (!audit.empty()) out.push_back({"logs/" + name + ".audit.log", std::move(audit)});
  }
}

void add_listing(const path& data, std::vector<tar_file>& out) {
  std::vector<std::string> lines;
  std::error_code failed;
  for (std::filesystem::recursive_directory_iterator it{
           data, std::filesystem::directory_options::skip_permission_denied, failed};
       !failed && it != std::filesystem::recursive_directory_iterator{} && lines.size() < most_listed;
       it.increment(failed)) {
    std::error_code gone;
    const auto size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(
        std::filesystem::file_time_type::clock::now() - it->last_write_time(gone));
    lines.push_back(it->path().lexically_relative(data).string() + "  " + std::to_string(size)
                    + " bytes, changed " + std::to_string(age.count()) + " s ago\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines)
    text += line;
  out.push_back({"data.txt", std::move(text)});
}

void add_host(std::vector<tar_file>& out) {
  utsname system{};
  ::uname(&system);
  std::string text =
      std::string{system.sysname} + " " + system.release + " " + system.version + " " + system.machine + "\n";
  text += whole_of("/etc/os-release");
  for (const auto* name : {"/proc/loadavg", "/proc/meminfo", "/proc/self/limits", "/proc/self/mounts",
                           "/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/memory"})
    text += std::string{"\n--- "} + name + "\n" + whole_of(name);
  out.push_back({"host.txt", std::move(text)});
}

} // namespace

std::vector<std::pair<std::string, std::string>> env_entries(const path& file) {
  std::vector<std::pair<std::string, std::string>> out;
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const auto equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string::npos) continue;
    out.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return out;
}

std::vector<tar_file> collect_bundle(const bundle_request& request) {
  std::vector<std::string> values;
  for (const auto& [name, value] : env_entries(request.config / ".env"))
    values.push_back(value);
  const secret_words secrets{values};
  auto out = request.texts;
  add_configuration(request.config, out);
  add_logs(request.data, out);
  add_listing(request.data, out);
  add_host(out);
  std::string failed;
  for (const auto& line : request.failed)
    failed += line + "\n";
  if (!failed.empty()) out.push_back({"FAILED.txt", std::move(failed)});
  for (auto& file : out) {
    // Names of files can hold what they should not as well.
    file.name = secrets.strip(std::move(file.name));
    file.text = secrets.strip(std::move(file.text));
  }
  return out;
}

result<std::uint64_t> write_bundle(const bundle_request& request, const path& file, std::int64_t seconds) {
  const auto how = packing_of(file.filename().string());
  if (!how) return how.error();
  auto archive = make_tar(collect_bundle(request), seconds);
  if (!archive) return std::move(archive).error();
  auto packed = pack(*archive, *how);
  if (!packed) return std::move(packed).error();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const auto failed = [&] {
    return error{std::error_code{errno, std::generic_category()},
                 file.string() + ": can't be written: " + std::strerror(errno)};
  };
  if (fd < 0) return failed();
  for (std::size_t done = 0; done < packed->size();) {
    const auto n = ::write(fd, packed->data() + done, packed->size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      auto why = failed();
      ::close(fd);
      ::unlink(file.c_str());
      return why;
    }
    done += static_cast<std::size_t>(n);
  }
  if (::close(fd) != 0) return failed();
  return static_cast<std::uint64_t>(packed->size());
}

} // namespace troupe::ops
