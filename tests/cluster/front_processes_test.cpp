#define CAF_SUITE front_processes
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "tests/cluster/front_peers.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <sys/wait.h>

// Two nodes as processes (test_node.cpp), linked over TLS on loopback, and who should not get in. CPU and
// memory of the attacked node are read from /proc.

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// The number behind a key, from the first occurrence behind `from`; -1 when there is none.
std::int64_t number_in(const std::string& json, const std::string& key, const std::string& from = {}) {
  auto at = from.empty() ? 0 : json.find(from);
  if (at == std::string::npos) return -1;
  const auto mark = "\"" + key + "\":";
  at = json.find(mark, at);
  return at == std::string::npos ? -1 : std::strtoll(json.c_str() + at + mark.size(), nullptr, 10);
}

/// What a process has used.
struct usage {
  double cpu_s = 0;
  double rss_mib = 0;
};

usage usage_of(int pid) {
  usage out;
  const auto stat = text_in("/proc/" + std::to_string(pid) + "/stat");
  const auto close = stat.rfind(')');
  if (close == std::string::npos) return out;
  long user = 0, system = 0;
  std::sscanf(stat.c_str() + close + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user,
              &system);
  out.cpu_s = static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto statm = text_in("/proc/" + std::to_string(pid) + "/statm");
  long size = 0, resident = 0;
  std::sscanf(statm.c_str(), "%ld %ld", &size, &resident);
  out.rss_mib = static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  return out;
}

/// Most memory that a process holds while this lives, looked at every few milliseconds.
class memory_watch {
public:
  explicit memory_watch(int pid) : pid_{pid}, thread_{[this] { watch(); }} {}
  ~memory_watch() {
    over_ = true;
    thread_.join();
  }
  [[nodiscard]] double most_mib() const { return most_; }

private:
  void watch() {
    while (!over_) {
      most_ = std::max(most_.load(), usage_of(pid_).rss_mib);
      ::poll(nullptr, 0, 5);
    }
  }
  int pid_;
  std::atomic<bool> over_{false};
  std::atomic<double> most_{0};
  std::thread thread_;
};

/// The addresses on which a process listens, as /proc/net/tcp writes them: "0100007F:113A".
std::vector<std::string> listeners_of(int pid) {
  std::set<std::string> sockets;
  std::error_code ignored;
  for (const auto& fd : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/fd", ignored})
    sockets.insert(std::filesystem::read_symlink(fd, ignored).string());
  std::vector<std::string> out;
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream in{table};
    std::string line;
    while (std::getline(in, line)) {
      char local[64] = {}, state[8] = {}, inode[32] = {};
      if (std::sscanf(line.c_str(), "%*s %63s %*s %7s %*s %*s %*s %*s %*s %31s", local, state, inode) != 3)
        continue;
      if (std::string{state} == "0A" && sockets.contains("socket:[" + std::string{inode} + "]"))
        out.emplace_back(local);
    }
  }
  return out;
}

/// Nodes a and b, each a process of its own, both behind TLS.
struct fixture {
  fixture() : data{made_folder()}, authority{data / "tls"} {
    ports = {{"a", free_port()}, {"b", free_port()}};
    std::ofstream{data / "nodes.conf"}
        << "node a host=127.0.0.2 port=" << ports["a"] << " roles=ingest tls=on\n"
        << "node b host=127.0.0.1 port=" << ports["b"] << " roles=model tls=on\n";
    authority.issue("a");
    authority.issue("b");
    set_faults("");
  }
  ~fixture() {
    client.reset();
    for (const auto& [name, pid] : pids)
      kill_now(pid);
    std::filesystem::remove_all(data);
  }

  static std::filesystem::path made_folder() {
    char name[] = "/tmp/troupe-front-processes-XXXXXX";
    return ::mkdtemp(name);
  }

  static void kill_now(int pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }

  void start(const std::string& node) {
    auto child = spawn_process({TEST_NODE, (data / "nodes.conf").string(), node, (data / node).string(),
                                (data / "tls").string(), (data / "faults").string()},
                               log_of(node), false);
    CAF_REQUIRE(child.has_value());
    pids[node] = child->pid;
  }

  void start_and_join() {
    start("a");
    start("b");
    auto conf = load_nodes_conf(data / "nodes.conf");
    CAF_REQUIRE(conf.has_value());
    client_options options;
    options.front.directory = data / "tls";
    options.answer_within = 20s;
    client.emplace(conf.value(), options);
    CAF_REQUIRE(eventually(20s, [&] { return sees("a", "b", "up") && sees("b", "a", "up"); }));
  }

