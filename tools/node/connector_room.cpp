#include "actors/connectors/binance_connector_actor.hpp"
#include "tools/node/node.hpp"

namespace troupe::node {
namespace {

std::string connector_key(const std::string& venue, const char* what) { return "venues." + venue + "." + what; }

} // namespace

result<child_definition> connector_child(const room_context& context, const std::string& venue,
                                         const std::vector<instrument_spec>& instruments) {
  if (venue != "binance" && venue != "binance-usdm")
    return error{make_error_code(config_errc::bad_value),
                 "instruments: no connector for venue '" + venue + "' in this version; binance and binance-usdm have one"};
  binance_connector_options options;
  options.kind = venue == "binance" ? binance::market_kind::spot : binance::market_kind::usdm;
  for (const auto& spec : instruments) options.instruments.push_back({spec.id, spec.venue_symbol});
  const auto rest = net::parse_url(context.config.text(connector_key(venue, "rest")));
  const auto stream = net::parse_url(context.config.text(connector_key(venue, "stream")));
  if (!rest) return rest.error();
  if (!stream) return stream.error();
  options.rest = *rest;
  options.sockets = *stream;
  options.authority = context.config.text(connector_key(venue, "ca"));
  return child<binance_connector_state>(named_child("connector/" + venue), spawn_options{}, context.env, options);
}

} // namespace troupe::node
