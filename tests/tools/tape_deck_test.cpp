// Recording venues over sockets into tapes, and what comes back out of them.

#define CAF_SUITE tape_deck
#include <caf/test/unit_test.hpp>

#include "runtime/clock.hpp"
#include "storage/tape/tape_tools.hpp"
#include "tools/json_view.hpp"
#include "tools/tape_deck/recorded_tapes.hpp"
#include "tools/tape_deck/tape_player.hpp"
#include "tools/tape_deck/tape_recorder.hpp"
#include "tools/venue_sim/data/data_server.hpp"

#include <atomic>
#include <sstream>
#include <thread>
#include <unistd.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

struct deck_folder {
  deck_folder() {
    char pattern[] = "/tmp/troupe_deck_XXXXXX";
    at = ::mkdtemp(pattern);
  }
  ~deck_folder() { std::filesystem::remove_all(at); }
  std::filesystem::path at;
};

struct deck_venue {
  explicit deck_venue(std::string_view venue) {
    venue_sim::data_server_options how;
    how.venue = venue;
    how.folder = folder.at;
    how.symbols = {"BTC-USDT", "ETH-USDT"};
    how.seed = 11;
    how.clock.origin_steady_ns = monotonic_ns();
    how.clock.origin_market_ns = wall_clock{}.now().ns;
    auto started = venue_sim::data_server::start(std::move(how), [](status) {});
    CAF_REQUIRE(started.has_value());
    server = std::move(*started);
    contact.venue = find_venue(venue);
    contact.rest = {true, "localhost", server->port(), ""};
    contact.sockets = contact.rest;
    contact.authority = server->authority();
    auto all = fetch_instruments(contact, 10s);
    CAF_REQUIRE(all.has_value());
    contact.instruments = std::move(*all);
  }
  deck_folder folder;
  std::unique_ptr<venue_sim::data_server> server;
  venue_check_options contact;
};

queued_frame frame_of(std::size_t bytes, std::int64_t at = 0) {
  return {0, {at}, std::string(bytes, 'x')};
}

} // namespace

CAF_TEST(two venues are recorded at once and their tapes make true books) {
  deck_venue kraken{"kraken"};   // images in band, checksums
  deck_venue binance{"binance"}; // images by REST, sequence numbers
  deck_folder out;
  tape_record_options options;
  options.venues = {kraken.contact, binance.contact};
  options.folder = out.at / "tapes";
  options.length = 5s;
  options.file_bytes = 64 << 10; // several files
  const auto recorded = record_tapes(options);
  CAF_REQUIRE(recorded.has_value());
  CAF_REQUIRE_EQUAL(recorded->size(), 2u);
  std::vector<std::filesystem::path> all;
  std::uint64_t frames = 0;
  for (const auto& venue : *recorded) {
    CAF_MESSAGE(venue.venue << ": " << venue.frames << " frames in " << venue.files.size() << " tapes, " << venue.waits
                            << " waits");
    CAF_CHECK_EQUAL(venue.failure, "");
    CAF_CHECK_EQUAL(venue.dropped, 0u);
    CAF_CHECK(venue.files.size() >= 2);
    CAF_CHECK_EQUAL(venue.feeds.size(), 2u);
    for (const auto& feed : venue.feeds) CAF_CHECK(feed.validity == "valid" && feed.gaps == 0);
    std::uint64_t on_tape = 0;
    for (const auto& file : venue.files) {
      CAF_CHECK(is_own_recording(file));
      const auto found = verify_tape(real_disk(), file, 10s);
      CAF_REQUIRE(found.has_value());
      CAF_CHECK(found->intact && found->tape.finished);
      on_tape += found->records;
    }
    CAF_CHECK_EQUAL(on_tape, venue.frames);
    frames += on_tape;
    const auto figures = own_recording_figures(venue.files);
    CAF_REQUIRE(figures.has_value());
    CAF_REQUIRE_EQUAL(figures->size(), 2u);
    for (const auto& f : *figures) {
      CAF_MESSAGE(f.symbol << ": " << f.report.diffs_applied << " changes, " << f.report.trades << " trades");
      CAF_CHECK(f.report.validity == book_validity::valid);
      CAF_CHECK(f.report.diffs_applied > 10);
      CAF_CHECK_EQUAL(f.report.gaps, 0u);
      CAF_CHECK_EQUAL(f.report.damaged_frames, 0u);
      CAF_CHECK_EQUAL(f.report.crossed, 0u);
    }
    feed_verify_options verify;
    verify.inputs = venue.files;
    verify.figures = own_recording_figures;
    std::ostringstream text, words;
    CAF_CHECK_EQUAL(feed_verify(verify, text, words), 0);
    // A tape is missing from the middle: the books can't be whole.
    if (venue.files.size() >= 3) {
      auto part = venue.files;
      part.erase(part.begin() + 1);
      const auto torn = own_recording_figures(part);
      CAF_REQUIRE(torn.has_value());
      CAF_CHECK((*torn)[0].report.gaps + (*torn)[1].report.gaps + (*torn)[0].report.crossed > 0
                || (*torn)[0].report.validity != book_validity::valid || (*torn)[1].report.validity != book_validity::valid);
    }
    all.insert(all.end(), venue.files.begin(), venue.files.end());
  }
  // Played back together, in order of receipt.
  tape_play_options play;
  play.tapes = all;
  std::ostringstream lines;
  const auto played = play_tapes(play, lines);
  CAF_REQUIRE(played.has_value());
  CAF_CHECK_EQUAL(*played, frames);
  std::istringstream in{lines.str()};
  std::int64_t last = 0;
  std::uint64_t backwards = 0, rest = 0, switches = 0;
  std::string before;
  for (std::string line; std::getline(in, line);) {
    const auto view = json_view::parse(line);
    backwards += view.integer("at") < last;
    last = view.integer("at");
    rest += view.text("kind") == "rest";
    switches += view.text("venue") != before;
    before = view.text("venue");
  }
  CAF_CHECK_EQUAL(backwards, 0u);
  CAF_CHECK_EQUAL(rest, 2u); // one image for each of Binance's books
  CAF_CHECK(switches > 10);
}

