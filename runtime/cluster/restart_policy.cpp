#include "runtime/cluster/restart_policy.hpp"

#include <algorithm>
#include <csignal>
#include <sys/wait.h>

namespace troupe {

process_end classify_end(int wait_status, bool we_killed, bool stuck) noexcept {
  if (stuck) return process_end::failure;
  if (we_killed) return process_end::outside;
  if (WIFEXITED(wait_status)) {
    switch (WEXITSTATUS(wait_status)) {
    case 0: return process_end::finished;
    case exit_declared_dead: return process_end::declared;
    case exit_data:
    case exit_configuration: return process_end::hopeless;
    default: return process_end::failure;
    }
  }
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    if (signal == SIGKILL || signal == SIGTERM || signal == SIGINT) return process_end::outside;
  }
  return process_end::failure;
}

std::optional<nanoseconds> restart_policy::ended(process_end how, std::optional<nanoseconds> ready_for,
                                                 steady_time now) {
  if (how == process_end::finished || how == process_end::hopeless) return std::nullopt;
  const bool proven = ready_for && *ready_for >= options_.proven_after;
  if (proven) failures_ = 0;
  if (how == process_end::failure) {
    counted_.push_back(now);
    while (!counted_.empty() && now - counted_.front() > options_.period) counted_.pop_front();
    if (counted_.size() > options_.limit) return std::nullopt;
  }
  // What ran well until it was killed, or was told to start anew, comes back at once.
  if (proven || how == process_end::declared) return nanoseconds{0};
  const auto doublings = std::min<std::uint32_t>(failures_, 20);
  ++failures_;
  return std::min(options_.least * (std::int64_t{1} << doublings), options_.most);
}

void restart_policy::forgive() noexcept {
  failures_ = 0;
  counted_.clear();
}

} // namespace troupe
