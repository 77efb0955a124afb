// Messages of venues with what another project, tardis-node, normalised them to.

#include "actors/connectors/coinbase/codec.hpp"
#include "actors/connectors/kraken/codec.hpp"
#include "actors/connectors/kraken/symbols.hpp"
#include "tools/feed_verify/venue_texts.hpp"
#include "tools/feed_verify/verify_all.hpp"

#include <set>

namespace troupe {
namespace {

using path = std::filesystem::path;
using decoder_maker = std::unique_ptr<frame_decoder> (*)(const instrument_spec&);

/// How the pairs of one venue are compared.
struct pair_plan {
  std::string file;
  std::string venue;
  std::vector<std::string> marks; ///< a message of the interfaces that are read has one of them; empty: all
  std::uint64_t compared;         ///< messages that both sides make trades or books of
  int price_scale = 8;
  int size_scale = 8;
  contract_kind kind = contract_kind::spot;
  std::string remark = {};
  bool joins = false;                   ///< their mapper keeps book changes back until an image has come
  decoder_maker decoder = nullptr;      ///< null: the venue's
  decoder_maker list_decoder = nullptr; ///< of messages that are JSON arrays; null: the same
  /// Their symbol as the venue spells it.
  std::string (*spelling)(const std::string& message, const std::string& theirs) = nullptr;
  /// What the two projects say differently of the same.
  void (*align)(const std::string& message, std::string& ours, std::string& theirs) = nullptr;
};

std::string symbol_in(const std::string& text) { return text.substr(6, text.find(' ', 6) - 6); }

void replace_symbol(std::string& text, const std::string& with) {
  text.replace(6, text.find(' ', 6) - 6, with);
}

std::string lower(const std::string& given) {
  auto text = given;
  for (auto& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 32 : c);
  return text;
}

std::string bitfinex_spelling(const std::string&, const std::string& theirs) { return "t" + theirs; }

/// Spot symbols are in small letters; contracts (BTC_NW, BTC-USD) are not.
std::string htx_spelling(const std::string&, const std::string& theirs) {
  return theirs.find_first_of("_-") == std::string::npos ? lower(theirs) : theirs;
}

/// One of their v1 texts takes the channel for the pair, which ends the message.
std::string kraken_spelling(const std::string& message, const std::string& theirs) {
  auto pair = theirs;
  if (theirs.starts_with("book-")) {
    const auto last = message.rfind('"');
    const auto first = message.rfind('"', last - 1);
    pair = message.substr(first + 1, last - first - 1);
  }
  const auto v2 = kraken::pair_of_v2(pair);
  return v2.empty() ? pair : v2;
}

/// An image out of REST says neither symbol nor time.
void align_binance(const std::string&, std::string& ours, std::string& theirs) {
  if (!theirs.starts_with("image ") || !ours.starts_with("image ")) return;
  replace_symbol(theirs, symbol_in(ours));
  ours.resize(ours.rfind(' '));
  theirs.resize(theirs.rfind(' '));
}

/// Their symbols have no 't'.
void align_bitfinex(const std::string&, std::string& ours, std::string&) {
  if (ours.size() > 6 && ours[6] == 't') ours.erase(6, 1);
}

void align_htx(const std::string&, std::string& ours, std::string& theirs) {
  const auto theirs_symbol = symbol_in(theirs);
  if (lower(theirs_symbol) == symbol_in(ours)) replace_symbol(ours, theirs_symbol);
}

/// v1 has no trade ids, and one of their texts takes the channel for the pair.
void align_kraken(const std::string& message, std::string& ours, std::string& theirs) {
  if (!message.starts_with('[')) return;
  if (ours.starts_with("trade ")) {
    const auto id = ours.find(' ', 6) + 1;
    ours.erase(id, ours.find(' ', id) - id);
  }
  if (symbol_in(theirs).starts_with("book-")) replace_symbol(theirs, symbol_in(ours));
}

/// Images say no time; theirs is the time of receipt.
void align_coinbase(const std::string&, std::string& ours, std::string& theirs) {
  if (!theirs.starts_with("image ") || !ours.starts_with("image ")) return;
  ours.resize(ours.rfind(' '));
  theirs.resize(theirs.rfind(' '));
}

std::vector<pair_plan> make_pair_plans() {
  const auto file = [](const char* name) { return "tardis-dev+tardis-node/test/mappers/" + std::string{name}; };
  const std::string older = "messages of retired interfaces, and of channels that make neither trades nor books, are left out";
  return {
      {file("binance.jsonl"), "binance", {"@trade", "btcusdc@depth"}, 4, 8, 8, contract_kind::spot,
       "of depth only the book without buffered changes, which their mapper joins; " + older, false, nullptr, nullptr,
       nullptr, align_binance},
      {file("bitfinex.jsonl"), "bitfinex", {}, 5, 8, 8, contract_kind::spot, older, false, nullptr, nullptr, bitfinex_spelling,
       align_bitfinex},
      {file("bybit.jsonl"), "bybit", {"\"topic\":\"orderbook.", "\"topic\":\"publicTrade."}, 4, 8, 8,
       contract_kind::linear, older},
      {file("coinbase.jsonl"), "coinbase", {}, 6, 8, 8, contract_kind::spot, older, false, coinbase::replay_decoder, nullptr,
       nullptr, align_coinbase},
      {file("deribit.jsonl"), "deribit", {"\"channel\":\"book.", "\"channel\":\"trades."}, 7, 8, 8,
       contract_kind::inverse, older},
      {file("gate-io.jsonl"), "gate", {"\"channel\":\"spot.trades\"", "\"channel\":\"spot.obu\""}, 3, 8, 8,
       contract_kind::spot, older},
      {file("huobi.jsonl"), "htx", {"\"ch\":\""}, 13, 10, 8, contract_kind::spot,
       "images that answer a request are joined by them in the mapper and are left out; " + older, true, nullptr, nullptr, htx_spelling,
       align_htx},
      {file("kraken.jsonl"), "kraken", {}, 9, 9, 8, contract_kind::spot, older, false, kraken::make_decoder,
       kraken::replay_decoder, kraken_spelling, align_kraken},
      {file("kucoin.jsonl"), "kucoin", {"/market/match:"}, 3, 9, 8, contract_kind::spot,
       "their books are joined with images in the mapper and are left out; " + older},
      {file("okex.jsonl"), "okx", {"\"channel\":\"books", "\"channel\":\"trades"}, 4, 8, 8, contract_kind::linear, older},
      {file("okex-futures.jsonl"), "okx", {"\"channel\":\"books", "\"channel\":\"trades"}, 3, 8, 8,
       contract_kind::linear, older},
  };
}

class pair_comparison {
public:
  explicit pair_comparison(const pair_plan& plan) : plan_{plan}, venue_{*find_venue(plan.venue)} {
    report_.file = plan.file;
    report_.venue = plan.venue;
    report_.remark = plan.remark;
  }

