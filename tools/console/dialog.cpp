#include "tools/console/dialog.hpp"

#include "tools/console/grid.hpp"

#include <array>

namespace troupe::console {
namespace {

constexpr std::array all_actions{
    action{U'k', "kill", "kill", "its supervisor starts it again", "", "", false, false},
    action{U'r', "restart", "restart", "it ends in order and starts again from its stored state", "", "",
           false, false},
    action{U's', "suspend", "suspend/resume", "ordinary messages wait until it goes on", "", "", false,
           false},
    action{U'm', "move", "move", "it ends here and starts there", "node",
           "to which node (auto = as placement likes)", false, true},
    action{U'e', "set", "set", "the value holds until the actor or its node starts again", "value",
           "KEY=VALUE", false, false},
    action{U'l', "log-level", "log level", "the node writes lines from this level on", "level",
           "debug, info, warn or error", true, false},
    action{U'd', "drain", "drain", "the node stops entries, stores its state and ends", "", "", true, true},
};

constexpr std::size_t longest_text = 200;

} // namespace

std::span<const action> actions() noexcept { return all_actions; }

const action* find_action(char32_t key) noexcept {
  for (const auto& one : all_actions)
    if (one.key == key) return &one;
  return nullptr;
}

bool is_severe(const action& what, std::string_view actor) noexcept {
  if (what.severe) return true;
  if (what.of_node) return false;
  return actor.starts_with("executor/") || actor.starts_with("journal/") || actor.starts_with("supervisor/")
         || actor.starts_with("account/") || actor == "risk" || actor == "orchestrator" || actor == "member"
         || actor == "node";
}

bool dialog::takes_text() const noexcept {
  return stage_ == stage::filter || stage_ == stage::go_to || stage_ == stage::tap
         || stage_ == stage::argument || (stage_ == stage::again && severe_);
}

void dialog::ask_text(stage what, std::string typed) {
  close();
  stage_ = what;
  typed_ = std::move(typed);
  if (what == stage::filter) prompt_ = "filter (part of the name, node:NAME; empty = all): ";
  else if (what == stage::go_to) prompt_ = "actor: ";
  else prompt_ = "tap which actor (NAME) or order (id:ORDER): ";
}

void dialog::begin(const action& what, command order) {
  close();
  action_ = &what;
  order_ = std::move(order);
  severe_ = is_severe(what, order_.target);
  if (what.argument.empty()) return ask_sure();
  stage_ = stage::argument;
  prompt_ = order_.verb + " " + (what.of_node ? order_.node : order_.target) + ": " + std::string{what.prompt}
            + ": ";
}

void dialog::ask_sure() {
  stage_ = stage::sure;
  typed_.clear();
  prompt_ =
      order_.verb + " " + (action_->of_node ? "node " + order_.node : order_.target + " on " + order_.node);
  for (const auto& [name, value] : order_.arguments) prompt_ += " " + name + "=" + value;
  prompt_ +=
      order_.verb == "resume" ? ": what waits is handled." : ": " + std::string{action_->meaning} + ".";
  prompt_ += " y/n? ";
}

void dialog::ask_again() {
  stage_ = stage::again;
  typed_.clear();
  const auto& name = action_->of_node ? order_.node : order_.target;
  prompt_ = severe_ ? "sure? type the name " + name + ": " : "sure? once more y/n? ";
}

bool dialog::take_argument() {
  if (typed_.empty()) return false;
  if (action_->argument != "value") {
    order_.arguments[std::string{action_->argument}] = typed_;
    return true;
  }
  const auto equals = typed_.find('=');
  if (equals == 0 || equals == std::string::npos) return false;
  order_.arguments["key"] = typed_.substr(0, equals);
  order_.arguments["value"] = typed_.substr(equals + 1);
  return true;
}

void dialog::type(char32_t glyph) {
  if (takes_text() && glyph >= 0x20 && glyph != 0x7f && typed_.size() < longest_text)
    append_utf8(typed_, glyph);
}

void dialog::erase() {
  while (!typed_.empty() && (static_cast<unsigned char>(typed_.back()) & 0xc0) == 0x80) typed_.pop_back();
  if (!typed_.empty()) typed_.pop_back();
}

dialog::progress dialog::answer(char32_t glyph) {
  switch (stage_) {
  case stage::closed: return progress::refused;
  case stage::filter:
  case stage::go_to:
  case stage::tap: return progress::done;
  case stage::argument:
    if (!take_argument()) return progress::refused;
    ask_sure();
    return progress::asks_on;
  case stage::sure:
    if (glyph != U'y') return progress::refused;
    ask_again();
    return progress::asks_on;
  case stage::again:
    if (!severe_) return glyph == U'y' ? progress::done : progress::refused;
    if (typed_ != (action_->of_node ? order_.node : order_.target)) return progress::refused;
    // The node takes a severe order only with the name once more.
    order_.arguments["confirm"] = typed_;
    return progress::done;
  }
  return progress::refused;
}

} // namespace troupe::console
