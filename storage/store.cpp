#include "storage/store.hpp"

#include "storage/record.hpp"
#include "storage/tables.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::uint64_t store_version = 1;
constexpr std::string_view version_key = "version";
constexpr std::string_view counters_key = "counters";

/// Version of the layout of keys.
struct version_row {
  std::uint64_t version = 0;
  TROUPE_FIELDS(version_row, "Version of a store's layout.", TROUPE_FIELD(version, "version"))
};

/// Counts and the last numbers given out; written in the same batch as what they count.
struct counter_row {
  learning_counts counts;
  std::uint64_t training = 0;
  std::uint64_t inference = 0;
  std::uint64_t audit = 0;
  TROUPE_FIELDS(counter_row, "Counters of a store.", TROUPE_FIELD(counts, "snapshots by horizon"),
                TROUPE_FIELD(training, "last training sequence"),
                TROUPE_FIELD(inference, "last inference log row"),
                TROUPE_FIELD(audit, "last audit log row"))
};

/// What of a snapshot changes, and what is needed to change it.
struct outcome_row {
  instrument_id instrument;
  horizon over = horizon::m1;
  market_time due;
  outcome then;
  std::uint64_t training_sequence = 0;
  TROUPE_FIELDS(outcome_row, "The life of a snapshot.", TROUPE_FIELD(instrument, "instrument"),
                TROUPE_FIELD(over, "horizon"), TROUPE_FIELD(due, "when due"),
                TROUPE_FIELD(then, "outcome"),
                TROUPE_FIELD(training_sequence, "place in the training stream"))
};

// --- keys
// -----------------------------------------------------------------------------------------

void append_big_endian(std::string& out, std::uint64_t x) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out += static_cast<char>(x >> shift);
}

/// Order-preserving key of a signed number.
std::uint64_t sortable(std::int64_t x) noexcept {
  return static_cast<std::uint64_t>(x) ^ (1ULL << 63);
}

std::string number_key(std::uint64_t x) {
  std::string out;
  append_big_endian(out, x);
  return out;
}

std::uint64_t number_of_key(std::string_view key) noexcept {
  std::uint64_t x = 0;
  for (const char c : key.substr(0, 8))
    x = x << 8 | static_cast<unsigned char>(c);
  return x;
}

std::string pending_prefix(const instrument_id& instrument, horizon over) {
  std::string out = instrument.text;
  out += '\0';
  out += static_cast<char>(over);
  return out;
}

std::string pending_key(const instrument_id& instrument, horizon over, market_time due,
                        const std::string& id) {
  auto out = pending_prefix(instrument, over);
  append_big_endian(out, sortable(due.ns));
  return out + id;
}

std::string bar_prefix(const instrument_id& instrument, nanoseconds interval) {
  std::string out = instrument.text;
  out += '\0';
  append_big_endian(out, sortable(interval.count()));
  return out;
}

std::string checkpoint_prefix(const std::string& model) {
  return model + '\0';
}

std::string checkpoint_key(const checkpoint_manifest& what) {
  auto out = checkpoint_prefix(what.version.model);
  append_big_endian(out, ~what.version.step); // highest step first
  return out + what.version.weights;
}

bool is_name(const std::string& text) noexcept {
  return !text.empty() && text.size() <= 256 && text.find('\0') == std::string::npos;
}

bool is_horizon(horizon h) noexcept {
  return static_cast<std::size_t>(h) < all_horizons.size();
}

std::uint32_t bounded(std::uint32_t limit) noexcept {
  return limit == 0 ? store_default_rows : std::min(limit, store_max_rows);
}

// --- the store
// ------------------------------------------------------------------------------------

class table_store final : public store {
public:
  explicit table_store(std::unique_ptr<tables> on) : on_{std::move(on)} {
    for (auto* list : {&counters_.counts.made, &counters_.counts.matured, &counters_.counts.scored,
                       &counters_.counts.expired})
      list->assign(all_horizons.size(), 0);
  }

  status start() {
    auto version = read<version_row>(table::meta, version_key);
    if (!version) return std::move(version).error();
    if (!*version) {
      const table_write first[] = {
          {table::meta, std::string{version_key}, to_record(version_row{store_version})},
          {table::meta, std::string{counters_key}, to_record(counters_)}};
      return on_->write(first, true);
    }
    if ((*version)->version > store_version)
      return {storage_errc::newer_version,
              on_->name() + ": store version " + std::to_string((*version)->version)
                  + ", this program knows " + std::to_string(store_version)};
    auto counters = read<counter_row>(table::meta, counters_key);
    if (!counters) return std::move(counters).error();
    if (!*counters) return {storage_errc::damaged, on_->name() + ": counters are missing"};
    counters_ = std::move(**counters);
    for (const auto* list : {&counters_.counts.made, &counters_.counts.matured,
                             &counters_.counts.scored, &counters_.counts.expired})
      if (list->size() != all_horizons.size())
        return {storage_errc::damaged, on_->name() + ": counters are damaged"};
    return ok;
  }