  file_report run(const path& root) {
    const auto pairs = recorded::mapper_pairs(root / plan_.file);
    for (const auto& pair : pairs)
      for (const auto& text : recorded::expected_texts(pair.expected))
        symbols_.insert(plan_.spelling != nullptr ? plan_.spelling(pair.message, symbol_in(text)) : symbol_in(text));
    for (const auto& pair : pairs) compare(pair);
    for (const char* key : {"pairs", "compared", "equal", "trades", "book_messages"}) report_.figures[key];
    report_.expect("compared", plan_.compared);
    report_.expect("equal", report_.figures["compared"]);
    return std::move(report_);
  }

private:
  /// A decoder for each symbol: all see all messages, in their order.
  std::vector<std::unique_ptr<frame_decoder>>& decoders(bool list) {
    auto& out = list && plan_.list_decoder != nullptr ? list_decoders_ : decoders_;
    if (!out.empty()) return out;
    auto make = plan_.decoder != nullptr ? plan_.decoder : venue_.decoder;
    if (&out == &list_decoders_) make = plan_.list_decoder;
    for (const auto& symbol : symbols_) {
      if (!out.empty() && plan_.venue == "binance") break; // its decoder reads the frames of any symbol
      instrument_spec spec;
      spec.id.text = symbol + "@" + plan_.venue;
      spec.venue_symbol = symbol;
      spec.kind = plan_.kind;
      spec.price_scale = static_cast<std::uint8_t>(plan_.price_scale);
      spec.size_scale = static_cast<std::uint8_t>(plan_.size_scale);
      spec.tick = {1};
      spec.lot = {1};
      out.push_back(make(spec));
    }
    return out;
  }

  void compare(const recorded::mapper_pair& pair) {
    ++report_.figures["pairs"];
    const auto wanted = plan_.marks.empty() || std::ranges::any_of(plan_.marks, [&](const std::string& mark) {
                          return pair.message.find(mark) != std::string::npos;
                        });
    if (!wanted) return;
    std::vector<std::string> ours;
    for (auto& decoder : decoders(pair.message.starts_with('[')))
      for (auto& text : recorded::event_texts(*decoder, pair.message, plan_.price_scale, plan_.size_scale))
        ours.push_back(std::move(text));
    auto theirs = recorded::expected_texts(pair.expected);
    if (theirs.empty() && (ours.empty() || plan_.joins)) return;
    ++report_.figures["compared"];
    bool equal = ours.size() == theirs.size();
    for (std::size_t i = 0; equal && i < ours.size(); ++i) {
      if (plan_.align != nullptr) plan_.align(pair.message, ours[i], theirs[i]);
      equal = ours[i] == theirs[i];
      ++report_.figures[theirs[i].starts_with("trade ") ? "trades" : "book_messages"];
      if (!equal) report_.differences.push_back("ours " + ours[i] + ", theirs " + theirs[i]);
    }
    if (ours.size() != theirs.size())
      report_.differences.push_back(std::to_string(ours.size()) + " events of ours, " + std::to_string(theirs.size())
                                    + " of theirs: " + pair.message.substr(0, 200));
    if (equal) ++report_.figures["equal"];
  }

  const pair_plan& plan_;
  const venue_description& venue_;
  file_report report_;
  std::set<std::string> symbols_;
  std::vector<std::unique_ptr<frame_decoder>> decoders_, list_decoders_;
};

} // namespace

std::vector<file_report> compare_normalised(const path& root) {
  std::vector<file_report> out;
  for (const auto& plan : make_pair_plans()) out.push_back(pair_comparison{plan}.run(root));
  return out;
}

} // namespace troupe
