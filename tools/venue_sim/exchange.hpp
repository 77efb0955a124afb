#pragma once

/// The venue behind its wire: REST requests and WebSocket API calls in, answers and private events out. It
/// owns matching, account, limits and the ledger. It knows nothing of sockets. One owner, one thread.
///
/// The order of things is the promise that makes the ledger an oracle: `handle` and `call` may change orders;
/// then `settle` writes and syncs what changed; only when it returned ok may the answer and the events that
/// it hands out leave the process.

#include "tools/venue_sim/ledger.hpp"
#include "tools/venue_sim/limits.hpp"
#include "tools/venue_sim/market_history.hpp"
#include "tools/venue_sim/parameters.hpp"

namespace troupe::venue_sim {

struct api_request {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  std::string_view body;
  std::string_view api_key;
};

struct api_reply {
  unsigned status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Both clocks at the moment of a request.
struct instant {
  std::int64_t market_ns = 0;
  std::int64_t steady_ns = 0;
  [[nodiscard]] std::int64_t market_ms() const noexcept { return market_ns / 1'000'000; }
};

struct exchange_settings {
  std::string api_key;
  std::string api_secret;
  int recv_window_factor = 1;
  limit_settings limits;
};

class exchange {
public:
  exchange(exchange_settings settings, const market_source& market, trading_rules rules, ledger_writer ledger,
           const ledger_content& history);

  /// One REST request. The answer may leave after `settle`.
  api_reply handle(const api_request& request, instant now);

  /// Result of a WebSocket API call.
  struct call_result {
    std::string text;       ///< the answer
    bool subscribe = false; ///< the caller asks for private events: `answer_subscription` goes out instead
    bool unsubscribe = false;
    std::int64_t subscription = -1; ///< which one ends; -1: all
    bool list_subscriptions = false;
    bool order_entry = false; ///< an order.place: faults of the order side apply
    std::string id;           ///< of the request, as JSON
  };
  call_result call(std::string_view text, instant now);
  /// Answers for calls that only the socket's owner can complete; `result` is JSON.
  [[nodiscard]] std::string call_answer(std::string_view id, std::string_view result) const;

  /// Something public happened: trades fill resting orders. `settle` must follow.
  void on_market(const market_event& event);
  /// Only remembers a public event (history before a restart).
  void learn(const market_event& event);

  /// Writes and syncs what happened since the last call and appends its private events.
  /// @errors ledger_io: the simulator must stop; nothing that waits may be told to anyone
  status settle(std::vector<std::string>& events, instant now);
  /// Ends orders that a crash left between acceptance and their immediate end.
  status finish_restart(instant now);

  [[nodiscard]] const matching_engine& engine() const noexcept { return engine_; }
  [[nodiscard]] std::uint64_t ledger_records() const noexcept { return ledger_.records(); }
  /// Members of the state summary (no brackets).
  [[nodiscard]] std::string summary() const;

private:
  /// One request on its way through: `p` decoded, `to_sign` as the client signed it.
  struct context {
    const parameters& p;
    instant now;
    std::string to_sign;
    std::string_view api_key;
  };
  using handler = api_reply (exchange::*)(const context&);
  struct route {
    std::string_view method;
    std::string_view path; ///< without the venue's prefix
    std::string_view call; ///< name in the WebSocket API; empty: none
    bool is_signed;
    int weight; ///< 0: depends on the limit asked for
    handler run;
  };
  static std::span<const route> routes();
  /// Charges, checks and runs; the answer without its limit fields.
  api_reply run(const route& r, const context& c);
  std::optional<api_reply> check_access(const context& c);
  std::optional<api_reply> check_time(const context& c);
  std::optional<api_reply> check_symbol(const parameters& p);
  api_reply refuse(unsigned http, int code, std::string_view text);
  api_reply refuse(const limit_refusal& why);
  api_reply missing(std::string_view parameter);
  void add_limit_fields(api_reply& reply, bool order) const;
  [[nodiscard]] bool serves(const route& r) const noexcept;
  [[nodiscard]] std::size_t limit_of(const parameters& p, std::size_t otherwise, std::size_t most) const;
  [[nodiscard]] int depth_weight(const parameters& p) const;

  api_reply ping(const context& c);
  api_reply time(const context& c);
  api_reply info(const context& c);
  api_reply depth(const context& c);
  api_reply trades(const context& c);
  api_reply old_trades(const context& c);
  api_reply aggregate_trades(const context& c);
  api_reply klines(const context& c);
  api_reply best_prices(const context& c);
  api_reply place(const context& c);
  api_reply cancel(const context& c);
  api_reply cancel_all(const context& c);
  api_reply query(const context& c);
  api_reply open_orders(const context& c);
  api_reply all_orders(const context& c);
  api_reply my_trades(const context& c);
  api_reply account(const context& c);

  std::variant<order_request, api_reply> read_order(const parameters& p);
  std::optional<api_reply> read_amount(const parameters& p, std::string_view name, std::int64_t& out);
  const order* find_order(const parameters& p, bool& mismatch) const;
  void record(const order_report& r, instant now);
  [[nodiscard]] std::string limits_array(bool order) const;
  [[nodiscard]] std::string wrapped(std::string_view id, const api_reply& reply, bool order) const;

  exchange_settings settings_;
  const market_source& market_;
  matching_engine engine_;
  ledger_writer ledger_;
  request_limits limits_;
  market_history history_;
  std::int64_t next_execution_ = 1;
  std::int64_t account_updated_ms_ = 0;

  std::map<std::string, std::uint64_t, std::less<>> requests_by_path_;
  std::map<int, std::uint64_t> refusals_by_code_;
  std::uint64_t unsigned_refusals_ = 0;
  std::uint64_t accepted_ = 0, fills_ = 0, canceled_ = 0, expired_ = 0;
  std::map<std::string, int, std::less<>> accepted_by_client_;
  std::uint64_t duplicates_ = 0; ///< accepted orders beyond the first of one client id
};

} // namespace troupe::venue_sim
