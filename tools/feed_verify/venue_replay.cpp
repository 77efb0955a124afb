#include "actors/feeds/timed_agreement.hpp"
#include "tools/feed_verify/venue_texts.hpp"
#include "tools/feed_verify/verify_all.hpp"

#include "actors/connectors/htx/inflate.hpp"
#include <algorithm>

namespace troupe {
namespace {

using path = std::filesystem::path;

constexpr std::size_t window_ticks = 65536;

/// One book of a recording.
struct replayed_book {
  instrument_spec spec;
  std::unique_ptr<frame_decoder> decoder;
  std::unique_ptr<frame_decoder> second; ///< for the decoded copy
  std::size_t place = 0;                 ///< among captured books
  std::unique_ptr<book_machine> machine;
  timed_agreement by_time; ///< with best prices that carry no number
};

struct replayed_line {
  recorded::two_way_line line;
  std::string copy; ///< the decoded copy of a received frame
};

/// `symbol=` or `currency_pair=` of a REST request.
std::string symbol_of_request(const std::string& url) {
  for (const std::string_view mark : {"symbol=", "currency_pair="})
    if (const auto at = url.find(mark); at != std::string::npos) {
      const auto from = at + mark.size();
      return url.substr(from, url.find('&', from) - from);
    }
  return {};
}

std::vector<replayed_line> lines_of_plan(const recording_plan& plan, const path& root) {
  std::vector<replayed_line> out;
  const auto take = [&](const std::string& text) {
    out.push_back({{recorded::two_way_kind::received, {}, {}, text}, {}});
  };
  switch (plan.form) {
  case recording_form::capture:
    for (const auto& frame : recorded::capture_frames(root / plan.file)) take(frame);
    return out;
  case recording_form::lines:
    for (const auto& frame : recorded::lines_of(root / plan.file)) take(frame);
    return out;
  case recording_form::two_way:
  case recording_form::two_way_py: break;
  }
  std::vector<std::string> copies;
  if (!plan.copy.empty()) copies = recorded::lines_of(root / plan.copy);
  std::size_t at = 0;
  for (auto& line : recorded::two_way(root / plan.file)) {
    std::string copy;
    if (line.kind == recorded::two_way_kind::sent || line.kind == recorded::two_way_kind::received) {
      if (at < copies.size()) copy = recorded::member_text(copies[at], "json");
      ++at;
    }
    if (plan.form == recording_form::two_way_py && line.kind == recorded::two_way_kind::received)
      line.text = recorded::bytes_of(line.text);
    out.push_back({std::move(line), std::move(copy)});
  }
  if (plan.images.empty()) return out;
  for (auto& line : recorded::two_way(root / plan.images)) out.push_back({std::move(line), {}});
  std::ranges::stable_sort(out, {}, [](const replayed_line& l) { return l.line.at; });
  return out;
}

class recording_replay {
public:
  recording_replay(const recording_plan& plan, const path& root)
      : plan_{plan}, root_{root}, venue_{*find_venue(plan.venue)} {
    report_.file = plan.file;
    report_.venue = plan.venue;
    report_.remark = plan.remark;
    protocol_ = plan.protocol != nullptr ? plan.protocol() : venue_.protocol();
    protocol_->begin();
  }

  planned_frames frames() {
    planned_frames out;
    captured_ = &out;
    out.rules = venue_.rules_of(plan_.channel);
    if (plan_.change_rules != nullptr) plan_.change_rules(out.rules);
    out.rules.image_levels = 0;
    out.decoder = plan_.decoder != nullptr ? plan_.decoder : venue_.decoder;
    run();
    captured_ = nullptr;
    return out;
  }

