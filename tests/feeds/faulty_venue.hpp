#pragma once

/// A venue of each book family with a true book, faults on the way to the client, and what a client must
/// make of them. Nothing here knows how the machines work: the oracle knows the true order of the messages
/// and keeps its own book in std::maps.

#include "actors/feeds/book_machine.hpp"
#include "tests/feeds/book_oracle.hpp"

#include <deque>
#include <random>

namespace troupe::test {

/// How a venue numbers its messages.
enum class numbering : std::uint8_t {
  ranges,     ///< U..u, U == u before + 1
  skipping,   ///< the same with holes, chained by pu
  rows,       ///< KuCoin: each row has a number
  linked,     ///< each names the one before; steps of any size; sometimes a repeat as a sign of life
  steps,      ///< one by one
  connection, ///< one by one, messages of others between
  none
};

/// One venue's book channel.
struct flavour {
  std::string_view name;
  book_rules rules;
  numbering numbers = numbering::ranges;
  bool requested_image = false; ///< the image answers a request and may be older than changes already sent
  bool images_only = false;
  bool own_checksum = false; ///< the checksum comes as a message by itself
};

/// What can happen to a message on its way.
enum class mishap : std::uint8_t {
  lost,
  repeated,
  overtaken,
  damaged_row,
  lost_row,
  wrong_checksum,
  crossing_row,
  renumbered
};
constexpr std::size_t mishaps = 8;
constexpr std::string_view name_of(mishap what) {
  constexpr std::string_view names[] = {"lost",     "repeated",       "overtaken",    "damaged row",
                                        "lost row", "wrong checksum", "crossing row", "renumbered"};
  return names[static_cast<std::size_t>(what)];
}

/// A message as the client gets it; `place` is its true place among all messages of the venue.
struct venue_message {
  std::int64_t place = 0;
  bool image = false;
  bool idle = false; ///< a sign of life, of no meaning for the book
  bool wrong_checksum = false;
  depth_event head;
  std::vector<level> bids, asks;
  std::vector<std::uint64_t> bid_rows, ask_rows;

