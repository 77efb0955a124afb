#include "actors/feeds/consolidator_actor.hpp"

#include "messages/json.hpp"
#include "messages/type_ids.hpp"

namespace troupe {
namespace {

/// Raw thousandths of a price as decimal text.
std::string fine_price(std::int64_t e3, int scale) {
  return format_decimal_short(e3, scale + 3);
}

void write_venue(json_writer& w, const venue_part& v, const consolidated_page& page) {
  w.begin_object()
      .field("instrument", std::string_view{v.instrument.text})
      .field("standing", name_of(v.standing))
      .field("age", static_cast<std::int64_t>(v.age.count()))
      .field("sequence", v.sequence)
      .field("bid", format_decimal_short(v.bid.at.raw, page.price_scale))
      .field("ask", format_decimal_short(v.ask.at.raw, page.price_scale))
      .field("spread", format_decimal_short(v.spread.raw, page.price_scale))
      .field("bid_share_ppm", v.bid_share_ppm)
      .field("ask_share_ppm", v.ask_share_ppm)
      .field("rate", std::string_view{v.rate.text})
      .field("views", v.views)
      .field("dropouts", v.dropouts)
      .end_object();
}

} // namespace

consolidator_state::consolidator_state(self_pointer self, actor_environment env, consolidator_options options)
    : self_{self}, env_{env}, tick_{options.tick}, book_{std::move(options.book)} {
  declare_setting(self_, whole_setting(
                             "tick_ms",
                             "time between two looks at the clock, milliseconds", 10, 10'000,
                             [this] { return tick_.count() / 1'000'000; },
                             [this](std::int64_t ms) { tick_ = std::chrono::milliseconds{ms}; }));
}

consolidator_actor::behavior_type consolidator_state::make_behavior() {
  schedule(self_, tick_, [this] { on_tick(); });
  return {
      [this](const status_request&) -> reply<status_report> {
        return status_report{self_->core().name(), status_json()};
      },
      [this](const book_view& view) {
        ++views_;
        book_.on_view(view, env_.market->now());
        tell(self_, self_->current_sender(), acknowledged{view.sequence});
      },
      [this](const book_query& what) -> reply<consolidated_page> {
        ++queries_;
        book_.advance(env_.market->now());
        return book_.page(what);
      },
  };
}

void consolidator_state::on_tick() {
  book_.advance(env_.market->now());
  schedule(self_, tick_, [this] { on_tick(); });
}

std::string consolidator_state::status_json() {
  book_.advance(env_.market->now());
  book_query top;
  top.depth = 1;
  const auto page = book_.page(top);
  json_writer w;
  w.begin_object().field("symbol", std::string_view{page.symbol}).field("at", page.at.ns);
  w.field("joined", book_.joined()).field("venues_known", page.venues.size());
  w.field("bid",
          page.bids.empty() ? std::string{} : format_decimal_short(page.bids[0].at.raw, page.price_scale));
  w.field("ask",
          page.asks.empty() ? std::string{} : format_decimal_short(page.asks[0].at.raw, page.price_scale));
  w.field("mid", fine_price(page.mid_e3, page.price_scale));
  w.field("microprice", fine_price(page.micro_e3, page.price_scale));
  w.field("bucket_width", format_decimal_short(page.bucket_width.raw, page.price_scale));
  w.field("buckets_whole", page.buckets_whole).field("imbalance_known", page.imbalance_known);
  w.field("imbalance_ppm", page.imbalance_ppm);
  w.key("averages").begin_array();
  for (const auto& a : page.averages)
    w.begin_object()
        .field("window", static_cast<std::int64_t>(a.window.count()))
        .field("covered", static_cast<std::int64_t>(a.covered.count()))
        .field("ppm", a.ppm)
        .end_object();
  w.end_array();
  w.field("arbitrages", page.arbitrages.size()).field("views", views_).field("queries", queries_);
  w.field("strangers", book_.strangers()).field("reordered", book_.reordered());
  w.key("venues").begin_array();
  for (const auto& v : page.venues)
    write_venue(w, v, page);
  w.end_array().end_object();
  return std::move(w).text();
}

} // namespace troupe
