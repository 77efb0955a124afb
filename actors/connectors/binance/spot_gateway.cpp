#include "actors/connectors/binance/spot_gateway.hpp"

#include "messages/json.hpp"

#include <algorithm>

namespace troupe::binance {

spot_gateway::spot_gateway(spot_gateway_options options, api_keys keys, gateway_transport& transport)
    : options_{std::move(options)}, keys_{std::move(keys)}, transport_{transport}, budget_{options_.limits},
      random_{options_.seed} {
  context_.account = options_.account;
  for (const auto& each : options_.instruments) context_.by_symbol.emplace(each.venue_symbol, each);
}

spot_gateway::~spot_gateway() { *alive_ = false; }

gateway_traits spot_gateway::traits() const {
  return {.processing_horizon = options_.processing_horizon,
          .query_by_client_id = true,
          .client_id_reusable = true};
}

void spot_gateway::start(gateway_events& events) {
  events_ = &events;
  sync_time([this](bool) { sync_later(); });
  open_stream();
}

void spot_gateway::stop() {
  if (events_ == nullptr) return;
  // What the transport holds may be on the wire already.
  for (auto& [key, work] : std::exchange(running_, {})) {
    if (work->kind) conclude(work, command_result::unknown, refusal::none, blank_report(*work));
    else work->on_error({make_error_code(order_errc::missing_field), "gateway stopped before the answer"});
  }
  events_ = nullptr;
  *alive_ = false;
  alive_ = std::make_shared<bool>(true);
  if (socket_ != 0) transport_.close_socket(socket_);
  socket_open_ = subscribed_ = false;
}

void spot_gateway::guarded_after(nanoseconds delay, std::function<void()> job) {
  transport_.after(delay, [alive = alive_, job = std::move(job)] {
    if (*alive) job();
  });
}

// --- commands -------------------------------------------------------------------------------------

const instrument_spec* spot_gateway::spec(const instrument_id& instrument) const {
  for (const auto& [symbol, each] : context_.by_symbol)
    if (each.id == instrument) return &each;
  return nullptr;
}

order_report spot_gateway::blank_report(const job& work) const {
  order_report out;
  out.account = options_.account;
  out.instrument = work.instrument;
  out.client_id = work.client_id;
  out.at = transport_.market_now() + offset_;
  return out;
}

void spot_gateway::conclude(const job_pointer& work, command_result kind, refusal why, order_report report,
                            nanoseconds retry_after) {
  switch (kind) {
  case command_result::confirmed: ++counters_.confirmed; break;
  case command_result::rejected: ++counters_.rejected; break;
  case command_result::denied: ++counters_.denied; break;
  case command_result::unknown: ++counters_.unknown; break;
  case command_result::absent: ++counters_.absent; break;
  }
  running_.erase(work.get());
  if (events_ != nullptr) events_->on_outcome({work->command, kind, why, std::move(report), retry_after});
}

void spot_gateway::place(command_id command, const intent& order) {
  ++counters_.placed;
  auto work = std::make_shared<job>();
  work->command = command;
  work->kind = command_kind::place;
  work->client_id = order.client_id;
  work->instrument = order.instrument;
  work->deadline = options_.order_deadline;
  const auto deny = [&](const std::string& why) {
    auto report = blank_report(*work);
    report.state = order_state::denied;
    report.text = why;
    conclude(work, command_result::denied, refusal::filter, std::move(report));
  };
  const auto* rules = spec(order.instrument);
  if (rules == nullptr)
    return deny(order.instrument.text + " is not configured for " + options_.account.text);
  auto call = place_call(order, *rules);
  if (!call) return deny(call.error().text);
  work->call = std::move(*call);
  run(std::move(work));
}

void spot_gateway::order_command(command_kind kind, command_id command, const instrument_id& instrument,
                                 const std::string& client_id) {
  auto work = std::make_shared<job>();
  work->command = command;
  work->kind = kind;
  work->client_id = client_id;
  work->instrument = instrument;
  work->urgent = kind == command_kind::cancel;
  work->deadline = kind == command_kind::cancel ? options_.order_deadline : options_.query_deadline;
  const auto* rules = spec(instrument);
  if (rules == nullptr) {
    auto report = blank_report(*work);
    report.text = instrument.text + " is not configured for " + options_.account.text;
    return conclude(work, command_result::denied, refusal::filter, std::move(report));
  }
  work->call = kind == command_kind::cancel ? cancel_call(*rules, client_id) : query_call(*rules, client_id);
  run(std::move(work));
}

void spot_gateway::cancel(command_id command, const instrument_id& instrument, const std::string& client_id) {
  ++counters_.cancelled;
  order_command(command_kind::cancel, command, instrument, client_id);
}

void spot_gateway::query(command_id command, const instrument_id& instrument, const std::string& client_id) {
  ++counters_.queried;
  order_command(command_kind::query, command, instrument, client_id);
}

void spot_gateway::open_orders(command_id command, const instrument_id& instrument) {
  auto work = std::make_shared<job>();
  work->deadline = options_.query_deadline;
  work->on_error = [this, command](error why) {
    if (events_ != nullptr) events_->on_open_orders({command, std::move(why)});
  };
  const auto* rules = spec(instrument);
  if (rules == nullptr) return work->on_error({make_error_code(order_errc::unknown_symbol), instrument.text});
  work->call = open_orders_call(*rules);
  work->on_body = [this, command](const std::string& body) {
    auto list = parse_open_orders(body, context_);
    if (events_ != nullptr) events_->on_open_orders({command, std::move(list)});
  };
  run(std::move(work));
}

void spot_gateway::trades_since(command_id command, const instrument_id& instrument,
                                const std::string& trade_id) {
  constexpr int page = 1000;
  auto work = std::make_shared<job>();
  work->deadline = options_.query_deadline;
  work->on_error = [this, command](error why) {
    if (events_ != nullptr) events_->on_trades({command, std::move(why), false});
  };
  const auto* rules = spec(instrument);
  if (rules == nullptr) return work->on_error({make_error_code(order_errc::unknown_symbol), instrument.text});
  work->call = trades_call(*rules, trade_id, page);
  work->on_body = [this, command](const std::string& body) {
    auto list = parse_trades(body, context_);
    const bool more = list && list->size() >= static_cast<std::size_t>(page);
    if (events_ != nullptr) events_->on_trades({command, std::move(list), more});
  };
  run(std::move(work));
}

void spot_gateway::account(command_id command) {
  auto work = std::make_shared<job>();
  work->deadline = options_.query_deadline;
  work->call = account_call();
  work->on_error = [this, command](error why) {
    if (events_ != nullptr) events_->on_account({command, std::move(why), {}});
  };
  work->on_body = [this, command](const std::string& body) {
    auto state = parse_account(body);
    if (events_ == nullptr) return;
    if (!state) return events_->on_account({command, std::move(state).error(), {}});
    const auto at = state->updated;
    events_->on_account({command, std::move(state->balances), at});
  };
  run(std::move(work));
}

void spot_gateway::rules(command_id command, const instrument_id& instrument) {
  auto work = std::make_shared<job>();
  work->deadline = options_.query_deadline;
  work->on_error = [this, command](error why) {
    if (events_ != nullptr) events_->on_rules({command, std::move(why)});
  };
  const auto* known = spec(instrument);
  if (known == nullptr) return work->on_error({make_error_code(order_errc::unknown_symbol), instrument.text});
  work->call = rules_call(known->venue_symbol);
  work->on_body = [this, command, before = *known](const std::string& body) {
    auto fresh = parse_rules(body, before.venue_symbol, before.id,
                             std::pair{int{before.price_scale}, int{before.size_scale}});
    if (fresh) {
      fresh->kind = before.kind;
      fresh->valid_from = transport_.market_now() + offset_;
      context_.by_symbol[before.venue_symbol] = *fresh;
    }
    if (events_ != nullptr) events_->on_rules({command, std::move(fresh)});
  };
  run(std::move(work));
}

// --- one exchange ---------------------------------------------------------------------------------

std::string spot_gateway::timestamp() const {
  return std::to_string((transport_.market_now() + offset_).ns / 1'000'000);
}

std::string spot_gateway::signed_target(const api_call& call) const {
  if (!call.needs_signature) return call.list.empty() ? call.path : call.path + '?' + query_of(call.list);
  auto list = call.list;
  list.emplace_back("recvWindow", std::to_string(options_.recv_window / std::chrono::milliseconds{1}));
  list.emplace_back("timestamp", timestamp());
  return call.path + '?' + signed_query(list, keys_.secret_key);
}

void spot_gateway::run(job_pointer work) {
  std::vector<rate_cost> costs{{"weight", work->call.weight}, {"requests", 1}};
  if (work->call.is_order) costs.push_back({"orders", 1});
  const auto wait = budget_.admit(transport_.steady_now(), costs, work->urgent);
  if (wait > nanoseconds::zero()) {
    const auto words = "request budget is used up for another "
                       + std::to_string(wait / std::chrono::milliseconds{1}) + " ms";
    if (!work->kind) return work->on_error({make_error_code(order_errc::bad_order), words});
    auto report = blank_report(*work);
    if (work->kind == command_kind::place) report.state = order_state::denied;
    report.text = words;
    return conclude(work, command_result::denied, refusal::rate, std::move(report), wait);
  }
  running_.emplace(work.get(), work);
  send(work);
}

void spot_gateway::send(const job_pointer& work) {
  ++work->attempt;
  transport_.http(work->call.method, signed_target(work->call), work->deadline, work->urgent,
                  [this, alive = alive_, work](transport_reply reply) {
                    if (*alive && running_.count(work.get()) > 0) on_reply(work, std::move(reply));
                  });
}

void spot_gateway::on_reply(const job_pointer& work, transport_reply reply) {
  const auto now = transport_.steady_now();
  if (reply.status != 0) budget_.on_status(now, reply.status, reply.retry_after);
  if (reply.used_weight > 0) budget_.on_used(now, "weight", reply.used_weight);
  const bool clock =
      reply.status >= 400 && reply.status < 500 && work->attempt == 1 && work->call.needs_signature
      &&
      [&] {
        const auto said = parse_venue_error(reply.body);
        return said && classify_answer(command_kind::place, reply.status, said).retry_after_resync;
      }();
  if (clock) {
    // The engine never saw it: the same order, the same client id, a new timestamp, once.
    ++counters_.clock_refusals;
    return sync_time([this, work, reply = std::move(reply)](bool synced) {
      if (running_.count(work.get()) == 0) return;
      if (synced) return send(work);
      work->kind ? on_command_reply(work, reply) : on_list_reply(work, reply);
    });
  }
  work->kind ? on_command_reply(work, reply) : on_list_reply(work, reply);
}

void spot_gateway::on_command_reply(const job_pointer& work, const transport_reply& reply) {
  auto report = blank_report(*work);
  if (reply.status == 0) {
    report.text = reply.error;
    if (reply.sent) return conclude(work, command_result::unknown, refusal::none, std::move(report));
    if (work->kind == command_kind::place) report.state = order_state::denied;
    return conclude(work, command_result::denied, refusal::none, std::move(report));
  }
  if (reply.status >= 200 && reply.status < 300) {
    auto read = parse_order(reply.body, context_);
    // The venue found a queried order by the client id we named, whatever its own field says.
    if (read && work->kind == command_kind::query) read->client_id = work->client_id;
    // An answer about another order than the one sent is no answer.
    if (read && read->client_id == work->client_id)
      return conclude(work, command_result::confirmed, refusal::none, std::move(*read));
    report.text = read ? "answer names client order id '" + read->client_id + "'" : read.error().message();
    ++counters_.unreadable;
    return conclude(work, command_result::unknown, refusal::none, std::move(report));
  }
  const auto said = parse_venue_error(reply.body);
  const auto found = classify_answer(*work->kind, reply.status, said);
  report.code = said ? said->code : -static_cast<std::int32_t>(reply.status);
  report.text = said ? said->text : "HTTP " + std::to_string(reply.status);
  if (work->kind == command_kind::place && found.kind == command_result::rejected)
    report.state = order_state::rejected;
  const auto closed = budget_.closed_until() - transport_.steady_now();
  conclude(work, found.kind, found.why, std::move(report),
           std::max<nanoseconds>(closed, nanoseconds::zero()));
}

void spot_gateway::on_list_reply(const job_pointer& work, const transport_reply& reply) {
  running_.erase(work.get());
  if (reply.status >= 200 && reply.status < 300) return work->on_body(reply.body);
  auto words = work->call.path + ": ";
  if (reply.status == 0) words += reply.error;
  else {
    const auto said = parse_venue_error(reply.body);
    words += "HTTP " + std::to_string(reply.status);
    if (said) words += ", code " + std::to_string(said->code) + ", " + said->text;
  }
  work->on_error({make_error_code(order_errc::bad_value), words});
}

// --- venue time -----------------------------------------------------------------------------------

void spot_gateway::sync_later() {
  guarded_after(options_.time_sync_interval, [this] {
    sync_time([this](bool) { sync_later(); });
  });
}

void spot_gateway::sync_time(std::function<void(bool)> then) {
  waiting_for_time_.push_back(std::move(then));
  if (waiting_for_time_.size() > 1) return;
  const auto finish = [this](bool done) {
    for (auto& each : std::exchange(waiting_for_time_, {})) each(done);
  };
  if (budget_.admit(transport_.steady_now(), {{"weight", 1}, {"requests", 1}}, true) > nanoseconds::zero())
    return finish(false);
  const auto call = time_call();
  const auto asked = transport_.market_now();
  transport_.http(call.method, call.path, options_.query_deadline, true,
                  [this, alive = alive_, asked, finish](transport_reply reply) {
                    if (!*alive) return;
                    const auto answered = transport_.market_now();
                    if (reply.status != 0)
                      budget_.on_status(transport_.steady_now(), reply.status, reply.retry_after);
                    const auto server =
                        reply.status == 200
                            ? parse_server_time(reply.body)
                            : result<market_time>{order_errc::missing_field, "no answer"};
                    if (!server) return finish(false);
                    offset_ = *server - (asked + (answered - asked) / 2);
                    synced_ = true;
                    finish(true);
                  });
}

// --- user stream ----------------------------------------------------------------------------------

void spot_gateway::publish(session_state state, const std::string& reason) {
  if (events_ != nullptr) events_->on_session({{}, socket_, state, reason});
}

nanoseconds spot_gateway::next_backoff() {
  const auto doublings = std::min(failures_in_row_, 10u);
  ++failures_in_row_;
  const auto whole = std::min<nanoseconds>(options_.backoff_least * (1 << doublings), options_.backoff_most);
  random_ += 0x9e3779b97f4a7c15ULL;
  auto x = random_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  x ^= x >> 31;
  // Half fixed, half random: a crowd of clients spreads.
  return whole / 2
         + nanoseconds{
             static_cast<std::int64_t>(x % static_cast<std::uint64_t>(whole.count() / 2 + 1))};
}

void spot_gateway::open_stream() {
  const auto wait = budget_.admit(transport_.steady_now(), {{"connects", 1}, {"weight", 2}});
  if (wait > nanoseconds::zero()) return guarded_after(wait, [this] { open_stream(); });
  ++socket_;
  ++counters_.stream_opens;
  socket_open_ = subscribed_ = resynced_for_subscribe_ = false;
  publish(session_state::connecting, "");
  transport_.open_socket(socket_);
}

void spot_gateway::reopen_stream(const std::string& why) {
  const bool settled = subscribed_ && transport_.steady_now() - opened_at_ >= options_.settled_after;
  if (settled) failures_in_row_ = 0;
  const auto gone = socket_;
  ++socket_; // frames of the old one are no longer ours
  socket_open_ = subscribed_ = false;
  ++counters_.stream_breaks;
  transport_.close_socket(gone);
  publish(session_state::reconnecting, why);
  guarded_after(next_backoff(), [this] { open_stream(); });
}

void spot_gateway::on_socket_open(std::uint64_t number) {
  if (number != socket_ || events_ == nullptr) return;
  socket_open_ = true;
  opened_at_ = heard_at_ = transport_.steady_now();
  subscribe();
  guarded_after(options_.subscribe_deadline, [this, number] {
    if (number == socket_ && !subscribed_) reopen_stream("user stream: subscription not answered");
  });
}

void spot_gateway::subscribe() {
  subscribe_id_ = "s" + std::to_string(next_request_++);
  parameters list{{"apiKey", std::string{keys_.key.expose_to_signer()}},
                  {"recvWindow", std::to_string(options_.recv_window / std::chrono::milliseconds{1})},
                  {"timestamp", timestamp()}};
  auto text = signed_ws_request(subscribe_id_, "userDataStream.subscribe.signature",
                                std::move(list), keys_.secret_key);
  if (!transport_.send(socket_, std::move(text))) reopen_stream("user stream: can't send");
}

void spot_gateway::watch_stream(std::uint64_t number) {
  guarded_after(options_.ping_interval, [this, number] {
    if (number != socket_ || !subscribed_) return;
    const auto now = transport_.steady_now();
    if (now - opened_at_ >= options_.rotation) {
      failures_in_row_ = 0;
      return reopen_stream("user stream: rotated before the venue's 24 h");
    }
    // Without an answer the socket may be a black hole that no close will ever come from.
    if (budget_.admit(now, {{"weight", 1}}) == nanoseconds::zero())
      static_cast<void>(
          transport_.send(socket_, ws_request("p" + std::to_string(next_request_++), "ping", {})));
    guarded_after(options_.ping_deadline, [this, number, now] {
      if (number == socket_ && subscribed_ && heard_at_ < now) reopen_stream("user stream: silent");
    });
    watch_stream(number);
  });
}

void spot_gateway::on_socket_frame(std::uint64_t number, std::string_view frame) {
  if (number != socket_ || events_ == nullptr) return;
  heard_at_ = transport_.steady_now();
  auto event = parse_user_frame(frame, context_);
  if (!event) {
    // It may have been a fill: only a reconciliation can tell.
    ++counters_.unreadable;
    return reopen_stream("user stream: unreadable event: " + event.error().message());
  }
  ++counters_.events;
  if (auto* report = std::get_if<order_report>(&*event)) return events_->on_report(*report);
  if (auto* balances = std::get_if<balances_event>(&*event))
    return events_->on_balances(balances->changed, balances->at);
  if (auto* end = std::get_if<stream_end_event>(&*event)) return reopen_stream("user stream: " + end->what);
  const auto* reply = std::get_if<reply_event>(&*event);
  if (reply == nullptr || reply->id != subscribe_id_ || subscribed_) return;
  if (reply->status == 200 && !reply->error) {
    subscribed_ = true;
    publish(session_state::connected, "");
    return watch_stream(number);
  }
  const auto code = reply->error ? reply->error->code : 0;
  if (code == -1021 && !std::exchange(resynced_for_subscribe_, true))
    return sync_time([this, number](bool) {
      if (number == socket_) subscribe();
    });
  budget_.on_status(transport_.steady_now(), reply->status, {});
  const auto words = "user stream refused: code " + std::to_string(code)
                     + (reply->error ? ", " + reply->error->text : std::string{});
  publish(session_state::error, words);
  reopen_stream(words);
}

void spot_gateway::on_socket_closed(std::uint64_t number, const std::string& why) {
  if (number != socket_ || events_ == nullptr) return;
  reopen_stream(why);
}

std::string spot_gateway::status_json() const {
  json_writer w;
  w.begin_object()
      .field("account", options_.account.text)
      .field("stream", subscribed_ ? "connected" : "down");
  w.field("stream_opens", counters_.stream_opens).field("stream_breaks", counters_.stream_breaks);
  w.field("placed", counters_.placed)
      .field("cancelled", counters_.cancelled)
      .field("queried", counters_.queried);
  w.field("confirmed", counters_.confirmed)
      .field("rejected", counters_.rejected)
      .field("denied", counters_.denied);
  w.field("unknown", counters_.unknown).field("absent", counters_.absent);
  w.field("clock_refusals", counters_.clock_refusals).field("clock_offset_ns", std::int64_t{offset_.count()});
  w.field("clock_synced", synced_)
      .field("events", counters_.events)
      .field("unreadable", counters_.unreadable);
  w.field("in_flight", running_.size())
      .field("budget_refusals", budget_.refusals())
      .field("bans", budget_.bans());
  w.end_object();
  return std::move(w).text();
}

} // namespace troupe::binance
