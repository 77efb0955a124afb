#include "storage/journal_actor.hpp"

#include "messages/json.hpp"
#include "runtime/log.hpp"
#include "storage/lasting_fault.hpp"

namespace troupe {
namespace {

/// A group is committed at the latest when it has this size.
constexpr std::size_t max_group_entries = 1024;
constexpr std::size_t max_group_bytes = 1u << 20;
/// About what a record adds to its message.
constexpr std::size_t entry_overhead = 64;

} // namespace

journal_state::journal_state(self_pointer self, actor_environment env, journal_options options)
    : self_{self}, env_{env}, options_{std::move(options)} {
  const auto begun = env_.steady->now();
  auto opened = order_journal::open(real_disk(), options_);
  if (!opened) {
    failure_ = as_start_error(std::move(opened).error());
    log::error("journal", failure_->message(), {{"directory", options_.directory.string()}});
    return;
  }
  journal_.emplace(std::move(*opened));
  const auto& found = journal_->recovery();
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(env_.steady->now() - begun);
  log::info("journal", "open",
            {{"directory", options_.directory.string()},
             {"epoch", std::to_string(journal_->epoch())},
             {"records", std::to_string(found.records)},
             {"took_us", std::to_string(took.count())}});
  if (found.torn_bytes > 0)
    log::warn("journal", "an interrupted write was cut off: it had never been acknowledged",
              {{"at", found.torn_at}, {"bytes", std::to_string(found.torn_bytes)}});
}

journal_actor::behavior_type journal_state::make_behavior() {
  if (failure_) stop(self_, *failure_);
  return {
      [this](const status_request&) {
        return status_report{self_->core().name(), status_json()};
      },
      [this](journal_append& what) { return append(what); },
      [this](const journal_read& what) { return read(what); },
  };
}

promise<journal_committed> journal_state::append(journal_append& what) {
  auto answer = make_promise<journal_committed>(self_);
  if (failure_) {
    fail(answer, *failure_);
    return answer;
  }
  // Only the marker below and a caller with nothing to say send an empty one.
  const bool marker = what.entries.empty();
  std::size_t bytes = 0;
  for (const auto& entry : what.entries)
    bytes += entry.bytes.size() + entry_overhead;
  // A group must fit a segment; what is too large by itself fails alone.
  const auto limit = std::min<std::size_t>(max_group_bytes, options_.segment_bytes / 2);
  if (batch_bytes_ + bytes > limit) commit();
  if (failure_) {
    fail(answer, *failure_);
    return answer;
  }
  waiting_.push_back({what.entries.size(), answer});
  batch_bytes_ += bytes;
  for (auto& entry : what.entries)
    batch_.push_back(std::move(entry));
  if (marker) marked_ = false;
  if (marker || self_->mailbox().empty() || batch_.size() >= max_group_entries
      || batch_bytes_ >= limit) {
    commit();
  } else if (!marked_) {
    // More is waiting. What is there now stands before this marker, so its appends join the group.
    marked_ = true;
    tell_anonymously(caf::actor_cast<journal_actor>(self_), journal_append{});
  }
  return answer;
}

void journal_state::commit() {
  if (waiting_.empty()) return;
  const auto begun = env_.steady->now();
  auto first = journal_->last_sequence() + 1;
  auto appended = journal_->append(batch_);
  if (!appended) {
    // Nothing of a group that is too large was written: its senders hear of it, the journal goes
    // on.
    if (!journal_->failure()) {
      for (auto& w : waiting_)
        fail(w.answer, appended.error());
      waiting_.clear();
      batch_.clear();
      batch_bytes_ = 0;
      return;
    }
    return give_up(appended.error());
  }
  if (auto done = journal_->sync(); !done) return give_up(done.error());
  for (auto& w : waiting_) {
    const auto last = first + w.entries - 1;
    w.answer.deliver(journal_committed{first, last, journal_->epoch()});
    first = last + 1;
  }
  const auto took = env_.steady->now() - begun;
  ++commits_;
  commit_time_ += took;
  slowest_commit_ = std::max(slowest_commit_, took);
  largest_group_ = std::max<std::uint64_t>(largest_group_, batch_.size());
  waiting_.clear();
  batch_.clear();
  batch_bytes_ = 0;
  // After the answers: nobody waits for the next segment.
  if (auto done = journal_->prepare(); !done) give_up(done.error());
}

void journal_state::give_up(const error& why) {
  failure_ = why;
  log::error("journal", "stopped: " + why.message(), {{"directory", options_.directory.string()}});
  for (auto& w : waiting_)
    fail(w.answer, why);
  waiting_.clear();
  batch_.clear();
  stop(self_, why);
}

reply<journal_page> journal_state::read(const journal_read& what) {
  if (failure_) return to_caf(*failure_);
  auto page = journal_->read(what.after, what.limit);
  if (!page) return to_caf(page.error());
  return std::move(*page);
}

std::string journal_state::status_json() const {
  json_writer w;
  w.begin_object()
      .field("directory", options_.directory.string())
      .field("account", options_.identity.account);
  if (journal_) {
    const auto& f = journal_->figures();
    w.field("epoch", journal_->epoch())
        .field("records", journal_->last_sequence())
        .field("durable", journal_->durable_sequence())
        .field("appends", f.appends)
        .field("bytes", f.bytes)
        .field("syncs", f.syncs)
        .field("groups", commits_)
        .field("largest_group", largest_group_)
        .field("commit_ns_mean", commits_ == 0 ? 0
                                               : static_cast<std::int64_t>(commit_time_.count())
                                                     / static_cast<std::int64_t>(commits_))
        .field("commit_ns_max", static_cast<std::int64_t>(slowest_commit_.count()));
    w.key("recovery").raw(to_json(journal_->recovery()));
  }
  if (failure_) w.field("failure", failure_->message());
  w.end_object();
  return std::move(w).text();
}

} // namespace troupe
