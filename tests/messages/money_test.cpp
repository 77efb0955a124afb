#define CAF_SUITE money
#include "messages/money.hpp"
#include "messages/time.hpp"
#include "tests/support/seeds.hpp"

#include <caf/test/unit_test.hpp>

#include <limits>
#include <random>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr auto max = std::numeric_limits<std::int64_t>::max();
constexpr auto min = std::numeric_limits<std::int64_t>::min();

/// What a parse gives, or the error's name.
std::string parsed(std::string_view text, int scale) {
  const auto r = parse_decimal(text, scale);
  return r ? std::to_string(*r) : r.error().code.message();
}

const std::string not_number = make_error_code(money_errc::not_a_number).message();
const std::string decimals = make_error_code(money_errc::too_many_decimals).message();
const std::string range = make_error_code(money_errc::out_of_range).message();

/// An oracle of another kind: works on strings of digits, knows no wide integers.
std::string oracle(bool negative, std::string whole, std::string fraction, int exponent,
                   int scale) {
  const auto shift = exponent + scale;
  auto digits = whole + fraction;
  auto point = static_cast<std::ptrdiff_t>(whole.size()) + shift;
  while (point > static_cast<std::ptrdiff_t>(digits.size()))
    digits += '0';
  while (point < 0) {
    digits.insert(0, "0");
    ++point;
  }
  const auto rest = digits.substr(static_cast<std::size_t>(point));
  auto kept = digits.substr(0, static_cast<std::size_t>(point));
  kept.erase(0, std::min(kept.find_first_not_of('0'), kept.size()));
  if (rest.find_first_not_of('0') != std::string::npos) return decimals;
  if (kept.empty()) return "0";
  const std::string limit = "9223372036854775807";
  if (kept.size() > limit.size() || (kept.size() == limit.size() && kept > limit)) return range;
  return (negative ? "-" : "") + kept;
}

} // namespace

CAF_TEST(decimals_parse_exactly) {
  CAF_CHECK_EQUAL(parsed("61685.99", 8), "6168599000000");
  CAF_CHECK_EQUAL(parsed("-0.5", 1), "-5");
  CAF_CHECK_EQUAL(parsed("+7", 0), "7");
  CAF_CHECK_EQUAL(parsed(".5", 2), "50");
  CAF_CHECK_EQUAL(parsed("5.", 2), "500");
  CAF_CHECK_EQUAL(parsed("1e-8", 8), "1");
  CAF_CHECK_EQUAL(parsed("5E+3", 2), "500000");
  CAF_CHECK_EQUAL(parsed("1.50e1", 0), "15");
  CAF_CHECK_EQUAL(parsed("0.10000000000000000000", 1), "1");
  CAF_CHECK_EQUAL(parsed("0e999", 8), "0");
  CAF_CHECK_EQUAL(parsed("-0", 8), "0");
}

CAF_TEST(what_is_no_decimal_is_refused) {
  for (const auto* text :
       {"",    "-",     "+",  ".",  "abc",  "1a",    "1..2", "1.2.3", "--1",    "1e",
        "1e+", "1e1.5", " 1", "1 ", "0x10", "1,000", "NaN",  "inf",   "1e9999", "\xff"})
    CAF_CHECK_EQUAL(parsed(text, 8), not_number);
  CAF_CHECK_EQUAL(parsed("1.23", 1), decimals);
  CAF_CHECK_EQUAL(parsed("1e-9", 8), decimals);
}

CAF_TEST(decimals_at_the_limits) {
  CAF_CHECK_EQUAL(parsed("9223372036854775807", 0), std::to_string(max));
  CAF_CHECK_EQUAL(parsed("-9223372036854775807", 0), std::to_string(-max));
  CAF_CHECK_EQUAL(parsed("9223372036854775808", 0), range);
  CAF_CHECK_EQUAL(parsed("92233720368.54775807", 8), std::to_string(max));
  CAF_CHECK_EQUAL(parsed("92233720368.54775808", 8), range);
  CAF_CHECK_EQUAL(parsed("1e30", 0), range);
  CAF_CHECK_EQUAL(parsed(std::string(200, '9'), 0), range);
  CAF_CHECK_EQUAL(format_decimal(min, 8), "-92233720368.54775808");
  CAF_CHECK_EQUAL(format_decimal(max, 0), std::to_string(max));
}

