// The session with a protocol of another shape than Binance's: a greeting, heartbeats of ours, answers by
// topic, images in band.

#define CAF_SUITE market_session
#include <caf/test/unit_test.hpp>

#include "actors/connectors/market_session.hpp"

#include <algorithm>
#include <random>
#include <sstream>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

// --- a protocol of words --------------------------------------------------------------------------

/// "data TOPIC SYMBOL NUMBER", "ack TOPIC", "ack", "no TOPIC WHY", "welcome", "ping N", "bye", "broken",
/// "error WHY", "beat"; all else is damaged.
class word_protocol final : public market_protocol {
public:
  explicit word_protocol(const protocol_traits& traits) : traits_{traits} {}

  [[nodiscard]] const protocol_traits& traits() const noexcept override { return traits_; }
  std::vector<std::string> begin() override { return {"hello"}; }
  std::vector<market_command> subscribe(std::span<const market_topic> topics) override {
    return commands("sub", topics, true);
  }
  std::vector<market_command> unsubscribe(std::span<const market_topic> topics) override {
    return commands("unsub", topics, false);
  }
  std::string heartbeat() override { return "beat"; }

  const inbound& take(std::string_view frame) noexcept override {
    in_ = {};
    in_.text = text_ = frame;
    words_.clear();
    std::istringstream stream{text_};
    for (std::string word; stream >> word;) words_.push_back(word);
    read();
    return in_;
  }

private:
  void read() {
    const auto count = words_.size();
    const auto& kind = count == 0 ? std::string{} : words_[0];
    in_.kind = inbound_kind::damaged;
    if (count == 4 && kind == "data") {
      in_.kind = inbound_kind::data;
      in_.topic = words_[1];
      symbol_ = words_[2];
      in_.symbols = {&symbol_, 1};
      in_.sequence = std::stoull(words_[3]);
    } else if (count >= 1 && kind == "ack") {
      in_.kind = inbound_kind::acknowledged;
      if (count > 1) in_.topic = words_[1];
    } else if (count == 3 && kind == "no") {
      in_.kind = inbound_kind::refused;
      in_.topic = words_[1];
      in_.why = words_[2];
    } else if (count == 2 && kind == "ping") {
      in_.kind = inbound_kind::alive;
      replies_ = {"pong " + words_[1]};
      in_.replies = replies_;
    } else if (count == 2 && kind == "error") {
      in_.kind = inbound_kind::failure;
      in_.why = words_[1];
    } else if (kind == "welcome") in_.kind = inbound_kind::welcome;
    else if (kind == "bye") in_.kind = inbound_kind::shutdown;
    else if (kind == "broken") in_.kind = inbound_kind::broken;
    else if (kind == "beat") in_.kind = inbound_kind::alive;
  }

  std::vector<market_command> commands(const std::string& verb, std::span<const market_topic> topics,
                                       bool answered) {
    std::vector<market_command> out;
    for (std::size_t i = 0; i < topics.size(); i += traits_.topics_per_message) {
      auto& each = out.emplace_back();
      each.text = verb;
      for (std::size_t j = i; j < std::min(topics.size(), i + traits_.topics_per_message); ++j) {
        each.text += " " + topics[j].name;
        if (answered) each.topics.push_back(topics[j].name);
      }
    }
    return out;
  }

  protocol_traits traits_;
  inbound in_;
  std::string text_;
  std::vector<std::string> words_;
  std::string_view symbol_;
  std::vector<std::string> replies_;
};

// --- the world ------------------------------------------------------------------------------------

struct sent_text {
  steady_time at;
  std::uint64_t socket;
  std::string text;
};

struct recorded_world final : market_session_port {
  void open(std::uint64_t socket, const std::string& target) override {
    opens.emplace_back(now, socket);
    targets.push_back(target);
  }
  void close(std::uint64_t socket, const std::string& why) override { closes.emplace_back(socket, why); }
  void send(std::uint64_t socket, std::string text) override {
    sent.push_back({now, socket, std::move(text)});
  }
  void deliver(const inbound& frame, market_time) override { delivered.emplace_back(frame.text); }
  void changed(session_state state, const std::string& why) override {
    states.emplace_back(state, why);
    delivered.push_back(state == session_state::connected ? "[connected]" : "[other]");
  }