  [[nodiscard]] depth_event change() const {
    auto out = head;
    out.bids = bids, out.asks = asks;
    out.bid_rows = bid_rows, out.ask_rows = ask_rows;
    return out;
  }
  [[nodiscard]] image_event whole() const {
    image_event out;
    out.last = head.last;
    out.event = head.event;
    out.has_checksum = head.has_checksum;
    out.checksum = head.checksum;
    out.bids = bids, out.asks = asks;
    return out;
  }
};

/// The best `depth` levels of a side; 0: all.
template <class Side>
std::vector<level> best_of(const Side& levels, std::size_t depth) {
  std::vector<level> out;
  for (const auto& [at, quantity] : levels) {
    if (depth != 0 && out.size() == depth) break;
    out.push_back({{at}, {quantity}});
  }
  return out;
}

inline void cut_to(map_book& book, std::size_t depth) {
  while (book.bids.size() > depth) book.bids.erase(std::prev(book.bids.end()));
  while (book.asks.size() > depth) book.asks.erase(std::prev(book.asks.end()));
}

/// True when the best `depth` levels of both sides are the same.
inline bool same_top(const map_book& a, const map_book& b, std::size_t depth) {
  return best_of(a.bids, depth) == best_of(b.bids, depth) && best_of(a.asks, depth) == best_of(b.asks, depth);
}

/// The venue: a book that trades up and down, and the messages that tell of it.
class venue_book {
public:
  venue_book(const flavour& f, std::mt19937_64& random) : f_{f}, random_{random} {
    for (std::int64_t i = 1; i <= 40; ++i) {
      full_.bids[10'000 - i] = size();
      full_.asks[10'000 + i] = size();
    }
    view_ = seen();
  }

  /// What a subscriber should hold.
  [[nodiscard]] const map_book& truth() const { return view_; }

  /// The next message in true order.
  venue_message next() {
    const auto before = view_;
    auto m = empty_message();
    const auto was = number_;
    trade();
    view_ = seen();
    if (f_.images_only) return remember(whole());
    tell(before.bids, view_.bids, full_.bids, m.bids);
    tell(before.asks, view_.asks, full_.asks, m.asks);
    if (below(4) == 0) m.bids.push_back({{1 + below(50)}, {0}}); // nothing there to delete
    if (f_.numbers != numbering::rows && !m.bids.empty() && below(4) == 0) // a price twice, the last counts
      m.bids.insert(m.bids.begin(), {m.bids.back().at, {size()}});
    give_numbers(m, was);
    give_checksum(m);
    return remember(std::move(m));
  }

  /// A message that says no more than that the venue lives (OKX: equal numbers).
  venue_message sign_of_life() {
    auto m = empty_message();
    m.idle = true;
    m.head.previous = number_;
    m.head.has_previous = true;
    return m;
  }

  /// The checksum by itself.
  venue_message checksum_only() {
    auto m = empty_message();
    give_numbers(m, number_);
    m.head.has_checksum = true;
    m.head.checksum = checksum_of(view_);
    return remember(std::move(m));
  }

  /// The image as of now, or of one of the last messages where it answers a request.
  venue_message image() {
    if (!f_.requested_image) return remember(whole());
    if (past_.empty()) past_.push_back({place_, number_, view_});
    const auto back = std::min<std::size_t>(below(4), past_.size() - 1);
    const auto& then = past_[past_.size() - 1 - back];
    auto m = empty_message();
    m.image = true;
    m.place = then.place;
    m.head.last = then.number;
    m.bids = best_of(then.view.bids, 0);
    m.asks = best_of(then.view.asks, 0);
    return m;
  }

  /// Numbers begin anew, far below, without a link.
  void renumber() {
    number_ -= 1'000'000 + below_u(1000);
    past_.clear();
  }

private:
  struct state {
    std::int64_t place;
    std::uint64_t number;
    map_book view;
  };

  std::uint64_t below_u(std::uint64_t n) { return random_() % n; }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(below_u(static_cast<std::uint64_t>(n)));
  }
  std::int64_t size() { return 1 + below(1'000'000); }

  map_book seen() const {
    auto out = full_;
    if (f_.rules.cut_beyond_depth) cut_to(out, f_.rules.depth);
    return out;
  }

  void trade() {
    for (auto n = 1 + below(5); n > 0; --n) {
      const bool buy = below(2) == 0;
      const auto reach = below(3) == 0 ? 3 : 40;
      const auto quantity = below(3) == 0 ? 0 : size();
      if (buy) set(full_.bids, full_.asks.begin()->first - 1 - below(reach), quantity);
      else set(full_.asks, full_.bids.begin()->first + 1 + below(reach), quantity);
    }
  }
  template <class Side>
  void set(Side& levels, std::int64_t at, std::int64_t quantity) {
    if (quantity != 0) levels[at] = quantity;
    else if (levels.size() > 20) levels.erase(at);
    if (levels.size() > 60) levels.erase(std::prev(levels.end()));
  }

  template <class Side>
  void tell(const Side& before, const Side& now, const Side& full, std::vector<level>& out) {
    for (const auto& [at, quantity] : now) {
      const auto old = before.find(at);
      if (old == before.end() || old->second != quantity) out.push_back({{at}, {quantity}});
    }
    // What only fell out of the view is not told.
    for (const auto& [at, quantity] : before)
      if (!full.contains(at)) out.push_back({{at}, {0}});
    std::shuffle(out.begin(), out.end(), random_);
  }

  venue_message empty_message() {
    venue_message m;
    m.place = place_;
    m.head.event = {place_ * 1'000'000};
    m.head.last = number_;
    return m;
  }

  void give_numbers(venue_message& m, std::uint64_t was) {
    auto& h = m.head;
    switch (f_.numbers) {
    case numbering::ranges: h.first = was + 1, h.last = h.first + below_u(4); break;
    case numbering::skipping:
      h.first = was + 1 + below_u(3), h.last = h.first + below_u(4);
      h.previous = was, h.has_previous = true;
      break;
    case numbering::rows:
      h.first = h.last = was + 1;
      if (below(3) == 0) m.asks.push_back({{0}, {0}}); // carries a number only
      for (std::size_t i = 0; i < m.bids.size(); ++i) m.bid_rows.push_back(h.last++);
      for (std::size_t i = 0; i < m.asks.size(); ++i) m.ask_rows.push_back(h.last++);
      h.last -= m.bids.empty() && m.asks.empty() ? 0 : 1;
      break;
    case numbering::linked:
      h.previous = was, h.has_previous = true;
      // Maintenance: a lower number that is linked.
      h.last = !f_.requested_image && below(32) == 0 ? was - 5000 : was + 1 + below_u(4);
      break;
    case numbering::steps: h.first = h.last = was + 1; break;
    case numbering::connection: h.last = was + 1; break;
    case numbering::none: h.last = 0; break;
    }
    number_ = f_.numbers == numbering::none ? number_ : h.last;
  }

  void give_checksum(venue_message& m) const {
    if (f_.rules.checksum == nullptr || f_.own_checksum) return;
    m.head.has_checksum = true;
    m.head.checksum = checksum_of(view_);
  }
  /// The real function over a book that was loaded whole.
  std::uint32_t checksum_of(const map_book& of) const {
    order_book book{{price{1}, 256}};
    book.load(best_of(of.bids, 30), best_of(of.asks, 30));
    return f_.rules.checksum(book, 2, 3);
  }

  venue_message whole() {
    auto m = empty_message();
    m.image = true;
    if (f_.numbers == numbering::connection) m.head.last = ++number_;
    if (f_.images_only) m.head.last = number_ += 1 + below_u(50);
    m.bids = best_of(view_.bids, 0);
    m.asks = best_of(view_.asks, 0);
    give_checksum(m);
    return m;
  }

  venue_message remember(venue_message m) {
    m.place = ++place_;
    past_.push_back({place_, number_, view_});
    if (past_.size() > 6) past_.pop_front();
    return m;
  }

  const flavour& f_;
  std::mt19937_64& random_;
  map_book full_;
  map_book view_;
  std::deque<state> past_;
  std::int64_t place_ = 0;
  std::uint64_t number_ = 50'000'000'000;
};

/// What a client must hold, by the true places of what it was given.
class expected_client {
public:
  explicit expected_client(const flavour& f) : f_{f} {}

