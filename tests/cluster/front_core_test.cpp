#define CAF_SUITE front_core
#include "runtime/cluster/front_admission.hpp"
#include "runtime/cluster/front_faults.hpp"
#include "runtime/cluster/front_framing.hpp"
#include "runtime/cluster/front_report.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// A frame as CAF 0.17.6 writes it.
std::string frame_bytes(std::uint8_t operation, std::uint32_t claimed, const std::string& payload) {
  std::string out(basp_stream::header_size, '\0');
  out[0] = static_cast<char>(operation);
  for (int i = 0; i < 4; ++i)
    out[4 + i] = static_cast<char>(claimed >> (24 - 8 * i));
  return out + payload;
}

std::string frame_bytes(std::uint8_t operation, const std::string& payload) {
  return frame_bytes(operation, static_cast<std::uint32_t>(payload.size()), payload);
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// The error of the first bytes of a stream; empty when they are let through.
std::string refusal(const std::string& bytes, basp_side side = basp_side::dialling, basp_limits limits = {}) {
  basp_stream stream{side, limits};
  auto admitted = stream.admit(bytes);
  if (admitted) return {};
  CAF_CHECK(!stream.admit("x")); // it stays refused
  return admitted.error().text;
}

} // namespace

CAF_TEST(a_stream_in_any_pieces_passes_whole) {
  std::string whole = frame_bytes(1, "node id and more");
  std::uint64_t frames = 1;
  std::mt19937_64 random{test::seed_of("front framing", 20260401)};
  for (; frames < 200; ++frames) {
    const auto operation = static_cast<std::uint8_t>(2 + random() % 5);
    whole += operation == 6 ? frame_bytes(6, "") : frame_bytes(operation, std::string(random() % 3000, 'p'));
  }
  for (int round = 0; round < 200; ++round) {
    basp_stream stream{basp_side::dialling, {}};
    std::string passed, kept;
    for (std::size_t at = 0; at < whole.size();) {
      const auto piece = std::min<std::size_t>(whole.size() - at, 1 + random() % (round < 20 ? 7 : 5000));
      kept.append(whole, at, piece);
      at += piece;
      const auto admitted = stream.admit(kept);
      CAF_REQUIRE(admitted.has_value());
      CAF_REQUIRE(kept.size() - admitted.value() < basp_stream::header_size);
      passed.append(kept, 0, admitted.value());
      kept.erase(0, admitted.value());
    }
    CAF_CHECK(passed == whole && kept.empty());
    CAF_CHECK_EQUAL(stream.frames(), frames);
    CAF_CHECK_EQUAL(stream.greeting(), "node id and more");
  }
}

CAF_TEST(what_is_no_link_is_refused_before_it_passes) {
  CAF_CHECK(holds(refusal("GET / HTTP/1.1\r\nHost: exec\r\n\r\n and so on"),
                  "no CAF link: a frame begins with the bytes 71 69 84"));
  CAF_CHECK(holds(refusal(frame_bytes(0, "x")), "no hand-shake of its side"));
  CAF_CHECK(holds(refusal(frame_bytes(1, "x"), basp_side::listening), "no hand-shake of its side"));
  CAF_CHECK(holds(refusal(frame_bytes(2, "x")), "no hand-shake of its side"));
  CAF_CHECK(holds(refusal(frame_bytes(1, "x") + frame_bytes(0, "x")), "a hand-shake of the other side"));
  // CAF says it again where both sides have dialled; nobody becomes another that way.
  const std::string id(80, 'i');
  CAF_CHECK(refusal(frame_bytes(1, id) + frame_bytes(4, "y") + frame_bytes(1, id)).empty());
  CAF_CHECK(
      holds(refusal(frame_bytes(1, id) + frame_bytes(1, id + "j")), "a second hand-shake unlike the first"));
  CAF_CHECK(holds(refusal(frame_bytes(1, id) + frame_bytes(1, "j" + id.substr(1))),
                  "a second hand-shake unlike the first"));
  CAF_CHECK(holds(refusal(frame_bytes(1, "x") + frame_bytes(6, "x")), "a heartbeat with a payload"));
  CAF_CHECK(holds(refusal(frame_bytes(1, "x") + frame_bytes(7, "x")), "begins with the bytes 7 0 0"));
  CAF_CHECK(refusal(frame_bytes(0, "x") + frame_bytes(4, "y"), basp_side::listening).empty());
}

