#include "runtime/actor/errc.hpp"

#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

#include <map>
#include <mutex>

namespace troupe {
namespace {

class runtime_category final : public std::error_category {
  const char* name() const noexcept override { return "runtime"; }
  std::string message(int value) const override {
    switch (static_cast<runtime_errc>(value)) {
    case runtime_errc::timeout:
      return "no answer in time";
    case runtime_errc::node_down:
      return "node is down";
    case runtime_errc::receiver_down:
      return "receiver has exited";
    case runtime_errc::no_receiver:
      return "no receiver";
    case runtime_errc::too_many_asks:
      return "too many unanswered questions";
    case runtime_errc::handler_failed:
      return "message handler failed";
    case runtime_errc::unexpected_message:
      return "no handler for this message";
    case runtime_errc::suspended:
      return "actor is suspended";
    case runtime_errc::shutdown:
      return "shut down";
    case runtime_errc::killed:
      return "killed";
    case runtime_errc::unreachable:
      return "unreferenced";
    case runtime_errc::restart_intensity:
      return "too many restarts";
    case runtime_errc::start_failed:
      return "child did not start";
    case runtime_errc::stuck:
      return "does not end although killed";
    case runtime_errc::not_found:
      return "not found";
    case runtime_errc::already_started:
      return "already started";
    case runtime_errc::already_present:
      return "already present";
    case runtime_errc::still_running:
      return "still running";
    case runtime_errc::restarting:
      return "restarting";
    case runtime_errc::bad_spec:
      return "faulty specification";
    case runtime_errc::busy:
      return "busy";
    case runtime_errc::remote_error:
      return "error of another node";
    }
    return "unknown";
  }
};

constexpr auto error_atom = caf::atom("troupe");

struct category_registry {
  std::mutex guard;
  std::map<std::string, const std::error_category*, std::less<>> by_name;
};

category_registry& categories() {
  static category_registry registry;
  return registry;
}

const std::error_category* find_category(const std::string& name) {
  auto& registry = categories();
  const std::lock_guard lock{registry.guard};
  const auto i = registry.by_name.find(name);
  return i == registry.by_name.end() ? nullptr : i->second;
}

error from_own(const caf::error& err) {
  const auto& context = err.context();
  if (!context.match_elements<std::string, int, std::string>())
    return {runtime_errc::remote_error, to_string(err)};
  const auto& name = context.get_as<std::string>(0);
  const auto value = context.get_as<int>(1);
  const auto& text = context.get_as<std::string>(2);
  if (const auto* category = find_category(name)) return {std::error_code{value, *category}, text};
  return {runtime_errc::remote_error, text + " (" + name + " " + std::to_string(value) + ")"};
}

runtime_errc code_of_exit(caf::exit_reason reason) {
  switch (reason) {
  case caf::exit_reason::user_shutdown:
    return runtime_errc::shutdown;
  case caf::exit_reason::kill:
    return runtime_errc::killed;
  case caf::exit_reason::remote_link_unreachable:
    return runtime_errc::node_down;
  case caf::exit_reason::unreachable:
    return runtime_errc::unreachable;
  case caf::exit_reason::unhandled_exception:
    return runtime_errc::handler_failed;
  default:
    return runtime_errc::receiver_down;
  }
}

runtime_errc code_of_system(caf::sec reason) {
  switch (reason) {
  case caf::sec::request_timeout:
    return runtime_errc::timeout;
  case caf::sec::request_receiver_down:
    return runtime_errc::receiver_down;
  case caf::sec::unexpected_message:
    return runtime_errc::unexpected_message;
  case caf::sec::invalid_argument:
    return runtime_errc::no_receiver;
  case caf::sec::runtime_error:
    return runtime_errc::handler_failed;
  case caf::sec::remote_linking_failed:
    return runtime_errc::node_down;
  default:
    return runtime_errc::remote_error;
  }
}

} // namespace

std::error_code make_error_code(runtime_errc code) noexcept {
  static const runtime_category category;
  return {static_cast<int>(code), category};
}

void register_error_category(const std::error_category& category) {
  auto& registry = categories();
  const std::lock_guard lock{registry.guard};
  registry.by_name.emplace(category.name(), &category);
}

caf::error to_caf(const error& err) {
  if (!err.code && err.text.empty()) return {};
  register_error_category(err.code.category());
  // CAF's code is 8 bits and must not be zero; the full value travels in the context.
  const auto small = static_cast<std::uint8_t>(err.code.value() & 0xff);
  return {small == 0 ? std::uint8_t{1} : small, error_atom,
          caf::make_message(std::string{err.code.category().name()}, err.code.value(), err.text)};
}

error from_caf(const caf::error& err) {
  if (!err) return {};
  if (err.category() == error_atom) {
    register_error_category(make_error_code(runtime_errc::timeout).category());
    return from_own(err);
  }
  if (err.category() == caf::atom("exit"))
    return {code_of_exit(static_cast<caf::exit_reason>(err.code())), to_string(err)};
  if (err.category() == caf::atom("system"))
    return {code_of_system(static_cast<caf::sec>(err.code())), to_string(err)};
  return {runtime_errc::remote_error, to_string(err)};
}

} // namespace troupe
