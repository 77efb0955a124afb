#define CAF_SUITE storage_actors
#include "actors/models/digest.hpp"
#include "runtime/actor/directory.hpp"
#include "messages/operator_fault.hpp"
#include "runtime/clock.hpp"
#include "storage/journal_actor.hpp"
#include "storage/store_actor.hpp"
#include "tests/storage/disks.hpp"
#include "tests/storage/samples.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

struct config : caf::actor_system_config {
  config() { register_message_types(*this); }
};

/// A real actor system: the actors under test have threads of their own and a real disk.
struct fixture {
  config cfg;
  caf::actor_system system{cfg};
  caf::scoped_actor self{system};
  monotonic_clock steady;
  wall_clock market;
  scratch_folder folder;
  actor_environment env{.market = &market, .steady = &steady, .names = nullptr, .seed = 1};

  journal_options journal_in(const std::string& name) {
    return {.directory = folder / name,
            .identity = {"exec", "machine-1", "main@binance"},
            .segment_bytes = 64u << 10};
  }
  journal_actor journal(const std::string& name) {
    return spawn_actor<journal_state>(system, {.name = "journal/main@binance", .detached = true},
                                      env, journal_in(name));
  }
  store_actor store(store_options options) {
    return spawn_actor<store_state>(system, {.name = "store", .detached = true}, env,
                                    std::move(options));
  }

  template <class Answer, class Handle, class Question>
  result<Answer> ask(const Handle& dst, Question question) {
    result<Answer> out = error{storage_errc::failed, "no answer"};
    self->request(dst, 20s, std::move(question))
        .receive([&](Answer& answer) { out = std::move(answer); },
                 [&](caf::error& err) { out = from_caf(err); });
    return out;
  }

  template <class Handle>
  std::string status(const Handle& dst) {
    return ask<status_report>(dst, status_request{}).value_or({}).json;
  }
  template <class Handle>
  void end(Handle& dst) {
    send_shutdown(dst);
    self->wait_for(dst);
  }
};

journal_append group_of(std::uint64_t first, std::uint64_t count) {
  journal_append out;
  for (auto n = first; n < first + count; ++n)
    out.entries.push_back(to_entry(sample_intent(n)));
  return out;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(storage_actor_tests, fixture)

CAF_TEST(the journal answers with sequences that are on the disk) {
  auto j = journal("j");
  const auto first = ask<journal_committed>(j, group_of(0, 3));
  CAF_REQUIRE(first);
  CAF_CHECK_EQUAL(first->first, 2u); // behind the session record
  CAF_CHECK_EQUAL(first->last, 4u);
  CAF_CHECK_EQUAL(first->epoch, 1u);
  const auto page = ask<journal_page>(j, journal_read{1, 10});
  CAF_REQUIRE(page);
  CAF_REQUIRE_EQUAL(page->rows.size(), 3u);
  const auto x = from_entry<intent>(page->rows[2].entry);
  CAF_REQUIRE(x);
  CAF_CHECK(*x == sample_intent(2));
  end(j);
  // The lock is free and all is there.
  auto again = journal("j");
  const auto second = ask<journal_committed>(again, group_of(3, 1));
  CAF_REQUIRE(second);
  CAF_CHECK_EQUAL(second->epoch, 2u);
  CAF_CHECK_EQUAL(second->first, 6u);
  end(again);
}

CAF_TEST(appends that wait share a sync and each gets its own numbers) {
  auto j = journal("j");
  CAF_REQUIRE(ask<status_report>(j, status_request{}));
  constexpr std::uint64_t count = 2000;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans(count);
  std::size_t answered = 0;
  for (std::uint64_t n = 0; n < count; ++n) {
    self->request(j, 20s, group_of(n, n % 3 + 1))
        .receive(
            [&](journal_committed& c) {
              spans[n] = {c.first, c.last};
              ++answered;
            },
            [&](caf::error& err) { CAF_FAIL(from_caf(err).message()); });
    if (n == 20) break; // one at a time: no groups
  }
  CAF_CHECK_EQUAL(answered, 21u);
  // Many at once, from an actor of their own.
  std::atomic<std::uint64_t> committed{0};
  std::atomic<std::uint64_t> last{0};
  auto flood = system.spawn([&](caf::event_based_actor* me) {
    for (std::uint64_t n = 0; n < count; ++n)
      me->request(j, 20s, group_of(n, 1))
          .then(
              [&, me](journal_committed& c) {
                CAF_CHECK(c.first == c.last && c.last > last);
                last = c.last;
                if (++committed == count) me->quit();
              },
              [me](caf::error& err) {
                CAF_ERROR(from_caf(err).message());
                me->quit();
              });
  });
  self->wait_for(flood);
  CAF_CHECK_EQUAL(committed.load(), count);
  const auto json = status(j);
  const auto syncs = std::stoull(json.substr(json.find("\"syncs\":") + 8));
  CAF_MESSAGE(json);
  CAF_CHECK(syncs < count / 4);
  const auto page = ask<journal_page>(j, journal_read{0, 1});
  CAF_REQUIRE(page);
  CAF_CHECK_EQUAL(page->newest, last.load());
  end(j);
}

CAF_TEST(a fenced journal answers with the error and ends) {
  auto j = journal("j");
  CAF_REQUIRE(ask<journal_committed>(j, group_of(0, 1)));
  // Another process took over although this one held the lock.
  auto bytes = read_whole(real_disk(), folder / "j/EPOCH", 100);
  CAF_REQUIRE(bytes);
  CAF_REQUIRE(replace_file(real_disk(), folder / "j/EPOCH", std::string(28, 'x')));
  const auto refused = ask<journal_committed>(j, group_of(1, 1));
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == storage_errc::damaged);
  self->wait_for(j);
  CAF_REQUIRE(replace_file(real_disk(), folder / "j/EPOCH", *bytes));
  auto again = journal("j");
  CAF_CHECK(ask<journal_committed>(again, group_of(1, 1)));
  end(again);
}

