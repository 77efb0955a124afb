#define CAF_SUITE console_view
#include "tests/tools/console_samples.hpp"
#include "tools/console/console_view.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using namespace troupe::console;
using namespace troupe::test;

namespace {

constexpr screen_size small{80, 24};
constexpr screen_size large{200, 60};

bool shows(const grid& screen, std::string_view part) {
  return screen.text().find(part) != std::string::npos;
}

/// The first line that holds the text.
std::string line_with(const grid& screen, std::string_view part) {
  for (int y = 0; y < screen.height(); ++y)
    if (screen.line(y).find(part) != std::string::npos) return screen.line(y);
  return {};
}

struct demo_model {
  explicit demo_model(screen_size size) : model{demo_nodes()} {
    for (std::int64_t s = 0; s <= 12; s += 2) demo_round(model, s);
    model.resize(size);
  }
  grid page_of(char which, bool utf8 = true) {
    type(model, std::string_view{&which, 1});
    return draw(model, utf8);
  }
  console_model model;
};

std::size_t code_points(const std::string& text) { return printable(text, true).size(); }

} // namespace

CAF_TEST(home at both sizes) {
  for (const auto size : {small, large}) {
    demo_model demo{size};
    const auto screen = demo.page_of('1');
    CAF_CHECK_EQUAL(screen.width(), size.width);
    CAF_CHECK(shows(screen, "nodes 4/4"));
    CAF_CHECK(shows(screen, "actors 9"));
    CAF_CHECK(shows(screen, "trading active"));
    for (const auto* name : {"ingest", "exec", "model", "train"})
      CAF_CHECK(line_with(screen, name).find("up") != std::string::npos);
    const auto node = line_with(screen, "15795");
    for (const auto* part : {"exec", "up", "35.0s", "12%", "67.4M", "620"})
      CAF_CHECK(node.find(part) != std::string::npos);
    const auto feed = line_with(screen, "valid");
    for (const auto* part : {"BTC-USDT@binance", "8.8ms", "61165.78", "61165.79"})
      CAF_CHECK(feed.find(part) != std::string::npos);
    for (const auto* part : {"model/cnn", "serves", "13.2ms", "e55d4e0122"})
      CAF_CHECK(line_with(screen, "model/cnn").find(part) != std::string::npos);
    CAF_CHECK(line_with(screen, "trainer/cnn").find("loss 1.1207") != std::string::npos);
    const auto account = line_with(screen, "main@binance");
    for (const auto* part : {"live", "active", "1611650.96458295", "-6.92754737", "0.00182897"})
      CAF_CHECK(account.find(part) != std::string::npos);
    CAF_CHECK(shows(screen, "alerts"));
    CAF_CHECK(shows(screen, "none"));
    CAF_CHECK(shows(screen, "q quit"));
  }
}

CAF_TEST(home tells a silent node and a halt on the smallest screen) {
  demo_model demo{small};
  node_sample silent;
  silent.node = "exec";
  silent.at = at_second(40);
  silent.trouble = "node 'exec' at 127.0.0.1:44343 takes connections but does not answer";
  demo.model.take(silent);
  auto broken = demo_sample("ingest", 40);
  broken.feeds[0].validity = "none";
  demo.model.take(broken);
  const auto screen = demo.page_of('1');
  CAF_CHECK(shows(screen, "nodes 3/4"));
  const auto node = line_with(screen, "15795");
  CAF_CHECK(node.find("silent") != std::string::npos);
  CAF_CHECK(node.find("28.0s") != std::string::npos);
  CAF_CHECK(shows(screen, "takes connections but does not answer"));
  CAF_CHECK(shows(screen, "feed/BTC-USDT@binance book is none"));
  CAF_CHECK(line_with(screen, "main@binance").find("silent") != std::string::npos);
}

CAF_TEST(the tree at both sizes) {
  for (const auto size : {small, large}) {
    demo_model demo{size};
    const auto screen = demo.page_of('2');
    CAF_CHECK(shows(screen, "▾   supervisor/root (one_for_one, 1)")
              || shows(screen, "▾ supervisor/root (one_for_one, 1)"));
    CAF_CHECK(shows(screen, "supervisor/ingest (one_for_one, 3)"));
    const auto feed = line_with(screen, "feed/BTC-USDT@binance");
    CAF_CHECK(feed.find("running") != std::string::npos);
    CAF_CHECK(line_with(screen, "connector/binance").find('0') != std::string::npos);
    CAF_CHECK_EQUAL(shows(screen, "killed (runtime: killed)"), size.width >= 150);
    demo.model.press({key::glyph, U' '});
    CAF_CHECK(shows(draw(demo.model, true), "▸"));
  }
}

CAF_TEST(top at both sizes) {
  for (const auto size : {small, large}) {
    demo_model demo{size};
    const auto screen = demo.page_of('3');
    CAF_CHECK(shows(screen, "top by mailbox, absolute: 9 of 9 actors"));
    const auto feed = line_with(screen, "BTC-USDT@binance");
    for (const auto* part : {"ingest", "28.0ms", "65.3us"}) CAF_CHECK(feed.find(part) != std::string::npos);
    CAF_CHECK_EQUAL(shows(screen, "LAST ERROR"), size.width >= 160);
    CAF_CHECK_EQUAL(shows(screen, "MSGS"), size.width >= 100);
    type(demo.model, "w");
    CAF_CHECK(shows(draw(demo.model, true), "change over 10.0s"));
    type(demo.model, "/nobody");
    CAF_CHECK(shows(draw(demo.model, true), "filter (part of the name"));
    demo.model.press({key::enter, 0});
    CAF_CHECK(shows(draw(demo.model, true), "no actor matches the filter"));
  }
}