  [[nodiscard]] std::uint64_t newest() const { return opens.back().second; }
  [[nodiscard]] bool closed(std::uint64_t socket) const {
    return std::any_of(closes.begin(), closes.end(), [&](const auto& each) { return each.first == socket; });
  }
  [[nodiscard]] std::size_t count(std::string_view start) const {
    const auto fits = [&](const sent_text& each) { return each.text.starts_with(start); };
    return static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), fits));
  }

  steady_time now{1'000'000'000'000};
  std::vector<std::pair<steady_time, std::uint64_t>> opens;
  std::vector<std::string> targets;
  std::vector<std::pair<std::uint64_t, std::string>> closes;
  std::vector<sent_text> sent;
  std::vector<std::string> delivered; ///< frames, and marks of state between them
  std::vector<std::pair<session_state, std::string>> states;
};

market_session_options word_options() {
  market_session_options out;
  out.plan.target = "/feed";
  out.plan.topics = {{topic_kind::book, "A", "book.A"}, {topic_kind::trades, "A", "trades.A"},
                     {topic_kind::book, "B", "book.B"}};
  out.traits.heartbeat_every = 18s;
  out.traits.silence_limit = 40s;
  out.traits.messages_per_second = 5;
  out.traits.topics_per_message = 2;
  out.traits.waits_for_welcome = true;
  out.traits.book_quiet = 30s;
  out.traits.trades_quiet = 10min;
  out.traits.connects = 20;
  out.traits.connects_within = 1min;
  out.seed = 5;
  return out;
}

struct word_fixture {
  explicit word_fixture(market_session_options how = word_options())
      : traits{how.traits}, budget{{.limits = {{"connects", traits.connects_within, traits.connects}}}},
        subject{with_protocol(std::move(how)), world, budget} {
    subject.start(world.now);
  }
  static market_session_options with_protocol(market_session_options how) {
    how.protocol = [traits = how.traits] { return std::make_unique<word_protocol>(traits); };
    return how;
  }
  void advance(nanoseconds by, nanoseconds step = 50ms) {
    const auto until = world.now + by;
    while (world.now < until) {
      world.now = world.now + std::min(step, until - world.now);
      subject.tick(world.now);
    }
  }
  void hear(std::uint64_t socket, const std::string& text) {
    subject.on_frame(socket, text, {world.now.ns}, world.now);
  }
  void hear(const std::string& text) { hear(world.newest(), text); }
  void data(std::uint64_t socket, const std::string& topic, std::uint64_t number) {
    hear(socket, "data " + topic + " " + topic.substr(topic.find('.') + 1) + " " + std::to_string(number));
  }
  void greet() {
    subject.on_open(world.newest(), world.now);
    hear("welcome");
  }
  void acknowledge() {
    for (const char* topic : {"book.A", "trades.A", "book.B"}) hear(std::string{"ack "} + topic);
  }
  void connect() {
    greet();
    acknowledge();
  }
  /// The books go on for a while on the newest socket.
  void live(nanoseconds by, bool both = true) {
    const auto until = world.now + by;
    while (world.now < until) {
      advance(500ms);
      ++number;
      data(world.newest(), "book.A", number);
      if (both) data(world.newest(), "book.B", number);
    }
  }
  [[nodiscard]] session_state state() const { return subject.state(); }

  protocol_traits traits;
  recorded_world world;
  rate_budget budget;
  market_session subject;
  std::uint64_t number = 100;
};

std::size_t most_within(const std::vector<steady_time>& events, nanoseconds window) {
  std::size_t most = 0;
  for (std::size_t i = 0, from = 0; i < events.size(); ++i) {
    while (events[i] - events[from] >= window) ++from;
    most = std::max(most, i - from + 1);
  }
  return most;
}

} // namespace

CAF_TEST(nothing is said before the welcome and each topic is answered) {
  word_fixture f;
  CAF_CHECK(f.world.targets[0] == "/feed");
  f.subject.on_open(1, f.world.now);
  f.advance(2s);
  CAF_CHECK(f.world.sent.empty());
  f.hear("welcome");
  CAF_REQUIRE_EQUAL(f.world.sent.size(), 3u);
  CAF_CHECK(f.world.sent[0].text == "hello");
  CAF_CHECK(f.world.sent[1].text == "sub book.A trades.A");
  CAF_CHECK(f.world.sent[2].text == "sub book.B");
  f.hear("ack trades.A");
  f.hear("ack book.B");
  CAF_CHECK(f.state() == session_state::connecting);
  f.hear("ack book.A");
  CAF_CHECK(f.state() == session_state::connected);
}

