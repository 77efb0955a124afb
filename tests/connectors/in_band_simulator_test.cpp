#define CAF_SUITE in_band_simulator

// Protocol, decoder and book machine of Kraken, Coinbase and Bitfinex against the simulator's
// dialects, which share nothing with them: without sockets, an hour of market in a moment. The book
// must end as the market's own, also behind a lost frame and a wrong checksum.

#include "actors/connectors/bitfinex/description.hpp"
#include "actors/connectors/coinbase/description.hpp"
#include "actors/connectors/kraken/description.hpp"
#include "tools/venue_sim/data/dialect.hpp"
#include "tools/venue_sim/order_flow.hpp"

#include <caf/test/unit_test.hpp>

#include <deque>
#include <map>

using namespace troupe;

namespace {

class simulated_port final : public venue_sim::dialect_port {
public:
  void send(std::string frame) override { frames.push_back(std::move(frame)); }
  void send_binary(std::string frame) override { frames.push_back(std::move(frame)); }
  void publish(const venue_sim::frame_topic& topic, std::string frame, bool) override {
    if (!topic.image && ++published == lost) return;
    frames.push_back(std::move(frame));
  }
  void close(std::uint16_t, std::string) override { closed = true; }
  void violation(std::string_view fact) override { violations += std::string{fact} + "; "; }

  std::deque<std::string> frames;
  std::uint64_t published = 0;
  std::uint64_t lost = 0; ///< which published frame is lost; 0: none
  bool closed = false;
  std::string violations;
};

/// One client of one simulated venue.
class simulated_client {
public:
  explicit simulated_client(const venue_description& venue) : venue_{venue} {
    auto source = std::make_unique<venue_sim::flow_market>(venue_sim::btcusdt_flow(), 11,
                                                           1'700'000'000'000'000'000,
                                                           venue_sim::venue_kind::binance_spot);
    venue_sim::data_instrument one;
    one.base = "BTC";
    one.quote = "USDT";
    one.tick_e8 = source->shape().tick_e8;
    one.step_e8 = source->shape().step_e8;
    one.price_decimals = decimals(one.tick_e8);
    one.quantity_decimals = decimals(one.step_e8);
    world_.now_ms = 1'700'000'000'000;
    world_.markets.push_back(std::make_unique<venue_sim::data_market>(one, std::move(source)));
    dialect_ = venue_sim::make_dialect(venue.name, world_);
    CAF_REQUIRE(dialect_ != nullptr);
    learn_instrument();
    decoder_ = venue.decoder(spec_);
    machine_ = make_book_machine(venue.books[0].rules, {.tick = spec_.tick, .window_ticks = 65536},
                                 {spec_.price_scale, spec_.size_scale});
    connect();
  }

  /// Lets the market go on.
  void run(std::size_t events) {
    auto& market = *world_.markets.front();
    for (std::size_t i = 0; i < events; ++i) {
      auto event = market.advance();
      world_.now_ms = event.event_ms;
      const bool depth = event.what->kind == venue_sim::frame_kind::depth;
      if (depth) event.spoil_checksum = std::exchange(spoil_next, false);
      if (depth) dialect_->on_change(market, event);
      connection_->on_event(market, event);
      connection_->tick(world_.now_ms * 1'000'000);
      take_frames();
    }
  }

  /// What differs from the market's own book; empty when nothing does.
  [[nodiscard]] std::string difference() const {
    if (!machine_->valid()) return "the book is not valid";
    const auto& truth = world_.markets.front()->book();
    const auto most = venue_.books[0].rules.depth == 0 ? 1'000'000 : venue_.books[0].rules.depth;
    std::string out;
    const auto compare = [&](side s, const auto& levels) {
      auto place = levels.begin();
      std::size_t count = 0;
      machine_->book().for_each(s, [&](const level& l) {
        if (place == levels.end() || to_e8(l.at.raw, spec_.price_scale) != place->first
            || to_e8(l.quantity.raw, spec_.size_scale) != place->second)
          out = "level " + std::to_string(count) + " of a side differs";
        if (place != levels.end()) ++place;
        ++count;
        return out.empty();
      });
      if (out.empty() && count != std::min(most, levels.size())) out = "another number of levels";
    };
    compare(side::buy, truth.bids());
    compare(side::sell, truth.asks());
    return out;
  }

  std::map<inbound_kind, std::uint64_t> kinds;
  std::uint64_t connects = 0, faults = 0, trades = 0, damaged = 0;
  bool spoil_next = false;
  simulated_port port;

private:
  static int decimals(std::int64_t step) {
    int out = 8;
    for (; out > 0 && step % 10 == 0; step /= 10)
      --out;
    return out;
  }

  static std::int64_t to_e8(std::int64_t raw, int scale) {
    for (; scale < 8; ++scale)
      raw *= 10;
    return raw;
  }