CAF_TEST(no_frame_claims_more_than_its_cap) {
  const std::uint32_t hostile = 1'610'612'736;
  auto text = refusal(frame_bytes(1, hostile, ""));
  CAF_CHECK(holds(text, "claims 1610612736 bytes of payload; at most 65536 are let through in a hand-shake"));
  text = refusal(frame_bytes(1, "x") + frame_bytes(2, hostile, ""));
  CAF_CHECK(holds(text, "at most 67108864 are let through (cluster.tls.payload_max)"));
  CAF_CHECK(holds(refusal(frame_bytes(1, "x") + frame_bytes(2, 0xffffffffu, "")), "claims 4294967295 bytes"));
  const basp_limits tight{.payload = 100, .handshake = 10};
  CAF_CHECK(
      refusal(frame_bytes(1, std::string(10, 'x')) + frame_bytes(2, 100, ""), basp_side::dialling, tight)
          .empty());
  CAF_CHECK(holds(refusal(frame_bytes(1, 11, ""), basp_side::dialling, tight), "at most 10"));
  CAF_CHECK(holds(refusal(frame_bytes(1, "x") + frame_bytes(2, 101, ""), basp_side::dialling, tight),
                  "at most 100"));
}

CAF_TEST(caps_hold_and_places_come_back) {
  const admission_limits limits{
      .waiting = 6, .waiting_strangers = 3, .waiting_per_address = 2, .proven = 3, .proven_per_peer = 2};
  front_admission door{limits, {"10.0.0.1", "10.0.0.2", "10.0.0.3"}};
  CAF_CHECK(door.arrive("9.9.9.1").has_value() && door.arrive("9.9.9.1").has_value());
  auto third = door.arrive("9.9.9.1");
  CAF_CHECK(!third
            && holds(third.error().text, "2 connections of this address have not proven who they are"));
  CAF_CHECK(door.arrive("9.9.9.2").has_value());
  auto fourth = door.arrive("9.9.9.3");
  CAF_CHECK(!fourth && holds(fourth.error().text, "outside nodes.conf"));
  // Strangers have had their share: the hosts of nodes.conf still come in.
  CAF_CHECK(door.arrive("10.0.0.1").has_value() && door.arrive("10.0.0.2").has_value()
            && door.arrive("10.0.0.3").has_value());
  auto seventh = door.arrive("10.0.0.1");
  CAF_CHECK(!seventh && holds(seventh.error().text, "6 connections have not proven"));
  CAF_CHECK(door.prove("10.0.0.1", "model").has_value());
  CAF_CHECK(door.arrive("10.0.0.1").has_value());
  CAF_CHECK(door.prove("10.0.0.1", "model").has_value());
  CAF_CHECK(door.arrive("10.0.0.1").has_value());
  auto greedy = door.prove("10.0.0.1", "model");
  CAF_CHECK(!greedy && holds(greedy.error().text, "'model' has 2 connections open already"));
  CAF_CHECK(door.prove("10.0.0.1", "train").has_value());
  auto beyond = door.prove("10.0.0.2", "exec");
  CAF_CHECK(!beyond && holds(beyond.error().text, "3 connections are open already"));
  for (const auto* address : {"9.9.9.1", "9.9.9.1", "9.9.9.2", "10.0.0.2", "10.0.0.3"})
    door.gone(address);
  for (const auto* peer : {"model", "model", "train"})
    door.left(peer);
  CAF_CHECK_EQUAL(door.waiting(), 0u);
  CAF_CHECK_EQUAL(door.proven(), 0u);
  CAF_CHECK(door.arrive("9.9.9.3").has_value());
}

CAF_TEST(accepts_are_bounded_per_second) {
  front_admission door{{.accepts_per_second = 5}, {}};
  nanoseconds again{};
  const steady_time start{1'000'000'000'000};
  for (int i = 0; i < 5; ++i)
    CAF_CHECK(door.may_accept(start + i * 10ms, again));
  CAF_CHECK(!door.may_accept(start + 100ms, again));
  CAF_CHECK(again == 900ms);
  CAF_CHECK(door.may_accept(start + 1s, again));
}

