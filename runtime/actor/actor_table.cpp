#include "runtime/actor/actor_table.hpp"

#include "runtime/actor/compat.hpp"
#include "runtime/actor/errc.hpp"
#include "runtime/actor/message_tap.hpp"
#include "runtime/actor/timeline.hpp"
#include "runtime/clock.hpp"

#include <caf/type_nr.hpp>

#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>
#include <new>

namespace troupe {
namespace {

/// Keys below this are CAF's type numbers plus one, others are addresses of type_info objects.
constexpr std::uintptr_t first_address = 4096;

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text{
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free};
  std::string out = status == 0 ? text.get() : name;
  constexpr std::string_view own = "troupe::";
  return out.starts_with(own) ? out.substr(own.size()) : out;
}

constexpr std::size_t kept_errors = 8;
constexpr std::size_t most_orders = 16;
constexpr std::size_t largest_page = 1000;

/// What an actor is sorted by.
using sort_key = std::uint64_t (*)(actor_stats&, std::int64_t now);

sort_key key_of(std::string_view word) {
  if (word == "mailbox") return [](actor_stats& s, std::int64_t) { return s.mailbox(); };
  if (word == "age")
    return [](actor_stats& s, std::int64_t now) { return static_cast<std::uint64_t>(s.mailbox_age(now)); };
  if (word == "rate") return [](actor_stats& s, std::int64_t now) { return s.rate_at(now); };
  if (word == "p99")
    return [](actor_stats& s, std::int64_t) { return static_cast<std::uint64_t>(s.types.quantile(0.99)); };
  if (word == "restarts") return [](actor_stats& s, std::int64_t) { return s.restarts; };
  if (word == "errors")
    return [](actor_stats& s, std::int64_t) { return s.errors.load(std::memory_order_relaxed); };
  if (word == "messages")
    return [](actor_stats& s, std::int64_t) { return s.consumed.load(std::memory_order_relaxed); };
  return nullptr;
}

} // namespace

// --- times per type ------------------------------------------------------------------------------

type_counts::~type_counts() {
  for (auto& s : slots_)
    delete s.times.load(std::memory_order_relaxed);
}

