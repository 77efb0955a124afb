#include "runtime/cluster/node_runtime.hpp"

#include "runtime/clock.hpp"
#include "runtime/cluster/rolling_mark.hpp"
#include "runtime/cluster/small_file.hpp"
#include "runtime/cluster/tcp_probe.hpp"
#include "runtime/log.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace troupe {
namespace {

/// The middleman's own call waits for ever; this one does not. Behind TLS CAF gets a loopback port of the
/// kernel's choice, and the node's own port belongs to the front.
status publish(caf::actor_system& system, const node_actor& node, const node_spec& spec, cluster_front* front) {
  if (auto open = check_port_free(spec.port, spec.name.text, spec.host); !open) return open;
  caf::scoped_actor self{system};
  status outcome = ok;
  std::uint16_t inner = 0;
  self->request(system.middleman().actor_handle(), std::chrono::seconds{5}, caf::publish_atom::value,
                spec.tls ? std::uint16_t{0} : spec.port, caf::actor_cast<caf::strong_actor_ptr>(node),
                system.message_types<node_actor>(), std::string{"127.0.0.1"}, true)
      .receive([&](std::uint16_t port) { inner = port; },
               [&](const caf::error& why) {
                 // Between the check and this somebody else may have taken the port.
                 outcome = check_port_free(spec.port, spec.name.text, spec.host);
                 if (outcome)
                   outcome = error{make_error_code(cluster_errc::failed),
                                   "port " + std::to_string(spec.port) + " of node '" + spec.name.text
                                       + "' can't be published: " + from_caf(why).message()};
               });
  if (outcome && spec.tls) return front->listen(spec, inner);
  return outcome;
}

} // namespace

namespace {

/// Without its door or its membership a node is of no use: the parent starts it anew.
template <class Handle>
void end_process_with(const Handle& core, std::string name) {
  core->attach_functor([name = std::move(name)](const caf::error& why) {
    if (!why || why == caf::exit_reason::user_shutdown) return;
    log::error("node", "a permanent actor ended; the process ends with it",
               {{"actor", name}, {"why", from_caf(why).text}});
    log::close();
    ::_exit(1);
  });
}

} // namespace

void node_runtime::leave(caf::actor_system& system, nanoseconds within) const {
  tell_anonymously(member, farewell{spec.name, incarnation, false, "ordered stop"});
  caf::scoped_actor self{system};
  // The answer comes when the peers have the farewells, or have not said so in time.
  self->request(member, std::chrono::duration_cast<caf::timespan>(within), status_request{})
      .receive([](const status_report&) {}, [](const caf::error&) {});
}

namespace {

constexpr auto dead_file = "DEAD";
constexpr std::string_view dead_magic = "troupe-dead 1";

/// What earlier runs of this node know of the dead. A damaged file is set aside: the peers still know, and
/// what they tell at the first hello fills it again.
std::vector<node_start> known_dead(const std::filesystem::path& data) {
  std::vector<node_start> out;
  const auto kept = load_rows(data, dead_file, dead_magic);
  if (!kept) {
    log::error("node", kept.error().text + "; it was set aside");
    std::error_code ignored;
    std::filesystem::rename(data / dead_file, data / (std::string{dead_file} + ".damaged"), ignored);
    return out;
  }
  for (const auto& [name, incarnation] : kept->rows)
    out.push_back({{name}, std::strtoull(incarnation.c_str(), nullptr, 10)});
  return out;
}

status keep_dead(const std::filesystem::path& data, const std::vector<node_start>& all) {
  kept_rows rows;
  for (const auto& dead : all) rows.rows.emplace_back(dead.node.text, std::to_string(dead.incarnation));
  return save_rows(data, dead_file, dead_magic, rows);
}

} // namespace

