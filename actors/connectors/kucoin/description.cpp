#include "actors/connectors/kucoin/description.hpp"

#include "actors/connectors/kucoin/codec.hpp"
#include "actors/connectors/kucoin/past_trades.hpp"
#include "actors/connectors/kucoin/protocol.hpp"
#include "actors/connectors/kucoin/rest.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <array>

namespace troupe::kucoin {

namespace {

constexpr book_rules changes{
    .family = book_family::ranged, .rule = sequence_rule::overlap, .image_in_band = false, .image_levels = 100};
constexpr book_rules whole{.family = book_family::images, .depth = 50};

constexpr std::array books{book_channel{"level2", changes}, book_channel{"level2Depth50", whole}};

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const std::string book = what.book_channel.empty() || what.book_channel == books[0].name
                               ? "/market/level2:"
                               : "/spotMarket/" + what.book_channel + ':';
  std::vector<market_topic> topics;
  const auto add = [&](topic_kind kind, std::string_view head, const std::string& symbol,
                       std::string_view tail = {}) {
    topics.push_back({kind, symbol, std::string{head} + symbol + std::string{tail}});
  };
  for (const auto& instrument : instruments) {
    const auto& symbol = instrument.venue_symbol;
    if (what.book) add(topic_kind::book, book, symbol);
    if (what.best) add(topic_kind::best, "/market/ticker:", symbol);
    if (what.trades) add(topic_kind::trades, "/market/match:", symbol);
    if (what.candles) add(topic_kind::candles, "/market/candles:", symbol, "_1min");
  }
  std::vector<market_socket_plan> out;
  add_sockets(out, "/", std::move(topics), traits.topics_per_socket); // the ticket names the whole address
  return out;
}

} // namespace

const venue_description& description() {
  static const venue_description out{
      .name = "kucoin",
      .books = books,
      .traits = traits,
      .plan = plan,
      .protocol = []() -> std::unique_ptr<market_protocol> { return std::make_unique<protocol>(); },
      .decoder = [](const instrument_spec& instrument) -> std::unique_ptr<frame_decoder> {
        return std::make_unique<decoder>(instrument);
      },
      .image = image_call,
      .ticket = ticket_call,
      .ticket_url = ticket_url,
      .instruments = instrument_calls,
      .read_instruments = read_instruments,
      .candles = {.per_page = 1500, .newest_first = true},
      .candle_call = candle_call,
      .read_candles = read_candles,
      .trades = past_trades_rules,
      .trade_call = trade_call,
      .read_trades = read_trades,
  };
  return out;
}

} // namespace troupe::kucoin