CAF_TEST(a second journal of the account does not start) {
  auto j = journal("j");
  CAF_REQUIRE(ask<status_report>(j, status_request{}));
  auto second = journal("j");
  self->wait_for(second);
  CAF_CHECK(ask<journal_committed>(j, group_of(0, 1)));
  end(j);
}

CAF_TEST(the store keeps what it has acknowledged over a restart) {
  const store_options options{.directory = folder / "store", .checkpoints = folder / "checkpoints"};
  auto s = store(options);
  const auto first = sample_snapshot(horizon::m1, 1);
  const auto second = sample_snapshot(horizon::m1, 2);
  CAF_REQUIRE(ask<acknowledged>(s, snapshot_put{first}));
  CAF_REQUIRE(ask<acknowledged>(s, snapshot_put{first}));
  CAF_REQUIRE(ask<acknowledged>(s, snapshot_put{second}));
  const snapshot_mature outcome_of_first{first.what.id, sample_outcome(outcome_kind::scored)};
  CAF_CHECK_EQUAL(ask<acknowledged>(s, outcome_of_first).value_or({}).sequence, 1u);
  const auto twice = ask<acknowledged>(s, outcome_of_first);
  CAF_REQUIRE(!twice);
  CAF_CHECK(twice.error().code == storage_errc::already_matured);
  end(s);

  s = store(options);
  const auto pending =
      ask<prediction_list>(s, pending_request{first.what.instrument, horizon::m1, 10, {}});
  CAF_REQUIRE(pending);
  CAF_REQUIRE_EQUAL(pending->rows.size(), 1u);
  CAF_CHECK(pending->rows[0] == second.what);
  const auto batch = ask<training_batch>(s, training_pull{0, 10});
  CAF_REQUIRE(batch);
  CAF_REQUIRE_EQUAL(batch->rows.size(), 1u);
  CAF_CHECK_EQUAL(batch->newest, 1u);
  CAF_CHECK(status(s).find("\"learning_counts\":{\"made\":[2,0,0,0],\"matured\":[1,0,0,0],"
                           "\"scored\":[1,0,0,0],\"expired\":[0,0,0,0]}")
            != std::string::npos);
  end(s);
}

