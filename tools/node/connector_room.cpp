#include "actors/connectors/venue_connector_actor.hpp"
#include "tools/node/node.hpp"

namespace troupe::node {
namespace {

std::string connector_key(const std::string& venue, const char* what) { return "venues." + venue + "." + what; }

error no_connector(const std::string& venue) {
  std::string known;
  for (const auto* each : all_venues()) known += (known.empty() ? "" : ", ") + std::string{each->name};
  return {make_error_code(config_errc::bad_value),
          "instruments: there is no venue '" + venue + "'; there are " + known};
}

} // namespace

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
  options.authority = config.text(connector_key(venue, "ca"));
  options.what.book_channel = config.text(connector_key(venue, "book"));
  options.weight = static_cast<std::uint32_t>(config.integer(connector_key(venue, "weight")));
  options.weight_window = config.duration(connector_key(venue, "weight_window"));
  return child<venue_connector_state>(named_child("connector/" + venue), spawn_options{}, context.env, options);
}

} // namespace troupe::node
