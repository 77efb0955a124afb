#include "actors/connectors/venue_connector_actor.hpp"
#include "runtime/log.hpp"
#include "storage/instrument_rules.hpp"
#include "tools/node/connector_settings.hpp"
#include "tools/node/node.hpp"
#include "tools/node/placement_room.hpp"

namespace troupe::node {
namespace {

std::string connector_key(const std::string& venue, const char* what) {
  return "venues." + venue + "." + what;
}

error no_connector(const std::string& venue) {
  std::string known;
  for (const auto* each : all_venues())
    known += (known.empty() ? "" : ", ") + std::string{each->name};
  return {make_error_code(config_errc::bad_value),
          "instruments: there is no venue '" + venue + "'; there are " + known};
}

std::filesystem::path rules_directory(const room_context& context) {
  return context.data / "instruments";
}

/// What an earlier run heard from the venue; a damaged file is named and left aside.
std::optional<instrument_rules> known_rules(const room_context& context, const std::string& venue) {
  auto rules = load_rules(real_disk(), rules_directory(context), {venue});
  if (rules) return std::move(*rules);
  if (rules.error().code != make_error_code(storage_errc::not_found))
    log::warn("connector", "rules of instruments not read; the configured ones hold",
              {{"why", rules.error().message()}});
  return {};
}

} // namespace

instrument_spec with_known_rules(const room_context& context, const instrument_spec& configured) {
  const auto rules = known_rules(context, std::string{configured.id.venue()});
  const auto* theirs = rules ? find_rules(rules->instruments, configured) : nullptr;
  if (theirs == nullptr) return configured;
  auto fitted = with_rules(configured, *theirs);
  if (fitted) return std::move(*fitted);
  log::warn("connector", "the venue's rules don't fit the configuration",
            {{"instrument", configured.id.text}, {"why", fitted.error().message()}});
  return configured;
}

result<child_definition> connector_child(const room_context& context, const std::string& venue,
                                         const std::vector<instrument_spec>& instruments) {
  const auto& config = context.config;
  venue_connector_options options;
  options.venue = find_venue(venue);
  if (options.venue == nullptr) return no_connector(venue);
  options.instruments = instruments;
  const auto rest = net::parse_url(config.text(connector_key(venue, "rest")));
  const auto stream = net::parse_url(config.text(connector_key(venue, "stream")));
  if (!rest) return rest.error();
  if (!stream) return stream.error();
  options.rest = *rest;
  options.sockets = *stream;
  for (const auto& [what, where] : {std::pair{"swap_rest", &options.second_rest}, {"swap_stream", &options.second_sockets}}) {
    const auto url = config.text(connector_key(venue, what));
    if (url.empty()) continue;
    const auto at = net::parse_url(url);
    if (!at) return at.error();
    *where = *at;
  }
  options.authority = config.text(connector_key(venue, "ca"));
  options.traits = configured_traits(config, *options.venue);
  options.what.book_channel = config.text(connector_key(venue, "book"));
  options.weight = static_cast<std::uint32_t>(config.integer(connector_key(venue, "weight")));
  options.weight_window = config.duration(connector_key(venue, "weight_window"));
  options.known_rules = known_rules(context, venue);
  options.on_rules = [directory = rules_directory(context)](const instrument_rules& rules) {
    if (const auto saved = save_rules(real_disk(), directory, rules); !saved)
      log::warn("connector", "rules of instruments not kept", {{"why", saved.error().message()}});
  };
  return child<venue_connector_state>(named_child(own_name(context, node_role::ingest, "connector/" + venue)), spawn_options{},
                                      context.env, options);
}

} // namespace troupe::node
