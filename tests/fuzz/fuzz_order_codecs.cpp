// Any bytes as private frames and answers about orders of every venue: a value or an error, never a crash.

#include "actors/connectors/binance/order_codec.hpp"
#include "actors/connectors/bybit/order_codec.hpp"
#include "actors/connectors/deribit/order_codec.hpp"
#include "actors/connectors/mexc/order_codec.hpp"

#include <cstdlib>

namespace {

using namespace troupe;

order_context context_of(const char* symbol) {
  instrument_spec spec;
  spec.id = {"ABC-USDT@venue"};
  spec.venue_symbol = symbol;
  spec.price_scale = 2;
  spec.size_scale = 4;
  order_context out;
  out.account = {"main@venue"};
  out.by_symbol.emplace(symbol, spec);
  return out;
}

/// Texts and ids of whatever was read are reached, so that a view that dangles is found.
void look_at(const order_report& report) {
  auto sum = report.client_id.size() + report.venue_order_id.size() + report.text.size();
  for (const auto& each : report.fills) sum += each.trade_id.size() + each.fee_asset.size();
  if (sum > (1u << 28)) std::abort();
}

template <class Events>
void look_at_all(const Events& events) {
  if (!events) return;
  for (const auto& event : *events)
    if (const auto* report = std::get_if<order_report>(&event)) look_at(*report);
}

void try_binance(std::string_view input, const order_context& context) {
  if (const auto event = binance::parse_user_frame(input, context))
    if (const auto* report = std::get_if<order_report>(&*event)) look_at(*report);
  if (const auto order = binance::parse_order(input, context)) look_at(*order);
  static_cast<void>(binance::parse_trades(input, context));
  static_cast<void>(binance::parse_account(input));
}

void try_bybit(std::string_view input, const order_context& context) {
  look_at_all(bybit::parse_user_frame(input, context));
  static_cast<void>(bybit::parse_orders(input, context));
  static_cast<void>(bybit::parse_executions(input, context));
  static_cast<void>(bybit::parse_account(input));
  static_cast<void>(bybit::parse_venue_error(input));
}

void try_deribit(std::string_view input, const order_context& context) {
  look_at_all(deribit::parse_user_frame(input, context));
  if (const auto placed = deribit::parse_placed(input, context)) look_at(*placed);
  static_cast<void>(deribit::parse_orders(input, context));
  static_cast<void>(deribit::parse_trades(input, context));
  static_cast<void>(deribit::parse_account(input));
  static_cast<void>(deribit::parse_cancelled(input));
  static_cast<void>(deribit::parse_reply(input));
}

void try_mexc(std::string_view input, const order_context& context) {
  if (const auto event = mexc::parse_user_frame(input, context))
    if (const auto* report = std::get_if<order_report>(&*event)) look_at(*report);
  static_cast<void>(mexc::parse_order(input, context));
  static_cast<void>(mexc::parse_trades(input, context));
  static_cast<void>(mexc::parse_placed(input, context, "o-1"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  static const auto context = context_of("ABCUSDT");
  try_binance(input, context);
  try_bybit(input, context);
  try_deribit(input, context);
  try_mexc(input, context);
  return 0;
}
