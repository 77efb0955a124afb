#include "tools/venue_sim/matching.hpp"

#include "tools/venue_sim/decimal.hpp"

#include <algorithm>

namespace troupe::venue_sim {
namespace {

constexpr bool is_buy(order_side s) noexcept {
  return s == order_side::buy;
}

/// The first price in `best` order that a limit refuses.
constexpr bool within_limit(const order_request& o, std::int64_t price) noexcept {
  if (o.type == order_type::market) return true;
  return is_buy(o.side) ? price <= o.price_e8 : price >= o.price_e8;
}

template <class F>
void visit_opposite(order_side side, const market_book& book, F&& f) {
  if (is_buy(side))
    book.visit_asks(f);
  else
    book.visit_bids(f);
}

refusal filter_failure(const char* name) {
  return {-1013, std::string{"Filter failure: "} + name};
}
refusal too_precise(const char* name) {
  return {-1111, std::string{"Parameter '"} + name + "' has too much precision."};
}

} // namespace

matching_engine::matching_engine(trading_rules rules, std::int64_t base_e8, std::int64_t quote_e8)
    : rules_{std::move(rules)}, base_{base_e8, 0}, quote_{quote_e8, 0} {}

const order* matching_engine::find(std::int64_t order_id) const {
  const auto found = orders_.find(order_id);
  return found == orders_.end() ? nullptr : &found->second;
}

const order* matching_engine::find(std::string_view client_order_id) const {
  const auto found = newest_by_client_.find(client_order_id);
  return found == newest_by_client_.end() ? nullptr : find(found->second);
}

std::vector<const order*> matching_engine::open_orders() const {
  std::vector<const order*> out;
  for (const auto& [id, o] : open_)
    out.push_back(o);
  return out;
}

std::vector<order_report> matching_engine::take_reports() {
  return std::exchange(reports_, {});
}

/// What is left of a displayed level after our clients' takes.
std::int64_t matching_engine::available(order_side side, book_level displayed) const {
  const auto& taken = is_buy(side) ? taken_asks_ : taken_bids_;
  const auto found = taken.find(displayed.price_e8);
  if (found == taken.end()) return displayed.quantity_e8;
  return std::max<std::int64_t>(0, displayed.quantity_e8 - found->second.taken_e8);
}

/// What an order could take at once, best level first, `quantity` at most.
std::vector<book_level> matching_engine::takeable(const order_request& asked, std::int64_t quantity,
                                                  const market_book& book) const {
  std::vector<book_level> parts;
  visit_opposite(asked.side, book, [&](book_level l) {
    if (!within_limit(asked, l.price_e8)) return false;
    const auto part = std::min(available(asked.side, l), quantity);
    quantity -= part;
    if (part > 0) parts.push_back({l.price_e8, part});
    return quantity > 0;
  });
  return parts;
}

/// What a market order takes that names an amount of the quote asset.
std::vector<book_level> matching_engine::affordable(const order_request& asked,
                                                    const market_book& book) const {
  std::vector<book_level> parts;
  auto money = asked.quote_quantity_e8;
  visit_opposite(asked.side, book, [&](book_level l) {
    const auto payable = static_cast<std::int64_t>(static_cast<wide_int>(money) * one_e8 / l.price_e8);
    const auto there = available(asked.side, l);
    const auto part = std::min(there, payable / rules_.step_e8 * rules_.step_e8);
    money -= product_up_e8(l.price_e8, part);
    if (part > 0) parts.push_back({l.price_e8, part});
    return payable > there;
  });
  return parts;
}

void matching_engine::mark_taken(order_side taker, book_level part, const market_book& book) {
  auto& taken = (is_buy(taker) ? taken_asks_ : taken_bids_)[part.price_e8];
  taken.taken_e8 += part.quantity_e8;
  taken.displayed_e8 = is_buy(taker) ? book.ask_at(part.price_e8) : book.bid_at(part.price_e8);
}

std::optional<refusal> matching_engine::check_filters(const order_request& o, const market_book& book) const {
  const bool priced = o.type != order_type::market;
  if (priced) {
    if (o.price_e8 < rules_.min_price_e8 || o.price_e8 > rules_.max_price_e8
        || o.price_e8 % rules_.tick_e8 != 0)
      return filter_failure("PRICE_FILTER");
  }
  if (o.quote_quantity_e8 == 0) {
    if (o.quantity_e8 < rules_.min_quantity_e8 || o.quantity_e8 > rules_.max_quantity_e8
        || o.quantity_e8 % rules_.step_e8 != 0)
      return filter_failure("LOT_SIZE");
    if (!priced && o.quantity_e8 > rules_.max_market_quantity_e8) return filter_failure("MARKET_LOT_SIZE");
  }
  const auto best = is_buy(o.side) ? book.best_ask() : book.best_bid();
  const auto price = priced ? o.price_e8 : best ? best->price_e8 : 0;
  if (!product_fits(price, o.quantity_e8)) return filter_failure("NOTIONAL");
  const auto notional = o.quote_quantity_e8 != 0 ? o.quote_quantity_e8 : product_e8(price, o.quantity_e8);
  if (price != 0 && (notional < rules_.min_notional_e8 || (priced && notional > rules_.max_notional_e8)))
    return filter_failure("NOTIONAL");
  if (static_cast<int>(open_.size()) >= rules_.max_open_orders) return filter_failure("MAX_NUM_ORDERS");
  return std::nullopt;
}

std::optional<refusal> matching_engine::check(const order_request& o, const market_book& book) const {
  if (o.quantity_e8 < 0 || o.price_e8 < 0) return too_precise("quantity");
  if (auto refused = check_filters(o, book)) return refused;
  const auto* same = find(std::string_view{o.client_order_id});
  if (!o.client_order_id.empty() && same != nullptr && same->open())
    return refusal{-2010, "Duplicate order sent."};
  const auto best = is_buy(o.side) ? book.best_ask() : book.best_bid();
  if (o.type == order_type::limit_maker && best && within_limit(o, best->price_e8))
    return refusal{-2010, "Order would immediately match and take."};
  if (o.type == order_type::market && !best) return refusal{-2010, "Market is closed."};
  std::int64_t needed = o.quantity_e8;
  if (is_buy(o.side)) {
    needed = o.quote_quantity_e8;
    if (o.type != order_type::market)
      needed = product_up_e8(o.price_e8, o.quantity_e8);
    else if (needed == 0)
      for (const auto& p : takeable(o, o.quantity_e8, book))
        needed += product_up_e8(p.price_e8, p.quantity_e8);
  }
  const auto& purse = is_buy(o.side) ? quote_ : base_;
  if (needed > purse.free_e8) return refusal{-2010, "Account has insufficient balance for requested action."};
  return std::nullopt;
}

std::variant<std::int64_t, refusal> matching_engine::place(order_request asked, const market_book& book,
                                                           std::int64_t now_ns) {
  if (auto refused = check(asked, book)) return *refused;
  order made;
  made.id = next_order_;
  if (asked.client_order_id.empty()) asked.client_order_id = "sim" + std::to_string(made.id);
  made.asked = std::move(asked);
  made.created_ns = made.updated_ns = now_ns;
  accept(made);
  auto& o = orders_.at(made.id);
  report(order_report::kind_type::accepted, o, now_ns);
  if (o.asked.tif == time_in_force::fok && o.asked.type == order_type::limit) {
    std::int64_t sum = 0;
    for (const auto& p : takeable(o.asked, o.asked.quantity_e8, book))
      sum += p.quantity_e8;
    if (sum < o.asked.quantity_e8) {
      finish(o, order_status::expired, {}, now_ns);
      return o.id;
    }
  }
  take(o, book, now_ns);
  if (!o.open()) return o.id;
  const bool rests = o.asked.type == order_type::limit_maker
                     || (o.asked.type == order_type::limit && o.asked.tif == time_in_force::gtc);
  if (!rests)
    finish(o, order_status::expired, {}, now_ns);
  else
    o.queue_ahead_e8 = is_buy(o.asked.side) ? book.bid_at(o.asked.price_e8) : book.ask_at(o.asked.price_e8);
  return o.id;
}

/// Enters an order into the tables and locks what it may give.
void matching_engine::accept(order& made) {
  next_order_ = std::max(next_order_, made.id + 1);
  made.locked_e8 = 0;
  if (made.asked.type != order_type::market)
    made.locked_e8 = is_buy(made.asked.side) ? product_up_e8(made.asked.price_e8, made.asked.quantity_e8)
                                             : made.asked.quantity_e8;
  auto& purse = given(made.asked.side);
  purse.free_e8 -= made.locked_e8;
  purse.locked_e8 += made.locked_e8;
  auto& kept = orders_[made.id] = made;
  newest_by_client_[made.asked.client_order_id] = made.id;
  open_[made.id] = &kept;
}

void matching_engine::take(order& o, const market_book& book, std::int64_t now_ns) {
  if (o.asked.type == order_type::limit_maker) return;
  const bool by_money = o.asked.quote_quantity_e8 != 0;
  const auto parts = by_money ? affordable(o.asked, book) : takeable(o.asked, o.asked.quantity_e8, book);
  if (by_money)
    for (const auto& p : parts)
      o.asked.quantity_e8 += p.quantity_e8;
  for (const auto& p : parts) {
    mark_taken(o.asked.side, p, book);
    execute(o, p.price_e8, p.quantity_e8, fill_rule::take, now_ns);
  }
}

void matching_engine::execute(order& o, std::int64_t price, std::int64_t quantity, fill_rule rule,
                              std::int64_t now_ns) {
  fill f;
  f.trade_id = next_trade_;
  f.order_id = o.id;
  f.price_e8 = price;
  f.quantity_e8 = quantity;
  f.quote_e8 = product_e8(price, quantity);
  f.maker = rule != fill_rule::take;
  f.rule = rule;
  f.commission_in_base = is_buy(o.asked.side);
  f.time_ns = now_ns;
  const auto received = f.commission_in_base ? quantity : f.quote_e8;
  const auto ppm = f.maker ? rules_.maker_fee_ppm : rules_.taker_fee_ppm;
  f.commission_e8 = static_cast<std::int64_t>(static_cast<wide_int>(received) * ppm / 1'000'000);
  settle(o, f);
  report(order_report::kind_type::trade, o, now_ns);
  reports_.back().execution = f;
}

/// Books a fill: the order's sums, what was locked for it, both purses.
void matching_engine::settle(order& o, const fill& f) {
  next_trade_ = std::max(next_trade_, f.trade_id + 1);
  fills_[f.trade_id] = f;
  o.filled_e8 += f.quantity_e8;
  o.filled_quote_e8 += f.quote_e8;
  o.updated_ns = f.time_ns;
  o.status = o.filled_e8 >= o.asked.quantity_e8 ? order_status::filled : order_status::partially_filled;
  const bool buy = is_buy(o.asked.side);
  auto& purse = given(o.asked.side);
  const auto given_e8 = buy ? f.quote_e8 : f.quantity_e8;
  if (o.asked.type == order_type::market) {
    purse.free_e8 -= given_e8;
  } else {
    const auto still = buy ? product_up_e8(o.asked.price_e8, o.remaining_e8()) : o.remaining_e8();
    purse.locked_e8 -= o.locked_e8 - still;
    purse.free_e8 += o.locked_e8 - still - given_e8; // a better price than the limit frees the difference
    o.locked_e8 = still;
  }
  if (buy)
    base_.free_e8 += f.quantity_e8 - f.commission_e8;
  else
    quote_.free_e8 += f.quote_e8 - f.commission_e8;
  if (!o.open()) open_.erase(o.id);
}

void matching_engine::release(order& o) {
  auto& purse = given(o.asked.side);
  purse.locked_e8 -= o.locked_e8;
  purse.free_e8 += o.locked_e8;
  o.locked_e8 = 0;
  open_.erase(o.id);
}

void matching_engine::finish(order& o, order_status how, std::string request_client_id, std::int64_t now_ns) {
  release(o);
  o.status = how;
  o.updated_ns = now_ns;
  const bool canceled = how == order_status::canceled;
  report(canceled ? order_report::kind_type::canceled : order_report::kind_type::expired, o, now_ns);
  reports_.back().request_client_id = std::move(request_client_id);
}

void matching_engine::report(order_report::kind_type kind, const order& o, std::int64_t now_ns) {
  order_report r;
  r.kind = kind;
  r.now = o;
  r.time_ns = now_ns;
  reports_.push_back(std::move(r));
}

std::variant<std::int64_t, refusal> matching_engine::cancel(std::int64_t order_id,
                                                            std::string_view client_order_id,
                                                            std::string_view request_client_id,
                                                            std::int64_t now_ns) {
  const auto* found = order_id != 0 ? find(order_id) : find(client_order_id);
  if (found == nullptr || !found->open()) return refusal{-2011, "Unknown order sent."};
  if (order_id != 0 && !client_order_id.empty() && found->asked.client_order_id != client_order_id)
    return refusal{-2039, "Client order ID and order ID do not belong to the same order."};
  auto& o = orders_.at(found->id);
  std::string id{request_client_id};
  if (id.empty()) id = "cancel" + std::to_string(o.id);
  finish(o, order_status::canceled, std::move(id), now_ns);
  return o.id;
}

void matching_engine::on_market(const market_event& event, const market_book& book) {
  if (event.kind == frame_kind::trade) return on_trade(event);
  if (event.seam) {
    taken_bids_.clear();
    taken_asks_.clear();
  }
  if (event.kind == frame_kind::book_ticker) {
    on_level(order_side::buy, event.one);
    on_level(order_side::sell, event.two);
  }
  for (const auto& l : event.bids)
    on_level(order_side::buy, l);
  for (const auto& l : event.asks)
    on_level(order_side::sell, l);
  if (!open_.empty()) on_crossing(book, event.time_ns);
}

/// A level has a new displayed quantity: what clients took from the old one is forgotten, and a queue
/// can't be longer than what is displayed.
void matching_engine::on_level(order_side side, book_level level) {
  auto& taken = is_buy(side) ? taken_bids_ : taken_asks_;
  const auto found = taken.find(level.price_e8);
  if (found != taken.end() && found->second.displayed_e8 != level.quantity_e8) taken.erase(found);
  for (auto& [id, o] : open_) {
    if (o->asked.side == side && o->asked.price_e8 == level.price_e8)
      o->queue_ahead_e8 = std::min(o->queue_ahead_e8, level.quantity_e8);
  }
}

void matching_engine::on_trade(const market_event& event) {
  if (open_.empty()) return;
  const auto hit = event.buyer_is_maker ? order_side::buy : order_side::sell; // the side that rested
  const auto price = event.one.price_e8;
  std::vector<order*> touched;
  for (const auto& [id, o] : open_) {
    if (o->asked.side != hit) continue;
    if (is_buy(hit) ? o->asked.price_e8 >= price : o->asked.price_e8 <= price) touched.push_back(o);
  }
  std::int64_t used = 0; // of the trade, by clients' earlier orders at the same price
  for (auto* o : touched) {
    if (o->asked.price_e8 != price) {
      execute(*o, o->asked.price_e8, o->remaining_e8(), fill_rule::trade_through, event.time_ns);
      continue;
    }
    const auto reaches = event.one.quantity_e8 - o->queue_ahead_e8;
    o->queue_ahead_e8 = std::max<std::int64_t>(0, -reaches);
    auto part = std::min(reaches - used, o->remaining_e8());
    part -= part % rules_.step_e8;
    if (part <= 0) continue;
    used += part;
    execute(*o, price, part, fill_rule::queue, event.time_ns);
  }
}

void matching_engine::on_crossing(const market_book& book, std::int64_t now_ns) {
  const auto bid = book.best_bid();
  const auto ask = book.best_ask();
  std::vector<order*> crossed;
  for (const auto& [id, o] : open_) {
    const bool hit = is_buy(o->asked.side) ? ask && ask->price_e8 <= o->asked.price_e8
                                           : bid && bid->price_e8 >= o->asked.price_e8;
    if (hit) crossed.push_back(o);
  }
  for (auto* o : crossed) {
    std::int64_t sum = 0;
    for (const auto& p : takeable(o->asked, o->remaining_e8(), book)) {
      mark_taken(o->asked.side, p, book);
      sum += p.quantity_e8;
    }
    if (sum > 0) execute(*o, o->asked.price_e8, sum, fill_rule::crossed, now_ns);
  }
}

void matching_engine::restore_order(const order& accepted) {
  auto made = accepted;
  accept(made);
}

void matching_engine::restore_fill(const fill& executed) {
  const auto found = orders_.find(executed.order_id);
  if (found == orders_.end()) return;
  auto& o = found->second;
  if (o.asked.quote_quantity_e8 != 0) o.asked.quantity_e8 += executed.quantity_e8;
  settle(o, executed);
}

void matching_engine::restore_end(std::int64_t order_id, order_status how, std::int64_t time_ns) {
  const auto found = orders_.find(order_id);
  if (found == orders_.end() || !open_.contains(order_id)) return;
  release(found->second);
  found->second.status = how;
  found->second.updated_ns = time_ns;
}

void matching_engine::requeue(const market_book& book) {
  for (auto& [id, o] : open_)
    o->queue_ahead_e8 =
        is_buy(o->asked.side) ? book.bid_at(o->asked.price_e8) : book.ask_at(o->asked.price_e8);
}

std::string_view text_of(order_side s) noexcept {
  return is_buy(s) ? "BUY" : "SELL";
}
std::string_view text_of(order_type t) noexcept {
  return t == order_type::limit ? "LIMIT" : t == order_type::market ? "MARKET" : "LIMIT_MAKER";
}
std::string_view text_of(time_in_force t) noexcept {
  return t == time_in_force::gtc ? "GTC" : t == time_in_force::ioc ? "IOC" : "FOK";
}
std::string_view text_of(order_status s) noexcept {
  switch (s) {
  case order_status::fresh:
    return "NEW";
  case order_status::partially_filled:
    return "PARTIALLY_FILLED";
  case order_status::filled:
    return "FILLED";
  case order_status::canceled:
    return "CANCELED";
  case order_status::expired:
    return "EXPIRED";
  }
  return "NEW";
}
std::string_view text_of(fill_rule r) noexcept {
  switch (r) {
  case fill_rule::take:
    return "take";
  case fill_rule::queue:
    return "queue";
  case fill_rule::trade_through:
    return "trade-through";
  case fill_rule::crossed:
    return "crossed";
  }
  return "take";
}

} // namespace troupe::venue_sim
