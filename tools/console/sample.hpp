#pragma once

/// What the console knows of a cluster at one instant: plain values, read out of the nodes' own reports
/// (`sample_reader.hpp`). Every figure a node did not give is absent, and is shown as a dash, never as 0.

#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::console {

/// A figure that a node may not have given. Times are nanoseconds, shares are millionths.
using figure = std::optional<std::int64_t>;

/// One actor in the tables.
struct actor_row {
  std::string name;
  std::string parent;
  std::string kind;
  std::string last_error;
  figure id; ///< changes with each incarnation
  figure mailbox;
  figure mailbox_age;
  figure messages;
  figure rate; ///< messages a second, as its node counts them
  figure errors;
  figure restarts;
  figure p50;
  figure p99;
  figure age; ///< since its start
  figure running; ///< of the handler that runs now
  figure parked;
  figure unexpected;
  bool suspended = false;
  bool tapped = false; ///< somebody watches its messages
};

/// One line of the supervision tree, in depth-first order.
struct tree_row {
  std::string id;
  std::string state;
  std::string restart; ///< permanent, transient, temporary
  std::string last_error;
  std::string strategy; ///< of a supervisor
  int depth = 0;
  bool supervisor = false;
  figure restarts;
  figure children; ///< of a supervisor
};

/// One link as one of its ends sees it.
struct link_row {
  std::string to;
  std::string state;
  std::string trouble;
  figure round_trip;
  figure suspicion; ///< thousandths
  figure silence;
  figure since;
  // The next four: of links with TLS only.
  figure credit; ///< bytes that may still go out before the peer has to answer
  figure bytes_in;
  figure bytes_out;
  figure faults;
  figure joins;
  figure names;
  bool warning = false;
};

struct feed_row {
  std::string name;
  std::string instrument;
  std::string validity;
  std::string bid;
  std::string ask;
  figure age;
  figure lag_p50;
  figure lag_p99;
  figure gaps;
  figure resyncs;
  figure frames;
};

/// A model or the trainer of one.
struct model_row {
  std::string name;
  std::string serving; ///< hash of the weights
  std::string note;    ///< newest refusal or loss, for people
  bool trainer = false;
  bool ready = false;
  figure step;
  figure count; ///< inferences, or samples trained
  figure p99;
};

struct account_row {
  std::string account;
  std::string state;
  std::string halt;
  std::string equity;
  std::string position;
  std::string realised;
  figure live_orders;
  figure unknown_orders;
  figure alarms;
  bool session_up = false;
};

/// The latched trading state, as a risk actor tells it.
struct halt_row {
  std::string state;
  std::string who;
  std::string reason;
};

/// One answer of one node, or why there was none.
struct node_sample {
  std::string node;
  std::string place;   ///< host:port
  std::string trouble; ///< in words; empty when it answered
  std::string build;
  std::string roles;
  steady_time at{};
  figure incarnation;
  figure pid;
  figure uptime;
  figure threads;
  figure cpu;     ///< processor time used since the start
  figure memory;  ///< resident bytes
  figure actors;  ///< live ones, also where `rows` is a part of them
  figure messages; ///< handled since the start, by all actors
  figure rate;     ///< messages a second over all actors
  figure restarts; ///< of its actors
  bool whole = false;    ///< `rows` holds every actor
  bool has_rows = false; ///< rows were asked for
  std::vector<actor_row> rows;
  bool has_tree = false;
  std::vector<tree_row> tree;
  std::vector<link_row> links;
  std::vector<feed_row> feeds;
  std::vector<model_row> models;
  std::vector<account_row> accounts;
  std::optional<halt_row> halt;
};

/// Messages of one type at one actor.
struct type_row {
  std::string type;
  figure count;
  figure p50;
  figure p99;
};

/// Something that happened to an actor, for people.
struct incident {
  figure ago;
  std::string text;
};

/// Everything about one actor.
struct actor_detail {
  std::string node;
  std::string name;
  std::string trouble;
  steady_time at{};
  actor_row row;
  std::string state; ///< JSON of the actor itself
  std::vector<type_row> types;
  std::vector<std::string> children;
  std::vector<std::string> watchers;
  std::vector<std::string> watching;
  std::vector<std::string> settings; ///< that may be set while it runs
  std::vector<incident> errors;
  std::vector<incident> restarts;
};

/// A message that was seen by a tap.
struct tap_line {
  std::string node;
  std::string actor;
  std::string when;
  std::string type;
  std::string sender;
  std::string content;
  std::uint64_t sequence = 0;
};

/// What came of a round of asking a tap.
struct tap_answer {
  std::string node;
  std::string trouble;
  std::vector<tap_line> lines;
  figure seen;
  figure dropped; ///< beyond the rate
  bool ended = false;
  std::string why; ///< why it ended
};

/// An order of the person at the console.
struct command {
  std::string node;
  std::string verb;
  std::string target;
  std::map<std::string, std::string> arguments;
};

struct command_outcome {
  command what;
  bool done = false;
  std::string text;
  nanoseconds took{};
};

} // namespace troupe::console
