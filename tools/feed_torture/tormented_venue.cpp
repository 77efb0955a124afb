#include "tools/feed_torture/tormented_venue.hpp"

#include "actors/connectors/quiet_times.hpp"
#include "actors/connectors/venue_connector_actor.hpp"
#include "actors/feeds/feed_actor.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "tools/json_view.hpp"
#include "tools/venue_check/venue_check.hpp"
#include "tools/venue_sim/data/data_server.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <optional>
#include <random>
#include <thread>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using moment = std::chrono::steady_clock::time_point;

constexpr std::size_t judged_depth = 10;       ///< levels a side; no more is proven on every venue
constexpr auto strikes_within = 5s;            ///< a fault waits for the next message of its kind
constexpr auto shows_within = 3s;              ///< what a sequence proves shows with the next message
constexpr auto recovers_within = 30s;          ///< budgets included
constexpr auto answer_within = 5s;

/// Some minutes of what the simulators remember for REST: their memory stands still soon, so that growth is ours.
constexpr venue_sim::history_limits history_kept{.trades = 10'000, .seconds = 600, .minutes = 600};

constexpr auto notice_slack = 2s;              ///< of a busy machine, beyond the quiet times
constexpr auto clock_every = 9s;               ///< the host's clock is set so often

/// What must be seen of a fault.
enum class expectation : std::uint8_t { detected, harmless_or_detected, unprovable_or_detected };

/// What ends it.
enum class fault_course : std::uint8_t {
  book,    ///< the feed notices and gets a new book
  refused, ///< likewise, but the venue makes us wait
  topic,   ///< silence that ends with a new subscription: the watchdog of the topic
  socket,  ///< silence that ends with a new socket: that of the socket, or the topic's second look
};

struct fault_kind {
  std::string_view name;
  std::string_view json; ///< what the simulator is told
  expectation proven;    ///< where the venue has a sequence
  expectation checksummed; ///< where it has a checksum of the best levels alone
  fault_course course = fault_course::book;
  std::string_view counted = {}; ///< the simulator's name where it is another one
};

constexpr auto must = expectation::detected;
constexpr auto harmless = expectation::harmless_or_detected;
constexpr auto maybe = expectation::unprovable_or_detected;

constexpr std::array fault_kinds_injected{
    fault_kind{"drop_diff", R"({"drop_diff":{"count":1}})", must, maybe},
    fault_kind{"duplicate_diff", R"({"duplicate_diff":{"count":1}})", harmless, harmless},
    fault_kind{"reorder_diff", R"({"reorder_diff":{"count":1}})", must, maybe},
    fault_kind{"wrong_frame", R"({"wrong_frame":{"count":1}})", must, must},
    fault_kind{"crossed_book", R"({"crossed_book":{"count":1}})", must, must},
    fault_kind{"silent_topic", R"({"silent_topic":{"count":1,"ms":700}})", must, maybe},
    fault_kind{"close_1000", R"({"close_1000":{"count":1}})", must, must},
    fault_kind{"close_1006", R"({"close_1006":{"count":1}})", must, must},
    fault_kind{"tcp_reset", R"({"tcp_reset":{"count":1}})", must, must},
    fault_kind{"server_shutdown", R"({"server_shutdown":{"count":1}})", harmless, harmless},
    fault_kind{"skewed_clock", R"({"skewed_clock":{"count":1,"ms":3000}})", harmless, harmless},
    fault_kind{"refused_connect", R"({"close_1006":{"count":1},"refused_connect":{"count":1,"ms":1000}})", must, must,
               fault_course::refused},
    fault_kind{"muted_topic", R"({"muted_topic":{"count":1}})", must, must, fault_course::topic},
    fault_kind{"dead_topic", R"({"silent_topic":{"count":1,"ms":600000}})", must, must, fault_course::socket, "silent_topic"},
    fault_kind{"silent_socket", R"({"silent_socket":{"count":1}})", must, must, fault_course::socket},
    fault_kind{"black_hole", R"({"black_hole":{"count":1}})", must, must, fault_course::socket},
};
/// Where images come in band: they come late.
constexpr fault_kind slow_in_band{"slow_image", R"({"close_1006":{"count":1},"slow_image":{"count":1,"ms":600}})", must, must};
/// Only where images come by REST: the bootstrap behind a loss is disturbed.
constexpr std::array image_faults{
    fault_kind{"slow_image", R"({"drop_diff":{"count":1},"slow_image":{"count":1,"ms":600}})", must, must},
    fault_kind{"refused_request", R"({"drop_diff":{"count":1},"refused_request":{"count":1,"ms":1000}})", must, must,
               fault_course::refused},
    fault_kind{"banned", R"({"drop_diff":{"count":1},"banned":{"count":1,"ms":1500}})", must, must, fault_course::refused},
};
constexpr fault_kind wrong_checksum{"wrong_checksum", R"({"wrong_checksum":{"count":1}})", must, must};

/// Time between two faults of a venue, so that its limits allow what each one costs.
nanoseconds spacing_of(std::string_view venue) {
  if (venue == "okx") return 16s;          // 480 subscriptions and their ends an hour
  if (venue == "bitfinex") return 7s;      // 20 new sockets a minute, some faults cost two
  if (venue == "htx") return 7s;           // the same, as a precaution of ours
  if (venue == "binance") return 6s;       // 6,000 weight a minute, 250 an image, two books
  if (venue == "binance-usdm") return 2s;  // 2,400 weight a minute, 20 an image
  if (venue == "kraken") return 5s;        // 150 new sockets in ten minutes
  if (venue == "kucoin") return 3s;        // 30 new sockets a minute
  return 2500ms;                           // books in band are asked for anew once a second a topic at most
}

/// The book that is watched: the venue's default, but one whose changes are numbered where the default is whole
/// images, which prove nothing.
const book_channel& channel_of(const venue_description& venue) {
  for (const auto& channel : venue.books)
    if (channel.rules.family != book_family::images) return channel;
  return venue.books.front();
}

} // namespace

