#include "actors/connectors/backfiller_actor.hpp"

#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"

#include <algorithm>
#include <stdexcept>

namespace troupe {
namespace {

constexpr nanoseconds store_deadline = std::chrono::seconds{10};
constexpr nanoseconds after_store_failure = std::chrono::seconds{5};
constexpr std::uint32_t bars_per_read = 2000;
constexpr std::size_t most_body = 16u << 20;

bool is_refusal(std::uint32_t http_status) noexcept {
  return http_status == 403 || http_status == 418 || http_status == 429;
}

} // namespace

backfiller_state::backfiller_state(self_pointer self, actor_environment env, backfiller_options options)
    : self_{self}, env_{env}, options_{std::move(options)} {
  // Nobody can go on without a known venue: the supervisor learns it as this actor's end.
  if (options_.venue == nullptr) throw std::invalid_argument{"a back-filler needs a venue"};
  net::http_client_options how;
  how.server = options_.rest;
  how.clock = env_.market;
  how.connections = 1;
  how.body_limit = most_body;
  if (how.server.tls) {
    auto tls = net::tls_context::client(options_.authority);
    if (!tls) throw std::invalid_argument{tls.error().message()};
    how.tls = *tls;
  }
  if (options_.second_rest) {
    auto other = how;
    other.server = *options_.second_rest;
    second_rest_ = std::make_unique<net::http_client>(io_, std::move(other));
  }
  rest_ = std::make_unique<net::http_client>(io_, std::move(how));
  if (!options_.candles) return;
  for (const auto& spec : options_.instruments)
    for (const auto interval : options_.intervals) {
      // A venue without candles of this length says so by an empty call.
      if (options_.venue->candle_call(spec, interval, {0}, {interval.count()}).target.empty()) continue;
      backfill_options plan;
      plan.instrument = spec.id;
      plan.interval = interval;
      plan.rules = options_.venue->candles;
      plan.first_pause = options_.first_pause;
      series_.push_back(std::make_unique<series>(series{spec, backfill_series{plan}, {}, {}, {}}));
    }
}

backfiller_state::~backfiller_state() {
  rest_->close();
  if (second_rest_) second_rest_->close();
  io_.stop();
}

backfiller_actor::behavior_type backfiller_state::make_behavior() {
  schedule(self_, options_.tick, [this] { on_tick(); });
  return {
      [this](const status_request&) -> reply<status_report> {
        return status_report{self_->core().name(), status_json()};
      },
      [this](const trade_hole& hole) { on_trade_hole(hole); },
      [this](const rest_answer& answer) { on_answer(answer); },
  };
}

/// One thing at a time: a review of what the store has, or a request.
void backfiller_state::on_tick() {
  schedule(self_, options_.tick, [this] { on_tick(); });
  const auto now = env_.steady->now();
  if (walking_ || asked_ != nullptr || request_trades(now)) return;
  if (busy_ || series_.empty()) return;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    auto& s = *series_[(turn_ + i) % series_.size()];
    if (now >= s.review_at) {
      turn_ = (turn_ + i) % series_.size();
      const auto step = s.plan.options().interval;
      const auto to = floor_to(env_.market->now(), step);
      s.have.clear();
      s.review_at = now + options_.review_every;
      return review(s, to - std::max(options_.lookback, step * options_.least_bars), to);
    }
    if (now >= next_request_ && now >= next_refused_ && request(s)) {
      turn_ = (turn_ + i) % series_.size();
      return;
    }
  }
}

// --- what is there -------------------------------------------------------------------------------

void backfiller_state::review(series& of, market_time from, market_time to) {
  busy_ = true;
  const auto next = of.have.empty() ? from : of.have.back() + nanoseconds{1};
  const bar_range what{of.spec.id, of.plan.options().interval, next, to, bars_per_read};
  ask(self_, env_.names->find<store_actor>(options_.store), store_deadline, what)
      .then([this, &of, from, to](const bar_page& page) { on_have(of, from, to, page); },
            [this, &of](const error& why) {
              busy_ = false;
              ++store_failures_;
              of.review_at = env_.steady->now() + after_store_failure;
              trouble(of, "the store's bars can't be read: " + why.message());
            });
}

void backfiller_state::on_have(series& of, market_time from, market_time to, const bar_page& page) {
  for (const auto& b : page.bars)
    of.have.push_back(b.open_time);
  if (page.more && !page.bars.empty()) return review(of, from, to);
  busy_ = false;
  of.plan.want(from, to, of.have, env_.market->now());
  of.have = {};
}

