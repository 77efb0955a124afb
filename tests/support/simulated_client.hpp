#pragma once

/// A venue's protocol, decoder and book machine against the simulator's dialect of it, which shares
/// nothing with them: without sockets, an hour of market in a moment.

#include "actors/connectors/venue.hpp"
#include "tools/venue_sim/data/dialect.hpp"
#include "tools/venue_sim/order_flow.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <deque>
#include <map>

namespace troupe::test {

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
      beat();
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
      for (auto& spec : *specs)
        if (spec.id.text == "BTC-USDT@" + std::string{venue_.name}) spec_ = std::move(spec);
    }
    CAF_REQUIRE(!spec_.venue_symbol.empty());
  }

  void connect() {
    plan_ = venue_.plan({&spec_, 1}, {}).front();
    port.frames.clear();
    machine_->reset();
    connection_ = dialect_->accept(plan_.target, "", port);
    CAF_REQUIRE(connection_ != nullptr);
    protocol_ = venue_.protocol();
    protocol_->at({world_.now_ms * 1'000'000});
    beat_ms_ = world_.now_ms;
    ++connects;
    connection_->opened(world_.now_ms * 1'000'000);
    for (const auto& text : protocol_->begin())
      say(text);
    for (const auto& command : protocol_->subscribe(plan_.topics))
      say(command.text);
    take_frames();
  }

  /// What keeps the socket alive.
  void beat() {
    const auto every = protocol_->traits().heartbeat_every.count() / 1'000'000;
    if (every == 0 || world_.now_ms - beat_ms_ < every) return;
    beat_ms_ = world_.now_ms;
    protocol_->at({world_.now_ms * 1'000'000});
    say(protocol_->heartbeat());
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
      const std::vector<std::string> replies{in.replies.begin(), in.replies.end()};
      const bool ours = std::ranges::find(in.symbols, spec_.venue_symbol) != in.symbols.end();
      for (const auto& reply : replies)
        say(reply);
      if (ours) take_events(frame);
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
  std::int64_t beat_ms_ = 0;
};

} // namespace troupe::test
