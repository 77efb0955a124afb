#include "actors/executors/binance_gateway_actor.hpp"
#include "actors/executors/executor_actor.hpp"
#include "actors/executors/paper_venue.hpp"
#include "actors/executors/risk_actor.hpp"
#include "actors/orchestrator/orchestrator_actor.hpp"
#include "runtime/log.hpp"
#include "storage/journal_actor.hpp"
#include "tools/node/node.hpp"

#include <unistd.h>

namespace troupe::node {
namespace {

using namespace std::chrono_literals;

/// Base and quote asset of "BTC-USDT" and "BTC-USDT-PERP".
std::pair<std::string, std::string> assets_of(const instrument_id& id) {
  const std::string symbol{id.symbol()};
  const auto first = symbol.find('-');
  if (first == std::string::npos) return {symbol, {}};
  const auto second = symbol.find('-', first + 1);
  return {symbol.substr(0, first), symbol.substr(first + 1, second == std::string::npos ? second : second - first - 1)};
}

/// A limit in market time that also leaves this much time of the machine: a market that runs 75 times as
/// fast does not make sockets, disks and schedulers faster.
nanoseconds at_least(const room_context& context, nanoseconds market, nanoseconds machine) {
  return std::max(market, machine * static_cast<std::int64_t>(context.rate_permille) / 1000);
}

nanoseconds quote_age(const room_context& context) {
  return at_least(context, context.config.duration("risk.stale_after"), 500ms);
}

size base_amount(const configuration& config, const char* key, const instrument_spec& spec) {
  return {config.decimal(key, spec.size_scale)};
}

risk_options risk_of(const room_context& context, const std::vector<instrument_spec>& instruments) {
  const auto& config = context.config;
  risk_options out;
  for (const auto& spec : instruments) {
    risk_limits limits;
    limits.spec = spec;
    limits.max_long = limits.max_short = base_amount(config, "risk.max_position", spec);
    limits.max_order_size = base_amount(config, "risk.max_order", spec);
    limits.max_order_notional = {config.decimal("risk.max_notional", spec.price_scale + spec.size_scale)};
    limits.collar_ppm = config.decimal("risk.collar", 6);
    limits.max_book_age = quote_age(context);
    out.instruments.push_back(limits);
  }
  out.max_open_orders = static_cast<std::uint32_t>(config.integer("risk.max_open_orders"));
  out.max_orders_in_window = static_cast<std::uint32_t>(config.integer("risk.order_rate"));
  return out;
}

execution_policy policy_of(const room_context& context) {
  const auto& config = context.config;
  execution_policy out;
  out.time_to_live = config.duration("executor.order_life");
  out.reprice_ticks = config.integer("executor.reprice_ticks");
  out.layers = static_cast<std::uint32_t>(config.integer("executor.layers"));
  out.layer_ticks = config.integer("executor.layer_ticks");
  out.intent_expiry = at_least(context, config.duration("executor.intent_life"), 1s);
  if (const auto wait = config.duration("executor.cross_after"); wait.count() > 0) out.cross_after = wait;
  out.max_quote_age = quote_age(context);
  return out;
}

std::string venue_key(const account_id& account, const char* what) {
  return "venues." + account.text.substr(account.text.find('@') + 1) + "." + what;
}

using gateway_maker = std::function<std::unique_ptr<venue_gateway>()>;

result<gateway_maker> binance_maker(const room_context& context, const account_id& account,
                                    const std::vector<instrument_spec>& instruments) {
  const auto key = context.keys.of_account(account.text);
  if (!key) return key.error();
  binance_gateway_options options;
  options.gateway.account = account;
  options.gateway.instruments = instruments;
  options.gateway.recv_window = context.config.duration(venue_key(account, "window"));
  options.gateway.processing_horizon = context.config.duration(venue_key(account, "processing"));
  options.gateway.seed = context.env.seed;
  for (auto& limit : options.gateway.limits.limits)
    if (limit.name == "orders") limit.limit = static_cast<std::uint32_t>(context.config.integer(venue_key(account, "orders")));
  const auto rest = net::parse_url(context.config.text(venue_key(account, "rest")));
  const auto api = net::parse_url(context.config.text(venue_key(account, "api")));
  if (!rest) return rest.error();
  if (!api) return api.error();
  options.rest = *rest;
  options.ws_api = *api;
  options.ws_api.path.clear();
  options.authority = context.config.text(venue_key(account, "ca"));
  // A gateway that can't be made ends the executor, whose supervisor tries again.
  return gateway_maker{[options, key = *key, env = context.env]() -> std::unique_ptr<venue_gateway> {
    auto made = binance_spot_gateway::make(options, {secret{key.key}, secret{key.secret}}, *env.market, *env.steady);
    if (made) return std::move(*made);
    log::error("executor", made.error().message());
    return nullptr;
  }};
}

gateway_maker paper_maker(const room_context& context, const account_id& account,
                          const std::vector<instrument_spec>& instruments) {
  paper_options options;
  options.account = account;
  for (const auto& spec : instruments) {
    const auto [base, quote] = assets_of(spec.id);
    options.instruments.push_back({spec, base, quote});
    options.opening.push_back({quote, context.config.decimal("trading.cash", 8), 0, 8});
  }
  const auto file = context.data / "paper-venue.state";
  return [options, file, market = context.env.market]() -> std::unique_ptr<venue_gateway> {
    const auto saved = read_whole(real_disk(), file, 64u << 20);
    const auto save = [file](const std::string& state) {
      if (auto done = replace_file(real_disk(), file, state); !done) log::error("paper", done.error().message());
    };
    return std::make_unique<paper_gateway>(options, *market, save, saved ? *saved : std::string{});
  };
}

result<std::vector<instrument_spec>> instruments_of(const room_context& context, const account_id& account) {
  std::vector<instrument_spec> out;
  const auto venue = account.text.substr(account.text.find('@') + 1);
  for (const auto& name : context.config.list("instruments")) {
    auto spec = configured_instrument(context.config, name);
    if (!spec) return std::move(spec).error();
    if (spec->id.venue() == venue) out.push_back(std::move(*spec));
  }
  return out;
}

result<child_definition> account_child(const room_context& context, const account_id& account,
                                       const std::vector<instrument_spec>& instruments) {
  journal_options journal;
  journal.directory = context.data / "journal" / account.text;
  journal.identity = {context.self.name.text, local_machine_id(real_disk()), account.text};
  journal.holder = "pid " + std::to_string(::getpid()) + ", node " + context.self.name.text;
  std::error_code failed;
  std::filesystem::create_directories(journal.directory, failed);
  if (failed) return error{failed, journal.directory.string() + " can't be made"};

  executor_actor_options executor;
  executor.core.account = account;
  for (const auto& spec : instruments) {
    const auto [base, quote] = assets_of(spec.id);
    executor.core.instruments.push_back({spec, base, quote});
  }
  executor.core.policy = policy_of(context);
  const auto gateway = context.config.text("trading.gateway");
  if (gateway == "paper") executor.make_gateway = paper_maker(context, account, instruments);
  else if (gateway == "venue") {
    auto maker = binance_maker(context, account, instruments);
    if (!maker) return std::move(maker).error();
    executor.make_gateway = std::move(*maker);
  } else
    return error{make_error_code(config_errc::bad_value), "trading.gateway must be paper or venue, not '" + gateway + "'"};

  // The executor goes down with its journal and comes back after it.
  supervisor_options how;
  how.name = "supervisor/" + account.text;
  how.rules.strategy = restart_strategy::rest_for_one;
  how.seed = context.env.seed + 17;
  how.on_event = log_supervision;
  return child_supervisor(
      context.env, how,
      {child<journal_state>(named_child("journal/" + account.text), spawn_options{.detached = true}, context.env, journal),
       child<executor_shell_state>(named_child("executor/" + account.text), spawn_options{.detached = true}, context.env, executor)});
}

child_definition orchestrator_child(const room_context& context, const account_id& account,
                                    const std::vector<instrument_spec>& instruments) {
  const auto& config = context.config;
  orchestrator_options options;
  for (const auto& spec : instruments) {
    decider_options decide;
    decide.spec = spec;
    const auto fresh = config.duration("orchestrator.prediction_age");
    for (auto& age : decide.fuse.max_age) age = at_least(context, std::max(age, fresh), 1s);
    decide.fuse.max_quote_age = quote_age(context);
    decide.policy.max_position = base_amount(config, "orchestrator.max_position", spec);
    decide.policy.dead_band_ppm = static_cast<std::int32_t>(config.decimal("orchestrator.dead_band", 6));
    decide.policy.full_score_ppm = static_cast<std::int32_t>(config.decimal("orchestrator.full_score", 6));
    decide.policy.shape = config.text("orchestrator.shape") == "sign" ? policy_shape::sign : policy_shape::linear;
    decide.policy.min_holding = config.duration("orchestrator.min_holding");
    decide.policy.min_change = spec.lot;
    decide.policy.long_only = spec.kind == contract_kind::spot && config.boolean("orchestrator.long_only");
    decide.gather = at_least(context, decide.gather, 100ms);
    options.instruments.push_back({.account = account, .decide = decide});
  }
  options.memory = context.data / "orchestrator";
  // On a thread of its own, because it writes what it learned.
  return child<orchestrator_state>(named_child("orchestrator"), spawn_options{.detached = true}, context.env, options);
}

} // namespace

result<std::vector<child_definition>> execution_room(const room_context& context) {
  const account_id account{context.config.text("trading.account")};
  bool ours = false;
  for (const auto& name : context.self.accounts) ours = ours || name == account.text;
  if (!ours)
    return error{make_error_code(config_errc::bad_value), "trading.account " + account.text + " is not an account of node "
                                                              + context.self.name.text + " in nodes.conf"};
  auto instruments = instruments_of(context, account);
  if (!instruments) return std::move(instruments).error();

  risk_actor_options risk;
  risk.limits = risk_of(context, *instruments);
  risk.latch_file = context.data / "halt";
  risk.node = context.self.name;
  risk.quorum = [view = context.view] { return view->quorum(); };
  auto trading = account_child(context, account, *instruments);
  if (!trading) return std::move(trading).error();
  std::vector<child_definition> out;
  out.push_back(child<risk_state>(named_child("risk"), spawn_options{.detached = true}, context.env, risk));
  out.push_back(std::move(*trading));
  out.push_back(orchestrator_child(context, account, *instruments));
  return out;
}

} // namespace troupe::node
