#include "tools/cli/command_tree.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>

namespace troupe::cli {
namespace {

/// The words of a set that CLI11 shows as "{a,b}" in a type name.
std::vector<std::string> words_of_type(const std::string& type) {
  const auto from = type.find('{');
  const auto to = type.find('}', from == std::string::npos ? 0 : from);
  if (from == std::string::npos || to == std::string::npos) return {};
  std::vector<std::string> out;
  std::string word;
  for (auto i = from + 1; i <= to; ++i) {
    if (type[i] != ',' && type[i] != '}') {
      word += type[i];
      continue;
    }
    // A mapping is shown as "word->number".
    out.push_back(word.substr(0, word.find("->")));
    word.clear();
  }
  return out;
}

/// CLI11 gives folders of ours the type TEXT; their names tell.
bool takes_file(const CLI::Option& option, const std::string& type) {
  if (type.find("FILE") != std::string::npos || type.find("DIR") != std::string::npos
      || type.find("PATH") != std::string::npos)
    return true;
  static const std::vector<std::string> known{"--config", "--data", "--out", "--log", "FILE",
                                              "FOLDER",   "DIR",    "NODES", "TAPE"};
  const auto name = option.get_positional()
                        ? option.get_name(true)
                        : "--" + (option.get_lnames().empty() ? "" : option.get_lnames()[0]);
  return std::find(known.begin(), known.end(), name) != known.end();
}

option_info option_of(const CLI::Option& option) {
  option_info out;
  for (const auto& name : option.get_snames())
    out.names.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    out.names.push_back("--" + name);
  out.positional = out.names.empty();
  if (out.positional) out.names.push_back(option.get_name(true));
  out.help = option.get_description();
  out.fallback = option.get_default_str();
  out.required = option.get_required();
  if (option.get_expected_max() == 0) return out;
  const auto type = option.get_type_name();
  out.words = words_of_type(type);
  out.file = takes_file(option, type);
  out.value = type.substr(0, type.find_first_of(":{ "));
  if (out.value.empty()) out.value = out.words.empty() ? "VALUE" : "WORD";
  return out;
}

} // namespace

command_info command_tree(const CLI::App& app) {
  command_info out;
  out.name = app.get_name();
  out.help = app.get_description();
  for (const auto* option : app.get_options())
    if (!option->get_group().empty()) out.options.push_back(option_of(*option));
  for (const auto* below : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!below->get_group().empty()) out.commands.push_back(command_tree(*below));
  return out;
}

} // namespace troupe::cli
