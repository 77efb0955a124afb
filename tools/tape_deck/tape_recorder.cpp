#include "tools/tape_deck/tape_recorder.hpp"

#include "actors/connectors/venue_connector_actor.hpp"
#include "actors/feeds/feed_actor.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "tools/json_view.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <poll.h>
#include <thread>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr int look_every_ms = 100;

/// One venue's queue, tape and the thread between them.
class venue_tape {
public:
  venue_tape(const tape_record_options& options, const venue_check_options& venue)
      : queue_{options.queue_bytes, options.longest_wait},
        series_{{options.folder, std::string{venue.venue->name}, venue.book_channel, venue.instruments,
                 options.file_bytes, options.file_time}} {
    for (std::size_t i = 0; i < venue.instruments.size(); ++i) places_[venue.instruments[i].id.text] = i;
    writer_ = std::thread{[this] { write(); }};
  }
  ~venue_tape() { end(); }
  venue_tape(const venue_tape&) = delete;
  venue_tape& operator=(const venue_tape&) = delete;

  /// On the connector's I/O thread.
  void take(const instrument_id& instrument, const raw_frame& frame) {
    const auto at = places_.find(instrument.text);
    if (at != places_.end()) queue_.push({at->second, frame.received, frame.payload});
  }

  void end() {
    queue_.close();
    if (writer_.joinable()) writer_.join();
  }

  [[nodiscard]] bool failed() const noexcept { return failed_; }

  /// After `end`.
  void report(venue_recording& out) const {
    const auto counts = queue_.count();
    out.files = series_.files();
    out.frames = series_.frames();
    out.bytes = series_.bytes();
    out.waits = counts.waits;
    out.dropped = counts.dropped;
    out.failure = failure_;
    if (out.failure.empty() && counts.dropped > 0)
      out.failure = std::to_string(counts.dropped)
                    + " frames were dropped: the disk did not keep up; record fewer instruments, or onto a faster disk";
    if (out.failure.empty() && out.frames == 0) out.failure = "no frame came; `troupe venue check` says why";
  }

private:
  void write() {
    std::vector<queued_frame> frames;
    while (queue_.pop(frames, 100ms))
      for (const auto& each : frames)
        if (auto done = series_.append(each); !done) return fail(done.error());
    if (auto done = series_.finish(); !done) fail(done.error());
  }

  /// Nothing can be recorded any more: whoever pushes is told at once.
  void fail(const error& why) {
    failure_ = why.message();
    failed_ = true;
    queue_.close();
  }

  std::map<std::string, std::size_t> places_;
  frame_queue queue_;
  tape_file_series series_;
  std::string failure_;
  std::atomic<bool> failed_{false};
  std::thread writer_;
};

/// The actors of one recording. They end with it.
class recording_rig {
public:
  explicit recording_rig(const tape_record_options& options)
      : environment_{&market_, &steady_, &names_, static_cast<std::uint64_t>(market_.now().ns)} {
    for (const auto& venue : options.venues) add(options, venue);
  }
  ~recording_rig() { stop(); }
  recording_rig(const recording_rig&) = delete;
  recording_rig& operator=(const recording_rig&) = delete;

  [[nodiscard]] steady_time now() const { return steady_.now(); }
  [[nodiscard]] bool failed() const {
    return std::ranges::any_of(tapes_, [](const auto& tape) { return tape->failed(); });
  }

  /// What the feeds say, then the end of everything.
  std::vector<venue_recording> finish(const tape_record_options& options) {
    std::vector<venue_recording> out(options.venues.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].venue = options.venues[i].venue->name;
      for (const auto& spec : options.venues[i].instruments) {
        const auto status = status_of(names_.find<feed_actor>("feed/" + spec.id.text));
        out[i].feeds.push_back({spec.id.text, status.text("validity"), status.integer("gaps"), status.integer("trades")});
      }
    }
    stop();
    for (std::size_t i = 0; i < out.size(); ++i) {
      tapes_[i]->end();
      tapes_[i]->report(out[i]);
    }
    return out;
  }

private:
  void add(const tape_record_options& options, const venue_check_options& venue) {
    tapes_.push_back(std::make_shared<venue_tape>(options, venue));
    for (const auto& spec : venue.instruments) {
      feed_actor_options how;
      how.core.spec = spec;
      how.book_channel = venue.book_channel;
      how.bar_store.clear();
      feeds_.push_back(spawn_actor<feed_state>(system_, {.name = "feed/" + spec.id.text}, environment_, how));
      publish("feed/" + spec.id.text, feeds_.back());
    }
    venue_connector_options how;
    how.venue = venue.venue;
    how.instruments = venue.instruments;
    how.what.book_channel = venue.book_channel;
    how.rest = venue.rest;
    how.sockets = venue.sockets;
    how.authority = venue.authority;
    how.traits = venue.traits;
    how.weight = venue.weight;
    how.weight_window = venue.weight_window;
    how.recorder = [tape = tapes_.back()](const instrument_id& id, const raw_frame& frame) { tape->take(id, frame); };
    const auto name = "connector/" + std::string{venue.venue->name};
    connectors_.push_back(spawn_actor<venue_connector_state>(system_, {.name = name}, environment_, how));
    publish(name, connectors_.back());
  }

  void stop() {
    if (connectors_.empty()) return;
    names_.clear();
    for (const auto& each : connectors_) send_shutdown(each);
    for (const auto& each : feeds_) send_shutdown(each);
    connectors_.clear();
    feeds_.clear();
    system_.await_all_actors_done();
  }

  template <class Handle>
  void publish(const std::string& name, const Handle& handle) {
    names_.put(name, {caf::actor_cast<caf::strong_actor_ptr>(handle), {}, names_.next_incarnation()});
  }

  template <class Handle>
  json_view status_of(const Handle& handle) {
    json_view out;
    if (!handle) return out;
    caf::scoped_actor self{system_};
    self->request(handle, 5s, status_request{})
        .receive([&](const status_report& report) { out = json_view::parse(report.json); }, [](const caf::error&) {});
    return out;
  }

  wall_clock market_;
  monotonic_clock steady_;
  directory names_;
  actor_environment environment_;
  system_config settings_{{.threads = 2, .network = false}};
  caf::actor_system system_{settings_};
  std::vector<std::shared_ptr<venue_tape>> tapes_;
  std::vector<feed_actor> feeds_;
  std::vector<connector_actor> connectors_;
};

} // namespace

result<std::vector<venue_recording>> record_tapes(const tape_record_options& options) {
  if (auto made = real_disk().create_directories(options.folder); !made) return std::move(made).error();
  recording_rig rig{options};
  const auto begin = rig.now();
  const auto over = [&] {
    return (options.length.count() > 0 && rig.now() - begin >= options.length) || rig.failed()
           || (options.stopped && options.stopped());
  };
  while (!over()) ::poll(nullptr, 0, look_every_ms);
  return rig.finish(options);
}

} // namespace troupe
