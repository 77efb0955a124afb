#include "tools/bench/feed_ways.hpp"

#include "actors/connectors/binance/codec.hpp"
#include "actors/feeds/book_builder.hpp"

#include <simdjson.h>

namespace troupe::bench {
namespace {

namespace od = simdjson::ondemand;
using namespace std::string_view_literals;

// --- parse only ----------------------------------------------------------------------------------

/// Whole = every string is found to its end and handed over as text; else only the tokens are walked, whose
/// ends nobody looks for: the least simdjson can do.
template <bool Whole>
class parse_only final : public way {
public:
  void take(const frame_buffer& in, const frame_place& frame) override {
    const simdjson::padded_string_view text{in.text(frame), in.readable(frame)};
    od::document document;
    od::object root;
    if (parser_.iterate(text).get(document) != simdjson::SUCCESS
        || document.get_object().get(root) != simdjson::SUCCESS)
      return;
    object(root);
  }
  [[nodiscard]] std::uint64_t sink() const override { return sink_; }

private:
  void object(od::object root) {
    for (auto field : root) {
      od::raw_json_string key;
      od::value value;
      od::json_type type{};
      if (field.key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS
          || value.type().get(type) != simdjson::SUCCESS)
        return;
      sink_ += static_cast<unsigned char>(*key.raw());
      if (type == od::json_type::object) {
        od::object inner;
        if (value.get_object().get(inner) == simdjson::SUCCESS) object(inner);
      } else if (type == od::json_type::array) levels(value);
      else if (type == od::json_type::string) string(value);
      else touch(value.raw_json_token());
    }
  }

  void string(od::value& value) {
    if constexpr (!Whole) return touch(value.raw_json_token());
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS && !text.empty()) touch(text);
  }

  void levels(od::value& value) {
    od::array rows;
    if (value.get_array().get(rows) != simdjson::SUCCESS) return;
    for (auto row : rows) {
      od::array pair;
      if (row.get_array().get(pair) != simdjson::SUCCESS) return;
      for (auto item : pair) {
        od::value number;
        if (item.get(number) == simdjson::SUCCESS) string(number);
      }
    }
  }

  void touch(std::string_view text) noexcept { sink_ += text.size() + static_cast<unsigned char>(text[0]); }

  od::parser parser_;
  std::uint64_t sink_ = 0;
};

// --- simdjson and std::map -----------------------------------------------------------------------

class map_book final : public way {
public:
  explicit map_book(const stream_facts& facts) : facts_{facts} {}

  void take(const frame_buffer& in, const frame_place& frame) override {
    const simdjson::padded_string_view text{in.text(frame), in.readable(frame)};
    od::document document;
    od::object root;
    if (parser_.iterate(text).get(document) != simdjson::SUCCESS
        || document.get_object().get(root) != simdjson::SUCCESS)
      return;
    change c;
    fields(root, c);
    if (c.image) {
      image_ = c.last;
      apply(c);
      last_ = c.last;
    } else if (c.depth) on_change(c);
  }

  [[nodiscard]] end_state end() const override {
    end_state out;
    out.sequence = last_;
    out.bids = bids_.size();
    out.asks = asks_.size();
    if (!bids_.empty()) out.bid = {{bids_.begin()->first}, {bids_.begin()->second}};
    if (!asks_.empty()) out.ask = {{asks_.begin()->first}, {asks_.begin()->second}};
    return out;
  }
  [[nodiscard]] std::uint64_t sink() const override { return sink_ + last_; }

private:
  using pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;
  struct change {
    bool depth = false;
    bool image = false;
    std::uint64_t first = 0, last = 0, previous = 0;
    pairs* bids = nullptr;
    pairs* asks = nullptr;
  };

  void fields(od::object root, change& c) {
    for (auto field : root) {
      std::string_view key;
      od::value value;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS
          || field.value().get(value) != simdjson::SUCCESS)
        return;
      if (key == "data"sv) {
        od::object inner;
        if (value.get_object().get(inner) == simdjson::SUCCESS) fields(inner, c);
      } else if (key == "e"sv) {
        std::string_view name;
        if (value.get_string().get(name) == simdjson::SUCCESS) c.depth = name == "depthUpdate"sv;
      } else if (key == "U"sv) c.first = value.get_uint64().value_unsafe();
      else if (key == "u"sv) c.last = value.get_uint64().value_unsafe();
      else if (key == "pu"sv) c.previous = value.get_uint64().value_unsafe();
      else if (key == "lastUpdateId"sv) {
        c.image = true;
        c.last = value.get_uint64().value_unsafe();
      } else side_or_number(key, value, c);
    }
  }

