#include "actors/connectors/venue_connector_actor.hpp"
#include "actors/feeds/feed_actor.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "tools/bench/bench_ingest.hpp"
#include "tools/bench/ingest_player.hpp"
#include "tools/demo/child_process.hpp"
#include "tools/json_view.hpp"
#include "tools/venue_check/venue_check.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <atomic>
#include <chrono>
#include <cmath>

namespace troupe::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto simulator_ready_within = 60s;
constexpr auto rules_within = 30s;
constexpr auto feed_answers_within = 60s;
constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t look_every_ns = 100'000'000;

/// A folder that goes with its owner.
struct temporary_folder {
  temporary_folder() {
    char pattern[] = "/tmp/troupe_ingest_XXXXXX";
    if (const char* made = ::mkdtemp(pattern)) path = made;
  }
  ~temporary_folder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  std::filesystem::path path;
};

/// "AAA-USDT", "AAB-USDT", …; perpetual contracts where the venue has nothing else.
std::string invented_symbol(const venue_description& venue, unsigned number) {
  std::string base{"AAA"};
  base[2] = static_cast<char>('A' + number % 26);
  base[1] = static_cast<char>('A' + number / 26 % 26);
  base[0] = static_cast<char>('A' + number / 676 % 26);
  return base + (venue.name == "binance-usdm" ? "-USDT-PERP" : "-USDT");
}

/// What all feeds of a run share.
struct socket_run {
  market_scale scale;
  std::atomic<std::int64_t> measured_from{INT64_MAX};
  std::atomic<std::int64_t> measured_to{INT64_MAX};
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> bytes{0};
};

/// One feed's ages, written on its actor's thread.
struct socket_feed {
  instrument_id id;
  std::string_view venue;
  std::atomic<bool> ever_valid{false};
  bool valid = false;
  std::uint64_t untimed = 0;
  age_table ages;
  feed_actor actor;

  /// Age: from the instant that the simulator's event names, on the clock it shares with us.
  void see(const quote& q, const socket_run& run) {
    const bool good = q.validity == book_validity::valid;
    const bool was = std::exchange(valid, good);
    if (good) ever_valid.store(true, std::memory_order_relaxed);
    if (!good || !was) return;
    const auto now = monotonic_ns();
    const auto from = run.measured_from.load(std::memory_order_relaxed);
    const auto to = run.measured_to.load(std::memory_order_relaxed);
    if (now < from || now >= to) return;
    if (q.at.ns == 0) {
      ++untimed;
      return;
    }
    const auto behind = now - run.scale.when(q.at).ns;
    ages.add(static_cast<std::size_t>((now - from) * 3 / (to - from)), nanoseconds{behind});
  }
};

/// Simulators, connectors and feeds of one run.
class socket_world {
public:
  socket_world(const bench_ingest_options& options, const std::filesystem::path& folder);
  ~socket_world();
  status add(const venue_description& venue);
  status wait_until_valid();
  void measure(ingest_figures& out);

private:
  status start_simulator(const venue_description& venue, venue_check_options& how);
  void spawn(const venue_description& venue, const venue_check_options& how);
  [[nodiscard]] double simulators_cpu() const;
  void collect(ingest_figures& out);

  const bench_ingest_options& options_;
  std::filesystem::path folder_;
  socket_run run_;
  std::unique_ptr<scaled_market_clock> market_;
  monotonic_clock steady_;
  directory names_;
  std::vector<demo::child_process> simulators_; // outlive the connectors
  std::vector<std::pair<std::string_view, std::uint16_t>> control_ports_;
  std::vector<std::unique_ptr<socket_feed>> feeds_;
  std::vector<connector_actor> connectors_;
  system_config settings_;
  std::unique_ptr<caf::actor_system> system_;
};

socket_world::socket_world(const bench_ingest_options& options, const std::filesystem::path& folder)
    : options_{options}, folder_{folder}, settings_{{.threads = std::max(options.threads, 1U),
                                                     .network = false}},
      system_{std::make_unique<caf::actor_system>(settings_)} {
  run_.scale.rate_times_1000 = std::max<std::int64_t>(1, std::llround(options.socket_speed * 1000));
  run_.scale.origin_steady = steady_.now();
  run_.scale.origin_market = wall_clock{}.now();
  market_ = std::make_unique<scaled_market_clock>(run_.scale);
}

