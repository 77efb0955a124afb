#pragma once

/// Answers of nodes as the demonstration's nodes gave them, made small, and clusters of any size.

#include "tools/console/console_model.hpp"
#include "tools/console/sample_reader.hpp"

#include <random>
#include <string>

namespace troupe::test {

using namespace troupe::console;

inline constexpr std::int64_t second = 1'000'000'000;
inline steady_time at_second(std::int64_t s) { return {1000 * second + s * second}; }

inline const std::vector<std::pair<std::string, std::string>>& demo_nodes() {
  static const std::vector<std::pair<std::string, std::string>> nodes{{"ingest", "127.0.0.1:53541"},
                                                                      {"exec", "127.0.0.1:44343"},
                                                                      {"model", "127.0.0.1:58355"},
                                                                      {"train", "127.0.0.1:49357"}};
  return nodes;
}

inline actor_row actor(std::string name, std::string parent, std::int64_t mailbox, std::int64_t messages,
                       std::int64_t p99) {
  actor_row row;
  row.kind = name.substr(0, name.find('/'));
  row.name = std::move(name);
  row.parent = std::move(parent);
  row.id = 20;
  row.mailbox = mailbox;
  row.mailbox_age = mailbox > 0 ? 4'000'000 * mailbox : 0;
  row.messages = messages;
  row.rate = messages / 24;
  row.errors = 0;
  row.restarts = 0;
  row.p50 = p99 / 6;
  row.p99 = p99;
  row.age = 24 * second;
  row.running = 0;
  row.parked = 0;
  row.unexpected = 0;
  return row;
}

/// The node's status page of the demonstration, shortened.
inline constexpr std::string_view ingest_status = R"({"node":"ingest","incarnation":1795354923,
"build":"0.1.0-1553649845c0","schema":"338bdfb64f6f0f1f","pid":15794,"uptime_ms":23604,"port":53541,
"threads":2,
"roles":["ingest","gateway"],"membership":{"node":"ingest","incarnation":1795354923,"name_conflicts":0,
"asks_failed":0,"peers":[{"node":"exec","state":"up","incarnation":1795354923,"suspicion":0.03,
"warning":false,
"settled":false,"silence_ms":125,"round_trip_us":113,"in_state_ms":23552,"joins":1,
"build":"0.1.0-1553649845c0",
"names":4,"last_trouble":""},{"node":"model","state":"down","incarnation":1795354926,"suspicion":8.5,
"warning":true,
"settled":true,"silence_ms":9125,"round_trip_us":1495,"in_state_ms":7552,"joins":2,
"build":"0.1.0-1553649845c0",
"names":0,"last_trouble":"silent for 1.5 s"}]},"source":"looped"})";

inline constexpr std::string_view ingest_tree =
    R"json({"name":"supervisor/root","strategy":"one_for_one","intensity":5,
"period_ms":60000,"stopping":false,"counts":{"specs":1,"active":1,"supervisors":1,"workers":0},
"causes":[],"children":[
{"id":"supervisor/ingest","state":"running","kind":"supervisor","restart":"permanent","restarts":0,
"incarnation":1,
"last_error":"","tree":{"name":"supervisor/ingest","strategy":"one_for_one","counts":{"specs":3,"active":3,
"supervisors":0,"workers":3},"causes":[],"children":[
{"id":"store","state":"running","kind":"worker","restart":"permanent","restarts":0,"incarnation":1,
"last_error":""},
{"id":"connector/binance","state":"running","kind":"worker","restart":"permanent","restarts":0,
"incarnation":1,"last_error":""},
{"id":"feed/BTC-USDT@binance","state":"running","kind":"worker","restart":"permanent","restarts":2,
"incarnation":3,
"last_error":"killed (runtime: killed)"}]}}]})json";

inline constexpr std::string_view feed_report =
    R"({"instrument":"BTC-USDT@binance","validity":"valid","frames":266086,
"gaps":0,"crossed":0,"resyncs":0,"clock_offset":263000000,"lag_p50":263000000,"lag_p99":2347000000,
"age":8779800,
"family":"ranged","bid":"61165.78","bid_size":"5.34433","ask":"61165.79","ask_size":"0.1"})";

inline constexpr std::string_view executor_report =
    R"({"account":"main@binance","state":2,"epoch":1,"intents":252,
"orders":205,"fills":84,"live_orders":0,"unknown_orders":0,"equity":"1611650.96458295",
"position":"0.00182897",
"state_name":"live","alarms":0,"session_up":true,"halt":"active",
"instruments":[{"instrument":"BTC-USDT@binance",
"position":"0.00182897","average_price":"61142.75","realised":"-6.92754737","target":"-0.00661"}],
"open_orders":[]})";

inline constexpr std::string_view model_report = R"({"model":"cnn","ready":true,
"serving":"e55d4e0122f663159e8a893ae723a4d37b2ed9f30233c5029fb47e5aa31f8e3a","step":21,"inferences":608,
"batches":170,
"mean_batch":3.58,"p50_us":1044.5,"p99_us":13172.7,"last_refusal":""})";

