#pragma once

/// All typed actor interfaces, forward declared: including this costs no CAF machinery beyond
/// `replies_to`. Each handler has one line saying what it does. Handles cross nodes transparently.

#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>

#include <string>
#include <vector>

namespace troupe {

// --- forward declarations of the messages --------------------------------------------------------
struct acknowledged;
struct actor_page;
struct actor_query;
struct admin_command;
struct admin_result;
struct bar_page;
struct bar_put;
struct bar_range;
struct book_image;
struct book_query;
struct book_view;
struct checkpoint_activate;
struct checkpoint_chunk;
struct checkpoint_manifest;
struct checkpoint_receipt;
struct consolidated_page;
struct decision;
struct directory_update;
struct executor_report;
struct farewell;
struct feature_frame;
struct feed_report;
struct frame_batch;
struct halt_command;
struct halt_state;
struct hello;
struct hello_reply;
struct image_request;
struct inference_answer;
struct inference_request;
struct inspect_request;
struct journal_append;
struct journal_committed;
struct journal_page;
struct journal_read;
struct learning_counts;
struct lease_grant;
struct lease_request;
struct order_report;
struct past_trades;
struct pending_request;
struct ping;
struct placement_report;
struct placement_table;
struct pong;
struct prediction;
struct prediction_list;
struct quote;
struct rest_answer;
struct risk_request;
struct risk_verdict;
struct session_event;
struct snapshot_mature;
struct snapshot_put;
struct status_report;
struct status_request;
struct tap_page;
struct tap_pull;
struct tap_start;
struct tap_stop;
struct timeline_page;
struct timeline_query;
struct trade_hole;
struct training_batch;
struct training_pull;

} // namespace troupe

