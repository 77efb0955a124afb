#pragma once

/// Where the test recordings lie. They are no part of the project: a test that needs them says that it was
/// skipped where they are missing.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string_view>

namespace troupe::test {

/// The folder of recordings: $TROUPE_DATA, else ../shared/data beside the source folder; nothing where
/// there is none.
inline std::optional<std::filesystem::path> recordings() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (const char* named = std::getenv("TROUPE_DATA"); named != nullptr && *named != '\0') {
    const fs::path folder{named};
    if (fs::is_directory(folder, ignored)) return folder;
    return std::nullopt;
  }
#ifdef TROUPE_SOURCE_DIR
  const auto beside = fs::path{TROUPE_SOURCE_DIR}.parent_path() / "shared" / "data";
#else
  // __FILE__ is <source>/tests/support/recordings.hpp.
  const auto beside =
      fs::path{__FILE__}.parent_path().parent_path().parent_path().parent_path() / "shared" / "data";
#endif
  if (fs::is_directory(beside, ignored)) return beside;
  return std::nullopt;
}

/// One recording by its path below the folder; prints the `skipped:` line where it is missing.
inline std::optional<std::filesystem::path> recording(std::string_view below, std::string_view test) {
  std::error_code ignored;
  const auto folder = recordings();
  if (folder && std::filesystem::exists(*folder / below, ignored)) {
    std::cout << "recording: " << below << std::endl;
    return *folder / below;
  }
  std::cout << "skipped: " << test << ": no recording " << below << " ($TROUPE_DATA or ../shared/data)"
            << std::endl;
  return std::nullopt;
}

} // namespace troupe::test