  file_report run() {
    const auto lines = lines_of_plan(plan_, root_);
    if (lines.empty()) {
      report_.differences.push_back("no frames: is the file there and whole?");
      return std::move(report_);
    }
    const auto expected = plan_.expectation.empty()
                              ? std::map<std::string, recorded::expected_book>{}
                              : recorded::expected_books(root_ / "derived/replay_expectations/expectations.json",
                                                         plan_.expectation);
    tell_topics(expected);
    for (const auto& each : lines) {
      if (each.line.kind == recorded::two_way_kind::replied) take_image(each.line);
      if (each.line.kind == recorded::two_way_kind::sent && std::erase(replies_, each.line.text) > 0)
        ++figure("replies_as_recorded");
      if (each.line.kind == recorded::two_way_kind::received) take_frame(each);
    }
    sum_up(expected);
    return std::move(report_);
  }

private:
  std::uint64_t& figure(const char* key) { return report_.figures[key]; }

  /// Venues that number their channels must know what was asked for.
  void tell_topics(const std::map<std::string, recorded::expected_book>& expected) {
    if (plan_.symbols.empty()) return;
    std::vector<market_topic> topics;
    const auto add = [&](const std::string& symbol) {
      topics.push_back({topic_kind::book, symbol, plan_.channel + " " + symbol});
      topics.push_back({topic_kind::trades, symbol, "trades " + symbol});
    };
    if (plan_.symbols.front() == "*")
      for (const auto& [symbol, ignored] : expected) add(symbol);
    else
      for (const auto& symbol : plan_.symbols) add(symbol);
    protocol_->subscribe(topics);
  }

  replayed_book& book_of(const std::string& symbol, const std::string& frame) {
    auto& out = books_[symbol];
    if (out.decoder != nullptr) return out;
    auto& spec = out.spec;
    spec.id.text = symbol + "@" + plan_.venue;
    spec.venue_symbol = symbol;
    spec.kind = plan_.kind;
    spec.price_scale = static_cast<std::uint8_t>(plan_.price_scale);
    spec.size_scale = static_cast<std::uint8_t>(plan_.size_scale);
    spec.tick = {1};
    spec.lot = {1};
    if (plan_.shape != nullptr) plan_.shape(spec, frame, root_);
    auto rules = venue_.rules_of(plan_.channel);
    if (plan_.change_rules != nullptr) plan_.change_rules(rules);
    rules.image_levels = 0; // a recording has the images it has, of the depth of their day
    const auto make = plan_.decoder != nullptr ? plan_.decoder : venue_.decoder;
    out.decoder = make(spec);
    out.second = make(spec);
    if (captured_ != nullptr) {
      out.place = captured_->books.size();
      captured_->books.push_back(spec);
    }
    out.machine = make_book_machine(rules, {.tick = spec.tick, .window_ticks = window_ticks},
                                    {spec.price_scale, spec.size_scale});
    return out;
  }

  void take_image(const recorded::two_way_line& line) {
    const auto symbol = symbol_of_request(line.url);
    auto& b = book_of(symbol, line.text);
    capture(b, line.text);
    const auto& event = b.decoder->decode(line.text);
    if (event.kind == event_kind::image) b.machine->on_image(event.image);
    else report_.differences.push_back(symbol + ": a REST reply that is no book image");
    ++figure("rest_images");
  }

  void take_frame(const replayed_line& each) {
    const auto& text = each.line.text;
    ++figure("messages");
    if (plan_.symbol_of != nullptr) {
      const auto symbol = plan_.symbol_of(text);
      if (symbol.empty()) ++figure("control");
      else take_data(symbol, each);
      return;
    }
    const auto& in = protocol_->take(text);
    for (const auto& reply : in.replies) {
      replies_.push_back(reply);
      ++figure("replies");
    }
    switch (in.kind) {
    case inbound_kind::unknown: ++figure("unknown"); return;
    case inbound_kind::damaged: ++figure("damaged"); return;
    case inbound_kind::broken: ++figure("gaps"); return;
    case inbound_kind::refused:
    case inbound_kind::failure: ++figure("refused"); return;
    case inbound_kind::acknowledged:
    case inbound_kind::alive:
    case inbound_kind::welcome:
    case inbound_kind::shutdown: ++figure("control"); break;
    case inbound_kind::data:
      if (in.symbols.empty()) ++figure("heartbeats");
      break;
    }
    const std::vector<std::string> symbols{in.symbols.begin(), in.symbols.end()};
    const bool data = in.kind == inbound_kind::data;
    for (const auto& symbol : symbols)
      if (data) take_data(symbol, each);
      else learn(book_of(symbol, text), text);
  }