  result<bool> put_snapshot(const snapshot& what) override;
  result<std::uint64_t> mature(const snapshot_mature& what) override;
  result<std::optional<snapshot>> find_snapshot(const std::string& id) override;
  result<prediction_list> pending(const pending_request& request) override;
  result<training_batch> pull(const training_pull& request) override;
  result<learning_counts> counts() override { return counters_.counts; }
  status put_bar(const bar& what) override;
  result<std::vector<bar>> bars(const instrument_id& instrument, nanoseconds interval,
                                market_time from, market_time to, std::uint32_t limit) override;
  result<bool> put_checkpoint(const checkpoint_manifest& what) override;
  result<std::vector<checkpoint_manifest>> checkpoints(const std::string& model,
                                                       std::uint32_t limit) override;
  result<std::uint64_t> append_log(store_log log, market_time at, const std::string& text) override;
  result<std::vector<store_log_row>> read_log(store_log log, std::uint64_t after,
                                              std::uint32_t limit) override;
  status sync() override { return on_->sync(); }
  void defer_sync(bool on) override { deferred_ = on; }

private:
  /// Decodes a value; damage is named by store, table and key.
  template <class T>
  result<T> decode(table in, std::string_view key, std::string_view value) const {
    auto x = from_record<T>(value);
    if (x) return x;
    std::string shown;
    for (const char c : key)
      shown += c >= ' ' && c <= '~' ? c : '.';
    return with_context(std::move(x).error(),
                        on_->name() + ":" + std::string{name_of(in)} + ":" + shown);
  }

  template <class T>
  result<std::optional<T>> read(table in, std::string_view key) {
    auto value = on_->get(in, key);
    if (!value) return std::move(value).error();
    if (!*value) return std::optional<T>{};
    auto x = decode<T>(in, key, **value);
    if (!x) return std::move(x).error();
    return std::optional<T>{std::move(*x)};
  }

  /// Writes changes together with changed counters; the counters change only when that worked.
  status commit(std::vector<table_write> changes, counter_row changed, bool sync) {
    changes.push_back({table::meta, std::string{counters_key}, to_record(changed)});
    if (auto done = on_->write(changes, sync && !deferred_); !done) return done;
    counters_ = std::move(changed);
    return ok;
  }

  result<snapshot> join(const std::string& id, const outcome_row& life) {
    auto found = read<snapshot>(table::snapshots, id);
    if (!found) return std::move(found).error();
    if (!*found) return {storage_errc::damaged, on_->name() + ": snapshot " + id + " is missing"};
    auto& x = **found;
    x.then = life.then;
    x.training_sequence = life.training_sequence;
    return std::move(x);
  }

  std::unique_ptr<tables> on_;
  counter_row counters_;
  bool deferred_ = false;
};

result<bool> table_store::put_snapshot(const snapshot& what) {
  const auto& p = what.what;
  if (p.id.empty() || p.id.size() > 512 || !is_name(p.instrument.text) || !is_horizon(p.over))
    return {storage_errc::bad_input,
            "snapshot \"" + p.id.substr(0, 64) + "\": id, instrument or horizon make no sense"};
  auto known = on_->get(table::outcomes, p.id);
  if (!known) return std::move(known).error();
  if (*known) return false;
  auto stored = what;
  stored.then = {};
  stored.training_sequence = 0;
  auto counters = counters_;
  ++counters.counts.made[static_cast<std::size_t>(p.over)];
  std::vector<table_write> changes;
  changes.push_back({table::snapshots, p.id, to_record(stored)});
  changes.push_back(
      {table::outcomes, p.id, to_record(outcome_row{p.instrument, p.over, p.due, {}, 0})});
  changes.push_back({table::pending, pending_key(p.instrument, p.over, p.due, p.id), to_record(p)});
  if (auto done = commit(std::move(changes), std::move(counters), true); !done)
    return std::move(done).error();
  return true;
}

