#include "actors/trainers/stream_positions.hpp"

namespace troupe {
stream_positions::stream_positions(std::vector<std::string> stores) : stores_{std::move(stores)} {}

void stream_positions::resume(std::uint64_t consumed, const rows_type& positions) {
  open_.clear();
  last_number_ = consumed;
  trained_ = {positions.begin(), positions.end()};
  if (positions.empty() && consumed > 0) trained_[stores_.front()] = consumed;
  pulled_ = trained_;
}

std::uint64_t stream_positions::after(const std::string& store) const {
  const auto i = pulled_.find(store);
  return i == pulled_.end() ? 0 : i->second;
}

std::vector<snapshot> stream_positions::take(const std::string& store, const std::vector<snapshot>& rows) {
  std::vector<snapshot> out;
  auto& newest = pulled_[store];
  for (const auto& each : rows) {
    // A repeated answer brings nothing new; a stream is taken strictly forward.
    if (each.training_sequence <= newest) continue;
    newest = each.training_sequence;
    out.push_back(each);
    if (stores_.size() > 1) out.back().training_sequence = ++last_number_;
    open_.push_back({store, newest});
  }
  return out;
}

void stream_positions::consumed(std::size_t count) {
  for (; count > 0 && !open_.empty(); --count) {
    trained_[open_.front().store] = open_.front().sequence;
    open_.pop_front();
  }
}

} // namespace troupe
