#include "runtime/actor/message_tap.hpp"

#include "runtime/actor/actor_table.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/message_view.hpp"
#include "runtime/clock.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::uint32_t most_rows = 10'000;
constexpr std::uint32_t most_per_second = 1'000;
constexpr nanoseconds longest_tap = std::chrono::minutes{10};
constexpr std::size_t longest_row = 2'000;
constexpr std::int64_t second_ns = 1'000'000'000;

tap_start clamped(tap_start what) {
  what.count = std::clamp<std::uint32_t>(what.count, 1, most_rows);
  what.per_second = std::clamp<std::uint32_t>(what.per_second, 1, most_per_second);
  what.duration = std::clamp(what.duration, nanoseconds{1}, longest_tap);
  return what;
}

std::string sender_name(const caf::strong_actor_ptr& sender) {
  if (!sender) return {};
  auto name = compat::local_name(sender);
  return name.empty() ? "actor " + std::to_string(sender->aid) + " of another node" : name;
}

} // namespace

// --- one tap -------------------------------------------------------------------------------------

message_tap::message_tap(std::uint64_t number, const tap_start& what, std::uintptr_t type, std::int64_t now)
    : number_{number}, what_{clamped(what)}, type_{type}, until_{now + what_.duration.count()},
      second_since_{now} {}

void message_tap::offer(const actor_stats& actor, const caf::mailbox_element& x, std::int64_t now) {
  if (ended_.load(std::memory_order_relaxed)) return;
  caught found{{}, now};
  found.row.actor = actor.name;
  found.row.sender = sender_name(x.sender);
  found.row.answer = x.mid.is_response();
  offer(x.content(), compat::type_key(x), std::move(found));
}

void message_tap::offer(const std::string& actor, const std::string& sender, const caf::message& content,
                        std::int64_t now) {
  if (ended_.load(std::memory_order_relaxed) || content.empty()) return;
  caught found{{}, now};
  found.row.actor = actor;
  found.row.sender = sender;
  const auto type = content.content().type(0);
  const auto key = type.first != 0 ? static_cast<std::uintptr_t>(type.first) + 1
                                   : reinterpret_cast<std::uintptr_t>(type.second);
  offer(content.content(), key, std::move(found));
}

void message_tap::offer(const caf::type_erased_tuple& content, std::uintptr_t type, caught found) {
  if (type_ != 0 && type != type_) return;
  const bool by_next = what_.id == next_order;
  if (!by_next && !what_.id.empty() && !message_names(content, what_.id)) return;
  const std::lock_guard lock{guard_};
  if (due(found.at) || !why_.empty()) return;
  found.row.type = type_name_of(type);
  if (by_next && !follows(content, found)) return;
  found.row.text = message_text(content, longest_row);
  add(std::move(found));
}

/// The first decision that becomes an order is the one; its own row is shown then.
bool message_tap::follows(const caf::type_erased_tuple& content, const caught& found) {
  if (!ids_.empty())
    return std::any_of(ids_.begin(), ids_.end(), [&](const auto& id) { return message_names(content, id); });
  const auto names = names_of_order(content);
  if (!names) return false;
  if (names->client_id.empty()) {
    candidate_.emplace(std::to_string(names->decision), found);
    candidate_->second.row.text = message_text(content, longest_row);
    return false;
  }
  ids_ = {names->client_id, std::to_string(names->decision)};
  if (candidate_ && candidate_->first == ids_[1]) add(std::move(candidate_->second));
  candidate_.reset();
  return true;
}

void message_tap::add(caught found) {
  if (!why_.empty()) return;
  ++matched_;
  if (found.at - second_since_ >= second_ns) {
    second_since_ = found.at;
    in_second_ = 0;
  }
  if (in_second_ == what_.per_second) {
    ++limited_;
    return;
  }
  ++in_second_;
  found.row.sequence = ++shown_;
  if (rows_.size() == ring_size) {
    rows_.pop_front();
    ++lost_;
  }
  rows_.push_back(std::move(found));
  if (shown_ < what_.count) return;
  why_ = "count";
  ended_.store(true, std::memory_order_relaxed);
}

bool message_tap::due(std::int64_t now) {
  if (now < until_) return false;
  if (why_.empty()) why_ = "duration";
  ended_.store(true, std::memory_order_relaxed);
  return true;
}

bool message_tap::over(std::int64_t now) {
  const std::lock_guard lock{guard_};
  return due(now) || !why_.empty();
}

void message_tap::end(std::string why) {
  const std::lock_guard lock{guard_};
  if (why_.empty()) why_ = std::move(why);
  ended_.store(true, std::memory_order_relaxed);
}

