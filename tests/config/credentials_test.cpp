#define CAF_SUITE credentials
#include "runtime/config/credentials.hpp"
#include "runtime/log.hpp"

#include <caf/test/unit_test.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

using namespace troupe;

namespace {

struct env_file {
  std::filesystem::path folder;
  std::filesystem::path path;
  env_file() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-env-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    path = folder / ".env";
  }
  ~env_file() { std::filesystem::remove_all(folder); }
  void write(const std::string& text, mode_t mode) const {
    std::ofstream{path} << text;
    ::chmod(path.c_str(), mode);
  }
};

} // namespace

CAF_TEST(a_file_that_others_may_read_is_refused) {
  const env_file f;
  f.write("TROUPE_MAIN_BINANCE_KEY=abcdefgh\n", 0644);
  const auto loaded = credentials::load(f.path);
  CAF_REQUIRE(!loaded.has_value());
  CAF_CHECK(loaded.error().code == config_errc::wrong_permissions);
  CAF_CHECK(loaded.error().text.find("chmod 600") != std::string::npos);
  CAF_CHECK(loaded.error().text.find("abcdefgh") == std::string::npos);
}

CAF_TEST(the_key_of_an_account_is_found_by_its_name) {
  const env_file f;
  f.write("# keys\nTROUPE_MAIN_BINANCE_KEY=key-canary-1\nTROUPE_MAIN_BINANCE_SECRET=secret-canary-1\n", 0600);
  const auto loaded = credentials::load(f.path);
  CAF_REQUIRE(loaded.has_value());
  const auto key = loaded->of_account("main@binance");
  CAF_REQUIRE(key.has_value());
  CAF_CHECK_EQUAL(key->secret, "secret-canary-1");
  const auto other = loaded->of_account("other@bybit");
  CAF_REQUIRE(!other.has_value());
  CAF_CHECK(other.error().text.find("TROUPE_OTHER_BYBIT_KEY") != std::string::npos);
}

CAF_TEST(a_syntax_error_names_its_line_but_not_its_content) {
  const env_file f;
  f.write("GOOD=1234567\nsecret without equals\n", 0600);
  const auto loaded = credentials::load(f.path);
  CAF_REQUIRE(!loaded.has_value());
  CAF_CHECK(loaded.error().text.find(".env:2") != std::string::npos);
  CAF_CHECK(loaded.error().text.find("without") == std::string::npos);
}

CAF_TEST(secrets_never_reach_the_log) {
  const env_file f;
  const auto log_file = f.folder / "log.json";
  CAF_REQUIRE(log::open({.node = "test", .file = log_file.string()}).has_value());
  log::register_secret("canary-secret-42");
  log::error("test", "request failed: signature=canary-secret-42", {{"url", "https://x/?k=canary-secret-42"}});
  log::close();
  std::ifstream in{log_file};
  std::stringstream content;
  content << in.rdbuf();
  CAF_CHECK(content.str().find("canary-secret-42") == std::string::npos);
  CAF_CHECK(content.str().find("[redacted]") != std::string::npos);
  CAF_CHECK(content.str().find("\"SeverityText\":\"ERROR\"") != std::string::npos);
}
