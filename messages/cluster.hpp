#pragma once

/// Nodes, membership, the directory of names, status and administration.

#include "messages/fields.hpp"

namespace troupe {

/// A node's name in nodes.conf.
struct node_name {
  std::string text;
  friend auto operator<=>(const node_name&, const node_name&) = default;
};

/// One start of a node: what is declared dead, and what is suspected.
struct node_start {
  node_name node;
  std::uint64_t incarnation = 0;
  friend auto operator<=>(const node_start&, const node_start&) = default;
  TROUPE_FIELDS(node_start, "One start of a node.", TROUPE_FIELD(node, "name in nodes.conf"),
                TROUPE_FIELD(incarnation, "which start"))
};

/// First message on a link. A mismatch is refused with both sides' values in the error.
struct hello {
  node_name node;
  std::uint64_t incarnation = 0;
  std::uint64_t schema = 0;
  std::string build;
  std::uint64_t configuration = 0;
  std::vector<std::string> roles;
  std::vector<node_start> dead;

  TROUPE_FIELDS(hello, "Who joins.", TROUPE_FIELD(node, "name in nodes.conf"),
                TROUPE_FIELD(incarnation, "counter of the node's starts; an older one is dead for ever"),
                TROUPE_FIELD(schema, "hash of all message types"), TROUPE_FIELD(build, "build id"),
                TROUPE_FIELD(configuration, "hash of nodes.conf"), TROUPE_FIELD(roles, "roles it plays"),
                TROUPE_FIELD(dead, "starts of nodes that were declared dead; such a one ends when it reads this"))
};

struct hello_reply {
  hello self;
  bool accepted = false;
  bool sender_is_dead = false;
  std::string refused;
  TROUPE_FIELDS(hello_reply, "Answer to a hello.", TROUPE_FIELD(self, "the answering node"),
                TROUPE_FIELD(accepted, "false: refused"),
                TROUPE_FIELD(sender_is_dead, "the asking incarnation is dead for ever: it must end and start anew"),
                TROUPE_FIELD(refused, "why, with both sides' values"))
};

/// Heartbeat; it carries what the sender brings into a vote on who is dead.
struct ping {
  node_name node;
  std::uint64_t incarnation = 0;
  std::uint64_t sequence = 0;
  std::vector<node_name> reaches{};
  std::vector<node_start> suspects{};
  std::vector<node_start> dead{};
  TROUPE_FIELDS(ping, "Heartbeat.", TROUPE_FIELD(node, "sender"), TROUPE_FIELD(incarnation, "sender's incarnation"),
                TROUPE_FIELD(sequence, "number"), TROUPE_FIELD(reaches, "nodes that count as up for the sender"),
                TROUPE_FIELD(suspects, "starts that it has suspected long enough to vote on"),
                TROUPE_FIELD(dead, "starts that it knows to be declared dead"))
};

struct pong {
  node_name node;
  std::uint64_t incarnation = 0;
  std::uint64_t sequence = 0;
  TROUPE_FIELDS(pong, "Answer to a heartbeat.", TROUPE_FIELD(node, "sender"),
                TROUPE_FIELD(incarnation, "sender's incarnation"), TROUPE_FIELD(sequence, "of the ping"))
};

/// Names of one node, as far as they are shared. The handles travel beside it, in a vector of the same
/// order as `names`. After each connect the full list is sent, then what changes.
struct directory_update {
  node_name node;
  std::uint64_t incarnation = 0;
  std::uint64_t version = 0;
  bool full = false;
  std::vector<std::string> names;
  std::vector<std::uint64_t> incarnations;
  std::vector<std::string> removed;
  TROUPE_FIELDS(directory_update, "Names of one node and what became of them.", TROUPE_FIELD(node, "whose"),
                TROUPE_FIELD(incarnation, "of the node"), TROUPE_FIELD(version, "counts the updates of one link"),
                TROUPE_FIELD(full, "true: replaces all names known of that node"),
                TROUPE_FIELD(names, "new or replaced names"),
                TROUPE_FIELD(incarnations, "of the names, in their order"),
                TROUPE_FIELD(removed, "names that are gone"))
};

/// A node stops in order, or is told that an incarnation of it is dead for ever.
struct farewell {
  node_name node;
  std::uint64_t incarnation = 0;
  bool declared_dead = false;
  std::string why;
  TROUPE_FIELDS(farewell, "An incarnation of a node is no more.", TROUPE_FIELD(node, "which node"),
                TROUPE_FIELD(incarnation, "which incarnation"),
                TROUPE_FIELD(declared_dead, "false: it left in order; true: told to that node, which must end"),
                TROUPE_FIELD(why, "in words"))
};

/// Where one movable actor runs, or is to run.
struct placement_row {
  std::string name;
  node_name node;
  TROUPE_FIELDS(placement_row, "Place of one actor.", TROUPE_FIELD(name, "of the actor"),
                TROUPE_FIELD(node, "where it runs; empty = nowhere"))
};

/// What the coordinator decided; sent to every node until it answers with this version.
struct placement_table {
  node_name coordinator;
  std::uint64_t incarnation = 0;
  std::uint64_t version = 0;
  std::vector<placement_row> rows;
  std::uint64_t pins_version = 0;
  std::vector<placement_row> pins;
  TROUPE_FIELDS(placement_table, "Which node runs which movable actor.",
                TROUPE_FIELD(coordinator, "who decided"), TROUPE_FIELD(incarnation, "of the coordinator"),
                TROUPE_FIELD(version, "counts this coordinator's tables"), TROUPE_FIELD(rows, "all movable actors"),
                TROUPE_FIELD(pins_version, "grows with each change of the pins"),
                TROUPE_FIELD(pins, "places that an operator chose"))
};

/// Answer to a table.
struct placement_report {
  node_name node;
  std::uint64_t version = 0;
  std::vector<std::string> runs;
  std::string trouble;
  TROUPE_FIELDS(placement_report, "What a node runs of a table.", TROUPE_FIELD(node, "who answers"),
                TROUPE_FIELD(version, "of the table it carried out, 0 = refused"),
                TROUPE_FIELD(runs, "movable actors that run there"),
                TROUPE_FIELD(trouble, "what does not start, or why the table was refused; empty = nothing"))
};

/// Ask a node, a supervisor or an actor how it is.
struct status_request {
  std::uint8_t verbosity = 0;
  TROUPE_FIELDS(status_request, "How are you?", TROUPE_FIELD(verbosity, "0 brief, 1 detailed, 2 all"))
};

struct status_report {
  std::string name;
  std::string json;
  TROUPE_FIELDS(status_report, "State of one actor or node.", TROUPE_FIELD(name, "whose"),
                TROUPE_FIELD(json, "JSON object"))
};

/// An operator's command to a node; the result says in words what was done.
struct admin_command {
  std::string verb;
  std::string target;
  std::map<std::string, std::string> arguments;
  std::string who;
  TROUPE_FIELDS(admin_command, "An operator's command.", TROUPE_FIELD(verb, "kill, restart, set, drain, …"),
                TROUPE_FIELD(target, "actor name"), TROUPE_FIELD(arguments, "named arguments"),
                TROUPE_FIELD(who, "person or program, for the audit"))
};

struct admin_result {
  bool done = false;
  std::string text;
  TROUPE_FIELDS(admin_result, "What came of a command.", TROUPE_FIELD(done, "false: refused or failed"),
                TROUPE_FIELD(text, "in words"))
};

/// Acknowledges a message that carries nothing else back.
struct acknowledged {
  std::uint64_t sequence = 0;
  TROUPE_FIELDS(acknowledged, "Done.", TROUPE_FIELD(sequence, "number the receiver gave it, 0 = none"))
};

/// How one actor handled the messages of one type.
struct type_report {
  std::string type;
  std::uint64_t count = 0;
  nanoseconds p50{};
  nanoseconds p99{};
  TROUPE_FIELDS(type_report, "Figures of one message type.",
                TROUPE_FIELD(type, "message type; `others` = all beyond the 15 first met"),
                TROUPE_FIELD(count, "handled so far"), TROUPE_FIELD(p50, "median handler time"),
                TROUPE_FIELD(p99, "99th percentile handler time"))
};

/// Counters of one actor, for the tables of the console.
struct actor_report {
  std::string name;
  std::string parent;
  std::string kind;
  std::uint64_t id = 0;
  std::uint64_t mailbox = 0;
  nanoseconds mailbox_age{};
  std::uint64_t messages = 0;
  std::uint64_t errors = 0;
  std::uint64_t restarts = 0;
  nanoseconds handler_p50{};
  nanoseconds handler_p99{};
  std::string last_error;
  std::uint64_t messages_per_second = 0;
  std::uint64_t unexpected = 0;
  std::uint64_t parked = 0;
  bool suspended = false;
  nanoseconds handler_running{};
  std::uint64_t refused = 0;
  std::uint64_t asks = 0;
  nanoseconds uptime{};
  bool tapped = false;
  std::vector<type_report> types;

