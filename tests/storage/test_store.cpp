#define CAF_SUITE storage_store
#include "storage/rocksdb_store.hpp"
#include "tests/storage/disks.hpp"
#include "tests/storage/samples.hpp"

#include <caf/test/unit_test.hpp>

#include <functional>
#include <map>

using namespace troupe;
using namespace troupe::test;

namespace {

std::unique_ptr<store> open_in(const fs::path& directory) {
  auto opened = open_rocksdb_store({.directory = directory});
  if (!opened) CAF_FAIL(opened.error().message());
  return std::move(*opened);
}

/// Runs a test on each implementation.
void on_each(const std::function<void(store&)>& test) {
  auto memory = make_memory_store();
  test(*memory);
  scratch_folder folder;
  auto disk_store = open_in(folder / "store");
  test(*disk_store);
}

status give(store& s, const std::string& id, outcome_kind kind) {
  auto done = s.mature({id, sample_outcome(kind)});
  if (!done) return std::move(done).error();
  return ok;
}

} // namespace

CAF_TEST(a snapshot is stored once and left as it is) {
  on_each([](store& s) {
    auto first = sample_snapshot(horizon::m1, 1);
    CAF_CHECK(s.put_snapshot(first).value_or(false));
    auto changed = first;
    changed.what.said.up_ppm = 1;
    CAF_CHECK(!s.put_snapshot(changed).value_or(true));
    auto found = s.find_snapshot(first.what.id);
    CAF_REQUIRE(found && *found);
    CAF_CHECK(**found == first);
    CAF_CHECK(!s.find_snapshot("none").value_or(first));
    const auto counts = s.counts().value_or({});
    CAF_CHECK_EQUAL(counts.made.at(0), 1u);
    CAF_CHECK_EQUAL(counts.made.at(1), 0u);
    auto senseless = first;
    senseless.what.id.clear();
    CAF_CHECK(!s.put_snapshot(senseless));
  });
}

CAF_TEST(an outcome is attached once and counted by kind) {
  on_each([](store& s) {
    for (int n = 0; n < 4; ++n)
      CAF_REQUIRE(s.put_snapshot(sample_snapshot(horizon::m5, n)));
    const auto id = [](int n) { return sample_snapshot(horizon::m5, n).what.id; };
    CAF_CHECK_EQUAL(s.mature({id(0), sample_outcome(outcome_kind::scored)}).value_or(9), 1u);
    CAF_CHECK_EQUAL(s.mature({id(1), sample_outcome(outcome_kind::seam)}).value_or(9), 0u);
    CAF_CHECK_EQUAL(s.mature({id(2), sample_outcome(outcome_kind::expired)}).value_or(9), 0u);
    CAF_CHECK_EQUAL(s.mature({id(3), sample_outcome(outcome_kind::scored)}).value_or(9), 2u);
    for (int n = 0; n < 4; ++n)
      CAF_CHECK(give(s, id(n), outcome_kind::scored).error().code == storage_errc::already_matured);
    CAF_CHECK(give(s, "none", outcome_kind::scored).error().code == storage_errc::not_found);
    CAF_CHECK(give(s, id(0), outcome_kind::pending).error().code == storage_errc::bad_input);
    const auto counts = s.counts().value_or({});
    CAF_CHECK_EQUAL(counts.made.at(1), 4u);
    CAF_CHECK_EQUAL(counts.matured.at(1), 3u);
    CAF_CHECK_EQUAL(counts.scored.at(1), 2u);
    CAF_CHECK_EQUAL(counts.expired.at(1), 1u);
    // A put of a known id does not undo its outcome.
    CAF_CHECK(!s.put_snapshot(sample_snapshot(horizon::m5, 0)).value_or(true));
    auto found = s.find_snapshot(id(0));
    CAF_REQUIRE(found && *found);
    CAF_CHECK((*found)->then == sample_outcome(outcome_kind::scored));
    CAF_CHECK_EQUAL((*found)->training_sequence, 1u);
  });
}

