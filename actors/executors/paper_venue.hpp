#pragma once

/// A venue on paper: fills orders from the live or replayed book, and says of every fill why.
/// Pure and single-threaded; all times are market time. The venue's own clock runs on the time
/// stamps of what it is shown (quotes and trades), so that the same input gives the same fills at
/// any speed.
///
/// Rules (facts: oracles, §6; after the fill models of hftbacktest):
/// * resting, *through*: the opposite best price reaches the limit, or a trade prints beyond it:
/// filled in full;
/// * resting, *queue*: a trade at the limit first takes what stood ahead of us, then us;
/// * resting, risk-averse queue: everything shown at our price when we arrived stands ahead; what
/// leaves the
///   level without a trade leaves from behind us until less is shown than stood ahead;
/// * taking: at the opposite best price, up to the size shown there.
/// Latencies: feed (venue → us), entry (us → venue), response (venue → us).

#include "actors/executors/venue_gateway.hpp"

#include <deque>
#include <map>
#include <optional>

namespace troupe {

/// Told of the market beside the gateway's commands. A shell hands quotes to gateways that are
/// listeners.
class market_listener {
public:
  virtual ~market_listener() = default;
  virtual void on_quote(const quote& q, market_time now) = 0;
  virtual void on_trade(const trade& t, market_time now) = 0;
  /// Time goes on without news; delivers what is due.
  virtual void on_time(market_time now) = 0;
};

struct paper_instrument {
  instrument_spec spec;
  std::string base_asset;
  std::string quote_asset;
};

struct paper_options {
  account_id account;
  std::vector<paper_instrument> instruments;
  std::vector<asset_balance> opening; ///< scale 8
  std::int64_t maker_fee_ppm = 1'000; ///< of the amount received
  std::int64_t taker_fee_ppm = 1'000;
  nanoseconds feed_latency = std::chrono::milliseconds{5};
  nanoseconds entry_latency = std::chrono::milliseconds{10};
  nanoseconds response_latency = std::chrono::milliseconds{5};
  std::size_t kept_orders = 500; ///< ended orders that can still be asked for
  std::size_t kept_trades = 2'000;
};

/// Why an order was filled.
struct paper_explanation {
  std::string trade_id;
  std::string client_id;
  std::string rule;  ///< "through", "queue", "take"
  size queue_ahead;  ///< before the event
  std::string cause; ///< "quote 4711 ask 61686.01" or "trade 3778421"

  TROUPE_FIELDS(paper_explanation, "Why a paper order was filled.",
                TROUPE_FIELD(trade_id, "paper trade"), TROUPE_FIELD(client_id, "order"),
                TROUPE_FIELD(rule, "through, queue or take"),
                TROUPE_FIELD(queue_ahead, "size ahead of the order before the event"),
                TROUPE_FIELD(cause, "the event"))
};

/// An order as the paper venue keeps it.
struct paper_order {
  intent what;
  std::string venue_order_id;
  order_state state = order_state::acknowledged;
  size filled;
  size queue_ahead;
  bool queue_known = false; ///< our price has been the best price of our side since we arrived

  TROUPE_FIELDS(paper_order, "An order on paper.", TROUPE_FIELD(what, "the order"),
                TROUPE_FIELD(venue_order_id, "paper id"), TROUPE_FIELD(state, "state"),
                TROUPE_FIELD(filled, "filled size"), TROUPE_FIELD(queue_ahead, "size ahead of it"),
                TROUPE_FIELD(queue_known, "queue_ahead was seen"))
};

struct paper_balance {
  std::string asset;
  std::int64_t total = 0;
  TROUPE_FIELDS(paper_balance, "Balance on paper.", TROUPE_FIELD(asset, "asset"),
                TROUPE_FIELD(total, "× 10^8"))
};

/// Everything that must outlive a restart.
struct paper_state {
  std::vector<paper_order> live;
  std::vector<paper_order> ended;
  std::vector<fill> trades;
  std::vector<paper_balance> balances;
  std::uint64_t next_order = 1;
  std::uint64_t next_trade = 1;

  TROUPE_FIELDS(paper_state, "State of a paper venue.", TROUPE_FIELD(live, "open orders"),
                TROUPE_FIELD(ended, "newest ended orders"), TROUPE_FIELD(trades, "newest trades"),
                TROUPE_FIELD(balances, "balances"), TROUPE_FIELD(next_order, "next order id"),
                TROUPE_FIELD(next_trade, "next trade id"))
};

/// What comes back from the venue, and when it is with us.
struct paper_event {
  market_time due;
  std::uint64_t number = 0;
  std::function<void(gateway_events&)> deliver;
};

class paper_venue {
public:
  explicit paper_venue(paper_options options);