socket_world::~socket_world() {
  names_.clear();
  for (auto& connector : connectors_)
    send_shutdown(connector);
  for (auto& feed : feeds_) {
    if (feed->actor) send_shutdown(feed->actor);
    feed->actor = nullptr;
  }
  connectors_.clear();
  system_->await_all_actors_done();
}

status socket_world::start_simulator(const venue_description& venue, venue_check_options& how) {
  const auto own = folder_ / std::string{venue.name};
  demo::child_options child;
  const auto program = options_.simulator.empty() ? demo::own_program() : options_.simulator;
  child.arguments = {program.string(),
                     "venue",
                     "sim",
                     "--venue",
                     std::string{venue.name},
                     "--folder",
                     own.string(),
                     "--seed",
                     std::to_string(options_.seed),
                     "--speed",
                     format_decimal_short(run_.scale.rate_times_1000, 3),
                     "--origin-market",
                     std::to_string(run_.scale.origin_market.ns),
                     "--origin-steady",
                     std::to_string(run_.scale.origin_steady.ns),
                     "--activity",
                     std::to_string(options_.busy ? 1 : activity_of(venue, options_.seed)),
                     "--truth-changes",
                     "0",
                     "--ready-fd",
                     "3",
                     "--symbol"};
  for (unsigned n = 0; n < options_.instruments; ++n)
    child.arguments.push_back(invented_symbol(venue, n));
  child.log = folder_ / (std::string{venue.name} + ".log");
  child.ready_line = true;
  auto started = demo::child_process::start(child);
  if (!started) return std::move(started).error();
  auto line = started->wait_ready(simulator_ready_within);
  if (!line) return std::move(line).error();
  simulators_.push_back(std::move(*started));
  const auto ready = json_view::parse(*line);
  control_ports_.emplace_back(venue.name, static_cast<std::uint16_t>(ready.integer("control_port")));
  how.authority = ready.text("ca");
  how.rest = {true, "localhost", static_cast<std::uint16_t>(ready.integer("port")), ""};
  how.sockets = how.rest;
  return ok;
}

status socket_world::add(const venue_description& venue) {
  venue_check_options how;
  how.venue = &venue;
  if (auto started = start_simulator(venue, how); !started) return started;
  auto rules = fetch_instruments(how, rules_within);
  if (!rules) return rules.error();
  for (unsigned n = 0; n < options_.instruments; ++n) {
    const auto id = invented_symbol(venue, n) + '@' + std::string{venue.name};
    const auto found =
        std::find_if(rules->begin(), rules->end(), [&](const auto& s) { return s.id.text == id; });
    if (found == rules->end())
      return error{std::make_error_code(std::errc::invalid_argument),
                   std::string{venue.name} + ": the simulator's rules hold no " + id};
    how.instruments.push_back(*found);
  }
  spawn(venue, how);
  return ok;
}

void socket_world::spawn(const venue_description& venue, const venue_check_options& how) {
  const actor_environment environment{market_.get(), &steady_, &names_, 1};
  const auto publish = [&](const std::string& name, const auto& handle) {
    names_.put(name,
               {caf::actor_cast<caf::strong_actor_ptr>(handle), {}, names_.next_incarnation()});
  };
  for (const auto& spec : how.instruments) {
    auto& feed = *feeds_.emplace_back(std::make_unique<socket_feed>());
    feed.id = spec.id;
    feed.venue = venue.name;
    feed_actor_options options;
    options.core.spec = spec;
    options.core.stale_after = 60s * run_.scale.rate_times_1000 / 1000;
    options.bar_store.clear();
    options.observer = [this, raw = &feed](const quote& q, const order_book&) {
      raw->see(q, run_);
    };
    const auto name = "feed/" + spec.id.text;
    feed.actor = spawn_actor<feed_state>(*system_, {.name = name}, environment, options);
    publish(name, feed.actor);
  }
  venue_connector_options options;
  options.venue = &venue;
  options.instruments = how.instruments;
  options.rest = how.rest;
  options.sockets = how.sockets;
  options.authority = how.authority;
  // 50 images of 5,000 levels would take two minutes of Binance's weight.
  if (venue.name == "binance") options.image_levels = 1000;
  if (venue.name == "binance-usdm") options.weight = 2400;
  options.recorder = [this](const instrument_id&, const raw_frame& frame) {
    run_.frames.fetch_add(1, std::memory_order_relaxed);
    run_.bytes.fetch_add(frame.payload.size(), std::memory_order_relaxed);
  };
  const auto name = "connector/" + std::string{venue.name};
  connectors_.push_back(
      spawn_actor<venue_connector_state>(*system_, {.name = name}, environment, options));
  publish(name, connectors_.back());
}

