#include "runtime/telemetry/process_figures.hpp"

#include <ctime>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace troupe {
namespace {

/// Seconds since 1970 at which the host started. Not from /proc/stat: a hardened unit sees only processes
/// there.
double boot_time() {
  timespec wall{};
  timespec up{};
  clock_gettime(CLOCK_REALTIME, &wall);
  clock_gettime(CLOCK_BOOTTIME, &up);
  return static_cast<double>(wall.tv_sec - up.tv_sec) + static_cast<double>(wall.tv_nsec - up.tv_nsec) * 1e-9;
}

} // namespace

process_figures read_process_figures() {
  process_figures out;
  std::ifstream in{"/proc/self/stat"};
  std::string line;
  std::getline(in, line);
  // The name may hold blanks and brackets; what follows its last bracket doesn't.
  const auto name_end = line.rfind(')');
  if (name_end != std::string::npos) {
    std::istringstream rest{line.substr(name_end + 1)};
    std::string skipped;
    for (int field = 3; field < 14; ++field)
      rest >> skipped;
    std::uint64_t user = 0;
    std::uint64_t system = 0;
    std::uint64_t start = 0;
    std::uint64_t pages = 0;
    rest >> user >> system >> skipped >> skipped >> skipped >> skipped >> out.threads >> skipped >> start
        >> out.virtual_bytes >> pages;
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    out.cpu_seconds = static_cast<double>(user + system) / ticks;
    out.started_seconds = boot_time() + static_cast<double>(start) / ticks;
    out.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  std::error_code failed;
  for (std::filesystem::directory_iterator it{"/proc/self/fd", failed};
       !failed && it != std::filesystem::directory_iterator{}; it.increment(failed))
    ++out.open_files;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.most_files = limit.rlim_cur;
  return out;
}

disk_figures read_disk_figures(const std::filesystem::path& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return {};
  return {static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize,
          static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize};
}

void append_process_metrics(std::string& out, const process_figures& process, const disk_figures& disk,
                            const std::vector<metric_label>& labels) {
  const auto add = [&](const char* name, const char* help, metric_type type, double value) {
    append_metrics(out, {name, help, type, {{labels, value}}});
  };
  using enum metric_type;
  add("process_cpu_seconds_total", "User and system time of the process.", counter, process.cpu_seconds);
  add("process_resident_memory_bytes", "Memory of the process that lies in RAM.", gauge,
      static_cast<double>(process.resident_bytes));
  add("process_virtual_memory_bytes", "Address space of the process.", gauge,
      static_cast<double>(process.virtual_bytes));
  add("process_open_fds", "Open file descriptors.", gauge, static_cast<double>(process.open_files));
  add("process_max_fds", "Most file descriptors the process may open.", gauge,
      static_cast<double>(process.most_files));
  add("process_threads", "Threads of the process.", gauge, static_cast<double>(process.threads));
  add("process_start_time_seconds", "When the process started, seconds since 1970.", gauge,
      process.started_seconds);
  add("troupe_disk_free_bytes", "Free space of the file system that holds the data folder.", gauge,
      static_cast<double>(disk.free_bytes));
  add("troupe_disk_size_bytes", "Size of the file system that holds the data folder.", gauge,
      static_cast<double>(disk.total_bytes));
}

} // namespace troupe
