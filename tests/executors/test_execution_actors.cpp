#define CAF_SUITE execution_actors
#include "actors/executors/executor_actor.hpp"
#include "actors/executors/halt_latch.hpp"
#include "actors/executors/paper_venue.hpp"
#include "actors/executors/risk_actor.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "storage/journal_actor.hpp"
#include "tests/executors/simulation.hpp"
#include "tests/storage/disks.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/test/unit_test.hpp>

#include <fstream>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

const account_id account{"main@binance"};
const instrument_id btc{sim::instrument_name};

struct config : caf::actor_system_config {
  config() { register_message_types(*this); }
};

/// Feeds whoever subscribes with a quote every few milliseconds.
struct ticker_state {
  using handle_type = feed_actor;
  using self_pointer = actor_pointer<feed_actor>;
  static inline const char* name = "feed";

  ticker_state(self_pointer self, actor_environment env) : self_{self}, env_{env} {}
  feed_actor::behavior_type make_behavior() {
    turn();
    return {
        [this](const status_request&) {
          return status_report{"feed", "{}"};
        },
        [](const frame_batch&) {},
        [](const book_image&) {},
        [](const session_event&) {},
        [this](const caf::strong_actor_ptr& whom, const std::string& who) {
          subscribers_[who] = whom;
          return acknowledged{};
        },
        [](const acknowledged&) {},
        [](const past_trades&) {},
    };
  }

private:
  void turn() {
    ++count_;
    quote q;
    q.instrument = btc;
    q.at = env_.market->now();
    q.sequence = count_;
    q.validity = book_validity::valid;
    // Up and down by more than the spread, so that resting orders are reached.
    const auto mid =
        6'000'000
        + static_cast<std::int64_t>(count_ % 40 < 20 ? count_ % 40 : 40 - count_ % 40) * 10;
    q.bid = {{mid - 5}, {1'000}};
    q.ask = {{mid + 5}, {1'000}};
    for (const auto& [who, whom] : subscribers_) {
      const auto now = env_.names->handle(who);
      tell(self_, now ? now : whom, q);
    }
    schedule(self_, 2ms, [this] { turn(); });
  }

  self_pointer self_;
  actor_environment env_;
  std::map<std::string, caf::strong_actor_ptr> subscribers_;
  std::uint64_t count_ = 0;
};

struct fixture {
  fixture() { log::set_least(static_cast<log::severity>(4)); }
  ~fixture() {
    for (const auto& name :
         {"executor/main@binance", "journal/main@binance", "risk", "feed/BTC-USDT@binance"})
      end(name);
    names.clear();
    log::set_least(log::severity::info);
  }

  template <class Handle>
  Handle enter(const std::string& name, Handle h) {
    names.put(name, {caf::actor_cast<caf::strong_actor_ptr>(h), {}, names.next_incarnation()});
    return h;
  }

  void end(const std::string& name, bool hard = false) {
    auto entry = names.entry(name);
    if (!entry || !entry->handle) return;
    auto handle = caf::actor_cast<caf::actor>(entry->handle);
    names.remove(name, entry->incarnation, entry->handle);
    hard ? send_kill(handle) : send_shutdown(handle);
    self->wait_for(handle);
  }

  feed_actor start_feed() {
    return enter("feed/" + btc.text,
                 spawn_actor<ticker_state>(system, {.name = "feed/" + btc.text}, env));
  }

  risk_actor start_risk() {
    risk_actor_options options;
    risk_limits limits;
    limits.spec = sim::btc_spec();
    limits.max_long = limits.max_short = {5'000};
    limits.max_order_size = {5'000};
    limits.max_order_notional = {100'000'0000000};
    options.limits.instruments.push_back(limits);
    options.latch_file = folder / "halt";
    return enter("risk",
                 spawn_actor<risk_state>(system, {.name = "risk", .detached = true}, env, options));
  }

  void start_journal() {
    journal_options options{.directory = folder / "journal",
                            .identity = {"exec", "machine-1", account.text},
                            .segment_bytes = 256u << 10};
    enter("journal/" + account.text,
          spawn_actor<journal_state>(system, {.name = "journal/" + account.text, .detached = true},
                                     env, options));
  }

  executor_actor start_executor() {
    executor_actor_options options;
    options.core.account = account;
    options.core.instruments = {{sim::btc_spec(), "BTC", "USDT"}};
    options.core.policy.time_to_live = 500ms;
    options.core.policy.cross_after = 200ms;
    options.core.audit_every = 1s;
    options.make_gateway = [this] {
      paper_options paper;
      paper.account = account;
      paper.instruments = {{sim::btc_spec(), "BTC", "USDT"}};
      paper.opening = {{"BTC", 10'00000000, 0, 8}, {"USDT", 1'000'000'00000000, 0, 8}};
      return std::make_unique<paper_gateway>(
          paper, market, [this](const std::string& s) { saved = s; }, saved);
    };
    options.tick = 5ms;
    return enter("executor/" + account.text,
                 spawn_actor<executor_shell_state>(system, {.name = "executor/" + account.text},
                                                   env, options));
  }

  template <class Answer, class Handle, class Question>
  result<Answer> ask(const Handle& dst, Question question) {
    result<Answer> out = error{make_error_code(executor_errc::bad_input), "no answer"};
    self->request(dst, 20s, std::move(question))
        .receive([&](Answer& answer) { out = std::move(answer); },
                 [&](caf::error& err) { out = from_caf(err); });
    return out;
  }

  template <class Handle>
  std::string status(const Handle& dst) {
    return ask<status_report>(dst, status_request{}).value_or({}).json;
  }

  /// Asks until the status holds the text; at most ten seconds.
  template <class Handle>
  bool wait_for(const Handle& dst, const std::string& text) {
    for (int i = 0; i < 2'000; ++i) {
      if (status(dst).find(text) != std::string::npos) return true;
      // The question itself waits for the actor; between two of them the others work.
      self->receive(caf::after(5ms) >> [] {});
    }
    CAF_MESSAGE("never saw " << text << " in " << status(dst));
    return false;
  }

  static std::int64_t number(const std::string& json, const std::string& key) {
    const auto at = json.find("\"" + key + "\":");
    return at == std::string::npos ? -1 : std::atoll(json.c_str() + at + key.size() + 3);
  }

  void decide(const executor_actor& executor, std::int64_t target) {
    decision d;
    d.sequence = ++decisions;
    d.instrument = btc;
    d.at = market.now();
    d.target = {target};
    CAF_CHECK(ask<acknowledged>(executor, d));
  }

  config cfg;
  caf::actor_system system{cfg};
  caf::scoped_actor self{system};
  monotonic_clock steady;
  wall_clock market;
  directory names;
  scratch_folder folder;
  actor_environment env{.market = &market, .steady = &steady, .names = &names, .seed = 1};
  std::string saved; ///< the paper venue's state, which a restart of ours does not touch
  std::uint64_t decisions = 0;
};

} // namespace

CAF_TEST(a halt file reads back and damage is noticed) {
  const halt_state state{trading_state::reducing, "me", "a reason"};
  auto bytes = encode_halt(state);
  const auto back = decode_halt(bytes);
  CAF_REQUIRE(back);
  CAF_CHECK(*back == state);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    CAF_CHECK(!decode_halt(bad));
    CAF_CHECK(!decode_halt(std::string_view{bytes}.substr(0, i)));
  }
}

CAF_TEST_FIXTURE_SCOPE(execution_actor_tests, fixture)

CAF_TEST(decisions become fills and a restart keeps them) {
  start_feed();
  start_risk();
  start_journal();
  auto executor = start_executor();
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"live\""));
  decide(executor, 500);
  CAF_REQUIRE(wait_for(executor, "\"position\":\"0.004995"));
  decide(executor, -300);
  CAF_REQUIRE(wait_for(executor, "\"position\":\"-0.0029"));
  const auto before = status(executor);
  CAF_CHECK(number(before, "fills") >= 2);
  CAF_CHECK(number(before, "alarms") == 0);

  // Everything of ours dies; the venue's state is elsewhere.
  end("executor/main@binance", true);
  end("journal/main@binance", true);
  start_journal();
  executor = start_executor();
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"live\""));
  const auto after = status(executor);
  CAF_CHECK(number(after, "fills") >= number(before, "fills"));
  CAF_CHECK_EQUAL(number(after, "epoch"), number(before, "epoch") + 1);
  CAF_CHECK(after.find("\"position\":\"-0.00") != std::string::npos);
  CAF_CHECK_EQUAL(number(after, "alarms"), 0);
  decide(executor, 200);
  CAF_CHECK(wait_for(executor, "\"position\":\"0.0019"));
}

