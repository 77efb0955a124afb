#pragma once

/// What the tests of the venues' order codecs share: an instrument, an order, recorded answers.

#include "actors/connectors/order_words.hpp"
#include "tests/support/recordings.hpp"
#include "tests/support/seeds.hpp"

#include <fstream>
#include <random>
#include <sstream>

namespace troupe::test {

/// Prices with two decimals in steps of 0.1, sizes with four in steps of 0.001.
inline instrument_spec sample_spec(const char* id, const char* venue_symbol, contract_kind kind) {
  instrument_spec spec;
  spec.id = {id};
  spec.venue_symbol = venue_symbol;
  spec.kind = kind;
  spec.price_scale = 2;
  spec.size_scale = 4;
  spec.tick = {10};
  spec.lot = {10};
  return spec;
}

inline order_context sample_context(const char* account, const std::vector<instrument_spec>& specs) {
  order_context out;
  out.account = {account};
  for (const auto& spec : specs)
    out.by_symbol.emplace(spec.venue_symbol, spec);
  return out;
}

/// A buy of 0.01 at 30,000.50.
inline intent sample_intent(const instrument_spec& spec) {
  intent out;
  out.instrument = spec.id;
  out.limit = {3'000'050};
  out.quantity = {100};
  out.client_id = "o-1";
  return out;
}

/// The whole text of a recording; empty, and said so, where there is none.
inline std::string sample_file(const std::string& below, std::string_view test) {
  const auto path = recording(below, test);
  if (!path) return {};
  std::ifstream in{*path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Reads `frame` with bytes changed, taken out and cut off, 5,000 times: nothing but a value or an error may
/// follow.
template <class Read>
void damaged_frames(const std::string& frame, Read read) {
  if (frame.empty()) return;
  std::mt19937_64 random{seed_of("damaged_frames", 11)};
  for (int i = 0; i < 5'000; ++i) {
    auto text = frame;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 3) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, 1 + random() % 8);
        break;
      default:
        text.resize(at + 1);
        break;
      }
      if (text.empty()) text = "{";
    }
    read(text);
  }
}

} // namespace troupe::test
