#pragma once

/// Registration of every message type with CAF: the one place that lists them. A type that is not
/// `wire_message` (float, pointer, unlisted field) does not compile here.

#include "messages/cluster.hpp"
#include "messages/consolidated.hpp"
#include "messages/history.hpp"
#include "messages/introspection.hpp"
#include "messages/trading.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/type_id.hpp>

/// Calls X(type) for every message type that may cross nodes.
#define TROUPE_MESSAGE_TYPES(X)                                                                    \
  X(acknowledged) X(actor_page) X(actor_query) X(inspect_request) X(tap_page) X(tap_pull) X(tap_row) \
  X(tap_start) X(tap_stop) X(timeline_page) X(timeline_query) X(timeline_row) X(type_report)       \
  X(actor_report) X(admin_command) X(admin_result) X(arbitrage) X(bar)             \
  X(bar_page) X(bar_put) X(bar_range) X(book_image) X(book_query) X(book_view) X(consolidated_page) \
  X(heat_column) X(imbalance_average) X(merged_level) X(price_bucket) X(rest_answer) X(venue_part)  \
  X(checkpoint_activate) X(checkpoint_chunk) X(checkpoint_manifest) X(checkpoint_receipt)         \
  X(decision) X(directory_update) X(executor_report) X(farewell) X(feature_frame) X(feed_report)  \
  X(fill) X(forecast) X(frame_batch) X(halt_command) X(halt_state) X(hello) X(hello_reply) X(image_request)           \
  X(inference_answer) X(inference_request) X(instrument_spec) X(intent) X(journal_append) X(journal_balance) \
  X(journal_committed) X(journal_cursor) X(journal_entry) X(journal_note) X(journal_page)          \
  X(journal_read) X(journal_row) X(journal_sent) X(journal_session) X(learning_counts)             \
  X(lease_grant) X(lease_request) X(level) X(model_version) X(order_report) X(outcome)            \
  X(node_start) X(packed_tensor) X(past_trade) X(past_trades) X(pending_request) X(ping) X(pong) X(placement_report) \
  X(placement_row) X(placement_table) X(prediction) X(prediction_list) X(quote)   \
  X(raw_frame) X(risk_request) X(risk_verdict) X(session_event) X(snapshot) X(snapshot_mature)    \
  X(snapshot_put) X(status_report) X(status_request) X(trade) X(trade_hole) X(training_batch) X(training_pull)

CAF_BEGIN_TYPE_ID_BLOCK(troupe, first_custom_type_id)
#define TROUPE_ADD_TYPE(type_) CAF_ADD_TYPE_ID(troupe, (troupe::type_))
TROUPE_MESSAGE_TYPES(TROUPE_ADD_TYPE)
#undef TROUPE_ADD_TYPE
CAF_END_TYPE_ID_BLOCK(troupe)

namespace troupe {

/// Hash over the shapes of all message types; nodes with different ones refuse each other.
std::uint64_t cluster_schema_hash();

/// Registers all message types with a CAF configuration.
void register_message_types(caf::actor_system_config& config);

} // namespace troupe
