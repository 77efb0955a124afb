#pragma once

/// What a node tells of its actors: pages of the actor table, taps on messages, the time line.
/// The data model of command line, console and web page; described in docs/introspection.md.
/// All `at` of this file are UTC of the answering host.

#include "messages/cluster.hpp"

namespace troupe {

/// Which actors of a node, in which order. The node sorts; it never sends more than one page.
struct actor_query {
  std::string match;
  std::string kind;
  std::string sort;
  bool ascending = false;
  std::uint32_t offset = 0;
  std::uint32_t limit = 100;
  bool types = false;

  TROUPE_FIELDS(actor_query, "Asks for a page of the actor table.",
                TROUPE_FIELD(match, "part of the name; empty = all"),
                TROUPE_FIELD(kind, "actor class; empty = all"),
                TROUPE_FIELD(sort, "name, mailbox, age, rate, p99, restarts, errors or messages; empty = name"),
                TROUPE_FIELD(ascending, "false: largest first (names always from A to Z)"),
                TROUPE_FIELD(offset, "rows before the page"),
                TROUPE_FIELD(limit, "rows of the page, at most 1000"),
                TROUPE_FIELD(types, "with the figures by message type"))
};

/// One page of the actor table.
struct actor_page {
  node_name node;
  std::uint64_t incarnation = 0;
  market_time at;
  std::uint64_t actors = 0;
  std::uint64_t matching = 0;
  std::uint32_t offset = 0;
  std::vector<actor_report> rows;

  TROUPE_FIELDS(actor_page, "A page of the actor table.", TROUPE_FIELD(node, "whose"),
                TROUPE_FIELD(incarnation, "of the node"), TROUPE_FIELD(at, "when it was read"),
                TROUPE_FIELD(actors, "live actors of the process"),
                TROUPE_FIELD(matching, "actors the query is about"),
                TROUPE_FIELD(offset, "rows before this page"), TROUPE_FIELD(rows, "in the wanted order"))
};

/// Asks a node for one JSON document; the answer is a status_report.
struct inspect_request {
  std::string what;
  std::string name;

  TROUPE_FIELDS(inspect_request, "Asks for a page in JSON.",
                TROUPE_FIELD(what, "actor (its page), tree (supervisors and children), node (process, watchdogs)"),
                TROUPE_FIELD(name, "actor name; for tree: the supervisor to begin with, empty = root"))
};

/// Starts watching messages. The bounds hold all together; the first that is reached ends the tap.
/// The handle beside it is who watches: the tap ends when it ends.
struct tap_start {
  std::string actor;
  std::string type;
  std::string id;
  std::uint32_t count = 100;
  std::uint32_t per_second = 100;
  nanoseconds duration = std::chrono::seconds{10};
  std::string who;

  TROUPE_FIELDS(tap_start, "Asks to see messages as they are handled.",
                TROUPE_FIELD(actor, "name of the one actor; empty = all actors of the node, then `id` is needed"),
                TROUPE_FIELD(type, "only messages of this type; empty = all"),
                TROUPE_FIELD(id, "only messages that name this order, client order, trade or prediction id, "
                                 "or this decision number"),
                TROUPE_FIELD(count, "ends after so many, at most 10000"),
                TROUPE_FIELD(per_second, "more within a second are counted, not shown; at most 1000"),
                TROUPE_FIELD(duration, "ends after so long, at most 10 minutes"),
                TROUPE_FIELD(who, "person or program, for the audit"))
};

/// Fetches what a tap has caught since the last time.
struct tap_pull {
  std::uint64_t tap = 0;
  std::uint32_t limit = 100;
  TROUPE_FIELDS(tap_pull, "Asks for what a tap has caught.", TROUPE_FIELD(tap, "number of the tap"),
                TROUPE_FIELD(limit, "at most so many rows, at most 100"))
};

struct tap_stop {
  std::uint64_t tap = 0;
  TROUPE_FIELDS(tap_stop, "Ends a tap.", TROUPE_FIELD(tap, "number of the tap"))
};

/// One message that was handled.
struct tap_row {
  std::uint64_t sequence = 0;
  market_time at;
  std::string actor;
  std::string sender;
  std::string type;
  std::string text;
  bool answer = false;

  TROUPE_FIELDS(tap_row, "One message an actor handled.", TROUPE_FIELD(sequence, "number within the tap, from 1"),
                TROUPE_FIELD(at, "when its handler began"), TROUPE_FIELD(actor, "who handled it"),
                TROUPE_FIELD(sender, "name of the sender, as far as known here"),
                TROUPE_FIELD(type, "message type"),
                TROUPE_FIELD(text, "content as JSON, shortened, without secrets"),
                TROUPE_FIELD(answer, "the answer to a question"))
};

/// What a tap has caught, and how it stands.
struct tap_page {
  node_name node;
  std::uint64_t incarnation = 0;
  market_time at;
  std::uint64_t tap = 0;
  std::vector<tap_row> rows;
  std::uint64_t matched = 0;
  std::uint64_t limited = 0;
  std::uint64_t lost = 0;
  bool ended = false;
  std::string why;

  TROUPE_FIELDS(tap_page, "What a tap has caught.", TROUPE_FIELD(node, "whose"),
                TROUPE_FIELD(incarnation, "of the node"), TROUPE_FIELD(at, "when it was read"),
                TROUPE_FIELD(tap, "number of the tap, for tap_pull and tap_stop"),
                TROUPE_FIELD(rows, "oldest first"), TROUPE_FIELD(matched, "messages that matched so far"),
                TROUPE_FIELD(limited, "of them not shown because of the rate"),
                TROUPE_FIELD(lost, "of them overwritten before they were fetched"),
                TROUPE_FIELD(ended, "nothing more will come once `rows` is empty"),
                TROUPE_FIELD(why, "what ended it: count, duration, stopped, actor gone, watcher gone"))
};

/// Reads the time line from a row on.
struct timeline_query {
  std::uint64_t after = 0;
  std::uint32_t limit = 500;
  TROUPE_FIELDS(timeline_query, "Asks for a page of the time line.",
                TROUPE_FIELD(after, "rows with larger numbers; 0 = from the oldest kept"),
                TROUPE_FIELD(limit, "at most so many rows, at most 1000"))
};

/// One thing that happened in a process.
struct timeline_row {
  std::uint64_t sequence = 0;
  market_time at;
  nanoseconds took{};
  std::string what;
  std::string actor;
  std::string detail;

  TROUPE_FIELDS(timeline_row, "One thing that happened.", TROUPE_FIELD(sequence, "number, growing"),
                TROUPE_FIELD(at, "when it began"), TROUPE_FIELD(took, "how long it took, 0 = an instant"),
                TROUPE_FIELD(what, "spawn, exit, restart, handler, link_up, link_down, stall or clock"),
                TROUPE_FIELD(actor, "actor, or peer of a link"),
                TROUPE_FIELD(detail, "message type of a handler, else why"))
};

/// One page of the time line.
struct timeline_page {
  node_name node;
  std::uint64_t incarnation = 0;
  market_time at;
  std::vector<timeline_row> rows;
  std::uint64_t newest = 0;
  std::uint64_t lost = 0;

  TROUPE_FIELDS(timeline_page, "A page of the time line.", TROUPE_FIELD(node, "whose"),
                TROUPE_FIELD(incarnation, "of the node"), TROUPE_FIELD(at, "when it was read"),
                TROUPE_FIELD(rows, "oldest first"), TROUPE_FIELD(newest, "number of the newest row there is"),
                TROUPE_FIELD(lost, "rows after the asked one that were overwritten"))
};

} // namespace troupe
