#pragma once

/// The base of every actor: an instrumented CAF actor around a class-style state, and the few
/// functions actors are written with.
///
/// ```
/// struct echo_state {
///   using handle_type = observable_actor;                  // interface from messages/actors.hpp
///   using self_pointer = actor_pointer<observable_actor>;
///   static inline const char* name = "echo";               // kind of actor
///   explicit echo_state(self_pointer self) : self_{self} {}
///   observable_actor::behavior_type make_behavior();
///   self_pointer self_;
/// };
/// auto h = spawn_actor<echo_state>(system, {.name = "echo/1"});
/// // inside an actor:
/// ask(self_, h, 250ms, status_request{}).then([](const status_report& r) { … },
///                                             [](const error& e) { … });
/// schedule(self_, 1s, [this] { … });
/// ```
/// The state is made and destroyed on the actor's own thread: it dies when the actor has ended, and
/// no callback given to ask, schedule or watch runs after that. An exception that leaves a handler
/// ends the actor with runtime_errc::handler_failed and its text.

#include "runtime/actor/actor_core.hpp"
#include "runtime/actor/compat.hpp"
#include "runtime/actor/environment.hpp"
#include "runtime/actor/pending_asks.hpp"

#include <concepts>
#include <optional>
#include <tuple>
#include <type_traits>

namespace troupe {

/// What `self` points to in the state of an actor with interface `Handle`.
template <class Handle>
using actor_base = compat::hooked<typename compat::base_of<Handle>::type, actor_core>;

template <class Handle>
using actor_pointer = actor_base<Handle>*;

/// What a handler returns: a T, an error (`to_caf(err)`), a promise, or nothing yet.
template <class T>
using reply = caf::result<T>;

/// An answer that is given later.
template <class... Ts>
using promise = caf::typed_response_promise<Ts...>;

/// Takes over the duty to answer the message being handled.
template <class T, class Self>
promise<T> make_promise(Self* self) {
  return self->template make_response_promise<promise<T>>();
}

/// Answers with an error.
template <class T>
void fail(promise<T>& answer, const error& err) {
  answer.deliver(to_caf(err));
}

// --- ask -----------------------------------------------------------------------------------------

namespace detail {

/// Accepts callbacks that take `const error&` or nothing.
template <class Callback>
auto error_callback(Callback callback) {
  return [callback = std::move(callback)](const caf::error& err) mutable {
    if constexpr (std::invocable<Callback&, const error&>)
      callback(from_caf(err));
    else
      callback();
  };
}

} // namespace detail

/// A question that has been asked; say what to do with the answer.
template <class Response>
class [[nodiscard("call .then(ok, err)")]] asked {
public:
  explicit asked(Response response) : response_{std::move(response)} {}

