#include "runtime/cluster/observer_actor.hpp"

#include "messages/json.hpp"
#include "runtime/actor/actor_table.hpp"
#include "runtime/actor/slot_table.hpp"
#include "runtime/actor/timeline.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"

#include <algorithm>
#include <cstdio>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe {
namespace {

constexpr std::size_t most_pulled = 100;
constexpr std::size_t most_events = 1000;

/// A tap that has ended can be fetched for so long.
constexpr nanoseconds keep_ended = std::chrono::seconds{10};

std::int64_t wall_minus_steady() {
  return wall_clock{}.now().ns - monotonic_ns();
}

status_report document(const std::string& name, std::string json) {
  return {name, log::redact(std::move(json))};
}

void write_settings(json_writer& w, const actor_stats& stats) {
  w.key("settings").begin_array();
  for (const auto& s : stats.settings())
    w.begin_object()
        .field("key", s.key)
        .field("value", s.value)
        .field("allowed", s.allowed)
        .field("meaning", s.meaning)
        .end_object();
  w.end_array();
}

void write_watches(json_writer& w, const actor_stats& stats) {
  const auto& table = actor_table::instance();
  w.key("watchers").begin_array();
  for (const auto& name : table.watchers_of(stats.id)) w.string(name);
  w.end_array().key("watching").begin_array();
  for (const auto& whom : stats.watching()) {
    const auto name = whom.remote ? std::string{} : table.name_of(whom.id);
    w.string(!name.empty() ? name
                           : "actor " + std::to_string(whom.id) + (whom.remote ? " of another node" : ""));
  }
  w.end_array();
}

/// The child's own object out of its supervisor's page, which our own writer made.
std::string slot_of(const std::string& page, const std::string& child) {
  json_writer w;
  w.string(child);
  const auto from = page.find("{\"id\":" + w.text() + ",");
  if (from == std::string::npos) return {};
  int depth = 0;
  bool quoted = false;
  for (auto i = from; i < page.size(); ++i) {
    if (quoted) {
      if (page[i] == '\\')
        ++i;
      else if (page[i] == '"')
        quoted = false;
      continue;
    }
    if (page[i] == '"')
      quoted = true;
    else if (page[i] == '{')
      ++depth;
    else if (page[i] == '}' && --depth == 0)
      return page.substr(from, i + 1 - from);
  }
  return {};
}

std::string trouble_json(const error& why) {
  json_writer w;
  w.begin_object().field("error", why.message()).end_object();
  return std::move(w).text();
}

} // namespace

std::string process_json() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto milliseconds = [](const timeval& t) {
    return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_usec / 1000;
  };
  long pages = 0;
  long resident = 0;
  if (auto* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  json_writer w;
  w.begin_object()
      .field("pid", ::getpid())
      .field("rss_bytes", static_cast<std::int64_t>(resident) * ::sysconf(_SC_PAGESIZE));
  w.field("rss_peak_bytes", static_cast<std::int64_t>(used.ru_maxrss) * 1024);
  w.field("cpu_user_ms", milliseconds(used.ru_utime)).field("cpu_system_ms", milliseconds(used.ru_stime));
  w.field("cpus", ::sysconf(_SC_NPROCESSORS_ONLN));
  w.field("actors", actor_table::instance().size()).field("messages", actor_table::instance().messages());
  w.end_object();
  return std::move(w).text();
}

observer_state::observer_state(self_pointer self, actor_environment env, observer_options options)
    : self_{self}, env_{env}, options_{std::move(options)} {}

observer_state::~observer_state() {
  for (auto& [number, open] : taps_) tap_registry::instance().remove(number, "stopped");
}