CAF_TEST(frames are played with their spacing) {
  deck_folder out;
  std::filesystem::create_directories(out.at);
  const auto make = [&](const char* name, std::vector<std::int64_t> times) {
    auto tape = tape_writer::create(real_disk(), out.at / name, {});
    CAF_REQUIRE(tape.has_value());
    const auto channel = tape->add_channel(name, channel_kind::socket);
    for (const auto at : times) CAF_REQUIRE(tape->append({1'000'000'000 + at}, *channel, std::to_string(at)).has_value());
    CAF_REQUIRE(tape->append({9'000'000'000}, *channel, "\xff\x01").has_value());
    CAF_REQUIRE(tape->finish().has_value());
    return out.at / name;
  };
  tape_play_options play;
  play.tapes = {make("a", {0, 200, 400}), make("b", {100, 200, 300})};
  play.speed = 0.1;
  std::vector<std::int64_t> waited;
  play.wait = [&](nanoseconds behind) { waited.push_back(behind.count()); };
  std::ostringstream lines;
  const auto played = play_tapes(play, lines);
  CAF_REQUIRE(played.has_value());
  CAF_CHECK_EQUAL(*played, 8u);
  const std::vector<std::int64_t> due{0, 1000, 2000, 2000, 3000, 4000, 80'000'000'000, 80'000'000'000};
  CAF_CHECK(waited == due);
  CAF_CHECK(lines.str().find(R"("hex":"ff01")") != std::string::npos);
  CAF_CHECK(lines.str().find(R"({"at":1000000200,"tape":0,"venue":"","channel":"a","kind":"socket","frame":"200"})")
            < lines.str().find(R"({"at":1000000200,"tape":1)"));
}

CAF_TEST(a full queue holds the sockets up and loses nothing) {
  frame_queue queue{1000, 20s};
  std::atomic<std::uint64_t> taken{0};
  std::thread slow{[&] {
    std::vector<queued_frame> frames;
    while (queue.pop(frames, 1s)) taken += frames.size();
  }};
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) refused += queue.push(frame_of(300, i)) ? 0 : 1;
  CAF_CHECK_EQUAL(refused, 0);
  CAF_CHECK(queue.push(frame_of(5000))); // larger than the queue: by itself
  queue.close();
  slow.join();
  CAF_CHECK_EQUAL(taken.load(), 20'001u);
  CAF_CHECK_EQUAL(queue.count().dropped, 0u);
  CAF_CHECK(queue.count().most_bytes <= 5000u);
}

CAF_TEST(a tape that stands still is an error that is told) {
  frame_queue queue{1000, 1ms};
  for (int i = 0; i < 3; ++i) CAF_CHECK(queue.push(frame_of(300)));
  CAF_CHECK(!queue.push(frame_of(300)));
  CAF_CHECK_EQUAL(queue.count().waits, 1u);
  CAF_CHECK_EQUAL(queue.count().dropped, 1u);
  queue.close();
  CAF_CHECK(!queue.push(frame_of(1)));
  std::vector<queued_frame> frames;
  CAF_CHECK(queue.pop(frames, 0ns) && frames.size() == 3);
  CAF_CHECK(!queue.pop(frames, 0ns));
}

CAF_TEST(times never go back on a tape) {
  deck_folder out;
  tape_series_options options;
  options.folder = out.at;
  options.venue = "kraken";
  options.instruments.resize(1);
  options.instruments[0].id.text = "BTC-USD@kraken";
  options.instruments[0].venue_symbol = "BTC/USD";
  options.instruments[0].tick = {1};
  tape_file_series series{options};
  for (const std::int64_t at : {5, 7, 6, 8}) CAF_CHECK(series.append(frame_of(10, at)).has_value());
  CAF_CHECK(series.finish().has_value());
  CAF_CHECK_EQUAL(series.set_forward(), 1u);
  const auto info = tape_info_of(real_disk(), series.files().front());
  CAF_REQUIRE(info.has_value());
  CAF_CHECK_EQUAL(info->records, 4u);
  const auto facts = facts_of(info->head);
  CAF_REQUIRE(facts.has_value());
  CAF_CHECK_EQUAL(facts->instruments[0].venue_symbol, "BTC/USD");
  // A tape that is recovered can still be read as one of a venue.
  const auto recovered_at = out.at / "recovered.ttape";
  CAF_REQUIRE(recover_tape(real_disk(), series.files().front(), recovered_at).has_value());
  const auto recovered = tape_info_of(real_disk(), recovered_at);
  CAF_REQUIRE(recovered.has_value());
  const auto still = facts_of(recovered->head);
  CAF_REQUIRE(still.has_value());
  CAF_CHECK_EQUAL(still->instruments[0].venue_symbol, "BTC/USD");
  CAF_CHECK(recovered->head.remarks.find("recovered_from") != std::string::npos);
  auto damaged = info->head;
  damaged.remarks = "{\"instruments\":[{\"id\":1}]}";
  CAF_CHECK(!facts_of(damaged).has_value());
}