/// One feed, seen from outside.
struct watched_feed {
  instrument_spec spec;
  truth_table truth;
  std::mutex mutex;
  std::condition_variable changed;
  bool valid = false;
  bool ever_valid = false;
  std::uint64_t losses = 0;
  moment lost{};
  moment last_good{}; ///< when a valid book was published last
  fault_course course = fault_course::book; ///< of the fault that is on
  std::vector<std::int64_t> recovery_ms;
  std::vector<std::int64_t> refused_ms;

  void see(const quote& q, const order_book& book) {
    const auto now = std::chrono::steady_clock::now();
    const bool good = q.validity == book_validity::valid;
    if (good)
      truth.judge(q.sequence, q.at, book.top_checksum(spec.price_scale, spec.size_scale, judged_depth));
    else truth.lose();
    const std::lock_guard lock{mutex};
    if (good) last_good = now;
    if (good == valid) return;
    valid = good;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - lost).count();
    if (good && ever_valid && course == fault_course::book) recovery_ms.push_back(took);
    if (good && ever_valid && course == fault_course::refused) refused_ms.push_back(took);
    if (good) ever_valid = true;
    else ++losses, lost = now;
    changed.notify_all();
  }
  template <class Condition>
  bool wait(moment until, Condition condition) {
    std::unique_lock lock{mutex};
    return changed.wait_until(lock, until, [&] { return condition(*this); });
  }
};

/// A venue: its simulator, connector and feeds.
struct tormented_venue {
  const venue_description* venue = nullptr;
  std::unique_ptr<venue_sim::data_server> server;
  std::vector<std::unique_ptr<watched_feed>> feeds;
  std::vector<feed_actor> actors;
  connector_actor connector;
  torment_report report;
  protocol_traits traits;
  nanoseconds ack_deadline{};

  [[nodiscard]] std::uint64_t losses() const {
    std::uint64_t out = 0;
    for (const auto& f : feeds) {
      const std::lock_guard lock{f->mutex};
      out += f->losses;
    }
    return out;
  }
  void enter(fault_course course) {
    for (const auto& f : feeds) {
      const std::lock_guard lock{f->mutex};
      f->course = course;
    }
  }
  /// When the last of the feeds published a valid book; nothing when one has none, or none since `after`.
  [[nodiscard]] std::optional<moment> fresh_since(moment after) const {
    moment out{};
    for (const auto& f : feeds) {
      const std::lock_guard lock{f->mutex};
      if (!f->valid || f->last_good <= after) return std::nullopt;
      out = std::max(out, f->last_good);
    }
    return out;
  }
};

/// The host's clock, which somebody sets now and then.
class unsteady_wall_clock final : public market_clock {
public:
  [[nodiscard]] market_time now() const noexcept override { return wall_.now() + nanoseconds{away_.load()}; }
  void set(nanoseconds away) { away_ = away.count(); }

private:
  wall_clock wall_;
  std::atomic<std::int64_t> away_{0};
};