  void capture(const replayed_book& b, const std::string& text) {
    if (captured_ != nullptr) captured_->frames.push_back({b.place, text});
  }

  /// Decoders learn channel numbers from answers.
  void learn(replayed_book& b, const std::string& text) {
    capture(b, text);
    b.decoder->decode(text);
  }

  void take_data(const std::string& symbol, const replayed_line& each) {
    auto& b = book_of(symbol, each.line.text);
    if (captured_ != nullptr) { // HTX's text, not its gzip
      frame_damage damage{};
      capture(b, std::string{inflater_.text_of(each.line.text, damage)});
    }
    if (!each.copy.empty()) compare_copy(b, each);
    bool of_use = false;
    bool book = false;
    for (const auto* e = &b.decoder->decode(each.line.text); e != nullptr; e = b.decoder->next()) {
      of_use = of_use || e->kind != event_kind::other;
      switch (e->kind) {
      case event_kind::image: b.machine->on_image(e->image), book = true; break;
      case event_kind::depth: b.machine->on_depth(e->depth), book = true; break;
      case event_kind::best: compare_best(b, e->best, each.line.at); break;
      case event_kind::trade: ++figure("trades"); break;
      case event_kind::candle: ++figure("candles"); break;
      case event_kind::damaged: ++figure("damaged"); break;
      default: break;
      }
    }
    if (book) follow_top(b, each.line.at);
    if (book) ++figure("book_messages");
    if (!of_use) ++figure("passed_over");
    if (b.machine->valid() && b.machine->book().crossed()) ++figure("crossed");
  }

  /// The venue's own best bid and ask against the book, where both are of the same number.
  void compare_best(replayed_book& b, const best_event& best, market_time at) {
    ++figure("best");
    if (best.sequence == 0) return compare_by_time(b, best, at);
    if (!b.machine->valid() || best.sequence == 0 || best.sequence != b.machine->sequence()) return;
    ++figure("best_compared");
    if (b.machine->book().bid() == best.bid && b.machine->book().ask() == best.ask) ++figure("best_equal");
  }

  /// Without a number, by the times of the recording; one without times says nothing.
  void compare_by_time(replayed_book& b, const best_event& best, market_time at) {
    if (at.ns == 0) return;
    if (!b.machine->valid()) return b.by_time.without_book();
    b.by_time.on_best(at, best.bid, best.ask, b.machine->book().bid(), b.machine->book().ask());
    if (b.by_time.advance(at)) report_.differences.push_back(b.spec.id.text + ": best bid and ask are not the venue's");
  }

  static void follow_top(replayed_book& b, market_time at) {
    if (b.machine->valid()) b.by_time.on_top(at, b.machine->book().bid(), b.machine->book().ask());
    else b.by_time.reset();
  }

  void compare_copy(replayed_book& b, const replayed_line& each) {
    ++figure("copies");
    const int price_scale = b.spec.price_scale;
    const int size_scale = b.spec.size_scale;
    if (recorded::event_texts(*b.second, each.line.text, price_scale, size_scale)
        == recorded::event_texts(*b.second, each.copy, price_scale, size_scale))
      ++figure("copies_equal");
  }

