#include "tools/cluster_torture/judgement.hpp"

#include "messages/json.hpp"

#include <algorithm>

namespace troupe::cluster_torture {
namespace {

std::string words_of(const suffered& s) {
  return std::string{name_of(s.fault.kind)} + " of " + s.fault.node + " at "
         + std::to_string(s.fault.at.count() / 1'000'000) + " ms";
}

/// Collects what was not reached.
struct judgement {
  std::vector<std::string> out;
  void none(std::int64_t have, const std::string& what) {
    if (have != 0) out.push_back(what + ": " + std::to_string(have) + " instead of none");
  }
  void at_least(std::int64_t have, std::int64_t want, const std::string& what) {
    if (have < want) out.push_back(what + ": " + std::to_string(have) + " instead of at least " + std::to_string(want));
  }
  void within(const std::optional<std::int64_t>& took, std::int64_t limit, const std::string& what) {
    if (!took) out.push_back(what + ": not seen in time");
    else if (*took > limit)
      out.push_back(what + ": " + std::to_string(*took) + " ms instead of at most " + std::to_string(limit));
  }
};

void judge_fault(const suffered& s, const torture_limits& limits, judgement& j) {
  const auto name = words_of(s);
  const bool short_one = s.fault.kind == fault_kind::kill || s.fault.kind == fault_kind::stop_start
                         || s.fault.kind == fault_kind::reset;
  const auto limit = (short_one ? limits.after_kill_ms : limits.after_silence_ms) + limits.sampling_ms;
  if (s.silent) j.within(s.noticed_ms, limits.notice_ms + limits.sampling_ms, name + ": noticed");
  j.within(s.predicts_ms, limit, name + ": predictions flow again");
  j.within(s.whole_again_ms, limits.after_silence_ms + limits.sampling_ms, name + ": every node sees every other");
  j.within(s.live_ms, limit, name + ": the executor is live");
  if (!s.agrees) j.out.push_back(name + ": journal and ledger do not agree");
}

/// What is true at every moment or not at all.
void judge_promises(const torture_record& record, const torture_limits& limits, judgement& j) {
  j.none(record.lost, "orders lost");
  j.none(record.duplicated, "orders duplicated");
  j.none(record.fills_wrong, "fills that are missing, additional or different");
  j.none(record.trained_twice, "snapshots trained on twice");
  j.none(record.training_gaps, "snapshots left out of training");
  j.none(static_cast<std::int64_t>(record.history.breached), "breaches in the journal");
  for (const auto& text : record.history.breaches) j.out.push_back(text);
  j.at_least(static_cast<std::int64_t>(record.history.reconciled), 1, "reconciliations in the journal");
  for (const auto& text : record.bad_books) j.out.push_back("P6: " + text);
  j.at_least(record.books_seen, 1, "books looked at");
  if (!record.halt_kept) j.out.emplace_back("P8: a halt did not outlive a kill of the execution node");
  if (record.longest_mailbox > limits.longest_mailbox)
    j.out.push_back("P9: " + std::to_string(record.longest_mailbox) + " messages waited for " + record.longest_mailbox_of
                    + ", more than " + std::to_string(limits.longest_mailbox));
}

void judge_memory(const torture_record& record, const torture_limits& limits, judgement& j) {
  for (const auto& [node, end] : record.resident_end) {
    const auto begin = record.resident_begin.find(node);
    if (begin == record.resident_begin.end() || end <= begin->second + limits.growth_bytes) continue;
    j.out.push_back(node + " grew from " + std::to_string(begin->second >> 20) + " to " + std::to_string(end >> 20) + " MiB");
  }
}

void field(json_writer& w, std::string_view key, const std::optional<std::int64_t>& value) {
  if (value) w.field(key, *value);
  else w.key(key).raw("null");
}

void write_fault(json_writer& w, const suffered& s) {
  w.begin_object()
      .field("at_ms", s.fault.at.count() / 1'000'000)
      .field("kind", name_of(s.fault.kind))
      .field("node", s.fault.node)
      .field("lasts_ms", s.fault.lasts.count() / 1'000'000)
      .field("in_flight", s.in_flight)
      .field("silent", s.silent);
  field(w, "noticed_ms", s.noticed_ms);
  field(w, "whole_again_ms", s.whole_again_ms);
  field(w, "predicts_ms", s.predicts_ms);
  field(w, "live_ms", s.live_ms);
  w.field("agrees", s.agrees).end_object();
}

void write_bytes(json_writer& w, std::string_view key, const std::map<std::string, std::uint64_t>& bytes) {
  w.key(key).begin_object();
  for (const auto& [node, count] : bytes) w.field(node, count);
  w.end_object();
}

std::int64_t in_flight(const torture_record& record) {
  std::int64_t out = 0;
  for (const auto& s : record.faults) out += s.in_flight;
  return out;
}

std::int64_t longest(const torture_record& record, std::optional<std::int64_t> suffered::* what, bool silent_only) {
  std::int64_t out = 0;
  for (const auto& s : record.faults)
    if (!silent_only || s.silent) out = std::max(out, (s.*what).value_or(0));
  return out;
}

} // namespace

std::vector<std::string> shortfalls(const torture_record& record, const torture_limits& limits) {
  judgement j;
  if (record.faults.empty()) j.out.push_back("no fault was done: nothing was proven");
  for (const auto& s : record.faults) judge_fault(s, limits, j);
  j.at_least(record.orders, limits.least_orders, "orders");
  j.at_least(in_flight(record), limits.least_in_flight, "orders in flight at faults");
  judge_promises(record, limits, j);
  for (const auto& actor : record.actors_missing) j.out.push_back("actor " + actor + " is not there at the end");
  judge_memory(record, limits, j);
  if (!record.unsettled.empty()) j.out.push_back("not at rest at the end: " + record.unsettled);
  for (const auto& trouble : record.troubles) j.out.push_back(trouble);
  return std::move(j.out);
}

std::string to_json(const torture_record& record, const torture_limits& limits) {
  json_writer w;
  const auto missed = shortfalls(record, limits);
  w.begin_object()
      .field("seed", record.seed)
      .field("seconds", record.seconds)
      .field("nodes", record.nodes)
      .field("start_ms", record.start_ms)
      .field("faults", record.faults.size())
      .field("orders", record.orders)
      .field("fills", record.fills)
      .field("in_flight_at_faults", in_flight(record))
      .field("orders_lost", record.lost)
      .field("orders_duplicated", record.duplicated)
      .field("fills_wrong", record.fills_wrong)
      .field("trained_twice", record.trained_twice)
      .field("training_gaps", record.training_gaps)
      .field("sessions", record.history.sessions)
      .field("reconciliations", record.history.reconciled)
      .field("breaches", record.history.breached)
      .field("books_seen", record.books_seen)
      .field("books_bad", record.bad_books.size())
      .field("longest_mailbox", record.longest_mailbox)
      .field("longest_mailbox_of", record.longest_mailbox_of)
      .field("halt_kept", record.halt_kept)
      .field("actors_missing", record.actors_missing.size())
      .field("longest_notice_ms", longest(record, &suffered::noticed_ms, true))
      .field("longest_predicts_ms", longest(record, &suffered::predicts_ms, false))
      .field("longest_live_ms", longest(record, &suffered::live_ms, false));
  write_bytes(w, "resident_begin", record.resident_begin);
  write_bytes(w, "resident_end", record.resident_end);
  w.key("each").begin_array();
  for (const auto& s : record.faults) write_fault(w, s);
  w.end_array().key("shortfalls").begin_array();
  for (const auto& line : missed) w.string(line);
  w.end_array().field("passed", missed.empty()).end_object();
  return std::move(w).text();
}

} // namespace troupe::cluster_torture