result<node_runtime> start_node(caf::actor_system& system, const actor_environment& env,
                                node_runtime_options options) {
  auto spec = options.conf.at(options.name);
  if (!spec) return std::move(spec).error();
  std::error_code failed;
  std::filesystem::create_directories(options.data, failed);
  if (failed)
    return {cluster_errc::unreadable,
            options.data.string() + ": " + failed.message() + "; name another --data"};
  // Before anything is written: a second process of this node must not raise the first one's counter.
  auto lock = data_lock::take(options.data, spec->name.text);
  if (!lock) return std::move(lock).error();
  if (auto open = check_port_free(spec->port, spec->name.text, spec->host); !open) return std::move(open).error();
  auto front = make_front(options.front, options.conf, options.name);
  if (!front) return std::move(front).error();
  const auto wall = static_cast<std::uint64_t>(wall_clock{}.now().ns / 1'000'000'000);
  auto raised = raise_incarnation(options.data, wall);
  if (!raised) return std::move(raised).error();
  if (!raised->repaired.empty()) log::warn("node", raised->repaired);
  auto audit = audit_log::open(options.data);
  if (!audit) return std::move(audit).error();

  node_runtime out;
  out.spec = spec.value();
  out.lock = std::make_shared<data_lock>(std::move(lock).value());
  out.incarnation = raised->value;
  out.stem = options.stem ? options.stem : std::make_shared<stem_link>();
  out.audit = std::make_shared<audit_log>(std::move(audit).value());
  member_options member;
  member.conf = options.conf;
  member.self = out.spec.name;
  member.incarnation = out.incarnation;
  member.build = options.build;
  member.membership = options.membership;
  out.front = member.front = front.value();
  member.declared_dead = options.declared_dead;
  member.other_builds = [all = options.data.parent_path()] { return rolling_mark::is_set(all); };
  member.dead = known_dead(options.data);
  member.keep_dead = [data = options.data](const auto& all) { return keep_dead(data, all); };
  out.view = member.view = options.view ? options.view : std::make_shared<view_board>();
  // On a thread of its own: it waits for the disk when it declares a node dead.
  out.member = spawn_actor<member_state>(system, spawn_options{.name = "member", .detached = true}, env,
                                         std::move(member));
  auto node = std::move(options.node);
  node.spec = out.spec;
  node.incarnation = out.incarnation;
  node.build = options.build;
  if (out.front) node.sections["links"] = [front = out.front] { return to_json(front->report()); };
  node.data = options.data;
  node.observer_thread = true;
  node_watch_options watch;
  watch.on_stuck = [stem = out.stem] { stem->stuck(); };
  out.watch = std::make_shared<node_watch>(system, std::move(watch));
  node.sections.try_emplace("watchdog", [watch = out.watch] { return watch->json(); });
  node.observed.try_emplace("watchdog", [watch = out.watch] { return watch->json(); });
  // Noted where the file's keeper can't reach it: cutting off the newest records shows.
  log::info("audit", "the audit log is open",
            {{"records", std::to_string(out.audit->chain().records)}, {"head", out.audit->chain().head}});
  out.node = spawn_actor<node_state>(system, spawn_options{.name = "node"}, env, std::move(node),
                                     out.member, out.audit);
  out.heartbeat = spawn_actor<heartbeat_state>(system, spawn_options{.name = "heartbeat"}, out.stem,
                                            nanoseconds{std::chrono::seconds{1}},
                                            [watch = out.watch] { return !watch->stuck(); });
  if (auto published = publish(system, out.node, out.spec, out.front.get()); !published) return std::move(published).error();
  end_process_with(out.node, "node");
  end_process_with(out.member, "member");
  tell_anonymously(out.member, caf::actor_cast<caf::strong_actor_ptr>(out.node));
  env.names->put("node", {caf::actor_cast<caf::strong_actor_ptr>(out.node), {}, out.incarnation});
  env.names->put("member", {caf::actor_cast<caf::strong_actor_ptr>(out.member), {}, out.incarnation});
  env.names->put("heartbeat", {caf::actor_cast<caf::strong_actor_ptr>(out.heartbeat), {}, out.incarnation});
  return out;
}

} // namespace troupe
