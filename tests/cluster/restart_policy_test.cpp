#define CAF_SUITE restart_policy
#include "runtime/cluster/restart_policy.hpp"

#include <caf/test/unit_test.hpp>

#include <csignal>
#include <sys/wait.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr steady_time at(nanoseconds t) {
  return {t.count()};
}

/// -1 ms: not to be started again.
std::int64_t ms(const std::optional<nanoseconds>& pause) {
  return pause ? std::chrono::duration_cast<std::chrono::milliseconds>(*pause).count() : -1;
}

} // namespace

CAF_TEST(back_off_doubles_to_its_bound) {
  restart_policy policy{{.limit = 1000}};
  std::int64_t expected = 200;
  for (int i = 0; i < 12; ++i) {
    CAF_CHECK_EQUAL(ms(policy.ended(process_end::failure, std::nullopt, at(i * 1min))), expected);
    expected = expected * 2 > 30'000 ? 30'000 : expected * 2;
  }
}

CAF_TEST(ready_for_a_second_begins_anew) {
  restart_policy policy{{.limit = 1000}};
  CAF_CHECK_EQUAL(ms(policy.ended(process_end::failure, 100ms, at(1s))), 200);
  CAF_CHECK_EQUAL(ms(policy.ended(process_end::failure, 100ms, at(2s))), 400);
  CAF_CHECK_EQUAL(ms(policy.ended(process_end::failure, 1s, at(4s))), 0);
  CAF_CHECK_EQUAL(ms(policy.ended(process_end::failure, std::nullopt, at(5s))), 200);
}

CAF_TEST(limit_counts_failures_within_the_period_only) {
  restart_policy policy{{.limit = 3, .period = 60s}};
  for (int i = 0; i < 3; ++i) CAF_CHECK(policy.ended(process_end::failure, 2s, at(i * 10s)));
  CAF_CHECK(!policy.ended(process_end::failure, 2s, at(50s)));
  restart_policy slow{{.limit = 3, .period = 60s}};
  for (int i = 0; i < 50; ++i) CAF_CHECK(slow.ended(process_end::failure, 2s, at(i * 30s)));
  policy.forgive();
  CAF_CHECK(policy.ended(process_end::failure, 2s, at(51s)));
}

CAF_TEST(kills_from_outside_do_not_count) {
  restart_policy policy{{.limit = 1, .period = 60s}};
  for (int i = 0; i < 100; ++i)
    CAF_CHECK_EQUAL(ms(policy.ended(process_end::outside, 5s, at(i * 100ms))), 0);
  CAF_CHECK_EQUAL(ms(policy.ended(process_end::declared, std::nullopt, at(20s))), 0);
  CAF_CHECK(!policy.ended(process_end::finished, 5s, at(21s)));
  CAF_CHECK(!policy.ended(process_end::hopeless, std::nullopt, at(22s)));
}

CAF_TEST(reads_wait_statuses) {
  const auto exited = [](int code) { return code << 8; };
  CAF_CHECK(classify_end(exited(0), false, false) == process_end::finished);
  CAF_CHECK(classify_end(exited(1), false, false) == process_end::failure);
  CAF_CHECK(classify_end(exited(75), false, false) == process_end::declared);
  CAF_CHECK(classify_end(exited(exit_configuration), false, false) == process_end::hopeless);
  CAF_CHECK(classify_end(exited(exit_data), false, false) == process_end::hopeless);
  CAF_CHECK(classify_end(SIGSEGV, false, false) == process_end::failure);
  CAF_CHECK(classify_end(SIGKILL, false, false) == process_end::outside);
  CAF_CHECK(classify_end(SIGKILL, false, true) == process_end::failure);
  CAF_CHECK(classify_end(exited(0), true, false) == process_end::outside);
}