/// What a connector's sessions have done so far.
struct session_acts {
  std::int64_t renewed = 0;  ///< topics subscribed again
  std::int64_t replaced = 0; ///< sockets replaced
};

struct torment_world::impl {
  unsteady_wall_clock market;
  monotonic_clock steady;
  directory names;
  actor_environment environment{&market, &steady, &names, 1};
  system_config settings{{.threads = 2, .network = false}};
  std::unique_ptr<caf::actor_system> system = std::make_unique<caf::actor_system>(settings);
  std::vector<std::unique_ptr<tormented_venue>> venues;
  std::uint64_t seed = 1;
  nanoseconds quiet{};
  std::uint64_t clock_sets = 0;
  std::int64_t farthest_ms = 0;
  std::mutex mutex;
  std::condition_variable ended;
  bool stop = false;

  ~impl();
  status add(const venue_description& venue, const std::filesystem::path& folder);
  void spawn(tormented_venue& v, const venue_check_options& how);
  void torment(tormented_venue& v, moment until, std::uint64_t own_seed);
  void inject(tormented_venue& v, const fault_kind& kind);
  bool strike(tormented_venue& v, const fault_kind& kind);
  void wait_for_loss(tormented_venue& v, const fault_kind& kind, std::uint64_t losses);
  void wait_for_renewal(tormented_venue& v, const fault_kind& kind, const session_acts& before, std::uint64_t losses);
  [[nodiscard]] session_acts acts_of(const tormented_venue& v);
  [[nodiscard]] std::int64_t least_offset_ms(const tormented_venue& v);
  void unsettle_clock(moment until);
  bool pause(nanoseconds time);
  std::string failure_of(const connector_actor& connector);
  template <class Handle>
  void publish(const std::string& name, const Handle& handle) {
    names.put(name, {caf::actor_cast<caf::strong_actor_ptr>(handle), {}, names.next_incarnation()});
  }
};

torment_world::impl::~impl() {
  names.clear();
  for (auto& v : venues) {
    if (v->connector) send_shutdown(v->connector);
    for (auto& feed : v->actors) send_shutdown(feed);
    v->connector = nullptr;
    v->actors.clear();
  }
  system->await_all_actors_done();
  for (auto& v : venues) v->server.reset();
}

// ---- start --------------------------------------------------------------------------------------------

status torment_world::impl::add(const venue_description& venue, const std::filesystem::path& folder) {
  auto v = std::make_unique<tormented_venue>();
  v->venue = &venue;
  const bool perpetual = venue.name == "binance-usdm";
  venue_sim::data_server_options sim;
  sim.venue = venue.name;
  sim.folder = folder / std::string{venue.name};
  sim.symbols = perpetual ? std::vector<std::string>{"BTC-USDT-PERP", "ETH-USDT-PERP"}
                          : std::vector<std::string>{"BTC-USDT", "ETH-USDT"};
  sim.seed = seed;
  sim.clock.origin_market_ns = market.now().ns;
  sim.clock.origin_steady_ns = steady.now().ns;
  sim.truth_changes = 1;
  sim.history = history_kept;
  auto* raw = v.get();
  sim.on_change = [raw](const std::string& symbol, std::uint64_t sequence, std::int64_t event_ms, std::uint32_t crc) {
    for (auto& f : raw->feeds)
      if (f->spec.venue_symbol == symbol) f->truth.add(sequence, event_ms, crc);
  };
  venue_check_options how;
  how.venue = &venue;
  how.authority = sim.folder / "tls" / "ca.pem";
  // The feeds' names must be known before the first change.
  for (const auto& symbol : sim.symbols) {
    v->feeds.push_back(std::make_unique<watched_feed>());
    v->feeds.back()->spec.id.text = symbol + "@" + std::string{venue.name};
  }
  auto server = venue_sim::data_server::start(sim, [](status) {});
  if (!server) return server.error();
  v->server = std::move(*server);
  how.rest = {true, "localhost", v->server->port(), ""};
  how.sockets = how.rest;
  auto rules = fetch_instruments(how, answer_within);
  if (!rules) return rules.error();
  for (auto& f : v->feeds) {
    const auto found = std::find_if(rules->begin(), rules->end(), [&](const auto& s) { return s.id == f->spec.id; });
    if (found == rules->end())
      return error{make_error_code(net::net_errc::bad_message),
                   std::string{venue.name} + ": the venue's rules hold no " + f->spec.id.text};
    f->spec = *found;
    how.instruments.push_back(*found);
  }
  spawn(*v, how);
  venues.push_back(std::move(v));
  return ok;
}