  void learn_instrument() {
    for (const auto& call : venue_.instruments()) {
      const std::string_view target = call.target;
      const auto mark = std::min(target.find('?'), target.size());
      const auto reply = dialect_->rest(
          {"GET", target.substr(0, mark), target.substr(std::min(mark + 1, target.size())), ""},
          "localhost");
      CAF_REQUIRE(reply.has_value());
      auto specs = venue_.read_instruments(reply->body, {1});
      CAF_REQUIRE(specs.has_value());
      CAF_REQUIRE_EQUAL(specs->size(), 1u);
      spec_ = specs->front();
    }
    CAF_CHECK_EQUAL(spec_.id.text, "BTC-USDT@" + std::string{venue_.name});
  }

  void connect() {
    plan_ = venue_.plan({&spec_, 1}, {}).front();
    port.frames.clear();
    machine_->reset();
    connection_ = dialect_->accept(plan_.target, "", port);
    CAF_REQUIRE(connection_ != nullptr);
    protocol_ = venue_.protocol();
    ++connects;
    connection_->opened(world_.now_ms * 1'000'000);
    for (const auto& text : protocol_->begin())
      say(text);
    for (const auto& command : protocol_->subscribe(plan_.topics))
      say(command.text);
    take_frames();
  }

  void say(const std::string& text) { connection_->on_message(text, world_.now_ms * 1'000'000); }

  void take_frames() {
    while (!port.frames.empty()) {
      const auto frame = std::move(port.frames.front());
      port.frames.pop_front();
      const auto& in = protocol_->take(frame);
      ++kinds[in.kind];
      if (in.kind == inbound_kind::broken) {
        ++faults;
        return connect();
      }
      for (const auto symbol : in.symbols)
        if (symbol == spec_.venue_symbol) take_events(frame);
    }
  }

  void take_events(std::string_view frame) {
    bool wants_image = false;
    for (const auto* e = &decoder_->decode(frame); e != nullptr; e = decoder_->next()) {
      auto step = build_step::applied;
      if (e->kind == event_kind::image) step = machine_->on_image(e->image);
      if (e->kind == event_kind::depth) step = machine_->on_depth(e->depth);
      if (e->kind == event_kind::trade) ++trades;
      if (e->kind == event_kind::damaged) ++damaged;
      wants_image = wants_image || is_fault(step);
    }
    if (!wants_image) return;
    ++faults;
    const auto book = std::span{plan_.topics}.first(1);
    for (const auto& command : protocol_->unsubscribe(book))
      say(command.text);
    for (const auto& command : protocol_->subscribe(book))
      say(command.text);
  }

  const venue_description& venue_;
  venue_sim::data_world world_;
  std::unique_ptr<venue_sim::venue_dialect> dialect_;
  std::unique_ptr<venue_sim::dialect_connection> connection_;
  std::unique_ptr<market_protocol> protocol_;
  std::unique_ptr<frame_decoder> decoder_;
  std::unique_ptr<book_machine> machine_;
  instrument_spec spec_;
  market_socket_plan plan_;
};

constexpr std::size_t some_events = 20'000;

void check_clean(simulated_client& client) {
  CAF_CHECK_EQUAL(client.difference(), "");
  CAF_CHECK_EQUAL(client.port.violations, "");
  CAF_CHECK_EQUAL(client.damaged, 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::unknown], 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::refused], 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::failure], 0u);
  CAF_CHECK(client.trades > 100);
}

} // namespace

CAF_TEST(books_end_as_the_simulators) {
  for (const auto* venue :
       {&kraken::description(), &coinbase::description(), &bitfinex::description()}) {
    CAF_MESSAGE("venue " << venue->name);
    simulated_client client{*venue};
    client.run(some_events);
    check_clean(client);
    CAF_CHECK_EQUAL(client.faults, 0u);
    CAF_CHECK_EQUAL(client.connects, 1u);
  }
}

CAF_TEST(a_lost_frame_is_noticed_and_mended) {
  for (const auto* venue :
       {&kraken::description(), &coinbase::description(), &bitfinex::description()}) {
    CAF_MESSAGE("venue " << venue->name);
    simulated_client client{*venue};
    client.port.lost = 500;
    client.run(some_events);
    check_clean(client);
    // Kraken numbers nothing: only a frame that moved the best ten can be missed.
    if (venue->books[0].rules.family == book_family::connection) CAF_CHECK_EQUAL(client.faults, 1u);
    CAF_CHECK_EQUAL(client.connects,
                    1 + (venue->books[0].rules.family == book_family::connection ? 1u : 0u));
  }
}

CAF_TEST(a_wrong_checksum_brings_a_new_image) {
  simulated_client client{kraken::description()};
  client.run(1'000);
  client.spoil_next = true;
  client.run(some_events);
  check_clean(client);
  CAF_CHECK_EQUAL(client.faults, 1u);
  CAF_CHECK_EQUAL(client.connects, 1u);
}
