#include "tools/ops/doctor_host.hpp"

#include "runtime/clock.hpp"
#include "runtime/cluster/tcp_probe.hpp"
#include "runtime/config/credentials.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

namespace troupe::ops {
namespace {

using namespace std::chrono_literals;
using path = std::filesystem::path;

struct time_service {
  const char* sign; ///< a file it makes while it runs
  const char* name;
};

constexpr time_service time_services[] = {
    {"/run/chrony/chronyd.pid", "chrony"},
    {"/run/chronyd.pid", "chrony"},
    {"/run/systemd/timesync/synchronized", "systemd-timesyncd"},
    {"/run/ntpd.pid", "ntpd"},
    {"/run/ntpsec/ntpd.pid", "ntpsec"},
    {"/run/openntpd.sock", "openntpd"},
    {"/run/ptp4l", "ptp4l"},
};

/// The folder itself, or the nearest one above it that is there.
path nearest_folder(path folder) {
  std::error_code failed;
  folder = std::filesystem::absolute(folder, failed);
  while (!folder.empty() && folder != folder.root_path() && !std::filesystem::is_directory(folder, failed))
    folder = folder.parent_path();
  return folder.empty() ? path{"."} : folder;
}

finding check_keys(const path& config) {
  const auto file = config / ".env";
  std::error_code missing;
  if (!std::filesystem::exists(file, missing))
    return {"keys", verdict::pass, "no " + file.string() + ": nothing to protect", {}};
  const auto read = credentials::load(file);
  if (!read) return {"keys", verdict::fail, read.error().text, "chmod 600 " + file.string()};
  return {"keys",
          verdict::pass,
          file.string() + " is readable for its owner only, " + std::to_string(read->count()) + " values",
          {}};
}

finding check_data(const path& data) {
  struct stat info {};
  if (::stat(data.c_str(), &info) != 0) {
    const auto above = nearest_folder(data);
    if (::access(above.c_str(), W_OK) == 0)
      return {"data folder", verdict::pass, data.string() + " will be made", {}};
    return {"data folder", verdict::fail,
            data.string() + " can't be made: " + above.string() + " is not writable", "name another --data"};
  }
  if (info.st_uid != ::geteuid())
    return {"data folder", verdict::fail, data.string() + " belongs to another user",
            "chown it, or run as its owner"};
  if (::access(data.c_str(), W_OK) != 0)
    return {"data folder", verdict::fail, data.string() + " is not writable", "chmod u+rwx " + data.string()};
  if ((info.st_mode & 022) != 0)
    return {"data folder", verdict::fail, data.string() + " can be written by others",
            "chmod 700 " + data.string()};
  if ((info.st_mode & 077) != 0)
    return {"data folder", verdict::warn, data.string() + " can be read by others",
            "chmod 700 " + data.string()};
  return {"data folder", verdict::pass, data.string() + " belongs to its owner alone", {}};
}

void check_ports(const doctor_subject& subject, std::vector<finding>& out) {
  if (subject.running) {
    out.push_back({"ports", verdict::pass, "in use by the nodes that run from this data folder", {}});
    return;
  }
  std::size_t free = 0;
  const auto look = [&](std::uint16_t port, const std::string& who) {
    if (auto open = check_port_free(port, who); open)
      ++free;
    else
      out.push_back(
          {"ports", verdict::fail, open.error().text, "stop what listens there, or name another port"});
  };
  const auto first = subject.settings != nullptr ? subject.settings->integer("metrics.port") : 0;
  for (std::size_t i = 0; i < subject.nodes->nodes().size(); ++i) {
    const auto& node = subject.nodes->nodes()[i];
    look(node.port, node.name.text);
    const auto port = first + static_cast<std::int64_t>(i);
    if (first > 0 && port <= 65535) look(static_cast<std::uint16_t>(port), "metrics of " + node.name.text);
  }
  if (free > 0) out.push_back({"ports", verdict::pass, std::to_string(free) + " ports are free", {}});
}

finding check_node_key(const path& key) {
  struct stat info {};
  if (::stat(key.c_str(), &info) != 0)
    return {"node key", verdict::fail, key.string() + " is missing", "`troupe cluster issue` makes it"};
  if ((info.st_mode & 077) != 0 || info.st_uid != ::geteuid())
    return {"node key", verdict::fail, key.string() + " can be read by others, or belongs to somebody else",
            "chmod 600 " + key.string()};
  return {"node key", verdict::pass, key.string() + " is readable for its owner only", {}};
}

void check_certificates(const doctor_subject& subject, std::vector<finding>& out) {
  const auto look = [&](const path& file) {
    const auto left = certificate_left(file);
    if (left)
      out.push_back(judge_certificate(file.string(), *left));
    else
      out.push_back(
          {"certificate", verdict::fail, left.error().text, "correct the setting, or issue the file again"});
  };
  if (subject.settings != nullptr)
    for (const auto& venue : subject.settings->names("venues"))
      if (const auto file = subject.settings->text("venues." + venue + ".ca"); !file.empty()) look(file);
  if (subject.nodes == nullptr) return;
  std::error_code failed;
  const auto& nodes = subject.nodes->nodes();
  if (std::none_of(nodes.begin(), nodes.end(), [](const node_spec& node) { return node.tls; })) return;
  // Links between hosts: what `troupe cluster issue` made for this one.
  path folder = "tls";
  if (subject.settings != nullptr) {
    const auto set = subject.settings->values().find("cluster.tls.directory");
    if (set != subject.settings->values().end()) folder = set->second.text;
  }
  folder = subject.config / folder; // an absolute one stays as it is
  // Nodes of one host may have a folder each; those of other hosts have theirs there.
  std::vector<path> folders;
  for (const auto& node : nodes)
    if (std::filesystem::is_directory(folder / node.name.text, failed))
      folders.push_back(folder / node.name.text);
  if (folders.empty()) folders.push_back(folder);
  for (const auto& each : folders) {
    look(each / "ca.pem");
    look(each / "node.pem");
    out.push_back(check_node_key(each / "node.key"));
  }
}

void check_programs(const doctor_subject& subject, std::vector<finding>& out) {
  std::uint64_t needed = 0;
  bool torch = false;
  for (const auto& node : subject.nodes->nodes()) {
    torch = torch || node.needs_torch();
    needed += node.needs_torch() ? 700'000'000 : 200'000'000;
  }
  out.push_back(judge_memory(available_memory(), needed));
  if (!torch) return;
  const auto program = subject.programs / "troupe-model";
  std::error_code failed;
  if (!std::filesystem::exists(program, failed))
    out.push_back({"programs", verdict::fail,
                   program.string() + " is missing; nodes.conf has model or train nodes",
                   "install or build it beside troupe"});
  out.push_back(judge_blas(find_blas()));
}

} // namespace

clock_state read_clock() {
  clock_state out;
  timex state{};
  const int answer = ::adjtimex(&state);
  out.synchronised = answer >= 0 && answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  out.offset = nanoseconds{(state.status & STA_NANO) != 0 ? state.offset : state.offset * 1000};
  out.largest_error = std::chrono::microseconds{state.maxerror};
  for (const auto& each : time_services)
    if (::access(each.sign, F_OK) == 0) {
      out.source = each.name;
      break;
    }
  return out;
}

result<sync_times> measure_sync(const path& folder, nanoseconds within) {
  auto name = (folder / "troupe-doctor-XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  const auto failed = [&](const char* what) {
    const auto code = errno;
    if (fd >= 0) ::close(fd);
    return error{std::error_code{code, std::generic_category()},
                 folder.string() + ": " + what + ": " + std::strerror(code)};
  };
  if (fd < 0) return failed("no file can be made");
  ::unlink(name.c_str()); // gone with the descriptor, whatever happens
  constexpr std::size_t most = 200;
  std::array<char, 4096> block{};
  block.fill('t');
  // Preallocated as the journal is, so that a sync writes data and no sizes.
  if (::posix_fallocate(fd, 0, static_cast<off_t>(most * block.size())) != 0) return failed("no room");
  if (::fsync(fd) != 0) return failed("can't be synced");
  std::vector<std::int64_t> times;
  const auto end = monotonic_ns() + within.count();
  while (times.size() < most && (times.size() < 20 || monotonic_ns() < end)) {
    const auto begin = monotonic_ns();
    if (::pwrite(fd, block.data(), block.size(), static_cast<off_t>(times.size() * block.size())) < 0)
      return failed("can't be written");
    if (::fdatasync(fd) != 0) return failed("can't be synced");
    times.push_back(monotonic_ns() - begin);
  }
  ::close(fd);
  std::sort(times.begin(), times.end());
  const auto at = [&](std::size_t percent) {
    return nanoseconds{times[std::min(times.size() - 1, times.size() * percent / 100)]};
  };
  return sync_times{at(50), at(99), times.size()};
}

std::optional<std::uint64_t> file_system_of(const path& folder) {
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(info.f_type));
}

