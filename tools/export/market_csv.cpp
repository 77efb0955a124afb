#include "tools/export/market_csv.hpp"

#include "actors/feeds/features.hpp"
#include "messages/tensor.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace troupe::csv {
namespace {

constexpr std::string_view line_end = "\r\n";

struct named_interval {
  std::string_view name;
  nanoseconds length;
};

constexpr std::array<named_interval, 7> named_intervals{{{"1s", std::chrono::seconds{1}},
                                                         {"1m", std::chrono::minutes{1}},
                                                         {"5m", std::chrono::minutes{5}},
                                                         {"15m", std::chrono::minutes{15}},
                                                         {"1h", std::chrono::hours{1}},
                                                         {"4h", std::chrono::hours{4}},
                                                         {"1d", std::chrono::hours{24}}}};

void append_field(std::string& row, std::string_view text) {
  if (!row.empty()) row += ',';
  row += field(text);
}

/// The shortest text that reads back as the same number.
std::string number_text(float x) {
  std::array<char, 32> text{};
  const auto done = std::to_chars(text.data(), text.data() + text.size(), x);
  return {text.data(), done.ptr};
}

} // namespace

std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string utc(market_time at) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds{at.ns}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const auto of_day = (time - day).count();
  const auto whole = of_day / 1'000'000'000;
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(whole / 3600), static_cast<int>(whole / 60 % 60),
                static_cast<int>(whole % 60));
  std::string out{text.data()};
  if (const auto rest = of_day % 1'000'000'000; rest != 0) out += format_decimal_short(rest, 9).substr(1);
  return out + 'Z';
}

std::string interval_name(nanoseconds interval) {
  for (const auto& each : named_intervals)
    if (each.length == interval) return std::string{each.name};
  return format_decimal_short(interval.count(), 9) + "s";
}

nanoseconds interval_of(std::string_view name) noexcept {
  for (const auto& each : named_intervals)
    if (each.name == name) return each.length;
  return {};
}

std::string bar_header() {
  return "instrument,interval,open_time,open,high,low,close,volume,buy_volume,trades\r\n";
}

std::string bar_row(const bar& b, int price_scale, int size_scale) {
  std::string row = field(b.instrument.text);
  append_field(row, interval_name(b.interval));
  append_field(row, utc(b.open_time));
  for (const auto p : {b.open, b.high, b.low, b.close})
    append_field(row, format_decimal(p.raw, price_scale));
  append_field(row, format_decimal(b.volume.raw, size_scale));
  append_field(row, format_decimal(b.buy_volume.raw, size_scale));
  append_field(row, std::to_string(b.trades));
  row += line_end;
  return row;
}

std::string feature_header() {
  std::string row = "instrument,schema,time";
  for (const auto& channel : feature_list)
    append_field(row, channel.name);
  row += line_end;
  return row;
}

std::string feature_rows::add(const feature_frame& frame, market_time from, market_time to) {
  std::string out;
  if (frame.at <= done_) return out;
  const auto values = unpack_f32(frame.features);
  if (!values || frame.schema != feature_schema_version
      || values->size() != feature_channels * feature_steps) {
    ++refused_;
    return out;
  }
  constexpr auto known = feature_channels - 1;
  const auto last = floor_to(frame.at, feature_step);
  for (std::size_t step = 0; step < feature_steps; ++step) {
    const auto end = last - feature_step * static_cast<std::int64_t>(feature_steps - 1 - step);
    if (end <= done_ || end <= from || end > to || (*values)[known * feature_steps + step] == 0) continue;
    std::string row = field(frame.instrument.text);
    append_field(row, std::to_string(frame.schema));
    append_field(row, utc(end));
    for (std::size_t c = 0; c < feature_channels; ++c)
      append_field(row, number_text((*values)[c * feature_steps + step]));
    out += row;
    out += line_end;
    ++rows_;
  }
  done_ = last;
  return out;
}

} // namespace troupe::csv
