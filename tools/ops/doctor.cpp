#include "tools/ops/doctor.hpp"

#include "messages/json.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace troupe::ops {
namespace {

using namespace std::chrono_literals;

std::string with_digits(double x, const char* unit) {
  char out[48];
  std::snprintf(out, sizeof out, "%.*f %s", x < 10 ? 2 : (x < 100 ? 1 : 0), x, unit);
  return out;
}

std::string time_text(nanoseconds x) {
  const auto ns = std::fabs(static_cast<double>(x.count()));
  if (ns < 1e6) return with_digits(ns / 1e3, "us");
  if (ns < 1e9) return with_digits(ns / 1e6, "ms");
  return with_digits(ns / 1e9, "s");
}

std::string size_text(std::uint64_t bytes) {
  const auto b = static_cast<double>(bytes);
  return b < 1e9 ? with_digits(b / 1e6, "MB") : with_digits(b / 1e9, "GB");
}

struct known_file_system {
  std::uint64_t magic;
  const char* name;
  verdict is;
};

/// Numbers of statfs(2).
constexpr known_file_system file_systems[] = {
    {0xEF53, "ext4", verdict::pass},       {0x58465342, "xfs", verdict::pass},
    {0x9123683E, "btrfs", verdict::pass},  {0x2FC12FC1, "zfs", verdict::pass},
    {0xF2F52010, "f2fs", verdict::pass},   {0x794C7630, "overlay", verdict::warn},
    {0x01021994, "tmpfs", verdict::warn},  {0x858458F6, "ramfs", verdict::warn},
    {0x65735546, "fuse", verdict::warn},   {0x6969, "nfs", verdict::fail},
    {0xFF534D42, "cifs", verdict::fail},   {0xFE534D42, "smb2", verdict::fail},
    {0x517B, "smb", verdict::fail},        {0x01021997, "9p", verdict::fail},
    {0x5346414F, "afs", verdict::fail},    {0x00C36400, "ceph", verdict::fail},
    {0x7461636F, "ocfs2", verdict::fail},  {0x47504653, "gpfs", verdict::fail},
    {0x0BD00BD0, "lustre", verdict::fail},
};

} // namespace

std::string_view to_string(verdict x) noexcept {
  switch (x) {
  case verdict::pass:
    return "pass";
  case verdict::warn:
    return "warn";
  case verdict::fail:
    return "fail";
  }
  return "?";
}

finding judge_clock(const clock_state& clock) {
  const auto by = clock.source.empty() ? std::string{"no time service was found"} : "kept by " + clock.source;
  const std::string remedy = "install and start one: apt install chrony; then look with `chronyc tracking`";
  if (!clock.synchronised) return {"clock", verdict::warn, "not synchronised; " + by, remedy};
  const auto text = "synchronised, offset " + time_text(clock.offset) + ", error at most "
                    + time_text(clock.largest_error) + "; " + by;
  if (clock.largest_error > 1s)
    return {"clock", verdict::fail, text, "venues refuse requests of such a clock; " + remedy};
  if (clock.largest_error > 100ms) return {"clock", verdict::warn, text, "name nearer time servers"};
  return {"clock", verdict::pass, text, {}};
}

finding judge_sync(const sync_times& times, const std::string& folder) {
  const auto text = "fdatasync of 4 KiB in " + folder + ": p50 " + time_text(times.p50) + ", p99 "
                    + time_text(times.p99) + " (" + std::to_string(times.writes) + " writes)";
  if (times.p50 < 20us)
    return {"disk sync", verdict::warn, text,
            "a sync this fast does not reach a disk; the journal would not outlive a power cut: name a "
            "--data on a real disk"};
  if (times.p99 > 200ms)
    return {"disk sync", verdict::fail, text,
            "each order waits for one such write: name a faster disk with --data"};
  if (times.p99 > 20ms)
    return {"disk sync", verdict::warn, text, "each order waits for one such write: a disk of its own helps"};
  return {"disk sync", verdict::pass, text, {}};
}

