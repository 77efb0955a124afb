#pragma once

/// The one file (beside the headers of messages/) that names parts of CAF that differ between
/// versions. Written for 0.17.6; an upgrade to 1.x touches this file and the field-list macro.

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/result.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <typeinfo>
#include <utility>

namespace troupe::compat {

/// The base class behind an actor handle: what `self` derives from.
template <class Handle>
struct base_of;

template <class... Signatures>
struct base_of<caf::typed_actor<Signatures...>> {
  using type = caf::typed_event_based_actor<Signatures...>;
  using behavior = typename caf::typed_actor<Signatures...>::behavior_type;
};

template <>
struct base_of<caf::actor> {
  using type = caf::event_based_actor;
  using behavior = caf::behavior;
};

/// Control messages of ours to an actor itself; never seen by handlers.
enum class control : std::uint8_t { none, wake, go_on, settings };

inline constexpr auto wake_atom = caf::atom("tr_wake");
inline constexpr auto go_on_atom = caf::atom("tr_go_on");
inline constexpr auto settings_atom = caf::atom("tr_set");

/// Tells our own control messages from others. Costs one virtual call for ordinary messages.
inline control control_of(const caf::mailbox_element& x) {
  const auto& content = x.content();
  if (content.type_token() != caf::make_type_token<caf::timeout_msg>()) return control::none;
  const auto type = content.get_as<caf::timeout_msg>(0).type;
  if (type == wake_atom) return control::wake;
  if (type == settings_atom) return control::settings;
  return type == go_on_atom ? control::go_on : control::none;
}

/// A key of the message's first element type: its number in CAF's table, else its type_info.
inline std::uintptr_t type_key(const caf::mailbox_element& x) noexcept {
  const auto& content = x.content();
  if (content.size() == 0) return 1;
  const auto type = content.type(0);
  return type.first != 0 ? static_cast<std::uintptr_t>(type.first) + 1
                         : reinterpret_cast<std::uintptr_t>(type.second);
}

/// Answers, control, exit and down messages: never parked.
inline bool is_ordinary(const caf::mailbox_element& x) {
  if (x.mid.is_response() || x.mid.is_urgent_message()) return false;
  const auto token = x.content().type_token();
  return token != caf::make_type_token<caf::exit_msg>()
         && token != caf::make_type_token<caf::down_msg>()
         && token != caf::make_type_token<caf::timeout_msg>();
}

/// Moves a message out of the mailbox element it came in, to be handled later.
inline caf::mailbox_element_ptr take(caf::mailbox_element& x) {
  return caf::make_mailbox_element(std::move(x.sender), x.mid, std::move(x.stages),
                                   x.move_content_to_message());
}

/// Wakes an actor at `when` of its system's clock; high priority. Not cancellable in 0.17.
inline void wake_at(caf::scheduled_actor& self, caf::actor_clock::time_point when) {
  auto wake = caf::make_mailbox_element(nullptr, caf::make_message_id(caf::message_priority::high),
                                        {}, caf::timeout_msg{wake_atom, 0});
  if (when <= self.clock().now())
    self.enqueue(std::move(wake), self.context());
  else
    self.clock().schedule_message(when, caf::strong_actor_ptr{self.ctrl()}, std::move(wake));
}

/// Tells an actor to handle what it parked while suspended; from any thread.
inline void send_go_on(const caf::strong_actor_ptr& dst) {
  dst->get()->eq_impl(caf::make_message_id(caf::message_priority::high), nullptr, nullptr,
                      caf::timeout_msg{go_on_atom, 0});
}

/// Tells an actor to take the orders for its settings; from any thread.
inline void send_settings(const caf::strong_actor_ptr& dst) {
  dst->get()->eq_impl(caf::make_message_id(caf::message_priority::high), nullptr, nullptr,
                      caf::timeout_msg{settings_atom, 0});
}

/// Name of a local actor, which lives as long as the handle; empty for one of another node.
inline std::string local_name(const caf::strong_actor_ptr& who) {
  const auto* local = who ? dynamic_cast<const caf::local_actor*>(who->get()) : nullptr;
  return local ? local->name() : std::string{};
}

/// Tells an actor to end, ahead of its ordinary messages. `kill` ends it whatever its exit handler
/// says.
inline void send_exit_urgent(caf::local_actor& self, const caf::strong_actor_ptr& dst,
                             caf::exit_reason reason) {
  if (dst)
    dst->get()->eq_impl(caf::make_message_id(caf::message_priority::high), self.ctrl(),
                        self.context(), caf::exit_msg{self.address(), reason});
}

/// Drops the answer to the message being handled unless it is a request.
inline void hide_sender_of_statement(caf::scheduled_actor& self) {
  auto* x = self.current_mailbox_element();
  if (x && !x->mid.is_request()) x->sender = nullptr;
}

/// Answers a request with an error; nothing for other messages. From any thread.
inline void answer_error(const caf::strong_actor_ptr& sender, caf::message_id mid, caf::error err) {
  if (sender && mid.is_request() && !mid.is_answered())
    sender->get()->eq_impl(mid.response_id(), nullptr, nullptr, std::move(err));
}

/// Puts an error answer to request `response` into an actor's mailbox. From any thread.
inline void deliver_error(const caf::strong_actor_ptr& dst, caf::message_id response,
                          caf::error err) {
  dst->get()->eq_impl(response, nullptr, nullptr, std::move(err));
}

/// The number of a request, equal in the request and in its answer and growing per actor.
inline std::uint64_t request_number(caf::message_id mid) noexcept {
  return mid.request_id().integer_value();
}

/// What `self->request(...)` returns for these arguments.
template <class Self, class Handle, class... Ts>
using response_of = decltype(std::declval<Self&>().request(std::declval<const Handle&>(),
                                                           caf::infinite, std::declval<Ts>()...));

/// Sends a message from `self`; `with_sender` false hides who sent it, so that no answer comes
/// back.
template <class... Ts>
void send_from(caf::local_actor& self, const caf::strong_actor_ptr& dst,
               caf::message_priority priority, bool with_sender, Ts&&... xs) {
  dst->get()->eq_impl(caf::make_message_id(priority), with_sender ? self.ctrl() : nullptr,
                      self.context(), std::forward<Ts>(xs)...);
}

/// Whether an actor behind `Handle` understands a message of these types, and whether it answers.
template <class Handle, class... Ts>
struct reception {
  static constexpr bool accepted = true;
  static constexpr bool answers = false;
};

template <class... Signatures, class... Ts>
struct reception<caf::typed_actor<Signatures...>, Ts...> {
  using token = caf::detail::type_list<caf::detail::implicit_conversions_t<std::decay_t<Ts>>...>;
  using handle = caf::typed_actor<Signatures...>;
  static constexpr bool accepted =
      caf::response_type_unbox<caf::signatures_of_t<handle>, token>::valid;
  static constexpr bool answers = [] {
    if constexpr (accepted)
      return !std::is_same_v<caf::response_type_unbox_t<caf::signatures_of_t<handle>, token>,
                             caf::detail::type_list<void>>;
    else
      return false;
  }();
};

/// The message types of an answer.
template <class Response>
struct answer_of;

template <class Self, class... Ts>
requires(sizeof...(Ts) > 0 && !(std::is_void_v<Ts> || ...)) struct answer_of<
    caf::response_handle<Self, caf::detail::type_list<Ts...>, false>> {
  /// CAF 0.17 can't take generic callables: gives one plain parameter types.
  template <class Callback>
  static auto plain(Callback callback) {
    if constexpr (requires { &Callback::operator(); })
      return callback;
    else
      return [callback = std::move(callback)](const Ts&... xs) mutable { callback(xs...); };
  }
};

template <class Self, class Output>
struct answer_of<caf::response_handle<Self, Output, false>> {
  template <class Callback>
  static auto plain(Callback callback) {
    return callback;
  }
};

/// Connects a CAF actor class with hooks of ours without knowing what they do.
///
/// `Core` provides: `enqueued()`, `resumed()`, `handler_scope`, `intercept(control, element,
/// consume)`, `started()`, `finished(reason)`. It is constructed with the actor and `start`.
template <class Base, class Core>
class hooked : public Base {
public:
  template <class Start>
  hooked(caf::actor_config& config, const Start& start) : Base(config), core_{*this, start} {}

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr x, caf::execution_unit* unit) override {
    core_.enqueued();
    Base::enqueue(std::move(x), unit);
  }

  using Base::consume;
  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    typename Core::handler_scope scope{core_, x};
    const auto control = control_of(x);
    if (core_.intercept(control, x, [this](caf::mailbox_element& y) { Base::consume(y); })) {
      scope.done();
      return caf::invoke_message_result::consumed;
    }
    const auto outcome = Base::consume(x);
    if (outcome == caf::invoke_message_result::skipped)
      scope.skipped();
    else
      scope.done();
    return outcome;
  }

  caf::resumable::resume_result resume(caf::execution_unit* unit, std::size_t most) override {
    core_.resumed();
    return Base::resume(unit, most);
  }

  void initialize() override {
    core_.started();
    Base::initialize();
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    core_.finished(reason);
    return Base::cleanup(std::move(reason), host);
  }

  const char* name() const override { return core_.name(); }

  Core& core() noexcept { return core_; }

private:
  Core core_;
};

} // namespace troupe::compat
