#include "tools/cli/venue_check_commands.hpp"

#include "actors/connectors/venue.hpp"
#include "messages/json.hpp"
#include "tools/node/connector_settings.hpp"
#include "tools/node/node.hpp"
#include "tools/venue_check/venue_check.hpp"
#include "tools/venue_sim/data/dialect.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

// --- list
// -----------------------------------------------------------------------------------------

/// What this version was tried against. Recordings are real streams of the venue that its decoder
/// and books replay; nothing in this table has met the venue itself: `troupe venue check` does,
/// from your machine.
struct evidence {
  std::string_view venue;
  std::string_view recorded; ///< when; empty: single frames and documents only
};

constexpr evidence known_evidence[] = {{"binance", "2024-08"},
                                       {"binance-usdm", "2024-08"},
                                       {"bybit", ""},
                                       {"deribit", "2021"},
                                       {"mexc", ""},
                                       {"coinbase", "2021 (the Exchange feed)"},
                                       {"kraken", "2026-08"},
                                       {"okx", "2022"},
                                       {"kucoin", "2021"},
                                       {"gate", "2021 (the older way)"},
                                       {"bitfinex", "2025-08"},
                                       {"htx", "2022"}};

bool simulated(std::string_view venue) {
  const auto names = venue_sim::dialect_names();
  return venue.starts_with("binance")
         || std::find(names.begin(), names.end(), venue) != names.end();
}

std::string state_of(std::string_view venue) {
  const auto* at = std::ranges::find(known_evidence, venue, &evidence::venue);
  std::string out;
  if (at != std::end(known_evidence) && !at->recorded.empty())
    out = "recorded " + std::string{at->recorded} + ", ";
  if (simulated(venue)) out += "simulated, ";
  return out + "not yet run against the venue";
}

std::string key(std::string_view venue, const char* what) {
  return "venues." + std::string{venue} + "." + what;
}

void print_list(const configuration& config) {
  const auto row = [](auto&& a, auto&& b, auto&& c, auto&& d, auto&& e) {
    std::cout << std::left << std::setw(14) << a << std::setw(13) << b << std::setw(12) << c
              << std::setw(40) << d << e << '\n';
  };
  row("VENUE", "BOOK", "CHECKED", "STREAM", "STATE");
  for (const auto* venue : all_venues())
    row(venue->name, name_of(venue->books.front().rules.family),
        config.text(key(venue->name, "checked")), config.text(key(venue->name, "stream")),
        state_of(venue->name));
}

void write_venue(json_writer& w, const configuration& config, const venue_description& venue) {
  w.begin_object().field("venue", venue.name).field("state", state_of(venue.name));
  for (const char* what : {"rest", "stream", "checked"})
    w.field(what, config.text(key(venue.name, what)));
  w.key("books").begin_array();
  for (const auto& each : venue.books)
    w.begin_object()
        .field("channel", each.name)
        .field("family", name_of(each.rules.family))
        .field("image_in_band", each.rules.image_in_band)
        .end_object();
  w.end_array().key("instruments").begin_array();
  for (const auto& each : config.names("venues." + std::string{venue.name} + ".instruments"))
    w.string(each + "@" + std::string{venue.name});
  w.end_array().end_object();
}

int list_command(const global_options& global) {
  const auto config = load_configuration(global);
  if (!config) return fail(config.error());
  if (!global.json) {
    print_list(*config);
    return 0;
  }
  json_writer w;
  w.begin_array();
  for (const auto* venue : all_venues())
    write_venue(w, *config, *venue);
  w.end_array();
  std::cout << w.text() << '\n';
  return 0;
}

// --- check
// ----------------------------------------------------------------------------------------

std::vector<std::string> venue_names() {
  std::vector<std::string> out;
  for (const auto* each : all_venues())
    out.emplace_back(each->name);
  return out;
}

} // namespace

