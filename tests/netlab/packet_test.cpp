// Packets and faults of the laboratory, pure.

#define CAF_SUITE netlab_packets

#include "tools/netlab/link_faults.hpp"
#include "tools/netlab/packet.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::netlab;
using namespace std::chrono_literals;

namespace {

/// A segment of 4 bytes from 10.77.0.1:4410 to 10.77.0.2:51000.
packet segment() {
  return {0x45, 0, 0, 44, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2,     // IPv4
          0x11, 0x3a, 0xc7, 0x38, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 0x50, 0x18, 1, 0, 0, 0, 0, 0, // TCP, PSH ACK
          'a', 'b', 'c', 'd'};
}

/// A checksum over what carries its own is 0.
bool checks_out(const packet& p) {
  if (internet_checksum(std::span{p}.first(20)) != 0) return false;
  std::uint32_t sum = 6 + static_cast<std::uint32_t>(p.size() - 20);
  for (std::size_t at = 12; at < 20; at += 2) sum += static_cast<std::uint32_t>(p[at] << 8 | p[at + 1]);
  return internet_checksum(std::span{p}.subspan(20), sum) == 0;
}

} // namespace

CAF_TEST(heads_are_read_and_what_is_no_packet_is_not) {
  const auto bytes = segment();
  const auto head = read_head(bytes);
  CAF_REQUIRE(head.has_value());
  CAF_CHECK_EQUAL(head->from, 0x0a4d0001u);
  CAF_CHECK_EQUAL(head->to, 0x0a4d0002u);
  CAF_CHECK(head->tcp);
  CAF_CHECK_EQUAL(head->from_port, 4410);
  CAF_CHECK_EQUAL(head->to_port, 51000);
  CAF_CHECK_EQUAL(head->payload, 4u);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CAF_CHECK(!read_head(std::span{bytes}.first(length)).has_value());
  auto other = bytes;
  other[0] = 0x60; // version 6
  CAF_CHECK(!read_head(other).has_value());
  other = bytes;
  other[9] = 17; // UDP
  CAF_CHECK(!read_head(other)->tcp);
  other = bytes;
  other[7] = 1; // a fragment
  CAF_CHECK(!read_head(other)->tcp);
}

CAF_TEST(resets_carry_the_numbers_that_both_ends_expect) {
  // RFC 1071's own example sums to ddf2, so the checksum is its complement.
  const packet example{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CAF_CHECK_EQUAL(internet_checksum(example), 0x220d);
  const auto head = read_head(segment());
  const auto pair = resets_for(*head);
  CAF_REQUIRE_EQUAL(pair.size(), 2u);
  for (const auto& reset : pair) CAF_CHECK(checks_out(reset));
  const auto towards_receiver = read_head(pair[0]);
  const auto towards_sender = read_head(pair[1]);
  CAF_CHECK_EQUAL(towards_receiver->to, head->to);
  CAF_CHECK_EQUAL(towards_receiver->sequence, head->sequence);
  CAF_CHECK_EQUAL(towards_sender->to, head->from);
  CAF_CHECK_EQUAL(towards_sender->from_port, head->to_port);
  CAF_CHECK_EQUAL(towards_sender->sequence, head->acknowledged);
  CAF_CHECK_EQUAL(towards_sender->acknowledged, head->sequence + 4);
  CAF_CHECK_EQUAL(int{towards_sender->flags} & 4, 4);
  // A reset is not answered by a reset.
  CAF_CHECK(resets_for(*towards_sender).empty());
}

CAF_TEST(faults_follow_their_seed_and_their_shares) {
  const auto run = [](std::uint64_t seed) {
    link_faults faults{seed};
    faults.set(0, 1, {.delay = 10ms, .jitter = 5ms, .lost = 50'000, .duplicated = 20'000});
    std::vector<std::int64_t> out;
    for (int n = 0; n < 20'000; ++n) {
      const auto v = faults.decide(0, 1);
      out.push_back(!v.pass ? -1 : v.after.count() + (v.twice ? 1'000'000'000 : 0));
    }
    return out;
  };
  const auto one = run(7);
  CAF_CHECK(one == run(7));
  CAF_CHECK(one != run(8));
  std::size_t lost = 0, twice = 0;
  for (const auto x : one) {
    lost += x < 0 ? 1 : 0;
    twice += x >= 1'000'000'000 ? 1 : 0;
    if (x < 0) continue;
    const auto after = x % 1'000'000'000;
    CAF_CHECK(after >= 10'000'000 && after < 15'000'000);
  }
  CAF_CHECK(lost > 900 && lost < 1100);
  CAF_CHECK(twice > 300 && twice < 460);
}

CAF_TEST(only_the_direction_that_was_named_suffers) {
  link_faults faults{1};
  faults.set(0, 1, {.black_hole = true});
  CAF_CHECK(!faults.decide(0, 1).pass);
  CAF_CHECK(faults.decide(1, 0).pass);
  faults.set(0, 1, {});
  CAF_CHECK(faults.decide(0, 1).pass);
  faults.set(0, 1, {.reset = true});
  CAF_CHECK(faults.decide(0, 1).reset);
  faults.clear();
  CAF_CHECK(!faults.decide(0, 1).reset);
}