  TROUPE_FIELDS(actor_report, "Counters of one actor.", TROUPE_FIELD(name, "stable name"),
                TROUPE_FIELD(parent, "supervisor's name"), TROUPE_FIELD(kind, "actor class"),
                TROUPE_FIELD(id, "CAF id of this incarnation"), TROUPE_FIELD(mailbox, "messages waiting"),
                TROUPE_FIELD(mailbox_age, "age of the oldest sampled one waiting"),
                TROUPE_FIELD(messages, "handled so far"), TROUPE_FIELD(errors, "handlers that failed"),
                TROUPE_FIELD(restarts, "restarts of this name"), TROUPE_FIELD(handler_p50, "median handler time"),
                TROUPE_FIELD(handler_p99, "99th percentile handler time"),
                TROUPE_FIELD(last_error, "newest error, for people"),
                TROUPE_FIELD(messages_per_second, "over the last second or more"),
                TROUPE_FIELD(unexpected, "messages without a handler"),
                TROUPE_FIELD(parked, "messages held back while suspended"),
                TROUPE_FIELD(suspended, "parks ordinary messages"),
                TROUPE_FIELD(handler_running, "how long the handler that runs has been running, 0 = idle"),
                TROUPE_FIELD(refused, "messages refused because too many were parked"),
                TROUPE_FIELD(asks, "questions without an answer yet"),
                TROUPE_FIELD(uptime, "since this incarnation was spawned"),
                TROUPE_FIELD(tapped, "somebody watches its messages"),
                TROUPE_FIELD(types, "by message type, most frequent first; empty in tables"))
};

} // namespace troupe
