#pragma once

/// The simulator's ledger: an append-only text file, one record a line, each with a running number and a
/// checksum, synced before anybody hears of what it says. It is written by the simulator alone and read by
/// the checkers (`troupe torture`, the demo), which compare it with an executor's journal.
///
/// Line: 16 hex digits (XXH64 of the rest of the line), a space, a JSON object, a newline. The first record
/// is {"k":"troupe-venue-ledger","version":1,…}. Amounts are integers in units of 10^-8.
/// A torn last line is cut off when the simulator starts again; damage anywhere else is an error.

#include "tools/venue_sim/venue_sim.hpp"

#include <map>
#include <optional>
#include <string_view>

namespace troupe::venue_sim {

enum class ledger_side : std::uint8_t { buy, sell };

/// An order the simulator accepted.
struct ledger_order {
  std::int64_t order_id = 0;
  std::string client_order_id;
  std::string symbol;
  ledger_side side = ledger_side::buy;
  std::string type;             ///< "LIMIT", "MARKET", "LIMIT_MAKER"
  std::string time_in_force;    ///< "GTC", "IOC", "FOK"
  std::int64_t price_e8 = 0;    ///< 0 for MARKET
  std::int64_t quantity_e8 = 0; ///< 0 when the order names a quote amount
  std::int64_t quote_quantity_e8 = 0;
  std::int64_t market_ns = 0; ///< receipt, market time
  std::int64_t steady_ns = 0; ///< receipt, CLOCK_MONOTONIC
};

/// One execution.
struct ledger_fill {
  std::int64_t trade_id = 0;
  std::int64_t order_id = 0;
  std::string client_order_id;
  std::string symbol;
  ledger_side side = ledger_side::buy;
  std::int64_t price_e8 = 0;
  std::int64_t quantity_e8 = 0;
  std::int64_t quote_e8 = 0;
  std::int64_t commission_e8 = 0;
  std::string commission_asset;
  bool maker = false;
  std::string rule; ///< why it filled: "take", "queue", "trade-through", "crossed"
  std::int64_t market_ns = 0;
};

/// The end of an order other than by filling: "cancel" or "expire".
struct ledger_end {
  std::int64_t order_id = 0;
  std::string client_order_id;
  std::string how;
  std::string request_client_id; ///< the cancel request's own id; empty for "expire"
  std::int64_t market_ns = 0;
};

/// An order the simulator refused, for diagnosis; it never existed.
struct ledger_refusal {
  std::string client_order_id;
  int code = 0;
  std::int64_t market_ns = 0;
};

/// Everything a ledger says.
struct ledger_content {
  std::vector<ledger_order> orders; ///< in order of acceptance
  std::vector<ledger_fill> fills;   ///< in order of execution
  std::vector<ledger_end> ends;
  std::vector<ledger_refusal> refusals;
  std::map<std::string, std::vector<std::int64_t>, std::less<>> by_client_id; ///< order ids per client id
  std::int64_t opening_base_e8 = 0;
  std::int64_t opening_quote_e8 = 0;
  std::uint64_t next_record = 0; ///< number of the record after the last good one
  std::uint64_t good_bytes = 0;  ///< length of the intact prefix
  std::uint64_t torn_bytes = 0;  ///< what a crash left behind it

  /// Client ids that stand for more than one accepted order.
  [[nodiscard]] std::vector<std::string> duplicated_client_ids() const;
};

/// Reads a ledger's text; `name` stands in error texts. Pure.
/// @errors bad_ledger
result<ledger_content> parse_ledger(std::string_view text, const std::string& name);

/// Reads a ledger, also while the simulator writes it (its unfinished last line counts as torn).
/// @errors bad_ledger with file and byte offset when a record before the tail is damaged; ledger_io
result<ledger_content> read_ledger(const std::filesystem::path& file);

/// The writer. One owner, one thread. After a failed write or sync every further call fails.
class ledger_writer {
public:
  /// Creates the file or continues it behind its last good record (a torn tail is cut off first).
  /// `found` receives what the file already said.
  static result<ledger_writer> open(const std::filesystem::path& file, std::int64_t opening_base_e8,
                                    std::int64_t opening_quote_e8, ledger_content& found);

  ledger_writer(ledger_writer&&) noexcept;
  ledger_writer& operator=(ledger_writer&&) noexcept;
  ledger_writer(const ledger_writer&) = delete;
  ledger_writer& operator=(const ledger_writer&) = delete;
  ~ledger_writer();

  /// Adds a record to the pending batch.
  void add(const ledger_order& order);
  void add(const ledger_fill& fill);
  void add(const ledger_end& end);
  void add(const ledger_refusal& refusal);

  /// Writes the pending batch and `fdatasync`s it. Nothing may be told to a client before this returned ok.
  status commit();
  [[nodiscard]] bool has_pending() const noexcept { return !pending_.empty(); }
  [[nodiscard]] std::uint64_t records() const noexcept { return next_; }

private:
  ledger_writer(int fd, std::filesystem::path file, std::uint64_t next);
  void add_line(std::string json);

  int fd_ = -1;
  std::filesystem::path file_;
  std::string pending_;
  std::uint64_t next_ = 0;
  bool failed_ = false;
};

} // namespace troupe::venue_sim