  void sum_up(const std::map<std::string, recorded::expected_book>& expected) {
    for (auto& [symbol, b] : books_) {
      b.by_time.finish();
      figure("best_agreed") += b.by_time.figures().agreed;
      figure("best_disagreed") += b.by_time.figures().disagreed;
      figure("best_undecided") += b.by_time.figures().undecided;
      const auto& counts = b.machine->counts();
      figure("applied") += counts.applied;
      figure("stale") += counts.stale;
      figure("gaps") += counts.gaps;
      figure("crossed") += counts.crossed;
      figure("images") += counts.images;
      figure("checksums") += counts.checksums_compared;
      figure("checksums_equal") += counts.checksums_equal;
      if (counts.images == 0) continue;
      ++figure("books");
      figure("valid_books") += b.machine->valid() ? 1 : 0;
    }
    compare_final();
    for (const auto& [symbol, should] : expected) {
      const auto found = books_.find(symbol);
      const auto difference = found == books_.end()
                                  ? std::string{"no such book"}
                                  : recorded::book_difference(found->second.machine->book(), found->second.spec.price_scale,
                                                              found->second.spec.size_scale, should);
      if (difference.empty()) ++figure("equal_books");
      else report_.differences.push_back(symbol + ": " + difference);
    }
    for (const char* key : {"messages", "unknown", "damaged", "passed_over", "gaps", "crossed", "refused"}) figure(key);
    for (const auto& [key, value] : plan_.known) report_.expect(key, value);
    for (const char* key : {"unknown", "damaged", "passed_over", "gaps", "crossed", "refused"})
      if (std::ranges::none_of(plan_.known, [&](const known_figure& k) { return std::string_view{k.key} == key; }))
        report_.expect(key, 0);
    report_.expect("checksums_equal", figure("checksums"));
    report_.expect("best_equal", figure("best_compared"));
    report_.expect("copies_equal", figure("copies"));
    if (!expected.empty()) report_.expect("books", expected.size());
    else if (!plan_.expectation.empty()
             && !recorded::expected_final(root_ / "derived/replay_expectations/expectations.json", plan_.expectation))
      report_.differences.push_back("no end state '" + std::string{plan_.expectation}
                                    + "' in derived/replay_expectations/expectations.json");
    if (plan_.remark.empty() && figure("passed_over") + figure("unknown") > 0)
      report_.differences.push_back("messages without a use, and no reason listed");
  }

  /// A recording of one book whose expectation says less than whole books' do.
  void compare_final() {
    if (plan_.expectation.empty()) return;
    const auto should =
        recorded::expected_final(root_ / "derived/replay_expectations/expectations.json", plan_.expectation);
    if (!should || books_.size() != 1) return;
    const auto& [spec, decoder, second, place, machine, by_time] = books_.begin()->second;
    const auto& book = machine->book();
    const auto top = [&](side s, const std::string& wanted) {
      const auto l = book.best(s);
      const auto price = format_decimal_short(l.at.raw, spec.price_scale);
      if (wanted.find('x') == std::string::npos) return price == wanted;
      return price + "x" + format_decimal_short(l.quantity.raw, spec.size_scale) == wanted;
    };
    bool equal = top(side::buy, should->bid) && top(side::sell, should->ask)
                 && book.levels(side::buy) == should->bid_levels && book.levels(side::sell) == should->ask_levels;
    if (should->venue_checksum)
      equal = equal && machine->rules().checksum != nullptr
              && machine->rules().checksum(book, spec.price_scale, spec.size_scale) == *should->venue_checksum;
    if (equal) ++figure("equal_books");
    else report_.differences.push_back("the book does not end as expected");
    report_.expect("equal_books", 1);
  }

  const recording_plan& plan_;
  const path& root_;
  const venue_description& venue_;
  file_report report_;
  std::unique_ptr<market_protocol> protocol_;
  std::map<std::string, replayed_book> books_;
  planned_frames* captured_ = nullptr;
  htx::inflater inflater_;
  std::vector<std::string> replies_; ///< of ours that the recorder has not sent yet
};

} // namespace

void file_report::expect(const std::string& key, std::uint64_t should) {
  const auto found = figures.find(key);
  const auto is = found == figures.end() ? 0 : found->second;
  if (is != should)
    differences.push_back(key + ": expected " + std::to_string(should) + ", found " + std::to_string(is));
}

planned_frames frames_of_recording(const recording_plan& plan, const path& root) {
  return recording_replay{plan, root}.frames();
}

file_report replay_recording(const recording_plan& plan, const path& root) {
  return recording_replay{plan, root}.run();
}

} // namespace troupe