  /// `ok` takes the answer, `err` a `const error&`. Exactly one of them is called, once, inside
  /// the actor, unless it ends before.
  template <class Ok, class Err>
  void then(Ok ok, Err err)&& {
    response_.then(compat::answer_of<Response>::plain(std::move(ok)),
                   detail::error_callback(std::move(err)));
  }

private:
  Response response_;
};

/// Asks `dst`. Errors: timeout, node_down, receiver_down, no_receiver (empty handle),
/// too_many_asks (cap of the asking actor), and whatever the other side answers.
/// @pre timeout > 0; it runs in steady time
template <class Self, class Handle, class... Ts>
auto ask(Self* self, const Handle& dst, nanoseconds timeout, Ts&&... message) {
  using response = compat::response_of<Self, Handle, Ts...>;
  auto& core = self->core();
  if (dst && core.may_ask()) [[likely]] {
    auto r = self->request(dst, caf::infinite, std::forward<Ts>(message)...);
    core.track_ask(r.id(), caf::actor_cast<caf::actor_control_block*>(dst), timeout);
    return asked<response>{std::move(r)};
  }
  const auto id = self->new_request_id(caf::message_priority::normal).response_id();
  const auto why =
      dst ? error{runtime_errc::too_many_asks,
                  "more than " + std::to_string(core.ask_limit()) + " questions are unanswered"}
          : error{runtime_errc::no_receiver, "asked an actor that is not there"};
  compat::deliver_error(caf::strong_actor_ptr{self->ctrl()}, id, to_caf(why));
  return asked<response>{response{id, self}};
}

// --- tell ----------------------------------------------------------------------------------------

namespace detail {

template <class Self, class Handle, class... Ts>
bool tell_with(Self* self, const Handle& dst, caf::message_priority priority, Ts&&... message) {
  using reception = compat::reception<Handle, Ts...>;
  static_assert(reception::accepted, "the receiver's interface has no handler for this message");
  if (!dst) return false;
  // Where the handler answers, the answer is not wanted: without a sender CAF drops it.
  compat::send_from(*self, caf::actor_cast<caf::strong_actor_ptr>(dst), priority,
                    !reception::answers, std::forward<Ts>(message)...);
  return true;
}

} // namespace detail

/// Sends without waiting for anything. False when the handle is empty. `dst` may be a typed
/// handle (checked), a `caf::actor` or a `caf::strong_actor_ptr`. An answer is dropped.
template <class Self, class Handle, class... Ts>
bool tell(Self* self, const Handle& dst, Ts&&... message) {
  return detail::tell_with(self, dst, caf::message_priority::normal, std::forward<Ts>(message)...);
}

/// Like `tell`, on the control lane: handled before ordinary messages.
template <class Self, class Handle, class... Ts>
bool tell_urgent(Self* self, const Handle& dst, Ts&&... message) {
  return detail::tell_with(self, dst, caf::message_priority::high, std::forward<Ts>(message)...);
}

/// Sends from outside any actor, from any thread.
template <class Handle, class... Ts>
bool tell_anonymously(const Handle& dst, Ts&&... message) {
  if (!dst) return false;
  caf::anon_send(dst, std::forward<Ts>(message)...);
  return true;
}

// --- schedule ------------------------------------------------------------------------------------

/// Calls back inside the actor after `delay` of steady time. Dies with the actor.
template <class Self>
timer_token schedule(Self* self, nanoseconds delay, std::function<void()> callback) {
  return self->core().schedule(delay, std::move(callback));
}

/// Cancels a scheduled callback. False when it has run or was cancelled before.
template <class Self>
bool cancel(Self* self, timer_token token) {
  return self->core().cancel(token);
}

// --- watch ---------------------------------------------------------------------------------------

/// Calls back inside the actor once, when `whom` has ended or its node is lost. The reason has no
/// code when it ended normally. Watching what is dead already calls back soon.
template <class Self, class Handle>
watch_token watch(Self* self, const Handle& whom, std::function<void(const error&)> callback) {
  return self->core().watch(caf::actor_cast<caf::strong_actor_ptr>(whom), std::move(callback));
}

template <class Self>
bool unwatch(Self* self, watch_token token) {
  return self->core().unwatch(token);
}

// --- settings ------------------------------------------------------------------------------------

/// Makes a value of the actor changeable while it runs (`troupe actor set`); from its constructor.
template <class Self>
void declare_setting(Self* self, hot_setting setting) {
  self->core().declare(std::move(setting));
}

// --- ending --------------------------------------------------------------------------------------

/// Ends the actor in order after the handler that runs; a transient child is not restarted.
template <class Self>
void stop(Self* self) {
  self->quit();
}

/// Ends the actor with an error after the handler that runs.
template <class Self>
void stop(Self* self, const error& why) {
  self->quit(to_caf(why));
}

/// Orders another actor to stop (it may still finish what is in hand). From any thread.
template <class Handle>
void send_shutdown(const Handle& dst) {
  caf::anon_send_exit(dst, caf::exit_reason::user_shutdown);
}

/// Ends another actor as soon as its running handler returns. From any thread.
template <class Handle>
void send_kill(const Handle& dst) {
  caf::anon_send_exit(dst, caf::exit_reason::kill);
}

// --- spawning ------------------------------------------------------------------------------------

/// The CAF actor around a state. Use `spawn_actor`.
template <class State, class... Args>
class actor_shell final : public actor_base<typename State::handle_type> {
public:
  using super = actor_base<typename State::handle_type>;
  using behavior_type = typename compat::base_of<typename State::handle_type>::behavior;

  actor_shell(caf::actor_config& config, actor_core::start_info start, Args... args)
      : super(config, start), args_{std::in_place, std::move(args)...} {}

  void on_exit() override {
    state_.reset();
    args_.reset();
    super::on_exit();
  }

protected:
  behavior_type make_behavior() override {
    std::apply(
        [this](auto&... args) { state_.emplace(static_cast<super*>(this), std::move(args)...); },
        *args_);
    args_.reset();
    return state_->make_behavior();
  }

private:
  std::optional<State> state_;
  std::optional<std::tuple<Args...>> args_;
};

namespace detail {

template <class State>
actor_core::start_info start_info_of(spawn_options options) {
  if (options.name.empty()) options.name = State::name;
  return {std::move(options), State::name, {}};
}

template <class State, class Spawner, class... Args>
typename State::handle_type spawn_with(Spawner& spawner, actor_core::start_info start,
                                       Args&&... args) {
  using shell = actor_shell<State, std::decay_t<Args>...>;
  if (start.options.detached)
    return spawner.template spawn<shell, caf::detached>(std::move(start),
                                                        std::forward<Args>(args)...);
  return spawner.template spawn<shell>(std::move(start), std::forward<Args>(args)...);
}

} // namespace detail

/// Starts an actor without a parent. The state is constructed as `State(self, args...)` on the
/// actor's thread; an exception there ends the actor. Keep the handle: an actor nobody refers to
/// ends.
template <class State, class... Args>
typename State::handle_type spawn_actor(caf::actor_system& system, spawn_options options,
                                        Args&&... args) {
  return detail::spawn_with<State>(system, detail::start_info_of<State>(std::move(options)),
                                   std::forward<Args>(args)...);
}

/// Starts an actor as a child of `parent`: it ends when the parent ends (unless told otherwise).
template <class State, class Base, class... Args>
typename State::handle_type spawn_actor(compat::hooked<Base, actor_core>* parent,
                                        spawn_options options, Args&&... args) {
  auto start = detail::start_info_of<State>(std::move(options));
  if (start.options.parent.empty()) start.options.parent = parent->core().name();
  start.parent = parent->address();
  return detail::spawn_with<State>(*parent, std::move(start), std::forward<Args>(args)...);
}

} // namespace troupe
