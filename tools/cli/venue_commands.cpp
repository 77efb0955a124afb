#include "messages/money.hpp"
#include "runtime/config/credentials.hpp"
#include "tools/cli/command.hpp"
#include "tools/cli/venue_check_commands.hpp"
#include "tools/venue_sim/data/data_server.hpp"
#include "tools/venue_sim/data/dialect.hpp"
#include "tools/venue_sim/venue_sim.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

constexpr int most_orders_per_10s = 1'000'000;
constexpr int balance_decimals = 8;

struct sim_arguments {
  venue_sim::venue_sim_options options;
  std::string venue = "binance";
  std::string speed = "1";
  std::filesystem::path credentials_file;
  std::string account = "main@binance";
  bool once = false;
  bool fit = false;
  std::vector<std::string> symbols;
  double volatility = 1;
  double activity = 1;
  std::size_t truth_changes = 200'000;
};

/// The venues that a simulator can play.
std::vector<std::string> simulated_venues() {
  std::vector<std::string> out{"binance", "binance-usdm"};
  for (const auto name : venue_sim::dialect_names())
    if (std::find(out.begin(), out.end(), name) == out.end()) out.emplace_back(name);
  return out;
}

/// Public market data only: all venues but the two whose orders are matched.
int data_venue_command(const sim_arguments& arguments) {
  venue_sim::data_server_options options;
  const auto& asked = arguments.options;
  options.venue = arguments.venue;
  options.folder = asked.folder;
  options.tapes = asked.tapes;
  if (!arguments.symbols.empty()) options.symbols = arguments.symbols;
  options.seed = asked.seed;
  options.volatility = arguments.volatility;
  options.activity = arguments.activity;
  options.truth_changes = arguments.truth_changes;
  options.clock = asked.clock;
  options.address = asked.address;
  options.port = asked.port;
  options.control_port = asked.control_port;
  options.faults = asked.faults;
  options.ready_fd = asked.ready_fd;
  return venue_sim::data_server_main(options);
}

int fit_command(const sim_arguments& arguments) {
  const auto fitted = venue_sim::fit_generated_market(arguments.options.tapes);
  if (!fitted) return fail(fitted.error());
  std::cout << *fitted << '\n';
  return 0;
}

status check_balance(const char* option, const std::string& text) {
  const auto amount = parse_decimal(text, balance_decimals);
  if (amount && *amount >= 0) return ok;
  return {money_errc::not_a_number,
          std::string{option} + " " + text + ": write an amount of at least 0 with at most "
              + std::to_string(balance_decimals) + " decimals"};
}

int sim_command(sim_arguments& arguments) {
  if (arguments.fit) return fit_command(arguments);
  auto& options = arguments.options;
  if (arguments.venue == "binance-usdm") options.venue = venue_sim::venue_kind::binance_usdm;
  const auto rate = parse_decimal(arguments.speed, 3);
  if (!rate || *rate <= 0)
    return fail({make_error_code(money_errc::not_a_number),
                 "--speed " + arguments.speed + ": write a number above 0 with at most 3 decimals"});
  if (auto done = check_balance("--base", options.base_balance); !done) return fail(done.error());
  if (auto done = check_balance("--quote", options.quote_balance); !done) return fail(done.error());
  options.clock.rate_permille = *rate;
  const bool trades = arguments.venue.starts_with("binance") && arguments.symbols.empty();
  if (!trades) return data_venue_command(arguments);
  options.loop = !arguments.once;
  if (!arguments.credentials_file.empty()) {
    const auto keys = credentials::load(arguments.credentials_file);
    if (!keys) return fail(keys.error());
    auto key = keys->of_account(arguments.account);
    if (!key) return fail(key.error());
    options.api_key = key->key;
    options.api_secret = key->secret;
  }
  return venue_sim::venue_sim_main(options);
}

} // namespace

void add_venue_commands(CLI::App& app, global_options& global) {
  auto* venue = app.add_subcommand("venue", "Venues: list them, check one, run a simulator");
  venue->require_subcommand(1);
  add_venue_check_commands(*venue, global);
  auto* sim = venue->add_subcommand(
      "sim", "A venue simulator on loopback TLS: market data from a tape or generated, orders matched and ledgered");
  auto arguments = std::make_shared<sim_arguments>();
  auto& options = arguments->options;
  sim->add_option("--venue", arguments->venue, "Which venue; orders are matched on binance, the others serve market data")
      ->check(CLI::IsMember(simulated_venues()))
      ->capture_default_str();
  sim->add_option("--volatility", arguments->volatility, "Of a data venue's generated market, as a share of the recorded one's")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  sim->add_option("--activity", arguments->activity, "Of a data venue's generated market: how often things happen, likewise")
      ->check(CLI::Range(0.0001, 100.0))
      ->capture_default_str();
  sim->add_option("--truth-changes", arguments->truth_changes, "Of a data venue: how many changes of a market /truth remembers; 0: none")
      ->capture_default_str();
  sim->add_option("--symbol", arguments->symbols, "Symbols of a data venue, BTC-USDT or BTC-USDT-PERP; with binance: market data only");
  sim->add_option("--tape", options.tapes, "Tape or recording of one stream; several are played in order. Without: generated market")
      ->check(CLI::ExistingFile);
  sim->add_option("--folder", options.folder, "Folder of ledger and certificates")->default_val("data/venue-sim");
  sim->add_option("--speed", arguments->speed, "Market time per wall time")->capture_default_str();
  sim->add_flag("--once", arguments->once, "Play the recording once instead of in a loop");
  sim->add_option("--seed", options.seed, "Seed of the generated market and of random faults")->capture_default_str();
  sim->add_option("--address", options.address, "Numeric address to listen on; another one than loopback only within a network of test hosts")
      ->check(CLI::ValidIPV4)
      ->capture_default_str();
  sim->add_option("--port", options.port, "REST and WebSocket port; 0 = any")->capture_default_str();
  sim->add_option("--control-port", options.control_port, "Control port; 0 = any")->capture_default_str();
  sim->add_option("--origin-market", options.clock.origin_market_ns, "Market time in ns at the steady origin; 0 = the source's start");
  sim->add_option("--origin-steady", options.clock.origin_steady_ns, "Steady time in ns of the market origin; 0 = now");
  sim->add_option("--credentials", arguments->credentials_file, ".env file with the key that the simulator accepts")
      ->check(CLI::ExistingFile);
  sim->add_option("--account", arguments->account, "Account in that file")->capture_default_str();
  sim->add_option("--base", options.base_balance, "Opening balance of the base asset")->capture_default_str();
  sim->add_option("--quote", options.quote_balance, "Opening balance of the quote asset")->capture_default_str();
  sim->add_option("--orders-per-10s", options.orders_per_10s, "Order limit of the account, steady time")
      ->check(CLI::Range(1, most_orders_per_10s))
      ->capture_default_str();
  sim->add_option("--faults", options.faults, "Faults that are on from the start, as JSON");
  sim->add_option("--ready-fd", options.ready_fd, "Descriptor that gets the ready line")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sim->add_flag("--fit", arguments->fit, "Fit the generated market to the tapes, print the parameters and exit");
  sim->callback(run(global, [arguments] { return sim_command(*arguments); }));
}

} // namespace troupe::cli
