#pragma once

/// Merged books and back-fill of an ingest node, out of the configuration.

#include "actors/feeds/consolidated_book.hpp"
#include "actors/feeds/feed_actor.hpp"
#include "tools/node/node.hpp"

namespace troupe::node {

/// The merged books that the configuration wants of these instruments. Errors name what does not fit: an
/// unknown symbol or instrument, a rate that is none between the two currencies.
result<std::vector<consolidated_options>> merged_books(const configuration& config,
                                                       const std::vector<instrument_spec>& instruments,
                                                       nanoseconds old_after);

/// Tells a feed which merged books see it, and with which buckets.
void show_to_books(feed_actor_options& feed, const std::vector<consolidated_options>& books);

/// Value of a contract as `view_options` wants it.
std::int64_t contract_value(const configuration& config, const instrument_id& id);

/// A merged book's actor, "consolidator/SYMBOL".
child_definition consolidator_child(const room_context& context, const consolidated_options& book);

/// Whether feeds may ask back-fillers for trades that they missed.
bool fills_trades(const configuration& config);

/// A venue's back-filler, "backfiller/VENUE"; none where nothing is to be filled.
result<std::vector<child_definition>> backfillers(const room_context& context, const std::string& venue,
                                                  const std::vector<instrument_spec>& instruments);

} // namespace troupe::node
