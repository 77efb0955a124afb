// The back-filler's part that fetches the trades that feeds missed.

#include "actors/connectors/backfiller_actor.hpp"
#include "messages/json.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/log.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t most_walks = 1024;

} // namespace

void backfiller_state::on_trade_hole(const trade_hole& hole) {
  const auto known = std::find_if(walks_.begin(), walks_.end(), [&](const walk& w) {
    return w.spec->id == hole.instrument && w.plan.hole().hole == hole.hole;
  });
  if (known != walks_.end()) return; // the feed asks again while it waits
  const auto spec =
      std::find_if(options_.instruments.begin(), options_.instruments.end(),
                   [&](const instrument_spec& s) { return s.id == hole.instrument; });
  ++trade_holes_;
  const bool can = options_.trades && options_.venue->trade_call != nullptr
                   && spec != options_.instruments.end() && walks_.size() < most_walks;
  if (can) {
    walks_.push_back({&*spec, trade_walk{{.hole = hole, .rules = options_.venue->trades,
                                          .first_pause = options_.first_pause}}});
    return;
  }
  ++trade_holes_refused_;
  past_trades told;
  told.instrument = hole.instrument;
  told.hole = hole.hole;
  told.done = true;
  told.known_from = hole.to;
  told.why = walks_.size() >= most_walks ? "too many holes at once" : "trades of the past are not fetched";
  tell(self_, env_.names->find<feed_actor>("feed/" + hole.instrument.text), std::move(told));
}

/// True when a request is under way. A hole that pauses after a failure lets the next one go first.
bool backfiller_state::request_trades(steady_time now) {
  if (walks_.empty() || now < next_trades_ || now < next_refused_) return false;
  for (std::size_t n = 0; n < walks_.size(); ++n) {
    const auto cursor = walks_.front().plan.next(now);
    if (cursor) {
      const auto call = options_.venue->trade_call(*walks_.front().spec, *cursor);
      const auto pause = options_.trade_pause < nanoseconds{0} ? options_.venue->trades.pause : options_.trade_pause;
      next_trades_ = now + pause;
      walking_ = true;
      send(call);
      return true;
    }
    std::rotate(walks_.begin(), walks_.begin() + 1, walks_.end());
  }
  return false;
}

void backfiller_state::on_trades_answer(const rest_answer& answer) {
  walking_ = false;
  auto& of = walks_.front();
  const auto now = env_.steady->now();
  const auto failed = [&](std::string why) {
    log::warn("backfiller", "a page of trades failed", {{"instrument", of.spec->id.text}, {"why", why}});
    trade_trouble_ = of.spec->id.text + ": " + why;
    if (auto told = of.plan.on_failure(now, why)) tell_feed(of, std::move(*told));
  };
  if (!answer.failure.empty()) return failed(answer.failure);
  if (answer.status != 200)
    return failed("HTTP " + std::to_string(answer.status) + " " + answer.body.substr(0, 200));
  auto page = options_.venue->read_trades(*of.spec, answer.body);
  if (!page) return failed(page.error().message());
  ++trade_pages_;
  trade_rows_ += page->trades.size();
  tell_feed(of, of.plan.on_page(std::move(*page), now));
}

/// @pre `of` is the first
void backfiller_state::tell_feed(walk& of, past_trades told) {
  const bool done = told.done;
  if (done) {
    trade_holes_whole_ += told.whole ? 1 : 0;
    log::write(told.whole ? log::severity::info : log::severity::warn, "backfiller",
               told.whole ? "missed trades fetched" : "missed trades fetched in part only",
               {{"instrument", of.spec->id.text},
                {"hole", std::to_string(told.hole)},
                {"seconds", std::to_string((of.plan.hole().to - of.plan.hole().from).count() / 1'000'000'000)},
                {"why", told.why}});
  }
  tell(self_, env_.names->find<feed_actor>("feed/" + of.spec->id.text), std::move(told));
  if (done) walks_.pop_front();
}

void backfiller_state::write_trades(json_writer& w) const {
  w.key("trades").begin_object();
  w.field("holes", trade_holes_).field("whole", trade_holes_whole_).field("refused", trade_holes_refused_);
  w.field("waiting", walks_.size()).field("pages", trade_pages_).field("rows", trade_rows_);
  w.field("trouble", std::string_view{trade_trouble_}).end_object();
}

} // namespace troupe
