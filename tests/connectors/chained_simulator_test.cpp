#define CAF_SUITE chained_simulator

// Protocol, decoder and book machine of Bybit, OKX, Deribit and Gate against the simulator's
// dialects. The book must end as the market's own, also behind a lost frame.

#include "actors/connectors/bybit/description.hpp"
#include "actors/connectors/deribit/description.hpp"
#include "actors/connectors/gate/description.hpp"
#include "actors/connectors/okx/description.hpp"
#include "tests/support/simulated_client.hpp"

using namespace troupe;
using test::simulated_client;

namespace {

constexpr std::size_t events_of_a_run = 20'000;

const std::array chained_venues{&bybit::description(), &okx::description(), &deribit::description(),
                                &gate::description()};

void check_end(simulated_client& client) {
  CAF_CHECK_EQUAL(client.difference(), "");
  CAF_CHECK_EQUAL(client.port.violations, "");
  CAF_CHECK_EQUAL(client.damaged, 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::unknown], 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::refused], 0u);
  CAF_CHECK_EQUAL(client.kinds[inbound_kind::failure], 0u);
  CAF_CHECK(client.kinds[inbound_kind::alive] > 0);
  CAF_CHECK(client.trades > 100);
  CAF_CHECK_EQUAL(client.connects, 1u);
}

} // namespace

CAF_TEST(chained_books_end_as_the_simulators) {
  for (const auto* venue : chained_venues) {
    CAF_MESSAGE("venue " << venue->name);
    simulated_client client{*venue};
    client.run(events_of_a_run);
    check_end(client);
    CAF_CHECK_EQUAL(client.faults, 0u);
  }
}

CAF_TEST(a_lost_change_is_noticed_and_mended) {
  for (const auto* venue : chained_venues) {
    CAF_MESSAGE("venue " << venue->name);
    // A lost quote or trade breaks no book, so several frames are tried.
    std::uint64_t faults = 0;
    for (std::uint64_t lost = 50; lost < 70; ++lost) {
      simulated_client client{*venue};
      client.port.lost = lost;
      client.run(events_of_a_run / 10);
      CAF_CHECK_EQUAL(client.difference(), "");
      CAF_CHECK_EQUAL(client.port.violations, "");
      CAF_CHECK(client.faults <= 1);
      faults += client.faults;
    }
    CAF_CHECK(faults > 0);
  }
}