CAF_TEST(an answer without a name is for the oldest command and data is an answer) {
  word_fixture f;
  f.greet();
  f.hear("ack");
  CAF_CHECK(f.state() == session_state::connecting);
  f.data(1, "book.B", 1);
  CAF_CHECK(f.state() == session_state::connected);
  f.hear("ack"); // nobody waits for it
  CAF_CHECK_EQUAL(f.subject.counters().unknown, 1u);
}

CAF_TEST(a venue that never greets is left) {
  word_fixture f;
  f.subject.on_open(1, f.world.now);
  f.advance(31s);
  CAF_CHECK(f.world.closed(1));
  CAF_CHECK(f.state() == session_state::reconnecting);
  CAF_CHECK(f.world.sent.empty());
}

CAF_TEST(heartbeats go out in time and silence replaces the socket) {
  auto how = word_options();
  how.traits.silence_limit = 25s;
  word_fixture f{how};
  f.connect();
  f.live(60s);
  std::vector<steady_time> beats;
  for (const auto& each : f.world.sent)
    if (each.text == "beat") beats.push_back(each.at);
  CAF_REQUIRE_EQUAL(beats.size(), 3u);
  for (std::size_t i = 1; i < beats.size(); ++i) CAF_CHECK(beats[i] - beats[i - 1] <= 18100ms);
  const auto silent = f.world.now;
  while (!f.world.closed(1)) f.advance(100ms);
  CAF_CHECK(f.world.now - silent >= 24s && f.world.now - silent <= 26s);
  CAF_CHECK(f.world.states.back().second.find("nothing heard") != std::string::npos);
}

CAF_TEST(replies go before everything that waits and count as messages) {
  auto how = word_options();
  for (int i = 0; i < 40; ++i) {
    const auto symbol = "S" + std::to_string(i);
    how.plan.topics.push_back({topic_kind::book, symbol, "book." + symbol});
  }
  word_fixture f{how};
  f.greet();
  CAF_CHECK_EQUAL(f.world.sent.size(), 5u);
  f.advance(500ms);
  f.hear("ping 7");
  f.advance(600ms);
  CAF_REQUIRE(f.world.sent.size() > 5);
  CAF_CHECK(f.world.sent[5].text == "pong 7");
  f.advance(10s);
  std::vector<steady_time> sends;
  for (const auto& each : f.world.sent) sends.push_back(each.at);
  CAF_CHECK(most_within(sends, 1s) <= 5u);
}

CAF_TEST(a new image is asked for in band and not too often) {
  word_fixture f;
  f.connect();
  f.live(5s);
  const auto sent = f.world.sent.size();
  f.subject.resync("A");
  f.subject.resync("A");
  f.live(1s);
  CAF_REQUIRE_EQUAL(f.world.sent.size(), sent + 2);
  CAF_CHECK(f.world.sent[sent].text == "unsub book.A");
  CAF_CHECK(f.world.sent[sent + 1].text == "sub book.A");
  f.hear("ack book.A");
  // A feed that finds fault with every image.
  for (int i = 0; i < 120; ++i) {
    f.subject.resync("A");
    f.live(500ms);
    f.hear("ack book.A");
  }
  // Five at a second, then 2, 4, 8, 16 and 32 s apart.
  CAF_CHECK(f.world.count("unsub book.A") <= 10u);
  CAF_CHECK(f.world.count("unsub book.A") >= 5u);
  CAF_CHECK_EQUAL(f.world.count("unsub book.B"), 0u);
  CAF_CHECK(f.state() == session_state::connected);
  CAF_CHECK_EQUAL(f.subject.counters().resyncs, f.world.count("unsub book.A"));
  for (int i = 0; i < 240; ++i) {
    f.live(500ms);
    f.hear("ack book.A");
  }
  const auto before = f.world.count("unsub book.A");
  f.subject.resync("A");
  f.live(1s);
  CAF_CHECK_EQUAL(f.world.count("unsub book.A"), before + 1); // at once again after a calm
}