result<std::uint64_t> table_store::mature(const snapshot_mature& what) {
  const auto kind = what.then.kind;
  if (kind != outcome_kind::scored && kind != outcome_kind::seam && kind != outcome_kind::expired)
    return {storage_errc::bad_input, "snapshot \"" + what.id.substr(0, 64)
                                         + "\": an outcome must be scored, seam or expired"};
  auto found = read<outcome_row>(table::outcomes, what.id);
  if (!found) return std::move(found).error();
  if (!*found)
    return {storage_errc::not_found, "snapshot \"" + what.id.substr(0, 64) + "\" is unknown"};
  auto& life = **found;
  if (life.then.kind != outcome_kind::pending)
    return {storage_errc::already_matured, "snapshot \"" + what.id + "\" has its outcome already"};
  if (!is_horizon(life.over))
    return {storage_errc::damaged, on_->name() + ":outcomes:" + what.id + ": no such horizon"};

  auto counters = counters_;
  const auto h = static_cast<std::size_t>(life.over);
  life.then = what.then;
  std::vector<table_write> changes;
  changes.push_back(
      {table::pending, pending_key(life.instrument, life.over, life.due, what.id), {}});
  if (kind == outcome_kind::expired)
    ++counters.counts.expired[h];
  else
    ++counters.counts.matured[h];
  if (kind == outcome_kind::scored) {
    ++counters.counts.scored[h];
    life.training_sequence = ++counters.training;
    changes.push_back({table::training, number_key(life.training_sequence), what.id});
  }
  changes.push_back({table::outcomes, what.id, to_record(life)});
  if (auto done = commit(std::move(changes), std::move(counters), true); !done)
    return std::move(done).error();
  return life.training_sequence;
}

result<std::optional<snapshot>> table_store::find_snapshot(const std::string& id) {
  auto life = read<outcome_row>(table::outcomes, id);
  if (!life) return std::move(life).error();
  if (!*life) return std::optional<snapshot>{};
  auto x = join(id, **life);
  if (!x) return std::move(x).error();
  return std::optional<snapshot>{std::move(*x)};
}

result<prediction_list> table_store::pending(const pending_request& request) {
  if (!is_name(request.instrument.text) || !is_horizon(request.over))
    return {storage_errc::bad_input, "instrument or horizon make no sense"};
  const auto prefix = pending_prefix(request.instrument, request.over);
  auto from = prefix;
  if (!request.after.empty()) {
    auto life = read<outcome_row>(table::outcomes, request.after);
    if (!life) return std::move(life).error();
    if (!*life || (*life)->instrument != request.instrument || (*life)->over != request.over)
      return {storage_errc::not_found,
              "no snapshot \"" + request.after.substr(0, 64) + "\" of this instrument and horizon"};
    from = pending_key(request.instrument, request.over, (*life)->due, request.after) + '\0';
  }
  const auto limit = bounded(request.limit);
  prediction_list out;
  status decoded = ok;
  auto done = on_->scan(table::pending, from, [&](std::string_view key, std::string_view value) {
    if (!key.starts_with(prefix)) return false;
    if (out.rows.size() == limit) return out.more = true, false;
    auto row = decode<prediction>(table::pending, key, value);
    if (!row) return decoded = std::move(row).error(), false;
    out.rows.push_back(std::move(*row));
    return true;
  });
  if (!done) return std::move(done).error();
  if (!decoded) return std::move(decoded).error();
  return out;
}

result<training_batch> table_store::pull(const training_pull& request) {
  training_batch out{.rows = {}, .newest = counters_.training};
  if (request.after >= counters_.training) return out;
  const auto limit = bounded(request.limit);
  std::vector<std::pair<std::uint64_t, std::string>> ids;
  auto done = on_->scan(table::training, number_key(request.after + 1),
                        [&](std::string_view key, std::string_view id) {
                          ids.emplace_back(number_of_key(key), id);
                          return ids.size() < limit;
                        });
  if (!done) return std::move(done).error();
  std::size_t bytes = 0;
  for (auto expected = request.after; const auto& [sequence, id] : ids) {
    if (sequence != ++expected)
      return {storage_errc::damaged,
              on_->name() + ":training: sequence " + std::to_string(expected) + " is missing"};
    auto life = read<outcome_row>(table::outcomes, id);
    if (!life) return std::move(life).error();
    if (!*life || (*life)->training_sequence != sequence)
      return {storage_errc::damaged, on_->name() + ":training:" + std::to_string(sequence)
                                         + ": does not fit snapshot " + id};
    auto x = join(id, **life);
    if (!x) return std::move(x).error();
    bytes += x->frame.features.bytes.size() + 1024;
    out.rows.push_back(std::move(*x));
    if (bytes >= store_page_bytes) break;
  }
  return out;
}

// --- bars, checkpoints, logs
// ----------------------------------------------------------------------