std::string find_blas() {
  for (const auto* place :
       {"/usr/lib/x86_64-linux-gnu/libblas.so.3", "/usr/lib/aarch64-linux-gnu/libblas.so.3",
        "/usr/lib/libblas.so.3", "/usr/lib64/libblas.so.3"}) {
    std::error_code failed;
    const auto real = std::filesystem::canonical(place, failed);
    if (!failed) return real.string();
  }
  return {};
}

std::uint64_t available_memory() {
  std::ifstream in{"/proc/meminfo"};
  std::string word;
  while (in >> word) {
    std::uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && in >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

result<std::int64_t> certificate_left(const path& file) {
  const auto bad = [&](const char* why) {
    return error{std::make_error_code(std::errc::invalid_argument), file.string() + ": " + why};
  };
  std::FILE* in = std::fopen(file.c_str(), "re");
  if (in == nullptr) return bad(std::strerror(errno));
  X509* certificate = PEM_read_X509(in, nullptr, nullptr, nullptr);
  std::fclose(in);
  if (certificate == nullptr) return bad("holds no certificate");
  int days = 0;
  int seconds = 0;
  const int known = ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
  X509_free(certificate);
  if (known != 1) return bad("does not say when it ends");
  return static_cast<std::int64_t>(days) * 24 * 3600 + seconds;
}

std::vector<finding> examine_host(const doctor_subject& subject) {
  std::vector<finding> out;
  out.push_back(judge_clock(read_clock()));
  const auto folder = nearest_folder(subject.data);
  if (const auto kind = file_system_of(folder)) out.push_back(judge_file_system(*kind, folder.string()));
  if (const auto times = measure_sync(folder, subject.sync_for))
    out.push_back(judge_sync(*times, folder.string()));
  else
    out.push_back({"disk sync", verdict::fail, times.error().text, "name another --data"});
  struct statvfs space {};
  if (::statvfs(folder.c_str(), &space) == 0)
    out.push_back(judge_space(static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize,
                              static_cast<std::uint64_t>(space.f_blocks) * space.f_frsize, folder.string()));
  out.push_back(check_keys(subject.config));
  out.push_back(check_data(subject.data));
  if (subject.nodes != nullptr) {
    check_ports(subject, out);
    check_programs(subject, out);
  }
  check_certificates(subject, out);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0)
    out.push_back(judge_descriptors(files.rlim_cur, files.rlim_max));
  return out;
}

} // namespace troupe::ops
