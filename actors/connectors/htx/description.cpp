#include "actors/connectors/htx/description.hpp"

#include "actors/connectors/htx/codec.hpp"
#include "actors/connectors/htx/past_trades.hpp"
#include "actors/connectors/htx/protocol.hpp"
#include "actors/connectors/htx/rest.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <array>

namespace troupe::htx {

using namespace std::string_view_literals;

namespace {

constexpr book_rules whole{.family = book_family::images, .depth = 150};
constexpr book_rules joined{.family = book_family::chained, .joined_image = true};
constexpr book_rules counted{.family = book_family::chained, .depth = 150};

constexpr std::array books{book_channel{"depth.step0", whole}, book_channel{"mbp.150", joined},
                           book_channel{"mbp.400", joined},
                           book_channel{"depth.size_150.high_freq", counted}};

/// Swaps have a host of their own, api.hbdm.com.
constexpr std::array swap_targets{"/linear-swap"sv, "/swap-"sv};

std::string_view target_of(contract_kind kind) noexcept {
  switch (kind) {
  case contract_kind::spot: return "/ws";
  case contract_kind::linear: return "/linear-swap-ws";
  case contract_kind::inverse: return "/swap-ws";
  }
  return "/ws";
}

bool has_book(const instrument_spec& instrument, std::string_view channel) noexcept {
  const bool spot = instrument.kind == contract_kind::spot;
  if (channel.starts_with("mbp."sv)) return spot;
  return !channel.starts_with("depth.size_"sv) || !spot;
}

/// Topics by the socket they belong to.
struct topic_lists {
  std::vector<std::pair<std::string_view, std::vector<market_topic>>> by_target;

  void add(std::string_view target, topic_kind kind, const std::string& symbol, std::string_view name) {
    for (auto& [known, topics] : by_target)
      if (known == target) return topics.push_back({kind, symbol, topic_of(symbol, name)});
    by_target.push_back({target, {{kind, symbol, topic_of(symbol, name)}}});
  }
  static std::string topic_of(const std::string& symbol, std::string_view name) {
    return "market." + symbol + '.' + std::string{name};
  }
};

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const std::string_view wanted = what.book_channel.empty() ? books[0].name : what.book_channel;
  topic_lists lists;
  for (const auto& instrument : instruments) {
    // Where spot has numbered changes, swaps have theirs.
    const bool spot = instrument.kind == contract_kind::spot;
    const auto channel = !spot && wanted.starts_with("mbp."sv) ? "depth.size_150.high_freq"sv : wanted;
    const auto& symbol = instrument.venue_symbol;
    const auto target = target_of(instrument.kind);
    const auto book_target = channel.starts_with("mbp."sv) ? "/feed"sv : target;
    if (what.book && has_book(instrument, channel)) lists.add(book_target, topic_kind::book, symbol, channel);
    if (what.best) lists.add(target, topic_kind::best, symbol, "bbo");
    if (what.trades) lists.add(target, topic_kind::trades, symbol, "trade.detail");
    if (what.candles) lists.add(target, topic_kind::candles, symbol, "kline.1min");
  }
  std::vector<market_socket_plan> out;
  for (auto& [target, topics] : lists.by_target)
    add_sockets(out, target, std::move(topics), traits.topics_per_socket);
  return out;
}

} // namespace

const venue_description& description() {
  static const venue_description out{
      .name = "htx",
      .books = books,
      .traits = traits,
      .plan = plan,
      .protocol = []() -> std::unique_ptr<market_protocol> { return std::make_unique<protocol>(); },
      .decoder = [](const instrument_spec& instrument) -> std::unique_ptr<frame_decoder> {
        return std::make_unique<decoder>(instrument);
      },
      .instruments = instrument_calls,
      .read_instruments = read_instruments,
      .candles = {.per_page = 2000, .newest_first = true, .newest_only = true},
      .candle_call = candle_call,
      .read_candles = read_candles,
      .trades = past_trades_rules,
      .trade_call = trade_call,
      .read_trades = read_trades,
      .second_host = swap_targets,
  };
  return out;
}

} // namespace troupe::htx
