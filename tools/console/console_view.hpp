#pragma once

/// Draws the console's model on a grid. Pure: the same model gives the same cells, tested without a
/// terminal at 80×24 and 200×60. Smaller screens lose columns and sections, never the status of the nodes.

#include "tools/console/console_model.hpp"
#include "tools/console/grid.hpp"

namespace troupe::console {

/// The screen of a model, of its own size.
grid draw(const console_model& model, bool utf8);

namespace view {

/// The part of the screen a page may use.
struct area {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  [[nodiscard]] int end() const noexcept { return y + height; }
};

void draw_home(grid& out, const console_model& model, area where);
void draw_tree(grid& out, const console_model& model, area where);
void draw_top(grid& out, const console_model& model, area where);
void draw_actor(grid& out, const console_model& model, area where);
void draw_links(grid& out, const console_model& model, area where);
void draw_tap(grid& out, const console_model& model, area where);
void draw_log(grid& out, const console_model& model, area where);
void draw_help(grid& out, const console_model& model, area where);

/// "12 s ago" of an instant on the model's clock.
std::string ago(const console_model& model, steady_time then);

} // namespace view
} // namespace troupe::console