observer_actor::behavior_type observer_state::make_behavior() {
  return {
      [this](const status_request&) {
        json_writer w;
        w.begin_object().field("answers", answers_).field("taps", taps_.size()).end_object();
        return status_report{self_->core().name(), std::move(w).text()};
      },
      [this](const actor_query& query) { return page(query); },
      [this](const inspect_request& request) { return inspect(request); },
      [this](const tap_start& what, const caf::strong_actor_ptr& watcher) { return start(what, watcher); },
      [this](const tap_pull& what) { return pull(what); },
      [this](const tap_stop& what) {
        stop(what.tap, "stopped", keep_ended);
        return acknowledged{what.tap};
      },
      [this](const timeline_query& query) { return events(query); },
  };
}

template <class Page>
void observer_state::sign(Page& page) const {
  page.node = options_.node;
  page.incarnation = options_.incarnation;
  page.at = wall_clock{}.now();
}

// --- pages ---------------------------------------------------------------------------------------

reply<actor_page> observer_state::page(const actor_query& query) {
  ++answers_;
  auto out = actor_table::instance().page(query);
  if (!out) return to_caf(out.error());
  for (auto& row : out->rows) row.last_error = log::redact(std::move(row.last_error));
  sign(*out);
  return std::move(*out);
}

reply<status_report> observer_state::inspect(const inspect_request& request) {
  ++answers_;
  if (request.what == "actor") return actor(request.name);
  if (request.what == "tree") return tree(request.name);
  if (request.what == "node") return document(options_.node.text, node_page());
  return to_caf(
      {runtime_errc::not_found, "a node has the pages actor, tree and node, not '" + request.what + "'"});
}

std::string observer_state::node_page() const {
  json_writer w;
  w.begin_object().field("node", options_.node.text).field("incarnation", options_.incarnation);
  w.key("process").raw(process_json());
  for (const auto& [key, make] : options_.sections) w.key(key).raw(make());
  w.end_object();
  return std::move(w).text();
}

reply<status_report> observer_state::tree(const std::string& from) {
  const auto top = from.empty() ? options_.root : from;
  const auto whom = env_.names->find<observable_actor>(top);
  if (!whom)
    return to_caf(
        {runtime_errc::not_found, "no supervisor '" + top + "' on node '" + options_.node.text + "'"});
  auto answer = make_promise<status_report>(self_);
  ask(self_, whom, options_.answer_within, status_request{1})
      .then([answer, top](const status_report& x) mutable { answer.deliver(document(top, x.json)); },
            [answer](const error& why) mutable { fail(answer, why); });
  return answer;
}

/// Asks the actor for its state and the supervisor for its slot; neither answer is waited for longer than
/// `answer_within`, and what does not come is told as trouble.
reply<status_report> observer_state::actor(const std::string& name) {
  const auto stats = actor_table::instance().stats_of(name);
  const auto supervisor = slot_table::instance().supervisor_of(env_.names, name);
  if (!stats && supervisor.empty())
    return to_caf(
        {runtime_errc::not_found, "no actor '" + name + "' on node '" + options_.node.text + "'"});
  struct gathering {
    promise<status_report> answer;
    std::string state = "null";
    std::string slot = "null";
    int open = 0;
  };
  auto all = std::make_shared<gathering>();
  all->answer = make_promise<status_report>(self_);
  const auto finish = [this, all, stats, name] {
    if (--all->open > 0) return;
    if (stats) {
      all->answer.deliver(document(name, actor_json(*stats, all->state, all->slot)));
      return;
    }
    json_writer w;
    w.begin_object().key("actor").raw("null").key("slot").raw(all->slot).end_object();
    all->answer.deliver(document(name, std::move(w).text()));
  };
  all->open = 1;
  const auto whom = stats ? caf::actor_cast<observable_actor>(stats->address) : observable_actor{};
  if (whom && caf::actor_cast<caf::strong_actor_ptr>(whom) != self_->ctrl()) {
    ++all->open;
    ask(self_, whom, options_.answer_within, status_request{1})
        .then(
            [all, finish](const status_report& x) {
              if (!x.json.empty()) all->state = x.json;
              finish();
            },
            [all, finish](const error& why) {
              all->state = trouble_json(why);
              finish();
            });
  }
  if (const auto above = env_.names->find<observable_actor>(supervisor)) {
    ++all->open;
    ask(self_, above, options_.answer_within, status_request{0})
        .then(
            [all, finish, name, supervisor](const status_report& x) {
              json_writer w;
              const auto slot = slot_of(x.json, name);
              w.begin_object()
                  .field("supervisor", supervisor)
                  .key("child")
                  .raw(slot.empty() ? "null" : slot);
              w.end_object();
              all->slot = std::move(w).text();
              finish();
            },
            [all, finish](const error& why) {
              all->slot = trouble_json(why);
              finish();
            });
  }
  finish();
  return all->answer;
}

