#define CAF_SUITE configuration
#include "runtime/config/configuration.hpp"
#include "runtime/config/process_configuration.hpp"
#include "runtime/config/suggest.hpp"

#include <caf/test/unit_test.hpp>

#include <unistd.h>

#include <fstream>

using namespace troupe;

namespace {

/// A folder of its own for each test, removed with it.
struct folder {
  std::filesystem::path path;
  folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-config-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~folder() { std::filesystem::remove_all(path); }
  void write(const char* name, const std::string& text) const { std::ofstream{path / name} << text; }
  [[nodiscard]] result<configuration> load(std::vector<std::string> overrides = {},
                                           std::map<std::string, std::string> environment = {}) const {
    return configuration::load({path, std::move(environment), std::move(overrides)});
  }
};

bool says(const result<configuration>& loaded, std::string_view what) {
  return !loaded && loaded.error().text.find(what) != std::string::npos;
}

} // namespace

CAF_TEST(an_empty_folder_gives_the_defaults) {
  const folder f;
  const auto loaded = f.load();
  CAF_REQUIRE(loaded.has_value());
  CAF_CHECK_EQUAL(loaded->text("trading.mode"), "paper");
  CAF_CHECK_EQUAL(loaded->duration("predictor.interval").count(), 10'000'000'000);
  CAF_CHECK_EQUAL(loaded->values().find("trading.mode")->second.origin, "default");
}

CAF_TEST(later_sources_win_and_name_themselves) {
  const folder f;
  f.write("troupe.yaml", "predictor:\n  interval: 20s\n  model: a\n");
  const auto loaded = f.load({"predictor.model=c"}, {{"TROUPE__PREDICTOR__INTERVAL", "30s"}, {"HOME", "x"}});
  CAF_REQUIRE(loaded.has_value());
  CAF_CHECK_EQUAL(loaded->duration("predictor.interval").count(), 30'000'000'000);
  CAF_CHECK_EQUAL(loaded->text("predictor.model"), "c");
  CAF_CHECK_EQUAL(loaded->values().find("predictor.model")->second.origin, "--set");
  CAF_CHECK_EQUAL(loaded->values().find("predictor.interval")->second.origin, "environment TROUPE__PREDICTOR__INTERVAL");
}

CAF_TEST(a_typo_is_named_with_file_line_and_the_word_that_was_meant) {
  const folder f;
  f.write("troupe.yaml", "instruments: [BTC-USDT@binance]\npredictor:\n  intervall: 10s\n");
  const auto loaded = f.load();
  CAF_CHECK(says(loaded, "troupe.yaml:3"));
  CAF_CHECK(says(loaded, "did you mean 'predictor.interval'"));
  f.write("troupe.yaml", "{}");
  f.write("venues.yaml", "venues:\n  binance:\n    ret: x\n");
  CAF_CHECK(says(f.load(), "did you mean 'venues.binance.rest'"));
}

CAF_TEST(wrong_values_are_refused_with_their_place) {
  const folder f;
  f.write("troupe.yaml", "predictor:\n  interval: fast\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:2: predictor.interval must be a duration"));
  f.write("troupe.yaml", "risk:\n  max_open_orders: 3.5\n");
  CAF_CHECK(says(f.load(), "must be a whole number"));
  f.write("troupe.yaml", "risk: {max_open_orders: 3\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:"));
  f.write("troupe.yaml", "log:\n  level: info\n  level: debug\n");
  CAF_CHECK(says(f.load(), "stands twice"));
  f.write("troupe.yaml", "models:\n  cnn:\n    width: 3\n");
  CAF_CHECK(says(f.load(), "belongs into models.yaml"));
}

CAF_TEST(limits_and_words_are_checked_where_they_stand) {
  const folder f;
  f.write("troupe.yaml", "risk:\n  max_open_orders: -5\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:2: risk.max_open_orders must be at least 1"));
  f.write("troupe.yaml", "predictor:\n  interval: -10s\n");
  CAF_CHECK(says(f.load(), "must be at least 1s"));
  f.write("troupe.yaml", "trading:\n  mode: papr\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:2: trading.mode must be one of paper|testnet|live"));
}

CAF_TEST(values_of_the_wrong_shape_are_named) {
  const folder f;
  f.write("troupe.yaml", "risk: [1,2]\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:1: 'risk' is a section"));
  CAF_CHECK(says(f.load(), "write its keys below it"));
  f.write("troupe.yaml", "risk: 5\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:1: 'risk' is a section"));
  f.write("troupe.yaml", "predictor:\n  model: [a, b]\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:2: predictor.model must be text, not a list"));
  f.write("troupe.yaml", "predictor:\n  interval:\n    every: 10s\n");
  CAF_CHECK(says(f.load(), "troupe.yaml:3: 'predictor.interval' takes a duration"));
  f.write("troupe.yaml", "instruments: BTC-USDT@binance\n");
  CAF_CHECK(f.load().has_value());
  CAF_CHECK(says(f.load({"venues.binance=x"}), "'venues.binance' is a section"));
}

CAF_TEST(a_folder_that_is_not_there_is_refused) {
  const folder f;
  CAF_CHECK(load_process_configuration(f.path, {}).has_value());
  CAF_CHECK(says(load_process_configuration(f.path / "none", {}), "none: no such folder"));
  CAF_CHECK(says(load_process_configuration(f.path / "none", {}), "--config"));
}

CAF_TEST(free_parts_get_their_defaults) {
  const folder f;
  f.write("venues.yaml", "venues:\n  binance:\n    rest: https://127.0.0.1:1\n  binance-usdm:\n    rest: y\n");
  const auto loaded = f.load();
  CAF_REQUIRE(loaded.has_value());
  CAF_CHECK_EQUAL(loaded->names("venues").size(), 2u);
  CAF_CHECK_EQUAL(loaded->duration("venues.binance.window").count(), 5'000'000'000);
  f.write("venues.yaml", "venues:\n  binance:\n    instruments:\n      BTC-USDT:\n        symbol: BTCUSDT\n");
  const auto nested = f.load();
  CAF_REQUIRE(nested.has_value());
  CAF_CHECK_EQUAL(nested->integer("venues.binance.instruments.BTC-USDT.price_scale"), 2);
  CAF_CHECK_EQUAL(nested->names("venues.binance.instruments").size(), 1u);
}

CAF_TEST(the_hash_follows_the_values) {
  const folder f;
  const auto one = f.load();
  const auto two = f.load({"predictor.model=other"});
  CAF_CHECK_EQUAL(one->hash(), f.load()->hash());
  CAF_CHECK_NOT_EQUAL(one->hash(), two->hash());
}

CAF_TEST(durations) {
  CAF_CHECK_EQUAL(parse_duration("250ms").value().count(), 250'000'000);
  CAF_CHECK_EQUAL(parse_duration("650699000000ns").value().count(), 650'699'000'000);
  CAF_CHECK_EQUAL(parse_duration("1.5s").value().count(), 1'500'000'000);
  CAF_CHECK_EQUAL(parse_duration("1h").value().count(), 3'600'000'000'000);
  for (const auto* bad : {"", "s", "10", "10 s", "1x", "99999999999999999999h", "1e3s"})
    CAF_CHECK(!parse_duration(bad).has_value());
}

CAF_TEST(suggestions) {
  const std::vector<std::string> known{"halt", "resume", "status"};
  CAF_CHECK_EQUAL(closest_word("hlat", known), "halt");
  CAF_CHECK_EQUAL(closest_word("stats", known), "status");
  CAF_CHECK_EQUAL(closest_word("zzzzzzzz", known), "");
}