CAF_TEST(a refused topic is shown and the others live) {
  word_fixture f;
  f.greet();
  f.hear("ack book.A");
  f.hear("ack trades.A");
  f.hear("no book.B unknown-symbol");
  CAF_CHECK(f.state() == session_state::connected);
  CAF_CHECK(f.subject.refused().empty());
  for (int i = 0; i < 2; ++i) {
    f.live(5s, false);
    f.hear("no book.B unknown-symbol");
  }
  CAF_CHECK_EQUAL(f.world.count("sub book.B"), 3u);
  const auto shown = f.subject.refused();
  CAF_REQUIRE_EQUAL(shown.size(), 1u);
  CAF_CHECK(shown[0].first == "book.B" && shown[0].second == "unknown-symbol");
  // Its silence is no reason to replace the socket.
  f.live(150s, false);
  CAF_CHECK_EQUAL(f.world.opens.size(), 1u);
  CAF_CHECK_EQUAL(f.world.count("sub book.B"), 3u);
  // A new connection tries anew.
  f.subject.on_closed(1, "gone", 0, f.world.now);
  f.advance(1s);
  f.greet();
  CAF_CHECK_EQUAL(f.subject.refused().size(), 1u);
  f.acknowledge();
  CAF_CHECK(f.subject.refused().empty());
}

CAF_TEST(a venue that took us again refuses for the first time) {
  word_fixture f;
  f.connect();
  for (int n = 0; n < 4; ++n) {
    f.live(5s);
    f.subject.on_closed(f.world.newest(), "gone", 0, f.world.now);
    const auto before = f.world.opens.size();
    f.advance(1s);
    CAF_REQUIRE_EQUAL(f.world.opens.size(), before + 1);
    f.subject.on_closed(f.world.newest(), "refused", 429, f.world.now);
    f.advance(9s);
    CAF_CHECK_EQUAL(f.world.opens.size(), before + 1); // the pause after a 429 is ten seconds
    f.advance(3s);
    CAF_REQUIRE_EQUAL(f.world.opens.size(), before + 2); // each time, not twice as long as the last time
    f.connect();
  }
}

CAF_TEST(a broken sequence of the connection taints everything on it) {
  word_fixture f;
  f.connect();
  f.live(5s);
  f.hear("broken");
  CAF_CHECK(f.world.closed(1));
  CAF_CHECK(f.state() == session_state::reconnecting);
  CAF_CHECK_EQUAL(f.subject.counters().sequence_breaks, 1u);
  const auto delivered = f.world.delivered.size();
  f.data(1, "book.A", 999);
  CAF_CHECK_EQUAL(f.world.delivered.size(), delivered);
  f.advance(1s);
  CAF_REQUIRE_EQUAL(f.world.opens.size(), 2u);
  f.connect();
  CAF_CHECK(f.state() == session_state::connected);
}

CAF_TEST(without numbers the stand-in takes over once every book has begun on it) {
  auto how = word_options();
  how.traits.rotation = 60s;
  word_fixture f{how};
  f.connect();
  f.number = 0; // this venue numbers nothing
  const auto books = [&](std::uint64_t socket) {
    f.data(socket, "book.A", 0);
    f.data(socket, "book.B", 0);
  };
  while (f.world.opens.size() == 1) {
    f.advance(500ms);
    books(1);
  }
  CAF_CHECK(!f.world.closed(1));
  f.connect();
  f.hear(2, "data book.A A 0");
  books(1);
  CAF_CHECK(!f.world.closed(1)); // B has not begun
  f.world.delivered.clear();
  f.hear(2, "data book.B B 0");
  CAF_CHECK(f.world.closed(1));
  const std::vector<std::string> expected{"[other]", "data book.A A 0", "data book.B B 0", "[connected]"};
  CAF_CHECK(f.world.delivered == expected);
  CAF_CHECK_EQUAL(f.subject.counters().replacements, 1u);
  CAF_CHECK_EQUAL(f.subject.counters().breaks, 0u);
}

CAF_TEST(with numbers the change is not seen) {
  auto how = word_options();
  how.traits.rotation = 60s;
  word_fixture f{how};
  f.connect();
  while (f.world.opens.size() == 1) {
    f.advance(500ms);
    ++f.number;
    f.data(1, "book.A", f.number);
    f.data(1, "book.B", f.number);
  }
  const auto last = f.number;
  f.connect();
  f.world.delivered.clear();
  // The image of the new socket is as new as what was delivered, for one book, and newer for the other.
  f.data(2, "book.A", last);
  f.data(2, "book.B", last + 1);
  CAF_CHECK(!f.world.closed(1));
  f.data(1, "book.B", last + 1);
  CAF_CHECK(f.world.closed(1));
  f.data(2, "book.A", last + 1);
  const std::vector<std::string> expected{"data book.B B " + std::to_string(last + 1),
                                          "data book.A A " + std::to_string(last + 1)};
  CAF_CHECK(f.world.delivered == expected);
  CAF_CHECK_EQUAL(f.subject.counters().rotations, 1u);
  CAF_CHECK_EQUAL(f.subject.counters().duplicates, 2u);
}