void torment_world::impl::spawn(tormented_venue& v, const venue_check_options& how) {
  for (auto& f : v.feeds) {
    feed_actor_options options;
    options.core.spec = f->spec;
    options.core.stale_after = 10s;
    options.bar_store.clear();
    options.book_channel = channel_of(*v.venue).name;
    options.observer = [raw = f.get()](const quote& q, const order_book& book) { raw->see(q, book); };
    const auto name = "feed/" + f->spec.id.text;
    v.actors.push_back(spawn_actor<feed_state>(*system, {.name = name}, environment, options));
    publish(name, v.actors.back());
  }
  venue_connector_options options;
  options.venue = v.venue;
  options.instruments = how.instruments;
  options.rest = how.rest;
  options.sockets = how.sockets;
  options.authority = how.authority;
  options.what.book_channel = channel_of(*v.venue).name;
  v.traits = quiet > nanoseconds::zero() ? quiet_at_most(v.venue->traits, quiet) : v.venue->traits;
  options.traits = v.traits;
  v.ack_deadline = options.session.ack_deadline;
  if (v.venue->name == "binance-usdm") options.weight = 2400;
  const auto name = "connector/" + std::string{v.venue->name};
  v.connector = spawn_actor<venue_connector_state>(*system, {.name = name}, environment, options);
  publish(name, v.connector);
  v.report.venue = v.venue->name;
  v.report.image_in_band = v.venue->traits.image_in_band;
  v.report.quiet = {v.traits.book_quiet / 1ms, v.traits.silence_limit / 1ms};
  v.report.quiet_of_venue = {v.venue->traits.book_quiet / 1ms, v.venue->traits.silence_limit / 1ms};
  v.report.notice_limit_ms = noticed_within(v.traits, v.ack_deadline) / 1ms;
}

// ---- faults -------------------------------------------------------------------------------------------

bool torment_world::impl::pause(nanoseconds time) {
  std::unique_lock lock{mutex};
  return !ended.wait_for(lock, time, [this] { return stop; });
}

/// Sets the fault and waits for its moment; false when that does not come.
bool torment_world::impl::strike(tormented_venue& v, const fault_kind& kind) {
  const auto name = std::string{kind.counted.empty() ? kind.name : kind.counted};
  const auto struck = [&] {
    const auto state = json_view::parse(v.server->state());
    return static_cast<std::uint64_t>(state.integer("faults." + name + ".struck"));
  };
  const auto before = struck();
  v.server->set_faults(std::string{kind.json});
  const auto give_up = std::chrono::steady_clock::now() + strikes_within;
  while (struck() == before)
    if (std::chrono::steady_clock::now() > give_up || !pause(20ms)) {
      v.server->set_faults(R"({"all":null})");
      return false;
    }
  ++v.report.faults[std::string{kind.name}].struck;
  return true;
}

void torment_world::impl::wait_for_loss(tormented_venue& v, const fault_kind& kind, std::uint64_t losses) {
  auto& counts = v.report.faults[std::string{kind.name}];
  const auto shows = std::chrono::steady_clock::now() + shows_within;
  while (v.losses() == losses && std::chrono::steady_clock::now() < shows)
    if (!pause(20ms)) break;
  const bool seen = v.losses() != losses;
  const bool has_sequence = channel_of(*v.venue).rules.family != book_family::checksummed;
  const auto expected = has_sequence ? kind.proven : kind.checksummed;
  if (seen) ++counts.detected;
  else if (expected == expectation::detected) ++counts.missed;
  else if (expected == expectation::harmless_or_detected) ++counts.harmless;
  else ++counts.unprovable;
}

session_acts torment_world::impl::acts_of(const tormented_venue& v) {
  caf::scoped_actor self{*system};
  session_acts out;
  self->request(v.connector, answer_within, status_request{})
      .receive(
          [&](const status_report& report) {
            for (const auto& session : json_view::parse(report.json).items("sessions")) {
              out.renewed += session.integer("resubscriptions");
              out.replaced += session.integer("reconnects") + session.integer("replacements");
            }
          },
          [](const caf::error&) {});
  return out;
}

