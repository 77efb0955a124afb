#define CAF_SUITE instrument_rules
#include "storage/instrument_rules.hpp"

#include <caf/test/unit_test.hpp>

#include <filesystem>
#include <unistd.h>

using namespace troupe;

namespace {

struct rules_folder {
  rules_folder() {
    char pattern[] = "/tmp/troupe_rules_XXXXXX";
    path = ::mkdtemp(pattern);
  }
  ~rules_folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

instrument_spec bitcoin(int price_scale, int size_scale, std::int64_t tick, std::int64_t lot) {
  instrument_spec out;
  out.id.text = "BTC-USDT@bybit";
  out.venue_symbol = "BTCUSDT";
  out.price_scale = static_cast<std::uint8_t>(price_scale);
  out.size_scale = static_cast<std::uint8_t>(size_scale);
  out.tick = {tick};
  out.lot = {lot};
  out.min_size = {lot};
  out.max_size = {INT64_MAX};
  return out;
}

} // namespace

CAF_TEST(rules come back as they were kept) {
  rules_folder folder;
  const auto where = folder.path / "instruments";
  const instrument_rules rules{
      {"bybit"}, {1'700'000'000'000'000'000}, {bitcoin(1, 6, 5, 1), bitcoin(2, 8, 1, 100)}};
  CAF_REQUIRE(save_rules(real_disk(), where, rules));
  const auto back = load_rules(real_disk(), where, {"bybit"});
  CAF_REQUIRE(back.has_value());
  CAF_CHECK(back->fetched == rules.fetched);
  CAF_REQUIRE_EQUAL(back->instruments.size(), 2u);
  CAF_CHECK(back->instruments[0].tick.raw == 5 && back->instruments[1].lot.raw == 100);
  CAF_CHECK(load_rules(real_disk(), where, {"okx"}).error().code
            == make_error_code(storage_errc::not_found));
}

CAF_TEST(every flipped bit of the file is noticed) {
  rules_folder folder;
  const instrument_rules rules{{"bybit"}, {1}, {bitcoin(1, 6, 5, 1)}};
  CAF_REQUIRE(save_rules(real_disk(), folder.path, rules));
  const auto file = rules_file(folder.path, {"bybit"});
  const auto whole = *read_whole(real_disk(), file, 1 << 20);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    CAF_REQUIRE(replace_file(real_disk(), file, damaged));
    CAF_REQUIRE(!load_rules(real_disk(), folder.path, {"bybit"}));
  }
  CAF_REQUIRE(replace_file(real_disk(), file, whole));
  CAF_REQUIRE(load_rules(real_disk(), folder.path, {"bybit"}));
  std::filesystem::copy_file(file, rules_file(folder.path, {"okx"}));
  CAF_CHECK(load_rules(real_disk(), folder.path, {"okx"}).error().code
            == make_error_code(storage_errc::foreign));
}

CAF_TEST(rules are taken at our own scales or refused) {
  const auto ours = bitcoin(2, 8, 1, 1);
  const auto fitted = with_rules(ours, bitcoin(1, 6, 5, 10));
  CAF_REQUIRE(fitted.has_value());
  CAF_CHECK_EQUAL(fitted->tick.raw, 50);  // 0.5
  CAF_CHECK_EQUAL(fitted->lot.raw, 1000); // 0.00001
  CAF_CHECK(fitted->price_scale == 2 && fitted->size_scale == 8);
  CAF_CHECK_EQUAL(fitted->max_size.raw, INT64_MAX);
  const auto exact = with_rules(ours, bitcoin(4, 10, 100, 100));
  CAF_REQUIRE(exact.has_value());
  CAF_CHECK(exact->tick.raw == 1 && exact->lot.raw == 1);
  const auto finer = with_rules(ours, bitcoin(4, 8, 5, 1));
  CAF_REQUIRE(!finer);
  CAF_CHECK(finer.error().text.find("0.0005") != std::string::npos);
  CAF_CHECK(finer.error().text.find("price_scale") != std::string::npos);
}

CAF_TEST(an instrument is found by its spelling and kind) {
  auto spot = bitcoin(2, 8, 1, 1), linear = bitcoin(2, 8, 1, 1);
  spot.id.text = "XBT-USDT@bybit";
  linear.id.text = "XBT-USDT-PERP@bybit";
  linear.kind = contract_kind::linear;
  const std::vector<instrument_spec> listed{linear, spot};
  CAF_CHECK(find_rules(listed, bitcoin(2, 8, 1, 1)) == &listed[1]);
  auto other = bitcoin(2, 8, 1, 1);
  other.venue_symbol = "ETHUSDT";
  CAF_CHECK(find_rules(listed, other) == nullptr);
}