CAF_TEST(a stand-in that lives takes over when the socket breaks) {
  word_fixture f;
  f.connect();
  f.live(2s);
  f.hear("bye");
  CAF_REQUIRE_EQUAL(f.world.opens.size(), 2u);
  f.connect();
  f.data(2, "book.A", f.number + 5);
  f.subject.on_closed(1, "gone", 0, f.world.now);
  CAF_CHECK(f.state() == session_state::connected);
  CAF_CHECK(f.world.delivered.back() == "[connected]");
  CAF_CHECK_EQUAL(f.world.opens.size(), 2u);
  const auto at = std::find(f.world.delivered.begin(), f.world.delivered.end(),
                            "data book.A A " + std::to_string(f.number + 5));
  CAF_REQUIRE(at != f.world.delivered.end());
  CAF_CHECK(*std::prev(at) == "[other]"); // the books begin anew
}

CAF_TEST(quiet trades are asked for again and never cost the socket) {
  auto how = word_options();
  how.traits.trades_quiet = 60s;
  word_fixture f{how};
  f.connect();
  for (int i = 0; i < 1200; ++i) {
    f.live(500ms);
    if (i % 10 == 0) f.hear("ack trades.A");
  }
  CAF_CHECK_EQUAL(f.world.opens.size(), 1u);
  CAF_CHECK(f.world.count("unsub trades.A") >= 4u);
  // A silent book does.
  const auto begin = f.world.now;
  while (!f.world.closed(1) && f.world.now - begin < 5min) {
    f.live(500ms, false);
    f.hear("ack book.B");
    f.hear("ack trades.A");
  }
  CAF_CHECK(f.world.closed(1));
  CAF_CHECK(f.world.now - begin >= 59s && f.world.now - begin <= 62s);
}

CAF_TEST(what can not be read is kept in small and errors are shown) {
  word_fixture f;
  f.connect();
  for (int i = 0; i < 30; ++i) f.hear("rubbish " + std::to_string(i) + std::string(1000, 'x'));
  f.hear("error too-many-requests");
  CAF_CHECK_EQUAL(f.subject.counters().damaged, 30u);
  CAF_CHECK_EQUAL(f.subject.damaged().size(), 8u);
  for (const auto& head : f.subject.damaged()) CAF_CHECK(head.size() <= 200u);
  CAF_CHECK(f.subject.damaged().back().starts_with("rubbish 29"));
  CAF_CHECK(f.subject.last_failure() == "too-many-requests");
  CAF_CHECK(f.state() == session_state::connected);
}

CAF_TEST(a pause of ours is not held against the venue) {
  word_fixture f;
  f.connect();
  f.live(2s);
  f.subject.pause(true, f.world.now);
  f.advance(5min);
  CAF_CHECK(!f.world.closed(1));
  CAF_CHECK(f.world.count("beat") >= 15u); // the venue must not think us dead
  f.subject.pause(false, f.world.now);
  f.live(10s);
  CAF_CHECK_EQUAL(f.world.opens.size(), 1u);
  CAF_CHECK(f.state() == session_state::connected);
}

// --- property -------------------------------------------------------------------------------------

namespace {

/// A venue with two books of its own numbers, and a feed of each that asks for a new image whenever a number is
/// missing. What the feeds take for true must be what the venue had.
struct two_books {
  explicit two_books(word_fixture& of) : f{of} {}

