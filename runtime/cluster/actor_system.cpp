#include "runtime/cluster/actor_system.hpp"

#include "messages/type_ids.hpp"

#include <caf/io/middleman.hpp>
#include <caf/thread_hook.hpp>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <unistd.h>

namespace troupe {
namespace {

/// CAF 0.17.6 calls its workers and its I/O thread by one name. The I/O thread and the clock are started by
/// the system, the workers before them; what matters to a reader of `top -H` is that they are ours.
class thread_namer final : public caf::thread_hook {
public:
  void init(caf::actor_system&) override {}
  void thread_started() override {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    if (std::strncmp(name, "caf.", 4) != 0) return;
    char ours[16];
    std::snprintf(ours, sizeof ours, "tr.%.11s",
                  std::strcmp(name + 4, "multiplexer") == 0 ? "work" : name + 4);
    pthread_setname_np(pthread_self(), ours);
  }
  void thread_terminates() override {}
};

} // namespace

system_config::system_config(const system_options& options) {
  register_message_types(*this);
  add_thread_hook<thread_namer>();
  if (options.network) load<caf::io::middleman>();
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", std::max<std::size_t>(options.threads, 1));
  // Without a bound one flooded actor keeps a worker for itself.
  set("scheduler.max-throughput", std::size_t{300});
  set("middleman.heartbeat-interval", caf::timespan{options.heartbeat});
  set("middleman.connection-timeout", caf::timespan{options.connection_timeout});
  set("middleman.workers", std::size_t{1});
  set("middleman.enable-automatic-connections", false);
  set("middleman.app-identifiers", std::vector<std::string>{"troupe-1"});
}

// --- signals -------------------------------------------------------------------------------------

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

} // namespace

void block_stop_signals() {
  const auto set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop() {
  const auto set = stop_signals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  return signal;
}

void request_stop() {
  // To the process, not to a thread: whoever waits in sigwait gets it.
  ::kill(::getpid(), SIGTERM);
}

// --- the end -------------------------------------------------------------------------------------

namespace {

/// Ends the process when a step overruns. Its thread is never joined: `_exit` takes it along.
class watchdog {
public:
  void allow(std::string what, nanoseconds within) {
    const std::lock_guard lock{guard_};
    what_ = std::move(what);
    until_ = std::chrono::steady_clock::now() + within;
    changed_.notify_one();
  }

  void watch() {
    std::unique_lock lock{guard_};
    for (;;) {
      const auto until = until_;
      if (changed_.wait_until(lock, until) == std::cv_status::timeout && until == until_) break;
    }
    std::fprintf(stderr, "the ordered end hung in the step '%s'; ending without the rest\n", what_.c_str());
    std::fflush(stderr);
    ::_exit(exit_shutdown_hung);
  }

private:
  std::mutex guard_;
  std::condition_variable changed_;
  std::string what_ = "start";
  std::chrono::steady_clock::time_point until_ = std::chrono::steady_clock::now() + std::chrono::seconds{5};
};

} // namespace

shutdown_plan& shutdown_plan::step(std::string what, nanoseconds within, std::function<void()> run) {
  steps_.push_back({std::move(what), within, std::move(run)});
  return *this;
}

void shutdown_plan::run(int exit_code) {
  auto* dog = new watchdog; // lives until _exit
  std::thread{[dog] { dog->watch(); }}.detach();
  for (auto& step : steps_) {
    dog->allow(step.what, step.within);
    step.run();
  }
  end_process(exit_code);
}

void end_process(int exit_code) {
  std::fflush(nullptr);
  ::_exit(exit_code);
}

} // namespace troupe