result<venue_check_options> contact_options(const configuration& config, const venue_contact& arguments) {
  venue_check_options out;
  const auto& name = arguments.venue;
  out.venue = find_venue(name);
  const auto rest =
      net::parse_url(arguments.rest.empty() ? config.text(key(name, "rest")) : arguments.rest);
  const auto stream = net::parse_url(arguments.stream.empty() ? config.text(key(name, "stream"))
                                                              : arguments.stream);
  if (!rest) return rest.error();
  if (!stream) return stream.error();
  out.rest = *rest;
  out.sockets = *stream;
  out.authority = arguments.authority.empty() ? std::filesystem::path{config.text(key(name, "ca"))}
                                              : arguments.authority;
  out.book_channel = config.text(key(name, "book"));
  out.weight = static_cast<std::uint32_t>(config.integer(key(name, "weight")));
  out.traits = node::configured_traits(config, *out.venue);
  out.weight_window = config.duration(key(name, "weight_window"));
  auto wanted = arguments.instruments;
  if (wanted.empty())
    for (const auto& each : config.names("venues." + name + ".instruments"))
      wanted.push_back(each + "@" + name);
  for (const auto& each : wanted) {
    auto spec = node::configured_instrument(
        config, each.find('@') == std::string::npos ? each + "@" + name : each);
    if (!spec) return std::move(spec).error();
    out.instruments.push_back(std::move(*spec));
  }
  if (out.instruments.empty())
    return {config_errc::missing_value, "venues.yaml has no instruments of " + name
                                            + "; write one below venues." + name + ".instruments"};
  return out;
}

namespace {

struct check_arguments : venue_contact {
  unsigned seconds = 30;
  bool as_listed = false;
};

/// The instruments as the venue itself lists them, decimals, steps and spelling. One that it does not list
/// stays as configured, so that the list of what passed names it.
status take_listed(venue_check_options& options) {
  const auto listed = fetch_instruments(options, std::chrono::seconds{20});
  if (!listed) return listed.error();
  for (auto& spec : options.instruments) {
    const auto found = std::ranges::find(*listed, spec.id, &instrument_spec::id);
    if (found != listed->end()) spec = *found;
  }
  return ok;
}

void print_lines(const check_list& lines, bool json, json_writer& w) {
  for (const auto& each : lines) {
    if (json)
      w.begin_object()
          .field("point", each.point)
          .field("verdict", name_of(each.verdict))
          .field("words", each.words)
          .end_object();
    else
      std::cout << std::left << std::setw(6) << name_of(each.verdict) << std::setw(42) << each.point
                << each.words << std::endl;
  }
}

int check_command(const global_options& global, const check_arguments& arguments) {
  const auto config = load_configuration(global);
  if (!config) return fail(config.error());
  auto options = contact_options(*config, arguments);
  if (!options) return fail(options.error());
  options->most = std::chrono::seconds{arguments.seconds};
  options->least = std::min<nanoseconds>(options->least, options->most);
  if (arguments.as_listed)
    if (const auto taken = take_listed(*options); !taken) return fail(taken.error());
  json_writer w;
  w.begin_array();
  const auto rules = check_rules(*options);
  print_lines(rules, global.json, w);
  const auto is_there = std::ranges::any_of(rules, [](const check_line& each) {
    return each.point == "TLS" && each.verdict != check_verdict::fail;
  });
  check_list market;
  if (is_there) market = check_market_data(*options);
  print_lines(market, global.json, w);
  w.end_array();
  if (global.json) std::cout << w.text() << '\n';
  const bool good = is_there && passed(rules) && passed(market);
  if (!global.json)
    std::cout << (good ? "passed: " : "FAILED: ") << arguments.venue << " at "
              << options->sockets.host << '\n';
  return good ? 0 : 1;
}

} // namespace

void add_venue_check_commands(CLI::App& venue, global_options& global) {
  auto* list = venue.add_subcommand(
      "list",
      "The venues: hosts, when they were checked, kind of book, what each was tried against");
  list->callback(run(global, [&global] { return list_command(global); }));
  auto* check =
      venue.add_subcommand("check", "Read-only first contact with a venue, without keys: a list of "
                                    "what passed, exit code 1 if something failed");
  auto arguments = std::make_shared<check_arguments>();
  check->add_option("VENUE", arguments->venue, "Which venue")
      ->required()
      ->check(CLI::IsMember(venue_names()));
  check->add_option("--rest", arguments->rest,
                    "Base URL of the REST API instead of the configured one");
  check->add_option("--stream", arguments->stream,
                    "Base URL of the sockets instead of the configured one");
  check
      ->add_option("--ca", arguments->authority,
                   "File of the authority that signed the venue's certificate")
      ->check(CLI::ExistingFile);
  check->add_option("--instrument", arguments->instruments,
                    "Instruments instead of all configured ones, BTC-USDT");
  check->add_flag("--as-listed", arguments->as_listed,
                  "Decimals, steps and spelling as the venue lists them instead of the configured ones");
  check->add_option("--for", arguments->seconds, "Seconds that the feeds are watched at most")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  check->callback(run(global, [&global, arguments] { return check_command(global, *arguments); }));
}

} // namespace troupe::cli