/// Silence has no message that shows it: what counts is when the session acts, and when every book is fresh again.
void torment_world::impl::wait_for_renewal(tormented_venue& v, const fault_kind& kind, const session_acts& before,
                                           std::uint64_t losses) {
  auto& counts = v.report.faults[std::string{kind.name}];
  const auto begun = std::chrono::steady_clock::now();
  const bool topic = kind.course == fault_course::topic;
  const auto limit = topic ? v.traits.book_quiet
                           : std::max(noticed_within(v.traits, v.ack_deadline), 2 * v.traits.book_quiet);
  const auto patience = begun + limit + recovers_within;
  std::optional<moment> acted;
  std::optional<moment> fresh;
  while (!fresh && std::chrono::steady_clock::now() < patience && pause(20ms)) {
    const auto now = std::chrono::steady_clock::now();
    const auto acts = acts_of(v);
    // Best prices of the venue that go on may show before the watchdog does that the book stands still.
    const bool noticed = topic && (acts.renewed > before.renewed || v.losses() > losses);
    const bool done = acts.replaced > before.replaced || noticed;
    if (!acted && done) acted = now;
    if (acted) fresh = v.fresh_since(*acted);
  }
  if (!acted || !fresh) {
    ++counts.missed;
    return;
  }
  ++counts.detected;
  const auto ms = [](auto span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span).count(); };
  v.report.noticed_ms.push_back(ms(*acted - begun));
  v.report.renewed_ms.push_back(ms(*fresh - *acted));
  if (*acted - begun > limit + notice_slack) ++v.report.late;
}

void torment_world::impl::inject(tormented_venue& v, const fault_kind& kind) {
  const bool silence = kind.course == fault_course::topic || kind.course == fault_course::socket;
  const auto losses = v.losses();
  const auto acts = silence ? acts_of(v) : session_acts{};
  v.enter(kind.course);
  if (!strike(v, kind)) return v.enter(fault_course::book);
  if (silence) wait_for_renewal(v, kind, acts, losses);
  else wait_for_loss(v, kind, losses);
  const auto patience = std::chrono::steady_clock::now() + recovers_within;
  for (auto& f : v.feeds) f->wait(patience, [](const watched_feed& each) { return each.valid; });
  v.server->set_faults(R"({"all":null})");
  v.enter(fault_course::book);
}

/// Every kind comes once before any comes again.
void torment_world::impl::torment(tormented_venue& v, moment until, std::uint64_t own_seed) {
  std::vector<fault_kind> kinds{fault_kinds_injected.begin(), fault_kinds_injected.end()};
  if (v.venue->traits.image_in_band) kinds.push_back(slow_in_band);
  else kinds.insert(kinds.end(), image_faults.begin(), image_faults.end());
  if (channel_of(*v.venue).rules.family == book_family::checksummed) kinds.push_back(wrong_checksum);
  std::mt19937_64 random{own_seed};
  const auto spacing = spacing_of(v.venue->name);
  for (std::size_t next = 0; std::chrono::steady_clock::now() < until; next = (next + 1) % kinds.size()) {
    if (next == 0) std::shuffle(kinds.begin(), kinds.end(), random);
    const auto begun = std::chrono::steady_clock::now();
    inject(v, kinds[next]);
    const auto spent = std::chrono::steady_clock::now() - begun;
    const auto rest = std::max<nanoseconds>(50ms, spacing - std::chrono::duration_cast<nanoseconds>(spent));
    if (!pause(rest + nanoseconds{static_cast<std::int64_t>(random() % 200'000'000)})) return;
  }
}