  void side_or_number(std::string_view key, od::value& value, change& c) {
    const bool bids = key == "b"sv || key == "bids"sv;
    const bool asks = key == "a"sv || key == "asks"sv;
    if ((bids || asks) && (c.depth || c.image)) {
      auto& into = bids ? bid_rows_ : ask_rows_;
      rows(value, into);
      (bids ? c.bids : c.asks) = &into;
      return;
    }
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) sink_ += text.size();
  }

  void rows(od::value& value, pairs& out) {
    out.clear();
    od::array all;
    if (value.get_array().get(all) != simdjson::SUCCESS) return;
    for (auto row : all) {
      od::array pair;
      if (row.get_array().get(pair) != simdjson::SUCCESS) return;
      std::int64_t numbers[2] = {};
      std::size_t i = 0;
      for (auto item : pair) {
        std::string_view text;
        if (item.get_string().get(text) == simdjson::SUCCESS && i < 2)
          numbers[i] = scaled(text, i == 0 ? facts_.price_scale : facts_.size_scale);
        ++i;
      }
      out.emplace_back(numbers[0], numbers[1]);
    }
  }

  /// Digits with the point left out, filled up to the scale.
  static std::int64_t scaled(std::string_view text, int scale) noexcept {
    std::int64_t out = 0;
    int decimals = -1;
    for (const char c : text) {
      if (c == '.') {
        decimals = 0;
        continue;
      }
      if (decimals >= scale) break;
      out = out * 10 + (c - '0');
      if (decimals >= 0) ++decimals;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < scale; ++i) out *= 10;
    return out;
  }

  void on_change(const change& c) {
    if (image_ == 0) {
      before_.push_back({c, *c.bids, *c.asks});
      return;
    }
    for (auto& held : before_) {
      held.head.bids = &held.bids;
      held.head.asks = &held.asks;
      next(held.head);
    }
    before_.clear();
    next(c);
  }

  void next(const change& c) {
    const bool futures = facts_.rule == sequence_rule::futures;
    if (!joined_ && (futures ? c.last < image_ : c.last <= image_)) return;
    const bool follows =
        joined_ ? (futures ? c.previous == last_ : c.first == last_ + 1) : c.first <= image_ + 1;
    if (!follows) ++gaps_;
    joined_ = true;
    apply(c);
    last_ = c.last;
  }

  void apply(const change& c) {
    for (const auto& [at, quantity] : *c.bids)
      if (quantity == 0) bids_.erase(at);
      else bids_[at] = quantity;
    for (const auto& [at, quantity] : *c.asks)
      if (quantity == 0) asks_.erase(at);
      else asks_[at] = quantity;
  }

  struct held {
    change head;
    pairs bids;
    pairs asks;
  };

  stream_facts facts_;
  od::parser parser_;
  std::map<std::int64_t, std::int64_t, std::greater<>> bids_;
  std::map<std::int64_t, std::int64_t> asks_;
  pairs bid_rows_;
  pairs ask_rows_;
  std::vector<held> before_;
  std::uint64_t image_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t sink_ = 0;
  bool joined_ = false;
};

// --- ours ----------------------------------------------------------------------------------------

end_state end_of(const book_machine& machine) {
  const auto& book = machine.book();
  return {machine.sequence(), book.bid(), book.ask(), book.levels(side::buy), book.levels(side::sell)};
}

builder_options builder_from(const stream_facts& facts) {
  builder_options out;
  out.rule = facts.rule;
  out.book.tick = facts.tick;
  return out;
}

class our_book final : public way {
public:
  explicit our_book(const stream_facts& facts)
      : decoder_{{facts.price_scale, facts.size_scale}}, builder_{builder_from(facts)} {}

  void take(const frame_buffer& in, const frame_place& frame) override {
    const auto& event = decoder_.decode(in.text(frame));
    switch (event.kind) {
    case event_kind::depth: builder_.on_depth(event.depth); break;
    case event_kind::image: builder_.on_image(event.image); break;
    case event_kind::best: sink_ += static_cast<std::uint64_t>(event.best.bid.at.raw); break;
    case event_kind::trade: sink_ += static_cast<std::uint64_t>(event.trade.at_price.raw); break;
    default: break;
    }
  }
  [[nodiscard]] end_state end() const override { return end_of(builder_); }
  [[nodiscard]] std::uint64_t sink() const override { return sink_ + builder_.sequence(); }

private:
  binance::decoder decoder_;
  book_builder builder_;
  std::uint64_t sink_ = 0;
};

class our_feed final : public way, private feed_listener {
public:
  explicit our_feed(const stream_facts& facts) : core_{options_of(facts), decoder_of(facts), listener()} {}

  void take(const frame_buffer& in, const frame_place& frame) override {
    core_.on_frame(frame.received, in.text(frame));
  }
  [[nodiscard]] end_state end() const override { return end_of(core_.machine()); }
  [[nodiscard]] std::uint64_t sink() const override { return quotes_ + frames_; }

private:
  static feed_core_options options_of(const stream_facts& facts) {
    feed_core_options out;
    out.spec.id.text = "recorded";
    out.spec.price_scale = static_cast<std::uint8_t>(facts.price_scale);
    out.spec.size_scale = static_cast<std::uint8_t>(facts.size_scale);
    out.spec.tick = facts.tick;
    out.rules.rule = facts.rule;
    return out;
  }
  static std::unique_ptr<frame_decoder> decoder_of(const stream_facts& facts) {
    return std::make_unique<binance::decoder>(binance::decoder_options{facts.price_scale, facts.size_scale});
  }
  feed_listener& listener() { return *this; }
  void on_quote(const quote&) override { ++quotes_; }
  void on_feature_frame(feature_frame&& frame) override { frames_ += frame.features.checksum & 1; }

  std::uint64_t quotes_ = 0;
  std::uint64_t frames_ = 0;
  feed_core core_;
};

} // namespace

std::unique_ptr<way> make_token_walk() { return std::make_unique<parse_only<false>>(); }
std::unique_ptr<way> make_parse_only() { return std::make_unique<parse_only<true>>(); }
std::unique_ptr<way> make_map_book(const stream_facts& facts) { return std::make_unique<map_book>(facts); }
std::unique_ptr<way> make_book(const stream_facts& facts) { return std::make_unique<our_book>(facts); }
std::unique_ptr<way> make_feed(const stream_facts& facts) { return std::make_unique<our_feed>(facts); }

} // namespace troupe::bench
