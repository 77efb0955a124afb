#pragma once

/// Manual pages in man(7)'s macros, made from the tree of commands. Pure.

#include "tools/cli/command_tree.hpp"

#include <map>

namespace troupe::cli {

/// What stands in the head and foot of every page.
struct man_head {
  std::string version;
  std::string date; ///< "2026-11-22"
};

/// The pages by file name: "troupe.1" with all commands, "troupe-tape.1" for each family with its
/// subcommands.
std::map<std::string, std::string> man_pages(const command_info& program, const man_head& head);

} // namespace troupe::cli
