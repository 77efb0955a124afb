#include "actors/connectors/candle_rows.hpp"

#include <set>
#include <utility>

namespace troupe {

std::optional<candle_row> candle_of(std::span<const std::string_view> cells,
                                    const instrument_spec& instrument,
                                    const candle_columns& columns) {
  if (cells.size() < columns.least()) return {};
  const auto cell = [&](int column) { return cells[static_cast<std::size_t>(column)]; };
  const auto open = parse_price(cell(columns.open), instrument.price_scale);
  const auto high = parse_price(cell(columns.high), instrument.price_scale);
  const auto low = parse_price(cell(columns.low), instrument.price_scale);
  const auto close = parse_price(cell(columns.close), instrument.price_scale);
  const auto volume = parse_size(cell(columns.volume), instrument.size_scale);
  candle_row out;
  if (!open || !high || !low || !close || !volume
      || !parse_time(cells[0], columns.unit, out.candle.open_time))
    return {};
  out.candle.instrument = instrument.id;
  out.candle.open = {*open};
  out.candle.high = {*high};
  out.candle.low = {*low};
  out.candle.close = {*close};
  out.candle.volume = {*volume};
  const bool says =
      columns.complete != candle_columns::absent && std::cmp_less(columns.complete, cells.size());
  out.complete = says && cell(columns.complete) == columns.complete_word;
  return out;
}

bar candle_of(json_frame& in, json_array row, const instrument_spec& instrument,
              const candle_columns& columns) {
  bar out;
  out.instrument = instrument.id;
  int column = 0;
  in.each(row, [&](json_value cell) {
    const auto at = column++;
    if (at == 0)
      out.open_time = in.time(cell, columns.unit);
    else if (at == columns.open)
      out.open = in.price_of(cell);
    else if (at == columns.high)
      out.high = in.price_of(cell);
    else if (at == columns.low)
      out.low = in.price_of(cell);
    else if (at == columns.close)
      out.close = in.price_of(cell);
    else if (at == columns.trades)
      out.trades = in.id(cell);
    else if (at == columns.volume) {
      const auto volume = parse_size(in.token(cell), instrument.size_scale);
      if (in.fine() && !volume) in.fail(frame_damage::bad_number);
      out.volume = {volume.value_or(0)};
    }
  });
  if (static_cast<std::size_t>(column) < columns.least()) in.fail(frame_damage::missing_field);
  return out;
}

candle_page page_of(std::vector<candle_row> rows, nanoseconds interval) {
  std::set<market_time> complete;
  std::vector<bar> candles;
  candles.reserve(rows.size());
  for (auto& row : rows) {
    if (row.complete) complete.insert(row.candle.open_time);
    candles.push_back(std::move(row.candle));
  }
  auto out = page_of(std::move(candles), interval);
  for (auto& candle : out.bars)
    candle.closed = complete.contains(candle.open_time);
  return out;
}

} // namespace troupe