status table_store::put_bar(const bar& what) {
  if (!is_name(what.instrument.text) || what.interval <= nanoseconds{0})
    return {storage_errc::bad_input, "bar without instrument or interval"};
  auto key = bar_prefix(what.instrument, what.interval);
  append_big_endian(key, sortable(what.open_time.ns));
  const table_write change{table::bars, std::move(key), to_record(what)};
  return on_->write({&change, 1}, false);
}

result<std::vector<bar>> table_store::bars(const instrument_id& instrument, nanoseconds interval,
                                           market_time from, market_time to, std::uint32_t limit) {
  const auto prefix = bar_prefix(instrument, interval);
  auto first = prefix;
  append_big_endian(first, sortable(from.ns));
  std::vector<bar> out;
  status decoded = ok;
  auto done = on_->scan(table::bars, first, [&](std::string_view key, std::string_view value) {
    if (!key.starts_with(prefix) || out.size() >= bounded(limit)) return false;
    auto x = decode<bar>(table::bars, key, value);
    if (!x) return decoded = std::move(x).error(), false;
    if (x->open_time >= to) return false;
    out.push_back(std::move(*x));
    return true;
  });
  if (!done) return std::move(done).error();
  if (!decoded) return std::move(decoded).error();
  return out;
}

result<bool> table_store::put_checkpoint(const checkpoint_manifest& what) {
  if (!is_name(what.version.model) || !is_name(what.version.weights))
    return {storage_errc::bad_input, "checkpoint without model or weights hash"};
  const auto key = checkpoint_key(what);
  auto known = on_->get(table::checkpoints, key);
  if (!known) return std::move(known).error();
  if (*known) return false;
  const table_write change{table::checkpoints, key, to_record(what)};
  if (auto done = on_->write({&change, 1}, true); !done) return std::move(done).error();
  return true;
}

result<std::vector<checkpoint_manifest>> table_store::checkpoints(const std::string& model,
                                                                  std::uint32_t limit) {
  const auto prefix = checkpoint_prefix(model);
  std::vector<checkpoint_manifest> out;
  status decoded = ok;
  auto done =
      on_->scan(table::checkpoints, prefix, [&](std::string_view key, std::string_view value) {
        if (!key.starts_with(prefix) || out.size() >= bounded(limit)) return false;
        auto x = decode<checkpoint_manifest>(table::checkpoints, key, value);
        if (!x) return decoded = std::move(x).error(), false;
        out.push_back(std::move(*x));
        return true;
      });
  if (!done) return std::move(done).error();
  if (!decoded) return std::move(decoded).error();
  return out;
}

result<std::uint64_t> table_store::append_log(store_log log, market_time at,
                                              const std::string& text) {
  auto counters = counters_;
  auto& last = log == store_log::audit ? counters.audit : counters.inference;
  const store_log_row row{.sequence = ++last, .at = at, .text = text};
  const auto in = log == store_log::audit ? table::audit : table::inference;
  std::vector<table_write> changes;
  changes.push_back({in, number_key(row.sequence), to_record(row)});
  if (auto done = commit(std::move(changes), std::move(counters), log == store_log::audit); !done)
    return std::move(done).error();
  return row.sequence;
}

result<std::vector<store_log_row>> table_store::read_log(store_log log, std::uint64_t after,
                                                         std::uint32_t limit) {
  const auto in = log == store_log::audit ? table::audit : table::inference;
  std::vector<store_log_row> out;
  status decoded = ok;
  auto done =
      on_->scan(in, number_key(after + 1), [&](std::string_view key, std::string_view value) {
        if (out.size() >= bounded(limit)) return false;
        auto x = decode<store_log_row>(in, key, value);
        if (!x) return decoded = std::move(x).error(), false;
        out.push_back(std::move(*x));
        return true;
      });
  if (!done) return std::move(done).error();
  if (!decoded) return std::move(decoded).error();
  return out;
}

} // namespace

std::string_view name_of(table t) noexcept {
  switch (t) {
  case table::meta:
    return "meta";
  case table::snapshots:
    return "snapshots";
  case table::outcomes:
    return "outcomes";
  case table::pending:
    return "pending";
  case table::training:
    return "training";
  case table::bars:
    return "bars";
  case table::checkpoints:
    return "checkpoints";
  case table::inference:
    return "inference";
  case table::audit:
    return "audit";
  }
  return "?";
}

result<std::unique_ptr<store>> make_store(std::unique_ptr<tables> on) {
  auto out = std::make_unique<table_store>(std::move(on));
  if (auto done = out->start(); !done) return std::move(done).error();
  return std::unique_ptr<store>{std::move(out)};
}

} // namespace troupe
