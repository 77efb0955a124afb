#include "runtime/cluster/node_watch.hpp"

#include "messages/json.hpp"
#include "runtime/actor/timeline.hpp"
#include "runtime/log.hpp"

#include <cstdio>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::size_t kept_findings = 8;

/// Comes back when the scheduler gets to it.
struct pulse_state {
  using handle_type = caf::typed_actor<on<acknowledged>>;
  using self_pointer = actor_pointer<handle_type>;
  static inline const char* name = "pulse";
  pulse_state(self_pointer, std::shared_ptr<std::atomic<std::uint64_t>> answered)
      : answered_{std::move(answered)} {}
  handle_type::behavior_type make_behavior() {
    return {
        [this](const acknowledged& poke) { answered_->store(poke.sequence, std::memory_order_relaxed); }};
  }
  std::shared_ptr<std::atomic<std::uint64_t>> answered_;
};

std::string milliseconds(nanoseconds x) {
  return std::to_string(x.count() / 1'000'000) + " ms";
}

std::string handler_text(const running_handler& handler) {
  return handler.actor + " has been in its handler of " + handler.message + " for "
         + milliseconds(handler.running);
}

} // namespace

std::uint64_t resident_bytes() {
  long pages = 0;
  long resident = 0;
  auto* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  const bool read = std::fscanf(file, "%ld %ld", &pages, &resident) == 2;
  std::fclose(file);
  return read ? static_cast<std::uint64_t>(resident) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))
              : 0;
}

node_watch::node_watch(caf::actor_system& system, node_watch_options options)
    : options_{std::move(options)}, memory_{options_.memory}, stall_{options_.stall} {
  pulse_ = caf::actor_cast<caf::actor>(
      spawn_actor<pulse_state>(system, spawn_options{.name = "pulse"}, answered_));
  watchdog_options how;
  how.slow = options_.slow;
  how.stuck = options_.stuck;
  how.every = options_.every;
  how.on_slow = [this](const running_handler& handler) { found(slow_, handler_text(handler), false); };
  how.on_stuck = [this](const running_handler& handler) {
    found(stuck_count_,
          handler_text(handler)
              + (handler.detached ? "; it has a thread of its own"
                                  : "; the parent is to restart this process"),
          true);
    if (!handler.detached && options_.on_stuck) options_.on_stuck();
  };
  how.on_look = [this](bool stuck) { look(stuck); };
  dog_ = std::make_unique<watchdog>(std::move(how));
}

node_watch::~node_watch() {
  dog_.reset();
  caf::anon_send_exit(pulse_, caf::exit_reason::user_shutdown);
}

void node_watch::found(std::uint64_t& counter, std::string text, bool grave) {
  log::write(grave ? log::severity::error : log::severity::warn, "watchdog", text);
  const std::lock_guard lock{guard_};
  ++counter;
  newest_.push_back({monotonic_ns(), std::move(text)});
  if (newest_.size() > kept_findings) newest_.pop_front();
}

void node_watch::look(bool stuck) {
  stuck_.store(stuck, std::memory_order_relaxed);
  const auto now = monotonic_ns();
  const auto clocks = clock_.look(now, (options_.wall != nullptr ? options_.wall->now() : host_.now()).ns, options_.every);
  if (clocks.jump.count() != 0) {
    const auto text =
        "the wall clock jumped by " + milliseconds(clocks.jump) + "; is its time service in order?";
    timeline::instance().add(timeline_event::clock, "process", text);
    found(jumps_, text, true);
  }
  if (clocks.gap.count() != 0) {
    const auto text = "this process did not run for " + milliseconds(clocks.gap);
    timeline::instance().add(timeline_event::stall, "process", text);
    found(gaps_, text, true);
  }
  const auto answered = answered_->load(std::memory_order_relaxed);
  if (const auto late = stall_.stalled(answered, now)) {
    const auto text = "no scheduler thread has taken up a message for " + milliseconds(*late)
                      + ": all are busy or blocked";
    timeline::instance().add(timeline_event::stall, "scheduler", text);
    found(stalls_, text, true);
  }
  if (stall_.wants_poke(answered)) caf::anon_send(pulse_, acknowledged{stall_.poke(now)});
  if (now - memory_looked_ < options_.memory_every.count()) return;
  memory_looked_ = now;
  const auto resident = resident_bytes();
  if (const auto least = memory_.look(now, resident))
    found(growths_,
          "memory grew from " + std::to_string(*least >> 20) + " MiB to " + std::to_string(resident >> 20)
              + " MiB within an hour",
          true);
}

std::string node_watch::json() const {
  const auto now = monotonic_ns();
  json_writer w;
  const std::lock_guard lock{guard_};
  w.begin_object().field("slow_handlers", slow_).field("stuck_handlers", stuck_count_);
  w.field("scheduler_stalls", stalls_).field("clock_jumps", jumps_).field("process_stalls", gaps_);
  w.field("memory_growths", growths_).field("stuck_now", stuck()).key("newest").begin_array();
  for (const auto& f : newest_)
    w.begin_object().field("ago_ms", (now - f.at) / 1'000'000).field("text", f.text).end_object();
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
