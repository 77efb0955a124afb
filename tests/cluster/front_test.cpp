#define CAF_SUITE front
#include "runtime/cluster/front.hpp"
#include "runtime/log.hpp"
#include "tests/cluster/front_peers.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <iostream>
#include <random>
#include <sys/stat.h>

// Fronts of two nodes in one process, over loopback sockets, with a listener in CAF's place. Everything is
// waited for on a condition with a deadline.

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct fixture {
  fixture() : folder{made_folder()}, authority{folder} {
    log_file = folder / "front.log";
    CAF_REQUIRE(log::open({.node = "test", .file = log_file.string()}).has_value());
    port_a = free_port();
    conf = conf_of(port_a);
    for (const auto* node : {"a", "b", "c"})
      authority.issue(node);
  }
  ~fixture() {
    b.reset();
    a.reset();
    log::close();
    std::filesystem::remove_all(folder);
  }

  static std::filesystem::path made_folder() {
    char name[] = "/tmp/troupe-front-XXXXXX";
    return ::mkdtemp(name);
  }

  static nodes_conf conf_of(std::uint16_t a, std::uint16_t b = 1) {
    auto parsed = parse_nodes_conf("node a host=127.0.0.1 port=" + std::to_string(a)
                                       + " roles=ingest tls=on\n"
                                         "node b host=127.0.0.1 port="
                                       + std::to_string(b)
                                       + " roles=model tls=on\n"
                                         "node c host=127.0.0.1 port=2 roles=model\n",
                                   "nodes.conf");
    return parsed ? std::move(parsed).value() : nodes_conf{};
  }

  front_options options_of(const std::string& node) const {
    front_options out;
    out.conf = conf;
    out.directory = folder;
    out.node = node;
    out.handshake_within = 10s; // of machines that are busy otherwise; tests of deadlines set their own
    out.connect_within = 10s;
    return out;
  }

  std::shared_ptr<cluster_front> start(front_options options) {
    auto made = cluster_front::start(std::move(options));
    if (!made) CAF_FAIL(made.error().text);
    return std::move(made).value();
  }

  /// a listens and leads to the listener; b dials.
  void start_both(nanoseconds handshake_within = 10s) {
    auto options = options_of("a");
    options.handshake_within = handshake_within;
    a = start(options);
    CAF_REQUIRE(a->listen(*conf.find("a"), inner.port).has_value());
    b = start(options_of("b"));
  }

  /// A connection of b's CAF to a's, greeted on both sides.
  owned_fd join(int patience_s = 10) {
    auto fd = connect_to(b->port_to("a"), "127.0.0.1", patience_s);
    CAF_CHECK_EQUAL(receive_exactly(fd.get(), 40), basp_frame(0, "listener"));
    CAF_CHECK(send_all(fd.get(), basp_frame(1, "id of b's CAF")));
    return fd;
  }

  bool logged(const std::string& words, nanoseconds within = 5s) {
    return eventually(within, [&] { return holds(text_in(log_file), words); });
  }

  std::uint64_t refused(const std::string& kind) const {
    const auto report = a->report();
    const auto i = report.refused.find(kind);
    return i == report.refused.end() ? 0 : i->second;
  }

  std::filesystem::path folder;
  test_authority authority;
  std::filesystem::path log_file;
  std::uint16_t port_a = 0;
  nodes_conf conf;
  echo_listener inner;
  std::shared_ptr<cluster_front> a, b;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(front_tests, fixture)

CAF_TEST(streams_pass_unchanged_and_are_counted) {
  start_both();
  CAF_CHECK_EQUAL(b->port_to("b"), 0u); // ourselves
  CAF_CHECK_EQUAL(b->port_to("c"), 0u); // not behind TLS
  auto link = join();
  std::mt19937_64 random{seed_of("front streams", 20260402)};
  std::uint64_t sent = 0;
  for (int i = 0; i < 60; ++i) {
    std::string payload(random() % (i % 10 == 0 ? 3'000'000 : 3000), '\0');
    for (auto& c : payload)
      c = static_cast<char>(random());
    const auto frame = basp_frame(2, payload);
    std::thread writer{[&] { CAF_CHECK(send_all(link.get(), frame)); }};
    const auto back = receive_exactly(link.get(), frame.size());
    writer.join();
    CAF_REQUIRE(back == frame);
    sent += frame.size();
  }
  const auto report = b->report();
  CAF_REQUIRE_EQUAL(report.links.size(), 1u);
  const auto& row = report.links[0];
  CAF_CHECK_EQUAL(row.peer, "a");
  CAF_CHECK(row.dialled);
  CAF_CHECK(row.bytes_out >= sent && row.bytes_in >= sent);
  CAF_CHECK_EQUAL(row.frames_in, 61u);
  const auto theirs = a->report();
  CAF_REQUIRE_EQUAL(theirs.links.size(), 1u);
  CAF_CHECK_EQUAL(theirs.links[0].peer, "b");
  CAF_CHECK_EQUAL(theirs.listening, "127.0.0.1:" + std::to_string(port_a));
  CAF_CHECK(eventually(2s, [&] { return b->report().links.at(0).round_trip.count() > 0; }));
  CAF_CHECK(a->certified_as("id of b's CAF") == std::set<std::string>{"b"});
  CAF_CHECK(a->certified_as("id of another").empty());
  CAF_CHECK(b->certified_as("listener").empty());

  CAF_MESSAGE("an end is passed on at once, both ways");
  link.reset();
  CAF_CHECK(eventually(1s, [&] { return a->report().links.empty() && b->report().links.empty(); }));
  auto again = join();
  a->stop();
  CAF_CHECK(closed_after_ms(again.get()) >= 0);
  CAF_CHECK(eventually(1s, [&] { return b->report().links.empty(); }));
}

CAF_TEST(what_throughput_it_leaves) {
  start_both();
  auto link = join(60);
  auto direct = connect_to(inner.port);
  CAF_CHECK_EQUAL(receive_exactly(direct.get(), 40), basp_frame(0, "listener"));
  CAF_CHECK(send_all(direct.get(), basp_frame(1, "direct")));
  const auto trips = [](int fd) {
    std::vector<std::int64_t> out;
    const auto frame = basp_frame(2, std::string(64, 'x'));
    for (int i = 0; i < 3000; ++i) {
      const auto begin = monotonic_ns();
      if (!send_all(fd, frame) || receive_exactly(fd, frame.size()).size() != frame.size()) return out;
      out.push_back(monotonic_ns() - begin);
    }
    std::sort(out.begin(), out.end());
    return out;
  };
  const auto plain = trips(direct.get());
  const auto carried = trips(link.get());
  CAF_REQUIRE(plain.size() == 3000u && carried.size() == 3000u);
  std::cout << "round trip of 96 bytes, p50/p99 us: direct " << plain[1500] / 1000 << '/'
            << plain[2970] / 1000 << ", through both fronts " << carried[1500] / 1000 << '/'
            << carried[2970] / 1000 << '\n';
  const std::string frame = basp_frame(2, std::string(48u << 20, 'm')); // a model's checkpoint
  const auto begin = monotonic_ns();
  std::thread writer{[&] { CAF_CHECK(send_all(link.get(), frame)); }};
  const auto back = receive_exactly(link.get(), frame.size());
  writer.join();
  const auto took = monotonic_ns() - begin;
  CAF_CHECK(back == frame);
  std::cout << "48 MiB there and back: " << took / 1'000'000 << " ms\n";
}

CAF_TEST(hostile_peers_are_refused_in_words) {
  start_both(1500ms);
  auto link = join(); // stays as it is all the while

  CAF_MESSAGE("silent");
  auto silent = connect_to(port_a);
  const auto waited = closed_after_ms(silent.get());
  CAF_CHECK(waited >= 1300 && waited < 8000);
  CAF_CHECK(logged("it said nothing within 1500 ms"));

  CAF_MESSAGE("garbage");
  auto garbage = connect_to(port_a);
  CAF_CHECK(send_all(garbage.get(), "GET / HTTP/1.1\r\n\r\n"));
  CAF_CHECK(closed_after_ms(garbage.get()) >= 0);
  CAF_CHECK(logged("no TLS hello: it begins with the byte 71"));
  auto bare = connect_to(port_a);
  CAF_CHECK(send_all(bare.get(), basp_frame(1, 1'610'612'736, "")));
  CAF_CHECK(closed_after_ms(bare.get()) >= 0);
  auto false_hello = connect_to(port_a);
  CAF_CHECK(send_all(false_hello.get(), std::string("\x16\x03\x01\x00\x80\x01", 6) + std::string(200, 'x')));
  CAF_CHECK(closed_after_ms(false_hello.get()) >= 0);
  CAF_CHECK(eventually(2s, [&] { return refused("not-tls") == 2 && refused("tls") == 1; }));

  CAF_MESSAGE("a hello that comes byte by byte");
  auto slow = connect_to(port_a);
  const std::string drip = std::string("\x16\x03\x01\x02\x00\x01", 6) + std::string(400, 'x');
  const auto begin = monotonic_ns();
  std::size_t dripped = 0;
  CAF_CHECK(eventually(9s, [&] {
    if (dripped < drip.size() && !send_all(slow.get(), drip.substr(dripped++, 1))) return true;
    ::pollfd entry{slow.get(), POLLIN, 0};
    return ::poll(&entry, 1, 5) == 1;
  }));
  const auto dripping = (monotonic_ns() - begin) / 1'000'000;
  CAF_CHECK(dripping >= 1300 && dripping < 8000);
  CAF_CHECK(logged("its TLS hello did not arrive within 1500 ms"));

  CAF_MESSAGE("certificates");
  const auto expect_refused = [&](const std::filesystem::path& certificates, const std::string& words) {
    tls_client peer{port_a, certificates};
    CAF_CHECK(peer.receive().empty());
    CAF_CHECK(logged(words));
  };
  expect_refused({}, "it shows no certificate");
  test_authority other{folder / "other"};
  expect_refused(other.issue("b"), "'b' is not of this cluster's authority or not valid");
  expect_refused(authority.issue("b", -60, "expired"), "certificate has expired");
  expect_refused(authority.issue("stranger"), "names the node 'stranger', which nodes.conf does not have");
  {
    tls_client old{port_a, folder / "b", TLS1_2_VERSION};
    CAF_CHECK(!old.shaken());
    CAF_CHECK(logged("it does not speak TLS 1.3"));
  }
  CAF_CHECK(refused("certificate") + refused("tls") >= 5);

  CAF_MESSAGE("a member that sends what is no link");
  {
    tls_client liar{port_a, folder / "b"};
    CAF_CHECK_EQUAL(liar.receive(), basp_frame(0, "listener"));
    const auto before = inner.received.load();
    CAF_CHECK(liar.send(basp_frame(1, "liar") + basp_frame(2, 1'610'612'736, "")));
    CAF_CHECK(liar.receive().empty());
    CAF_CHECK(logged("claims 1610612736 bytes of payload; at most 67108864 are let through"));
    CAF_CHECK_EQUAL(inner.received.load(), before); // not even what stood before it in the same piece
  }
  CAF_CHECK(logged("(b)")); // by name

  CAF_MESSAGE("the link has not been touched");
  const auto frame = basp_frame(2, "still there");
  CAF_CHECK(send_all(link.get(), frame));
  CAF_CHECK_EQUAL(receive_exactly(link.get(), frame.size()), frame);
}

CAF_TEST(a_thousand_connections_are_capped_and_counted) {
  auto options = options_of("a");
  options.handshake_within = 1s;
  options.admission.accepts_per_second = 2000; // so that the test need not wait
  a = start(options);
  CAF_REQUIRE(a->listen(*conf.find("a"), inner.port).has_value());
  b = start(options_of("b"));
  auto link = join();
  std::vector<owned_fd> crowd;
  for (int i = 0; i < 1000; ++i)
    crowd.push_back(connect_to(port_a, "127.0.0.66"));
  CAF_CHECK(eventually(20s, [&] { return a->report().accepted >= 1001; }));
  CAF_CHECK(a->report().waiting <= 16);
  CAF_CHECK(refused("cap") >= 900);
  CAF_CHECK(logged("16 connections of this address have not proven who they are"));
  const auto log = text_in(log_file);
  std::size_t lines = 0;
  for (auto at = log.find("connection refused"); at != std::string::npos;
       at = log.find("connection refused", at + 1))
    ++lines;
  CAF_CHECK(lines < 20);
  const auto frame = basp_frame(2, "still there");
  CAF_CHECK(send_all(link.get(), frame));
  CAF_CHECK_EQUAL(receive_exactly(link.get(), frame.size()), frame);
  CAF_CHECK(eventually(5s, [&] { return a->report().waiting == 0; }));
}

CAF_TEST(a_dialler_believes_only_the_node_it_dialled) {
  a = start(options_of("a"));
  CAF_REQUIRE(a->listen(*conf.find("a"), inner.port).has_value());
  // By this file node b is where a listens.
  auto options = options_of("c");
  options.conf = conf_of(1, port_a);
  auto dialler = start(options);
  auto fd = connect_to(dialler->port_to("b"));
  CAF_CHECK(closed_after_ms(fd.get()) >= 0);
  CAF_CHECK(holds(dialler->last_trouble("b"), "its certificate is that of node 'a', but 'b' was dialled"));
  CAF_CHECK(logged("but 'b' was dialled"));
  CAF_CHECK_EQUAL(inner.accepted.load(), 0);

  CAF_MESSAGE("nobody there, and somebody who never answers");
  auto nobody = connect_to(dialler->port_to("a"));
  CAF_CHECK(closed_after_ms(nobody.get()) >= 0);
  CAF_CHECK(holds(dialler->last_trouble("a"), "Connection refused"));
  echo_listener silent;
  options.conf = conf_of(silent.port);
  options.directory = folder;
  auto patient = start(options);
  auto waiting = connect_to(patient->port_to("a"));
  const auto waited = closed_after_ms(waiting.get());
  CAF_CHECK(waited >= 0); // what answers is no TLS
  CAF_CHECK(!patient->last_trouble("a").empty());
  const auto peers = patient->report().peers;
  CAF_CHECK(peers.size() == 1 && peers[0].faults == 1);
}

CAF_TEST(an_idle_peer_and_one_that_does_not_read_are_closed) {
  auto options = options_of("a");
  options.idle = 400ms;
  a = start(options);
  CAF_REQUIRE(a->listen(*conf.find("a"), inner.port).has_value());
  b = start(options_of("b"));
  auto idle = join();
  CAF_CHECK(closed_after_ms(idle.get()) >= 0);
  CAF_CHECK(logged("the peer has been silent for 400 ms"));

  CAF_MESSAGE("behind a reader that stands still, what is taken in stays small");
  a->stop();
  inner.reads = false;
  options.idle = 15s;
  a = start(options);
  CAF_REQUIRE(a->listen(*conf.find("a"), inner.port).has_value());
  auto full = connect_to(b->port_to("a"));
  CAF_CHECK(send_all(full.get(), basp_frame(1, "x") + basp_frame(2, 60u << 20, "")));
  ::fcntl(full.get(), F_SETFL, O_NONBLOCK);
  const std::string piece(256 << 10, 'x');
  std::uint64_t taken = 0;
  steady_time moved{monotonic_ns()};
  CAF_CHECK(eventually(20s, [&] {
    const auto sent = ::send(full.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (sent > 0) taken += static_cast<std::uint64_t>(sent), moved = {monotonic_ns()};
    return steady_time{monotonic_ns()} - moved > 500ms;
  }));
  std::cout << "taken in before a reader that stands still: " << taken / 1024 << " KiB\n";
  CAF_CHECK(taken < (32u << 20)); // the kernel's buffers of three sockets, and ours
}

CAF_TEST(the_rig_delays_cuts_and_black_holes) {
  const auto faults = folder / "faults";
  const auto set = [&](const std::string& text) {
    std::ofstream{folder / "faults.new"} << text;
    std::filesystem::rename(folder / "faults.new", faults);
  };
  set("");
  auto options = options_of("b");
  options.faults = faults;
  options.connect_within = 2s;
  a = start(options_of("a"));
  CAF_REQUIRE(a->listen(*conf.find("a"), inner.port).has_value());
  b = start(options);
  auto link = join();
  const auto trip = [&] {
    const auto frame = basp_frame(2, "trip");
    const auto begin = monotonic_ns();
    CAF_CHECK(send_all(link.get(), frame));
    CAF_CHECK_EQUAL(receive_exactly(link.get(), frame.size()), frame);
    return (monotonic_ns() - begin) / 1'000'000;
  };
  CAF_CHECK(trip() < 1000);
  set("seed 3\na to delay 300ms\n");
  CAF_REQUIRE(eventually(2s, [&] { return b->report().faults_on; }));
  CAF_CHECK(trip() >= 300);
  set("a from black-hole\n");
  CAF_REQUIRE(logged("the rig disturbs links"));
  ::poll(nullptr, 0, 50); // the file is read a hundred times a second
  CAF_CHECK(send_all(link.get(), basp_frame(2, "trip")));
  ::pollfd entry{link.get(), POLLIN, 0};
  CAF_CHECK_EQUAL(::poll(&entry, 1, 400), 0);
  auto second = connect_to(b->port_to("a"));
  CAF_CHECK(closed_after_ms(second.get()) >= 1900); // no new one either: it ends by its own deadline
  set("");
  CAF_CHECK_EQUAL(receive_exactly(link.get(), 36), basp_frame(2, "trip")); // nothing was lost
  set("* both cut\n");
  CAF_CHECK(closed_after_ms(link.get()) >= 0);
  auto third = connect_to(b->port_to("a"));
  CAF_CHECK(closed_after_ms(third.get()) >= 0);
  CAF_CHECK_EQUAL(b->last_trouble("a"), "cut by the rig");
  set("");
  CAF_CHECK(eventually(2s, [&] { return !b->report().faults_on; }));
  link = join();
  CAF_CHECK(trip() < 1000);
}

CAF_TEST(files_that_are_no_secret_or_of_another_are_refused) {
  const auto trouble = [&](const std::string& node) {
    auto made = cluster_front::start(options_of(node));
    return made ? std::string{} : made.error().text;
  };
  const auto key = folder / "a" / "node.key";
  CAF_CHECK(trouble("a").empty());
  struct stat info {};
  CAF_CHECK(::stat(key.c_str(), &info) == 0 && (info.st_mode & 0777) == 0600);
  ::chmod(key.c_str(), 0640);
  CAF_CHECK(holds(trouble("a"), "others may read it; run: chmod 600 " + key.string()));
  ::chmod(key.c_str(), 0600);
  if (::geteuid() == 0) {
    CAF_CHECK(::chown(key.c_str(), 12345, 12345) == 0);
    CAF_CHECK(holds(trouble("a"), "belongs to another user"));
    CAF_CHECK(::chown(key.c_str(), 0, 0) == 0);
  }
  ::chmod((folder / "a" / "ca.pem").c_str(), 0666);
  CAF_CHECK(holds(trouble("a"), "others may write it"));
  ::chmod((folder / "a" / "ca.pem").c_str(), 0644);
  std::filesystem::remove_all(folder / "c");
  CAF_CHECK(holds(trouble("c"), "then `troupe cluster issue c` make it"));
  authority.issue("b", 3600, "c");
  CAF_CHECK(holds(trouble("c"), "is the certificate of 'b', not of node 'c'"));
  authority.issue("c");
  std::filesystem::copy_file(folder / "b" / "node.key", folder / "c" / "node.key",
                             std::filesystem::copy_options::overwrite_existing);
  CAF_CHECK(holds(trouble("c"), "is not the key of node.pem"));
  std::ofstream{folder / "c" / "node.pem"} << "no certificate";
  CAF_CHECK(holds(trouble("c"), "node.pem: holds no certificate"));
  authority.issue("c", 3 * 24 * 3600);
  CAF_CHECK(trouble("c").empty());
  CAF_CHECK(logged("node.pem expires on"));
  authority.issue("c", -60);
  CAF_CHECK(trouble("c").empty()); // it starts and says so: its peers refuse it
  CAF_CHECK(logged("has expired on"));
}

CAF_TEST(an_authority_is_made_once_and_issues_in_words) {
  auto again = init_authority(folder / "authority");
  CAF_CHECK(!again && holds(again.error().text, "ca.key is there already"));
  certificate_request request{.authority = folder / "none", .directory = folder / "x", .node = "a"};
  auto none = issue_certificate(request);
  CAF_CHECK(!none && holds(none.error().text, "`troupe cluster init-ca` makes an authority"));
  request.authority = folder / "authority";
  request.directory = folder / "a";
  auto twice = issue_certificate(request);
  CAF_CHECK(!twice && holds(twice.error().text, "--replace writes a new one"));
  request.directory = folder / "fresh";
  auto made = issue_certificate(request);
  CAF_REQUIRE(made.has_value());
  CAF_CHECK(made->facts.nodes == std::vector<std::string>{"a"});
  CAF_CHECK(made->facts.serial.size() >= 8 && made->facts.until > made->facts.from);
  const auto read = read_certificate(folder / "fresh" / "node.pem");
  CAF_REQUIRE(read.has_value());
  CAF_CHECK_EQUAL(read->serial, made->facts.serial);
  request.directory = folder / "other";
  CAF_CHECK_NOT_EQUAL(issue_certificate(request)->facts.serial, made->facts.serial);
  CAF_CHECK(expiry_warning(*read, "it", read->until - nanoseconds{31LL * 24 * 3600 * 1'000'000'000}).empty());
  CAF_CHECK(holds(expiry_warning(*read, "it", read->until - 24h), "it expires on "));
  CAF_CHECK(holds(expiry_warning(*read, "it", read->until), "it has expired on "));
  CAF_CHECK(holds(expiry_warning(*read, "it", read->from - 1h), "is valid from "));
  CAF_CHECK_EQUAL(utc_text({1'700'000'000'000'000'000}), "2023-11-14T22:13:20Z");
}

CAF_TEST_FIXTURE_SCOPE_END()