CAF_TEST(what is pending is listed by due time in pages) {
  on_each([](store& s) {
    for (const int n : {5, 3, 9, 1, 7})
      CAF_REQUIRE(s.put_snapshot(sample_snapshot(horizon::m1, n)));
    CAF_REQUIRE(s.put_snapshot(sample_snapshot(horizon::m60, 2)));
    CAF_REQUIRE(s.put_snapshot(sample_snapshot(horizon::m1, 2, "ETH-USDT@binance")));
    CAF_REQUIRE(s.put_snapshot(sample_snapshot(horizon::m1, 2, "BTC-USDT")));
    CAF_REQUIRE(give(s, sample_snapshot(horizon::m1, 3).what.id, outcome_kind::scored));
    pending_request request{
        .instrument = {"BTC-USDT@binance"}, .over = horizon::m1, .limit = 3, .after = {}};
    auto page = s.pending(request);
    CAF_REQUIRE(page);
    CAF_REQUIRE_EQUAL(page->rows.size(), 3u);
    CAF_CHECK(page->more);
    CAF_CHECK(page->rows[0] == sample_snapshot(horizon::m1, 1).what);
    CAF_CHECK(page->rows[1] == sample_snapshot(horizon::m1, 5).what);
    request.after = page->rows.back().id;
    page = s.pending(request);
    CAF_REQUIRE(page);
    CAF_REQUIRE_EQUAL(page->rows.size(), 1u);
    CAF_CHECK(!page->more);
    CAF_CHECK(page->rows[0] == sample_snapshot(horizon::m1, 9).what);
    // Paging goes on behind a row that has matured meanwhile.
    request.after = sample_snapshot(horizon::m1, 3).what.id;
    CAF_CHECK_EQUAL(s.pending(request).value_or({}).rows.size(), 3u);
    request.after = "none";
    CAF_CHECK(s.pending(request).error().code == storage_errc::not_found);
  });
}

CAF_TEST(the training stream hands out every scored snapshot once and in order) {
  on_each([](store& s) {
    std::vector<std::string> order;
    for (int n = 0; n < 30; ++n) {
      const auto x = sample_snapshot(all_horizons[static_cast<std::size_t>(n) % 4], n);
      CAF_REQUIRE(s.put_snapshot(x));
      const auto kind = n % 5 == 3   ? outcome_kind::seam
                        : n % 7 == 2 ? outcome_kind::expired
                                     : outcome_kind::scored;
      CAF_REQUIRE(give(s, x.what.id, kind));
      if (kind == outcome_kind::scored) order.push_back(x.what.id);
    }
    std::vector<std::string> pulled;
    std::uint64_t after = 0;
    while (true) {
      auto batch = s.pull({after, 7});
      CAF_REQUIRE(batch);
      CAF_CHECK_EQUAL(batch->newest, order.size());
      if (batch->rows.empty()) break;
      for (const auto& row : batch->rows) {
        CAF_REQUIRE_EQUAL(row.training_sequence, ++after);
        CAF_CHECK(row.then.kind == outcome_kind::scored);
        CAF_CHECK_EQUAL(row.frame.features.bytes.size(), 256u);
        pulled.push_back(row.what.id);
      }
    }
    CAF_CHECK(pulled == order);
    CAF_CHECK(s.pull({after + 1000, 7}).value_or({}).rows.empty());
  });
}

