#include "tools/inspection/inspector.hpp"

#include "runtime/config/suggest.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::inspection {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t page_rows = 1000;
constexpr nanoseconds page_within = 3s;
/// A supervisor may wait for a child to stop and to start.
constexpr nanoseconds order_within = 21s;
constexpr std::size_t most_candidates = 8;

std::string words_of(const error& why) { return why.text.empty() ? why.message() : why.text; }

bool ends_with_name(const std::string& full, const std::string& wanted) {
  if (!full.ends_with(wanted)) return false;
  // A part of a word is no name: "risk" is an ending of "main/risk", not of "asterisk".
  const auto before = full.size() - wanted.size();
  return before == 0 || std::isalnum(static_cast<unsigned char>(full[before - 1])) == 0;
}

} // namespace

std::vector<node_rows> inspector::actors(const actor_query& query, const std::string& node) {
  std::vector<node_rows> out;
  for (const auto& spec : client_.conf().nodes()) {
    if (!node.empty() && spec.name.text != node) continue;
    node_rows one{spec.name.text, {}, {}};
    auto whom = client_.node(one.node);
    if (!whom) one.trouble = words_of(whom.error());
    const auto wanted = std::uint64_t{query.offset} + query.limit;
    while (one.trouble.empty() && one.page.rows.size() < wanted) {
      auto ask = query;
      ask.offset = static_cast<std::uint32_t>(one.page.rows.size());
      ask.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(page_rows, wanted - one.page.rows.size()));
      auto page = client_.ask<actor_page>(*whom, page_within, ask);
      if (!page) {
        one.trouble = words_of(page.error());
        break;
      }
      auto rows = std::move(one.page.rows);
      const bool last = page->rows.size() < ask.limit;
      rows.insert(rows.end(), std::make_move_iterator(page->rows.begin()), std::make_move_iterator(page->rows.end()));
      one.page = std::move(*page);
      one.page.rows = std::move(rows);
      if (last) break;
    }
    out.push_back(std::move(one));
  }
  return out;
}

result<place> inspector::find(const std::string& name) {
  std::string node;
  std::string wanted = name;
  // An actor's own name may have slashes too: only a node of nodes.conf counts.
  if (const auto slash = name.find('/'); slash != std::string::npos && client_.conf().find(name.substr(0, slash))) {
    node = name.substr(0, slash);
    wanted = name.substr(slash + 1);
  }
  actor_query query;
  query.match = wanted;
  query.limit = 100'000;
  std::vector<place> exact;
  std::vector<place> ending;
  std::string trouble;
  for (const auto& one : actors(query, node)) {
    if (!one.trouble.empty()) trouble = one.trouble;
    for (const auto& row : one.page.rows) {
      if (row.name == wanted) exact.push_back({one.node, row.name});
      else if (ends_with_name(row.name, wanted)) ending.push_back({one.node, row.name});
    }
  }
  const auto& found = exact.empty() ? ending : exact;
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    // A child that is stopped has no row, but its supervisor knows it.
    const auto fits = [&](const node_spec& spec) { return node.empty() || spec.name.text == node; };
    for (const auto& spec : client_.conf().nodes())
      if (fits(spec) && document(spec.name.text, "actor", wanted)) return place{spec.name.text, wanted};
    if (!trouble.empty()) return {cluster_errc::unreachable, "no actor '" + name + "' on the nodes that answer; " + trouble};
    std::vector<std::string> known;
    for (const auto& one : actors({.match = {}, .kind = {}, .sort = {}, .limit = 2000}, node))
      for (const auto& row : one.page.rows) known.push_back(row.name);
    return {cluster_errc::not_found, "no actor '" + name + "'" + did_you_mean(wanted, known)
                                         + "; `troupe actor list` shows all"};
  }
  std::string list;
  for (std::size_t i = 0; i < found.size() && i < most_candidates; ++i)
    list += (i == 0 ? "" : ", ") + found[i].node + "/" + found[i].actor;
  if (found.size() > most_candidates) list += ", …";
  return {cluster_errc::refused, "'" + name + "' is the name of " + std::to_string(found.size()) + " actors: " + list
                                     + "; say NODE/NAME"};
}

result<std::string> inspector::document(const std::string& node, const std::string& what, const std::string& name) {
  auto whom = client_.node(node);
  if (!whom) return std::move(whom).error();
  auto page = client_.ask<status_report>(*whom, page_within, inspect_request{what, name});
  if (!page) return std::move(page).error();
  return std::move(page->json);
}