CAF_TEST(a halt is latched on the disk and outlives risk) {
  start_feed();
  auto risk = start_risk();
  start_journal();
  auto executor = start_executor();
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"live\""));
  CAF_CHECK(!ask<halt_state>(risk, halt_command{trading_state::halted, "me", ""}));
  CAF_REQUIRE(ask<halt_state>(risk, halt_command{trading_state::halted, "me", "fire"}));
  CAF_CHECK(decode_halt(read_whole(real_disk(), folder / "halt", 1 << 16).value_or("")));
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"halted\""));
  const auto orders = number(status(executor), "intents");
  decide(executor, 500);
  end("risk", true);
  risk = start_risk();
  CAF_CHECK(status(risk).find("\"state\":\"halted\"") != std::string::npos);
  CAF_CHECK(status(risk).find("fire") != std::string::npos);
  self->receive(caf::after(300ms) >> [] {});
  CAF_CHECK_EQUAL(number(status(executor), "intents"), orders);
  CAF_CHECK(!ask<halt_state>(risk, halt_command{trading_state::active, "me", ""}));
  // What stopped everything is not loosened into what stops only entries: a person lifts it, or it stands.
  CAF_CHECK(!ask<halt_state>(risk, halt_command{trading_state::reducing, "me", "entries only"}));
  CAF_CHECK(status(risk).find("\"state\":\"halted\"") != std::string::npos);
  CAF_REQUIRE(ask<halt_state>(risk, halt_command{trading_state::active, "me", "fire is out"}));
  CAF_CHECK(wait_for(executor, "\"position\":\"0.004995"));
}

