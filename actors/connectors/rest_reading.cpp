#include "actors/connectors/rest_reading.hpp"

#include <algorithm>

namespace troupe {

namespace {

class rest_category final : public std::error_category {
  const char* name() const noexcept override { return "venue rest"; }
  std::string message(int value) const override {
    switch (static_cast<rest_errc>(value)) {
    case rest_errc::bad_body: return "the answer can't be read";
    case rest_errc::refused: return "the venue refused the request";
    }
    return "unknown";
  }
};

bool plain_asset(std::string_view name) noexcept {
  if (name.empty() || name.size() > 24) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
}

void append_upper(std::string& out, std::string_view text) {
  for (const char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

} // namespace

std::error_code make_error_code(rest_errc code) noexcept {
  static const rest_category category;
  return {static_cast<int>(code), category};
}

int roomy_size_scale(int lot_decimals, int price_scale) noexcept {
  return std::max(lot_decimals, std::clamp(16 - price_scale, 0, 8));
}

std::optional<instrument_id> instrument_of(std::string_view base, std::string_view quote,
                                           std::string_view suffix, std::string_view venue) {
  if (!plain_asset(base) || !plain_asset(quote)) return std::nullopt;
  instrument_id out;
  append_upper(out.text, base);
  out.text += '-';
  append_upper(out.text, quote);
  out.text += suffix;
  out.text += '@';
  out.text += venue;
  return out;
}

bool set_rules(const rule_texts& texts, instrument_spec& spec) {
  const auto tick = parse_price(texts.tick, spec.price_scale);
  const auto lot = parse_price(texts.lot, spec.size_scale);
  const auto least = parse_size(texts.min_size, spec.size_scale);
  if (!tick || !lot || !least || *tick <= 0 || *lot <= 0) return false;
  spec.tick = {*tick};
  spec.lot = {*lot};
  spec.min_size = {*least};
  // A largest order beyond 64 bits at a fine scale is no limit.
  const auto most = texts.max_size.empty() ? std::nullopt : parse_size(texts.max_size, spec.size_scale);
  spec.max_size = {most && *most > 0 ? *most : INT64_MAX};
  const auto worth = texts.min_notional.empty()
                         ? std::optional<std::int64_t>{0}
                         : parse_size(texts.min_notional, spec.price_scale + spec.size_scale);
  if (!worth) return false;
  spec.min_notional = {*worth};
  return true;
}

std::string unit_of(int decimals) {
  if (decimals <= 0) return "1";
  return "0." + std::string(static_cast<std::size_t>(decimals - 1), '0') + '1';
}

candle_page page_of(std::vector<bar> rows, nanoseconds interval) {
  candle_page out;
  if (interval <= nanoseconds{0}) return out;
  std::erase_if(rows, [&](const bar& b) { return b.open_time.ns % interval.count() != 0; });
  std::ranges::stable_sort(rows, {}, &bar::open_time);
  const auto same = [](const bar& a, const bar& b) { return a.open_time == b.open_time; };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end()); // clang 14 can't compile ranges::unique
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].interval = interval;
    rows[i].closed = i + 1 < rows.size();
  }
  out.bars = std::move(rows);
  return out;
}

std::string_view name_of_interval(std::span<const interval_name> names, nanoseconds interval) noexcept {
  for (const auto& known : names)
    if (known.interval == interval) return known.name;
  return {};
}

std::string seconds_text(market_time at) { return std::to_string(at.ns / 1'000'000'000); }
std::string milliseconds_text(market_time at) { return std::to_string(at.ns / 1'000'000); }

void add_sockets(std::vector<market_socket_plan>& plans, std::string_view target,
                 std::vector<market_topic> topics, std::size_t topics_per_socket) {
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (i % topics_per_socket == 0) plans.push_back({std::string{target}, {}});
    plans.back().topics.push_back(std::move(topics[i]));
  }
}

} // namespace troupe
