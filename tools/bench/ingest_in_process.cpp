#include "actors/feeds/feed_actor.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "tools/bench/bench_ingest.hpp"
#include "tools/bench/ingest_player.hpp"
#include "tools/json_view.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <chrono>
#include <cmath>
#include <thread>

namespace troupe::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr auto status_within = 60s;

/// "C07-BTC-USDT@binance": the clone's own name; its frames keep the recorded one's.
std::string clone_name(const venue_stream& stream, unsigned number) {
  return "C" + std::to_string(number) + '-' + stream.spec.id.text;
}

/// The feeds of a stream begin one after the other within a second: no two are at the same frame.
std::int64_t lateness(const bench_ingest_options& options, unsigned number) {
  return second_ns / std::max(options.instruments, 1U) * number;
}

play_schedule schedule_of(const bench_ingest_options& options) {
  play_schedule out;
  out.rate_permille = std::max<std::int64_t>(1, std::llround(options.speed * 1000));
  out.begin = steady_ns() + 50'000'000;
  out.measured_from = out.begin + options.warm_up * second_ns;
  out.end = out.measured_from + options.seconds * second_ns;
  return out;
}

/// Runs the players; fills what is measured around them.
void run_players(std::vector<std::vector<play_place>>& shares, const play_schedule& schedule,
                 ingest_figures& figures) {
  play_counts counts;
  std::vector<std::thread> threads;
  for (auto& share : shares)
    threads.emplace_back([&] { play(share, schedule, counts); });
  pace_until(schedule.measured_from);
  const auto from = steady_ns();
  const auto cpu = cpu_seconds();
  const auto frames = counts.frames.load();
  const auto bytes = counts.bytes.load();
  for (auto& thread : threads)
    thread.join();
  figures.seconds = static_cast<double>(steady_ns() - from) / 1e9;
  figures.cpu_seconds = cpu_seconds() - cpu;
  figures.messages = counts.frames.load() - frames;
  figures.bytes = counts.bytes.load() - bytes;
}

/// Quotes that a feed must have published by now.
std::uint64_t quotes_until(const play_place& place) {
  const auto& all = place.stream->quote_frames;
  auto out = place.lap * all.size();
  if (place.next == 0) return out;
  for (const auto frame : all)
    out += frame == venue_stream::no_frame || frame < place.next ? 1 : 0;
  return out;
}

// --- pure ----------------------------------------------------------------------------------------

class core_feed final : public played_feed, private feed_listener {
public:
  core_feed(const venue_stream& stream, unsigned number, const play_schedule& schedule,
            age_table& ages)
      : schedule_{schedule}, ages_{ages}, core_{options_of(stream, number),
                                                stream.venue->decoder(stream.spec), *this} {}

  void begin_session(std::uint64_t number, market_time now) override {
    due_ = 0;
    session_ = number;
    core_.on_session(number, true, now);
  }
  void take(const stream_frame& frame, market_time received, std::int64_t due) override {
    due_ = due;
    frame.image ? core_.on_image(received, frame.text, session_)
                : core_.on_frame(received, frame.text);
  }
  void pulse(market_time now) override { core_.advance(now); }

  [[nodiscard]] feed_report report() const { return core_.report(); }
  [[nodiscard]] std::uint64_t quotes() const noexcept { return quotes_; }

private:
  static feed_core_options options_of(const venue_stream& stream, unsigned number) {
    auto out = core_options(stream);
    out.spec.id.text = clone_name(stream, number);
    return out;
  }
  void on_quote(const quote&) override {
    ++quotes_;
    const auto window = schedule_.window(due_);
    if (window < age_table::windows) ages_.add(window, nanoseconds{steady_ns() - due_});
  }

  const play_schedule& schedule_;
  age_table& ages_;
  feed_core core_;
  std::int64_t due_ = 0;
  std::uint64_t session_ = 0;
  std::uint64_t quotes_ = 0;
};

// --- actors --------------------------------------------------------------------------------------

/// Counts an actor's quotes: the stream tells which frame is behind each. On the actor's thread.
struct quote_clock {
  const venue_stream* stream = nullptr;
  const play_schedule* schedule = nullptr;
  std::int64_t late = 0;
  std::uint64_t quotes = 0;
  age_table ages;

  void see() {
    const auto& places = stream->quote_frames;
    const auto lap = quotes / places.size();
    const auto frame = places[quotes++ % places.size()];
    if (frame == venue_stream::no_frame) return;
    const auto due = schedule->due(*stream, late, lap, frame);
    const auto window = schedule->window(due);
    if (window < age_table::windows) ages.add(window, nanoseconds{steady_ns() - due});
  }
};

class actor_feed final : public played_feed {
public:
  actor_feed(feed_actor actor, instrument_id id) : actor_{std::move(actor)}, id_{std::move(id)} {}

  void begin_session(std::uint64_t number, market_time) override {
    all_taken();
    session_ = number;
    tell_anonymously(actor_, session_event{id_, number, session_state::connected, ""});
  }
  void take(const stream_frame& frame, market_time received, std::int64_t) override {
    if (!frame.image) {
      batch_.frames.push_back({received, 0, frame.text});
      return;
    }
    all_taken();
    tell_anonymously(actor_, book_image{id_, session_, {received, 0, frame.text}});
  }
  void all_taken() override {
    if (batch_.frames.empty()) return;
    batch_.instrument = id_;
    batch_.session = session_;
    tell_anonymously(actor_, std::exchange(batch_, {}));
  }
  [[nodiscard]] const feed_actor& actor() const noexcept { return actor_; }

private:
  feed_actor actor_;
  instrument_id id_;
  frame_batch batch_;
  std::uint64_t session_ = 0;
};

