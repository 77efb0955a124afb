#include "runtime/actor/actor_table.hpp"

#include "runtime/actor/compat.hpp"
#include "runtime/clock.hpp"

#include <caf/type_nr.hpp>

#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>

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

} // namespace

// --- counts per type -----------------------------------------------------------------------------

void type_counts::add(std::uintptr_t key) noexcept {
  auto* target = &slots_[capacity];
  for (std::size_t i = 0; i < capacity; ++i) {
    const auto present = slots_[i].key.load(std::memory_order_relaxed);
    if (present != key && present != 0) continue;
    if (present == 0) slots_[i].key.store(key, std::memory_order_relaxed);
    target = &slots_[i];
    break;
  }
  target->count.store(target->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::vector<type_counts::entry> type_counts::read() const {
  std::vector<entry> out;
  for (const auto& s : slots_)
    if (const auto n = s.count.load(std::memory_order_relaxed))
      out.push_back({s.key.load(std::memory_order_relaxed), n});
  return out;
}

std::string type_name_of(std::uintptr_t key) {
  if (key == 0) return "others";
  if (key == 1) return "empty message";
  if (key >= first_address) return demangled(reinterpret_cast<const std::type_info*>(key)->name());
  const auto number = static_cast<std::size_t>(key - 1);
  return number <= caf::type_nrs ? caf::numbered_type_names[number - 1]
                                 : "type " + std::to_string(number);
}

// --- one actor -----------------------------------------------------------------------------------

std::uint64_t actor_stats::mailbox() const noexcept {
  const auto done = consumed.load(std::memory_order_relaxed);
  const auto all = enqueued.load(std::memory_order_relaxed);
  return all > done ? all - done : 0;
}

void actor_stats::set_last_error(std::string text) {
  const std::lock_guard lock{guard_};
  last_error_ = std::move(text);
}

std::string actor_stats::last_error() const {
  const std::lock_guard lock{guard_};
  return last_error_;
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
  const std::lock_guard lock{s.guard};
  s.rows.emplace(stats->serial, row{stats, monotonic_ns(), 0, 0});
}

void actor_table::remove(const actor_stats& stats) {
  row gone;
  auto& s = shards_[stats.serial % shard_count];
  const std::lock_guard lock{s.guard};
  const auto i = s.rows.find(stats.serial);
  if (i == s.rows.end()) return;
  gone = std::move(i->second);
  s.rows.erase(i);
}

actor_report actor_table::report_of(row& r, std::int64_t now) const {
  const auto& stats = *r.stats;
  actor_report out;
  out.name = stats.name;
  out.parent = stats.parent;
  out.kind = stats.kind;
  out.id = stats.id;
  out.mailbox = stats.mailbox();
  out.messages = stats.consumed.load(std::memory_order_relaxed);
  if (out.mailbox > 0 && stats.sample_at.load(std::memory_order_relaxed) > out.messages)
    out.mailbox_age = nanoseconds{
        std::max<std::int64_t>(0, now - stats.sample_ns.load(std::memory_order_relaxed))};
  out.errors = stats.errors.load(std::memory_order_relaxed);
  out.restarts = stats.restarts;
  out.handler_p50 = nanoseconds{stats.handler_time.quantile(0.5)};
  out.handler_p99 = nanoseconds{stats.handler_time.quantile(0.99)};
  out.last_error = stats.last_error();
  out.unexpected = stats.unexpected.load(std::memory_order_relaxed);
  out.parked = stats.parked.load(std::memory_order_relaxed);
  out.suspended = stats.suspended.load(std::memory_order_relaxed);
  if (const auto since = stats.handler_since.load(std::memory_order_acquire);
      since != 0 && now > since)
    out.handler_running = nanoseconds{now - since};
  for (const auto& [key, count] : stats.types.read())
    out.types[type_name_of(key)] += count;
  if (const auto elapsed = now - r.rate_since; elapsed >= 1'000'000'000) {
    r.rate = (out.messages - r.rate_count) * 1'000'000'000 / static_cast<std::uint64_t>(elapsed);
    r.rate_since = now;
    r.rate_count = out.messages;
  }
  out.messages_per_second = r.rate;
  return out;
}

std::vector<actor_report> actor_table::list() const {
  std::vector<actor_report> out;
  const auto now = monotonic_ns();
  for (const auto& s : shards_) {
    const std::lock_guard lock{s.guard};
    for (auto& [serial, r] : s.rows)
      out.push_back(report_of(r, now));
  }
  std::sort(out.begin(), out.end(), [](const actor_report& a, const actor_report& b) {
    return std::tie(a.name, a.id) < std::tie(b.name, b.id);
  });
  return out;
}

actor_report actor_table::find(const std::string& name) const {
  for (const auto& s : shards_) {
    const std::lock_guard lock{s.guard};
    for (auto& [serial, r] : s.rows)
      if (r.stats->name == name) return report_of(r, monotonic_ns());
  }
  return {};
}

std::vector<std::shared_ptr<actor_stats>> actor_table::snapshot() const {
  std::vector<std::shared_ptr<actor_stats>> out;
  for (const auto& s : shards_) {
    const std::lock_guard lock{s.guard};
    for (const auto& [serial, r] : s.rows)
      out.push_back(r.stats);
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
                   nanoseconds{now - since}});
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
