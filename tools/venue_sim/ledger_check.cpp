#include "tools/venue_sim/ledger_check.hpp"

#include "messages/json.hpp"
#include "tools/venue_sim/decimal.hpp"

#include <set>

namespace troupe::venue_sim {
namespace {

using trades_by_id = std::map<std::int64_t, std::vector<journaled_fill>>;

bool same(const journaled_fill& a, const journaled_fill& b) {
  // A fee of nothing needs no asset.
  return a.client_order_id == b.client_order_id && a.price_e8 == b.price_e8 && a.quantity_e8 == b.quantity_e8
         && a.commission_e8 == b.commission_e8
         && (a.commission_e8 == 0 || a.commission_asset == b.commission_asset);
}

std::string text_of(const journaled_fill& f) {
  return "trade " + std::to_string(f.trade_id) + " of " + f.client_order_id + ": " + text_e8(f.quantity_e8)
         + " @ " + text_e8(f.price_e8) + ", fee " + text_e8(f.commission_e8) + " " + f.commission_asset;
}

trades_by_id fills_of(const ledger_content& ledger) {
  trades_by_id out;
  for (const auto& f : ledger.fills)
    out[f.trade_id].push_back(
        {f.trade_id, f.client_order_id, f.price_e8, f.quantity_e8, f.commission_e8, f.commission_asset});
  return out;
}

void compare_fills(const trades_by_id& venue, const trades_by_id& journal, ledger_comparison& out) {
  for (const auto& [id, there] : venue) {
    out.fills += there.size();
    const auto here = journal.find(id);
    if (here == journal.end())
      out.fills_missing.push_back(text_of(there.front()));
    else if (!same(here->second.front(), there.front()))
      out.fills_differ.push_back("journal: " + text_of(here->second.front())
                                 + "; venue: " + text_of(there.front()));
  }
  for (const auto& [id, here] : journal) {
    const auto there = venue.find(id);
    const auto known = there == venue.end() ? 0 : there->second.size();
    for (auto i = known; i < here.size(); ++i)
      out.fills_extra.push_back(text_of(here[i]));
  }
}

/// The venue's belief about one order: still open, or over.
std::set<std::int64_t> ended_orders(const ledger_content& ledger) {
  std::set<std::int64_t> out;
  std::map<std::int64_t, std::int64_t> filled;
  for (const auto& f : ledger.fills)
    filled[f.order_id] += f.quantity_e8;
  for (const auto& o : ledger.orders)
    if (o.quote_quantity_e8 != 0 || filled[o.order_id] >= o.quantity_e8) out.insert(o.order_id);
  for (const auto& e : ledger.ends)
    out.insert(e.order_id);
  return out;
}

void compare_intent(const journaled_intent& i, const std::vector<std::int64_t>* venue_orders,
                    const std::set<std::int64_t>& ended, ledger_comparison& out) {
  const bool exists = venue_orders != nullptr;
  const auto complain = [&](const char* why) { out.lost.push_back(i.client_order_id + ": " + why); };
  switch (i.end) {
  case intent_end::unknown:
    return complain("sent, and its end is not known");
  case intent_end::denied:
    if (exists) complain("called never sent, but the venue has the order");
    return;
  case intent_end::absent:
    if (exists) complain("called absent, but the venue has the order");
    return;
  case intent_end::rejected:
    if (exists) complain("called rejected, but the venue accepted it");
    return;
  case intent_end::open:
    if (!exists)
      complain("called open, but the venue never had it");
    else if (ended.contains(venue_orders->back()))
      complain("called open, but it is over at the venue");
    return;
  case intent_end::done:
    if (!exists)
      complain("called done, but the venue never had it");
    else if (!ended.contains(venue_orders->back()))
      complain("called done, but it is open at the venue");
    return;
  }
}

void list(json_writer& w, const char* name, const std::vector<std::string>& texts) {
  constexpr std::size_t shown = 20;
  w.key(name).begin_array();
  for (std::size_t i = 0; i < texts.size() && i < shown; ++i)
    w.string(texts[i]);
  w.end_array();
}

} // namespace

ledger_comparison compare_with_ledger(const ledger_content& ledger,
                                      const std::vector<journaled_intent>& intents,
                                      const std::vector<journaled_fill>& fills) {
  ledger_comparison out;
  out.intents = intents.size();
  out.venue_orders = ledger.orders.size();
  const auto ended = ended_orders(ledger);
  std::map<std::string, std::vector<std::string>> clients_of;
  std::set<std::string, std::less<>> known;
  for (const auto& i : intents) {
    const auto found = ledger.by_client_id.find(i.client_order_id);
    compare_intent(i, found == ledger.by_client_id.end() ? nullptr : &found->second, ended, out);
    if (known.insert(i.client_order_id).second) clients_of[i.intent].push_back(i.client_order_id);
  }
  for (const auto& [intent, clients] : clients_of) {
    std::size_t orders = 0;
    for (const auto& c : clients)
      if (const auto found = ledger.by_client_id.find(c); found != ledger.by_client_id.end())
        orders += found->second.size();
    if (orders > 1) out.duplicated.push_back(intent + ": " + std::to_string(orders) + " venue orders");
  }
  for (const auto& [client, orders] : ledger.by_client_id)
    if (!known.contains(client)) out.lost.push_back(client + ": a venue order without a journal row");
  trades_by_id journal;
  for (const auto& f : fills)
    journal[f.trade_id].push_back(f);
  compare_fills(fills_of(ledger), journal, out);
  return out;
}

std::string ledger_comparison::to_json() const {
  json_writer w;
  w.begin_object().field("clean", clean()).field("intents", intents).field("venue_orders", venue_orders);
  w.field("fills", fills).field("orders_lost", lost.size()).field("orders_duplicated", duplicated.size());
  w.field("fills_missing_count", fills_missing.size()).field("fills_extra_count", fills_extra.size());
  w.field("fills_differ_count", fills_differ.size());
  list(w, "lost", lost);
  list(w, "duplicated", duplicated);
  list(w, "fills_missing", fills_missing);
  list(w, "fills_extra", fills_extra);
  list(w, "fills_differ", fills_differ);
  w.end_object();
  return std::move(w).text();
}

std::optional<std::int64_t> to_e8(std::int64_t raw, int scale) {
  wide_int value = raw;
  for (; scale < 8; ++scale) {
    value *= 10;
    if (value > INT64_MAX || value < INT64_MIN) return std::nullopt;
  }
  for (; scale > 8; --scale) {
    if (value % 10 != 0) return std::nullopt;
    value /= 10;
  }
  return static_cast<std::int64_t>(value);
}

} // namespace troupe::venue_sim
