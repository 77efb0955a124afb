#include "actors/connectors/mexc/description.hpp"

#include "actors/connectors/mexc/codec.hpp"
#include "actors/connectors/mexc/past_trades.hpp"
#include "actors/connectors/mexc/protocol.hpp"
#include "actors/connectors/mexc/rest.hpp"
#include "actors/connectors/rest_reading.hpp"

#include <array>

namespace troupe::mexc {

namespace {

constexpr book_rules changes{
    .family = book_family::ranged, .rule = sequence_rule::overlap, .image_in_band = false, .image_levels = 5000};
constexpr book_rules whole{.family = book_family::images, .depth = 20};

constexpr std::array books{book_channel{"aggre.depth@100ms", changes},
                           book_channel{"aggre.depth@10ms", changes}, book_channel{"limit.depth@20", whole}};

/// "aggre.depth@100ms" → "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT";
/// "limit.depth@20" → "spot@public.limit.depth.v3.api.pb@BTCUSDT@20".
std::string book_name(std::string_view channel, const std::string& symbol) {
  const auto at = channel.find('@');
  const std::string kind{channel.substr(0, at)};
  const std::string tail{at == std::string_view::npos ? std::string_view{} : channel.substr(at)};
  const auto head = "spot@public." + kind + ".v3.api.pb";
  return kind == "limit.depth" ? head + '@' + symbol + tail : head + tail + '@' + symbol;
}

std::vector<market_socket_plan> plan(std::span<const instrument_spec> instruments,
                                     const market_selection& what) {
  const std::string_view channel = what.book_channel.empty() ? books[0].name : what.book_channel;
  std::vector<market_topic> topics;
  for (const auto& instrument : instruments) {
    const auto& symbol = instrument.venue_symbol;
    const auto add = [&](topic_kind kind, std::string name) {
      topics.push_back({kind, symbol, std::move(name)});
    };
    if (what.book) add(topic_kind::book, book_name(channel, symbol));
    if (what.best) add(topic_kind::best, "spot@public.aggre.bookTicker.v3.api.pb@100ms@" + symbol);
    if (what.trades) add(topic_kind::trades, "spot@public.aggre.deals.v3.api.pb@100ms@" + symbol);
    if (what.candles) add(topic_kind::candles, "spot@public.kline.v3.api.pb@" + symbol + "@Min1");
  }
  std::vector<market_socket_plan> out;
  add_sockets(out, "/ws", std::move(topics), traits.topics_per_socket);
  return out;
}

} // namespace

const venue_description& description() {
  static const venue_description out{
      .name = "mexc",
      .books = books,
      .traits = traits,
      .plan = plan,
      .protocol = []() -> std::unique_ptr<market_protocol> { return std::make_unique<protocol>(); },
      .decoder = [](const instrument_spec& instrument) -> std::unique_ptr<frame_decoder> {
        return std::make_unique<decoder>(instrument);
      },
      .image = image_call,
      .instruments = instrument_calls,
      .read_instruments = read_instruments,
      .candles = {.per_page = 1000},
      .candle_call = candle_call,
      .read_candles = read_candles,
      .trades = past_trades_rules,
      .trade_call = trade_call,
      .read_trades = read_trades,
  };
  return out;
}

} // namespace troupe::mexc
