#pragma once

/// Completion scripts for the shells, made from the tree of commands: bash, zsh and fish. Pure.

#include "messages/error.hpp"
#include "tools/cli/command_tree.hpp"

namespace troupe::cli {

/// The script for a shell; an error names the shells there are. `bash` reads the words and offers
/// subcommands, options, few-valued arguments and, where an argument is a file, files.
result<std::string> completion_script(const command_info& program, const std::string& shell);

} // namespace troupe::cli