status socket_world::wait_until_valid() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{options_.patience};
  std::string late;
  do {
    pace_until(steady_ns() + look_every_ns);
    late.clear();
    for (const auto& feed : feeds_)
      if (!feed->ever_valid.load() && late.size() < 400) late += " " + feed->id.text;
    if (late.empty()) return ok;
  } while (std::chrono::steady_clock::now() < give_up);
  return error{std::make_error_code(std::errc::timed_out), "no valid book in time:" + late};
}

double socket_world::simulators_cpu() const {
  double out = 0;
  for (const auto& each : simulators_)
    out += cpu_seconds_of(each.pid());
  return out;
}

void socket_world::measure(ingest_figures& out) {
  const auto from = monotonic_ns() + options_.warm_up * ns_per_s;
  const auto to = from + options_.seconds * ns_per_s;
  run_.measured_to = to;
  run_.measured_from = from;
  pace_until(from - std::min<std::int64_t>(options_.warm_up, 1) * ns_per_s / 2);
  for (const auto& [venue, port] : control_ports_)
    if (auto begun = begin_lag(port); !begun) out.note += std::string{venue} + ": " + begun.error().message() + "; ";
  pace_until(from);
  const auto cpu = cpu_seconds();
  const auto others = simulators_cpu();
  const auto frames = run_.frames.load();
  const auto bytes = run_.bytes.load();
  pace_until(to);
  out.seconds = static_cast<double>(monotonic_ns() - from) / 1e9;
  out.cpu_seconds = cpu_seconds() - cpu;
  out.other_cpu_seconds = simulators_cpu() - others;
  out.messages = run_.frames.load() - frames;
  out.bytes = run_.bytes.load() - bytes;
  for (const auto& [venue, port] : control_ports_) {
    if (const auto lag = lag_of(port))
      out.simulators[std::string{venue}] = *lag;
    else
      out.note += std::string{venue} + ": " + lag.error().message() + "; ";
  }
  collect(out);
}

void socket_world::collect(ingest_figures& out) {
  caf::scoped_actor self{*system_};
  std::uint64_t untimed = 0;
  for (const auto& feed : feeds_)
    self->request(feed->actor, feed_answers_within, status_request{})
        .receive(
            [&](const status_report& report) {
              const auto state = json_view::parse(report.json);
              out.valid += state.text("validity") == name_of(book_validity::valid) ? 1 : 0;
              out.gaps += static_cast<std::uint64_t>(state.integer("gaps"));
              out.damaged += static_cast<std::uint64_t>(state.integer("damaged_frames"));
              // The answer came behind all that the measured time brought.
              out.ages.add(feed->ages);
              out.venues[std::string{feed->venue}].add(feed->ages);
              untimed += feed->untimed;
            },
            [&](const caf::error&) { ++out.undelivered; });
  out.feeds = feeds_.size();
  out.note += std::string{"simulators GENERATE each instrument's market, as busy as "}
             + (options_.busy ? "a recorded BTC-USDT" : "the venue's recordings");
  if (untimed > 0)
    out.note += "; " + std::to_string(untimed) + " books without a time of the venue have no age";
}

} // namespace

result<ingest_figures> ingest_sockets(const bench_ingest_options& options,
                                      const std::vector<const venue_description*>& venues) {
  ingest_figures out;
  out.way = "sockets";
  out.speed = options.socket_speed;
  out.load_before = load_average();
  const temporary_folder folder;
  if (folder.path.empty())
    return error{std::make_error_code(std::errc::io_error),
                 "no folder for certificates can be made in /tmp"};
  const auto before = resident_bytes();
  socket_world world{options, folder.path};
  for (const auto* venue : venues)
    if (auto added = world.add(*venue); !added) return added.error();
  if (auto ready = world.wait_until_valid(); !ready) return ready.error();
  world.measure(out);
  out.resident = resident_bytes() - before;
  out.load_after = load_average();
  return out;
}

} // namespace troupe::bench
