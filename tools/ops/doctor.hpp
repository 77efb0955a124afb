#pragma once

/// `troupe doctor`: is this machine fit to run what is configured? One finding a check, with what to do about
/// it. The judgements are pure; `doctor_host.hpp` looks at the host.

#include "messages/error.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::ops {

enum class verdict : std::uint8_t { pass, warn, fail };

std::string_view to_string(verdict x) noexcept;

/// What one check found.
struct finding {
  std::string check; ///< one word or two: "clock", "disk sync"
  verdict is = verdict::pass;
  std::string text;   ///< what was found
  std::string remedy; ///< what to do; empty when it passed
  friend bool operator==(const finding&, const finding&) = default;
};

/// What the kernel's clock says of itself.
struct clock_state {
  bool synchronised = false;
  nanoseconds offset{};        ///< the last correction
  nanoseconds largest_error{}; ///< bound that the kernel keeps
  std::string source;          ///< the service that keeps it, "" when none was found
};

/// Venues refuse requests of a clock that is off by more than their window, and lags can't be told from
/// offsets.
finding judge_clock(const clock_state& clock);

/// Times of single synced writes in the journal's folder.
struct sync_times {
  nanoseconds p50{};
  nanoseconds p99{};
  std::size_t writes = 0;
};

/// Each order waits for one. A sync that costs nothing does not reach a disk.
finding judge_sync(const sync_times& times, const std::string& folder);

/// The file system's kind by the number statfs gives; locks and syncs of network file systems can't be
/// trusted.
finding judge_file_system(std::uint64_t magic, const std::string& folder);

finding judge_space(std::uint64_t free_bytes, std::uint64_t total_bytes, const std::string& folder);

/// @param library where the linker's libblas leads to; empty when there is none
finding judge_blas(const std::string& library);

/// @param needed a rough sum over the nodes that run here
finding judge_memory(std::uint64_t available, std::uint64_t needed);

finding judge_descriptors(std::uint64_t soft, std::uint64_t hard);

/// @param seconds_left until a certificate ends; negative: it has ended
finding judge_certificate(const std::string& file, std::int64_t seconds_left);

/// The worst of them.
verdict worst(const std::vector<finding>& all) noexcept;

/// A table for people, the worst last; `colour` marks the verdicts.
std::string findings_text(const std::vector<finding>& all, bool colour);

/// {"ok":…,"checks":[{"check","verdict","text","remedy"}…]}
std::string findings_json(const std::vector<finding>& all);

} // namespace troupe::ops