/// Market time of a stream that is played.
class stream_clock final : public market_clock {
public:
  stream_clock(const venue_stream& stream, const play_schedule& schedule)
      : stream_{stream}, schedule_{schedule} {}
  [[nodiscard]] market_time now() const noexcept override {
    return schedule_.market_at(stream_, steady_ns());
  }

private:
  const venue_stream& stream_;
  const play_schedule& schedule_;
};

/// The actors of one run with all they need.
struct actor_world {
  monotonic_clock steady;
  directory names;
  std::vector<std::unique_ptr<stream_clock>> clocks;
  std::vector<std::unique_ptr<quote_clock>> observers;
  std::vector<std::unique_ptr<actor_feed>> feeds;
  system_config settings;
  std::unique_ptr<caf::actor_system> system;

  explicit actor_world(unsigned threads)
      : settings{{.threads = threads, .network = false}}, system{
                                                              std::make_unique<caf::actor_system>(
                                                                  settings)} {}
  ~actor_world() {
    for (auto& feed : feeds)
      send_shutdown(feed->actor());
    feeds.clear();
    system->await_all_actors_done();
  }

  void add(const venue_stream& stream, unsigned number, std::int64_t late,
           const play_schedule& schedule) {
    auto* const seen = observers.emplace_back(std::make_unique<quote_clock>()).get();
    seen->stream = &stream;
    seen->schedule = &schedule;
    seen->late = late;
    feed_actor_options options;
    options.core = core_options(stream);
    options.core.spec.id.text = clone_name(stream, number);
    options.book_channel = stream.channel;
    options.bar_store.clear();
    options.observer = [seen](const quote&, const order_book&) { seen->see(); };
    const actor_environment environment{clocks.back().get(), &steady, &names, 1};
    auto actor = spawn_actor<feed_state>(*system, {.name = "feed/" + options.core.spec.id.text},
                                         environment, options);
    feeds.push_back(std::make_unique<actor_feed>(std::move(actor), options.core.spec.id));
  }
};

/// Waits until each actor has taken all that it was sent, and adds up what they say.
void collect(actor_world& world, ingest_figures& figures) {
  caf::scoped_actor self{*world.system};
  for (const auto& feed : world.feeds)
    self->request(feed->actor(), status_within, status_request{})
        .receive(
            [&](const status_report& report) {
              const auto state = json_view::parse(report.json);
              figures.valid += state.text("validity") == name_of(book_validity::valid) ? 1 : 0;
              figures.gaps += static_cast<std::uint64_t>(state.integer("gaps"));
              figures.damaged += static_cast<std::uint64_t>(state.integer("damaged_frames"));
            },
            [&](const caf::error&) { ++figures.undelivered; });
}

} // namespace

ingest_figures ingest_cores(const bench_ingest_options& options,
                            const std::vector<venue_stream>& streams) {
  ingest_figures out;
  out.way = "core";
  out.speed = options.speed;
  out.load_before = load_average();
  const auto count = streams.size() * options.instruments;
  std::vector<age_table> ages(count);
  const auto before = resident_bytes();
  play_schedule schedule;
  std::vector<std::unique_ptr<core_feed>> feeds;
  std::vector<std::vector<play_place>> shares(std::max(options.threads, 1U));
  for (const auto& stream : streams)
    for (unsigned n = 0; n < options.instruments; ++n) {
      feeds.push_back(std::make_unique<core_feed>(stream, n, schedule, ages[feeds.size()]));
      shares[(feeds.size() - 1) % shares.size()].push_back(
          {&stream, feeds.back().get(), lateness(options, n)});
    }
  schedule = schedule_of(options);
  run_players(shares, schedule, out);
  out.resident = resident_bytes() - before;
  out.feeds = feeds.size();
  for (std::size_t n = 0; n < feeds.size(); ++n) {
    const auto report = feeds[n]->report();
    out.valid += report.validity == book_validity::valid ? 1 : 0;
    out.gaps += report.gaps;
    out.damaged += report.damaged_frames;
    const auto& place = shares[n % shares.size()][n / shares.size()];
    out.differing += feeds[n]->quotes() != quotes_until(place) ? 1 : 0;
    out.ages.add(ages[n]);
    out.venues[std::string{place.stream->venue->name}].add(ages[n]);
  }
  out.load_after = load_average();
  return out;
}

ingest_figures ingest_actors(const bench_ingest_options& options,
                             const std::vector<venue_stream>& streams) {
  ingest_figures out;
  out.way = "actors";
  out.speed = options.speed;
  out.load_before = load_average();
  play_schedule schedule = schedule_of(options);
  const auto before = resident_bytes();
  actor_world world{std::max(options.threads, 1U)};
  std::vector<std::vector<play_place>> shares(1);
  for (const auto& stream : streams) {
    world.clocks.push_back(std::make_unique<stream_clock>(stream, schedule));
    for (unsigned n = 0; n < options.instruments; ++n) {
      const auto late = lateness(options, n);
      world.add(stream, n, late, schedule);
      shares[0].push_back({&stream, world.feeds.back().get(), late});
    }
  }
  schedule = schedule_of(options);
  run_players(shares, schedule, out);
  out.resident = resident_bytes() - before;
  collect(world, out);
  out.feeds = world.feeds.size();
  for (std::size_t n = 0; n < world.feeds.size(); ++n) {
    const auto& seen = *world.observers[n];
    out.differing += seen.quotes != quotes_until(shares[0][n]) ? 1 : 0;
    out.ages.add(seen.ages);
    out.venues[std::string{seen.stream->venue->name}].add(seen.ages);
  }
  out.load_after = load_average();
  return out;
}

} // namespace troupe::bench