finding judge_file_system(std::uint64_t magic, const std::string& folder) {
  for (const auto& known : file_systems) {
    if (known.magic != magic) continue;
    const auto text = folder + " lies on " + known.name;
    if (known.is == verdict::fail)
      return {"file system", known.is, text,
              "locks and syncs of network file systems can't be trusted; name a local disk with --data"};
    if (known.is == verdict::warn)
      return {"file system", known.is, text,
              "what is written may not outlive this machine or container; name a local disk with --data"};
    return {"file system", known.is, text, {}};
  }
  char number[32];
  std::snprintf(number, sizeof number, "0x%llx", static_cast<unsigned long long>(magic));
  return {"file system", verdict::warn, folder + " lies on a file system of an unknown kind (" + number + ")",
          "ext4, xfs, btrfs and zfs are known to keep what they synced"};
}

finding judge_space(std::uint64_t free_bytes, std::uint64_t total_bytes, const std::string& folder) {
  const auto text = size_text(free_bytes) + " free of " + size_text(total_bytes) + " in " + folder;
  if (free_bytes < 1'000'000'000)
    return {"disk space", verdict::fail, text,
            "the journal stops trading when it can't be written; free some"};
  if (free_bytes < 5'000'000'000)
    return {"disk space", verdict::warn, text, "free some, or name another --data"};
  return {"disk space", verdict::pass, text, {}};
}

finding judge_blas(const std::string& library) {
  if (library.empty())
    return {"blas", verdict::warn, "no libblas.so.3 was found", "apt install libopenblas0-openmp"};
  for (const auto* fast : {"openblas", "blis", "mkl", "atlas"})
    if (library.find(fast) != std::string::npos) return {"blas", verdict::pass, library, {}};
  return {"blas", verdict::warn, library + " is the reference implementation: models run many times slower",
          "apt install libopenblas0-openmp"};
}

finding judge_memory(std::uint64_t available, std::uint64_t needed) {
  const auto text =
      size_text(available) + " available, the nodes of this host want about " + size_text(needed);
  if (available >= needed) return {"memory", verdict::pass, text, {}};
  return {"memory", available * 2 < needed ? verdict::fail : verdict::warn, text,
          "move model and train nodes to another host"};
}

finding judge_descriptors(std::uint64_t soft, std::uint64_t hard) {
  const auto text =
      "at most " + std::to_string(soft) + " open files (up to " + std::to_string(hard) + " may be asked for)";
  if (soft >= 4096) return {"descriptors", verdict::pass, text, {}};
  if (soft >= 512)
    return {"descriptors", verdict::warn, text,
            "enough for a few venues; for more: ulimit -n 4096, or LimitNOFILE=4096"};
  return {"descriptors", verdict::fail, text, "ulimit -n 4096, or LimitNOFILE=4096 in the unit"};
}

finding judge_certificate(const std::string& file, std::int64_t seconds_left) {
  constexpr std::int64_t day = 24 * 3600;
  const auto days = std::to_string((seconds_left < 0 ? -seconds_left : seconds_left) / day);
  if (seconds_left < 0)
    return {"certificate", verdict::fail, file + " ended " + days + " days ago", "issue a new one"};
  if (seconds_left < 30 * day)
    return {"certificate", verdict::warn, file + " ends in " + days + " days", "issue a new one"};
  return {"certificate", verdict::pass, file + " holds for " + days + " days", {}};
}

verdict worst(const std::vector<finding>& all) noexcept {
  auto out = verdict::pass;
  for (const auto& each : all)
    out = std::max(out, each.is);
  return out;
}

std::string findings_text(const std::vector<finding>& all, bool colour) {
  auto sorted = all;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.is < b.is; });
  std::size_t width = 0;
  for (const auto& each : sorted)
    width = std::max(width, each.check.size());
  std::string out;
  for (const auto& each : sorted) {
    const auto* mark =
        each.is == verdict::pass ? "\033[32m" : (each.is == verdict::warn ? "\033[33m" : "\033[31m");
    out += colour ? mark : "";
    out += to_string(each.is);
    out += colour ? "\033[0m" : "";
    out += "  " + each.check + std::string(width - each.check.size() + 2, ' ') + each.text + "\n";
    if (!each.remedy.empty()) out += std::string(width + 8, ' ') + "-> " + each.remedy + "\n";
  }
  return out;
}

std::string findings_json(const std::vector<finding>& all) {
  json_writer w;
  w.begin_object().field("ok", worst(all) != verdict::fail).key("checks").begin_array();
  for (const auto& each : all)
    w.begin_object()
        .field("check", each.check)
        .field("verdict", to_string(each.is))
        .field("text", each.text)
        .field("remedy", each.remedy)
        .end_object();
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe::ops