CAF_TEST(each change of the trading state is audited and none is lifted without) {
  auto risk = start_risk();
  CAF_REQUIRE(ask<halt_state>(risk, halt_command{trading_state::halted, "me", "fire"}));
  CAF_REQUIRE(ask<halt_state>(risk, halt_command{trading_state::active, "you", "fire is out"}));
  const auto lines = read_whole(real_disk(), folder / "audit.log", 1 << 16).value_or("");
  const auto has = [&](const std::string& text) { return lines.find(text) != std::string::npos; };
  CAF_CHECK_EQUAL(std::count(lines.begin(), lines.end(), '\n'), 4);
  CAF_CHECK(has(R"("event":"command","who":"me","verb":"halted","target":"trading","arguments":{"reason":"fire"})"));
  CAF_CHECK(has(R"("arguments":{"reason":"fire"},"done":true,"text":"trading is halted")"));
  CAF_CHECK(has(R"("who":"you","verb":"active","target":"trading","arguments":{"reason":"fire is out"},"done":true)"));
  // Where nothing can be audited a halt is taken all the same, and only a halt.
  end("risk", true);
  fs::remove(folder / "audit.log");
  fs::create_directory(folder / "audit.log");
  risk = start_risk();
  CAF_CHECK(ask<halt_state>(risk, halt_command{trading_state::halted, "me", "flood"}));
  CAF_CHECK(!ask<halt_state>(risk, halt_command{trading_state::active, "me", "dry"}));
  CAF_CHECK(status(risk).find("\"state\":\"halted\"") != std::string::npos);
}

CAF_TEST(a damaged halt file halts) {
  std::ofstream{folder / "halt"} << "troupe-halt 1 0123456789abcdef\nnonsense";
  auto risk = start_risk();
  const auto json = status(risk);
  CAF_CHECK(json.find("\"state\":\"halted\"") != std::string::npos);
  CAF_CHECK(json.find("damaged") != std::string::npos);
}

CAF_TEST(without risk the executor refuses by itself) {
  start_feed();
  start_risk();
  start_journal();
  auto executor = start_executor();
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"live\""));
  end("risk", true);
  CAF_CHECK(wait_for(executor, "\"state_name\":\"without_lease\""));
  start_risk();
  CAF_CHECK(wait_for(executor, "\"state_name\":\"live\""));
}

CAF_TEST(an executor that is killed alone trades again under the same epoch) {
  start_feed();
  start_risk();
  start_journal();
  auto executor = start_executor();
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"live\""));
  decide(executor, 500);
  CAF_REQUIRE(wait_for(executor, "\"position\":\"0.004995"));
  const auto before = status(executor);
  end("executor/main@binance", true);
  executor = start_executor();
  // Risk has told the epoch's first executor how trading stands, and tells this one, too.
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"live\""));
  const auto after = status(executor);
  CAF_CHECK_EQUAL(number(after, "epoch"), number(before, "epoch"));
  CAF_CHECK_EQUAL(number(after, "fills"), number(before, "fills"));
  decide(executor, -300);
  CAF_CHECK(wait_for(executor, "\"position\":\"-0.0029"));
}

CAF_TEST(the executor ends with its journal) {
  start_feed();
  start_risk();
  start_journal();
  auto executor = start_executor();
  CAF_REQUIRE(wait_for(executor, "\"state_name\":\"live\""));
  end("journal/main@binance", true);
  auto handle = caf::actor_cast<caf::actor>(executor);
  executor = nullptr;
  self->wait_for(handle); // returns because it ended
  CAF_CHECK(!ask<status_report>(caf::actor_cast<executor_actor>(handle), status_request{}));
}

CAF_TEST(an older epoch gets no lease) {
  auto risk = start_risk();
  CAF_CHECK(ask<lease_grant>(risk, lease_request{account, 7}).value_or({}).granted);
  const auto refused = ask<lease_grant>(risk, lease_request{account, 6});
  CAF_REQUIRE(refused);
  CAF_CHECK(!refused->granted);
  CAF_CHECK_EQUAL(refused->epoch, 7u);
}

CAF_TEST_FIXTURE_SCOPE_END()
