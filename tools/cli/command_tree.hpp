#pragma once

/// The commands of a program as data: what `--help` is made from, for completions and manual pages.

#include <CLI/App.hpp>

#include <string>
#include <vector>

namespace troupe::cli {

/// One option or positional argument.
struct option_info {
  std::vector<std::string> names; ///< "-h", "--help"; a positional's one name without dashes
  std::string value;              ///< what it takes, "TEXT"; empty for a flag
  std::string help;
  std::string fallback;           ///< its default as text; empty when there is none
  std::vector<std::string> words; ///< the only values it takes, where they are few
  bool positional = false;
  bool file = false;              ///< takes a file or folder
  bool required = false;
};

/// One command with everything below it, in the order of `--help`.
struct command_info {
  std::string name;
  std::string help;
  std::vector<option_info> options;
  std::vector<command_info> commands;
};

/// Reads the tree of a program. Hidden options and commands are left out.
command_info command_tree(const CLI::App& app);

} // namespace troupe::cli
