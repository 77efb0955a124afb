#pragma once

/// An actor system with clocks, names and a directory of its own, for tests of actors that run LibTorch.

#include "messages/type_ids.hpp"
#include "messages/actors.hpp"
#include "runtime/actor/actor_base.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace troupe::testing {

struct registered_config : caf::actor_system_config {
  registered_config() { register_message_types(*this); }
};

class actor_world {
public:
  actor_world() {
    log::set_least(log::severity::error);
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-models-XXXXXX").string();
    if (const char* made = mkdtemp(pattern.data())) folder = made;
    env = {&market, &steady, &names, 1};
  }
  ~actor_world() {
    names.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  /// Makes the actor known under its name, as a further start of it.
  template <class Handle>
  void name(const std::string& as, const Handle& handle) {
    names.put(as, {caf::actor_cast<caf::strong_actor_ptr>(handle), {}, ++incarnation_});
  }

  /// Asks and waits for the answer.
  template <class Answer, class Handle, class Message>
  result<Answer> ask_now(const Handle& whom, Message message,
                         std::chrono::seconds timeout = std::chrono::seconds{20}) {
    caf::scoped_actor self{system};
    result<Answer> out = error{make_error_code(runtime_errc::timeout), "no answer"};
    self->request(whom, timeout, std::move(message))
        .receive([&](Answer& answer) { out = std::move(answer); },
                 [&](caf::error& err) { out = from_caf(err); });
    return out;
  }

  /// Asks for the status until `enough` accepts it or the time is over. Returns whether it did.
  template <class Handle, class Enough>
  bool wait_status(const Handle& whom, Enough enough,
                   std::chrono::seconds timeout = std::chrono::seconds{60}) {
    const auto end = steady.now() + timeout;
    while (steady.now() < end) {
      const auto report = ask_now<status_report>(whom, status_request{});
      if (report && enough(report->json)) return true;
    }
    return false;
  }

  /// Kills an actor and waits until it is gone.
  template <class Handle>
  void kill(Handle& whom) {
    caf::scoped_actor self{system};
    self->monitor(whom);
    send_kill(whom);
    self->receive([](caf::down_msg&) {});
    whom = Handle{};
  }

  registered_config config;
  monotonic_clock steady;
  manual_market_clock market{{1'700'000'000'000'000'000}};
  directory names;
  std::filesystem::path folder;
  actor_environment env;
  caf::actor_system system{config};

private:
  std::uint64_t incarnation_ = 0;
};

/// A field of a JSON object as text; whole numbers and texts only.
inline std::string field_of(const std::string& json, const char* key) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element value;
  if (parser.parse(simdjson::padded_string(json)).get(root) || root.at_key(key).get(value)) return {};
  std::string_view text;
  if (!value.get(text)) return std::string{text};
  std::int64_t number = 0;
  if (!value.get(number)) return std::to_string(number);
  double real = 0;
  if (!value.get(real)) return std::to_string(real);
  bool yes = false;
  if (!value.get(yes)) return yes ? "true" : "false";
  return {};
}

inline std::uint64_t number_of(const std::string& json, const char* key) {
  const auto text = field_of(json, key);
  return text.empty() ? 0 : std::strtoull(text.c_str(), nullptr, 10);
}

} // namespace troupe::testing
