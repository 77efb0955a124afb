#pragma once

/// The questions that stand before what a person does: a text to type, then, for an action, two
/// confirmations, of which the second wants the name typed where the action is severe. Pure; not thread-safe.

#include "tools/console/sample.hpp"

#include <span>
#include <string>
#include <string_view>

namespace troupe::console {

/// An action on an actor or a node.
struct action {
  char32_t key;
  std::string_view verb;     ///< as the node understands it
  std::string_view word;     ///< for the key line
  std::string_view meaning;  ///< what will happen, for the question
  std::string_view argument; ///< name of the argument that is asked for; empty = none
  std::string_view prompt;   ///< for the argument
  bool of_node = false;      ///< acts on the whole node
  bool severe = false;       ///< always wants the name typed
};

/// All actions, in the order of the key line.
std::span<const action> actions() noexcept;
const action* find_action(char32_t key) noexcept;

/// Whether an action on that actor wants its name typed: orders, risk and whole branches hang on it.
bool is_severe(const action& what, std::string_view actor) noexcept;

class dialog {
public:
  enum class stage : std::uint8_t { closed, filter, go_to, tap, argument, sure, again };

  [[nodiscard]] stage at() const noexcept { return stage_; }
  [[nodiscard]] bool open() const noexcept { return stage_ != stage::closed; }
  [[nodiscard]] const std::string& prompt() const noexcept { return prompt_; }
  [[nodiscard]] const std::string& typed() const noexcept { return typed_; }
  /// Answers are typed and ended by Enter; otherwise one key decides.
  [[nodiscard]] bool takes_text() const noexcept;

  /// Asks for a text: filter, name of an actor, or what to tap.
  void ask_text(stage what, std::string typed);
  /// Begins an action; `current` says what is there now, for the argument.
  void begin(const action& what, command order);
  void close() { *this = dialog{}; }

  void type(char32_t glyph);
  void erase();

  enum class progress : std::uint8_t { asks_on, done, refused };
  /// Enter, or the one key that decides. `done`: `order()` is to be carried out, or `typed()` to be used.
  progress answer(char32_t glyph);
  [[nodiscard]] const command& order() const noexcept { return order_; }

private:
  void ask_sure();
  void ask_again();
  bool take_argument();

  stage stage_ = stage::closed;
  std::string prompt_;
  std::string typed_;
  const action* action_ = nullptr;
  bool severe_ = false;
  command order_;
};

} // namespace troupe::console
