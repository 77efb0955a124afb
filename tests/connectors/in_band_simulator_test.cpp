#define CAF_SUITE in_band_simulator

// Protocol, decoder and book machine of Kraken, Coinbase and Bitfinex against the simulator's
// dialects, which share nothing with them: without sockets, an hour of market in a moment. The book
// must end as the market's own, also behind a lost frame and a wrong checksum.

#include "actors/connectors/bitfinex/description.hpp"
#include "actors/connectors/coinbase/description.hpp"
#include "actors/connectors/kraken/description.hpp"
#include "tests/support/simulated_client.hpp"

#include <caf/test/unit_test.hpp>

using namespace troupe;
using test::simulated_client;

namespace {

constexpr std::size_t some_events = 20'000;

void check_clean(simulated_client& client) {
  CAF_CHECK_EQUAL(client.difference(), "");
  CAF_CHECK_EQUAL(client.port.violations, "");
  CAF_CHECK_EQUAL(client.damaged, 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::unknown], 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::refused], 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::failure], 0u);
  CAF_CHECK(client.trades > 100);
}

} // namespace

CAF_TEST(books_end_as_the_simulators) {
  for (const auto* venue :
       {&kraken::description(), &coinbase::description(), &bitfinex::description()}) {
    CAF_MESSAGE("venue " << venue->name);
    simulated_client client{*venue};
    client.run(some_events);
    check_clean(client);
    CAF_CHECK_EQUAL(client.faults, 0u);
    CAF_CHECK_EQUAL(client.connects, 1u);
  }
}

CAF_TEST(a_lost_frame_is_noticed_and_mended) {
  for (const auto* venue :
       {&kraken::description(), &coinbase::description(), &bitfinex::description()}) {
    CAF_MESSAGE("venue " << venue->name);
    simulated_client client{*venue};
    client.port.lost = 500;
    client.run(some_events);
    check_clean(client);
    // Kraken numbers nothing: only a frame that moved the best ten can be missed.
    if (venue->books[0].rules.family == book_family::connection) CAF_CHECK_EQUAL(client.faults, 1u);
    CAF_CHECK_EQUAL(client.connects,
                    1 + (venue->books[0].rules.family == book_family::connection ? 1u : 0u));
  }
}

CAF_TEST(a_wrong_checksum_brings_a_new_image) {
  simulated_client client{kraken::description()};
  client.run(1'000);
  client.spoil_next = true;
  client.run(some_events);
  check_clean(client);
  CAF_CHECK_EQUAL(client.faults, 1u);
  CAF_CHECK_EQUAL(client.connects, 1u);
}
