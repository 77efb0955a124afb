// The rules of a connector's instruments, fetched from the venue.

#include "actors/connectors/connector_driver_actor.hpp"
#include "messages/json.hpp"
#include "runtime/log.hpp"

#include <deque>

namespace troupe {

constexpr int most_rule_pages = 100; // a cursor that never ends must end here

/// Calls that are still to be made, and what the answers said.
struct rules_fetch {
  std::deque<rest_call> calls;
  rest_call asked; ///< the one under way
  int pages = 0;
  std::vector<instrument_spec> listed;
};

void connector_driver::fetch_rules_in(nanoseconds delay) {
  io_.after(delay, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    auto fetch = std::make_shared<rules_fetch>();
    for (auto& call : self->options_.venue->instruments()) fetch->calls.push_back(std::move(call));
    self->fetch_rules(std::move(fetch));
  });
}

/// One call after the other, each within the budget.
void connector_driver::fetch_rules(std::shared_ptr<rules_fetch> so_far) {
  if (so_far->calls.empty()) return on_rules(std::move(so_far->listed));
  auto& call = so_far->calls.front();
  const auto wait = budget_.admit(now(), {{"weight", call.weight}, {"requests", 1}});
  if (wait > nanoseconds::zero()) {
    io_.after(wait, [weak = weak_from_this(), so_far = std::move(so_far)] {
      if (const auto self = weak.lock()) self->fetch_rules(so_far);
    });
    return;
  }
  so_far->asked = std::move(call);
  so_far->calls.pop_front();
  net::http_request request;
  request.method = so_far->asked.method;
  request.target = so_far->asked.target;
  request.body = so_far->asked.body;
  auto& client = rest_of(request.target);
  client.send(std::move(request), options_.rest_deadline,
              [weak = weak_from_this(), so_far](result<net::http_response> reply) {
                if (const auto self = weak.lock()) self->on_rules_page(so_far, std::move(reply));
              });
}

void connector_driver::on_rules_page(const std::shared_ptr<rules_fetch>& so_far,
                                     result<net::http_response> reply) {
  if (!reply) return rules_failed(reply.error().message());
  on_reply(*reply);
  if (reply->status != 200) return rules_failed("HTTP " + std::to_string(reply->status));
  auto read = options_.venue->read_instruments(reply->body, env_.market->now());
  if (!read) return rules_failed(read.error().message());
  for (auto& each : *read) so_far->listed.push_back(std::move(each));
  if (const auto more = options_.venue->more_instruments; more != nullptr && ++so_far->pages < most_rule_pages) {
    auto next = more(so_far->asked, reply->body);
    if (!next.target.empty()) so_far->calls.push_front(std::move(next));
  }
  fetch_rules(so_far);
}

void connector_driver::rules_failed(const std::string& why) {
  ++rules_failures_;
  log::warn("connector", "rules of instruments not fetched; those known go on to hold",
            {{"venue", std::string{options_.venue->name}}, {"why", why}});
  fetch_rules_in(options_.rules_retry);
}

void connector_driver::on_rules(std::vector<instrument_spec> listed) {
  instrument_rules mine{{std::string{options_.venue->name}}, env_.market->now(), {}};
  for (const auto& each : instruments_) {
    const auto* found = find_rules(listed, each->spec);
    if (found == nullptr) {
      log::warn("connector", "the venue does not list an instrument of ours",
                {{"instrument", each->spec.id.text}, {"symbol", each->spec.venue_symbol}});
      continue;
    }
    auto& row = mine.instruments.emplace_back(*found);
    row.id = each->spec.id;
  }
  rules_ = std::move(mine);
  rules_cached_ = false;
  if (options_.on_rules) options_.on_rules(*rules_);
  fetch_rules_in(options_.rules_every);
}

/// Where an instrument's steps come from, and what the venue says of them.
void connector_driver::write_rules(json_writer& w, const connected_instrument& instrument) const {
  const auto& spec = instrument.spec;
  w.field("tick", format_decimal_short(spec.tick.raw, spec.price_scale));
  w.field("lot", format_decimal_short(spec.lot.raw, spec.size_scale));
  const auto* theirs = rules_ ? find_rules(rules_->instruments, spec) : nullptr;
  w.field("rules", theirs == nullptr ? "configured" : rules_cached_ ? "cached" : "venue");
  if (theirs == nullptr) return;
  const auto fitted = with_rules(spec, *theirs);
  w.field("rules_fetched", rules_->fetched.ns);
  w.field("venue_tick", format_decimal_short(theirs->tick.raw, theirs->price_scale));
  w.field("venue_lot", format_decimal_short(theirs->lot.raw, theirs->size_scale));
  w.field("rules_differ", !fitted || fitted->tick != spec.tick || fitted->lot != spec.lot);
}

} // namespace troupe
