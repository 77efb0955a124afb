#include "tools/cli/completion.hpp"

#include <functional>

namespace troupe::cli {
namespace {

/// Calls back for every command with the words that lead to it ("", "tape", "tape import").
void each_command(const command_info& at, const std::string& path,
                  const std::function<void(const std::string&, const command_info&)>& take) {
  take(path, at);
  for (const auto& below : at.commands)
    each_command(below, path.empty() ? below.name : path + " " + below.name, take);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// In single quotes of a shell.
std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<std::string> option_names(const command_info& command) {
  std::vector<std::string> out;
  for (const auto& option : command.options)
    if (!option.positional) out.insert(out.end(), option.names.begin(), option.names.end());
  return out;
}

std::vector<std::string> command_names(const command_info& command) {
  std::vector<std::string> out;
  for (const auto& below : command.commands)
    out.push_back(below.name);
  return out;
}

/// Positional words a command offers by name; `file` says whether one takes files.
std::vector<std::string> positional_words(const command_info& command, bool& file) {
  std::vector<std::string> out;
  for (const auto& option : command.options) {
    if (!option.positional) continue;
    out.insert(out.end(), option.words.begin(), option.words.end());
    file = file || option.file;
  }
  return out;
}

// --- bash ----------------------------------------------------------------------------------------

/// A case arm: what stands behind an option. Options of parents are known to every command below.
std::string bash_values(const command_info& program) {
  std::string out;
  each_command(program, {}, [&](const std::string& path, const command_info& command) {
    for (const auto& option : command.options) {
      if (option.positional || option.value.empty()) continue;
      for (const auto& name : option.names) {
        const auto pattern = path.empty() ? "*'|" + name + "'" : shell_quoted(path + "|" + name);
        out += "    " + pattern + ") ";
        if (!option.words.empty())
          out += "COMPREPLY=($(compgen -W " + shell_quoted(joined(option.words)) + " -- \"$cur\"));";
        else if (option.file)
          out += "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\"));";
        out += " return ;;\n";
      }
    }
  });
  return out;
}

std::string bash_commands(const command_info& program) {
  std::string out;
  each_command(program, {}, [&](const std::string& path, const command_info& command) {
    bool file = false;
    auto words = command_names(command);
    const auto named = positional_words(command, file);
    words.insert(words.end(), named.begin(), named.end());
    out += "    " + shell_quoted(path) + ") words=" + shell_quoted(joined(words)) + " options="
           + shell_quoted(joined(option_names(command))) + " files=" + (file ? "1" : "0") + " ;;\n";
  });
  return out;
}

std::string bash_script(const command_info& program) {
  const auto& name = program.name;
  std::string paths;
  std::string taking;
  each_command(program, {}, [&](const std::string& path, const command_info& command) {
    if (!path.empty()) paths += (paths.empty() ? "" : "|") + shell_quoted(path);
    for (const auto& option : command.options)
      if (!option.positional && !option.value.empty())
        for (const auto& each : option.names)
          taking += (taking.empty() ? "" : "|") + each;
  });
  return "# bash completion of " + name + "; made by `" + name + " completion bash`.\n_" + name
         + "() {\n"
           "  local cur=${COMP_WORDS[COMP_CWORD]} prev='' path='' words='' options='' files=0 i word\n"
           "  ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}\n"
           "  COMPREPLY=()\n"
           "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "    word=${COMP_WORDS[i]}\n"
           "    case $word in\n"
           "      "
         + taking
         + ") ((i++)); continue ;;\n"
           "      -*) continue ;;\n"
           "    esac\n"
           "    case ${path:+$path }$word in\n"
           "      "
         + paths
         + ") path=${path:+$path }$word ;;\n"
           "    esac\n"
           "  done\n"
           "  case $path'|'$prev in\n"
         + bash_values(program)
         + "  esac\n"
           "  case $path in\n"
         + bash_commands(program)
         + "  esac\n"
           "  if [[ $cur == -* ]]; then\n"
           "    COMPREPLY=($(compgen -W \"$options "
         + joined(option_names(program))
         + "\" -- \"$cur\"))\n"
           "    return\n"
           "  fi\n"
           "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "  if ((files)); then\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
           "  fi\n"
           "}\n"
           "complete -F _"
         + name + " " + name + "\n";
}

// --- zsh -----------------------------------------------------------------------------------------

/// Square brackets and colons have a meaning in _arguments and _describe.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : first_line(text)) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const option_info& option) {
  if (!option.words.empty()) return "(" + joined(option.words) + ")";
  return option.file ? "_files" : "";
}

void zsh_function(const command_info& command, const std::string& function, const command_info& program,
                  std::string& out) {
  std::string lines;
  const auto add = [&](const option_info& option) {
    if (option.positional) {
      lines += "    "
               + shell_quoted((option.required ? ":" : "::") + zsh_text(option.names.front()) + ":"
                              + zsh_action(option))
               + " \\\n";
      return;
    }
    for (const auto& name : option.names) {
      auto spec = name + "[" + zsh_text(option.help) + "]";
      if (!option.value.empty()) spec += ":" + zsh_text(option.value) + ":" + zsh_action(option);
      lines += "    " + shell_quoted(spec) + " \\\n";
    }
  };
  for (const auto& option : command.options)
    add(option);
  if (&command != &program)
    for (const auto& option : program.options)
      if (option.names.back() != "--help") add(option);
  out += function + "() {\n";
  if (command.commands.empty()) {
    out += "  _arguments -s \\\n" + lines + "    && return\n}\n\n";
    return;
  }
  out += "  local context state line\n  _arguments -s -C \\\n" + lines
         + "    '1: :->command' '*:: :->rest' && return\n";
  out += "  case $state in\n    command)\n      local -a commands=(\n";
  for (const auto& below : command.commands)
    out += "        " + shell_quoted(below.name + ":" + zsh_text(below.help)) + "\n";
  out += "      )\n      _describe command commands ;;\n    rest)\n      case $words[1] in\n";
  for (const auto& below : command.commands)
    out += "        " + below.name + ") " + function + "_" + below.name + " ;;\n";
  out += "      esac ;;\n  esac\n}\n\n";
  for (const auto& below : command.commands)
    zsh_function(below, function + "_" + below.name, program, out);
}

std::string zsh_script(const command_info& program) {
  std::string out = "#compdef " + program.name + "\n# zsh completion of " + program.name + "; made by `"
                    + program.name + " completion zsh`.\n\n";
  zsh_function(program, "_" + program.name, program, out);
  // Sourced it registers itself, found in fpath it is called.
  return out + "if [[ $funcstack[1] == _" + program.name + " ]]; then\n  _" + program.name
         + " \"$@\"\nelse\n  compdef _" + program.name + " " + program.name + "\nfi\n";
}

// --- fish ----------------------------------------------------------------------------------------

std::string fish_condition(const std::string& program, const std::string& path) {
  return " -n '__" + program + "_at " + (path.empty() ? "\"\"" : "\"" + path + "\"") + "'";
}

std::string fish_script(const command_info& program) {
  const auto& name = program.name;
  std::string taking;
  std::string paths;
  each_command(program, {}, [&](const std::string& path, const command_info& command) {
    if (!path.empty()) paths += " " + shell_quoted(path);
    for (const auto& option : command.options)
      if (!option.positional && !option.value.empty())
        for (const auto& each : option.names)
          taking += " " + each;
  });
  std::string out = "# fish completion of " + name + "; made by `" + name + " completion fish`.\nfunction __"
                    + name
                    + "_at\n"
                      "  set -l path ''\n"
                      "  set -l skip 0\n"
                      "  for word in (commandline -opc)[2..-1]\n"
                      "    if test $skip = 1\n      set skip 0\n      continue\n    end\n"
                      "    if contains -- $word"
                    + taking
                    + "\n      set skip 1\n      continue\n    end\n"
                      "    set -l next (string trim -- \"$path $word\")\n"
                      "    if contains -- $next"
                    + paths
                    + "\n      set path $next\n    end\n  end\n"
                      "  test \"$path\" = \"$argv[1]\"\nend\n"
                      "complete -c "
                    + name + " -f\n";
  each_command(program, {}, [&](const std::string& path, const command_info& command) {
    for (const auto& below : command.commands)
      out += "complete -c " + name + fish_condition(name, path) + " -a " + below.name + " -d "
             + shell_quoted(first_line(below.help)) + "\n";
    for (const auto& option : command.options) {
      auto line = "complete -c " + name;
      // Options of the program stand anywhere.
      if (!path.empty() || option.positional) line += fish_condition(name, path);
      if (!option.positional) {
        for (const auto& each : option.names)
          line += each.starts_with("--") ? " -l " + each.substr(2) : " -s " + each.substr(1);
        if (!option.value.empty()) line += " -r";
        line += " -d " + shell_quoted(first_line(option.help));
      } else if (option.words.empty() && !option.file) {
        continue;
      }
      if (!option.words.empty()) line += " -a " + shell_quoted(joined(option.words));
      if (option.file) line += " -F";
      out += line + "\n";
    }
  });
  return out;
}

} // namespace

result<std::string> completion_script(const command_info& program, const std::string& shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "zsh") return zsh_script(program);
  if (shell == "fish") return fish_script(program);
  return error{std::make_error_code(std::errc::invalid_argument),
               "completion: there are bash, zsh and fish, not '" + shell + "'"};
}

} // namespace troupe::cli