tap_page message_tap::take(std::size_t limit, std::int64_t now, std::int64_t wall_minus_steady) {
  tap_page out;
  out.tap = number_;
  const std::lock_guard lock{guard_};
  (void)due(now);
  while (!rows_.empty() && out.rows.size() < limit) {
    out.rows.push_back(std::move(rows_.front().row));
    out.rows.back().at.ns = rows_.front().at + wall_minus_steady;
    rows_.pop_front();
  }
  out.matched = matched_;
  out.limited = limited_;
  out.lost = lost_;
  out.ended = !why_.empty();
  out.why = why_;
  return out;
}

// --- all taps ------------------------------------------------------------------------------------

tap_registry& tap_registry::instance() {
  // Never destroyed: handlers may run until the process ends.
  static auto* taps = new tap_registry;
  return *taps;
}

result<std::shared_ptr<message_tap>> tap_registry::start(const tap_start& what, std::int64_t now) {
  if (what.actor.empty() && what.id.empty())
    return {runtime_errc::bad_spec, "a tap needs the name of an actor or the id of an order"};
  const auto type = what.type.empty() ? 0 : message_type_key(what.type);
  if (type == 0 && !what.type.empty())
    return {runtime_errc::bad_spec, "there is no message type '" + what.type + "'"};
  const std::lock_guard change{changes_};
  sweep_now(now);
  std::shared_ptr<message_tap> made;
  std::size_t slot = 0;
  {
    const std::unique_lock lock{guard_};
    while (slot < most_taps && taps_[slot]) ++slot;
    if (slot == most_taps)
      return {runtime_errc::busy,
              std::to_string(most_taps) + " taps are open on this node already; end one first"};
    made = std::make_shared<message_tap>(++last_, what, type, now);
    taps_[slot] = made;
    // Before the actors are marked: one that is born meanwhile marks itself.
    active_.fetch_add(1, std::memory_order_seq_cst);
  }
  actor_table::instance().mark_tapped(what.actor, std::uint32_t{1} << slot, true);
  return made;
}

void tap_registry::remove(std::uint64_t number, std::string why) {
  const std::lock_guard change{changes_};
  remove_now(number, std::move(why));
}

void tap_registry::remove_now(std::uint64_t number, std::string why) {
  std::size_t slot = 0;
  {
    const std::unique_lock lock{guard_};
    while (slot < most_taps && (!taps_[slot] || taps_[slot]->number() != number)) ++slot;
    if (slot == most_taps) return;
    taps_[slot]->end(std::move(why));
    taps_[slot] = nullptr;
    active_.fetch_sub(1, std::memory_order_seq_cst);
  }
  actor_table::instance().mark_tapped({}, std::uint32_t{1} << slot, false);
}

void tap_registry::sweep(std::int64_t now) {
  const std::lock_guard change{changes_};
  sweep_now(now);
}

void tap_registry::sweep_now(std::int64_t now) {
  std::vector<std::uint64_t> over;
  {
    const std::shared_lock lock{guard_};
    for (const auto& tap : taps_)
      if (tap && tap->over(now)) over.push_back(tap->number());
  }
  for (const auto number : over) remove_now(number, {});
}

void tap_registry::handled(std::uint32_t taps, const actor_stats& actor,
                           const caf::mailbox_element& x) noexcept {
  try {
    if (compat::control_of(x) != compat::control::none) return;
    const auto now = monotonic_ns();
    const std::shared_lock lock{guard_};
    for (std::size_t slot = 0; slot < most_taps; ++slot)
      if ((taps & (std::uint32_t{1} << slot)) != 0 && taps_[slot]) taps_[slot]->offer(actor, x, now);
  } catch (...) { // out of memory: a message less is shown
  }
}

void tap_registry::noted(const std::string& actor, const std::string& sender,
                         const caf::message& content) noexcept {
  if (active_.load(std::memory_order_relaxed) == 0) return;
  try {
    const auto now = monotonic_ns();
    const std::shared_lock lock{guard_};
    for (const auto& tap : taps_)
      if (tap && (tap->actor().empty() || tap->actor() == actor || tap->actor() == sender))
        tap->offer(actor, sender, content, now);
  } catch (...) { // out of memory: a row less is shown
  }
}

std::uint32_t tap_registry::taps_of(const std::string& actor) const noexcept {
  if (active_.load(std::memory_order_seq_cst) == 0) return 0;
  std::uint32_t out = 0;
  const std::shared_lock lock{guard_};
  for (std::size_t slot = 0; slot < most_taps; ++slot)
    if (taps_[slot] && (taps_[slot]->actor().empty() || taps_[slot]->actor() == actor))
      out |= std::uint32_t{1} << slot;
  return out;
}

} // namespace troupe
