#include "runtime/actor/watchdog.hpp"

namespace troupe {

watchdog::watchdog(watchdog_options options)
    : options_{std::move(options)}, thread_{[this] { run(); }} {}

watchdog::~watchdog() {
  {
    const std::lock_guard lock{guard_};
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void watchdog::run() {
  std::unique_lock lock{guard_};
  while (!ending_) {
    lock.unlock();
    look();
    lock.lock();
    wake_.wait_for(lock, options_.every, [this] { return ending_; });
  }
}

void watchdog::look() {
  std::unordered_map<std::uint64_t, told> still;
  bool stuck = false;
  for (const auto& handler : actor_table::instance().running_longer_than(options_.slow)) {
    auto known = told_[handler.serial];
    if (known.since != handler.since) {
      known = {handler.since, false};
      if (options_.on_slow) options_.on_slow(handler);
    }
    if (!known.stuck && handler.running > options_.stuck) {
      known.stuck = true;
      if (options_.on_stuck) options_.on_stuck(handler);
    }
    stuck = stuck || (handler.running > options_.stuck && !handler.detached);
    still.emplace(handler.serial, known);
  }
  told_ = std::move(still);
  if (options_.on_look) options_.on_look(stuck);
}

} // namespace troupe