  std::filesystem::path log_of(const std::string& node) const { return data / (node + ".log"); }

  std::string page(const std::string& node) {
    auto report = client->status(node);
    return report ? report->json : report.error().text;
  }
  bool sees(const std::string& node, const std::string& peer, const std::string& state) {
    return holds(page(node), "{\"node\":\"" + peer + "\",\"state\":\"" + state + "\"");
  }

  /// The rig's faults of both nodes.
  void set_faults(const std::string& text) {
    std::ofstream{data / "faults.new"} << text;
    std::filesystem::rename(data / "faults.new", data / "faults");
  }

  /// Runs an attack and compares what node a used per second and held at most with what it did before.
  void attack(const std::string& what, const std::string& words, const std::function<void()>& run) {
    const auto measure = [&](const std::function<void()>& during) {
      const auto before = usage_of(pids["a"]);
      const auto begin = monotonic_ns();
      const memory_watch memory{pids["a"]};
      during();
      (void)eventually(nanoseconds{begin} + 2500ms - nanoseconds{monotonic_ns()}, [] { return false; });
      const auto after = usage_of(pids["a"]);
      const auto seconds = static_cast<double>(monotonic_ns() - begin) / 1e9;
      return usage{100 * (after.cpu_s - before.cpu_s) / seconds, memory.most_mib()};
    };
    const auto calm = measure([] {});
    const auto attacked = measure(run);
    std::printf("%-28s CPU %5.1f %% -> %5.1f %% of a core, memory %6.2f -> %6.2f MiB\n", what.c_str(),
                calm.cpu_s, attacked.cpu_s, calm.rss_mib, attacked.rss_mib);
    CAF_CHECK(attacked.cpu_s <= calm.cpu_s + 5);
    CAF_CHECK(attacked.rss_mib <= calm.rss_mib * 1.05);
    CAF_CHECK(eventually(5s, [&] { return holds(text_in(log_of("a")), words); }));
  }