CAF_TEST(log_lines_of_a_flood_are_counted_not_written) {
  line_throttle throttle;
  const steady_time start{1};
  CAF_CHECK(throttle.ask("a", start).write);
  for (int i = 0; i < 1000; ++i)
    CAF_CHECK(!throttle.ask("a", start + 1ms).write);
  CAF_CHECK(throttle.ask("b", start + 1ms).write);
  const auto later = throttle.ask("a", start + 10s);
  CAF_CHECK(later.write);
  CAF_CHECK_EQUAL(later.left_out, 1000u);
  std::size_t written = 0;
  for (int i = 0; i < 5000; ++i)
    written += throttle.ask("key " + std::to_string(i), start + 11s).write ? 1 : 0;
  CAF_CHECK(written <= 256);
}

CAF_TEST(fault_file_is_read_in_words) {
  const auto plan =
      parse_link_faults("# a rig\nseed 7\nmodel both black-hole\nexec to delay 50ms jitter 20ms # x\n"
                        "train from loss 0.25%\n*  both cut\n",
                        "f");
  CAF_REQUIRE(plan.has_value());
  CAF_CHECK_EQUAL(plan->seed, 7u);
  CAF_REQUIRE_EQUAL(plan->faults.size(), 4u);
  CAF_CHECK(plan->faults[1] == (link_fault{"exec", true, false, link_fault::kind::delay, 50ms, 20ms, 0}));
  CAF_CHECK_EQUAL(plan->faults[2].loss_ppm, 2500u);
  const auto trouble = [](std::string_view text) {
    auto parsed = parse_link_faults(text, "f");
    return parsed ? std::string{} : parsed.error().text;
  };
  CAF_CHECK(trouble("").empty());
  CAF_CHECK(
      holds(trouble("\nmodel both blackhole"), "f:2: unknown fault 'blackhole'; did you mean 'black-hole'?"));
  CAF_CHECK(holds(trouble("model up cut"), "no direction"));
  CAF_CHECK(holds(trouble("model to delay 5"), "such as delay 50ms"));
  CAF_CHECK(holds(trouble("model to delay 61s"), "at most 60s"));
  CAF_CHECK(holds(trouble("model to loss 101%"), "such as loss 5%"));
  CAF_CHECK(holds(trouble("model to cut now"), "takes nothing behind it"));
  CAF_CHECK(holds(trouble("seed x"), "seed NUMBER"));
}

CAF_TEST(same_seed_same_faults) {
  const std::string text =
      "seed 11\nm to loss 20%\nm to delay 1ms jitter 9ms\nn both black-hole\no both cut\n";
  const auto draw = [&](const std::string& peer, link_direction direction) {
    link_faults faults{parse_link_faults(text, "f").value()};
    std::vector<std::int64_t> out;
    for (int i = 0; i < 1000; ++i)
      out.push_back(faults.hold(peer, direction).count());
    return out;
  };
  const auto once = draw("m", link_direction::to_peer);
  CAF_CHECK(once == draw("m", link_direction::to_peer));
  const auto lost = std::count_if(once.begin(), once.end(), [](auto ns) { return nanoseconds{ns} >= 200ms; });
  CAF_CHECK(lost > 140 && lost < 260);
  CAF_CHECK(
      std::all_of(once.begin(), once.end(), [](auto ns) { return ns >= 1'000'000 && ns <= 210'000'000; }));
  const auto back = draw("m", link_direction::from_peer);
  CAF_CHECK(std::all_of(back.begin(), back.end(), [](auto ns) { return ns == 0; }));
  const link_faults faults{parse_link_faults(text, "f").value()};
  CAF_CHECK(faults.black_hole("n", link_direction::from_peer)
            && !faults.black_hole("m", link_direction::to_peer));
  CAF_CHECK(faults.cut("o") && !faults.cut("n"));
  CAF_CHECK(!link_faults{}.any());
}

CAF_TEST(report_is_one_json_object) {
  front_report report;
  report.listening = "10.0.0.2:4410";
  report.refused["cap"] = 3;
  auto& link = report.links.emplace_back();
  link.peer = "model";
  link.bytes_in = 5;
  link.round_trip = 84us;
  auto& peer = report.peers.emplace_back();
  peer.faults = 2;
  peer.last_trouble = "says \"no\"";
  const auto json = to_json(report);
  CAF_CHECK(holds(json, R"("refused":{"cap":3})"));
  CAF_CHECK(holds(json, R"("bytes_in":5)") && holds(json, R"("round_trip_us":84)"));
  CAF_CHECK(holds(json, R"("last_trouble":"says \"no\"")"));
}
