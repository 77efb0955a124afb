#include "tools/console/console_source.hpp"

#include "runtime/clock.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "tools/console/errc.hpp"
#include "tools/console/node_probe.hpp"
#include "tools/json_view.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace troupe::console {
namespace {

using namespace std::chrono_literals;

constexpr nanoseconds tap_interval = 250ms;
/// More than this waits only when nobody looks; then the oldest samples go.
constexpr std::size_t most_news = 1000;

template <class T>
void keep_newest(std::vector<T>& all) {
  if (all.size() > most_news) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(most_news));
}

} // namespace

/// Between the threads.
struct console_source::shared {
  ~shared() {
    if (wake >= 0) ::close(wake);
  }

  template <class Put>
  void tell(const Put& put) {
    {
      const std::lock_guard lock{guard};
      put(fresh);
      keep_newest(fresh.samples);
      keep_newest(fresh.taps);
      keep_newest(fresh.log);
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(wake, &one, sizeof one);
  }

  source_options options;
  int wake = -1;
  std::mutex guard;
  std::condition_variable changed;
  news fresh;
  wishes wanted;
  std::uint64_t wanted_version = 1;
  bool stopping = false;
};

/// The thread of a node, or, without a place, the one that asks the parent process.
class console_source::node_thread {
public:
  node_thread(std::shared_ptr<shared> between, std::string name, std::string place)
      : between_{std::move(between)}, name_{std::move(name)}, place_{std::move(place)},
        thread_{[this] { place_.empty() ? ask_parent() : ask_node(); }} {}
  ~node_thread() { thread_.join(); }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  std::vector<command> orders; ///< guarded by `shared::guard`

private:
  struct task {
    wishes wanted;
    std::uint64_t version = 0;
    std::vector<command> orders;
    bool stopping = false;
  };

  /// Waits until something is to be done.
  task wait(steady_time until, std::uint64_t seen_version) {
    std::unique_lock lock{between_->guard};
    const auto ready = [&] {
      return between_->stopping || !orders.empty() || between_->wanted_version != seen_version;
    };
    const auto left = std::max<nanoseconds>(nanoseconds{0}, until - steady_time{monotonic_ns()});
    between_->changed.wait_for(lock, left, ready);
    return {between_->wanted, between_->wanted_version, std::exchange(orders, {}), between_->stopping};
  }

  void ask_node() {
    node_probe probe{name_, place_, between_->options.connect(), between_->options.who};
    steady_time next_round{};
    steady_time next_tap{};
    task job;
    for (;;) {
      job = wait(std::min(next_round, next_tap), job.version);
      if (job.stopping) break;
      for (const auto& order : job.orders) {
        auto outcome = probe.run(order);
        between_->tell([&](news& fresh) { fresh.outcomes.push_back(std::move(outcome)); });
      }
      const steady_time now{monotonic_ns()};
      const bool other_page = job.wanted != last_;
      last_ = job.wanted;
      if (now >= next_round || other_page || !job.orders.empty()) {
        one_round(probe, job.wanted);
        next_round = now + between_->options.interval;
      }
      const bool taps = job.wanted.tap.number != 0;
      if (auto caught = probe.tap(job.wanted.tap))
        between_->tell([&](news& fresh) { fresh.taps.push_back(std::move(*caught)); });
      next_tap = taps ? steady_time{monotonic_ns()} + tap_interval : next_round;
    }
    probe.tap({});
  }

  void one_round(node_probe& probe, const wishes& wanted) {
    auto sample = probe.round(wanted);
    const bool answered = sample.trouble.empty();
    between_->tell([&](news& fresh) { fresh.samples.push_back(std::move(sample)); });
    if (!answered) return;
    if (wanted.actor.node == name_ && !wanted.actor.name.empty()) {
      auto detail = probe.detail(wanted.actor.name);
      between_->tell([&](news& fresh) { fresh.details.push_back(std::move(detail)); });
    }
    if (!wanted.timeline) return;
    auto events = probe.events();
    if (!events.empty())
      between_->tell([&](news& fresh) { fresh.log.insert(fresh.log.end(), events.begin(), events.end()); });
  }

  void ask_parent() {
    task job;
    steady_time next{};
    for (;;) {
      job = wait(next, job.version);
      if (job.stopping) return;
      const steady_time now{monotonic_ns()};
      if (now < next) continue;
      next = now + between_->options.interval;
      const auto answer = ask_stem(between_->options.socket, "status", 1s);
      if (!answer) continue;
      const auto page = json_view::parse(*answer);
      between_->tell([&](news& fresh) {
        fresh.processes.clear();
        for (const auto& row : page.items("nodes"))
          fresh.processes.push_back({row.text("node"), row.text("state"), row.integer("restarts")});
      });
    }
  }

  std::shared_ptr<shared> between_;
  std::string name_;
  std::string place_;
  wishes last_;
  std::thread thread_;
};

console_source::console_source() : shared_{std::make_shared<shared>()} {}

result<std::unique_ptr<console_source>>
console_source::start(std::vector<std::pair<std::string, std::string>> nodes, source_options options) {
  std::unique_ptr<console_source> out{new console_source};
  out->shared_->options = std::move(options);
  out->shared_->wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (out->shared_->wake < 0)
    return {console_errc::no_wake, "the console can't open a descriptor: raise `ulimit -n`"};
  for (auto& [name, place] : nodes)
    out->threads_.push_back(std::make_unique<node_thread>(out->shared_, std::move(name), std::move(place)));
  if (!out->shared_->options.socket.empty())
    out->parent_ = std::make_unique<node_thread>(out->shared_, "parent process", "");
  return out;
}

console_source::~console_source() {
  {
    const std::lock_guard lock{shared_->guard};
    shared_->stopping = true;
  }
  shared_->changed.notify_all();
}

void console_source::want(const wishes& what) {
  {
    const std::lock_guard lock{shared_->guard};
    if (shared_->wanted == what) return;
    shared_->wanted = what;
    ++shared_->wanted_version;
  }
  shared_->changed.notify_all();
}

void console_source::order(command what) {
  {
    const std::lock_guard lock{shared_->guard};
    for (auto& thread : threads_)
      if (thread->name() == what.node) thread->orders.push_back(what);
  }
  shared_->changed.notify_all();
}

news console_source::take() {
  const std::lock_guard lock{shared_->guard};
  return std::exchange(shared_->fresh, {});
}

int console_source::wake_fd() const noexcept { return shared_->wake; }

} // namespace troupe::console
