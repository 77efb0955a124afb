#include "tools/feed_verify/verify_all.hpp"

#include "messages/json.hpp"
#include "tools/feed_verify/feed_verify.hpp"
#include "tools/feed_verify/venue_texts.hpp"

#include <algorithm>
#include <ostream>
#include <set>

namespace troupe {
namespace {

using path = std::filesystem::path;

// --- Binance, through the whole feed --------------------------------------------------------------

/// One recording of Binance; the expectations file speaks of all but the first.
struct binance_plan {
  std::vector<std::string> files;
  std::string venue;
  bool expected = true;
  std::vector<known_figure> known = {};
  std::string remark = {};
};

std::vector<binance_plan> binance_plans() {
  const std::string tapes = "nkaz001+hftbacktest/examples/";
  const std::string two_way = "bmoscon+cryptofeed/sample_data/";
  const std::string delivery = "coin-margined futures: the futures' rules, not one of the venues";
  const auto pair = [&](const char* name) {
    return std::vector<std::string>{two_way + name + ".http.0.0", two_way + name + ".ws.1.0"};
  };
  return {
      {{tapes + "spot/btcusdt_20240808.gz"}, "binance", false,
       {{"applied", 3449}, {"stale", 2}, {"last_update_id", 50093421584}, {"bid_levels", 1209}, {"ask_levels", 2196},
        {"trades", 9757}, {"best_compared", 564}}},
      {{tapes + "spot/btcusdt_20240808.gz", tapes + "spot/btcusdt_20240809.gz"}, "binance"},
      {{tapes + "usdm/btcusdt_20240808.gz"}, "binance-usdm"},
      {{tapes + "cm/btcusd_perp_20240808.gz"}, "binance-usdm", false,
       {{"applied", 26824}, {"stale", 23}, {"last_update_id", 1007202248021}, {"bid_levels", 1110}, {"ask_levels", 1123},
        {"trades", 2286}, {"best_compared", 1124}}, delivery},
      {{tapes + "cm/btcusd_perp_20240808.gz", tapes + "cm/btcusd_perp_20240809.gz"}, "binance-usdm", true, {}, delivery},
      {pair("BINANCE"), "binance", true, {{"applied", 172}, {"stale", 5}}},
      {pair("BINANCE_US"), "binance", true, {{"applied", 332}, {"stale", 4}}},
      {pair("BINANCE_FUTURES"), "binance-usdm", true, {{"applied", 752}, {"stale", 12}}},
  };
}

void add_feed(file_report& out, const feed_figures& f) {
  auto& figures = out.figures;
  figures["messages"] += f.report.frames;
  figures["damaged"] += f.report.damaged_frames;
  figures["passed_over"] += f.report.unknown_frames;
  figures["applied"] += f.report.diffs_applied;
  figures["stale"] += f.report.diffs_stale;
  figures["gaps"] += f.report.gaps;
  figures["crossed"] += f.report.crossed;
  figures["trades"] += f.report.trades;
  figures["best"] += f.best_frames;
  figures["best_compared"] += f.agreement.equal_number;
  figures["best_equal"] += f.agreement.equal_number_agreed;
  figures["minutes"] += f.minutes.size();
  figures["bid_levels"] += f.report.bid_levels;
  figures["ask_levels"] += f.report.ask_levels;
  figures["last_update_id"] = f.report.sequence;
  ++figures["books"];
  figures["valid_books"] += f.report.validity == book_validity::valid ? 1 : 0;
}

file_report replay_one_binance(const binance_plan& plan, const path& root) {
  file_report out;
  std::vector<path> inputs;
  for (const auto& each : plan.files) {
    inputs.push_back(root / each);
    out.file += (out.file.empty() ? "" : " + ") + (out.file.empty() ? each : path{each}.filename().string());
  }
  out.venue = plan.venue;
  out.remark = plan.remark;
  const auto figures = feed_figures_of(inputs);
  if (!figures) {
    out.differences.push_back(figures.error().message());
    return out;
  }
  for (const auto& f : *figures) add_feed(out, f);
  if (figures->size() > 1)
    for (const char* of_one : {"last_update_id", "bid_levels", "ask_levels"}) out.figures.erase(of_one);
  for (const auto& [key, value] : plan.known) out.expect(key, value);
  for (const char* key : {"damaged", "gaps", "crossed"}) out.expect(key, 0);
  if (plan.remark.empty()) out.expect("passed_over", 0);
  out.expect("valid_books", out.figures["books"]);
  out.expect("best_equal", out.figures["best_compared"]);
  if (!plan.expected) return out;
  auto differences = compare_with_expectations(*figures, inputs, root / "derived/replay_expectations/expectations.json");
  if (!differences) out.differences.push_back(differences.error().message());
  else out.differences.insert(out.differences.end(), differences->begin(), differences->end());
  out.figures["equal_books"] = differences && differences->empty() ? figures->size() : 0;
  return out;
}

// --- single frames --------------------------------------------------------------------------------

/// What the frames of one venue must come to: kinds told by the protocol, events by the decoder.
struct wire_plan {
  std::string venue;
  std::string symbol;
  std::string channel;
  int price_scale;
  std::vector<known_figure> known;
  std::vector<std::string> before = {}; ///< answers that gave the recorded channels their numbers
  std::string remark = {};
};

std::vector<wire_plan> wire_plans() {
  return {
      {"kucoin", "BTC-USDT", "", 8, {{"messages", 2}, {"candles", 1}, {"trades", 1}}},
      {"bitfinex", "tBTCUSD", "", 8,
       {{"messages", 6}, {"images", 1}, {"changes", 1}, {"trades", 1}, {"candles", 1}, {"passed_over", 2}},
       {R"({"event":"subscribed","channel":"book","chanId":43824,"symbol":"tBTCUSD","prec":"P0","freq":"F0","len":"100"})",
        R"({"event":"subscribed","channel":"trades","chanId":917,"symbol":"tBTCUSD"})",
        R"({"event":"subscribed","channel":"candles","chanId":43412,"key":"trade:1m:tBTCUSD"})"},
       "a heartbeat, and the second report of a trade (tu) that te had told"},
      {"bybit", "ETHUSDT", "", 8, {{"messages", 4}, {"images", 1}, {"changes", 1}, {"control", 2}}},
      {"kraken", "ETH/USD", "book.10", 2, {{"messages", 4}, {"images", 1}, {"changes", 1}, {"checksums", 2}, {"control", 2}}},
      {"mexc", "BTCUSDT", "", 8, {{"messages", 3}, {"control", 2}, {"unknown", 1}}, {},
       "the answer of the contracts' REST interface is no frame of the spot socket"},
  };
}

void count_frame(file_report& out, frame_decoder& decoder, book_machine& machine, std::string_view frame) {
  bool of_use = false;
  for (const auto* e = &decoder.decode(frame); e != nullptr; e = decoder.next()) {
    of_use = of_use || e->kind != event_kind::other;
    switch (e->kind) {
    case event_kind::image: ++out.figures["images"], machine.on_image(e->image); break;
    case event_kind::depth: ++out.figures["changes"], machine.on_depth(e->depth); break;
    case event_kind::trade: ++out.figures["trades"]; break;
    case event_kind::best: ++out.figures["best"]; break;
    case event_kind::candle: ++out.figures["candles"]; break;
    case event_kind::damaged: ++out.figures["damaged"]; break;
    default: break;
    }
  }
  if (!of_use) ++out.figures["passed_over"];
}

instrument_spec spec_of_wire(const std::string& venue, const std::string& symbol, int price_scale) {
  instrument_spec spec;
  spec.id.text = symbol + "@" + venue;
  spec.venue_symbol = symbol;
  spec.price_scale = static_cast<std::uint8_t>(price_scale);
  spec.size_scale = 8;
  spec.tick = {1};
  spec.lot = {1};
  return spec;
}

void compare_known(file_report& out, const std::vector<known_figure>& known, const book_machine& machine) {
  out.figures["checksums"] = machine.counts().checksums_compared;
  out.figures["checksums_equal"] = machine.counts().checksums_equal;
  out.figures["gaps"] = machine.counts().gaps;
  for (const char* key : {"unknown", "damaged", "passed_over"}) out.figures[key];
  for (const auto& [key, value] : known) out.expect(key, value);
  for (const char* key : {"unknown", "damaged", "passed_over", "gaps"})
    if (std::ranges::none_of(known, [&](const known_figure& k) { return std::string_view{k.key} == key; }))
      out.expect(key, 0);
  out.expect("checksums_equal", out.figures["checksums"]);
}

constexpr const char* json_wire_file = "derived/wire_frames_2026/json_frames.jsonl";
constexpr const char* mexc_wire_file = "derived/wire_frames_2026/mexc_spot_protobuf.jsonl";

file_report replay_wire(const wire_plan& plan, const path& root) {
  file_report out{std::string{json_wire_file} + " (" + plan.venue + ")", plan.venue, {}, plan.remark, {}};
  const auto& venue = *find_venue(plan.venue);
  const auto spec = spec_of_wire(plan.venue, plan.symbol, plan.price_scale);
  const auto decoder = venue.decoder(spec);
  const auto machine = make_book_machine(venue.rules_of(plan.channel), {.tick = {1}}, {spec.price_scale, spec.size_scale});
  const auto protocol = venue.protocol();
  protocol->begin();
  for (const auto& frame : plan.before) decoder->decode(frame);
  for (const auto& frame : recorded::examples(root / json_wire_file, {"\"exchange\": \"" + plan.venue + "\""})) {
    ++out.figures["messages"];
    const auto kind = protocol->take(frame).kind;
    const bool numbered = plan.venue == "bitfinex"; // its numbers were given out before the frames
    if (kind == inbound_kind::unknown) ++out.figures["unknown"];
    else if (kind == inbound_kind::data || numbered) count_frame(out, *decoder, *machine, frame);
    else if (kind == inbound_kind::damaged) ++out.figures["damaged"];
    else ++out.figures["control"];
  }
  compare_known(out, plan.known, *machine);
  return out;
}

file_report replay_mexc_wire(const path& root) {
  file_report out{mexc_wire_file, "mexc", {}, {}, {}};
  const auto& venue = *find_venue("mexc");
  const auto protocol = venue.protocol();
  std::unique_ptr<book_machine> machine = make_book_machine(venue.rules_of("limit.depth@20"), {.tick = {1}}, {8, 8});
  for (const auto& line : recorded::lines_of(root / mexc_wire_file)) {
    const auto frame = recorded::unhex(recorded::member_text(line, "hex"));
    ++out.figures["messages"];
    const auto& in = protocol->take(frame);
    if (in.kind == inbound_kind::unknown) ++out.figures["unknown"];
    if (in.kind != inbound_kind::data || in.symbols.empty()) continue;
    const auto decoder = venue.decoder(spec_of_wire("mexc", std::string{in.symbols.front()}, 8));
    count_frame(out, *decoder, *machine, frame);
  }
  compare_known(out, {{"messages", 4}, {"trades", 2}, {"best", 2}, {"images", 1}}, *machine);
  return out;
}

// --- nothing is left out --------------------------------------------------------------------------

/// Files of market data below the folder that no plan names.
void find_unlisted(const path& root, std::vector<file_report>& reports) {
  std::set<std::string> listed;
  for (const auto& [file, why] : left_out_recordings()) listed.insert(file);
  for (const auto& plan : recording_plans()) listed.insert({plan.file, plan.images, plan.copy});
  for (const auto& plan : binance_plans()) listed.insert(plan.files.begin(), plan.files.end());
  const auto is_recording = [](const std::string& file) {
    return file.find(".ws.") != std::string::npos || file.find(".http.") != std::string::npos || file.ends_with(".gz")
           || file.ends_with(".cbcap");
  };
  for (const char* folder : {"bmoscon+cryptofeed/sample_data", "nkaz001+hftbacktest/examples",
                             "jdardash+crossbook/tests/fixtures", "derived/huobi_decoded"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{root / folder, ignored}) {
      const auto file = entry.path().lexically_relative(root).generic_string();
      if (!entry.is_regular_file(ignored) || !is_recording(file) || listed.contains(file)) continue;
      reports.push_back({file, "", {}, "", {"a recording that no plan knows"}});
    }
  }
}

// --- output ---------------------------------------------------------------------------------------

void write_json(std::ostream& out, const std::vector<file_report>& reports) {
  json_writer w;
  w.begin_object().key("recordings").begin_array();
  std::uint64_t differences = 0;
  for (const auto& r : reports) {
    w.begin_object().field("file", r.file).field("venue", r.venue).key("figures").begin_object();
    for (const auto& [key, value] : r.figures) w.field(key, value);
    w.end_object().field("remark", r.remark).key("differences").begin_array();
    for (const auto& line : r.differences) w.string(line);
    w.end_array().end_object();
    differences += r.differences.size();
  }
  w.end_array().key("left_out").begin_object();
  for (const auto& [file, why] : left_out_recordings()) w.field(file, why);
  w.end_object().field("differences", differences).end_object();
  out << w.text() << '\n';
}

void print_report(std::ostream& out, const file_report& r) {
  const auto value = [&](const char* key) {
    const auto at = r.figures.find(key);
    return at == r.figures.end() ? 0 : at->second;
  };
  const auto text = [&](const char* key) { return std::to_string(value(key)); };
  out << (r.differences.empty() ? "ok    " : "DIFFERS ") << r.file << " (" << r.venue << ")\n      ";
  if (r.figures.contains("pairs")) {
    out << text("pairs") << " messages with another project's reading: " << text("equal") << '/' << text("compared")
        << " equal, " << text("trades") << " trades, " << text("book_messages") << " books and changes\n";
  } else {
    out << text("messages") << " messages, " << text("unknown") << " unknown, " << text("damaged") << " damaged, "
        << text("passed_over") << " without a use; " << text("gaps") << " gaps, " << text("crossed") << " crossed\n      ";
    if (value("books") > 0)
      out << text("books") << " books: " << text("valid_books") << " valid at the end"
          << (value("equal_books") > 0 ? ", " + text("equal_books") + " as expected" : "") << "; " << text("applied")
          << " changes, " << text("stale") << " stale; ";
    if (value("images") > 0) out << text("images") << " images; ";
    if (value("checksums") > 0) out << "checksums " << text("checksums_equal") << '/' << text("checksums") << "; ";
    if (value("best_agreed") + value("best_disagreed") + value("best_undecided") > 0)
      out << "best bid and ask by time " << text("best_agreed") << " agree, " << text("best_disagreed") << " disagree, "
          << text("best_undecided") << " undecided; ";
    if (value("best") > value("best_agreed") + value("best_disagreed") + value("best_undecided"))
      out << "best bid and ask " << text("best_equal") << '/' << text("best_compared") << " equal of " << text("best") << "; ";
    if (value("replies") > 0)
      out << text("replies_as_recorded") << '/' << text("replies") << " pings answered as recorded; ";
    if (value("copies") > 0) out << "decoded copies " << text("copies_equal") << '/' << text("copies") << " equal; ";
    out << text("trades") << " trades\n";
  }
  if (!r.remark.empty()) out << "      remark: " << r.remark << '\n';
  for (const auto& line : r.differences) out << "      difference: " << line << '\n';
}

} // namespace

std::vector<file_report> replay_binance(const path& root) {
  std::vector<file_report> out;
  for (const auto& plan : binance_plans()) out.push_back(replay_one_binance(plan, root));
  return out;
}

std::vector<file_report> replay_wire_frames(const path& root) {
  std::vector<file_report> out;
  for (const auto& plan : wire_plans()) out.push_back(replay_wire(plan, root));
  out.push_back(replay_mexc_wire(root));
  return out;
}

std::vector<file_report> verify_all(const path& root) {
  auto out = replay_binance(root);
  const auto add = [&](std::vector<file_report> more) {
    out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  for (const auto& plan : recording_plans()) out.push_back(replay_recording(plan, root));
  add(replay_wire_frames(root));
  add(compare_normalised(root));
  find_unlisted(root, out);
  return out;
}

int verify_all_command(const path& root, bool json, std::ostream& out, std::ostream& err) {
  std::error_code ignored;
  const auto expectations = root / "derived/replay_expectations/expectations.json";
  if (!std::filesystem::exists(expectations, ignored)) {
    err << "troupe: " << expectations.string() << " is not there: name the folder of recordings, $TROUPE_DATA/venues\n";
    return 1;
  }
  const auto reports = verify_all(root);
  const auto wrong = std::ranges::count_if(reports, [](const file_report& r) { return !r.differences.empty(); });
  if (json) {
    write_json(out, reports);
  } else {
    for (const auto& r : reports) print_report(out, r);
    for (const auto& [file, why] : left_out_recordings()) out << "left out " << file << ": " << why << '\n';
    out << reports.size() << " recordings, " << wrong << " differ\n";
  }
  if (wrong > 0) err << "troupe: " << wrong << " of " << reports.size() << " recordings differ from what is known of them\n";
  return wrong == 0 ? 0 : 1;
}

} // namespace troupe