  /// Puts a saved state in place of the opening balances.
  void restore(paper_state state);
  [[nodiscard]] const paper_state& state() const noexcept { return state_; }
  /// True once after anything in `state` has changed.
  [[nodiscard]] bool take_changed() noexcept { return std::exchange(changed_, false); }

  void on_quote(const quote& q);
  void on_trade(const trade& t);
  /// The venue's clock is at least here: commands that have arrived by then are carried out.
  void advance(market_time venue_now);

  // Commands, given at our time `now`.
  void place(command_id command, const intent& order, market_time now);
  void cancel(command_id command, const instrument_id& instrument, const std::string& client_id,
              market_time now);
  void query(command_id command, const instrument_id& instrument, const std::string& client_id,
             market_time now);
  void open_orders(command_id command, const instrument_id& instrument, market_time now);
  void trades_since(command_id command, const instrument_id& instrument,
                    const std::string& trade_id, market_time now);
  void account(command_id command, market_time now);
  void rules(command_id command, const instrument_id& instrument, market_time now);

  /// Events that are with us by `now`, in order.
  [[nodiscard]] std::vector<paper_event> take_due(market_time now);
  /// Why a trade happened; null when it is not known (any more).
  [[nodiscard]] const paper_explanation* explain(const std::string& trade_id) const;
  [[nodiscard]] const paper_options& options() const noexcept { return options_; }

private:
  struct arrival {
    market_time at;
    std::uint64_t number = 0;
    std::function<void(market_time)> carry_out;
  };

  void arrive(market_time now, std::function<void(market_time)> what);
  void answer(market_time at, std::function<void(gateway_events&)> what);
  void place_now(command_id command, const intent& order, market_time at);
  void cancel_now(command_id command, const std::string& client_id, market_time at);
  [[nodiscard]] std::string refusal_of(const intent& order, refusal& why) const;
  [[nodiscard]] bool affords(const intent& order) const;
  void take(paper_order& o, market_time at);
  void rest(paper_order& o) const;
  void match_quote(paper_order& o, const quote& q);
  void match_trade(paper_order& o, const trade& t);
  void execute(paper_order& o, size quantity, price at_price, bool maker, market_time at,
               std::string rule, std::string cause);
  void end(const std::string& client_id, order_state state, market_time at);
  void sweep_filled();
  void tell(const paper_order& o, const fill* execution, market_time at);
  [[nodiscard]] order_report report_of(const paper_order& o, market_time at) const;
  [[nodiscard]] const paper_instrument* instrument(const instrument_id& id) const;
  [[nodiscard]] const paper_order* find(const std::string& client_id) const;
  std::int64_t& balance(const std::string& asset);

  paper_options options_;
  paper_state state_;
  bool changed_ = true;
  std::map<instrument_id, quote> quotes_;
  std::deque<arrival> arrivals_;
  std::deque<paper_event> events_;
  std::deque<paper_explanation> explanations_;
  std::uint64_t next_number_ = 1;
};

/// The paper venue behind the gateway interface. Single-threaded: call it from its actor only;
/// events are delivered inside `on_time`, `on_quote` and `on_trade`.
class paper_gateway final : public venue_gateway, public market_listener {
public:
  /// `save` is called with the encoded state before any event that tells of it is delivered; empty
  /// = the state lives as long as the gateway. `saved` is what an earlier life handed to it.
  paper_gateway(paper_options options, const market_clock& clock,
                std::function<void(const std::string&)> save = {}, const std::string& saved = {});

  [[nodiscard]] gateway_traits traits() const override;
  void start(gateway_events& events) override;
  void stop() override;
  void place(command_id command, const intent& order) override;
  void cancel(command_id command, const instrument_id& instrument,
              const std::string& client_id) override;
  void query(command_id command, const instrument_id& instrument,
             const std::string& client_id) override;
  void open_orders(command_id command, const instrument_id& instrument) override;
  void trades_since(command_id command, const instrument_id& instrument,
                    const std::string& trade_id) override;
  void account(command_id command) override;
  void rules(command_id command, const instrument_id& instrument) override;
  [[nodiscard]] std::string status_json() const override;

  void on_quote(const quote& q, market_time now) override;
  void on_trade(const trade& t, market_time now) override;
  void on_time(market_time now) override;

  [[nodiscard]] const paper_venue& venue() const noexcept { return venue_; }

private:
  void deliver(market_time now);

  paper_venue venue_;
  const market_clock& clock_;
  std::function<void(const std::string&)> save_;
  gateway_events* events_ = nullptr;
};

} // namespace troupe
