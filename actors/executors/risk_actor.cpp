#include "actors/executors/risk_actor.hpp"

#include "actors/executors/halt_latch.hpp"
#include "messages/json.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "storage/file.hpp"

namespace troupe {
namespace {

constexpr std::uint64_t most_latch_bytes = 64u << 10;

std::vector<instrument_id> instruments_of(const risk_options& options) {
  std::vector<instrument_id> out;
  for (const auto& limits : options.instruments)
    out.push_back(limits.spec.id);
  return out;
}

} // namespace

risk_state::risk_state(self_pointer self, actor_environment env, risk_actor_options options)
    : self_{self}, env_{env}, options_{std::move(options)}, core_{options_.limits},
      quotes_{env, instruments_of(options_.limits)} {
  read_latch();
}

void risk_state::read_latch() {
  const auto halted = [this](const std::string& why) {
    latch_failure_ = error{make_error_code(executor_errc::damaged), why};
    log::error("risk", "trading is halted: " + why, {{"file", options_.latch_file.string()}});
    (void)core_.set_state({trading_state::halted, "risk", why});
  };
  const auto there = real_disk().exists(options_.latch_file);
  if (!there) return halted(there.error().message());
  if (!*there) return;
  const auto bytes = read_whole(real_disk(), options_.latch_file, most_latch_bytes);
  if (!bytes) return halted(bytes.error().message());
  auto state = decode_halt(*bytes);
  if (!state) return halted(state.error().text);
  if (state->state != trading_state::active)
    log::warn("risk",
              std::string{"trading is "} + std::string{name_of(state->state)} + ", as it was left",
              {{"who", state->who}, {"reason", state->reason}});
  (void)core_.set_state(std::move(*state));
}

status risk_state::write_latch(const halt_state& state) {
  auto done = replace_file(real_disk(), options_.latch_file, encode_halt(state));
  latch_failure_.reset();
  if (!done) latch_failure_ = done.error();
  return done;
}

risk_actor::behavior_type risk_state::make_behavior() {
  refresh();
  return {
      [this](const status_request&) {
        return status_report{self_->core().name(), status_json()};
      },
      [this](const risk_request& request) { return on_request(request); },
      [this](const lease_request& request) { return on_lease(request); },
      [this](const halt_command& command) { return on_halt(command); },
      [this](const quote& q) {
        core_.on_quote(q);
        quotes_.acknowledge(self_, q);
      },
  };
}

void risk_state::refresh() {
  quotes_.refresh(self_);
  schedule(self_, std::chrono::milliseconds{500}, [this] { refresh(); });
}

risk_verdict risk_state::on_request(const risk_request& request) {
  auto verdict = core_.check(request, now());
  if (const auto halt = core_.take_own_halt()) {
    log::error("risk", "halted trading by itself", {{"reason", halt->reason}});
    tell_executors();
    const auto done = write_latch(*halt);
    if (!done) log::error("risk", done.error().message());
    const admin_result outcome{done.has_value(), done ? "latched" : done.error().text};
    (void)note({halt->state, halt->who, halt->reason}, &outcome);
  }
  return verdict;
}

lease_grant risk_state::on_lease(const lease_request& request) {
  auto grant = core_.grant(request, now());
  // Two sides of a partition must not both trade: only the one with the quorum goes on.
  if (grant.granted && options_.quorum && !options_.quorum()) {
    grant.granted = false;
    grant.text = "this node does not reach a quorum of the ingest and execution nodes";
  }
  if (!grant.granted) {
    log::warn("risk", "lease refused", {{"account", request.account.text}, {"why", grant.text}});
    return grant;
  }
  auto& view = executors_[request.account];
  // A new life of the executor knows nothing yet, also where its journal lived on and with it the epoch.
  const auto asker = self_->current_sender();
  const auto who = asker ? asker->address() : caf::actor_addr{};
  if (view.epoch != request.epoch || view.who != who) view = {request.epoch, who, {}};
  if (view.told != core_.state().state && tell_urgent(self_, asker, core_.state()))
    view.told = core_.state().state;
  return grant;
}

void risk_state::tell_executors() {
  for (auto& [account, view] : executors_) {
    view.told.reset();
    if (tell_urgent(self_, env_.names->handle("executor/" + account.text), core_.state()))
      view.told = core_.state().state;
  }
}

status risk_state::note(const halt_command& command, const admin_result* outcome) {
  const auto done = [&]() -> status {
    if (!audit_) {
      auto opened = audit_log::open(options_.latch_file.parent_path());
      if (!opened) return std::move(opened).error();
      audit_.emplace(std::move(*opened));
    }
    admin_command line{.verb = std::string{name_of(command.state)}, .target = "trading", .arguments = {}, .who = command.who};
    line.arguments["reason"] = command.reason;
    return audit_->write(wall_clock{}.now(), options_.node, line, outcome);
  }();
  if (!done) log::error("risk", "a change of the trading state is not audited", {{"why", done.error().text}});
  return done;
}

reply<halt_state> risk_state::on_halt(const halt_command& command) {
  const bool lifts = command.state < core_.state().state;
  // Stopping is never held up by paperwork; starting is.
  if (const auto noted = note(command, nullptr); !noted && lifts)
    return to_caf({noted.error().code, "trading stays " + std::string{name_of(core_.state().state)}
                                           + ", because lifting it can't be audited: " + noted.error().text});
  const auto changed = change(command);
  const auto text = changed ? "trading is " + std::string{name_of(changed->state)} : changed.error().text;
  const admin_result outcome{changed.has_value(), text};
  (void)note(command, &outcome);
  if (!changed) return to_caf(changed.error());
  return *changed;
}

result<halt_state> risk_state::change(const halt_command& command) {
  const halt_state next{command.state, command.who, command.reason};
  const bool tightens = command.state >= core_.state().state;
  const auto before = core_.state();
  if (!tightens && command.state != trading_state::active)
    return {executor_errc::bad_input, "trading is " + std::string{name_of(before.state)} + " ('" + before.reason
                                          + "'); only `troupe resume` lifts that"};
  if (tightens) {
    if (const auto set = core_.set_state(next); !set) return set.error();
    tell_executors();
  } else if (command.reason.empty()) {
    return {executor_errc::bad_input, "lifting a halt needs a reason; give one with --reason"};
  }
  if (const auto written = write_latch(next); !written) {
    log::error("risk", written.error().message(), {{"file", options_.latch_file.string()}});
    return written.error();
  }
  if (!tightens) {
    (void)core_.set_state(next);
    tell_executors();
  }
  log::warn(
      "risk", "trading is " + std::string{name_of(next.state)},
      {{"before", std::string{name_of(before.state)}}, {"who", next.who}, {"reason", next.reason}});
  return core_.state();
}

std::string risk_state::status_json() const {
  json_writer w;
  const auto& state = core_.state();
  w.begin_object()
      .field("state", name_of(state.state))
      .field("who", state.who)
      .field("reason", state.reason);
  w.field("latch_file", options_.latch_file.string());
  w.field("latch_failure", latch_failure_ ? latch_failure_->message() : "");
  w.field("approved", core_.approved());
  w.key("denied").begin_object();
  for (const auto& [code, count] : core_.denials())
    w.field(describe(code).name, count);
  w.end_object().key("epochs").begin_object();
  for (const auto& [account, epoch] : core_.epochs())
    w.field(account.text, epoch);
  w.end_object().end_object();
  return std::move(w).text();
}

} // namespace troupe
