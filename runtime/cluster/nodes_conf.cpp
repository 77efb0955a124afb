#include "runtime/cluster/nodes_conf.hpp"

#include "runtime/config/suggest.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <map>
#include <set>

namespace troupe {
namespace {

constexpr std::array all_roles{node_role::ingest, node_role::gateway, node_role::execution,
                               node_role::model, node_role::train};

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys{"host",   "port",     "tls",         "roles", "threads",
                                             "device", "accounts", "standby-for", "labels"};
  return keys;
}

const std::vector<std::string>& known_roles() {
  static const auto words = [] {
    std::vector<std::string> out;
    for (const auto role : all_roles) out.emplace_back(to_string(role));
    return out;
  }();
  return words;
}

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r';
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  std::size_t i = 0;
  while (i < line.size()) {
    while (i < line.size() && is_blank(line[i])) ++i;
    if (i == line.size() || line[i] == '#') break;
    const auto from = i;
    while (i < line.size() && !is_blank(line[i])) ++i;
    out.emplace_back(line.substr(from, i - from));
  }
  return out;
}

/// Letters, digits, '-', '_' and '.'; the first one a letter or digit.
bool is_word(std::string_view text) noexcept {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.size() > 64 || !plain(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; });
}

/// "main@binance": two words around one '@'.
bool is_account(std::string_view text) noexcept {
  const auto at = text.find('@');
  return at != std::string_view::npos && is_word(text.substr(0, at)) && is_word(text.substr(at + 1));
}

bool parse_number(std::string_view text, std::uint32_t least, std::uint32_t most,
                  std::uint32_t& out) noexcept {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc{} && end == text.data() + text.size() && out >= least && out <= most;
}

/// 127.0.0.1 and its other names: nothing from outside reaches it.
bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// Where two nodes would meet: a host by its number, and the port.
std::string place_of(const node_spec& node) {
  const auto host = node.host == "localhost" ? std::string{"127.0.0.1"} : node.host;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(node.port);
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += ',';
    out += part;
  }
  return out;
}

std::string roles_text(const node_spec& node) {
  std::vector<std::string> words;
  for (const auto role : node.roles) words.emplace_back(to_string(role));
  return join(words);
}

class parser {
public:
  explicit parser(std::string_view file) : file_{file} {}

  result<std::vector<node_spec>> run(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      auto line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      ++line_;
      if (auto taken = take_line(line); !taken) return std::move(taken).error();
    }
    if (auto done = finish_node(); !done) return std::move(done).error();
    if (auto checked = check_all(); !checked) return std::move(checked).error();
    return std::move(nodes_);
  }

