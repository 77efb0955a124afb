#pragma once

/// Binance spot account gateway without I/O: decides what to send and what every answer means. The
/// transport (sockets, timers, clocks) is handed in, so the same object runs live, against a simulator
/// and in tests with simulated time. Not thread-safe: one thread calls everything.

#include "actors/connectors/binance/order_codec.hpp"
#include "actors/connectors/binance/rate_budget.hpp"

#include <unordered_map>

namespace troupe::binance {

/// How one HTTP exchange ended.
struct transport_reply {
  bool sent = true;          ///< false only when surely not one byte left this process
  unsigned status = 0;       ///< 0: no answer
  std::string body;
  std::string error;         ///< in words, when there is no answer
  nanoseconds retry_after{}; ///< the field Retry-After
  std::uint32_t used_weight = 0; ///< X-MBX-USED-WEIGHT-1M, 0 = absent
};

/// The outside world of a gateway.
class gateway_transport {
public:
  virtual ~gateway_transport() = default;
  /// One exchange; `done` exactly once, later or at once. Every request carries the key's header.
  virtual void http(const std::string& method, const std::string& target, nanoseconds deadline, bool urgent,
                    std::function<void(transport_reply)> done) = 0;
  /// Opens the user stream's socket; `on_socket_*` follow with its number.
  virtual void open_socket(std::uint64_t number) = 0;
  virtual void close_socket(std::uint64_t number) = 0;
  virtual bool send(std::uint64_t number, std::string text) = 0;
  virtual void after(nanoseconds delay, std::function<void()> job) = 0;
  [[nodiscard]] virtual market_time market_now() const = 0;
  [[nodiscard]] virtual steady_time steady_now() const = 0;
};

/// Times are steady time unless they say otherwise.
struct spot_gateway_options {
  account_id account;
  std::vector<instrument_spec> instruments;
  /// Of venue time: with a market clock that runs r times faster, r × 5 s cover 5 s of network.
  nanoseconds recv_window = std::chrono::seconds{5};
  /// Of venue time: see `gateway_traits`.
  nanoseconds processing_horizon = std::chrono::seconds{10};
  nanoseconds order_deadline = std::chrono::seconds{10};
  nanoseconds query_deadline = std::chrono::seconds{5};
  nanoseconds time_sync_interval = std::chrono::seconds{60};
  nanoseconds subscribe_deadline = std::chrono::seconds{5};
  nanoseconds ping_interval = std::chrono::seconds{3};   ///< own requests on the user stream, weight 1
  nanoseconds ping_deadline = std::chrono::seconds{5};   ///< nothing heard after one: the stream is dead
  nanoseconds rotation = std::chrono::hours{23};         ///< the venue ends a socket after 24 h
  nanoseconds backoff_least = std::chrono::milliseconds{200};
  nanoseconds backoff_most = std::chrono::seconds{10};
  nanoseconds settled_after = std::chrono::seconds{1};   ///< a stream that lived so long resets the back-off
  rate_budget_options limits = spot_limits();
  std::uint64_t seed = 1;                                ///< jitter
};

class spot_gateway final : public venue_gateway {
public:
  /// `transport` must outlive the gateway.
  spot_gateway(spot_gateway_options options, api_keys keys, gateway_transport& transport);
  ~spot_gateway() override;

  [[nodiscard]] gateway_traits traits() const override;
  void start(gateway_events& events) override;
  void stop() override;
  void place(command_id command, const intent& order) override;
  void cancel(command_id command, const instrument_id& instrument, const std::string& client_id) override;
  void query(command_id command, const instrument_id& instrument, const std::string& client_id) override;
  void open_orders(command_id command, const instrument_id& instrument) override;
  void trades_since(command_id command, const instrument_id& instrument,
                    const std::string& trade_id) override;
  void account(command_id command) override;
  void rules(command_id command, const instrument_id& instrument) override;
  [[nodiscard]] std::string status_json() const override;

  void on_socket_open(std::uint64_t number);
  void on_socket_frame(std::uint64_t number, std::string_view frame);
  void on_socket_closed(std::uint64_t number, const std::string& why);

  [[nodiscard]] const secret& api_key() const noexcept { return keys_.key; }
  /// Venue time − market clock, as measured last.
  [[nodiscard]] nanoseconds clock_offset() const noexcept { return offset_; }

private:
  struct job {
    command_id command = 0;
    std::optional<command_kind> kind; ///< none: a list
    std::string client_id;
    instrument_id instrument;
    api_call call;
    nanoseconds deadline{};
    bool urgent = false;
    int attempt = 0;
    std::function<void(const std::string& body)> on_body;      ///< lists: a readable success
    std::function<void(error why)> on_error;                   ///< lists: anything else
  };
  using job_pointer = std::shared_ptr<job>;

  void run(job_pointer work);
  void send(const job_pointer& work);
  void on_reply(const job_pointer& work, transport_reply reply);
  void on_command_reply(const job_pointer& work, const transport_reply& reply);
  void on_list_reply(const job_pointer& work, const transport_reply& reply);
  void conclude(const job_pointer& work, command_result kind, refusal why, order_report report,
                nanoseconds retry_after = {});
  void order_command(command_kind kind, command_id command, const instrument_id& instrument,
                     const std::string& client_id);
  [[nodiscard]] order_report blank_report(const job& work) const;
  [[nodiscard]] const instrument_spec* spec(const instrument_id& instrument) const;
  [[nodiscard]] std::string timestamp() const;
  [[nodiscard]] std::string signed_target(const api_call& call) const;

  void sync_time(std::function<void(bool)> then);
  void sync_later();
  void open_stream();
  void reopen_stream(const std::string& why);
  void subscribe();
  void watch_stream(std::uint64_t number);
  void publish(session_state state, const std::string& reason);
  nanoseconds next_backoff();
  void guarded_after(nanoseconds delay, std::function<void()> job);

  spot_gateway_options options_;
  api_keys keys_;
  gateway_transport& transport_;
  gateway_events* events_ = nullptr;
  order_context context_;
  rate_budget budget_;
  nanoseconds offset_{};
  bool synced_ = false;
  std::vector<std::function<void(bool)>> waiting_for_time_;
  std::unordered_map<job*, job_pointer> running_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::uint64_t socket_ = 0; ///< number of the current one; 0 = none yet
  bool socket_open_ = false;
  bool subscribed_ = false;
  bool resynced_for_subscribe_ = false;
  std::uint64_t next_request_ = 1;
  std::string subscribe_id_;
  steady_time opened_at_{};
  steady_time heard_at_{};
  std::uint32_t failures_in_row_ = 0;
  std::uint64_t random_;

  struct {
    std::uint64_t placed = 0, cancelled = 0, queried = 0, confirmed = 0, rejected = 0, denied = 0,
                  unknown = 0;
    std::uint64_t absent = 0, clock_refusals = 0, events = 0, unreadable = 0, stream_opens = 0,
                  stream_breaks = 0;
  } counters_;
};

} // namespace troupe::binance