  std::filesystem::path data;
  test_authority authority;
  std::map<std::string, std::uint16_t> ports;
  std::map<std::string, int> pids;
  std::optional<cluster_client> client;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(front_process_tests, fixture)

CAF_TEST(nodes_link_over_tls_and_nothing_else_listens) {
  start_and_join();
  auto echo = client->find<observable_actor>("a", "echo/b");
  CAF_REQUIRE(echo.has_value());
  CAF_CHECK_EQUAL(number_in(page("a"), "asks_failed"), 0);

  CAF_MESSAGE("a model's checkpoint as one message, and one beyond the cap");
  const std::uint64_t bytes = 48u << 20;
  const auto begin = monotonic_ns();
  auto blob = client->command("b", {"blob", {}, {{"bytes", std::to_string(bytes)}}, "test"});
  CAF_REQUIRE(blob.has_value());
  CAF_REQUIRE_EQUAL(blob->text.size(), bytes);
  bool same = true;
  for (std::size_t i = 0; i < bytes; ++i)
    same = same && blob->text[i] == static_cast<char>(i * 31 + i / 251);
  CAF_CHECK(same);
  std::cout << "48 MiB from node b through both fronts: " << (monotonic_ns() - begin) / 1'000'000 << " ms\n";
  CAF_CHECK(sees("a", "b", "up"));
  const auto links = page("b");
  CAF_CHECK(number_in(links, "bytes_out", "\"links\":{") > 0);
  CAF_CHECK(number_in(links, "round_trip_us", "\"dialled\":true") > 0);
  CAF_CHECK(holds(links, "\"certificate\":\"b\""));
  CAF_CHECK(holds(text_in(log_of("a")), "link taken"));

  CAF_CHECK(!client->command("b", {"blob", {}, {{"bytes", std::to_string(70u << 20)}}, "test"}).has_value());
  CAF_CHECK(eventually(5s, [&] { return holds(text_in(log_of("b")), "our own CAF: a frame claims 734"); }));
  CAF_CHECK(sees("b", "a", "up")); // another connection than the one that was closed

  CAF_MESSAGE("CAF itself is on loopback only");
  char own[32];
  std::snprintf(own, sizeof own, "0200007F:%04X", ports["a"]);
  const auto listeners = listeners_of(pids["a"]);
  CAF_CHECK_EQUAL(std::count(listeners.begin(), listeners.end(), own), 1);
  CAF_CHECK(listeners.size() >= 2);
  for (const auto& at : listeners)
    CAF_CHECK(at == own || at.starts_with("0100007F:"));

  CAF_MESSAGE("killed and started again, it joins again");
  kill_now(pids["b"]);
  const auto killed = monotonic_ns();
  CAF_CHECK(eventually(2s, [&] { return !sees("a", "b", "up"); }));
  std::cout << "kill -9 over TLS to noticed: " << (monotonic_ns() - killed) / 1'000'000 << " ms\n";
  start("b");
  CAF_CHECK(eventually(10s, [&] { return sees("a", "b", "up") && sees("b", "a", "up"); }));
  CAF_CHECK(eventually(5s, [&] { return client->find<observable_actor>("a", "echo/b").has_value(); }));
}

CAF_TEST(black_hole_and_cut_are_noticed_and_heal) {
  start_and_join();
  for (const std::string fault : {"b both black-hole\n", "b from black-hole\n", "b both cut\n"}) {
    // Of node a's view: the file is read by both, but b has no peer b.
    set_faults(fault);
    const auto begin = monotonic_ns();
    CAF_CHECK(eventually(5s, [&] { return holds(page("a"), "{\"node\":\"b\",\"state\":\"suspected\""); }));
    const auto noticed = (monotonic_ns() - begin) / 1'000'000;
    std::cout << fault.substr(0, fault.size() - 1) << ", noticed after " << noticed << " ms\n";
    CAF_CHECK(noticed <= 1800); // 1.5 s, reading the file and this test's asking
    set_faults("");
    const auto healed = monotonic_ns();
    CAF_CHECK(eventually(10s, [&] { return sees("a", "b", "up") && sees("b", "a", "up"); }));
    std::cout << "healed after " << (monotonic_ns() - healed) / 1'000'000 << " ms\n";
  }
  CAF_CHECK(holds(text_in(log_of("a")), "the rig disturbs links"));
}

CAF_TEST(a_hostile_port_costs_neither_processor_nor_memory) {
  start_and_join();
  const auto port = ports["a"];
  attack("silent peers", "it said nothing within 3000 ms", [&] {
    std::vector<owned_fd> silent;
    for (int i = 0; i < 10; ++i)
      silent.push_back(connect_to(port, "127.0.0.1", 10, "127.0.0.2"));
    CAF_CHECK(closed_after_ms(silent.back().get()) >= 0);
  });
  attack("garbage", "no TLS hello: it begins with the byte", [&] {
    for (int i = 0; i < 100; ++i) {
      auto peer = connect_to(port, "127.0.0.1", 10, "127.0.0.2");
      (void)send_all(peer.get(), "POST /cluster HTTP/1.1\r\n" + std::string(20'000, 'x'));
      CAF_CHECK(closed_after_ms(peer.get()) >= 0);
    }
  });
  attack("1.5 GiB length, no TLS", "no TLS hello: it begins with the byte", [&] {
    for (int i = 0; i < 16; ++i) {
      auto peer = connect_to(port, "127.0.0.1", 10, "127.0.0.2");
      (void)send_all(peer.get(), basp_frame(1, 1'610'612'736, ""));
      CAF_CHECK(closed_after_ms(peer.get()) >= 0);
    }
  });
  attack("1.5 GiB length of a member", "claims 1610612736 bytes of payload", [&] {
    for (int i = 0; i < 4; ++i) {
      tls_client peer{port, data / "tls" / "b", TLS1_3_VERSION, "127.0.0.2"};
      CAF_CHECK(!peer.receive().empty()); // CAF's greeting
      (void)peer.send(basp_frame(1, 1'610'612'736, ""));
      CAF_CHECK(peer.receive().empty());
    }
  });
  test_authority other{data / "other"};
  other.issue("b");
  authority.issue("stranger");
  authority.issue("b", -60, "expired");
  const auto refused_with = [&](const std::filesystem::path& certificates) {
    return [&, certificates] {
      for (int i = 0; i < 10; ++i) {
        tls_client peer{port, certificates, TLS1_3_VERSION, "127.0.0.2"};
        CAF_CHECK(peer.receive().empty());
      }
    };
  };
  attack("wrong authority", "'b' is not of this cluster's authority", refused_with(data / "other" / "b"));
  attack("wrong name", "names the node 'stranger', which nodes.conf does not have",
         refused_with(data / "tls" / "stranger"));
  attack("expired", "certificate has expired", refused_with(data / "tls" / "expired"));
  attack("no certificate", "it shows no certificate", refused_with({}));
  attack("hello byte by byte", "its TLS hello did not arrive within 3000 ms", [&] {
    std::vector<owned_fd> slow;
    for (int i = 0; i < 16; ++i)
      slow.push_back(connect_to(port, "127.0.0.1", 10, "127.0.0.2"));
    const std::string hello = std::string("\x16\x03\x01\x02\x00\x01", 6) + std::string(500, 'x');
    std::size_t at = 0;
    std::int64_t due = 0; // a byte each 20 ms: ten seconds for the whole hello
    CAF_CHECK(eventually(6s, [&] {
      const bool now = monotonic_ns() >= due;
      for (const auto& fd : slow)
        if (now) (void)send_all(fd.get(), hello.substr(at % hello.size(), 1));
      at += now ? 1 : 0;
      if (now) due = monotonic_ns() + 20'000'000;
      return std::all_of(slow.begin(), slow.end(), [](const owned_fd& fd) {
        ::pollfd entry{fd.get(), POLLIN, 0};
        return ::poll(&entry, 1, 0) == 1;
      });
    }));
  });
  attack("1,000 connections", "connections of this address have not proven who they are", [&] {
    std::vector<owned_fd> crowd;
    for (int i = 0; i < 1000; ++i)
      crowd.push_back(connect_to(port, "127.0.0.66", 10, "127.0.0.2"));
    CAF_CHECK(eventually(20s, [&] { // until the last was taken from the kernel's queue and closed
      ::pollfd entry{crowd.back().get(), POLLIN, 0};
      return ::poll(&entry, 1, 0) == 1;
    }));
  });
  CAF_CHECK(number_in(page("a"), "cap", "\"refused\":{") >= 900);
  CAF_CHECK(sees("a", "b", "up") && sees("b", "a", "up"));
  CAF_CHECK_EQUAL(number_in(page("b"), "joins", "\"peers\":["), 1); // the link was never lost
}

CAF_TEST(no_node_starts_with_the_certificate_of_another) {
  authority.issue("a", 3600, "b");
  start("a");
  start("b");
  CAF_CHECK(eventually(
      10s, [&] { return holds(text_in(log_of("b")), "is the certificate of 'a', not of node 'b'"); }));
  int how = 0;
  CAF_REQUIRE(eventually(5s, [&] { return ::waitpid(pids["b"], &how, WNOHANG) == pids["b"]; }));
  pids.erase("b");
  CAF_CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 1);

  CAF_MESSAGE("and without any certificate no node starts");
  std::filesystem::remove_all(data / "tls" / "b");
  start("b");
  CAF_CHECK(eventually(10s, [&] { return holds(text_in(log_of("b")), "`troupe cluster issue b` make it"); }));
  CAF_REQUIRE(eventually(5s, [&] { return ::waitpid(pids["b"], &how, WNOHANG) == pids["b"]; }));
  pids.erase("b");
}

CAF_TEST(a_hello_needs_the_certificate_of_its_node) {
  std::ofstream{data / "nodes.conf"} << "node a host=127.0.0.2 port=" << ports["a"]
                                     << " roles=ingest tls=on\n"
                                     << "node b host=127.0.0.1 port=" << ports["b"] << " roles=model tls=on\n"
                                     << "node c host=127.0.0.1 port=" << free_port()
                                     << " roles=model tls=on\n";
  authority.issue("c");
  start("a");
  auto conf = load_nodes_conf(data / "nodes.conf");
  CAF_REQUIRE(conf.has_value());
  const auto greet_as_b = [&](const std::string& certificate) {
    client_options options;
    options.front.directory = data / "tls" / certificate;
    cluster_client peer{conf.value(), options};
    CAF_REQUIRE(eventually(20s, [&] { return peer.node("a").has_value(); }));
    hello from;
    from.node = {"b"};
    from.incarnation = 7;
    from.schema = cluster_schema_hash();
    from.build = "test";
    from.configuration = conf->hash();
    auto answer = peer.ask<hello_reply>(peer.node("a").value(), 5s, from, peer.asker());
    return answer ? answer.value() : hello_reply{};
  };
  const auto lie = greet_as_b("c");
  CAF_CHECK(!lie.accepted);
  CAF_CHECK(holds(lie.refused, "the hello says 'b', but the certificate of its connection is that of 'c'"));
  CAF_CHECK(eventually(
      5s, [&] { return holds(text_in(log_of("a")), "the certificate of its connection is that of 'c'"); }));
  const auto truth = greet_as_b("b");
  CAF_CHECK_EQUAL(truth.refused, "");
  CAF_CHECK(truth.accepted);
}

CAF_TEST_FIXTURE_SCOPE_END()