private:
  error fail(cluster_errc code, std::string text, std::size_t line = 0) const {
    return {make_error_code(code),
            file_ + ":" + std::to_string(line == 0 ? line_ : line) + ": " + std::move(text)};
  }

  status take_line(std::string_view line) {
    const auto words = words_of(line);
    if (words.empty()) return ok;
    if (is_blank(line.front())) {
      if (!open_)
        return fail(cluster_errc::bad_syntax,
                    "continues a node, but none is above it; begin with 'node NAME'");
      return take_pairs(words, 0);
    }
    if (words.front() != "node") {
      static const std::vector<std::string> first{"node"};
      return fail(cluster_errc::bad_syntax, "expected 'node NAME …', found '" + words.front() + "'"
                                                + did_you_mean(words.front(), first)
                                                + " (a line that continues a node starts with a blank)");
    }
    if (auto done = finish_node(); !done) return done;
    if (words.size() < 2 || words[1].find('=') != std::string::npos)
      return fail(cluster_errc::bad_syntax, "a node needs a name: node NAME host=… port=… roles=…");
    if (!is_word(words[1]))
      return fail(cluster_errc::bad_value,
                  "'" + words[1] + "' is no node name; use letters, digits, '-', '_', '.'");
    open_ = true;
    seen_.clear();
    nodes_.push_back({});
    nodes_.back().name.text = words[1];
    nodes_.back().line = line_;
    return take_pairs(words, 2);
  }

  status take_pairs(const std::vector<std::string>& words, std::size_t from) {
    for (auto i = from; i < words.size(); ++i) {
      const auto equals = words[i].find('=');
      if (equals == std::string::npos || equals == 0)
        return fail(cluster_errc::bad_syntax, "expected key=value, found '" + words[i] + "'");
      const auto key = words[i].substr(0, equals);
      const auto value = words[i].substr(equals + 1);
      if (std::find(known_keys().begin(), known_keys().end(), key) == known_keys().end())
        return fail(cluster_errc::unknown_word,
                    "unknown key '" + key + "'" + did_you_mean(key, known_keys()));
      if (value.empty()) return fail(cluster_errc::bad_value, "'" + key + "' has no value");
      if (!seen_.insert(key).second)
        return fail(cluster_errc::conflict,
                    "'" + key + "' is given twice for node '" + nodes_.back().name.text + "'");
      if (auto taken = take_pair(nodes_.back(), key, value); !taken) return taken;
    }
    return ok;
  }

  status take_pair(node_spec& node, const std::string& key, const std::string& value) {
    if (key == "host") return take_host(node, value);
    if (key == "port") return take_port(node, value);
    if (key == "tls") return take_tls(node, value);
    if (key == "roles") return take_roles(node, value);
    if (key == "threads") {
      if (!parse_number(value, 1, 256, node.threads))
        return fail(cluster_errc::bad_value, "threads=" + value + ": expected a number from 1 to 256");
      return ok;
    }
    if (key == "device") return take_device(node, value);
    if (key == "accounts")
      return take_list(value, key, node.accounts, is_account, "NAME@VENUE, such as main@binance");
    if (key == "labels")
      return take_list(value, key, node.labels, is_word, "letters, digits, '-', '_', '.'");
    node.standby_for = value;
    return ok;
  }

  status take_host(node_spec& node, const std::string& value) {
    // A name look-up could block for minutes, and would let a name server decide who is asked.
    in6_addr number{};
    const bool numeric = ::inet_pton(AF_INET, value.c_str(), &number) == 1
                         || ::inet_pton(AF_INET6, value.c_str(), &number) == 1;
    if (!numeric && value != "localhost")
      return fail(cluster_errc::bad_value, "host=" + value + ": write a numeric address, such as 127.0.0.1");
    if (value == "0.0.0.0" || value == "::")
      return fail(cluster_errc::bad_value,
                  "host=" + value + ": names no machine; write the one address at which peers reach the node");
    node.host = value;
    return ok;
  }

  status take_tls(node_spec& node, const std::string& value) {
    if (value != "on" && value != "off")
      return fail(cluster_errc::bad_value, "tls=" + value + ": expected on or off");
    node.tls = value == "on";
    return ok;
  }

  status take_port(node_spec& node, const std::string& value) {
    std::uint32_t port = 0;
    if (!parse_number(value, 1, 65535, port))
      return fail(cluster_errc::bad_value,
                  "port=" + value
                      + ": expected a number from 1 to 65535 (the other nodes have to know it)");
    node.port = static_cast<std::uint16_t>(port);
    return ok;
  }

  status take_roles(node_spec& node, const std::string& value) {
    std::vector<std::string> words;
    if (auto split = take_list(value, "roles", words, is_word, "ingest, gateway, execution, model, train");
        !split)
      return split;
    for (const auto role : all_roles)
      if (std::find(words.begin(), words.end(), to_string(role)) != words.end()) node.roles.push_back(role);
    for (const auto& word : words)
      if (std::find(known_roles().begin(), known_roles().end(), word) == known_roles().end())
        return fail(cluster_errc::unknown_word,
                    "unknown role '" + word + "'" + did_you_mean(word, known_roles()));
    return ok;
  }

  status take_device(node_spec& node, const std::string& value) {
    std::uint32_t number = 0;
    const bool cuda =
        value.starts_with("cuda:") && parse_number(std::string_view{value}.substr(5), 0, 63, number);
    if (value != "cpu" && !cuda) {
      static const std::vector<std::string> devices{"cpu", "cuda:0"};
      return fail(cluster_errc::unknown_word, "unknown device '" + value + "'"
                                                  + did_you_mean(value, devices)
                                                  + " (cpu, or cuda:N with N from 0 to 63)");
    }
    node.device = value;
    return ok;
  }

  status take_list(const std::string& value, std::string_view key, std::vector<std::string>& out,
                   bool (*fits)(std::string_view) noexcept, std::string_view expected) {
    std::string_view rest = value;
    for (;;) {
      const auto comma = rest.find(',');
      const std::string item{rest.substr(0, comma)};
      if (!fits(item))
        return fail(cluster_errc::bad_value, std::string{key} + "=" + value + ": '" + item
                                                 + "' does not fit; expected " + std::string{expected});
      if (std::find(out.begin(), out.end(), item) != out.end())
        return fail(cluster_errc::conflict,
                    std::string{key} + "=" + value + ": '" + item + "' is given twice");
      out.push_back(item);
      if (comma == std::string_view::npos) return ok;
      rest.remove_prefix(comma + 1);
    }
  }

  status finish_node() {
    if (!open_) return ok;
    open_ = false;
    auto& node = nodes_.back();
    for (const std::string_view key : {"host", "port", "roles"})
      if (!seen_.contains(key))
        return fail(cluster_errc::bad_syntax, "node '" + node.name.text + "' has no " + std::string{key},
                    node.line);
    if (auto fits = check_host(node); !fits) return fits;
    const bool executes = node.has(node_role::execution);
    if (executes && node.accounts.empty() && node.standby_for.empty())
      return fail(cluster_errc::conflict,
                  "node '" + node.name.text
                      + "' has the role execution but no account; add accounts=NAME@VENUE",
                  node.line);
    if (!executes && !node.accounts.empty())
      return fail(cluster_errc::conflict,
                  "node '" + node.name.text + "' has accounts but not the role execution", node.line);
    if (!executes && !node.standby_for.empty())
      return fail(cluster_errc::conflict,
                  "node '" + node.name.text + "' has standby-for but not the role execution", node.line);
    return ok;
  }

  /// Off loopback a node speaks TLS; what is behind no front listens on 127.0.0.1.
  status check_host(node_spec& node) {
    const bool loopback = is_loopback(node.host);
    if (!seen_.contains("tls")) node.tls = !loopback;
    if (node.tls) return ok;
    if (!loopback)
      return fail(cluster_errc::conflict,
                  "node '" + node.name.text + "': tls=off is for loopback only, and host=" + node.host
                      + " is none; write tls=on (`troupe cluster init-ca` makes the certificates)",
                  node.line);
    if (node.host != "127.0.0.1" && node.host != "localhost")
      return fail(cluster_errc::bad_value,
                  "node '" + node.name.text + "': host=" + node.host
                      + ": without TLS nodes listen on 127.0.0.1; write host=127.0.0.1 or tls=on",
                  node.line);
    return ok;
  }

  status check_all() const {
    if (nodes_.empty())
      return fail(cluster_errc::bad_syntax, "no node; add a line 'node NAME host=… port=… roles=…'");
    if (nodes_.size() > max_cluster_nodes)
      return fail(cluster_errc::bad_value,
                  std::to_string(nodes_.size()) + " nodes; at most " + std::to_string(max_cluster_nodes)
                      + " can form a full mesh",
                  nodes_[max_cluster_nodes].line);
    std::map<std::string, const node_spec*> names;
    std::map<std::string, const node_spec*> places;
    std::map<std::string, const node_spec*> accounts;
    for (const auto& node : nodes_) {
      if (const auto [i, fresh] = names.emplace(node.name.text, &node); !fresh)
        return clash("the name '" + node.name.text + "'", node, *i->second);
      const auto place = place_of(node);
      if (const auto [i, fresh] = places.emplace(place, &node); !fresh)
        return clash("the port " + place, node, *i->second);
      for (const auto& account : node.accounts)
        if (const auto [i, fresh] = accounts.emplace(account, &node); !fresh)
          return clash("the account '" + account + "' (one executor an account)", node, *i->second);
    }
    for (const auto& node : nodes_)
      if (auto fits = check_standby(node, names); !fits) return fits;
    return ok;
  }

  status clash(const std::string& what, const node_spec& node, const node_spec& other) const {
    return fail(cluster_errc::conflict,
                "node '" + node.name.text + "' claims " + what + ", but line " + std::to_string(other.line)
                    + " has it already for node '" + other.name.text + "'; change one of them",
                node.line);
  }

  status check_standby(const node_spec& node, const std::map<std::string, const node_spec*>& names) const {
    if (node.standby_for.empty()) return ok;
    const auto i = names.find(node.standby_for);
    if (i == names.end()) {
      std::vector<std::string> known;
      for (const auto& [name, unused] : names) known.push_back(name);
      return fail(cluster_errc::unknown_word,
                  "standby-for names the unknown node '" + node.standby_for + "'"
                      + did_you_mean(node.standby_for, known),
                  node.line);
    }
    if (i->second == &node)
      return fail(cluster_errc::conflict, "a node can't stand by for itself", node.line);
    if (i->second->accounts.empty())
      return fail(cluster_errc::conflict,
                  "standby-for names '" + node.standby_for + "', which has no accounts", node.line);
    return ok;
  }

  std::string file_;
  std::size_t line_ = 0;
  bool open_ = false;
  std::set<std::string, std::less<>> seen_;
  std::vector<node_spec> nodes_;
};

} // namespace

