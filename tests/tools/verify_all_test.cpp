// Every market-data recording of the venues through `feed verify --all`; and what the command must notice.

#define CAF_SUITE verify_all
#include <caf/test/unit_test.hpp>

#include "tests/support/recordings.hpp"
#include "tools/feed_verify/verify_all.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>
#include <unistd.h>

using namespace troupe;

namespace {

std::string text_of_report(const file_report& r) {
  std::string out = r.file + ":";
  for (const auto& [key, value] : r.figures) out += " " + key + "=" + std::to_string(value);
  for (const auto& line : r.differences) out += "\n  " + line;
  return out;
}

struct scratch_folder {
  scratch_folder() {
    char pattern[] = "/tmp/troupe_verify_XXXXXX";
    at = ::mkdtemp(pattern);
  }
  ~scratch_folder() { std::filesystem::remove_all(at); }
  std::filesystem::path at;
};

/// The bytes of a recording, changed, in a folder of their own.
file_report replay_changed(const recording_plan& plan, const std::filesystem::path& root,
                           const std::function<void(std::string&)>& change) {
  scratch_folder scratch;
  std::ifstream in{root / plan.file, std::ios::binary};
  std::ostringstream all;
  all << in.rdbuf();
  auto text = std::move(all).str();
  change(text);
  const auto target = scratch.at / plan.file;
  std::filesystem::create_directories(target.parent_path());
  std::ofstream{target, std::ios::binary} << text;
  for (const auto& also : {plan.images, plan.copy})
    if (!also.empty()) {
      std::filesystem::create_directories((scratch.at / also).parent_path());
      std::filesystem::create_symlink(root / also, scratch.at / also);
    }
  std::filesystem::create_directories(scratch.at / "derived");
  std::filesystem::create_directory_symlink(root / "derived/replay_expectations",
                                            scratch.at / "derived/replay_expectations");
  return replay_recording(plan, scratch.at);
}

const recording_plan& plan_of(std::string_view name) {
  const auto at = std::ranges::find_if(recording_plans(), [&](const auto& p) { return p.file.ends_with(name); });
  if (at == recording_plans().end()) CAF_FAIL("no plan of " << name);
  return *at;
}

} // namespace

CAF_TEST(every recording comes out as known) {
  const auto root = test::recording("venues", "every recording");
  if (!root) return;
  const auto reports = verify_all(*root);
  CAF_CHECK(reports.size() >= 38);
  std::uint64_t checksums = 0;
  std::uint64_t compared = 0;
  for (const auto& r : reports) {
    if (!r.differences.empty()) CAF_ERROR(text_of_report(r));
    const auto value = [&](const char* key) { return r.figures.contains(key) ? r.figures.at(key) : 0; };
    checksums += value("checksums");
    compared += value("compared");
    if (r.venue == "kraken") CAF_CHECK_EQUAL(value("checksums"), value("checksums_equal"));
  }
  CAF_CHECK_EQUAL(checksums, 2052u + 1129u + 4269u + 290u + 2u);
  CAF_CHECK(compared >= 50);
}

CAF_TEST(a lost message of each kind of book is a difference) {
  const auto root = test::recording("venues", "lost messages");
  if (!root) return;
  const std::pair<const char*, const char*> lost[] = {
      {"GATEIO.ws.1.0", "spot.order_book_update"}, {"BITFINEX.ws.11.0", ": [225206,["}, {"OKX.ws.1.0", "\"update\""},
      {"KRAKEN.ws.50.0", "book-1000"},             {"HUOBI.ws.44.0", "\\x1f"}};
  for (const auto& [name, mark] : lost) {
    const auto& plan = plan_of(name);
    const auto report = replay_changed(plan, *root, [&](std::string& text) {
      auto at = text.find(mark, text.size() / 2);
      if (at == std::string::npos) at = text.find(mark);
      CAF_REQUIRE(at != std::string::npos);
      const auto from = text.rfind('\n', at) + 1;
      text.erase(from, text.find('\n', at) + 1 - from);
    });
    CAF_CHECK(!report.differences.empty());
  }
}

CAF_TEST(a wrong digit in a book is a difference) {
  const auto root = test::recording("venues", "wrong digit");
  if (!root) return;
  const auto& plan = plan_of("kraken_btcusd_sample.cbcap");
  const auto report = replay_changed(plan, *root, [](std::string& text) {
    const auto at = text.find("\"qty\":", text.size() / 2) + 6;
    text[at] = text[at] == '9' ? '8' : static_cast<char>(text[at] + 1);
  });
  CAF_CHECK(report.figures.at("checksums_equal") < report.figures.at("checksums"));
  CAF_CHECK(!report.differences.empty());
}

CAF_TEST(a folder without recordings is refused) {
  scratch_folder scratch;
  std::ostringstream out, err;
  CAF_CHECK_EQUAL(verify_all_command(scratch.at, false, out, err), 1);
  CAF_CHECK(err.str().find("name the folder of recordings") != std::string::npos);
}
