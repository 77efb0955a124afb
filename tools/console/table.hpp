#pragma once

/// Columns on a grid: some appear only where the screen is wide enough, one takes the room that is left.
/// Not thread-safe.

#include "tools/console/grid.hpp"

#include <vector>

namespace troupe::console {

struct column {
  std::string_view title;
  int width = 0;      ///< cells; 0 = what is left
  bool right = false; ///< figures stand at the right
  int from = 0;       ///< least width of the screen at which it appears
};

class table {
public:
  /// Lays the columns out over `width` cells from `x`.
  table(grid& out, int x, int width, std::vector<column> columns);

  /// Writes the titles; `marked` is underlined by its look, e.g. the column that is sorted by.
  void head(int y, std::string_view marked = {});
  /// Writes one cell; columns that do not appear swallow it.
  void put(int y, std::string_view title, std::string_view text, style look = style::normal);
  /// Paints a whole line as selected.
  void select(int y);

private:
  struct place {
    column what;
    int x;
    int width;
  };
  grid* out_;
  int x_;
  int width_;
  std::vector<place> places_;
};

/// First line of a list that keeps the selected one in sight.
[[nodiscard]] std::size_t first_line(std::size_t selected, std::size_t count, int height) noexcept;

} // namespace troupe::console