CAF_TEST(numbers_with_exponents_agree_with_the_oracle) {
  std::mt19937_64 random{seed_of("decimals", 1)};
  std::size_t good = 0;
  for (std::uint64_t i = 0; i < scaled(100'000); ++i) {
    const bool negative = random() % 2;
    const auto digits = [&](std::uint64_t most, bool some) {
      std::string out;
      for (auto n = random() % (most + 1) + (some ? 1 : 0); n > 0; --n)
        out += static_cast<char>('0' + (random() % 3 ? random() % 10 : 0));
      return out;
    };
    const auto whole = digits(6, true);
    const auto fraction = digits(6, false);
    const int exponent = random() % 3 ? 0 : static_cast<int>(random() % 21) - 10;
    const int scale = static_cast<int>(random() % 12);
    std::string text = (negative ? "-" : "") + whole;
    if (!fraction.empty()) text += "." + fraction;
    if (exponent != 0) text += "e" + std::to_string(exponent);
    const auto expected = oracle(negative, whole, fraction, exponent, scale);
    const auto got = parsed(text, scale);
    if (got != expected)
      CAF_FAIL(text << " at scale " << scale << ": " << got << " instead of " << expected);
    good += got == decimals || got == range ? 0 : 1;
  }
  CAF_CHECK(good > 10'000);
}

CAF_TEST(formatting_and_parsing_are_inverse) {
  std::mt19937_64 random{seed_of("format", 2)};
  for (std::uint64_t i = 0; i < scaled(50'000); ++i) {
    const auto raw = static_cast<std::int64_t>(random()) >> (random() % 64);
    const int scale = static_cast<int>(random() % 19);
    if (raw == min) continue; // parses as out of range: its magnitude is no int64
    const auto text = format_decimal(raw, scale);
    CAF_REQUIRE_EQUAL(parsed(text, scale), std::to_string(raw));
    CAF_REQUIRE_EQUAL(parsed(format_decimal_short(raw, scale), scale), std::to_string(raw));
    if (scale > 0)
      CAF_REQUIRE_EQUAL(text.size() - text.find('.') - 1, static_cast<std::size_t>(scale));
  }
  CAF_CHECK_EQUAL(format_decimal(0, 8), "0.00000000");
  CAF_CHECK_EQUAL(format_decimal_short(0, 8), "0");
  CAF_CHECK_EQUAL(format_decimal_short(-50, 2), "-0.5");
  CAF_CHECK_EQUAL(format_decimal_short(1200, 0), "1200");
}

CAF_TEST(notional_is_checked) {
  CAF_CHECK(notional({3}, {-4}).value() == cash{-12});
  CAF_CHECK(notional({max}, {1}).value() == cash{max});
  CAF_CHECK(notional({min}, {1}).value() == cash{min});
  CAF_CHECK(notional({max}, {2}).error().code == money_errc::out_of_range);
  CAF_CHECK(notional({min}, {-1}).error().code == money_errc::out_of_range);
  CAF_CHECK(notional({min}, {min}).error().code == money_errc::out_of_range);
  std::mt19937_64 random{seed_of("notional", 3)};
  for (int i = 0; i < 20'000; ++i) {
    const auto p = static_cast<std::int64_t>(random()) >> (random() % 64);
    const auto q = static_cast<std::int64_t>(random()) >> (random() % 64);
    std::int64_t expected = 0;
    const bool overflows = __builtin_mul_overflow(p, q, &expected);
    const auto got = notional({p}, {q});
    CAF_REQUIRE_EQUAL(got.has_value(), !overflows);
    if (got) CAF_REQUIRE_EQUAL(got->raw, expected);
  }
}

CAF_TEST(intervals_start_towards_the_past) {
  using namespace std::chrono_literals;
  CAF_CHECK(floor_to({7}, 5ns) == market_time{5});
  CAF_CHECK(floor_to({5}, 5ns) == market_time{5});
  CAF_CHECK(floor_to({-1}, 5ns) == market_time{-5});
  CAF_CHECK(floor_to({-5}, 5ns) == market_time{-5});
  CAF_CHECK(floor_to({1'700'000'012'345'678'901}, 10s) == market_time{1'700'000'010'000'000'000});
}