CAF_TEST(writes that wait share a sync) {
  const store_options options{.directory = folder / "store", .checkpoints = {}};
  auto s = store(options);
  CAF_REQUIRE(ask<status_report>(s, status_request{}));
  constexpr std::int64_t count = 300;
  std::atomic<std::int64_t> stored{0};
  auto flood = system.spawn([&](caf::event_based_actor* me) {
    for (std::int64_t n = 0; n < count; ++n)
      me->request(s, 20s, snapshot_put{sample_snapshot(horizon::m1, n)})
          .then(
              [&, me](acknowledged&) {
                if (++stored == count) me->quit();
              },
              [me](caf::error& err) {
                CAF_ERROR(from_caf(err).message());
                me->quit();
              });
  });
  self->wait_for(flood);
  CAF_CHECK_EQUAL(stored.load(), count);
  const auto json = status(s);
  CAF_MESSAGE(json);
  CAF_CHECK(std::stoull(json.substr(json.find("\"groups\":") + 9)) < count / 4);
  // A snapshot without an id is refused, also while others wait.
  CAF_CHECK(!ask<acknowledged>(s, snapshot_put{}));
  end(s);
  auto opened = open_rocksdb_store({.directory = options.directory});
  CAF_REQUIRE(opened);
  const auto counts = (*opened)->counts().value_or({});
  CAF_CHECK_EQUAL(counts.made.at(0), 300u);
}

CAF_TEST(checkpoints arrive piece by piece) {
  auto s = store({.directory = {}, .checkpoints = folder / "checkpoints"});
  std::string weights(2 * checkpoint_chunk_bytes + 5, 'w');
  checkpoint_manifest manifest;
  manifest.version = {"cnn", 9, content_hash(weights)};
  manifest.bytes = weights.size();
  bool complete = false;
  for (std::uint64_t offset = 0; !complete;) {
    const auto receipt = ask<checkpoint_receipt>(
        s, checkpoint_chunk{manifest, offset, weights.substr(offset, checkpoint_chunk_bytes)});
    CAF_REQUIRE(receipt);
    CAF_REQUIRE(receipt->received > offset);
    offset = receipt->received;
    complete = receipt->complete;
  }
  end(s);
  auto files = checkpoint_store::open(real_disk(), {.root = folder / "checkpoints"});
  CAF_REQUIRE(files);
  CAF_CHECK(files->weights("cnn", manifest.version.weights).value_or("") == weights);
}

CAF_TEST(a store that can not be opened tries again and says why meanwhile) {
  const store_options options{
      .directory = folder / "store", .checkpoints = folder / "checkpoints", .reopen_after = 50ms};
  auto holder = open_rocksdb_store({.directory = options.directory});
  CAF_REQUIRE(holder);
  auto s = store(options);
  const auto x = sample_snapshot(horizon::m1, 1);
  auto refused = ask<acknowledged>(s, snapshot_put{x});
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == storage_errc::locked);
  CAF_CHECK(status(s).find("\"open\":false") != std::string::npos);
  holder->reset();
  bool stored = false;
  const auto deadline = steady.now() + 10s;
  while (!stored && steady.now() < deadline)
    stored = ask<acknowledged>(s, snapshot_put{x}).has_value();
  CAF_CHECK(stored);
  end(s);
}

CAF_TEST(damaged files end the journal and the store with an error for the operator) {
  const store_options options{
      .directory = folder / "store", .checkpoints = folder / "checkpoints", .reopen_after = 10ms};
  {
    auto j = journal("j");
    CAF_REQUIRE(ask<journal_committed>(j, group_of(0, 3)));
    end(j);
    auto s = store(options);
    CAF_REQUIRE(ask<acknowledged>(s, snapshot_put{sample_snapshot(horizon::m1, 1)}));
    end(s);
  }
  const auto segment = folder / "j/segment-00000001.journal";
  fs::resize_file(segment, 4096);
  for (const auto& entry : fs::directory_iterator{folder / "store"})
    if (entry.path().filename().string().starts_with("MANIFEST-")) fs::resize_file(entry.path(), 20);

  const auto reason = [&](auto actor) {
    error why;
    self->monitor(actor);
    self->receive([&](const caf::down_msg& down) { why = from_caf(down.reason); },
                  caf::after(20s) >> [&] { CAF_FAIL("still runs"); });
    return why;
  };
  const auto of_journal = reason(journal("j"));
  CAF_CHECK(is_for_operator(of_journal));
  CAF_CHECK(of_journal.text.starts_with(segment.string() + ":4096: "));
  CAF_CHECK(of_journal.text.find("troupe journal repair") != std::string::npos);
  CAF_CHECK_EQUAL(fs::file_size(segment), 4096u);
  const auto of_store = reason(store(options));
  CAF_CHECK(is_for_operator(of_store));
  CAF_CHECK(of_store.text.find((folder / "store").string()) != std::string::npos);
  CAF_CHECK(of_store.text.find("restore it") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
