#include "runtime/cluster/client.hpp"

#include "runtime/actor/pending_asks.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "runtime/cluster/tcp_probe.hpp"
#include "runtime/cluster/text.hpp"

#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor.hpp>

namespace troupe {
namespace {

std::string place_of(const node_spec& spec) {
  return "node '" + spec.name.text + "' at " + spec.host + ":" + std::to_string(spec.port);
}

/// The text value of a key in a JSON object that our own writer made.
std::string text_field(const std::string& json, const std::string& key) {
  const auto mark = "\"" + key + "\":\"";
  const auto from = json.find(mark);
  if (from == std::string::npos) return {};
  const auto start = from + mark.size();
  return json.substr(start, json.find('"', start) - start);
}

std::string frozen_text(const node_spec& spec) {
  return place_of(spec) + " takes connections but does not answer: its process is stopped, stuck or overloaded";
}

std::string_view word_of(trading_state state) {
  switch (state) {
  case trading_state::active: return "resume";
  case trading_state::reducing: return "halt of entries";
  case trading_state::halted: return "halt";
  }
  return "order";
}

std::string words_of(const error& why) {
  return why.text.empty() ? why.message() : why.text;
}

/// What is known when risk could not even be asked.
error not_taken(const node_spec& spec, const halt_command& command, const error& why) {
  return {why.code, "the " + std::string{word_of(command.state)} + " was NOT taken by node '" + spec.name.text
                        + "': " + words_of(why)};
}

/// What is known when risk was asked and gave no answer.
error not_confirmed(const node_spec& spec, const halt_command& command, const error& why) {
  const bool silent = why.code == runtime_errc::timeout || why.code == cluster_errc::timed_out;
  const bool lost = why.code == runtime_errc::node_down || why.code == runtime_errc::receiver_down;
  if (!silent && !lost) return not_taken(spec, command, why);
  return {make_error_code(cluster_errc::timed_out),
          "the " + std::string{word_of(command.state)} + " was sent to node '" + spec.name.text + "' but is NOT confirmed: "
              + (silent ? "the node stopped answering and takes it when it goes on"
                        : "the connection was lost before the answer came")
              + "; look with `troupe status` and say it again"};
}

} // namespace

struct cluster_client::parts {
  parts() : config{system_options{.threads = 1}}, system{config}, self{system} {}
  system_config config;
  caf::actor_system system;
  caf::scoped_actor self;
};

cluster_client::cluster_client(nodes_conf conf, client_options options)
    : conf_{std::move(conf)}, options_{options}, parts_{std::make_unique<parts>()} {}

cluster_client::~cluster_client() = default;

caf::scoped_actor& cluster_client::scope() {
  return parts_->self;
}

result<node_actor> cluster_client::node(const std::string& name) {
  const auto* spec = conf_.find(name);
  if (spec == nullptr) return conf_.at(name).error();
  if (const auto i = nodes_.find(name); i != nodes_.end()) {
    if (!*lost_[i->second.node()]) return i->second;
    nodes_.erase(i);
  }
  auto connected = connect(*spec);
  if (connected) nodes_[name] = connected.value();
  return connected;
}

cluster_client::pending_question::pending_question(cluster_client& client,
                                                   const caf::strong_actor_ptr& whom,
                                                   caf::message_id response)
    : node_{whom->node()}, asker_{caf::actor_cast<caf::strong_actor_ptr>(client.scope())}, response_{
                                                                                               response} {
  pending_asks::instance().add(node_, asker_.get(), response_);
  const auto i = client.lost_.find(node_);
  if (i != client.lost_.end() && *i->second) fail_pending(node_, "asked");
}

cluster_client::pending_question::~pending_question() {
  pending_asks::instance().remove(node_, asker_.get(), response_);
}

result<node_spec> cluster_client::way(const node_spec& spec) {
  if (spec.tls) {
    if (!front_) {
      auto front = make_front(options_.front, conf_, {});
      if (!front) return std::move(front).error();
      front_ = std::move(front).value();
    }
    return way_to(front_.get(), spec);
  }
  // CAF's connect blocks its middleman without a limit: look first whether anybody is there.
  tcp_probe probe;
  auto outcome = probe.begin(spec.host, spec.port);
  if (outcome == tcp_probe::outcome::pending)
    outcome = probe.wait(static_cast<int>(options_.connect_within.count() / 1'000'000));
  if (outcome != tcp_probe::outcome::connected)
    return {cluster_errc::unreachable,
            place_of(spec) + " can't be reached"
                + (probe.why().empty() ? std::string{} : " (" + probe.why() + ")")
                + "; is it running? `troupe up` starts it"};
  return spec;
}

result<node_actor> cluster_client::connect(const node_spec& spec) {
  const auto where = way(spec);
  if (!where) return where.error();
  result<caf::strong_actor_ptr> found{
      make_error(cluster_errc::timed_out, frozen_text(spec))};
  // CAF's heartbeats may kill a handshake that is under way at a tick; a second attempt is part of the
  // protocol.
  for (int attempt = 0; attempt < 2 && !found; ++attempt)
    parts_->self
        ->request(parts_->system.middleman().actor_handle(),
                  std::chrono::duration_cast<caf::timespan>(options_.connect_within),
                  caf::connect_atom::value, where->host, where->port)
        .receive(
            [&](const caf::node_id&, caf::strong_actor_ptr& actor, const std::set<std::string>& interface) {
              if (!actor
                  || !parts_->system.assignable(interface, parts_->system.message_types<node_actor>()))
                found = make_error(cluster_errc::refused,
                                   place_of(spec) + " speaks another interface; use the same version");
              else
                found = std::move(actor);
            },
            [&](const caf::error& why) {
              found = why == caf::sec::request_timeout || why == caf::sec::connection_timeout
                          ? make_error(cluster_errc::timed_out, frozen_text(spec))
                          : make_error(cluster_errc::unreachable,
                                       place_of(spec) + ": " + dial_words(front_.get(), spec.name.text, words_of(from_caf(why))));
            });
  if (!found) return std::move(found).error();
  auto node = caf::actor_cast<node_actor>(found.value());
  auto lost = std::make_shared<std::atomic<bool>>(false);
  lost_[node.node()] = lost;
  // Runs on the thread that notices the loss; at once when the proxy is a dead one of the connection
  // before.
  node->attach_functor([lost, id = node.node(), name = spec.name.text](const caf::error&) {
    *lost = true;
    fail_pending(id, name);
  });
  if (auto same = check_schema(spec, node); !same) return std::move(same).error();
  return node;
}

troupe::status cluster_client::check_schema(const node_spec& spec, const node_actor& node) {
  auto report = ask<status_report>(node, options_.answer_within, status_request{});
  if (!report) return make_error(cluster_errc::timed_out, frozen_text(spec));
  const auto theirs = text_field(report->json, "schema");
  const auto ours = hex_text(cluster_schema_hash());
  if (theirs == ours) return ok;
  return {cluster_errc::refused, place_of(spec) + " has message schema " + theirs + " (build "
                                     + text_field(report->json, "build") + "), this program " + ours
                                     + "; use the same version"};
}

result<status_report> cluster_client::status(const std::string& name, std::uint8_t verbosity) {
  auto whom = node(name);
  if (!whom) return std::move(whom).error();
  // The node itself waits up to a second for its actors.
  return ask<status_report>(whom.value(), options_.answer_within + std::chrono::seconds{1},
                            status_request{verbosity});
}

std::vector<node_status> cluster_client::status_all(std::uint8_t verbosity) {
  std::vector<node_status> out;
  for (const auto& spec : conf_.nodes()) {
    node_status one{.spec = spec, .json = {}, .trouble = {}};
    auto report = status(spec.name.text, verbosity);
    if (report)
      one.json = std::move(report->json);
    else
      one.trouble = words_of(report.error());
    out.push_back(std::move(one));
  }
  return out;
}

result<caf::strong_actor_ptr> cluster_client::find_untyped(const std::string& node_name,
                                                           const std::string& name) {
  auto whom = node(node_name);
  if (!whom) return std::move(whom).error();
  auto found = ask<caf::strong_actor_ptr>(whom.value(), options_.answer_within, name);
  if (!found) return found;
  if (!found.value())
    return {cluster_errc::not_found, "node '" + node_name + "' knows no actor '" + name + "'"};
  const auto home = found.value()->node();
  if (home == whom->node()) return found;
  for (const auto& spec : conf_.nodes()) {
    if (spec.name.text == node_name) continue;
    auto other = node(spec.name.text);
    if (other && other->node() == home)
      return ask<caf::strong_actor_ptr>(other.value(), options_.answer_within, name);
  }
  return {cluster_errc::unreachable, "the node of actor '" + name + "' can't be reached from here"};
}

result<admin_result> cluster_client::command(const std::string& node_name, admin_command command) {
  auto whom = node(node_name);
  if (!whom) return std::move(whom).error();
  auto outcome =
      ask<admin_result>(whom.value(), options_.answer_within + std::chrono::seconds{1}, std::move(command));
  if (outcome && !outcome->done) return {cluster_errc::refused, outcome->text};
  return outcome;
}

result<halt_state> cluster_client::halt(const halt_command& command) {
  const auto nodes = conf_.with(node_role::execution);
  result<halt_state> out{make_error(cluster_errc::not_found, "nodes.conf has no execution node")};
  for (const auto* spec : nodes) {
    auto risk = find<risk_actor>(spec->name.text, "risk");
    if (!risk) {
      out = not_taken(*spec, command, risk.error());
      continue;
    }
    out = ask<halt_state>(risk.value(), options_.answer_within + std::chrono::seconds{1}, command);
    if (out) return out;
    out = not_confirmed(*spec, command, out.error());
  }
  return out;
}

} // namespace troupe