std::string_view to_string(node_role role) noexcept {
  switch (role) {
  case node_role::ingest: return "ingest";
  case node_role::gateway: return "gateway";
  case node_role::execution: return "execution";
  case node_role::model: return "model";
  case node_role::train: return "train";
  }
  return "unknown";
}

bool node_spec::has(node_role role) const noexcept {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

bool node_spec::has_label(std::string_view label) const noexcept {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

nodes_conf::nodes_conf(std::vector<node_spec> nodes) : nodes_{std::move(nodes)} {
  hash_ = stable_hash(to_text(*this));
}

const node_spec* nodes_conf::find(std::string_view name) const noexcept {
  const auto i =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const node_spec& n) { return n.name.text == name; });
  return i == nodes_.end() ? nullptr : &*i;
}

result<node_spec> nodes_conf::at(std::string_view name) const {
  if (const auto* node = find(name)) return *node;
  std::vector<std::string> known;
  for (const auto& node : nodes_) known.push_back(node.name.text);
  return {cluster_errc::unknown_node, "nodes.conf has no node '" + std::string{name} + "'"
                                          + did_you_mean(name, known) + " (it has " + join(known) + ")"};
}

std::vector<const node_spec*> nodes_conf::with(node_role role) const {
  std::vector<const node_spec*> out;
  for (const auto& node : nodes_)
    if (node.has(role)) out.push_back(&node);
  return out;
}