  [[nodiscard]] bool valid() const { return state_ == state::valid; }
  [[nodiscard]] const map_book& book() const { return book_; }
  [[nodiscard]] std::uint64_t noticed() const { return noticed_; }

  /// `truth`: the venue's view behind this message.
  void change(const venue_message& m, const map_book& truth) {
    if (m.idle) return;
    if (f_.requested_image) return joined_change(m);
    if (f_.images_only || !valid()) return;
    if (in_order_only() && m.place != held_ + 1) {
      if (m.place <= held_ && f_.numbers != numbering::connection) ++noticed_; // a repeat, left out
      else fault();
      return;
    }
    held_ = m.place;
    apply(m);
    judge(m, truth);
  }

  void image(const venue_message& m, const map_book& truth) {
    if (f_.requested_image) return joined_image(m);
    book_.clear();
    apply(m);
    held_ = m.place;
    state_ = state::valid;
    judge(m, truth);
  }

  void reset() { *this = expected_client{f_, noticed_}; }

private:
  enum class state { empty, joining, valid };
  expected_client(const flavour& f, std::uint64_t noticed) : f_{f}, noticed_{noticed} {}
  expected_client& operator=(const expected_client& other) {
    state_ = other.state_, held_ = other.held_, noticed_ = other.noticed_;
    book_ = other.book_, run_ = other.run_, seen_ = other.seen_;
    return *this;
  }

  [[nodiscard]] bool in_order_only() const { return f_.numbers != numbering::none; }

  void fault() {
    ++noticed_;
    state_ = state::empty;
    book_.clear();
  }

  void apply(const venue_message& m) {
    for (const auto& l : m.bids)
      if (l.at.raw != 0) book_.apply(side::buy, l.at, l.quantity);
    for (const auto& l : m.asks)
      if (l.at.raw != 0) book_.apply(side::sell, l.at, l.quantity);
    if (f_.rules.cut_beyond_depth) cut_to(book_, f_.rules.depth);
  }

  void judge(const venue_message& m, const map_book& truth) {
    const bool told = f_.rules.checksum != nullptr && m.head.has_checksum;
    const bool differs = told && (m.wrong_checksum || !same_top(book_, truth, f_.rules.checksum_levels));
    if (differs || book_.crossed()) fault();
  }

  // A client that joins a requested image keeps an unbroken run of changes.
  void joined_change(const venue_message& m) {
    if (state_ == state::empty) {
      const bool next = run_.empty() || m.place == run_.back().place + 1;
      if (!next && m.place <= run_.back().place && seen(m.place)) {
        ++noticed_;
        return;
      }
      if (!next) ++noticed_, run_.clear();
      run_.push_back(m);
      note(m.place);
      return;
    }
    // Binance futures: the first change may end where the image does.
    const bool ends_alike = f_.numbers == numbering::skipping && state_ == state::joining && m.place == held_;
    if (m.place <= held_ && !ends_alike) {
      if (state_ == state::joining || seen(m.place)) {
        ++noticed_;
        note(m.place);
        return;
      }
    }
    if (m.place != held_ + 1 && !ends_alike) return broken(m);
    held_ = m.place;
    note(m.place);
    apply(m);
    state_ = state::valid;
    if (book_.crossed()) broken(m);
  }

  void joined_image(const venue_message& m) {
    if (state_ != state::empty) return;
    if (!run_.empty() && run_.front().place > m.place + 1) return; // too old
    book_.clear();
    apply(m);
    held_ = m.place;
    state_ = state::joining;
    std::deque<venue_message> run;
    run.swap(run_);
    for (const auto& c : run) joined_change(c);
  }

  void broken(const venue_message& m) {
    fault();
    run_.clear();
    run_.push_back(m);
    note(m.place);
  }
  [[nodiscard]] bool seen(std::int64_t place) const {
    return std::find(seen_.begin(), seen_.end(), place) != seen_.end();
  }
  void note(std::int64_t place) {
    seen_.push_back(place);
    if (seen_.size() > 200) seen_.pop_front();
  }

  const flavour& f_;
  state state_ = state::empty;
  std::int64_t held_ = 0;
  map_book book_;
  std::deque<venue_message> run_;
  std::deque<std::int64_t> seen_;
  std::uint64_t noticed_ = 0;
};

} // namespace troupe::test