std::string observer_state::actor_json(actor_stats& stats, const std::string& state,
                                       const std::string& slot) const {
  const auto now = monotonic_ns();
  json_writer w;
  w.begin_object().key("actor").raw(to_json(report_of(stats, now, true)));
  write_settings(w, stats);
  w.key("errors").begin_array();
  for (const auto& e : stats.errors_seen())
    w.begin_object().field("ago_ms", (now - e.at) / 1'000'000).field("text", e.text).end_object();
  w.end_array();
  write_watches(w, stats);
  w.key("slot").raw(slot).key("state").raw(state).end_object();
  return std::move(w).text();
}

// --- taps ----------------------------------------------------------------------------------------

reply<tap_page> observer_state::start(const tap_start& what, const caf::strong_actor_ptr& watcher) {
  ++answers_;
  if (!watcher) return to_caf({runtime_errc::bad_spec, "a tap needs somebody who watches"});
  auto started = tap_registry::instance().start(what, monotonic_ns());
  if (!started) return to_caf(started.error());
  const auto number = (*started)->number();
  open_tap open{*started, {}, {}};
  open.watcher =
      watch(self_, watcher, [this, number](const error&) { stop(number, "watcher gone", nanoseconds{0}); });
  // Also one that nobody fetches any more is taken out of the actors when its time is over.
  open.end =
      schedule(self_, std::clamp(what.duration, nanoseconds{1}, nanoseconds{std::chrono::minutes{10}}),
               [this, number] { stop(number, "duration", keep_ended); });
  taps_.insert_or_assign(number, std::move(open));
  tap_page out;
  out.tap = number;
  sign(out);
  return out;
}

reply<tap_page> observer_state::pull(const tap_pull& what) {
  ++answers_;
  const auto i = taps_.find(what.tap);
  if (i == taps_.end())
    return to_caf({runtime_errc::not_found,
                   "tap " + std::to_string(what.tap) + " is over and fetched, or never was"});
  const auto limit = std::clamp<std::size_t>(what.limit, 1, most_pulled);
  auto out = i->second.tap->take(limit, monotonic_ns(), wall_minus_steady());
  for (auto& row : out.rows) row.text = log::redact(std::move(row.text));
  sign(out);
  if (out.ended) tap_registry::instance().remove(what.tap, out.why);
  return out;
}

/// Takes the tap out of the actors at once; what it caught stays for `keep`.
void observer_state::stop(std::uint64_t tap, const std::string& why, nanoseconds keep) {
  const auto i = taps_.find(tap);
  if (i == taps_.end()) return;
  i->second.tap->end(why);
  tap_registry::instance().remove(tap, why);
  cancel(self_, i->second.end);
  const auto forget = [this, tap] {
    const auto over = taps_.find(tap);
    if (over == taps_.end()) return;
    unwatch(self_, over->second.watcher);
    taps_.erase(over);
  };
  if (keep.count() == 0) return forget();
  i->second.end = schedule(self_, keep, forget);
}

// --- the time line -------------------------------------------------------------------------------

reply<timeline_page> observer_state::events(const timeline_query& query) const {
  auto out = timeline::instance().page(query.after, std::clamp<std::size_t>(query.limit, 1, most_events),
                                       wall_minus_steady());
  for (auto& row : out.rows) row.detail = log::redact(std::move(row.detail));
  sign(out);
  return out;
}

} // namespace troupe
