#include "tools/cli/command.hpp"
#include "tools/cli/completion.hpp"
#include "tools/cli/man_page.hpp"
#include "tools/cli/version.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>

namespace troupe::cli {
namespace {

using path = std::filesystem::path;

int completion_command(const CLI::App& app, const std::string& shell) {
  const auto script = completion_script(command_tree(app), shell);
  if (!script) return fail(script.error());
  std::cout << *script;
  return 0;
}

/// The date of the build's sources, so that the same sources make the same pages.
std::string page_date() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t at = epoch != nullptr ? std::strtoll(epoch, nullptr, 10) : std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&at, &parts);
  char out[16];
  std::strftime(out, sizeof out, "%Y-%m-%d", &parts);
  return out;
}

int man_command(const CLI::App& app, const std::string& command, const path& folder) {
  const auto pages = man_pages(command_tree(app), man_head{program_version(), page_date()});
  if (folder.empty()) {
    const auto found = pages.find(command.empty() ? "troupe.1" : "troupe-" + command + ".1");
    if (found == pages.end())
      return fail(
          {std::make_error_code(std::errc::invalid_argument), "there is no command '" + command + "'"});
    std::cout << found->second;
    return 0;
  }
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return fail({failed, folder.string() + ": can't be made: " + failed.message()});
  for (const auto& [name, text] : pages) {
    const auto file = folder / name;
    std::ofstream out{file, std::ios::binary};
    out << text;
    out.flush();
    if (!out) return fail({std::make_error_code(std::errc::io_error), file.string() + ": can't be written"});
  }
  return 0;
}

/// `help` alone, or `help COMMAND …`: what --help prints.
int show_help(const CLI::App& app, const std::vector<std::string>& words) {
  const auto* at = &app;
  for (const auto& word : words) {
    const auto below = at->get_subcommands([&](const CLI::App* x) { return x->get_name() == word; });
    if (below.empty())
      return fail({std::make_error_code(std::errc::invalid_argument),
                   "there is no command '" + word + "'; `troupe help` lists them"});
    at = below.front();
  }
  std::cout << at->help();
  return 0;
}

} // namespace

void add_help_commands(CLI::App& app, global_options& global) {
  auto shell = std::make_shared<std::string>();
  auto* completion = app.add_subcommand(
      "completion", "Print the completion script of a shell: source <(troupe completion bash)");
  completion->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback(run(global, [&app, shell] { return completion_command(app, *shell); }));

  auto words = std::make_shared<std::vector<std::string>>();
  auto* help = app.add_subcommand("help", "Print what --help of a command prints, or its manual page");
  help->add_option("COMMAND", *words, "Whose help");
  auto folder = std::make_shared<path>();
  auto page = std::make_shared<std::string>();
  auto* man = help->add_subcommand("man", "Print a manual page, or write all of them into a folder");
  man->add_option("COMMAND", *page, "Whose page; default: the program's");
  man->add_option("--out", *folder, "Write all pages into this folder");
  man->callback(run(global, [&app, page, folder] { return man_command(app, *page, *folder); }));
  help->callback(run(global, [&app, &global, help, words] {
    return help->got_subcommand("man") ? global.exit_code : show_help(app, *words);
  }));
}

} // namespace troupe::cli