CAF_TEST(an actor page at both sizes) {
  for (const auto size : {small, large}) {
    demo_model demo{size};
    CAF_CHECK(shows(demo.page_of('4'), "no actor chosen"));
    type(demo.model, "gstore");
    demo.model.press({key::enter, 0});
    CAF_CHECK(shows(draw(demo.model, true), "asking ingest for store"));
    actor_detail detail;
    detail.node = "ingest";
    detail.name = "store";
    detail.at = at_second(12);
    read_actor(detail,
               R"({"actor":{"kind":"store","id":21,"mailbox":3,"mailbox_age":40000000,"handler_p50":1000,
      "handler_p99":136820136,"restarts":1,"types":[{"type":"bar_put","count":1778,"p50":1000,"p99":5000}]},
      "errors":[{"ago_ms":1500,"text":"disk full"}],"watchers":["supervisor/ingest"],
    "slot":{"child":{"history":[{"ago_ms":90000,"why":"killed by hand"}]}},
      "state":{"open":true,"puts":608,"learning":{"made":[152,152]}}})");
    demo.model.take(detail);
    const auto screen = draw(demo.model, true);
    CAF_CHECK(shows(screen, "store on ingest"));
    CAF_CHECK(shows(screen, "mailbox 3  oldest waits 40.0ms"));
    const auto row = line_with(screen, "bar_put");
    for (const auto* part : {"1778", "1.0us", "5.0us"}) CAF_CHECK(row.find(part) != std::string::npos);
    CAF_CHECK(shows(screen, "90.0s ago  killed by hand"));
    CAF_CHECK(shows(screen, "1.5s ago  disk full"));
    CAF_CHECK(shows(screen, "supervisor/ingest"));
    // The state follows below, or stands beside it where there is room.
    for (int i = 0; i < 40; ++i) demo.model.press({key::down, 0});
    CAF_CHECK(shows(draw(demo.model, true), "\"puts\": 608"));
  }
}

CAF_TEST(links and tap and log and help at both sizes) {
  for (const auto size : {small, large}) {
    demo_model demo{size};
    const auto links = demo.page_of('5');
    const auto link = line_with(links, "113us");
    for (const auto* part : {"ingest", "exec", "up", "0.03", "125ms"})
      CAF_CHECK(link.find(part) != std::string::npos);
    CAF_CHECK(shows(demo.page_of('6'), "no tap runs"));
    type(demo.model, "tstore");
    demo.model.press({key::enter, 0});
    tap_answer caught;
    caught.node = "ingest";
    caught.seen = 70;
    caught.dropped = 12;
    for (int i = 0; i < 70; ++i)
      caught.lines.push_back({"ingest", "store", "12:00:00.0" + std::to_string(i), "bar_put", "feed/x",
                              "{\"n\":" + std::to_string(i) + "}", 0});
    demo.model.take(caught);
    const auto tap = draw(demo.model, true);
    CAF_CHECK(shows(tap, "tap of store  ingest: 70 seen, 12 not shown"));
    CAF_CHECK(shows(tap, "{\"n\":69}"));
    demo.model.press({key::page_up, 0});
    CAF_CHECK(!shows(draw(demo.model, true), "{\"n\":69}"));
    demo.model.take_log({at_second(10), style::bad, "exec", "does not answer"});
    CAF_CHECK(line_with(demo.page_of('7'), "does not answer").find("2.0s") != std::string::npos);
    const auto help = demo.page_of('?');
    for (const auto* part : {"k kill", "asked twice", "audit.log", "change over 10 s"})
      CAF_CHECK(shows(help, part) || size == small);
    CAF_CHECK(shows(help, "k kill"));
  }
}

CAF_TEST(questions stand at the bottom with what is typed) {
  demo_model demo{small};
  demo.page_of('3');
  type(demo.model, "/executor");
  demo.model.press({key::enter, 0});
  type(demo.model, "ky");
  const auto screen = draw(demo.model, true);
  CAF_CHECK(screen.line(22).find("type the name executor/main@binance: _") != std::string::npos);
  type(demo.model, "exec");
  CAF_CHECK(draw(demo.model, true).line(22).find("executor/main@binance: exec_") != std::string::npos);
}

CAF_TEST(ascii where the terminal knows no more) {
  demo_model demo{large};
  for (const char which : std::string_view{"1234567?"}) {
    const auto screen = demo.page_of(which, false);
    for (const char c : screen.text()) CAF_REQUIRE(c == '\n' || (c >= 32 && c < 127));
  }
}

CAF_TEST(no text of an actor reaches the terminal as a command) {
  demo_model demo{large};
  auto sample = demo_sample("ingest", 20);
  sample.rows[0].name = "evil\x1b[2Jname\r\n\x07";
  sample.rows[0].last_error = "wide \xe4\xbd\xa0\xe5\xa5\xbd and \xe2\x80\xae turned \xff\xfe broken";
  sample.rows[0].mailbox = 1000;
  demo.model.take(sample);
  const auto screen = demo.page_of('3');
  CAF_CHECK(shows(screen, "evil·[2Jname···"));
  for (int y = 0; y < screen.height(); ++y) {
    for (const char c : screen.line(y)) CAF_REQUIRE(static_cast<unsigned char>(c) >= 32);
    CAF_CHECK(code_points(screen.line(y)) <= 200);
  }
}

CAF_TEST(every size is drawn) {
  demo_model demo{small};
  for (int width = 1; width <= 220; width += 13)
    for (int height = 1; height <= 70; height += 7)
      for (const char which : std::string_view{"1234567?"}) {
        demo.model.resize({width, height});
        const auto screen = demo.page_of(which);
        CAF_CHECK_EQUAL(screen.width(), width);
        CAF_CHECK_EQUAL(screen.height(), height);
      }
}
