#define CAF_SUITE processes
#include "runtime/clock.hpp"
#include "runtime/cluster/client.hpp"
#include "runtime/cluster/nodes_conf_file.hpp"
#include "runtime/cluster/spawn_process.hpp"
#include "runtime/cluster/stem_client.hpp"
#include "runtime/cluster/tcp_probe.hpp"

#include <caf/test/unit_test.hpp>

#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// Real processes on loopback: a parent (test_stem.cpp) and nodes (test_node.cpp). Everything is waited
// for on
// a condition with a deadline.

using namespace troupe;
using namespace std::chrono_literals;

namespace {

/// Asks again and again until the answer is yes. The pause only spares the processor.
bool eventually(nanoseconds within, const std::function<bool()>& condition) {
  const auto until = monotonic_ns() + within.count();
  while (!condition()) {
    if (monotonic_ns() >= until) return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

/// A listening socket on a port of the kernel's choice.
struct taken_port {
  taken_port() : fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(fd.get(), 1) == 0
        && ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0)
      port = ntohs(address.sin_port);
  }
  owned_fd fd;
  std::uint16_t port = 0;
};

std::string read_all(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The number behind a key, from the first occurrence behind `from`; -1 when there is none.
std::int64_t number_of(const std::string& json, const std::string& key, const std::string& from = {}) {
  auto at = from.empty() ? 0 : json.find(from);
  if (at == std::string::npos) return -1;
  const auto mark = "\"" + key + "\":";
  at = json.find(mark, at);
  return at == std::string::npos ? -1 : std::strtoll(json.c_str() + at + mark.size(), nullptr, 10);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A cluster of the nodes a and b under a parent.
struct fixture {
  fixture() {
    char name[] = "/tmp/troupe-processes-XXXXXX";
    data = ::mkdtemp(name);
    taken_port one, two;
    write_conf(one.port, two.port);
  }

  ~fixture() {
    client.reset();
    if (stem_pid > 0) {
      ::kill(stem_pid, SIGKILL); // takes the nodes along
      ::waitpid(stem_pid, nullptr, 0);
    }
    std::filesystem::remove_all(data);
  }

  void write_conf(std::uint16_t a, std::uint16_t b) {
    std::ofstream{data / "nodes.conf"} << "node a host=127.0.0.1 port=" << a << " roles=ingest\n"
                                       << "node b host=127.0.0.1 port=" << b << " roles=model\n";
  }

  void start(const std::string& silence_ms = "10000") {
    auto child =
        spawn_process({TEST_STEM, data.string(), (data / "nodes.conf").string(), TEST_NODE, silence_ms},
                      data / "stem.log", false);
    CAF_REQUIRE(child.has_value());
    stem_pid = child->pid;
  }

  void start_and_join(const std::string& silence_ms = "10000") {
    start(silence_ms);
    CAF_REQUIRE(eventually(20s, [&] { return has(stem("status"), R"("ready":true,"nodes")"); }));
    auto conf = load_nodes_conf(data / "nodes.conf");
    CAF_REQUIRE(conf.has_value());
    client.emplace(conf.value());
    CAF_REQUIRE(eventually(10s, [&] { return sees("a", "b", "up") && sees("b", "a", "up"); }));
  }

  std::string stem(const std::string& command) const {
    auto answer = ask_stem(data / "stem.sock", command);
    return answer ? answer.value() : answer.error().text;
  }

  std::int64_t pid_of(const std::string& node) const {
    return number_of(stem("status"), "pid", "\"node\":\"" + node + "\"");
  }

  bool sees(const std::string& node, const std::string& peer, const std::string& state) {
    auto report = client->status(node);
    return report && has(report->json, "{\"node\":\"" + peer + "\",\"state\":\"" + state + "\"");
  }

  std::int64_t incarnation_seen(const std::string& node, const std::string& peer) {
    auto report = client->status(node);
    return report ? number_of(report->json, "incarnation", "{\"node\":\"" + peer + "\",\"state\"") : -1;
  }

  /// Process id that the actor echo/`peer` reports, found through `node`'s directory; 0 when not found.
  std::int64_t echo_pid(const std::string& node, const std::string& peer) {
    auto echo = client->find<observable_actor>(node, "echo/" + peer);
    if (!echo) return 0;
    auto report = client->ask<status_report>(echo.value(), 1s, status_request{});
    return report ? number_of(report->json, "pid") : 0;
  }

  std::optional<int> stem_end(nanoseconds within) {
    int how = 0;
    if (!eventually(within, [&] { return ::waitpid(stem_pid, &how, WNOHANG) == stem_pid; }))
      return std::nullopt;
    stem_pid = -1;
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
  }

  std::filesystem::path data;
  int stem_pid = -1;
  std::optional<cluster_client> client;
};

std::int64_t since_ms(std::int64_t start) {
  return (monotonic_ns() - start) / 1'000'000;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(process_tests, fixture)

CAF_TEST(killed_node_is_restarted_and_rejoins_with_its_names) {
  start_and_join();
  CAF_CHECK_EQUAL(echo_pid("a", "b"), pid_of("b"));
  const auto old_pid = pid_of("b");
  const auto old_incarnation = incarnation_seen("a", "b");
  const auto begin = monotonic_ns();
  ::kill(static_cast<pid_t>(old_pid), SIGKILL);
  CAF_REQUIRE(eventually(
      10s, [&] { return incarnation_seen("a", "b") > old_incarnation && sees("a", "b", "up"); }));
  const auto rejoined = since_ms(begin);
  CAF_REQUIRE(eventually(5s, [&] { return echo_pid("a", "b") == pid_of("b"); }));
  CAF_CHECK_NOT_EQUAL(pid_of("b"), old_pid);
  std::cout << "kill -9 to rejoined: " << rejoined << " ms\n";
  CAF_CHECK(rejoined <= 3000);
  CAF_CHECK_EQUAL(number_of(stem("status"), "restarts", "\"node\":\"b\""), 1);

  CAF_MESSAGE("the dialled side is killed as well");
  const auto again = monotonic_ns();
  ::kill(static_cast<pid_t>(pid_of("a")), SIGKILL);
  CAF_REQUIRE(eventually(10s, [&] { return sees("a", "b", "up") && echo_pid("b", "a") == pid_of("a"); }));
  std::cout << "kill -9 of the dialled side to rejoined: " << since_ms(again) << " ms\n";
}

CAF_TEST(a_node_that_is_silent_for_good_is_declared_dead_and_starts_anew) {
  start_and_join("60000"); // the parent lets it be
  const auto old_pid = pid_of("b");
  const auto old_incarnation = incarnation_seen("a", "b");
  const auto begin = monotonic_ns();
  ::kill(static_cast<pid_t>(old_pid), SIGSTOP);
  CAF_REQUIRE(eventually(15s, [&] { return sees("a", "b", "dead"); }));
  const auto declared = since_ms(begin);
  std::cout << "SIGSTOP to declared dead: " << declared << " ms\n";
  CAF_CHECK(declared >= 5000 && declared <= 7500);
  CAF_CHECK(has(read_all(data / "a" / "DEAD"), "b " + std::to_string(old_incarnation) + "\n"));
  ::kill(static_cast<pid_t>(old_pid), SIGCONT);
  CAF_REQUIRE(eventually(10s, [&] { return sees("a", "b", "up") && incarnation_seen("a", "b") > old_incarnation; }));
  CAF_CHECK_NOT_EQUAL(pid_of("b"), old_pid);
  CAF_CHECK(has(stem("status"), "exit code 75"));
}

CAF_TEST(sixteen_nodes_form_one_cluster) {
  std::vector<taken_port> ports(16); // all at once, so that no two are the same
  {
    std::ofstream out{data / "nodes.conf"};
    for (std::size_t i = 0; i < ports.size(); ++i)
      out << "node n" << i << " host=127.0.0.1 port=" << ports[i].port << " roles=" << (i < 5 ? "ingest" : "model") << '\n';
  }
  ports.clear();
  const auto begin = monotonic_ns();
  start();
  CAF_REQUIRE(eventually(60s, [&] { return has(stem("status"), R"("ready":true,"nodes")"); }));
  client.emplace(load_nodes_conf(data / "nodes.conf").value());
  const auto whole = [&](const std::string& node) {
    const auto report = client->status(node);
    std::size_t up = 0;
    for (std::size_t at = 0; report && (at = report->json.find(R"("state":"up")", at)) != std::string::npos; ++at) ++up;
    return up == 15 && has(report->json, R"("quorum":true,"coordinator":"n0")");
  };
  for (int i = 0; i < 16; ++i) CAF_REQUIRE(eventually(30s, [&] { return whole("n" + std::to_string(i)); }));
  std::cout << "sixteen nodes, each sees all others: " << since_ms(begin) << " ms\n";
  CAF_CHECK_EQUAL(echo_pid("n3", "n15"), pid_of("n15"));
}

CAF_TEST(stopped_node_is_noticed_in_time_and_comes_back) {
  start_and_join();
  const auto begin = monotonic_ns();
  ::kill(static_cast<pid_t>(pid_of("b")), SIGSTOP);
  CAF_REQUIRE(eventually(5s, [&] { return sees("a", "b", "suspected"); }));
  const auto noticed = since_ms(begin);
  std::cout << "SIGSTOP to suspected: " << noticed << " ms\n";
  CAF_CHECK(noticed <= 1600); // 1.5 s and one round of this test's asking
  auto gone = client->find<observable_actor>("a", "echo/b");
  CAF_CHECK(!gone.has_value());
  ::kill(static_cast<pid_t>(pid_of("b")), SIGCONT);
  const auto resumed = monotonic_ns();
  CAF_REQUIRE(eventually(10s, [&] { return sees("a", "b", "up") && sees("b", "a", "up"); }));
  CAF_REQUIRE(eventually(5s, [&] { return echo_pid("a", "b") == pid_of("b"); }));
  std::cout << "SIGCONT to up: " << since_ms(resumed) << " ms\n";

  CAF_CHECK(eventually(2s, [&] { return has(read_all(data / "b.log"), "this process did not run for"); }));

  CAF_MESSAGE("a stop so long that the connection itself is given up");
  ::kill(static_cast<pid_t>(pid_of("b")), SIGSTOP);
  CAF_REQUIRE(eventually(5s, [&] { return sees("a", "b", "suspected"); }));
  CAF_CHECK(!eventually(4500ms, [&] { return !sees("a", "b", "suspected"); }));
  ::kill(static_cast<pid_t>(pid_of("b")), SIGCONT);
  const auto later = monotonic_ns();
  CAF_REQUIRE(eventually(15s, [&] { return sees("a", "b", "up") && echo_pid("a", "b") == pid_of("b"); }));
  std::cout << "SIGCONT after a lost connection to up: " << since_ms(later) << " ms\n";
}

CAF_TEST(wedged_node_is_killed_and_restarted) {
  start_and_join("2500");
  const auto old_pid = pid_of("b");
  auto done = client->command("b", admin_command{"wedge", {}, {}, "test"});
  CAF_CHECK(done.has_value());
  CAF_REQUIRE(eventually(15s, [&] { return pid_of("b") > 0 && pid_of("b") != old_pid; }));
  CAF_REQUIRE(eventually(10s, [&] { return echo_pid("a", "b") == pid_of("b"); }));
  CAF_CHECK(has(stem("status"), "after its heartbeat fell silent"));
  CAF_CHECK(has(read_all(data / "b" / "audit.log"), R"("verb":"wedge")"));
}

CAF_TEST(a_blocked_handler_is_reported_and_its_process_is_started_anew_by_the_parent) {
  start_and_join("60000"); // silence alone would take a minute
  const auto old_pid = pid_of("b");
  const auto log = [&] { return read_all(data / "b.log"); };
  const auto begin = monotonic_ns();
  CAF_REQUIRE(client->command("b", admin_command{"block", {}, {}, "test"}).has_value());
  CAF_REQUIRE(eventually(2s, [&] { return has(log(), "local/stuck has been in its handler of acknowledged for 1"); }));
  std::cout << "blocked handler to its report: " << since_ms(begin) << " ms\n";
  CAF_CHECK(sees("b", "a", "up")); // the other worker goes on
  CAF_CHECK_EQUAL(pid_of("b"), old_pid);
  CAF_REQUIRE(eventually(15s, [&] { return pid_of("b") > 0 && pid_of("b") != old_pid; }));
  const auto anew = since_ms(begin);
  std::cout << "blocked handler to a new process: " << anew << " ms\n";
  CAF_CHECK(anew >= 10'000 && anew <= 12'000);
  CAF_CHECK(has(log(), "; the parent is to restart this process"));
  CAF_CHECK(has(stem("status"), "after it said that it is stuck"));
  CAF_CHECK(has(read_all(data / "stem.log"), "says that something in it does not return (see its log); aborting it"));
  CAF_CHECK(eventually(10s, [&] { return echo_pid("a", "b") == pid_of("b"); }));
}

CAF_TEST(declared_dead_and_drained_nodes) {
  start_and_join();
  const auto old_pid = pid_of("b");
  (void)client->command("b", admin_command{"exit", {}, {{"code", "75"}}, "test"});
  CAF_REQUIRE(
      eventually(10s, [&] { return pid_of("b") > 0 && pid_of("b") != old_pid && sees("a", "b", "up"); }));
  ::kill(static_cast<pid_t>(pid_of("b")), SIGTERM);
  CAF_REQUIRE(
      eventually(10s, [&] { return has(stem("status"), R"("node":"b","pid":-1,"state":"stopped")"); }));
  CAF_CHECK(eventually(2s, [&] { return sees("a", "b", "leaving"); }));
  CAF_CHECK(has(stem("restart b"), "done"));
  CAF_REQUIRE(eventually(10s, [&] { return sees("a", "b", "up"); }));
}

CAF_TEST(operator_commands_and_ordered_stop) {
  start_and_join();
  for (int i = 0; i < 8; ++i) { // more than the limit of counted failures
    const auto old_pid = pid_of("b");
    CAF_CHECK(has(stem("kill b"), "done"));
    CAF_REQUIRE(eventually(10s, [&] { return pid_of("b") > 0 && pid_of("b") != old_pid; }));
  }
  CAF_CHECK_EQUAL(number_of(stem("status"), "kills", "\"node\":\"b\""), 8);
  CAF_CHECK(has(stem("kill c"), "no node 'c'"));
  CAF_CHECK(has(stem("kill b BANG"), "unknown signal 'BANG'"));
  CAF_CHECK(has(stem("dance"), "unknown command"));
  auto unknown = client->command("a", admin_command{"lsit", {}, {}, "test"});
  CAF_CHECK(!unknown && has(unknown.error().text, "did you mean 'list'?"));
  auto list = client->command("a", admin_command{"list", {}, {}, "test"});
  CAF_CHECK(list && has(list->text, "echo/a"));
  const auto a = static_cast<pid_t>(pid_of("a"));
  const auto begin = monotonic_ns();
  CAF_CHECK(has(stem("stop"), "done"));
  const auto code = stem_end(12s);
  CAF_REQUIRE(code.has_value());
  CAF_CHECK_EQUAL(*code, 0);
  CAF_CHECK(::kill(a, 0) != 0);
  std::cout << "ordered stop: " << since_ms(begin) << " ms\n";
  CAF_CHECK(!std::filesystem::exists(data / "stem.sock"));
}

CAF_TEST(nodes_die_with_their_parent) {
  start_and_join();
  const auto a = static_cast<pid_t>(pid_of("a"));
  ::kill(stem_pid, SIGKILL);
  ::waitpid(stem_pid, nullptr, 0);
  stem_pid = -1;
  CAF_CHECK(eventually(5s, [&] { return ::kill(a, 0) != 0; }));
}

CAF_TEST(port_in_use_is_one_line_with_the_remedy) {
  taken_port taken;
  taken_port other;
  const auto free_port = other.port;
  other.fd.reset();
  write_conf(taken.port, free_port);
  start();
  const auto code = stem_end(30s);
  CAF_REQUIRE(code.has_value());
  CAF_CHECK_EQUAL(*code, 1);
  const auto log = read_all(data / "a.log");
  CAF_CHECK(
      has(log, "port " + std::to_string(taken.port) + " of node 'a' is in use by another process; end it"));
  CAF_CHECK(has(log, "or give the node another port in nodes.conf"));
  CAF_CHECK(has(read_all(data / "stem.log"), "is in use by another process"));
  CAF_CHECK(!std::filesystem::exists(data / "a" / "INCARNATION"));
}

CAF_TEST(second_process_of_a_node_is_refused_and_touches_nothing) {
  start_and_join();
  const auto counter = read_all(data / "a" / "INCARNATION");
  const auto pid = pid_of("a");
  // Another port does not help: the data directory is the same.
  taken_port one, two;
  std::filesystem::create_directory(data / "other");
  const auto conf = data / "other" / "nodes.conf";
  std::ofstream{conf} << "node a host=127.0.0.1 port=" << one.port << " roles=ingest\n"
                      << "node b host=127.0.0.1 port=" << two.port << " roles=model\n";
  one.fd.reset();
  two.fd.reset();
  auto second = spawn_process({TEST_NODE, conf.string(), "a", (data / "a").string()},
                              data / "second.log", false);
  CAF_REQUIRE(second.has_value());
  int how = 0;
  CAF_REQUIRE(eventually(5s, [&] { return ::waitpid(second->pid, &how, WNOHANG) == second->pid; }));
  CAF_CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 1);
  const auto words = read_all(data / "second.log");
  CAF_CHECK(has(words, "node 'a' already runs on " + (data / "a").string() + " as process "
                           + std::to_string(pid)));
  CAF_CHECK(has(words, "end that one first"));
  CAF_CHECK_EQUAL(read_all(data / "a" / "INCARNATION"), counter);
  // A killed holder leaves no lock behind.
  ::kill(static_cast<pid_t>(pid), SIGKILL);
  CAF_CHECK(eventually(
      10s, [&] { return pid_of("a") > 0 && pid_of("a") != pid && sees("b", "a", "up"); }));
}

CAF_TEST(what_only_a_person_can_mend_is_not_started_again) {
  start_and_join();
  (void)client->command("b", admin_command{"exit", {}, {{"code", "65"}}, "test"});
  CAF_REQUIRE(
      eventually(10s, [&] { return has(stem("status"), R"("node":"b","pid":-1,"state":"failed")"); }));
  CAF_CHECK_EQUAL(number_of(stem("status"), "restarts", "\"node\":\"b\""), 0);
  CAF_CHECK(has(read_all(data / "stem.log"), "node b is not started again: exit code 65"));
  CAF_CHECK(pid_of("a") > 0); // the others go on
  CAF_CHECK(has(stem("stop"), "done"));
  CAF_CHECK_EQUAL(stem_end(12s).value_or(-1), 1);
}

CAF_TEST(wrong_program_and_second_parent) {
  start_and_join();
  auto second = spawn_process({TEST_STEM, data.string(), (data / "nodes.conf").string(), TEST_NODE},
                              data / "second.log", false);
  CAF_REQUIRE(second.has_value());
  int how = 0;
  CAF_REQUIRE(eventually(5s, [&] { return ::waitpid(second->pid, &how, WNOHANG) == second->pid; }));
  CAF_CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 1);
  CAF_CHECK(has(read_all(data / "second.log"), "another `troupe up` runs on this data directory"));
  auto none = spawn_process({"/nonexistent/program"}, data / "x.log", true);
  CAF_REQUIRE(!none.has_value());
  CAF_CHECK(has(none.error().text, "can't run /nonexistent/program: No such file"));
}

CAF_TEST_FIXTURE_SCOPE_END()
