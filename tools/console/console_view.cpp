#include "tools/console/console_view.hpp"

#include "tools/console/format.hpp"

#include <array>

namespace troupe::console {
namespace {

constexpr std::array<std::string_view, 8> page_names{"Home",  "Tree", "Top", "Actor",
                                                     "Links", "Tap",  "Log", "Help"};

/// Halted on one node is halted: the worst of what the nodes tell.
const halt_row* trading_state(const console_model& model) {
  const halt_row* out = nullptr;
  for (const auto& node : model.nodes())
    if (node.last.halt && (out == nullptr || out->state == "active")) out = &*node.last.halt;
  return out;
}

void draw_title(grid& out, const console_model& model) {
  std::size_t up = 0;
  figure actors;
  figure rate;
  for (const auto& node : model.nodes()) {
    if (!node.up()) continue;
    ++up;
    if (node.last.actors) actors = actors.value_or(0) + *node.last.actors;
    if (node.rate) rate = rate.value_or(0) + *node.rate;
  }
  out.paint(0, 0, out.width(), style::title);
  int x = 1 + out.put(1, 0, out.width(), "Troupe", style::title);
  const auto say = [&](const std::string& text, style look = style::title) {
    x += 2 + out.put(x + 2, 0, out.width() - x - 2, text, look);
  };
  say("nodes " + std::to_string(up) + "/" + std::to_string(model.nodes().size()),
      up == model.nodes().size() ? style::title : style::bad);
  say("actors " + count_text(actors));
  say(count_text(rate) + " msg/s");
  if (const auto* halt = trading_state(model); halt != nullptr && !halt->state.empty())
    say("trading " + halt->state, halt->state == "active" ? style::title : style::bad);
  if (model.paused()) say("PAUSED", style::warn);
}

void draw_tabs(grid& out, const console_model& model) {
  int x = 1;
  for (std::size_t i = 0; i < page_names.size(); ++i) {
    const bool help = i + 1 == page_names.size();
    const auto look = static_cast<std::size_t>(model.shown()) == i ? style::selected : style::dim;
    const auto text = (help ? std::string{"?"} : std::to_string(i + 1)) + " " + std::string{page_names[i]};
    x += out.put(x, 1, out.width() - x, " " + text + " ", look) + 1;
  }
}

std::string keys_of(page shown) {
  switch (shown) {
  case page::home: return "↑↓ node  Enter its actors  l log level  d drain";
  case page::tree: return "←→ fold  / filter  Enter actor  k kill  r s m e  t tap";
  case page::top: return "<> sort  i invert  w window  / filter  Enter actor  k r s m e  t tap";
  case page::actor: return "↑↓ scroll  k kill  r restart  s suspend  m move  e set  t tap  Esc back";
  case page::links: return "↑↓ link";
  case page::tap: return "t tap  x stop  ↑↓ scroll  p pause";
  case page::log: return "↑↓ scroll";
  case page::help: return "Esc back";
  }
  return {};
}

/// Arrows have no place in ASCII.
std::string plain_keys(std::string text, bool utf8) {
  if (utf8) return text;
  for (const auto& [from, to] :
       {std::pair<std::string_view, std::string_view>{"↑↓", "Up/Dn"}, {"←→", "Left/Right"}})
    if (const auto at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

void draw_bottom(grid& out, const console_model& model) {
  const int y = out.height() - 2;
  if (model.asking().open()) {
    // The end of the line is where it is typed.
    const auto line = printable(model.asking().prompt() + model.asking().typed() + "_", out.utf8());
    const auto room = static_cast<std::size_t>(out.width() - 1);
    std::string shown;
    for (const auto c : line.size() > room ? line.substr(line.size() - room) : line) append_utf8(shown, c);
    out.put(0, y, out.width(), shown, style::prompt);
  } else out.put(0, y, out.width(), model.notice(), model.notice_style());
  const auto keys = plain_keys(keys_of(model.shown()), out.utf8());
  const int used = out.put(0, y + 1, out.width(), keys, style::dim);
  constexpr std::string_view global = "g go to  p pause  ? help  q quit";
  const int room = out.width() - used - 2;
  if (room >= static_cast<int>(global.size())) out.put_right(used + 2, y + 1, room, global, style::dim);
  else if (room >= 6) out.put_right(used + 2, y + 1, room, "q quit", style::dim);
}

} // namespace

std::string view::ago(const console_model& model, steady_time then) {
  const auto passed = (model.now() - then).count();
  return duration_text(passed < 0 ? 0 : passed / 100'000'000 * 100'000'000);
}

grid draw(const console_model& model, bool utf8) {
  grid out{model.size(), utf8};
  if (out.width() < 40 || out.height() < 10) {
    out.put(0, 0, out.width(), "this window is too small", style::warn);
    out.put(0, 1, out.width(), "(40x10 is the least)", style::warn);
    return out;
  }
  draw_title(out, model);
  draw_tabs(out, model);
  const view::area body{0, 2, out.width(), out.height() - 4};
  switch (model.shown()) {
  case page::home: view::draw_home(out, model, body); break;
  case page::tree: view::draw_tree(out, model, body); break;
  case page::top: view::draw_top(out, model, body); break;
  case page::actor: view::draw_actor(out, model, body); break;
  case page::links: view::draw_links(out, model, body); break;
  case page::tap: view::draw_tap(out, model, body); break;
  case page::log: view::draw_log(out, model, body); break;
  case page::help: view::draw_help(out, model, body); break;
  }
  draw_bottom(out, model);
  return out;
}

} // namespace troupe::console