namespace troupe {

/// `rpc<In...>::to<Out...>`: a handler that answers. CAF 0.17 spelling behind our own words.
template <class... In>
struct rpc {
  template <class... Out>
  using to = typename caf::replies_to<In...>::template with<Out...>;
};

/// `on<In...>`: a handler that does not answer.
template <class... In>
using on = caf::reacts_to<In...>;

// --- every actor ---------------------------------------------------------------------------------

/// What every actor understands; each interface below contains it.
using observable_actor = caf::typed_actor<
    // Says how it is, as JSON.
    rpc<status_request>::to<status_report>>;

// --- runtime -------------------------------------------------------------------------------------

/// Membership of a node: links to the peers, failure detection, exchange of names.
using member_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Admits a peer, whose node actor is handed in, or refuses it with both sides' values.
    rpc<hello, caf::strong_actor_ptr>::to<hello_reply>,
    // Answers a heartbeat.
    rpc<ping>::to<pong>,
    // Takes a peer's names and their handles; answers with the version it has then, 0 = send all again.
    rpc<directory_update, std::vector<caf::strong_actor_ptr>>::to<acknowledged>,
    // Learns that a peer leaves, or that this node was declared dead.
    on<farewell>,
    // Told once by its node: the published actor to hand to the peers.
    on<caf::strong_actor_ptr>,
    // Learns that names of this node changed; which ones, it looks up itself.
    on<std::string>>;

/// The one published actor of a node: the door to everything else, which is found by name.
using node_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Admits a peer, whose own node actor is handed in, or refuses it with both sides' values.
    rpc<hello, caf::strong_actor_ptr>::to<hello_reply>,
    // Answers a heartbeat.
    rpc<ping>::to<pong>,
    // Takes a peer's names and their handles; answers with the version it has then, 0 = send all again.
    rpc<directory_update, std::vector<caf::strong_actor_ptr>>::to<acknowledged>,
    // Learns that a peer leaves, or that this node was declared dead.
    on<farewell>,
    // Carries out an operator's command and audits it.
    rpc<admin_command>::to<admin_result>,
    // Finds an actor of this node by name; an empty handle when there is none.
    rpc<std::string>::to<caf::strong_actor_ptr>,
    // A page of the actor table. These and the following don't hold up the node: another actor answers.
    rpc<actor_query>::to<actor_page>,
    // One page in JSON.
    rpc<inspect_request>::to<status_report>,
    // Begins to show messages to the actor that is handed in, which the node watches; audited.
    rpc<tap_start, caf::strong_actor_ptr>::to<tap_page>, rpc<tap_pull>::to<tap_page>,
    rpc<tap_stop>::to<acknowledged>,
    // A page of the time line.
    rpc<timeline_query>::to<timeline_page>>;

/// Carries out on its node where movable actors run; on the coordinator's node it also decides it.
using placement_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Takes the coordinator's table and starts or ends what differs here.
    rpc<placement_table>::to<placement_report>,
    // move: the target runs on the node in the argument `node` from now on; `auto` lifts the choice.
    rpc<admin_command>::to<admin_result>>;

// --- market data ---------------------------------------------------------------------------------

/// Holds one venue's market-data sessions.
using connector_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Fetches a REST book image within the rate budget and sends it to the feed.
    on<image_request>>;

/// Keeps one instrument's book, trades, bars and features.
using feed_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Takes frames in order of receipt.
    on<frame_batch>,
    // Takes the REST image it asked for.
    on<book_image>,
    // Learns that the session connected or broke; a broken session invalidates the book.
    on<session_event>,
    // Adds a subscriber (by handle) of quotes, conflated to one in flight, newest wins.
    rpc<caf::strong_actor_ptr, std::string>::to<acknowledged>,
    // A subscriber has taken the last quote and may be sent the next one.
    on<acknowledged>,
    // Takes trades that it missed, out of the venue's past.
    on<past_trades>>;

/// One symbol's book over all venues: merged levels, price buckets, imbalance averages, heat map.
using consolidator_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Takes a venue's newest levels; acknowledges to the feed.
    on<book_view>,
    // Answers with the merged book, or with one venue's part of it.
    rpc<book_query>::to<consolidated_page>>;

/// Fills holes of one venue's bars and trades from its REST interface, at the start and after gaps.
using backfiller_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Fetches the trades that a feed missed and sends them to it, page by page.
    on<trade_hole>,
    // Takes the end of a REST request of its own.
    on<rest_answer>>;

// --- storage -------------------------------------------------------------------------------------

/// The embedded store. Detached: its handlers may block on the disk.
using store_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Stores a snapshot; a known id is left as it is.
    rpc<snapshot_put>::to<acknowledged>,
    // Attaches an outcome once and gives a scored one its place in the training stream.
    rpc<snapshot_mature>::to<acknowledged>,
    // Lists predictions without an outcome, oldest first.
    rpc<pending_request>::to<prediction_list>,
    // Hands out the training stream in order.
    rpc<training_pull>::to<training_batch>,
    // Stores closed bars; the answer's sequence says how many were new or changed.
    rpc<bar_put>::to<acknowledged>,
    // Reads bars in order of time, page by page.
    rpc<bar_range>::to<bar_page>,
    // Takes a piece of a checkpoint; the last one is checked and synced before the answer.
    rpc<checkpoint_chunk>::to<checkpoint_receipt>>;

/// Owns one account's order journal. Detached: it waits for the disk. Appends that wait in its
/// mailbox share one sync.
using journal_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Appends and syncs; the answer means durable. After a failure everything is refused.
    rpc<journal_append>::to<journal_committed>,
    // Reads synced records in order, page by page.
    rpc<journal_read>::to<journal_page>>;

// --- learning ------------------------------------------------------------------------------------

/// Serves one champion; batches what waits.
using model_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Forecasts all horizons of one frame.
    rpc<inference_request>::to<inference_answer>,
    // Takes a piece of a checkpoint.
    rpc<checkpoint_chunk>::to<checkpoint_receipt>,
    // Swaps to weights it holds complete and checked.
    rpc<checkpoint_activate>::to<acknowledged>>;

/// Learns from the training stream and publishes checkpoints.
using trainer_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>>;

/// One per instrument and horizon: asks the model, stores the snapshot, scores the outcome when due.
using predictor_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // A new instant: predict, and score what is due.
    on<feature_frame>>;

// --- trading -------------------------------------------------------------------------------------

/// Fuses predictions into decisions.
using orchestrator_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Takes a prediction as one input of the next decision.
    rpc<prediction>::to<acknowledged>,
    // Takes the newest quote; acknowledges to the feed.
    on<quote>>;

/// Pre-trade checks, halts, limits; grants leases.
using risk_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Approves or denies one exact order.
    rpc<risk_request>::to<risk_verdict>,
    // Renews an executor's lease unless its epoch is old.
    rpc<lease_request>::to<lease_grant>,
    // Latches a trading state, synced before the answer.
    rpc<halt_command>::to<halt_state>,
    // Takes the newest quote for collar and staleness.
    on<quote>>;

/// Owns one account at one venue: the only one that sends its orders.
using executor_actor = caf::typed_actor<
    rpc<status_request>::to<status_report>,
    // Takes a target position; the newest per instrument wins.
    rpc<decision>::to<acknowledged>,
    // Takes what the venue said, from the account's session.
    on<order_report>,
    // Learns how the account's private session stands.
    on<session_event>,
    // Takes the newest quote.
    on<quote>,
    // Learns the latched trading state.
    on<halt_state>>;

} // namespace troupe
