#define CAF_SUITE nodes_conf
#include "runtime/cluster/nodes_conf_file.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;

namespace {

constexpr std::string_view good = R"(# a comment
node ingest host=127.0.0.1 port=4410 roles=gateway,ingest threads=4   # behind a line

node exec host=127.0.0.1 port=4411 roles=execution
     accounts=main@binance,second@bybit labels=fast.disk
node model host=127.0.0.1 port=4412 roles=model device=cuda:1
)";

/// The error's text, or an empty one when the text parsed.
std::string trouble(std::string_view text) {
  auto parsed = parse_nodes_conf(text, "n.conf");
  return parsed ? std::string{} : parsed.error().text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

CAF_TEST(reads_every_key) {
  auto parsed = parse_nodes_conf(good, "n.conf");
  CAF_REQUIRE(parsed.has_value());
  const auto& conf = parsed.value();
  CAF_REQUIRE_EQUAL(conf.nodes().size(), 3u);
  const auto& ingest = conf.nodes()[0];
  CAF_CHECK_EQUAL(ingest.name.text, "ingest");
  CAF_CHECK_EQUAL(ingest.port, 4410u);
  CAF_CHECK_EQUAL(ingest.threads, 4u);
  CAF_CHECK(ingest.has(node_role::ingest) && ingest.has(node_role::gateway)
            && !ingest.has(node_role::model));
  CAF_CHECK(!ingest.needs_torch());
  const auto& exec = conf.nodes()[1];
  CAF_CHECK_EQUAL(exec.line, 4u);
  CAF_CHECK_EQUAL(exec.threads, 2u);
  CAF_REQUIRE_EQUAL(exec.accounts.size(), 2u);
  CAF_CHECK_EQUAL(exec.accounts[1], "second@bybit");
  CAF_CHECK(exec.has_label("fast.disk"));
  CAF_CHECK_EQUAL(conf.nodes()[2].device, "cuda:1");
  CAF_CHECK(conf.nodes()[2].needs_torch());
  CAF_CHECK_EQUAL(conf.node_of("second@bybit")->name.text, "exec");
  CAF_CHECK(conf.node_of("third@bybit") == nullptr);
  CAF_CHECK_EQUAL(conf.position("model"), 2u);
}

CAF_TEST(text_round_trip_and_hash) {
  auto first = parse_nodes_conf(good, "n.conf");
  CAF_REQUIRE(first.has_value());
  auto second = parse_nodes_conf(to_text(first.value()), "again.conf");
  CAF_REQUIRE(second.has_value());
  CAF_CHECK_EQUAL(first->hash(), second->hash());
  auto moved = parse_nodes_conf("node a host=127.0.0.1 port=1 roles=ingest", "a");
  auto other = parse_nodes_conf("node a host=127.0.0.1 port=2 roles=ingest", "a");
  auto commented = parse_nodes_conf("# x\nnode a   host=127.0.0.1\n  roles=ingest port=1 # y", "a");
  CAF_CHECK_NOT_EQUAL(moved->hash(), other->hash());
  CAF_CHECK_EQUAL(moved->hash(), commented->hash());
}

CAF_TEST(errors_name_line_and_remedy) {
  const auto node = [](const std::string& rest) { return "\nnode a host=127.0.0.1 port=1 " + rest; };
  auto text = trouble("nod a host=127.0.0.1");
  CAF_CHECK(has(text, "n.conf:1:") && has(text, "did you mean 'node'?"));
  text = trouble(node("rolls=ingest"));
  CAF_CHECK(has(text, "n.conf:2:") && has(text, "unknown key 'rolls'; did you mean 'roles'?"));
  text = trouble(node("roles=ingst"));
  CAF_CHECK(has(text, "n.conf:2:") && has(text, "did you mean 'ingest'?"));
  text = trouble(node("roles=model device=cud:0"));
  CAF_CHECK(has(text, "did you mean 'cuda:0'?"));
  CAF_CHECK(has(trouble("node a host=127.0.0.1 port=0 roles=ingest"),
                "port=0: expected a number from 1 to 65535"));
  CAF_CHECK(has(trouble("node a host=127.0.0.1 port=70000 roles=ingest"), "port=70000"));
  CAF_CHECK(has(trouble(node("roles=ingest threads=0")), "threads=0"));
  CAF_CHECK(has(trouble(node("roles=ingest threads=2x")), "threads=2x"));
  CAF_CHECK(has(trouble(node("")), "n.conf:2: node 'a' has no roles"));
  CAF_CHECK(has(trouble(node("roles=ingest roles=model")), "'roles' is given twice"));
  CAF_CHECK(has(trouble(node("roles=ingest labels=")), "'labels' has no value"));
  CAF_CHECK(has(trouble(node("roles=ingest labels=a,,b")), "'' does not fit"));
  CAF_CHECK(has(trouble(node("roles=ingest stray")), "expected key=value, found 'stray'"));
  CAF_CHECK(has(trouble("  host=127.0.0.1"), "n.conf:1: continues a node, but none is above it"));
  CAF_CHECK(has(trouble("node host=127.0.0.1"), "a node needs a name"));
  CAF_CHECK(has(trouble("node ä host=127.0.0.1 port=1 roles=ingest"), "is no node name"));
  CAF_CHECK(has(trouble("# nothing\n"), "n.conf:1: no node; add a line"));
  CAF_CHECK(has(trouble(node("roles=execution")), "has the role execution but no account"));
  CAF_CHECK(
      has(trouble(node("roles=ingest accounts=main@binance")), "has accounts but not the role execution"));
  CAF_CHECK(has(trouble(node("roles=execution accounts=binance")), "'binance' does not fit"));
  CAF_CHECK(has(trouble(node("roles=execution standby-for=b")), "unknown node 'b'"));
}

CAF_TEST(hosts_off_loopback_need_tls) {
  const auto node = [](const std::string& rest) { return "node a port=1 roles=ingest host=" + rest; };
  CAF_CHECK(has(trouble(node("exec.example")), "n.conf:1: host=exec.example: write a numeric address"));
  for (const std::string host : {"0.0.0.0", "::"})
    CAF_CHECK(has(trouble(node(host + " tls=on")), "names no machine"));
  CAF_CHECK(has(trouble(node("10.0.0.2 tls=off")), "tls=off is for loopback only"));
  CAF_CHECK(has(trouble(node("10.0.0.2 tls=yes")), "tls=yes: expected on or off"));
  CAF_CHECK(has(trouble(node("127.0.0.2")), "without TLS nodes listen on 127.0.0.1"));
  CAF_CHECK(has(trouble(node("127.0.0.1 tsl=on")), "did you mean 'tls'?"));
  const auto tls_of = [&](const std::string& rest) {
    auto parsed = parse_nodes_conf(node(rest), "n.conf");
    CAF_REQUIRE(parsed.has_value());
    CAF_CHECK_EQUAL(parsed->any_tls(), parsed->nodes()[0].tls);
    CAF_CHECK_EQUAL(parse_nodes_conf(to_text(*parsed), "again")->hash(), parsed->hash());
    return parsed->nodes()[0].tls;
  };
  CAF_CHECK(tls_of("10.0.0.2"));
  CAF_CHECK(tls_of("fd00::2"));
  CAF_CHECK(tls_of("127.0.0.2 tls=on"));
  CAF_CHECK(tls_of("127.0.0.1 tls=on"));
  CAF_CHECK(!tls_of("127.0.0.1"));
  CAF_CHECK(!tls_of("localhost tls=off"));
  // One port number on two hosts is no clash; on one host it is.
  CAF_CHECK(trouble("node a port=1 roles=ingest host=10.0.0.1\nnode b port=1 roles=model host=10.0.0.2\n").empty());
  CAF_CHECK(has(trouble("node a port=1 roles=ingest host=fd00::1\nnode b port=1 roles=model host=fd00::1\n"),
                "the port [fd00::1]:1"));
}

CAF_TEST(contradictions_name_both_lines) {
  const std::string a = "node a host=127.0.0.1 port=1 roles=execution accounts=main@binance\n";
  auto text = trouble(a + "node a host=127.0.0.1 port=2 roles=ingest\n");
  CAF_CHECK(has(text, "n.conf:2:") && has(text, "the name 'a'") && has(text, "line 1"));
  text = trouble(a + "node b host=127.0.0.1 port=1 roles=ingest\n");
  CAF_CHECK(has(text, "n.conf:2:") && has(text, "the port 127.0.0.1:1") && has(text, "line 1"));
  text = trouble(a + "node b host=127.0.0.1 port=2 roles=execution\n accounts=main@binance\n");
  CAF_CHECK(has(text, "n.conf:2:") && has(text, "the account 'main@binance'") && has(text, "line 1"));
  CAF_CHECK(trouble(a + "node b host=127.0.0.1 port=2 roles=execution standby-for=a\n").empty());
  CAF_CHECK(has(trouble(a + "node b host=localhost port=1 roles=ingest\n"), "the port 127.0.0.1:1"));
  CAF_CHECK(trouble(a + "node b host=localhost port=2 roles=ingest\n").empty());
  std::string many;
  for (int i = 1; i <= 17; ++i)
    many += "node n" + std::to_string(i) + " host=127.0.0.1 port=" + std::to_string(i) + " roles=ingest\n";
  CAF_CHECK(has(trouble(many), "n.conf:17: 17 nodes; at most 16"));
}

CAF_TEST(unknown_node_and_missing_file) {
  auto conf = parse_nodes_conf(good, "n.conf");
  auto missing = conf->at("exce");
  CAF_REQUIRE(!missing.has_value());
  CAF_CHECK(has(missing.error().text, "did you mean 'exec'?"));
  auto none = load_nodes_conf("/nonexistent/nodes.conf");
  CAF_REQUIRE(!none.has_value());
  CAF_CHECK(has(none.error().text, "/nonexistent/nodes.conf: No such file"));
}

CAF_TEST(damaged_text_never_crashes) {
  std::string text{good};
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'\0', '\n', '=', ' ', '#', '\xff'}) {
      auto damaged = text;
      damaged[i] = c;
      auto parsed = parse_nodes_conf(damaged, "n.conf");
      if (!parsed) CAF_CHECK(has(parsed.error().text, "n.conf:"));
    }
    auto cut = parse_nodes_conf(std::string_view{text}.substr(0, i), "n.conf");
    if (!cut) CAF_CHECK(has(cut.error().text, "n.conf:"));
  }
}