  void opened(std::uint64_t socket) { subscribed[socket] = {}; }
  /// Works off what the session has said since.
  void answer() {
    for (; read < f.world.sent.size(); ++read) {
      const auto said = f.world.sent[read];
      std::istringstream words{said.text};
      std::string verb, topic;
      words >> verb;
      while (words >> topic) {
        auto& on = subscribed[said.socket];
        if (verb == "unsub") on.erase(topic);
        if (verb != "sub" || f.world.closed(said.socket)) continue;
        on.insert(topic);
        f.hear(said.socket, "ack " + topic);
        if (topic.starts_with("book")) f.data(said.socket, topic, numbers[topic]);
      }
    }
    take();
  }
  /// A change of each book; a frame in `lose_one_in` is lost on its way.
  void step(std::mt19937_64& random, unsigned lose_one_in) {
    for (const std::string topic : {"book.A", "book.B"}) {
      const auto next = ++numbers[topic];
      for (const auto& [socket, topics] : subscribed) {
        if (f.world.closed(socket) || !topics.contains(topic)) continue;
        if (lose_one_in > 0 && random() % lose_one_in == 0) continue;
        f.data(socket, topic, next);
      }
    }
    take();
  }
  /// The feeds: a number that follows is a change; after a break or a gap only an image (any number) counts.
  void take() {
    for (; taken < f.world.delivered.size(); ++taken) {
      const auto& text = f.world.delivered[taken];
      if (text == "[other]") held.clear();
      if (!text.starts_with("data book")) continue;
      std::istringstream words{text};
      std::string verb, topic, symbol;
      std::uint64_t number = 0;
      words >> verb >> topic >> symbol >> number;
      auto& mine = held[topic];
      if (mine == 0 || number == mine + 1) mine = number;
      else if (number != mine) {
        mine = 0;
        ++gaps;
        f.subject.resync(symbol);
      }
    }
  }

  word_fixture& f;
  std::map<std::uint64_t, std::set<std::string>> subscribed;
  std::map<std::string, std::uint64_t> numbers{{"book.A", 1}, {"book.B", 1}};
  std::map<std::string, std::uint64_t> held;
  std::size_t read = 0, taken = 0;
  std::uint64_t gaps = 0;
};

} // namespace

CAF_TEST(whatever the venue does the limits hold and the books come back) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 40; ++round) {
    auto how = word_options();
    how.seed = random();
    how.traits.rotation = 40s;
    how.traits.waits_for_welcome = random() % 2 == 0;
    how.overlap_deadline = 5s;
    how.breaker_pause = 3s;
    how.backoff_most = 2s;
    word_fixture f{how};
    two_books venue{f};
    std::uint64_t opened = 0;
    const auto serve = [&](bool kind) {
      while (opened < f.world.newest()) {
        if (!kind && random() % 4 == 0) break;
        ++opened;
        if (!kind && random() % 5 == 0) {
          f.subject.on_closed(opened, "refused", random() % 8 == 0 ? 429 : 0, f.world.now);
          continue;
        }
        venue.opened(opened);
        f.subject.on_open(opened, f.world.now);
        f.hear(opened, "welcome");
      }
      venue.answer();
    };
    for (int i = 0; i < 3000; ++i) {
      f.advance(std::chrono::milliseconds{1 + random() % 200});
      serve(false);
      venue.step(random, 200);
      const auto any = 1 + random() % f.world.newest();
      switch (random() % 200) {
      case 0: f.subject.on_closed(any, "reset", 0, f.world.now); break;
      case 1: f.hear(any, "broken"); break;
      case 2: f.hear(any, "bye"); break;
      case 3: f.hear(any, "no book.A no-such-thing"); break;
      case 4: f.hear(any, "no trades.A no-such-thing"); break;
      case 5: f.hear(any, "ack"); break;
      case 6: f.hear(any, "\xff\xfe rubbish"); break;
      case 7: f.subject.pause(true, f.world.now), f.subject.pause(false, f.world.now); break;
      case 8: f.subject.on_ping(any, f.world.now); break;
      default: break;
      }
    }
    std::vector<steady_time> opens;
    for (const auto& each : f.world.opens) opens.push_back(each.first);
    CAF_REQUIRE(most_within(opens, 1min) <= 20u);
    std::map<std::uint64_t, std::vector<steady_time>> sends;
    for (const auto& each : f.world.sent) sends[each.socket].push_back(each.at);
    for (const auto& each : sends) CAF_REQUIRE(most_within(each.second, 1s) <= 5u);
    // Left in peace: connected, both books held, at the venue's own numbers.
    for (int i = 0; i < 1200; ++i) {
      f.advance(100ms);
      serve(true);
      venue.step(random, 0);
    }
    CAF_REQUIRE(f.state() == session_state::connected);
    for (const auto& [topic, number] : venue.numbers) CAF_REQUIRE_EQUAL(venue.held[topic], number);
  }
}
