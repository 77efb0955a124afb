#include "actors/executors/ledger.hpp"

#include <algorithm>

namespace troupe {
namespace {

__extension__ typedef unsigned __int128 uint128;

constexpr int smallest_base_scale = 8;

error overflow(const char* what) {
  return {make_error_code(executor_errc::overflow),
          std::string{what} + " leaves the ledger's range"};
}

result<int128> checked_multiply(int128 a, int128 b, const char* what) {
  int128 product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return overflow(what);
  return product;
}

result<int128> checked_add(int128 a, int128 b, const char* what) {
  int128 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return overflow(what);
  return sum;
}

int128 power_of_ten(int exponent) {
  int128 out = 1;
  while (exponent-- > 0)
    out *= 10;
  return out;
}

int128 magnitude(int128 x) {
  return x < 0 ? -x : x;
}

int base_scale_of(const instrument_spec& spec) {
  return std::max<int>(spec.size_scale, smallest_base_scale);
}

/// price × quantity as money; quantity in base scale.
result<int128> value_of(price p, std::int64_t quantity, const instrument_spec& spec) {
  const auto product = static_cast<int128>(p.raw) * quantity;
  return rescale(product, spec.price_scale + base_scale_of(spec), ledger_scale);
}

} // namespace

result<int128> multiply_divide(int128 a, std::uint64_t b, std::uint64_t c) {
  const bool negative = a < 0;
  const auto magnitude_a = negative ? -static_cast<uint128>(a) : static_cast<uint128>(a);
  // Three limbs of the product, then long division, highest limb first.
  const auto low = static_cast<uint128>(static_cast<std::uint64_t>(magnitude_a)) * b;
  const auto high =
      static_cast<uint128>(static_cast<std::uint64_t>(magnitude_a >> 64)) * b + (low >> 64);
  const std::uint64_t limbs[3] = {static_cast<std::uint64_t>(high >> 64),
                                  static_cast<std::uint64_t>(high),
                                  static_cast<std::uint64_t>(low)};
  std::uint64_t digits[3] = {};
  uint128 rest = 0;
  for (int i = 0; i < 3; ++i) {
    rest = (rest << 64) | limbs[i];
    digits[i] = static_cast<std::uint64_t>(rest / c);
    rest %= c;
  }
  if (digits[0] != 0 || (digits[1] >> 63) != 0) return overflow("a product");
  const auto quotient = static_cast<int128>((static_cast<uint128>(digits[1]) << 64) | digits[2]);
  return negative ? -quotient : quotient;
}

result<int128> rescale(int128 raw, int from, int to) {
  if (to >= from) {
    if (to - from > 38) return overflow("a scale");
    return checked_multiply(raw, power_of_ten(to - from), "an amount");
  }
  if (from - to > 38) return overflow("a scale");
  const auto step = power_of_ten(from - to);
  if (raw % step != 0)
    return {executor_errc::overflow, "an amount has more decimals than can be kept"};
  return raw / step;
}

std::string format_wide(int128 raw, int scale, int decimals, int at_least) {
  auto rest = raw < 0 ? -static_cast<uint128>(raw) : static_cast<uint128>(raw);
  std::string digits;
  while (rest > 0) {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  while (static_cast<int>(digits.size()) <= scale)
    digits += '0';
  std::reverse(digits.begin(), digits.end());
  auto whole = digits.substr(0, digits.size() - static_cast<std::size_t>(scale));
  auto part = digits.substr(digits.size() - static_cast<std::size_t>(scale));
  part.resize(static_cast<std::size_t>(decimals), '0');
  while (static_cast<int>(part.size()) > at_least && part.back() == '0')
    part.pop_back();
  const bool zero = whole == "0" && part.find_first_not_of('0') == std::string::npos;
  std::string out = raw < 0 && !zero ? "-" : "";
  out += whole;
  if (!part.empty()) out += '.' + part;
  return out;
}

bool trade_id_before(const std::string& a, const std::string& b) noexcept {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

status ledger::add_instrument(const ledger_instrument& instrument) {
  const auto& spec = instrument.spec;
  if (spec.kind == contract_kind::inverse)
    return {executor_errc::bad_input,
            spec.id.text + " is an inverse contract; the ledger keeps spot and linear ones"};
  if (spec.price_scale + base_scale_of(spec) > ledger_scale)
    return {executor_errc::bad_input,
            spec.id.text + ": price and size have more than 24 decimals together"};
  auto& book = books_[spec.id];
  if (!book.fills.empty()) {
    const auto& old = book.instrument.spec;
    if (old.price_scale != spec.price_scale || old.size_scale != spec.size_scale)
      return {executor_errc::bad_input,
              spec.id.text + ": scales can't change while there are fills"};
  }
  book.instrument = instrument;
  book.figures.base_scale = base_scale_of(spec);
  return ok;
}

result<ledger_position> ledger::applied(ledger_position p, const ledger_instrument& instrument,
                                        const fill& execution) {
  const auto& spec = instrument.spec;
  const auto quantity = rescale(execution.quantity.raw, spec.size_scale, p.base_scale);
  if (!quantity) return quantity.error();
  const auto signed_quantity = execution.direction == side::buy ? *quantity : -*quantity;
  const auto fee = rescale(execution.fee_raw, execution.fee_scale, ledger_scale);
  if (!fee) return fee.error();

  // What the position changes by: bought or sold, less a fee taken in the base asset.
  int128 change = signed_quantity;
  const bool base_fee = execution.fee_asset == instrument.base_asset && execution.fee_raw != 0;
  if (base_fee) {
    const auto fee_quantity = rescale(execution.fee_raw, execution.fee_scale, p.base_scale);
    if (!fee_quantity) return fee_quantity.error();
    change -= *fee_quantity;
  }
  const int128 held = p.quantity;
  if (magnitude(change) > INT64_MAX || magnitude(held + change) > INT64_MAX)
    return overflow("a position");

  auto opened = change;
  if (held != 0 && (held > 0) != (change > 0)) {
    const auto closed = std::min(magnitude(held), magnitude(change));
    const auto removed = multiply_divide(p.cost, static_cast<std::uint64_t>(closed),
                                         static_cast<std::uint64_t>(magnitude(held)));
    if (!removed) return removed.error();
    const auto signed_closed = held > 0 ? closed : -closed;
    const auto proceeds =
        value_of(execution.at_price, static_cast<std::int64_t>(signed_closed), spec);
    if (!proceeds) return proceeds.error();
    p.realised += *proceeds - *removed;
    p.cost -= *removed;
    opened = change + signed_closed;
  }
  const auto opened_cost = value_of(execution.at_price, static_cast<std::int64_t>(opened), spec);
  if (!opened_cost) return opened_cost.error();
  const auto gross = value_of(execution.at_price, static_cast<std::int64_t>(signed_quantity), spec);
  if (!gross) return gross.error();
  const auto new_cost = checked_add(p.cost, *opened_cost, "a cost");
  const auto new_cash = checked_add(p.cash, -*gross, "cash");
  if (!new_cost) return new_cost.error();
  if (!new_cash) return new_cash.error();
  p.cost = *new_cost;
  p.cash = *new_cash;
  p.quantity = static_cast<std::int64_t>(held + change);

  if (base_fee)
    p.realised -= *gross - *value_of(execution.at_price, static_cast<std::int64_t>(change), spec);
  if (execution.fee_asset == instrument.quote_asset) {
    p.realised -= *fee;
    p.cash -= *fee;
  }
  if (execution.fee_raw != 0) p.fees[execution.fee_asset] += *fee;
  ++p.fills;
  return p;
}

result<ledger_position> ledger::derive(const account_book& book) {
  ledger_position p;
  p.base_scale = base_scale_of(book.instrument.spec);
  for (const auto& [key, execution] : book.fills) {
    auto next = applied(std::move(p), book.instrument, execution);
    if (!next) return next.error();
    p = std::move(*next);
  }
  return p;
}

/// A trade id that is known already: the same execution again, its late fee, or a contradiction.
result<booking> ledger::book_again(account_book& book, const fill& execution) {
  auto& known = book.fills.at({book.times.at(execution.trade_id), execution.trade_id});
  if (known.at_price != execution.at_price || known.quantity != execution.quantity
      || known.direction != execution.direction)
    return {executor_errc::contradiction, "trade " + execution.trade_id + " of "
                                              + execution.instrument.text
                                              + " was booked with another price, size or side"};
  if (!known.fee_asset.empty() || execution.fee_asset.empty()) return booking::duplicate;
  const auto before = known;
  known.fee_asset = execution.fee_asset;
  known.fee_raw = execution.fee_raw;
  known.fee_scale = execution.fee_scale;
  auto figures = derive(book);
  if (!figures) {
    known = before;
    return figures.error();
  }
  book.figures = std::move(*figures);
  return booking::fee_completed;
}

result<booking> ledger::book(const fill& execution) {
  const auto found = books_.find(execution.instrument);
  if (found == books_.end())
    return {executor_errc::bad_input,
            "fill " + execution.trade_id + " of unknown instrument " + execution.instrument.text};
  auto& book = found->second;
  if (book.times.contains(execution.trade_id)) return book_again(book, execution);
  if (execution.quantity.raw <= 0 || execution.at_price.raw <= 0 || execution.trade_id.empty())
    return {executor_errc::bad_input, "fill '" + execution.trade_id + "' of "
                                          + execution.instrument.text
                                          + " has no id, price or size"};
  const fill_key key{execution.at, execution.trade_id};
  const bool newest = book.fills.empty() || book.fills.rbegin()->first < key;
  book.fills.emplace(key, execution);
  auto figures = newest ? applied(book.figures, book.instrument, execution) : derive(book);
  if (!figures) {
    book.fills.erase(key);
    return figures.error();
  }
  book.times.emplace(execution.trade_id, execution.at);
  book.figures = std::move(*figures);
  ++fill_count_;
  return booking::booked;
}

ledger_position ledger::position(const instrument_id& instrument) const {
  const auto found = books_.find(instrument);
  return found == books_.end() ? ledger_position{} : found->second.figures;
}

size ledger::position_size(const instrument_id& instrument) const {
  const auto found = books_.find(instrument);
  if (found == books_.end()) return {};
  const auto& [spec, figures] = std::tie(found->second.instrument.spec, found->second.figures);
  const auto finer = power_of_ten(figures.base_scale - spec.size_scale);
  return {static_cast<std::int64_t>(figures.quantity / finer)};
}

std::string ledger::average_price(const instrument_id& instrument, int decimals) const {
  const auto p = position(instrument);
  if (p.quantity == 0) return "0";
  const auto unit = static_cast<std::uint64_t>(power_of_ten(p.base_scale));
  const auto held = static_cast<std::uint64_t>(magnitude(p.quantity));
  const auto average = multiply_divide(magnitude(p.cost), unit, held);
  return average ? format_wide(*average, ledger_scale, decimals) : "?";
}

result<int128> ledger::unrealised(const instrument_id& instrument, price mark) const {
  const auto found = books_.find(instrument);
  if (found == books_.end()) return int128{0};
  const auto& figures = found->second.figures;
  const auto value = value_of(mark, figures.quantity, found->second.instrument.spec);
  if (!value) return value.error();
  return checked_add(*value, -figures.cost, "unrealised PnL");
}

result<int128> ledger::total(const instrument_id& instrument, price mark) const {
  const auto open = unrealised(instrument, mark);
  if (!open) return open.error();
  return checked_add(position(instrument).realised, *open, "PnL");
}

std::map<std::string, int128> ledger::balance_changes() const {
  std::map<std::string, int128> out;
  for (const auto& [id, book] : books_) {
    const auto& [instrument, figures] = std::tie(book.instrument, book.figures);
    out[instrument.base_asset] +=
        static_cast<int128>(figures.quantity) * power_of_ten(ledger_scale - figures.base_scale);
    out[instrument.quote_asset] += figures.cash;
    for (const auto& [asset, fee] : figures.fees)
      if (asset != instrument.base_asset && asset != instrument.quote_asset) out[asset] -= fee;
  }
  return out;
}

bool ledger::knows(const instrument_id& instrument, const std::string& trade_id) const {
  const auto found = books_.find(instrument);
  return found != books_.end() && found->second.times.contains(trade_id);
}

std::vector<fill> ledger::fills(const instrument_id& instrument) const {
  std::vector<fill> out;
  if (const auto found = books_.find(instrument); found != books_.end())
    for (const auto& [key, execution] : found->second.fills)
      out.push_back(execution);
  return out;
}

status ledger::check() const {
  for (const auto& [id, book] : books_) {
    const auto fresh = derive(book);
    if (!fresh) return fresh.error();
    const auto& a = *fresh;
    const auto& b = book.figures;
    if (a.quantity != b.quantity || a.cost != b.cost || a.realised != b.realised || a.cash != b.cash
        || a.fees != b.fees)
      return {executor_errc::contradiction,
              id.text + ": the position differs from the sum of its fills"};
    if (b.cash != b.realised - b.cost)
      return {executor_errc::contradiction, id.text + ": cash is not realised PnL minus cost"};
  }
  return ok;
}

} // namespace troupe
