#include "storage/store_actor.hpp"

#include "messages/json.hpp"
#include "runtime/log.hpp"
#include "storage/lasting_fault.hpp"

namespace troupe {
namespace {

/// Writes that share a sync at most.
constexpr std::size_t max_group = 256;

/// Errors after which the store must be closed and opened again.
bool is_final_error(const error& err) noexcept {
  return err.code == storage_errc::failed || err.code == storage_errc::io_failed
         || err.code == storage_errc::no_space;
}

} // namespace

store_state::store_state(self_pointer self, actor_environment env, store_options options)
    : self_{self}, env_{env}, options_{std::move(options)} {
  open();
}

void store_state::open() {
  const auto begun = env_.steady->now();
  const auto failed = [&](error err) {
    ++failures_;
    err = as_start_error(std::move(err));
    // Said once, however often it is tried.
    if (!failure_ || failure_->text != err.text)
      log::error("store", "can't be opened: " + err.text,
                 {{"directory", options_.directory.string()}});
    failure_ = std::move(err);
    if (is_for_operator(*failure_)) {
      // Before the behaviour is there an actor can't end.
      schedule(self_, nanoseconds{0}, [this] { stop(self_, *failure_); });
      return;
    }
    schedule(self_, options_.reopen_after, [this] { open(); });
  };
  if (!store_) {
    if (options_.directory.empty())
      store_ = make_memory_store();
    else {
      auto opened = open_rocksdb_store({.directory = options_.directory,
                                        .write_buffer_bytes = options_.write_buffer_bytes,
                                        .cache_bytes = options_.cache_bytes});
      if (!opened) return failed(std::move(opened).error());
      store_ = std::move(*opened);
    }
  }
  if (!checkpoints_ && !options_.checkpoints.empty()) {
    auto opened = checkpoint_store::open(real_disk(), {.root = options_.checkpoints});
    if (!opened) return failed(std::move(opened).error());
    checkpoints_.emplace(std::move(*opened));
  }
  failure_.reset();
  ++opens_;
  opened_in_ = env_.steady->now() - begun;
  log::info("store", "open",
            {{"directory", options_.directory.string()},
             {"took_us", std::to_string(opened_in_.count() / 1000)}});
}

void store_state::note(const error& err) {
  ++refused_;
  if (!is_final_error(err) || failure_) return;
  ++failures_;
  for (auto& [answer, value] : waiting_)
    fail(answer, err);
  waiting_.clear();
  log::error("store", "closed after a failure: " + err.message(),
             {{"directory", options_.directory.string()}});
  failure_ = err;
  store_.reset();
  schedule(self_, options_.reopen_after, [this] { open(); });
}

template <class T, class Call>
reply<T> store_state::read(Call call) {
  // Nobody may learn of a write that a power cut could still undo.
  close_group();
  if (!store_)
    return to_caf(failure_ ? *failure_ : error{storage_errc::failed, "the store is not open"});
  auto answer = call(*store_);
  if (answer) return std::move(*answer);
  note(answer.error());
  return to_caf(answer.error());
}

template <class Call>
promise<acknowledged> store_state::write(Call call) {
  auto answer = make_promise<acknowledged>(self_);
  if (!store_) {
    fail(answer, failure_ ? *failure_ : error{storage_errc::failed, "the store is not open"});
    return answer;
  }
  store_->defer_sync(true);
  auto written = call(*store_);
  if (!written) {
    fail(answer, written.error());
    note(written.error());
    return answer;
  }
  waiting_.emplace_back(answer, *written);
  if (self_->mailbox().empty() || waiting_.size() >= max_group) {
    close_group();
  } else if (!marked_) {
    // More is waiting. What is there now stands before this marker, so its writes join the group.
    marked_ = true;
    tell_anonymously(caf::actor_cast<store_actor>(self_), snapshot_put{});
  }
  return answer;
}

void store_state::close_group() {
  if (waiting_.empty() || !store_) return;
  const auto begun = env_.steady->now();
  const auto done = store_->sync();
  slowest_sync_ = std::max(slowest_sync_, env_.steady->now() - begun);
  if (!done) return note(done.error());
  ++groups_;
  for (auto& [answer, value] : waiting_)
    answer.deliver(value);
  waiting_.clear();
}

store_actor::behavior_type store_state::make_behavior() {
  return {
      [this](const status_request&) {
        return status_report{self_->core().name(), status_json()};
      },
      [this](const snapshot_put& what) {
        if (what.what.what.id.empty()) {
          // The marker, or a caller's mistake, which the store will name.
          close_group();
          if (std::exchange(marked_, false) && !self_->current_sender())
            return promise<acknowledged>{};
        }
        return write([&](store& s) -> result<acknowledged> {
          auto stored = s.put_snapshot(what.what);
          if (!stored) return std::move(stored).error();
          ++(*stored ? puts_ : known_puts_);
          return acknowledged{};
        });
      },
      [this](const snapshot_mature& what) {
        return write([&](store& s) -> result<acknowledged> {
          auto sequence = s.mature(what);
          if (!sequence) return std::move(sequence).error();
          ++matured_;
          return acknowledged{*sequence};
        });
      },
      [this](const pending_request& what) {
        return read<prediction_list>([&](store& s) { return s.pending(what); });
      },
      [this](const training_pull& what) {
        ++pulls_;
        return read<training_batch>([&](store& s) { return s.pull(what); });
      },
      [this](const bar_put& what) {
        return write([&](store& s) -> result<acknowledged> {
          auto stored = put_bars(s, what.bars, what.only_missing);
          if (!stored) return std::move(stored).error();
          bars_ += *stored;
          return acknowledged{*stored};
        });
      },
      [this](const bar_range& what) {
        return read<bar_page>([&](store& s) { return read_bars(s, what); });
      },
      [this](const checkpoint_chunk& piece) -> reply<checkpoint_receipt> {
        close_group();
        auto receipt = take(piece);
        if (receipt) return std::move(*receipt);
        note(receipt.error());
        return to_caf(receipt.error());
      },
  };
}

// --- checkpoints
// ----------------------------------------------------------------------------------

result<checkpoint_receipt> store_state::take(const checkpoint_chunk& piece) {
  if (!store_ || !checkpoints_)
    return failure_ ? *failure_
                    : error{storage_errc::failed, "no checkpoint directory is configured"};
  auto receipt = checkpoints_->take(piece);
  if (!receipt || !receipt->complete) return receipt;
  store_->defer_sync(false);
  auto added = store_->put_checkpoint(piece.manifest);
  if (!added) return std::move(added).error();
  if (*added) {
    ++checkpoints_stored_;
    log::info("store", "checkpoint stored",
              {{"model", piece.manifest.version.model},
               {"step", std::to_string(piece.manifest.version.step)},
               {"weights", piece.manifest.version.weights}});
    prune(piece.manifest.version.model);
  }
  return receipt;
}

void store_state::prune(const std::string& model) {
  if (options_.keep_checkpoints == 0) return;
  auto removed = checkpoints_->prune(model, options_.keep_checkpoints, {});
  if (!removed)
    log::warn("store", "old checkpoints could not be removed: " + removed.error().message(),
              {{"model", model}});
}

// --- status
// ---------------------------------------------------------------------------------------

std::string store_state::status_json() {
  json_writer w;
  w.begin_object()
      .field("directory", options_.directory.string())
      .field("open", store_ != nullptr && !failure_)
      .field("opens", opens_)
      .field("open_ns", static_cast<std::int64_t>(opened_in_.count()))
      .field("puts", puts_)
      .field("known_puts", known_puts_)
      .field("matured", matured_)
      .field("pulls", pulls_)
      .field("bars", bars_)
      .field("refused", refused_)
      .field("failures", failures_)
      .field("checkpoints_stored", checkpoints_stored_)
      .field("groups", groups_)
      .field("slowest_sync_ns", static_cast<std::int64_t>(slowest_sync_.count()));
  if (failure_) w.field("failure", failure_->message());
  if (store_) {
    if (auto counts = store_->counts(); counts) w.key("learning_counts").raw(to_json(*counts));
    const training_pull newest{.after = ~std::uint64_t{0}, .limit = 1};
    if (auto stream = store_->pull(newest); stream) w.field("training_newest", stream->newest);
  }
  if (checkpoints_ && !checkpoints_->damaged().empty()) {
    w.key("damaged_checkpoints").begin_array();
    for (const auto& text : checkpoints_->damaged())
      w.string(text);
    w.end_array();
  }
  w.end_object();
  return std::move(w).text();
}

} // namespace troupe
