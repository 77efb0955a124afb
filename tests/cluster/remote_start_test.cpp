#define CAF_SUITE remote_start
#include "runtime/cluster/remote_start.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdio>

using namespace troupe;

namespace {

using words = std::vector<std::string>;

remote_start plain() { return {"10.0.0.2", "/opt/troupe/bin/troupe", "/etc/troupe", "/var/lib/troupe", "", {}, "1.0-abc"}; }

/// What a POSIX shell makes of the text: its words, one a line.
std::string through_shell(const std::string& text) {
  const auto command = "printf '%s\\n' " + text;
  std::string out;
  if (auto* pipe = ::popen(command.c_str(), "r")) {
    char buffer[256];
    while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) out += buffer;
    ::pclose(pipe);
  }
  return out;
}

} // namespace

CAF_TEST(the_command_line_is_what_a_person_would_type) {
  const auto line = ssh_command("ssh -o BatchMode=yes", plain());
  CAF_REQUIRE(line);
  CAF_CHECK(*line
            == (words{"ssh", "-o", "BatchMode=yes", "-tt", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
                      "--", "10.0.0.2",
                      "exec '/opt/troupe/bin/troupe' --config '/etc/troupe' --data '/var/lib/troupe' up --host "
                      "'10.0.0.2' --expect-build '1.0-abc'"}));
}

CAF_TEST(whatever_stands_in_a_setting_stays_one_word) {
  auto what = plain();
  what.overrides = {"source.kind=live", "venues.x.ca=/tmp/it's $(rm -rf) \"here\"; `id` & \\"};
  what.nodes_file = "/etc/two words.conf";
  const auto line = ssh_command("ssh", what);
  CAF_REQUIRE(line);
  const auto& text = line->back();
  CAF_CHECK_EQUAL(through_shell(text.substr(text.find("--config"))),
                  "--config\n/etc/troupe\n--data\n/var/lib/troupe\n--set\nsource.kind=live\n--set\n"
                  "venues.x.ca=/tmp/it's $(rm -rf) \"here\"; `id` & \\\nup\n--host\n10.0.0.2\n--expect-build\n1.0-abc\n"
                  "/etc/two words.conf\n");
  for (const std::string odd : {"", "'", "''", "a'b", "-n", "*", "~", "$HOME", "\\"})
    CAF_CHECK_EQUAL(through_shell(shell_word(odd)), odd + "\n");
}

CAF_TEST(what_ssh_would_misread_is_refused) {
  auto what = plain();
  what.host = "-oProxyCommand=x";
  CAF_CHECK(!ssh_command("ssh", what));
  CAF_CHECK(!ssh_command("  ", plain()));
}

CAF_TEST(hosts_and_order) {
  const auto conf = parse_nodes_conf("node exec  host=127.0.0.1 port=1 roles=execution accounts=a@b\n"
                                     "node in    host=10.0.0.1  port=1 roles=ingest\n"
                                     "node model host=10.0.0.2  port=1 roles=model\n"
                                     "node gate  host=10.0.0.3  port=1 roles=gateway\n"
                                     "node train host=10.0.0.2  port=2 roles=train\n",
                                     "test.conf");
  CAF_REQUIRE(conf);
  CAF_CHECK(other_hosts(*conf, {"10.0.0.1"}) == (words{"10.0.0.2", "10.0.0.3"}));
  CAF_CHECK(is_this_host("localhost", {}) && !is_this_host("10.0.0.9", {"10.0.0.1"}));
  CAF_CHECK(rolling_order(*conf) == (words{"gate", "train", "model", "in", "exec"}));
}