result<admin_result> inspector::order(const place& target, const std::string& verb,
                                      std::map<std::string, std::string> arguments, const std::string& who) {
  auto whom = client_.node(target.node);
  if (!whom) return std::move(whom).error();
  admin_command command{verb, target.actor, std::move(arguments), who};
  auto outcome = client_.ask<admin_result>(*whom, order_within, std::move(command));
  if (outcome && !outcome->done) return {cluster_errc::refused, outcome->text};
  return outcome;
}

result<timeline_page> inspector::timeline(const std::string& node) {
  auto whom = client_.node(node);
  if (!whom) return std::move(whom).error();
  timeline_page all;
  std::uint64_t after = 0;
  std::uint64_t end = 0;
  do {
    auto page = client_.ask<timeline_page>(*whom, page_within, timeline_query{after, 1000});
    if (!page) return std::move(page).error();
    if (end == 0) end = page->newest; // what happens while we read is for the next time
    if (page->rows.empty()) break;
    after = page->rows.back().sequence;
    auto rows = std::move(all.rows);
    rows.insert(rows.end(), std::make_move_iterator(page->rows.begin()), std::make_move_iterator(page->rows.end()));
    const auto lost = all.lost + page->lost;
    all = std::move(*page);
    all.rows = std::move(rows);
    all.lost = lost;
  } while (after < end);
  return all;
}

bool sorts_before(const actor_report& a, const actor_report& b, const std::string& sort) {
  const auto key = [&](const actor_report& r) -> std::uint64_t {
    if (sort == "mailbox") return r.mailbox;
    if (sort == "age") return static_cast<std::uint64_t>(r.mailbox_age.count());
    if (sort == "rate") return r.messages_per_second;
    if (sort == "p99") return static_cast<std::uint64_t>(r.handler_p99.count());
    if (sort == "restarts") return r.restarts;
    if (sort == "errors") return r.errors;
    if (sort == "messages") return r.messages;
    return 0;
  };
  const auto left = key(a);
  const auto right = key(b);
  return left != right ? left > right : a.name < b.name;
}

actor_report difference(const actor_report& early, const actor_report& late, nanoseconds between) {
  auto out = late;
  const bool same = early.id == late.id;
  const auto since = [&](std::uint64_t then, std::uint64_t now) { return same && now >= then ? now - then : now; };
  out.messages = since(early.messages, late.messages);
  out.errors = since(early.errors, late.errors);
  out.unexpected = since(early.unexpected, late.unexpected);
  out.refused = since(early.refused, late.refused);
  out.restarts = late.restarts - std::min(early.restarts, late.restarts);
  const auto ns = std::max<std::int64_t>(1, between.count());
  out.messages_per_second = out.messages * 1'000'000'000 / static_cast<std::uint64_t>(ns);
  return out;
}

// --- taps ----------------------------------------------------------------------------------------

status tap_session::start(const std::string& node, const tap_start& what) {
  auto whom = client_.node(node);
  if (!whom) return std::move(whom).error();
  auto begun = client_.ask<tap_page>(*whom, page_within, what, client_.asker());
  if (!begun) return std::move(begun).error();
  taps_.push_back({node, begun->tap, std::move(*begun)});
  return ok;
}

tap_session::~tap_session() {
  for (const auto& tap : taps_) {
    if (tap.last.ended && tap.last.rows.empty()) continue;
    auto whom = client_.node(tap.node);
    // One that does not answer ends it by its own bounds.
    if (whom) static_cast<void>(client_.ask<acknowledged>(*whom, page_within, tap_stop{tap.number}));
  }
}

result<tap_session::caught> tap_session::pull() {
  caught out;
  for (auto& tap : taps_) {
    if (!tap.last.ended || !tap.last.rows.empty()) {
      auto whom = client_.node(tap.node);
      if (!whom) return std::move(whom).error();
      auto page = client_.ask<tap_page>(*whom, page_within, tap_pull{tap.number, 100});
      if (!page) return std::move(page).error();
      tap.last = std::move(*page);
      for (const auto& row : tap.last.rows) out.rows.emplace_back(tap.node, row);
    }
    out.matched += tap.last.matched;
    out.limited += tap.last.limited;
    out.lost += tap.last.lost;
    out.over = out.over && tap.last.ended && tap.last.rows.empty();
    if (out.why.empty()) out.why = tap.last.why;
  }
  std::stable_sort(out.rows.begin(), out.rows.end(),
                   [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
  return out;
}

} // namespace troupe::inspection
