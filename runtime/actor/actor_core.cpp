#include "runtime/actor/actor_core.hpp"

#include "runtime/actor/message_tap.hpp"
#include "runtime/actor/pending_asks.hpp"
#include "runtime/actor/timeline.hpp"
#include "runtime/clock.hpp"

#include <algorithm>
#include <ctime>

namespace troupe {
namespace {

/// Steady time good to a few milliseconds at a fraction of the cost: enough for a message's age.
std::int64_t coarse_ns() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

/// One writer: add without a locked instruction.
void bump(std::atomic<std::uint64_t>& counter) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// Makes room for the next sample when the sampled message has been handled.
void close_sample(actor_stats& stats) noexcept {
  const auto sampled = stats.sample_at.load(std::memory_order_relaxed);
  if (sampled != 0 && stats.consumed.load(std::memory_order_relaxed) >= sampled)
    stats.sample_at.store(0, std::memory_order_relaxed);
}

/// A handler that ran for longer is a row of the time line.
constexpr std::int64_t long_handler_ns = 1'000'000;

constexpr auto later = [](const auto& a, const auto& b) { return a.due > b.due; };

} // namespace

// --- start and end -------------------------------------------------------------------------------

actor_core::actor_core(caf::scheduled_actor& self, const start_info& start)
    : self_{self}, options_{start.options}, parent_{start.parent},
      stats_{std::make_shared<actor_stats>()} {
  stats_->name = options_.name;
  stats_->parent = options_.parent;
  stats_->kind = start.kind;
  stats_->id = self.id();
  stats_->restarts = options_.restarts;
  stats_->address = self.address();
  stats_->spawned_ns = monotonic_ns();
  stats_->detached = options_.detached;
  self.set_default_handler(
      [this](caf::scheduled_actor* actor, caf::message_view&) -> caf::result<caf::message> {
        bump(stats_->unexpected);
        // Whoever asked is told; whoever only sent must not be hit by an error it can't place.
        compat::hide_sender_of_statement(*actor);
        return caf::sec::unexpected_message;
      });
  self.set_exception_handler([this](caf::scheduled_actor*, std::exception_ptr& x) {
    caf::error out;
    failed(x, out);
    return out;
  });
  // An error that comes as a message of its own, such as the answer to a `tell`: no reason to end.
  self.set_error_handler([this](caf::scheduled_actor*, caf::error& err) {
    bump(stats_->errors);
    stats_->set_last_error(from_caf(err).message());
  });
  self.set_down_handler([this](caf::scheduled_actor*, caf::down_msg& x) { down(x); });
  actor_table::instance().add(stats_);
}

actor_core::~actor_core() {
  actor_table::instance().remove(*stats_);
}

bool actor_core::alive() const noexcept {
  return self_.alive();
}

std::int64_t actor_core::now() const {
  return std::chrono::duration_cast<nanoseconds>(self_.clock().now().time_since_epoch()).count();
}

void actor_core::started() {
  if (!parent_ || !options_.watch_parent) return;
  const auto parent = caf::actor_cast<caf::strong_actor_ptr>(parent_);
  auto end = [this](const error&) { self_.quit(caf::exit_reason::user_shutdown); };
  if (parent)
    watch(parent, end);
  else
    schedule(nanoseconds{0}, [end] { end({}); });
}

void actor_core::finished(const caf::error& reason) {
  const auto why = reason ? from_caf(reason).message() : std::string{};
  if (reason && stats_->last_error().empty()) stats_->set_last_error(why);
  timeline::instance().add(timeline_event::exit, stats_->name, why);
  for (auto& order : stats_->take_setting_orders())
    order.answer({runtime_errc::receiver_down, stats_->name + " has ended"});
  for (auto& entry : asks_) {
    if (!entry.open || !entry.remote) continue;
    pending_asks::instance().remove(entry.node, self_.ctrl(), entry.response);
  }
  asks_.clear();
  asks_open_ = 0;
  timers_.clear();
  callbacks_.clear();
  watches_.clear();
  for (auto& element : std::exchange(parked_, {}))
    compat::answer_error(element->sender, element->mid, caf::sec::request_receiver_down);
  actor_table::instance().remove(*stats_);
}

void actor_core::failed(std::exception_ptr& x, caf::error& out) {
  const auto type = type_name_of(stats_->handler_type.load(std::memory_order_relaxed));
  std::string what;
  try {
    std::rethrow_exception(x);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "exception of an unknown type";
  }
  bump(stats_->errors);
  const error err{runtime_errc::handler_failed,
                  stats_->name + ": handler of " + type + ": " + what};
  stats_->set_last_error(err.message());
  out = to_caf(err);
}

// --- counting ------------------------------------------------------------------------------------

void actor_core::enqueued() noexcept {
  auto& stats = *stats_;
  const auto number = stats.enqueued.fetch_add(1, std::memory_order_relaxed) + 1;
  // One waiting message at a time is sampled; reading the clock for each would cost too much.
  if (stats.sample_at.load(std::memory_order_relaxed) != 0) return;
  std::uint64_t none = 0;
  if (!stats.sample_at.compare_exchange_strong(none, number, std::memory_order_relaxed)) return;
  stats.sample_ns.store(coarse_ns(), std::memory_order_relaxed);
}

void actor_core::resumed() noexcept {
  stats_->handler_ended = 0;
  close_sample(*stats_);
}

actor_core::handler_scope::handler_scope(actor_core& core, const caf::mailbox_element& x) noexcept
    : stats_{*core.stats_}, type_{compat::type_key(x)},
      // Back to back, the end of one handler is the start of the next: one look at the clock each.
      since_{stats_.handler_ended != 0 ? stats_.handler_ended : monotonic_ns()} {
  stats_.handler_type.store(type_, std::memory_order_relaxed);
  stats_.handler_since.store(since_, std::memory_order_release);
  if (const auto taps = stats_.taps.load(std::memory_order_relaxed); taps != 0) [[unlikely]]
    tap_registry::instance().handled(taps, stats_, x);
}

actor_core::handler_scope::~handler_scope() {
  stats_.handler_since.store(0, std::memory_order_release);
  if (skipped_) return;
  const auto end = monotonic_ns();
  stats_.handler_ended = end;
  const auto number = stats_.consumed.load(std::memory_order_relaxed) + 1;
  stats_.consumed.store(number, std::memory_order_relaxed);
  stats_.types.add(type_, end - since_);
  if (end - since_ > long_handler_ns) [[unlikely]]
    timeline::instance().add_handler(stats_.name, type_, since_, end - since_);
  // The senders' cache line is touched now and then only.
  if (number % 16 == 0) close_sample(stats_);
}

// --- suspension ----------------------------------------------------------------------------------

bool actor_core::park(caf::mailbox_element& x) {
  if (!compat::is_ordinary(x)) return false;
  if (parked_.size() < options_.parking_places) {
    parked_.push_back(compat::take(x));
    stats_->parked.store(parked_.size(), std::memory_order_relaxed);
    return true;
  }
  bump(stats_->refused);
  compat::answer_error(
      x.sender, x.mid,
      to_caf({runtime_errc::suspended, stats_->name + " is suspended and holds "
                                           + std::to_string(parked_.size()) + " messages"}));
  return true;
}

// --- asks ----------------------------------------------------------------------------------------

void actor_core::track_ask(caf::message_id response, const caf::actor_control_block* dst,
                           nanoseconds timeout) {
  const auto at = now();
  ask_entry entry{compat::request_number(response),
                  response,
                  true,
                  dst->nid != self_.node(),
                  dst->aid,
                  {},
                  at + timeout.count(),
                  timeout.count()};
  if (entry.remote) {
    entry.node = dst->nid;
    pending_asks::instance().add(entry.node, self_.ctrl(), response);
  }
  push_timer({entry.deadline, entry.number << 1});
  asks_.push_back(std::move(entry));
  ++asks_open_;
  stats_->asks_in_flight.store(asks_open_, std::memory_order_relaxed);
}

actor_core::ask_entry* actor_core::find_ask(std::uint64_t number) {
  if (!asks_.empty() && asks_.front().number == number) return &asks_.front();
  const auto i = std::lower_bound(asks_.begin(), asks_.end(), number,
                                  [](const ask_entry& e, std::uint64_t n) { return e.number < n; });
  return i != asks_.end() && i->number == number && i->open ? &*i : nullptr;
}

void actor_core::close_ask(ask_entry& entry) {
  if (!entry.open) return;
  entry.open = false;
  if (entry.remote) pending_asks::instance().remove(entry.node, self_.ctrl(), entry.response);
  --asks_open_;
  stats_->asks_in_flight.store(asks_open_, std::memory_order_relaxed);
  while (!asks_.empty() && !asks_.front().open)
    asks_.pop_front();
}

void actor_core::answered(caf::message_id response) {
  auto* entry = find_ask(compat::request_number(response));
  if (!entry) return;
  close_ask(*entry);
  ++stale_timers_;
  if (stale_timers_ > 64 && stale_timers_ > timers_.size() / 2) compact_timers();
}

caf::mailbox_element_ptr actor_core::timeout_of(std::uint64_t number) {
  auto* entry = find_ask(number >> 1);
  if (!entry) return nullptr;
  const auto response = entry->response;
  std::string whom = entry->remote ? std::string{} : actor_table::instance().name_of(entry->dst);
  if (whom.empty()) whom = "actor " + std::to_string(entry->dst);
  if (entry->remote) whom += " of another node";
  const auto milliseconds = std::to_string(entry->timeout / 1'000'000);
  close_ask(*entry);
  return caf::make_mailbox_element(
      nullptr, response, {},
      to_caf(
          {runtime_errc::timeout, "no answer from " + whom + " within " + milliseconds + " ms"}));
}

// --- timers --------------------------------------------------------------------------------------

void actor_core::push_timer(timer_entry entry) {
  timers_.push_back(entry);
  std::push_heap(timers_.begin(), timers_.end(), later);
  arm();
}

void actor_core::arm() {
  if (timers_.empty()) return;
  const auto due = timers_.front().due;
  // CAF's clock can't be told to forget, so as few wake-ups as possible are under way.
  if (!wakes_.empty() && wakes_.back() <= due) return;
  wakes_.push_back(due);
  compat::wake_at(self_, caf::actor_clock::time_point{nanoseconds{due}});
}

void actor_core::woke(std::int64_t at) {
  while (!wakes_.empty() && wakes_.back() <= at)
    wakes_.pop_back();
}

bool actor_core::next_due(std::int64_t at, timer_entry& out) {
  if (timers_.empty() || timers_.front().due > at) return false;
  std::pop_heap(timers_.begin(), timers_.end(), later);
  out = timers_.back();
  timers_.pop_back();
  return true;
}

void actor_core::compact_timers() {
  std::erase_if(timers_, [this](const timer_entry& e) {
    return (e.number & 1) ? !callbacks_.contains(e.number) : find_ask(e.number >> 1) == nullptr;
  });
  std::make_heap(timers_.begin(), timers_.end(), later);
  stale_timers_ = 0;
}

timer_token actor_core::schedule(nanoseconds delay, std::function<void()> callback) {
  const auto number = last_timer_;
  last_timer_ += 2;
  callbacks_.emplace(number, std::move(callback));
  push_timer({now() + std::max<std::int64_t>(delay.count(), 0), number});
  return {number};
}

bool actor_core::cancel(timer_token token) {
  if (callbacks_.erase(token.value) == 0) return false;
  ++stale_timers_;
  if (stale_timers_ > 64 && stale_timers_ > timers_.size() / 2) compact_timers();
  return true;
}

std::function<void()> actor_core::take_callback(std::uint64_t number) {
  const auto i = callbacks_.find(number);
  if (i == callbacks_.end()) return {};
  auto callback = std::move(i->second);
  callbacks_.erase(i);
  return callback;
}

// --- watches -------------------------------------------------------------------------------------

watch_token actor_core::watch(const caf::strong_actor_ptr& whom,
                              std::function<void(const error&)> callback) {
  const auto token = ++last_watch_;
  if (!whom) {
    schedule(nanoseconds{0}, [callback = std::move(callback)] {
      callback({runtime_errc::no_receiver, "watched an actor that is not there"});
    });
    return {token};
  }
  const auto address = caf::actor_cast<caf::actor_addr>(whom);
  const auto known = std::any_of(watches_.begin(), watches_.end(),
                                 [&](const auto& entry) { return entry.second.whom == address; });
  if (!known) stats_->note_watch(whom->aid, whom->nid != self_.node(), true);
  watches_.emplace(token, watch_entry{address, std::move(callback)});
  // A monitor more than one would only mean more down messages.
  if (!known) self_.monitor(whom);
  return {token};
}

bool actor_core::unwatch(watch_token token) {
  const auto i = watches_.find(token.value);
  if (i == watches_.end()) return false;
  const auto address = i->second.whom;
  watches_.erase(i);
  const auto others = std::any_of(watches_.begin(), watches_.end(),
                                  [&](const auto& entry) { return entry.second.whom == address; });
  if (others) return true;
  self_.demonitor(address);
  stats_->note_watch(address.id(), address.node() != self_.node(), false);
  return true;
}

void actor_core::down(caf::down_msg& x) {
  std::vector<std::function<void(const error&)>> callbacks;
  for (auto i = watches_.begin(); i != watches_.end();) {
    if (i->second.whom != x.source) {
      ++i;
      continue;
    }
    callbacks.push_back(std::move(i->second.callback));
    i = watches_.erase(i);
  }
  if (x.source) stats_->note_watch(x.source.id(), x.source.node() != self_.node(), false);
  const auto reason = from_caf(x.reason);
  for (const auto& callback : callbacks)
    if (alive()) callback(reason);
}

// --- settings ------------------------------------------------------------------------------------

void actor_core::declare(hot_setting setting) {
  std::erase_if(settings_, [&](const hot_setting& s) { return s.key == setting.key; });
  settings_.push_back(std::move(setting));
  show_settings();
}

void actor_core::show_settings() {
  std::vector<setting_view> shown;
  for (const auto& s : settings_)
    shown.push_back({s.key, s.read(), s.allowed, s.meaning});
  stats_->show_settings(std::move(shown));
}

void actor_core::apply_settings() {
  for (auto& order : stats_->take_setting_orders()) {
    const auto i = std::find_if(settings_.begin(), settings_.end(),
                                [&](const hot_setting& s) { return s.key == order.key; });
    status done = ok;
    if (i == settings_.end())
      done = error{runtime_errc::not_found, stats_->name + " has no setting '" + order.key + "'"};
    else
      done = i->set(order.value);
    show_settings();
    order.answer(done ? error{} : done.error());
  }
}

} // namespace troupe
