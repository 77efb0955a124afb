#define CAF_SUITE command_tree
#include "tools/cli/completion.hpp"
#include "tools/cli/man_page.hpp"

#include <CLI/CLI.hpp>
#include <caf/test/unit_test.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace troupe;
using namespace troupe::cli;

namespace {

/// A small program with everything a tree can have.
struct sample_program {
  CLI::App app{"Sample: a program.\n\nFirst steps:\n  sample tape import    's steps\n", "sample"};
  std::string config, side, file;
  bool json = false;

  sample_program() {
    app.add_option("--config", config, "Folder of the configuration")->capture_default_str();
    app.add_flag("--json", json, "Print [JSON]: it's data");
    auto* tape = app.add_subcommand("tape", "Tapes");
    auto* import = tape->add_subcommand("import", "Import a tape");
    import->add_option("--side,-s", side, "Which side")->check(CLI::IsMember({"buy", "sell"}));
    import->add_option("FILE", file, "What to import")->required();
    tape->add_subcommand("info", ".Says what is in it");
    app.add_subcommand("secret", "Not shown")->group("");
  }
};

/// Runs a shell's script with `lines` behind it; what it printed.
std::string run_shell(const std::string& shell, const std::string& text) {
  auto pattern = (std::filesystem::temp_directory_path() / "troupe-shell-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  std::ofstream{folder / "script"} << text;
  std::FILE* out = ::popen((shell + " " + (folder / "script").string() + " 2>&1").c_str(), "r");
  CAF_REQUIRE(out != nullptr);
  std::string said;
  for (int c = 0; (c = std::fgetc(out)) != EOF;)
    said += static_cast<char>(c);
  ::pclose(out);
  std::filesystem::remove_all(folder);
  return said;
}

bool there_is(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

/// What bash offers behind these words (the last one is being typed).
std::string bash_offers(const std::string& script, const std::string& words) {
  return run_shell("bash --norc", script + "\nCOMP_WORDS=(" + words
                                      + ")\nCOMP_CWORD=$((${#COMP_WORDS[@]}-1))\n_sample\n"
                                        "printf '%s ' \"${COMPREPLY[@]}\"\n");
}

} // namespace

CAF_TEST(the_tree_is_what_help_shows) {
  const sample_program sample;
  const auto tree = command_tree(sample.app);
  CAF_CHECK_EQUAL(tree.name, "sample");
  CAF_REQUIRE_EQUAL(tree.commands.size(), 1u); // hidden ones are left out
  const auto& import = tree.commands[0].commands[0];
  CAF_CHECK_EQUAL(import.name, "import");
  CAF_REQUIRE_EQUAL(import.options.size(), 3u);
  CAF_CHECK_EQUAL(import.options[0].names.back(), "--help");
  CAF_CHECK_EQUAL(import.options[1].names.size(), 2u);
  CAF_CHECK((import.options[1].words == std::vector<std::string>{"buy", "sell"}));
  CAF_CHECK(import.options[2].positional && import.options[2].required && import.options[2].file);
}

CAF_TEST(bash_offers_commands_options_and_words) {
  const sample_program sample;
  const auto script = completion_script(command_tree(sample.app), "bash");
  CAF_REQUIRE(script);
  CAF_CHECK_EQUAL(bash_offers(*script, "sample ''"), "tape ");
  CAF_CHECK_EQUAL(bash_offers(*script, "sample tape ''"), "import info ");
  CAF_CHECK_EQUAL(bash_offers(*script, "sample --config tape tape i"), "import info ");
  CAF_CHECK_EQUAL(bash_offers(*script, "sample tape import --side ''"), "buy sell ");
  CAF_CHECK_EQUAL(bash_offers(*script, "sample tape import --si"), "--side ");
  CAF_CHECK(bash_offers(*script, "sample tape import --").find("--json") != std::string::npos);
  CAF_CHECK(bash_offers(*script, "sample --config /us").find("/usr") != std::string::npos);
}

CAF_TEST(zsh_and_fish_take_their_scripts) {
  const sample_program sample;
  const auto tree = command_tree(sample.app);
  const auto zsh = completion_script(tree, "zsh");
  const auto fish = completion_script(tree, "fish");
  CAF_REQUIRE(zsh && fish);
  CAF_CHECK(zsh->starts_with("#compdef sample\n"));
  CAF_CHECK(zsh->find("'import:Import a tape'") != std::string::npos);
  CAF_CHECK(zsh->find("--json[Print \\[JSON\\]\\: it'\\''s data]") != std::string::npos);
  CAF_CHECK(fish->find("-a import -d 'Import a tape'") != std::string::npos);
  if (there_is("zsh"))
    CAF_CHECK_EQUAL(run_shell("zsh -n", *zsh), "");
  else
    CAF_MESSAGE("not run: zsh is not installed");
  if (there_is("fish")) {
    CAF_CHECK_EQUAL(run_shell("fish --no-execute", *fish), "");
    const auto offers =
        run_shell("fish", *fish + "\ncomplete -C 'sample tape '\ncomplete -C 'sample tape import --side '\n");
    for (const auto* word : {"import", "info", "buy", "sell"})
      CAF_CHECK(offers.find(word) != std::string::npos);
  } else {
    CAF_MESSAGE("not run: fish is not installed");
  }
  CAF_CHECK(!completion_script(tree, "tcsh"));
}

CAF_TEST(manual_pages_hold_every_command_and_are_clean) {
  const sample_program sample;
  const auto pages = man_pages(command_tree(sample.app), {"1.2", "2026-01-02"});
  CAF_REQUIRE_EQUAL(pages.size(), 2u);
  const auto& tape = pages.at("sample-tape.1");
  CAF_CHECK(tape.find(".TH SAMPLE-TAPE 1 \"2026-01-02\" \"1.2\" \"Troupe\"") != std::string::npos);
  CAF_CHECK(tape.find("\\fB\\-s\\fR, \\fB\\-\\-side\\fR") != std::string::npos);
  CAF_CHECK(tape.find("\n\\&.Says what is in it") != std::string::npos); // no control line
  CAF_CHECK(pages.at("sample.1").find(".BR sample\\-tape (1)") != std::string::npos);
  if (!there_is("groff")) {
    CAF_MESSAGE("not run: groff is not installed");
    return;
  }
  for (const auto& [name, text] : pages)
    CAF_CHECK_EQUAL(run_shell("groff -man -ww -z -Tutf8", text), "");
}
