#include "tools/console/console.hpp"

#include "runtime/clock.hpp"
#include "tools/console/console_view.hpp"
#include "tools/console/terminal.hpp"

namespace troupe::console {
namespace {

using namespace std::chrono_literals;

/// Ages on the screen grow also while nothing comes in.
constexpr nanoseconds redraw_after = 500ms;

void take_news(console_model& model, news&& fresh) {
  for (auto& sample : fresh.samples) model.take(std::move(sample));
  for (auto& detail : fresh.details) model.take(std::move(detail));
  for (const auto& tap : fresh.taps) model.take(tap);
  for (const auto& outcome : fresh.outcomes) model.take(outcome, {monotonic_ns()});
  for (auto& entry : fresh.log) model.take_log(std::move(entry));
  for (auto& row : fresh.processes) model.take_process(row.node, std::move(row.state), row.restarts);
}

} // namespace

status run_console(const nodes_conf& nodes, source_options options) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& node : nodes.nodes())
    names.emplace_back(node.name.text, node.host + ":" + std::to_string(node.port));
  auto screen = terminal::open(terminal_environment_of_process());
  if (!screen) return std::move(screen).error();
  auto source = console_source::start(names, std::move(options));
  if (!source) return std::move(source).error();
  console_model model{names};
  (*source)->want(model.wanted());
  while (!model.finished() && !(*screen)->ended()) {
    model.at({monotonic_ns()});
    model.resize((*screen)->size());
    (*screen)->show(draw(model, (*screen)->utf8()));
    for (const auto pressed : (*screen)->wait((*source)->wake_fd(), redraw_after)) model.press(pressed);
    take_news(model, (*source)->take());
    (*source)->want(model.wanted());
    for (auto& order : model.orders_given()) (*source)->order(std::move(order));
  }
  // The person has the terminal back before a silent node's question runs out.
  screen->reset();
  return ok;
}

} // namespace troupe::console
