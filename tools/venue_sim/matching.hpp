#pragma once

/// The simulated venue's matching of clients' orders against the played market, its account and its rules.
/// Orders of clients never meet each other, and the played market does not react to them; what they take
/// from a level is remembered until the market changes that level.
///
/// Rules of execution (facts shared by back-testers; each fill names the one that applied):
/// take           an order that may trade at once walks the opposite side from the best price
/// queue          trades at a resting order's price first use up what stood there before it, then fill it
/// trade-through  a trade at a worse price than a resting order's fills it whole
/// crossed        the opposite side reaching a resting order's price fills it with what is displayed there
///
/// Amounts in units of 10^-8, times market time. Pure and deterministic; one owner.

#include "tools/venue_sim/market_source.hpp"

#include <map>
#include <optional>
#include <string>
#include <variant>

namespace troupe::venue_sim {

enum class order_side : std::uint8_t { buy, sell };
enum class order_type : std::uint8_t { limit, market, limit_maker };
enum class time_in_force : std::uint8_t { gtc, ioc, fok };
enum class order_status : std::uint8_t { fresh, partially_filled, filled, canceled, expired };
enum class fill_rule : std::uint8_t { take, queue, trade_through, crossed };

/// The instrument's filters and the account's fees.
struct trading_rules {
  std::string symbol = "BTCUSDT";
  std::string base = "BTC";
  std::string quote = "USDT";
  std::int64_t tick_e8 = 1'000'000;
  std::int64_t min_price_e8 = 1'000'000;
  std::int64_t max_price_e8 = 100'000'000'000'000;
  std::int64_t step_e8 = 1'000;
  std::int64_t min_quantity_e8 = 1'000;
  std::int64_t max_quantity_e8 = 900'000'000'000;
  std::int64_t max_market_quantity_e8 = 9'709'521'512;
  std::int64_t min_notional_e8 = 500'000'000;
  std::int64_t max_notional_e8 = 900'000'000'000'000;
  int max_open_orders = 200;
  int maker_fee_ppm = 1000;
  int taker_fee_ppm = 1000;
};

/// A new order as a client asks for it.
struct order_request {
  std::string client_order_id; ///< empty: one is made
  order_side side = order_side::buy;
  order_type type = order_type::limit;
  time_in_force tif = time_in_force::gtc;
  std::int64_t price_e8 = 0;
  std::int64_t quantity_e8 = 0;
  std::int64_t quote_quantity_e8 = 0; ///< MARKET only, instead of the quantity
};

struct order {
  order_request asked;
  std::int64_t id = 0;
  order_status status = order_status::fresh;
  std::int64_t filled_e8 = 0;
  std::int64_t filled_quote_e8 = 0;
  std::int64_t locked_e8 = 0;      ///< still reserved for it, in the asset it gives
  std::int64_t queue_ahead_e8 = 0; ///< stands before it at its price
  std::int64_t created_ns = 0;
  std::int64_t updated_ns = 0;

  [[nodiscard]] std::int64_t remaining_e8() const noexcept { return asked.quantity_e8 - filled_e8; }
  [[nodiscard]] bool open() const noexcept {
    return status == order_status::fresh || status == order_status::partially_filled;
  }
};

struct fill {
  std::int64_t trade_id = 0;
  std::int64_t order_id = 0;
  std::int64_t price_e8 = 0;
  std::int64_t quantity_e8 = 0;
  std::int64_t quote_e8 = 0;
  std::int64_t commission_e8 = 0;
  bool commission_in_base = false;
  bool maker = false;
  fill_rule rule = fill_rule::take;
  std::int64_t time_ns = 0;
};

/// A refusal with Binance's code and text.
struct refusal {
  int code = 0;
  std::string text;
};

/// What happened to an order, in order of happening: the source of private events and ledger records.
struct order_report {
  enum class kind_type : std::uint8_t { accepted, trade, canceled, expired } kind = kind_type::accepted;
  order now;                     ///< the order after it
  std::optional<fill> execution; ///< trade only
  std::string request_client_id; ///< canceled: id of the cancel request
  std::int64_t time_ns = 0;
};

struct asset_balance {
  std::int64_t free_e8 = 0;
  std::int64_t locked_e8 = 0;
};

class matching_engine {
public:
  matching_engine(trading_rules rules, std::int64_t base_e8, std::int64_t quote_e8);