const node_spec* nodes_conf::node_of(std::string_view account) const noexcept {
  for (const auto& node : nodes_)
    if (std::find(node.accounts.begin(), node.accounts.end(), account) != node.accounts.end()) return &node;
  return nullptr;
}

std::size_t nodes_conf::position(std::string_view name) const noexcept {
  const auto i =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const node_spec& n) { return n.name.text == name; });
  return static_cast<std::size_t>(i - nodes_.begin());
}

bool nodes_conf::any_tls() const noexcept {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const node_spec& n) { return n.tls; });
}

result<nodes_conf> parse_nodes_conf(std::string_view text, std::string_view file) {
  auto nodes = parser{file}.run(text);
  if (!nodes) return std::move(nodes).error();
  return nodes_conf{std::move(nodes).value()};
}

std::string to_text(const nodes_conf& conf) {
  std::string out;
  for (const auto& node : conf.nodes()) {
    out += "node " + node.name.text + " host=" + node.host + " port=" + std::to_string(node.port)
           + " roles=" + roles_text(node) + " threads=" + std::to_string(node.threads)
           + " device=" + node.device;
    if (node.tls) out += " tls=on";
    if (!node.accounts.empty()) out += " accounts=" + join(node.accounts);
    if (!node.standby_for.empty()) out += " standby-for=" + node.standby_for;
    if (!node.labels.empty()) out += " labels=" + join(node.labels);
    out += '\n';
  }
  return out;
}

} // namespace troupe