handler_histogram* type_counts::make(slot& s) noexcept {
  try {
    auto made = std::make_unique<handler_histogram>();
    s.times.store(made.get(), std::memory_order_release);
    return made.release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

std::vector<type_counts::entry> type_counts::read() const {
  std::vector<entry> out;
  for (const auto& s : slots_) {
    const auto* times = s.times.load(std::memory_order_acquire);
    if (times == nullptr || times->count() == 0) continue;
    out.push_back({s.key.load(std::memory_order_relaxed), times->count(), times->quantile(0.5),
                   times->quantile(0.99)});
  }
  return out;
}

std::int64_t type_counts::quantile(double q) const noexcept {
  std::array<const handler_histogram*, capacity + 1> all{};
  for (std::size_t i = 0; i <= capacity; ++i)
    all[i] = slots_[i].times.load(std::memory_order_acquire);
  return handler_histogram::quantile_of(all, q);
}

std::string type_name_of(std::uintptr_t key) {
  if (key == 0) return "others";
  if (key == 1) return "empty message";
  if (key >= first_address) return demangled(reinterpret_cast<const std::type_info*>(key)->name());
  const auto number = static_cast<std::size_t>(key - 1);
  return number < caf::type_nrs ? caf::numbered_type_names[number - 1]
                                 : "type " + std::to_string(number);
}

// --- one actor -----------------------------------------------------------------------------------

std::uint64_t actor_stats::mailbox() const noexcept {
  const auto done = consumed.load(std::memory_order_relaxed);
  const auto all = enqueued.load(std::memory_order_relaxed);
  return all > done ? all - done : 0;
}

std::int64_t actor_stats::mailbox_age(std::int64_t now) const noexcept {
  const auto done = consumed.load(std::memory_order_relaxed);
  if (enqueued.load(std::memory_order_relaxed) <= done) return 0;
  if (sample_at.load(std::memory_order_relaxed) <= done) return 0;
  return std::max<std::int64_t>(0, now - sample_ns.load(std::memory_order_relaxed));
}

std::uint64_t actor_stats::rate_at(std::int64_t now) noexcept {
  const auto since = rate_since.load(std::memory_order_relaxed);
  const auto done = consumed.load(std::memory_order_relaxed);
  const auto elapsed = now - (since != 0 ? since : spawned_ns);
  if (elapsed < 1'000'000'000) return rate.load(std::memory_order_relaxed);
  const auto before = rate_count.load(std::memory_order_relaxed);
  const auto fresh = (done - std::min(done, before)) * 1'000'000'000 / static_cast<std::uint64_t>(elapsed);
  rate.store(fresh, std::memory_order_relaxed);
  rate_since.store(now, std::memory_order_relaxed);
  rate_count.store(done, std::memory_order_relaxed);
  return fresh;
}

void actor_stats::set_last_error(std::string text) {
  const auto at = monotonic_ns();
  const std::lock_guard lock{guard_};
  if (errors_.size() == kept_errors) errors_.erase(errors_.begin());
  errors_.push_back({at, std::move(text)});
}

std::string actor_stats::last_error() const {
  const std::lock_guard lock{guard_};
  return errors_.empty() ? std::string{} : errors_.back().text;
}

std::vector<noted_error> actor_stats::errors_seen() const {
  const std::lock_guard lock{guard_};
  return errors_;
}

void actor_stats::note_watch(std::uint64_t id, bool remote, bool begins) {
  const watched_actor whom{id, remote};
  const std::lock_guard lock{guard_};
  const auto i = std::find(watching_.begin(), watching_.end(), whom);
  if (begins) return watching_.push_back(whom);
  if (i == watching_.end()) return;
  *i = watching_.back();
  watching_.pop_back();
}

std::vector<watched_actor> actor_stats::watching() const {
  const std::lock_guard lock{guard_};
  return watching_;
}

void actor_stats::show_settings(std::vector<setting_view> settings) {
  const std::lock_guard lock{guard_};
  settings_ = std::move(settings);
}

std::vector<setting_view> actor_stats::settings() const {
  const std::lock_guard lock{guard_};
  return settings_;
}

bool actor_stats::put_setting_order(setting_order order) {
  const std::lock_guard lock{guard_};
  if (orders_.size() == most_orders) return false;
  orders_.push_back(std::move(order));
  return true;
}

std::vector<setting_order> actor_stats::take_setting_orders() {
  const std::lock_guard lock{guard_};
  return std::exchange(orders_, {});
}

actor_report report_of(actor_stats& stats, std::int64_t now, bool types) {
  actor_report out;
  out.name = stats.name;
  out.parent = stats.parent;
  out.kind = stats.kind;
  out.id = stats.id;
  out.mailbox = stats.mailbox();
  out.mailbox_age = nanoseconds{stats.mailbox_age(now)};
  out.messages = stats.consumed.load(std::memory_order_relaxed);
  out.errors = stats.errors.load(std::memory_order_relaxed);
  out.restarts = stats.restarts;
  out.handler_p50 = nanoseconds{stats.types.quantile(0.5)};
  out.handler_p99 = nanoseconds{stats.types.quantile(0.99)};
  out.last_error = stats.last_error();
  out.messages_per_second = stats.rate_at(now);
  out.unexpected = stats.unexpected.load(std::memory_order_relaxed);
  out.parked = stats.parked.load(std::memory_order_relaxed);
  out.suspended = stats.suspended.load(std::memory_order_relaxed);
  if (const auto since = stats.handler_since.load(std::memory_order_acquire);
      since != 0 && now > since)
    out.handler_running = nanoseconds{now - since};
  out.refused = stats.refused.load(std::memory_order_relaxed);
  out.asks = stats.asks_in_flight.load(std::memory_order_relaxed);
  out.uptime = nanoseconds{now - stats.spawned_ns};
  out.tapped = stats.taps.load(std::memory_order_relaxed) != 0;
  if (!types) return out;
  for (const auto& e : stats.types.read())
    out.types.push_back({type_name_of(e.key), e.count, nanoseconds{e.p50}, nanoseconds{e.p99}});
  std::stable_sort(out.types.begin(), out.types.end(),
                   [](const type_report& a, const type_report& b) { return a.count > b.count; });
  return out;
}

// --- the table -----------------------------------------------------------------------------------

actor_table& actor_table::instance() {
  // Never destroyed: actors of a system that ends late still take themselves out.
  static auto* table = new actor_table;
  return *table;
}

void actor_table::add(const std::shared_ptr<actor_stats>& stats) {
  static std::atomic<std::uint64_t> serials{0};
  stats->serial = ++serials;
  auto& s = shards_[stats->serial % shard_count];
  {
    const std::lock_guard lock{s.guard};
    s.rows.emplace(stats->serial, stats);
  }
  // After it stands in the table: a tap that starts now marks it, or was there to be asked.
  if (const auto taps = tap_registry::instance().taps_of(stats->name); taps != 0)
    stats->taps.fetch_or(taps, std::memory_order_relaxed);
  timeline::instance().add(stats->restarts > 0 ? timeline_event::restart : timeline_event::spawn, stats->name,
                           stats->kind);
}

void actor_table::remove(const actor_stats& stats) {
  std::shared_ptr<actor_stats> gone;
  auto& s = shards_[stats.serial % shard_count];
  const std::lock_guard lock{s.guard};
  const auto i = s.rows.find(stats.serial);
  if (i == s.rows.end()) return;
  gone = std::move(i->second);
  s.rows.erase(i);
  s.messages_of_gone += stats.consumed.load(std::memory_order_relaxed);
}

std::vector<actor_report> actor_table::list() const {
  std::vector<actor_report> out;
  const auto now = monotonic_ns();
  for (const auto& stats : snapshot())
    out.push_back(report_of(*stats, now, true));
  std::sort(out.begin(), out.end(), [](const actor_report& a, const actor_report& b) {
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  });
  return out;
}

result<actor_page> actor_table::page(const actor_query& query) const {
  const auto key = key_of(query.sort);
  const bool by_name = query.sort.empty() || query.sort == "name";
  if (!key && !by_name)
    return {runtime_errc::bad_spec,
            "actors can't be sorted by '" + query.sort
                + "'; there are name, mailbox, age, rate, p99, restarts, errors, messages"};
  auto all = snapshot();
  actor_page out;
  out.actors = all.size();
  std::erase_if(all, [&](const auto& s) {
    return (!query.match.empty() && s->name.find(query.match) == std::string::npos)
           || (!query.kind.empty() && s->kind != query.kind);
  });
  const auto now = monotonic_ns();
  struct place {
    std::uint64_t key;
    actor_stats* stats;
  };
  std::vector<place> order;
  order.reserve(all.size());
  for (const auto& s : all)
    order.push_back({by_name ? 0 : key(*s, now), s.get()});
  const auto before = [&](const place& a, const place& b) {
    if (a.key != b.key) return query.ascending ? a.key < b.key : a.key > b.key;
    const auto names = a.stats->name.compare(b.stats->name);
    return names != 0 ? names < 0 : a.stats->serial < b.stats->serial;
  };
  const auto first = std::min<std::size_t>(query.offset, order.size());
  const auto last = std::min(first + std::min<std::size_t>(query.limit, largest_page), order.size());
  const auto at = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
  std::partial_sort(order.begin(), at(last), order.end(), before);
  out.matching = order.size();
  out.offset = static_cast<std::uint32_t>(first);
  out.rows.reserve(last - first);
  for (auto i = first; i < last; ++i)
    out.rows.push_back(report_of(*order[i].stats, now, query.types));
  return out;
}

actor_report actor_table::find(const std::string& name) const {
  const auto stats = stats_of(name);
  return stats ? report_of(*stats, monotonic_ns(), true) : actor_report{};
}

std::shared_ptr<actor_stats> actor_table::stats_of(const std::string& name) const {
  for (const auto& s : shards_) {
    const std::lock_guard lock{s.guard};
    for (const auto& [serial, stats] : s.rows)
      if (stats->name == name) return stats;
  }
  return nullptr;
}

std::vector<std::string> actor_table::watchers_of(std::uint64_t id) const {
  std::vector<std::string> out;
  for (const auto& stats : snapshot()) {
    const auto watched = stats->watching();
    if (std::find(watched.begin(), watched.end(), watched_actor{id, false}) != watched.end())
      out.push_back(stats->name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::uint64_t actor_table::messages() const {
  std::uint64_t sum = 0;
  for (const auto& s : shards_) {
    const std::lock_guard lock{s.guard};
    sum += s.messages_of_gone;
    for (const auto& [serial, stats] : s.rows)
      sum += stats->consumed.load(std::memory_order_relaxed);
  }
  return sum;
}

void actor_table::mark_tapped(const std::string& name, std::uint32_t bits, bool on) {
  for (const auto& stats : snapshot()) {
    if (!name.empty() && stats->name != name) continue;
    if (on)
      stats->taps.fetch_or(bits, std::memory_order_relaxed);
    else
      stats->taps.fetch_and(~bits, std::memory_order_relaxed);
  }
}

bool actor_table::order_setting(const std::string& name, setting_order order) {
  const auto stats = stats_of(name);
  if (!stats) return false;
  const auto actor = caf::actor_cast<caf::strong_actor_ptr>(stats->address);
  if (!actor || !stats->put_setting_order(std::move(order))) return false;
  compat::send_settings(actor);
  return true;
}

std::vector<std::shared_ptr<actor_stats>> actor_table::snapshot() const {
  std::vector<std::shared_ptr<actor_stats>> out;
  for (const auto& s : shards_) {
    const std::lock_guard lock{s.guard};
    for (const auto& [serial, stats] : s.rows)
      out.push_back(stats);
  }
  return out;
}

std::vector<running_handler> actor_table::running_longer_than(nanoseconds limit) const {
  std::vector<running_handler> out;
  const auto all = snapshot();
  const auto now = monotonic_ns();
  for (const auto& stats : all) {
    const auto since = stats->handler_since.load(std::memory_order_acquire);
    if (since == 0 || now - since <= limit.count()) continue;
    out.push_back({stats->name, stats->serial,
                   type_name_of(stats->handler_type.load(std::memory_order_relaxed)), since,
                   nanoseconds{now - since}, stats->detached});
  }
  return out;
}

bool actor_table::set_suspended(const std::string& name, bool suspended) {
  for (const auto& stats : snapshot()) {
    if (stats->name != name) continue;
    stats->suspended.store(suspended, std::memory_order_relaxed);
    const auto actor = caf::actor_cast<caf::strong_actor_ptr>(stats->address);
    if (!suspended && actor) compat::send_go_on(actor);
    return actor != nullptr;
  }
  return false;
}

std::string actor_table::name_of(std::uint64_t id) const {
  for (const auto& stats : snapshot())
    if (stats->id == id) return stats->name;
  return {};
}

std::size_t actor_table::size() const {
  std::size_t n = 0;
  for (const auto& s : shards_) {
    const std::lock_guard lock{s.guard};
    n += s.rows.size();
  }
  return n;
}

} // namespace troupe
