#include "actors/connectors/order_words.hpp"

#include <algorithm>

namespace troupe {
namespace {

class order_category final : public std::error_category {
  const char* name() const noexcept override { return "order"; }
  std::string message(int value) const override {
    switch (static_cast<order_errc>(value)) {
    case order_errc::not_json:
      return "not JSON";
    case order_errc::missing_field:
      return "field missing";
    case order_errc::bad_value:
      return "value can't be read";
    case order_errc::unknown_symbol:
      return "symbol not configured";
    case order_errc::bad_order:
      return "order can't be written down";
    }
    return "unknown";
  }
};

bool multiple(std::int64_t raw, std::int64_t step) noexcept {
  return step <= 0 || raw % step == 0;
}

bool valid_client_id(std::string_view id, std::string_view others, std::size_t longest) noexcept {
  if (id.empty() || id.size() > longest) return false;
  return std::all_of(id.begin(), id.end(), [&](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
           || others.find(c) != std::string_view::npos;
  });
}

} // namespace

std::error_code make_error_code(order_errc code) noexcept {
  static const order_category category;
  return {static_cast<int>(code), category};
}

const instrument_spec* order_context::find(std::string_view venue_symbol) const {
  const auto place = by_symbol.find(venue_symbol);
  return place == by_symbol.end() ? nullptr : &place->second;
}

status check_order(const intent& order, const instrument_spec& spec, std::string_view others,
                   std::size_t longest) {
  const auto bad = [&](const std::string& why) -> status {
    return {order_errc::bad_order, "order " + order.client_id + " in " + spec.id.text + ": " + why};
  };
  if (!valid_client_id(order.client_id, others, longest))
    return bad("client order id must be 1 to " + std::to_string(longest) + " letters, digits or any of "
               + std::string{others});
  if (order.quantity.raw <= 0 || !multiple(order.quantity.raw, spec.lot.raw))
    return bad("size is no multiple of the lot");
  if (order.kind == order_kind::market) return ok;
  if (order.limit.raw <= 0 || !multiple(order.limit.raw, spec.tick.raw))
    return bad("price is no multiple of the tick");
  return ok;
}

} // namespace troupe
