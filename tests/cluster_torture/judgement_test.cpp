// A record in which everything is as promised passes; with any one thing broken it does not, in words.

#define CAF_SUITE judgement

#include "tools/cluster_torture/judgement.hpp"

#include <caf/test/unit_test.hpp>

#include <functional>

using namespace troupe;
using namespace troupe::cluster_torture;
using namespace std::chrono_literals;

namespace {

suffered fault_of(fault_kind kind) {
  suffered out;
  out.fault = {10s, kind, "exec", 4s};
  out.in_flight = 60;
  out.silent = kind == fault_kind::black_hole;
  out.noticed_ms = 1400;
  out.whole_again_ms = out.predicts_ms = out.live_ms = 2500;
  out.agrees = true;
  return out;
}

torture_record good() {
  torture_record out;
  out.nodes = 7;
  out.faults = {fault_of(fault_kind::kill), fault_of(fault_kind::black_hole)};
  out.orders = 700;
  out.history.reconciled = 2;
  out.books_seen = 50;
  out.halt_kept = true;
  out.resident_begin = out.resident_end = {{"exec", 100U << 20}};
  return out;
}

using change = std::function<void(torture_record&)>;

/// Exactly one shortfall, which says `word`.
void seen(const char* word, const change& planted) {
  auto record = good();
  planted(record);
  const auto found = shortfalls(record, {});
  CAF_MESSAGE("planted: " << word);
  CAF_REQUIRE(!found.empty());
  CAF_CHECK(found.front().find(word) != std::string::npos);
  CAF_CHECK(to_json(record, {}).find("\"passed\":false") != std::string::npos);
}

} // namespace

CAF_TEST(a_record_without_fault_passes) {
  CAF_CHECK(shortfalls(good(), {}).empty());
  CAF_CHECK(to_json(good(), {}).find("\"passed\":true") != std::string::npos);
}

CAF_TEST(every_planted_breach_is_named) {
  seen("nothing was proven", [](auto& r) {
    r.faults.clear();
    r.orders = 700;
  });
  seen("instead of at least 500", [](auto& r) { r.orders = 499; });
  seen("in flight", [](auto& r) { r.faults[0].in_flight = r.faults[1].in_flight = 24; });
  seen("orders lost", [](auto& r) { r.lost = 1; });
  seen("orders duplicated", [](auto& r) { r.duplicated = 1; });
  seen("fills that are", [](auto& r) { r.fills_wrong = 1; });
  seen("trained on twice", [](auto& r) { r.trained_twice = 1; });
  seen("left out of training", [](auto& r) { r.training_gaps = 1; });
  seen("breaches in the journal", [](auto& r) { r.history.breached = 1; });
  seen("reconciliations", [](auto& r) { r.history.reconciled = 0; });
  seen("P6", [](auto& r) { r.bad_books.emplace_back("feed/x is valid with 2 bid and 1 asked"); });
  seen("books looked at", [](auto& r) { r.books_seen = 0; });
  seen("P8", [](auto& r) { r.halt_kept = false; });
  seen("P9", [](auto& r) { r.longest_mailbox = 5'001; });
  seen("model/cnn is not there", [](auto& r) { r.actors_missing.emplace_back("model/cnn"); });
  seen("exec grew", [](auto& r) { r.resident_end["exec"] = 200U << 20; });
  seen("not at rest", [](auto& r) { r.unsettled = "orders are open"; });
  seen("do not agree", [](auto& r) { r.faults[1].agrees = false; });
}

CAF_TEST(the_limits_of_times_are_those_of_the_promise) {
  const torture_limits limits;
  seen("noticed", [&](auto& r) { r.faults[1].noticed_ms = limits.notice_ms + limits.sampling_ms + 1; });
  seen("noticed: not seen", [](auto& r) { r.faults[1].noticed_ms.reset(); });
  seen("predictions flow again", [&](auto& r) { r.faults[0].predicts_ms = limits.after_kill_ms + limits.sampling_ms + 1; });
  seen("every node sees", [&](auto& r) { r.faults[0].whole_again_ms = limits.after_silence_ms + limits.sampling_ms + 1; });
  seen("the executor is live", [](auto& r) { r.faults[1].live_ms.reset(); });
  auto slow = good();
  slow.faults[1].predicts_ms = limits.after_silence_ms; // behind a black hole there is more time than behind a kill
  CAF_CHECK(shortfalls(slow, limits).empty());
}
