#include "actors/feeds/feed_actor.hpp"
#include "actors/predictors/predictor_actor.hpp"
#include "storage/store_actor.hpp"
#include "tools/node/market_room.hpp"
#include "tools/node/node.hpp"
#include "tools/node/placement_room.hpp"

namespace troupe::node {
namespace {

std::string rule_key(const instrument_id& id, const char* what) {
  return "venues." + std::string{id.venue()} + ".instruments." + std::string{id.symbol()} + "." + what;
}

child_definition store_child(const room_context& context) {
  store_options options;
  options.directory = context.data / "store";
  options.checkpoints = context.data / "checkpoints";
  return child<store_state>(named_child(own_name(context, node_role::ingest, "store")), spawn_options{.detached = true}, context.env, options);
}

/// Market time runs `rate` times as fast as the socket: a gap of the socket's making must not look stale.
nanoseconds stale_after(const room_context& context) {
  const auto rate = static_cast<std::int64_t>(context.rate_permille);
  return std::max(context.config.duration("feed.stale_after"), nanoseconds{std::chrono::seconds{2}} * rate / 1000);
}

child_definition feed_child(const room_context& context, const instrument_spec& spec,
                            const std::vector<consolidated_options>& books) {
  feed_actor_options options;
  options.core.spec = spec;
  const auto venue_key = "venues." + std::string{spec.id.venue()};
  options.book_channel = context.config.text(venue_key + ".book");
  if (const auto swaps = context.config.text(venue_key + ".swap_book"); spec.kind != contract_kind::spot && !swaps.empty())
    options.book_channel = swaps;
  options.core.frame_interval = context.config.duration("predictor.interval");
  options.core.stale_after = stale_after(context);
  options.contract_e8 = contract_value(context.config, spec.id);
  if (fills_trades(context.config)) options.trade_filler = own_name(context, node_role::ingest, "backfiller/" + std::string{spec.id.venue()});
  options.trade_reach = context.config.duration("backfill.trades");
  options.connector = own_name(context, node_role::ingest, "connector/" + std::string{spec.id.venue()});
  options.bar_store = own_name(context, node_role::ingest, "store");
  show_to_books(options, books);
  options.quote_subscribers = {"orchestrator", "risk", "executor/" + context.config.text("trading.account")};
  return child<feed_state>(named_child("feed/" + spec.id.text), spawn_options{}, context.env, options);
}

child_definition predictor_child(const room_context& context, const instrument_id& instrument, horizon over) {
  const auto& config = context.config;
  predictor_actor_options options;
  options.core.instrument = instrument;
  options.core.over = over;
  options.core.tolerance = config.duration("predictor.late_tolerance");
  options.core.seam_origin = market_time{config.integer("source.lap_origin")};
  options.core.seam_period = config.duration("source.lap_length");
  options.model = config.text("predictor.model");
  options.store = own_name(context, node_role::ingest, "store");
  options.model_timeout = config.duration("predictor.ask_timeout");
  const auto id = "predictor/" + instrument.text + "/" + std::string{name_of(over)};
  return child<predictor_state>(named_child(id), spawn_options{}, context.env, options);
}

} // namespace

result<instrument_spec> configured_instrument(const configuration& config, const std::string& instrument) {
  instrument_spec out;
  out.id.text = instrument;
  if (out.id.venue().empty())
    return {config_errc::bad_value, "instruments: '" + instrument + "' must be written SYMBOL@venue, such as BTC-USDT@binance"};
  out.venue_symbol = config.text(rule_key(out.id, "symbol"));
  if (out.venue_symbol.empty())
    return {config_errc::missing_value, "venues.yaml has no " + rule_key(out.id, "symbol") + " for the instrument " + instrument};
  out.kind = out.id.symbol().ends_with("-PERP") ? contract_kind::linear : contract_kind::spot;
  if (const auto kind = config.text(rule_key(out.id, "kind")); !kind.empty())
    out.kind = kind == "inverse"  ? contract_kind::inverse
               : kind == "linear" ? contract_kind::linear
                                  : contract_kind::spot;
  out.price_scale = static_cast<std::uint8_t>(config.integer(rule_key(out.id, "price_scale")));
  out.size_scale = static_cast<std::uint8_t>(config.integer(rule_key(out.id, "size_scale")));
  out.tick = price{config.decimal(rule_key(out.id, "tick"), out.price_scale)};
  out.lot = size{config.decimal(rule_key(out.id, "lot"), out.size_scale)};
  out.min_size = out.lot;
  out.max_size = size{INT64_MAX};
  out.min_notional = cash{config.decimal(rule_key(out.id, "min_notional"), out.price_scale + out.size_scale)};
  if (out.tick.raw <= 0 || out.lot.raw <= 0)
    return {config_errc::bad_value, "venues.yaml: tick and lot of " + instrument + " must be multiples of its scales above 0"};
  return out;
}

result<std::vector<child_definition>> ingest_room(const room_context& context) {
  std::vector<child_definition> out{store_child(context)};
  std::vector<instrument_spec> specs;
  std::map<std::string, std::vector<instrument_spec>> by_venue;
  for (const auto& name : context.config.list("instruments")) {
    auto spec = configured_instrument(context.config, name);
    if (!spec) return std::move(spec).error();
    *spec = with_known_rules(context, *spec);
    if (belongs_here(context, node_role::ingest, name)) by_venue[std::string{spec->id.venue()}].push_back(*spec);
    specs.push_back(std::move(*spec));
  }
  const auto books = merged_books(context.config, specs, stale_after(context));
  if (!books) return books.error();
  for (const auto& spec : specs) {
    if (!belongs_here(context, node_role::ingest, spec.id.text)) continue;
    out.push_back(feed_child(context, spec, *books));
    for (const auto over : all_horizons) out.push_back(predictor_child(context, spec.id, over));
  }
  for (const auto& book : *books) {
    auto merged = consolidator_child(context, book);
    // With several ingest nodes each of them can run it, and one does.
    if (several(context, node_role::ingest)) context.placed.push_back({merged.spec.id, {}, std::move(merged)});
    else out.push_back(std::move(merged));
  }
  for (const auto& [venue, instruments] : by_venue) {
    auto connector = connector_child(context, venue, instruments);
    if (!connector) return std::move(connector).error();
    out.push_back(std::move(*connector));
    auto fillers = backfillers(context, venue, instruments);
    if (!fillers) return std::move(fillers).error();
    for (auto& filler : *fillers) out.push_back(std::move(filler));
  }
  return out;
}

} // namespace troupe::node
