#pragma once

/// The page of `/metrics`: reports of a node's actors and the counters of all actors become families by the
/// table of `metrics_table.hpp`. Pure and not thread-safe; time is handed in.
///
/// Labels are bounded: what is configured (venue, instrument, account, model), the kind of actor, the node. A
/// metric that has more than `most_lines` lines is cut there and the rest counted.

#include "messages/cluster.hpp"
#include "messages/time.hpp"
#include "tools/node/metrics_table.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::node {

/// Adds up what actors of one kind have done, over their restarts: a sum over live actors alone would fall
/// when one of them starts afresh, and every rate made of it would be wrong.
class actor_totals {
public:
  struct of_kind {
    std::uint64_t actors = 0;
    std::uint64_t mailbox = 0;
    nanoseconds mailbox_age{};
    std::uint64_t suspended = 0;
    nanoseconds handler_p99{};
    std::uint64_t messages = 0;
    std::uint64_t errors = 0;
    std::uint64_t unexpected = 0;
    std::uint64_t restarts = 0;
  };

  /// Takes the newest list of all live actors.
  void take(const std::vector<actor_report>& actors);

  [[nodiscard]] const std::map<std::string, of_kind, std::less<>>& kinds() const noexcept { return kinds_; }

private:
  struct last {
    std::uint64_t id = 0;
    std::uint64_t messages = 0;
    std::uint64_t errors = 0;
    std::uint64_t unexpected = 0;
    std::uint64_t restarts = 0;
    bool seen = false;
  };

  std::map<std::string, of_kind, std::less<>> kinds_;
  std::map<std::string, last, std::less<>> last_;
};

/// Who the page speaks of.
struct page_identity {
  std::string node;
  std::string build;
  std::string schema;
};

class metrics_page {
public:
  static constexpr std::size_t most_lines = 2000;

  explicit metrics_page(page_identity who) : who_{std::move(who)} {}

  /// True when the table has rows for this actor.
  static bool wants(std::string_view actor);

  /// An actor's report, JSON as its status gives it. A text that is no JSON leaves the last one.
  void take_report(const std::string& actor, std::string_view json, steady_time now);

  /// Reports of actors that are not among `names` are forgotten: they live elsewhere now, or nowhere.
  void keep_only(const std::vector<std::string>& names);

  void take_actors(const std::vector<actor_report>& actors) { totals_.take(actors); }

  /// All families but those that are read at the scrape (process, handlers that run, age of the page).
  [[nodiscard]] std::string text(steady_time now);

  /// Label of every line.
  [[nodiscard]] metric_label node_label() const { return {"node", who_.node}; }

private:
  struct kept_report {
    steady_time at{};
    std::vector<std::pair<std::size_t, metric_sample>> samples; ///< by row of the table
  };

  void add_actors(std::vector<metric_family>& out) const;
  void add_reports(std::vector<metric_family>& out);

  page_identity who_;
  actor_totals totals_;
  std::map<std::string, kept_report, std::less<>> reports_;
  std::uint64_t truncated_ = 0;
};

/// What the thread that answers a scrape adds, from figures that need no actor.
struct scrape_figures {
  nanoseconds page_age{};
  nanoseconds last_scrape{};
  std::size_t stuck = 0;
  nanoseconds longest{};
};

void append_scrape_metrics(std::string& out, const scrape_figures& figures,
                           const std::vector<metric_label>& labels);

} // namespace troupe::node