  /// Accepts and matches, or refuses (filters, funds, duplicate id, would take).
  std::variant<std::int64_t, refusal> place(order_request asked, const market_book& book,
                                            std::int64_t now_ns);
  /// Cancels the open order with this order id (if not 0) and/or client id (if not empty).
  std::variant<std::int64_t, refusal> cancel(std::int64_t order_id, std::string_view client_order_id,
                                             std::string_view request_client_id, std::int64_t now_ns);
  /// Lets the market's newest event meet the resting orders. Call after the source applied it.
  void on_market(const market_event& event, const market_book& book);

  /// Takes the reports that came up since the last call.
  [[nodiscard]] std::vector<order_report> take_reports();
  [[nodiscard]] bool has_reports() const noexcept { return !reports_.empty(); }

  [[nodiscard]] const order* find(std::int64_t order_id) const;
  /// The newest order with this client id: the open one if there is one.
  [[nodiscard]] const order* find(std::string_view client_order_id) const;
  [[nodiscard]] const std::map<std::int64_t, order>& orders() const noexcept { return orders_; }
  [[nodiscard]] const std::map<std::int64_t, fill>& fills() const noexcept { return fills_; }
  [[nodiscard]] std::vector<const order*> open_orders() const;
  [[nodiscard]] const asset_balance& base() const noexcept { return base_; }
  [[nodiscard]] const asset_balance& quote() const noexcept { return quote_; }
  [[nodiscard]] const trading_rules& rules() const noexcept { return rules_; }

  /// Rebuilding after a restart, in the ledger's order: no reports come of these.
  void restore_order(const order& accepted);
  void restore_fill(const fill& executed);
  void restore_end(std::int64_t order_id, order_status how, std::int64_t time_ns);
  /// Queue positions after a restart: behind all that is displayed.
  void requeue(const market_book& book);

private:
  [[nodiscard]] std::optional<refusal> check(const order_request& asked, const market_book& book) const;
  [[nodiscard]] std::optional<refusal> check_filters(const order_request& asked,
                                                     const market_book& book) const;
  [[nodiscard]] std::int64_t available(order_side side, book_level displayed) const;
  [[nodiscard]] std::vector<book_level> takeable(const order_request& asked, std::int64_t quantity,
                                                 const market_book& book) const;
  [[nodiscard]] std::vector<book_level> affordable(const order_request& asked, const market_book& book) const;
  void mark_taken(order_side taker, book_level displayed_part, const market_book& book);
  void accept(order& made);
  void take(order& taker, const market_book& book, std::int64_t now_ns);
  void execute(order& o, std::int64_t price, std::int64_t quantity, fill_rule rule, std::int64_t now_ns);
  void settle(order& o, const fill& f);
  void release(order& o);
  void finish(order& o, order_status how, std::string request_client_id, std::int64_t now_ns);
  void report(order_report::kind_type kind, const order& o, std::int64_t now_ns);
  void on_trade(const market_event& event);
  void on_level(order_side side, book_level level);
  void on_crossing(const market_book& book, std::int64_t now_ns);
  [[nodiscard]] asset_balance& given(order_side side) noexcept {
    return side == order_side::buy ? quote_ : base_;
  }

  trading_rules rules_;
  asset_balance base_;
  asset_balance quote_;
  std::map<std::int64_t, order> orders_;
  std::map<std::int64_t, fill> fills_;
  std::map<std::string, std::int64_t, std::less<>> newest_by_client_; ///< client id → newest order
  std::map<std::int64_t, order*> open_;                               ///< by order id: time priority
  struct taken_level {
    std::int64_t taken_e8 = 0;
    std::int64_t displayed_e8 = 0; ///< what the level showed; another quantity ends the memory
  };
  std::map<std::int64_t, taken_level> taken_bids_; ///< taken by clients per displayed level
  std::map<std::int64_t, taken_level> taken_asks_;
  std::vector<order_report> reports_;
  std::int64_t next_order_ = 28'000'000'001;
  std::int64_t next_trade_ = 900'000'000'001;
};

/// Binance's words.
std::string_view text_of(order_side s) noexcept;
std::string_view text_of(order_type t) noexcept;
std::string_view text_of(time_in_force t) noexcept;
std::string_view text_of(order_status s) noexcept;
std::string_view text_of(fill_rule r) noexcept;

} // namespace troupe::venue_sim
