#define CAF_SUITE audit_log
#include "messages/json.hpp"
#include "runtime/cluster/audit_log.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

using namespace troupe;

namespace {

struct folder {
  folder() {
    char name[] = "/tmp/troupe-audit-XXXXXX";
    data = ::mkdtemp(name);
  }
  ~folder() { std::filesystem::remove_all(data); }

  [[nodiscard]] std::string text() const {
    std::ifstream in{data / "audit.log", std::ios::binary};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void overwrite(const std::string& text) const {
    std::ofstream{data / "audit.log", std::ios::binary} << text;
  }

  static void order(audit_log& log, int number) {
    const admin_command command{
        "kill", "actor/" + std::to_string(number), {{"confirm", "x \"y\"\n"}}, "tester"};
    CAF_REQUIRE(log.write({number}, {"earth"}, command, nullptr));
    const admin_result done{true, "done"};
    CAF_REQUIRE(log.write({number}, {"earth"}, command, &done));
  }
  /// A file of ten records.
  std::string ten() const {
    auto log = audit_log::open(data).value();
    for (int i = 0; i < 5; ++i) order(log, i);
    return text();
  }
  std::filesystem::path data;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t line_of(const std::string& text, std::size_t at) {
  return 1
         + static_cast<std::size_t>(
             std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) out.push_back(line + "\n");
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line;
  return out;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(audit_log_tests, folder)

CAF_TEST(what_was_written_is_intact_also_over_several_openings) {
  for (int run = 0; run < 3; ++run) {
    auto log = audit_log::open(data).value();
    order(log, run);
    CAF_CHECK_EQUAL(log.chain().records, static_cast<std::uint64_t>(2 * run + 2));
  }
  const auto chain = verify_audit(text());
  CAF_REQUIRE(chain);
  CAF_CHECK_EQUAL(chain->records, 6u);
  const auto again = audit_log::open(data).value();
  CAF_CHECK_EQUAL(chain->head, again.chain().head);
  CAF_CHECK(verify_audit("").has_value());
}

CAF_TEST(two_writers_share_one_chain) {
  auto a = audit_log::open(data).value();
  auto b = audit_log::open(data).value();
  for (int i = 0; i < 10; ++i) order(i % 2 == 0 ? a : b, i);
  CAF_CHECK_EQUAL(verify_audit(text()).value().records, 20u);
}

CAF_TEST(every_changed_byte_is_found_in_its_record) {
  const auto good = ten();
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 + random() % 127));
    const auto chain = verify_audit(bad);
    CAF_REQUIRE(!chain);
    const auto named = "line " + std::to_string(line_of(good, at));
    // A line that is broken in two, or two that became one, begin in the same place.
    if (!chain.error().text.starts_with(named + " "))
      CAF_ERROR("byte " << at << " of " << named << ": " << chain.error().text);
  }
}

CAF_TEST(removed_inserted_and_moved_records_are_named) {
  const auto lines = lines_of(ten());
  CAF_REQUIRE_EQUAL(lines.size(), 10u);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    auto without = lines;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    CAF_CHECK(verify_audit(joined(without))
                  .error()
                  .text.starts_with("line " + std::to_string(i + 1) + " does not follow"));
    auto twice = lines;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
    CAF_CHECK(verify_audit(joined(twice))
                  .error()
                  .text.starts_with("line " + std::to_string(i + 2) + " does not follow"));
    auto swapped = lines;
    std::swap(swapped[i], swapped[i + 1]);
    CAF_CHECK(verify_audit(joined(swapped))
                  .error()
                  .text.starts_with("line " + std::to_string(i + 1) + " does not follow"));
  }
}

CAF_TEST(a_cut_end_is_found_by_the_noted_hash) {
  const auto lines = lines_of(ten());
  const auto head = verify_audit(joined(lines)).value().head;
  auto cut = lines;
  cut.pop_back();
  CAF_CHECK(verify_audit(joined(cut)).has_value());
  CAF_CHECK(has(verify_audit(joined(cut), head).error().text, "records at the end were removed"));
  CAF_CHECK(verify_audit(joined(lines), head).has_value());
}

CAF_TEST(a_line_torn_by_a_crash_is_accounted_for_and_only_then) {
  const auto good = ten();
  for (const std::size_t kept : {std::size_t{1}, std::size_t{40}, std::size_t{200}}) {
    overwrite(good + lines_of(good)[4].substr(0, kept));
    CAF_CHECK(has(verify_audit(text()).error().text, "line 11 is cut short"));
    auto log = audit_log::open(data).value();
    order(log, 9);
    const auto chain = verify_audit(text());
    CAF_REQUIRE(chain);
    CAF_CHECK_EQUAL(chain->records, 13u); // the torn line is none, what tells of it is one
    auto lines = lines_of(text());
    lines[10][0] = '#';
    CAF_CHECK(has(verify_audit(joined(lines)).error().text, "line 11 is damaged"));
  }
}

CAF_TEST(a_file_that_is_no_chain_is_set_aside) {
  overwrite("{\"at_ns\":1,\"node\":\"earth\"}\n");
  auto log = audit_log::open(data).value();
  order(log, 1);
  CAF_CHECK_EQUAL(verify_audit(text()).value().records, 2u);
  CAF_CHECK(std::filesystem::exists(data / "audit.log.unchained"));
}

CAF_TEST_FIXTURE_SCOPE_END()