/// The host's clock is seconds off for a while, then right again, then off the other way.
void torment_world::impl::unsettle_clock(moment until) {
  std::mt19937_64 random{seed};
  while (std::chrono::steady_clock::now() + clock_every < until && pause(clock_every)) {
    const auto away = nanoseconds{(1 + static_cast<std::int64_t>(random() % 4)) * 1'000'000'000};
    market.set(clock_sets % 3 == 0 ? away : clock_sets % 3 == 1 ? nanoseconds{0} : -away);
    if (clock_sets % 3 != 1) farthest_ms = std::max<std::int64_t>(farthest_ms, away / 1ms);
    ++clock_sets;
  }
  market.set(nanoseconds{0});
}

std::int64_t torment_world::impl::least_offset_ms(const tormented_venue& v) {
  caf::scoped_actor self{*system};
  std::int64_t out = 0;
  for (const auto& feed : v.actors)
    self->request(feed, answer_within, status_request{})
        .receive([&](const status_report& report) {
          out = std::min(out, json_view::parse(report.json).integer("clock_offset") / 1'000'000);
        }, [](const caf::error&) {});
  return out;
}

/// What the connector last complained about, in brackets; empty when it has no complaint.
std::string torment_world::impl::failure_of(const connector_actor& connector) {
  caf::scoped_actor self{*system};
  std::string out;
  self->request(connector, answer_within, status_request{})
      .receive(
          [&](const status_report& report) {
            for (const auto& session : json_view::parse(report.json).items("sessions"))
              if (const auto why = session.text("last_failure"); !why.empty()) out = " (" + why + ")";
          },
          [&](const caf::error&) { out = " (the connector does not answer)"; });
  return out;
}

// ---- the object ---------------------------------------------------------------------------------------

torment_world::torment_world(std::unique_ptr<impl> state) : impl_{std::move(state)} {}
torment_world::~torment_world() = default;

result<std::unique_ptr<torment_world>> torment_world::start(const feed_torture_options& options,
                                                            const std::filesystem::path& folder) {
  auto state = std::make_unique<impl>();
  state->seed = options.seed;
  state->quiet = options.quiet;
  for (const auto* venue : all_venues()) {
    const bool wanted = options.venues.empty()
                        || std::find(options.venues.begin(), options.venues.end(), venue->name) != options.venues.end();
    if (!wanted) continue;
    if (auto added = state->add(*venue, folder); !added) return added.error();
  }
  return std::unique_ptr<torment_world>{new torment_world{std::move(state)}};
}

status torment_world::wait_until_valid(std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  std::string late;
  for (auto& v : impl_->venues)
    for (auto& f : v->feeds)
      if (!f->wait(until, [](const watched_feed& each) { return each.valid; }))
        late += " " + f->spec.id.text + impl_->failure_of(v->connector);
  if (late.empty()) return ok;
  return error{make_error_code(net::net_errc::deadline), "no valid book without any fault:" + late};
}

void torment_world::torment(std::chrono::seconds length) {
  const auto until = std::chrono::steady_clock::now() + length;
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < impl_->venues.size(); ++n)
    threads.emplace_back([this, n, until] { impl_->torment(*impl_->venues[n], until, impl_->seed * 1000 + n); });
  threads.emplace_back([this, until] { impl_->unsettle_clock(until); });
  for (auto& t : threads) t.join();
  for (auto& v : impl_->venues) v->server->set_faults(R"({"all":null})");
  const auto patience = std::chrono::steady_clock::now() + recovers_within;
  for (auto& v : impl_->venues)
    for (auto& f : v->feeds) f->wait(patience, [](const watched_feed& each) { return each.valid; });
}

std::pair<std::uint64_t, std::int64_t> torment_world::clock_steps() const {
  return {impl_->clock_sets, impl_->farthest_ms};
}

std::vector<torment_report> torment_world::reports() {
  std::vector<torment_report> out;
  for (auto& v : impl_->venues) {
    auto report = v->report;
    report.valid_at_end = true;
    report.least_offset_ms = impl_->least_offset_ms(*v);
    for (auto& f : v->feeds) {
      const auto books = f->truth.figures();
      report.books.right += books.right;
      report.books.wrong += books.wrong;
      report.books.unknown += books.unknown;
      if (!books.first_wrong.empty() && report.books.first_wrong.empty())
        report.books.first_wrong = f->spec.id.text + ": " + books.first_wrong;
      const std::lock_guard lock{f->mutex};
      report.recovery_ms.insert(report.recovery_ms.end(), f->recovery_ms.begin(), f->recovery_ms.end());
      report.refused_ms.insert(report.refused_ms.end(), f->refused_ms.begin(), f->refused_ms.end());
      report.valid_at_end = report.valid_at_end && f->valid;
    }
    const auto state = v->server->state();
    // The object of violations is copied as it is: the facts in it are the simulator's words.
    const auto at = state.find(R"("violations":{)");
    if (at != std::string::npos) report.violations = state.substr(at + 13, state.find('}', at) - at - 12);
    if (!report.valid_at_end) report.failure = impl_->failure_of(v->connector);
    out.push_back(std::move(report));
  }
  return out;
}

} // namespace troupe
