#define CAF_SUITE stream_positions
#include "actors/trainers/stream_positions.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace troupe;

namespace {

/// Rows `first` to `last` of a store's stream.
std::vector<snapshot> rows(std::uint64_t first, std::uint64_t last) {
  std::vector<snapshot> out;
  for (auto i = first; i <= last; ++i) {
    out.emplace_back();
    out.back().training_sequence = i;
  }
  return out;
}

std::vector<std::uint64_t> numbers(const std::vector<snapshot>& all) {
  std::vector<std::uint64_t> out;
  for (const auto& row : all) out.push_back(row.training_sequence);
  return out;
}

} // namespace

CAF_TEST(one_store_keeps_its_numbers) {
  stream_positions streams;
  streams.resume(7, {});
  CAF_CHECK_EQUAL(streams.after("store"), 7u);
  CAF_CHECK(numbers(streams.take("store", rows(6, 9))) == (std::vector<std::uint64_t>{8, 9}));
  CAF_CHECK(streams.take("store", rows(6, 9)).empty()); // a repeated answer
  streams.consumed(1);
  CAF_CHECK(streams.trained() == (stream_positions::rows_type{{"store", 8}}));
}

CAF_TEST(several_streams_become_one_without_gaps) {
  stream_positions streams{{"a", "b"}};
  CAF_CHECK(numbers(streams.take("a", rows(1, 3))) == (std::vector<std::uint64_t>{1, 2, 3}));
  CAF_CHECK(numbers(streams.take("b", rows(1, 2))) == (std::vector<std::uint64_t>{4, 5}));
  CAF_CHECK(numbers(streams.take("a", rows(2, 4))) == (std::vector<std::uint64_t>{6}));
  streams.consumed(4);
  CAF_CHECK(streams.trained() == (stream_positions::rows_type{{"a", 3}, {"b", 1}}));
  CAF_CHECK_EQUAL(streams.after("a"), 4u);
}

CAF_TEST(what_one_store_had_is_gone_on_with_by_the_first_of_several) {
  stream_positions streams{{"store/in-1", "store/in-2"}};
  streams.resume(40, {});
  CAF_CHECK_EQUAL(streams.after("store/in-1"), 40u);
  CAF_CHECK_EQUAL(streams.after("store/in-2"), 0u);
}

CAF_TEST(over_crashes_every_row_is_in_the_weights_once) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 50; ++round) {
    const std::map<std::string, std::uint64_t> there{{"a", 20 + random() % 80}, {"b", 20 + random() % 80}, {"c", 9}};
    std::map<std::string, std::vector<int>> trained; // times each row is in the weights
    for (const auto& [store, n] : there) trained[store].resize(n + 1);
    auto durable = trained;
    stream_positions::rows_type kept;
    std::uint64_t kept_consumed = 0;
    stream_positions streams{{"a", "b", "c"}};
    std::vector<std::pair<std::string, std::uint64_t>> waiting;
    std::uint64_t number = 0;
    for (int step = 0; step < 2000; ++step) {
      const auto what = random() % 10;
      if (what < 6) {
        const auto store = std::string(1, static_cast<char>('a' + random() % 3));
        const auto from = streams.after(store);
        const auto to = std::min(there.at(store), from + random() % 6);
        const auto got = streams.take(store, rows(from > 2 ? from - 2 : 1, to));
        for (std::size_t i = 0; i < got.size(); ++i) {
          CAF_REQUIRE_EQUAL(got[i].training_sequence, ++number);
          waiting.emplace_back(store, from + 1 + i);
        }
      } else if (what < 8) {
        const auto block = std::min<std::size_t>(waiting.size(), 4);
        streams.consumed(block);
        for (std::size_t i = 0; i < block; ++i) ++trained[waiting[i].first][waiting[i].second];
        waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(block));
      } else if (what == 8) {
        durable = trained;
        kept = streams.trained();
        kept_consumed = number - waiting.size();
      } else { // a crash: back to the newest checkpoint
        trained = durable;
        waiting.clear();
        number = kept_consumed;
        streams = stream_positions{{"a", "b", "c"}};
        streams.resume(kept_consumed, kept);
      }
    }
    for (int step = 0; step < 200; ++step)
      for (const auto& [store, n] : there) {
        const auto from = streams.after(store);
        (void)streams.take(store, rows(from + 1, std::min(n, from + 5)));
        for (auto r = from + 1; r <= std::min(n, from + 5); ++r) waiting.emplace_back(store, r);
      }
    for (const auto& [store, r] : waiting) ++trained[store][r];
    for (const auto& [store, counts] : trained)
      for (std::size_t r = 1; r < counts.size(); ++r) CAF_REQUIRE_EQUAL(counts[r], 1);
  }
}