// --- requests ------------------------------------------------------------------------------------

bool backfiller_state::request(series& of) {
  const auto now = env_.steady->now();
  const auto page = of.plan.next(now);
  if (!page) return false;
  const auto call = options_.venue->candle_call(of.spec, of.plan.options().interval, page->from, page->to);
  if (call.target.empty()) {
    of.plan.on_failure(now);
    return false;
  }
  asked_ = &of;
  next_request_ = now + std::chrono::minutes{1} / std::max(options_.requests_per_minute, 1u);
  send(call);
  return true;
}

void backfiller_state::send(const rest_call& call) {
  net::http_request question;
  question.method = call.method;
  question.target = call.target;
  question.body = call.body;
  const auto number = ++request_;
  // The handle keeps the actor's address alive until the client has called, which it always does once.
  auto& client = second_rest_ && options_.venue->at_second_host(question.target) ? *second_rest_ : *rest_;
  client.send(std::move(question), options_.deadline,
              [number, me = caf::actor_cast<backfiller_actor>(self_)](result<net::http_response> reply) {
                rest_answer answer;
                answer.request = number;
                if (reply) {
                  answer.status = reply->status;
                  answer.body = std::move(reply->body);
                } else {
                  answer.failure = reply.error().message();
                }
                tell_anonymously(me, std::move(answer));
              });
}

void backfiller_state::on_answer(const rest_answer& answer) {
  if (answer.request != request_) return;
  const auto now = env_.steady->now();
  if (is_refusal(answer.status)) next_refused_ = now + options_.refusal_pause;
  if (walking_) return on_trades_answer(answer);
  if (asked_ == nullptr) return;
  auto& of = *std::exchange(asked_, nullptr);
  if (!answer.failure.empty() || answer.status != 200) {
    of.plan.on_failure(now);
    return trouble(of, answer.failure.empty()
                           ? "HTTP " + std::to_string(answer.status) + " " + answer.body.substr(0, 200)
                           : answer.failure);
  }
  auto page = options_.venue->read_candles(of.spec, of.plan.options().interval, answer.body);
  if (!page) {
    of.plan.on_failure(now);
    return trouble(of, page.error().message());
  }
  keep(of, of.plan.on_page(*page, env_.market->now(), now));
}

void backfiller_state::keep(series& of, std::vector<bar> bars) {
  if (bars.empty()) return;
  busy_ = true;
  const auto count = bars.size();
  // What the feed has built from trades meanwhile stays.
  ask(self_, env_.names->find<store_actor>(options_.store), store_deadline, bar_put{std::move(bars), true})
      .then(
          [this, &of, count](const acknowledged& done) {
            busy_ = false;
            stored_ += done.sequence;
            log::info("backfiller", "bars filled",
                      {{"instrument", of.spec.id.text},
                       {"interval_s", std::to_string(of.plan.options().interval.count() / 1'000'000'000)},
                       {"rows", std::to_string(count)},
                       {"new", std::to_string(done.sequence)}});
          },
          [this, &of](const error& why) {
            busy_ = false;
            ++store_failures_;
            // They are missing still: the next review finds them.
            of.review_at = env_.steady->now() + after_store_failure;
            trouble(of, "bars can't be stored: " + why.message());
          });
}

void backfiller_state::trouble(series& of, std::string why) {
  log::warn("backfiller", "a page failed",
            {{"instrument", of.spec.id.text},
             {"interval_s", std::to_string(of.plan.options().interval.count() / 1'000'000'000)},
             {"why", why}});
  of.trouble = std::move(why);
}

// --- status --------------------------------------------------------------------------------------

std::string backfiller_state::status_json() const {
  json_writer w;
  w.begin_object().field("venue", options_.venue->name).field("stored", stored_);
  w.field("store_failures", store_failures_).field("asking", asked_ != nullptr);
  write_trades(w);
  w.key("series").begin_array();
  for (const auto& s : series_) {
    const auto& c = s->plan.counts();
    w.begin_object()
        .field("instrument", std::string_view{s->spec.id.text})
        .field("interval", static_cast<std::int64_t>(s->plan.options().interval.count()))
        .field("missing", s->plan.missing())
        .field("requests", c.requests)
        .field("bars", c.bars)
        .field("holes", c.holes)
        .field("refused", c.refused)
        .field("failures", c.failures)
        .field("given_up", c.given_up)
        .field("trouble", std::string_view{s->trouble})
        .end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
