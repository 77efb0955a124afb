#include "tools/cli/man_page.hpp"

#include <sstream>

namespace troupe::cli {
namespace {

/// Text that troff takes as it is: backslashes doubled, dashes as minus, no control line begun.
std::string roff(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_begins = c == '\n';
  }
  return out;
}

/// A description; lines that begin with blanks are shown as they stand.
void paragraph(std::string& out, const std::string& text) {
  std::istringstream in{text};
  bool plain = true;
  for (std::string line; std::getline(in, line);) {
    const bool shown = line.starts_with(" ");
    if (shown == plain) out += shown ? ".PP\n.nf\n" : ".fi\n";
    plain = !shown;
    if (line.empty())
      out += ".PP\n";
    else
      out += roff(line) + "\n";
  }
  if (!plain) out += ".fi\n";
}

std::string upper(std::string text) {
  for (auto& c : text)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

void options_of(std::string& out, const command_info& command) {
  for (const auto& option : command.options) {
    out += ".TP\n";
    std::string names;
    for (const auto& name : option.names)
      names += (names.empty() ? "" : ", ") + std::string{option.positional ? "\\fI" : "\\fB"} + roff(name)
               + "\\fR";
    if (!option.positional && !option.value.empty()) names += " \\fI" + roff(option.value) + "\\fR";
    out += names + "\n" + roff(option.help.empty() ? "See above." : option.help);
    if (!option.words.empty()) {
      out += "\nOne of";
      for (const auto& word : option.words)
        out += " " + roff(word);
      out += ".";
    }
    if (!option.fallback.empty()) out += "\nDefault: " + roff(option.fallback) + ".";
    if (option.positional && option.required) out += "\nNeeded.";
    out += "\n";
  }
}

std::string synopsis(const command_info& command, const std::string& path) {
  std::string out = ".B " + roff(path) + "\n";
  std::string rest;
  bool options = false;
  for (const auto& option : command.options)
    options = options || !option.positional;
  if (options) rest += "[\\fIOPTIONS\\fR]";
  for (const auto& option : command.options)
    if (option.positional)
      rest += " " + std::string{option.required ? "" : "["} + "\\fI" + roff(option.names.front()) + "\\fR"
              + (option.required ? "" : "]");
  if (!command.commands.empty()) rest += " \\fICOMMAND\\fR";
  return rest.empty() ? out : out + rest + "\n";
}

std::string head_of(const std::string& title, const std::string& what, const man_head& head) {
  return ".\\\" Made from the table of --help; changes belong there.\n.TH " + upper(title) + " 1 \""
         + head.date + "\" \"" + head.version + "\" \"Troupe\"\n.SH NAME\n" + roff(title) + " \\- "
         + roff(what) + "\n";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

void section_of(std::string& out, const command_info& command, const std::string& path) {
  out += ".SS \"" + roff(path) + "\"\n" + synopsis(command, path) + ".PP\n";
  paragraph(out, command.help);
  options_of(out, command);
  for (const auto& below : command.commands)
    section_of(out, below, path + " " + below.name);
}

constexpr auto program_foot =
    ".SH EXIT STATUS\n0 on success, 1 when what was asked for failed, 2 when the words were not understood.\n"
    ".SH FILES\n.TP\n.I config/troupe.yaml, models.yaml, venues.yaml, nodes.conf\nThe configuration; "
    "see\n.BR \"troupe config show \\-\\-origin\" .\n"
    ".TP\n.I config/.env\nKeys of accounts, mode 0600.\n.TP\n.I data/NODE\nWhat a node keeps.\n";

} // namespace

std::map<std::string, std::string> man_pages(const command_info& program, const man_head& head) {
  std::map<std::string, std::string> out;
  auto& whole = out[program.name + ".1"];
  whole = head_of(program.name, "an actor-model distributed trading system", head);
  whole += ".SH SYNOPSIS\n" + synopsis(program, program.name) + ".SH DESCRIPTION\n";
  paragraph(whole, program.help);
  whole += ".SH OPTIONS\n";
  options_of(whole, program);
  whole += ".SH COMMANDS\n";
  std::string also;
  for (const auto& command : program.commands) {
    const auto title = program.name + "-" + command.name;
    whole += ".TP\n.B " + roff(command.name) + "\n" + roff(first_line(command.help)) + "\n";
    also += (also.empty() ? "" : "\n") + std::string{".BR "} + roff(title) + " (1)";
    auto& page = out[title + ".1"];
    page = head_of(title, first_line(command.help), head);
    const auto path = program.name + " " + command.name;
    page += ".SH SYNOPSIS\n" + synopsis(command, path) + ".SH DESCRIPTION\n";
    paragraph(page, command.help);
    page += ".SH OPTIONS\n";
    options_of(page, command);
    if (!command.commands.empty()) page += ".SH COMMANDS\n";
    for (const auto& below : command.commands)
      section_of(page, below, path + " " + below.name);
    page += ".SH SEE ALSO\n.BR " + roff(program.name) + " (1)\n";
  }
  whole += program_foot;
  whole += ".SH SEE ALSO\n" + also + "\n";
  return out;
}

} // namespace troupe::cli
