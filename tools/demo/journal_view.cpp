#include "tools/demo/journal_view.hpp"

#include "actors/executors/executor_internal.hpp"
#include "storage/journal_entries.hpp"
#include "storage/journal_tools.hpp"

#include <map>

namespace troupe::demo {
namespace {

using venue_sim::intent_end;

/// The scales of the simulator's instrument are those of the ledger: 2 decimals of price, 8 of size; the
/// intents say which instrument it is, the demonstration trades BTC-USDT only.
constexpr int price_scale = 2;
constexpr int size_scale = 8;

/// Folds the journal's own words, not the executor's state machine: a second opinion.
class folder_of_facts {
public:
  void take(const intent& what) {
    order_.push_back(what.client_id);
    ends_.emplace(what.client_id, intent_end::unknown);
  }

  void take(const order_report& report) {
    auto& end = ends_[report.client_id];
    if (!settled(end)) end = end_of(report);
    for (const auto& execution : report.fills) fills_[execution.trade_id] = execution;
  }

  template <class Other>
  void take(const Other&) {}

  [[nodiscard]] result<journal_view> finish() const {
    journal_view out;
    for (const auto& id : order_) out.intents.push_back({id, id, ends_.at(id)});
    for (const auto& [trade_id, execution] : fills_) {
      const auto at = venue_sim::to_e8(execution.at_price.raw, price_scale);
      const auto quantity = venue_sim::to_e8(execution.quantity.raw, size_scale);
      const auto fee = venue_sim::to_e8(execution.fee_raw, execution.fee_scale);
      if (!at || !quantity || !fee)
        return error{std::make_error_code(std::errc::value_too_large), "fill " + trade_id + " does not fit the ledger's units"};
      out.fills.push_back({std::stoll(trade_id), execution.client_id, *at, *quantity, *fee, execution.fee_asset});
    }
    return out;
  }

private:
  static bool settled(intent_end end) { return end != intent_end::unknown && end != intent_end::open; }

  static intent_end end_of(const order_report& report) {
    if (report.code == absent_code) return intent_end::absent;
    switch (report.state) {
    case order_state::denied: return intent_end::denied;
    case order_state::rejected: return intent_end::rejected;
    case order_state::filled:
    case order_state::cancelled:
    case order_state::expired: return intent_end::done;
    case order_state::acknowledged:
    case order_state::partially_filled: return intent_end::open;
    case order_state::created:
    case order_state::approved:
    case order_state::journaled:
    case order_state::sent:
    case order_state::unknown: return intent_end::unknown;
    }
    return intent_end::unknown;
  }

  std::vector<std::string> order_;
  std::map<std::string, intent_end> ends_;
  std::map<std::string, fill> fills_;
};

} // namespace

result<journal_view> read_journal_view(const std::filesystem::path& folder) {
  folder_of_facts facts;
  const auto read = read_journal(real_disk(), folder, [&](const journal_row& row) -> status {
    return visit_entry(row.entry, [&](const auto& what) { facts.take(what); });
  });
  if (!read) return read.error();
  return facts.finish();
}

} // namespace troupe::demo
