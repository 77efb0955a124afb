#include "tools/console/table.hpp"

#include <algorithm>

namespace troupe::console {

table::table(grid& out, int x, int width, std::vector<column> columns) : out_{&out}, x_{x}, width_{width} {
  int fixed = 0;
  for (const auto& one : columns)
    if (one.from <= width) places_.push_back({one, 0, one.width}), fixed += one.width + 1;
  constexpr int least = 8;
  const int rest = std::max(least, width - fixed);
  for (auto& place : places_) {
    if (place.width == 0) place.width = rest;
    place.x = x;
    x += place.width + 1;
  }
}

void table::head(int y, std::string_view marked) {
  for (const auto& place : places_) {
    const auto look = !marked.empty() && place.what.title == marked ? style::selected : style::heading;
    if (place.what.right) out_->put_right(place.x, y, place.width, place.what.title, look);
    else out_->put(place.x, y, place.width, place.what.title, look);
  }
}

void table::put(int y, std::string_view title, std::string_view text, style look) {
  for (const auto& place : places_) {
    if (place.what.title != title) continue;
    const int room = std::min(place.width, x_ + width_ - place.x);
    if (place.what.right) out_->put_right(place.x, y, room, text, look);
    else out_->put_name(place.x, y, room, text, look);
  }
}

void table::select(int y) { out_->paint(x_, y, width_, style::selected); }

std::size_t first_line(std::size_t selected, std::size_t count, int height) noexcept {
  const auto room = static_cast<std::size_t>(std::max(height, 1));
  if (count <= room) return 0;
  const auto half = room / 2;
  return std::min(selected > half ? selected - half : 0, count - room);
}

} // namespace troupe::console
