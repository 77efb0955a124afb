#pragma once

/// One process with the simulators of several venues and the connectors and feeds of a node against them. Faults
/// are injected one at a time a venue: the next one comes when the last one's effect was seen and is over.

#include "messages/error.hpp"
#include "tools/feed_torture/feed_torture.hpp"
#include "tools/feed_torture/truth_table.hpp"

#include <chrono>
#include <map>
#include <memory>

namespace troupe {

struct fault_counts {
  std::uint64_t struck = 0;
  std::uint64_t detected = 0;   ///< the feed dropped its book, or counted what it could not read
  std::uint64_t harmless = 0;   ///< changes no book: repeated, or made good by what follows
  std::uint64_t unprovable = 0; ///< neither the venue's sequence nor its checksum shows it
  std::uint64_t missed = 0;     ///< should have been detected
};

/// Quiet times in ms.
struct quiet_figures {
  std::int64_t book_ms = 0;
  std::int64_t heartbeat_ms = 0;
};

struct torment_report {
  std::string venue;
  bool image_in_band = true;
  std::map<std::string, fault_counts> faults;
  truth_table::counts books;
  std::vector<std::int64_t> recovery_ms; ///< from the book's loss until it is valid again
  std::vector<std::int64_t> refused_ms;  ///< the same where the venue had told us to wait, or a budget of ours
  std::vector<std::int64_t> noticed_ms;  ///< from silence until the session did something about it
  std::vector<std::int64_t> renewed_ms;  ///< from then on until every book is fresh and valid
  std::int64_t late = 0;                 ///< silences that were noticed later than the quiet times allow
  std::int64_t notice_limit_ms = 0;      ///< longest time they allow for a socket
  quiet_figures quiet;                   ///< as used here
  quiet_figures quiet_of_venue;
  std::int64_t least_offset_ms = 0;      ///< of the venue's clock, as the feeds saw it
  bool valid_at_end = false;
  std::string failure;    ///< the connector's last one, when there is no valid book
  std::string violations; ///< JSON object of the simulator
};

class torment_world {
public:
  static result<std::unique_ptr<torment_world>> start(const feed_torture_options& options,
                                                      const std::filesystem::path& folder);
  ~torment_world();
  torment_world(const torment_world&) = delete;
  torment_world& operator=(const torment_world&) = delete;

  /// Until every feed is valid; an error names those that are not.
  status wait_until_valid(std::chrono::seconds limit);
  /// Injects faults for so long, then lets the books recover.
  void torment(std::chrono::seconds length);
  [[nodiscard]] std::vector<torment_report> reports();
  /// How often this host's clock was set, and by how much at most, in ms.
  [[nodiscard]] std::pair<std::uint64_t, std::int64_t> clock_steps() const;

private:
  struct impl;
  explicit torment_world(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

} // namespace troupe