inline constexpr std::string_view trainer_report = R"({"model":"cnn","steps":23,"trained":192,"loss":1.120715,
"weights":"e55d4e0122f663159e8a893ae723a4d37b2ed9f30233c5029fb47e5aa31f8e3a","last_refusal":""})";

/// One answer of each of the demonstration's nodes. `round` counts seconds: counters grow with it.
inline node_sample demo_sample(const std::string& node, std::int64_t round) {
  node_sample out;
  out.node = node;
  out.at = at_second(round);
  out.incarnation = 1795354923;
  out.pid = node == "ingest" ? 15794 : node == "exec" ? 15795 : node == "model" ? 15796 : 15797;
  out.uptime = (23 + round) * second;
  out.memory = 70'656'000;
  out.cpu = second + round * second / 8;
  out.whole = true;
  out.has_rows = true;
  if (node == "ingest") {
    read_node(out, ingest_status);
    out.links.pop_back();
    out.tree = read_tree(ingest_tree);
    out.has_tree = true;
    read_report(out, "feed/BTC-USDT@binance", feed_report);
    out.rows = {actor("connector/binance", "supervisor/ingest", 0, 1215 + 51 * round, 40'192),
                actor("feed/BTC-USDT@binance", "supervisor/ingest", 7, 266'086 + 11'000 * round, 65'280),
                actor("predictor/BTC-USDT@binance/15m", "supervisor/ingest", 2, 1500 + 6 * round, 905'280),
                actor("store", "supervisor/ingest", 0, 2400 + 40 * round, 136'820'136),
                actor("member", "", 0, 400 + 9 * round, 30'000)};
    out.rows[1].restarts = 2;
    out.rows[1].last_error = "killed (runtime: killed)";
  } else if (node == "exec") {
    out.roles = "execution";
    read_report(out, "executor/main@binance", executor_report);
    read_report(out, "risk", R"({"state":"active","who":"","reason":""})");
    out.rows = {actor("executor/main@binance", "supervisor/main@binance", 0, 13'747 + 580 * round, 65'280),
                actor("journal/main@binance", "supervisor/main@binance", 1, 1115 + 40 * round, 2'540'400)};
  } else if (node == "model") {
    out.roles = "model";
    read_report(out, "model/cnn", model_report);
    out.rows = {actor("model/cnn", "supervisor/model", 0, 640 + 26 * round, 13'172'700)};
  } else {
    out.roles = "train";
    read_report(out, "trainer/cnn", trainer_report);
    out.rows = {actor("trainer/cnn", "supervisor/train", 0, 210 + 8 * round, 90'000'000)};
  }
  out.actors = static_cast<std::int64_t>(out.rows.size());
  std::int64_t messages = 0;
  for (const auto& row : out.rows) messages += row.messages.value_or(0);
  out.messages = messages;
  return out;
}

inline void demo_round(console_model& model, std::int64_t round) {
  for (const auto& [name, place] : demo_nodes()) model.take(demo_sample(name, round));
  model.at(at_second(round));
}

/// A node with many actors, of which some come, go and restart in each round.
class crowd {
public:
  crowd(std::size_t actors, std::uint64_t seed) : random_{seed} {
    for (std::size_t i = 0; i < actors; ++i) rows_.push_back(newcomer());
  }

  node_sample round(std::int64_t number) {
    for (auto& row : rows_) {
      const auto handled = static_cast<std::int64_t>(random_() % 100);
      row.messages = *row.messages + handled;
      row.rate = handled;
      row.mailbox = static_cast<std::int64_t>(random_() % 1000 == 0 ? random_() % 5000 : random_() % 3);
    }
    for (std::size_t i = 0; i < rows_.size() / 100; ++i) rows_[random_() % rows_.size()] = newcomer();
    for (std::size_t i = 0; i < rows_.size() / 100; ++i) {
      auto& row = rows_[random_() % rows_.size()];
      row.restarts = *row.restarts + 1;
      row.messages = 0;
    }
    node_sample out;
    out.node = "ingest";
    out.at = at_second(number);
    out.pid = 7;
    out.incarnation = 1;
    out.whole = true;
    out.has_rows = true;
    out.rows = rows_;
    out.actors = static_cast<std::int64_t>(rows_.size());
    return out;
  }

private:
  actor_row newcomer() {
    auto row = actor("worker/" + std::to_string(next_++), "supervisor/crowd", 0, 24, 50'000);
    row.messages = 0;
    return row;
  }

  std::mt19937_64 random_;
  std::vector<actor_row> rows_;
  std::size_t next_ = 0;
};

inline void type(console_model& model, std::string_view text) {
  for (const char c : text) model.press({key::glyph, static_cast<char32_t>(c)});
}

} // namespace troupe::test
