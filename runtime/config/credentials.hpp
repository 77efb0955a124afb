#pragma once

/// Credentials from a `.env` file: `NAME=value` lines, for secrets only. The file must belong to the
/// user and be readable by nobody else (mode 0600), as ssh demands of its keys. Every value read is
/// registered with the log's redaction before anything else can see it.

#include "messages/error.hpp"
#include "runtime/config/errc.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace troupe {

/// Key and secret of one account.
struct api_key {
  std::string key;
  std::string secret;
};

/// The contents of one `.env` file. Not thread-safe; read once at start.
class credentials {
public:
  /// Reads the file. A missing file is empty credentials; a file that others may read is refused.
  static result<credentials> load(const std::filesystem::path& file);

  /// The key of account "main@binance": `TROUPE_MAIN_BINANCE_KEY` and `…_SECRET`.
  [[nodiscard]] result<api_key> of_account(const std::string& account) const;

  [[nodiscard]] std::size_t count() const noexcept { return values_.size(); }

private:
  std::string file_;
  std::map<std::string, std::string> values_;
};

} // namespace troupe