CAF_TEST(bars checkpoints and logs come back in order) {
  on_each([](store& s) {
    for (const int minute : {3, 1, 2, 0, 4}) {
      bar b;
      b.instrument = {"BTC-USDT@binance"};
      b.interval = std::chrono::minutes{1};
      b.open_time = {minute * 60'000'000'000};
      b.close = {minute};
      CAF_REQUIRE(s.put_bar(b));
      b.interval = std::chrono::minutes{5};
      CAF_REQUIRE(s.put_bar(b));
    }
    const auto bars = s.bars({"BTC-USDT@binance"}, std::chrono::minutes{1}, {60'000'000'000},
                             {240'000'000'000}, 0);
    CAF_REQUIRE(bars);
    CAF_REQUIRE_EQUAL(bars->size(), 3u);
    CAF_CHECK_EQUAL(bars->front().close.raw, 1);
    CAF_CHECK_EQUAL(bars->back().close.raw, 3);

    for (const std::uint64_t step : {10u, 300u, 20u}) {
      checkpoint_manifest m;
      m.version = {"cnn", step, "hash" + std::to_string(step)};
      CAF_CHECK(s.put_checkpoint(m).value_or(false));
      CAF_CHECK(!s.put_checkpoint(m).value_or(true));
    }
    const auto list = s.checkpoints("cnn", 2);
    CAF_REQUIRE(list);
    CAF_REQUIRE_EQUAL(list->size(), 2u);
    CAF_CHECK_EQUAL(list->at(0).version.step, 300u);
    CAF_CHECK_EQUAL(list->at(1).version.step, 20u);
    CAF_CHECK(s.checkpoints("cn", 2).value_or({{}}).empty());

    CAF_CHECK_EQUAL(s.append_log(store_log::audit, {1}, "a").value_or(0), 1u);
    CAF_CHECK_EQUAL(s.append_log(store_log::inference, {2}, "b").value_or(0), 1u);
    CAF_CHECK_EQUAL(s.append_log(store_log::audit, {3}, "c").value_or(0), 2u);
    const auto rows = s.read_log(store_log::audit, 1, 10);
    CAF_REQUIRE(rows);
    CAF_REQUIRE_EQUAL(rows->size(), 1u);
    CAF_CHECK_EQUAL(rows->front().text, "c");
    CAF_CHECK(s.sync());
  });
}

CAF_TEST(random work on both gives the same answers and counts) {
  std::mt19937_64 random{run_seed("store twins")};
  scratch_folder folder;
  auto a = make_memory_store();
  auto b = open_in(folder / "store");
  for (int i = 0; i < 400; ++i) {
    const auto x =
        sample_snapshot(all_horizons[random() % 4], static_cast<std::int64_t>(random() % 40));
    if (random() % 2 == 0) {
      CAF_REQUIRE_EQUAL(a->put_snapshot(x).value_or(false), b->put_snapshot(x).value_or(false));
    } else {
      const snapshot_mature m{x.what.id, sample_outcome(static_cast<outcome_kind>(random() % 4))};
      CAF_REQUIRE_EQUAL(a->mature(m).value_or(~0u), b->mature(m).value_or(~0u));
    }
    if (i % 100 == 50) {
      b.reset();
      b = open_in(folder / "store");
    }
  }
  CAF_CHECK(a->counts().value_or({}) == b->counts().value_or({}));
  for (const auto h : all_horizons) {
    const pending_request request{
        .instrument = {"BTC-USDT@binance"}, .over = h, .limit = 0, .after = {}};
    CAF_CHECK(a->pending(request).value_or({}) == b->pending(request).value_or({}));
  }
  CAF_CHECK(a->pull({0, 1000}).value_or({}) == b->pull({0, 1000}).value_or({}));
}

CAF_TEST(a store that is open is refused to a second one) {
  scratch_folder folder;
  auto first = open_in(folder / "store");
  auto second = open_rocksdb_store({.directory = folder / "store"});
  CAF_REQUIRE(!second);
  CAF_CHECK(second.error().code == storage_errc::locked);
  CAF_CHECK(second.error().text.find("store") != std::string::npos);
  // Reading beside it is possible once it was closed, and there must be a store.
  CAF_REQUIRE(first->put_snapshot(sample_snapshot(horizon::m1, 1)));
  first.reset();
  auto reader = open_rocksdb_store({.directory = folder / "store", .read_only = true});
  CAF_REQUIRE(reader);
  const auto counts = (*reader)->counts().value_or({});
  CAF_CHECK_EQUAL(counts.made.at(0), 1u);
  CAF_CHECK(!(*reader)->put_snapshot(sample_snapshot(horizon::m1, 2)));
  CAF_CHECK(!open_rocksdb_store({.directory = folder / "none", .read_only = true}));
}
