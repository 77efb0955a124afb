#include "runtime/config/credentials.hpp"

#include "runtime/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <fstream>

namespace troupe {
namespace {

std::string variable_prefix(const std::string& account) {
  std::string out = "TROUPE_";
  for (const char c : account)
    out += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_';
  return out;
}

status check_permissions(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return {config_errc::unreadable, file.string() + ": can't be read; check its permissions"};
  if (info.st_uid != ::geteuid())
    return {config_errc::wrong_permissions, file.string() + ": belongs to another user; chown it to yourself"};
  if ((info.st_mode & 077) != 0)
    return {config_errc::wrong_permissions, file.string() + ": others may read it; run: chmod 600 " + file.string()};
  return ok;
}

bool valid_name(std::string_view name) {
  if (name.empty()) return false;
  for (const char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  return true;
}

} // namespace

result<credentials> credentials::load(const std::filesystem::path& file) {
  credentials out;
  out.file_ = file.string();
  std::error_code missing;
  if (!std::filesystem::exists(file, missing)) return out;
  if (auto checked = check_permissions(file); !checked) return std::move(checked).error();
  std::ifstream in{file};
  if (!in) return {config_errc::unreadable, out.file_ + ": can't be read; check its permissions"};
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const auto equals = line.find('=');
    // The line itself may hold a secret: the error names only its place.
    if (equals == std::string::npos || !valid_name(std::string_view{line}.substr(0, equals)))
      return {config_errc::bad_syntax, out.file_ + ":" + std::to_string(number) + ": write NAME=value"};
    auto value = line.substr(equals + 1);
    log::register_secret(value);
    out.values_[line.substr(0, equals)] = std::move(value);
  }
  return out;
}

result<api_key> credentials::of_account(const std::string& account) const {
  const auto prefix = variable_prefix(account);
  const auto key = values_.find(prefix + "_KEY");
  const auto secret = values_.find(prefix + "_SECRET");
  if (key == values_.end() || secret == values_.end())
    return {config_errc::missing_value, file_ + ": " + prefix + "_KEY and " + prefix + "_SECRET are needed for account "
                                            + account};
  return api_key{key->second, secret->second};
}

} // namespace troupe
