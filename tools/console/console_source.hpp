#pragma once

/// Asks the nodes for what the console shows: one thread and one client a node, so that a dead or wedged
/// node delays neither the others nor the keyboard. Every question has a finite time-out. What is not shown
/// is not asked for; what nobody looks at costs a node one small page a second.

#include "runtime/cluster/client.hpp"
#include "tools/console/console_model.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace troupe::console {

struct source_options {
  nanoseconds interval = std::chrono::seconds{1};
  std::string who;              ///< for the audit
  std::filesystem::path socket; ///< of the parent process; need not be there
  /// Makes the client of one node's thread.
  std::function<std::unique_ptr<cluster_client>()> connect;
};

/// What has come in since the last look, in order.
struct news {
  std::vector<node_sample> samples;
  std::vector<actor_detail> details;
  std::vector<tap_answer> taps;
  std::vector<command_outcome> outcomes;
  std::vector<log_entry> log;
  struct process_row {
    std::string node;
    std::string state;
    figure restarts;
  };
  std::vector<process_row> processes;
};

/// Its member functions belong to one thread.
class console_source {
public:
  /// Starts the threads. `nodes`: names and places in the order of nodes.conf.
  static result<std::unique_ptr<console_source>> start(std::vector<std::pair<std::string, std::string>> nodes,
                                                       source_options options);
  /// Ends taps and threads; takes as long as the question that is under way, at most three seconds.
  ~console_source();
  console_source(const console_source&) = delete;
  console_source& operator=(const console_source&) = delete;

  /// From now on this is asked for; a change is asked for at once.
  void want(const wishes& what);
  void order(command what);
  [[nodiscard]] news take();
  /// Readable when there is news.
  [[nodiscard]] int wake_fd() const noexcept;

private:
  struct shared;
  class node_thread;
  console_source();

  std::shared_ptr<shared> shared_;
  std::vector<std::unique_ptr<node_thread>> threads_;
  std::unique_ptr<node_thread> parent_;
};

} // namespace troupe::console
