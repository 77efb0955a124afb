#include "tools/bench/link_runs.hpp"

#include "runtime/actor/actor_base.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/conflating_edge.hpp"
#include "runtime/cluster/errc.hpp"
#include "runtime/cluster/spawn_process.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <arpa/inet.h>
#include <atomic>
#include <future>
#include <limits>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr auto run_within = 60s;

/// Set once, by whichever actor gets there; later ones are ignored.
struct finish_line {
  void reach() {
    if (!reached.exchange(true)) done.set_value();
  }
  bool wait() { return done.get_future().wait_for(run_within) == std::future_status::ready; }
  std::atomic<bool> reached{false};
  std::promise<void> done;
};

using finish = std::shared_ptr<finish_line>;

/// Ends a driver with the run: CAF keeps whoever another process knows.
template <class Handle>
class ended_with_run {
public:
  explicit ended_with_run(Handle driver) : driver_{std::move(driver)} {}
  ended_with_run(const ended_with_run&) = delete;
  ended_with_run& operator=(const ended_with_run&) = delete;
  ~ended_with_run() { send_kill(driver_); }

private:
  Handle driver_;
};

// --- batches -------------------------------------------------------------------------------------

using batch_driver = caf::typed_actor<on<acknowledged>>;

/// As between a feed and its readers: a window of batches, the rest waits by key and is conflated.
struct batch_driver_state {
  using handle_type = batch_driver;
  static inline const char* name = "batch driver";
  batch_driver_state(actor_pointer<batch_driver> self, link_target to, std::uint64_t batches,
                     finish end)
      : self_{self}, to_{std::move(to)}, left_{batches}, unanswered_{batches}, end_{std::move(
                                                                                   end)} {}
  batch_driver::behavior_type make_behavior() {
    fill();
    return {[this](const acknowledged&) {
      if (auto next = edge_.acknowledged()) tell(self_, to_, std::move(*next));
      fill();
      if (--unanswered_ == 0) end_->reach();
    }};
  }

private:
  void fill() {
    while (left_ > 0 && edge_.in_flight() < batches_in_flight) {
      auto batch = sample_;
      batch.hole = left_--;
      if (auto now = edge_.offer(batch.hole, std::move(batch))) tell(self_, to_, std::move(*now));
    }
  }
  actor_pointer<batch_driver> self_;
  link_target to_;
  std::uint64_t left_;
  std::uint64_t unanswered_;
  finish end_;
  past_trades sample_ = sample_batch();
  conflating_edge<std::uint64_t, past_trades> edge_{{.window = batches_in_flight, .max_keys = 16}};
};

struct bare_batches {
  static inline const char* name = "bare batches";
  std::uint64_t left = 0;
  std::uint64_t unanswered = 0;
  std::size_t in_flight = 0;
};

batch_driver::behavior_type bare_batch_driver(batch_driver::stateful_pointer<bare_batches> self,
                                              link_target to, std::uint64_t batches,
                                              std::size_t window, finish end) {
  self->state.left = self->state.unanswered = batches;
  const auto fill = [self, to, window, sample = sample_batch()] {
    auto& s = self->state;
    while (s.left > 0 && s.in_flight < window) {
      auto batch = sample;
      batch.hole = s.left--;
      ++s.in_flight;
      self->send(to, std::move(batch));
    }
  };
  fill();
  return {[=](const acknowledged&) {
    --self->state.in_flight;
    fill();
    if (--self->state.unanswered == 0) end->reach();
  }};
}

// --- questions -----------------------------------------------------------------------------------

/// Answers to questions, written by one actor, read when it is done.
struct ping_log {
  std::vector<std::int64_t> took;
  ping_plan plan;
  finish end = std::make_shared<finish_line>();
  [[nodiscard]] bool note(std::int64_t asked) {
    took.push_back(monotonic_ns() - asked);
    if (took.size() < plan.count) return true;
    end->reach();
    return false;
  }
};

using ping_driver = caf::typed_actor<on<acknowledged>>;

struct ping_driver_state {
  using handle_type = ping_driver;
  static inline const char* name = "ping driver";
  ping_driver_state(actor_pointer<ping_driver> self, link_target to, std::shared_ptr<ping_log> log)
      : self_{self}, to_{std::move(to)}, log_{std::move(log)} {}
  ping_driver::behavior_type make_behavior() {
    next();
    return {[](const acknowledged&) {}};
  }

private:
  void next() {
    ask(self_, to_, 1s, status_request{})
        .then(
            [this, asked = monotonic_ns()](const status_report&) {
              if (!log_->note(asked)) return;
              if (log_->plan.pause > 0ns)
                schedule(self_, log_->plan.pause, [this] { next(); });
              else
                next();
            },
            [this](const error&) { log_->end->reach(); });
  }
  actor_pointer<ping_driver> self_;
  link_target to_;
  std::shared_ptr<ping_log> log_;
};

void bare_ping(ping_driver::pointer self, const link_target& to,
               const std::shared_ptr<ping_log>& log) {
  self->request(to, caf::duration{1s}, status_request{})
      .then(
          [=, asked = monotonic_ns()](const status_report&) {
            if (!log->note(asked)) return;
            if (log->plan.pause > 0ns)
              self->delayed_send(self, log->plan.pause, acknowledged{});
            else
              bare_ping(self, to, log);
          },
          [log](const caf::error&) { log->end->reach(); });
}

ping_driver::behavior_type bare_ping_driver(ping_driver::pointer self, link_target to,
                                            std::shared_ptr<ping_log> log) {
  bare_ping(self, to, log);
  return {[=](const acknowledged&) { bare_ping(self, to, log); }};
}

// --- blob ----------------------------------------------------------------------------------------

/// Written by one actor; `stop` by whoever has seen enough: the blob under way is finished.
struct blob_log {
  blob_plan plan;
  std::atomic<bool> stop{false};
  std::uint64_t blobs = 0;
  std::uint64_t sent = 0;
  std::int64_t began = monotonic_ns();
  std::int64_t ended = 0;
  finish end = std::make_shared<finish_line>();

  /// The piece at `offset`.
  [[nodiscard]] checkpoint_chunk piece(std::uint64_t offset) const {
    checkpoint_chunk out;
    out.manifest.version = {"bench", 1, "0123456789abcdef"};
    out.manifest.bytes = plan.bytes;
    out.offset = offset;
    out.bytes.assign(std::min(plan.piece, plan.bytes - offset), 'b');
    return out;
  }
  /// Where to go on; nothing when it is over.
  [[nodiscard]] std::optional<std::uint64_t> after(const checkpoint_receipt& receipt) {
    if (!receipt.complete) return receipt.received;
    ++blobs;
    sent += receipt.received;
    ended = monotonic_ns();
    if (!stop) return 0;
    end->reach();
    return std::nullopt;
  }
};

using blob_driver = caf::typed_actor<on<acknowledged>>;

struct blob_driver_state {
  using handle_type = blob_driver;
  static inline const char* name = "blob driver";
  blob_driver_state(actor_pointer<blob_driver> self, link_target to, std::shared_ptr<blob_log> log)
      : self_{self}, to_{std::move(to)}, log_{std::move(log)} {}
  blob_driver::behavior_type make_behavior() {
    send(0);
    return {[](const acknowledged&) {}};
  }

private:
  void send(std::uint64_t offset) {
    ask(self_, to_, 10s, log_->piece(offset))
        .then(
            [this](const checkpoint_receipt& receipt) {
              if (const auto next = log_->after(receipt)) send(*next);
            },
            [this](const error&) { log_->end->reach(); });
  }
  actor_pointer<blob_driver> self_;
  link_target to_;
  std::shared_ptr<blob_log> log_;
};

void bare_piece(blob_driver::pointer self, const link_target& to,
                const std::shared_ptr<blob_log>& log, std::uint64_t offset) {
  self->request(to, caf::duration{10s}, log->piece(offset))
      .then(
          [=](const checkpoint_receipt& receipt) {
            if (const auto next = log->after(receipt)) bare_piece(self, to, log, *next);
          },
          [log](const caf::error&) { log->end->reach(); });
}

blob_driver::behavior_type bare_blob_driver(blob_driver::pointer self, link_target to,
                                            std::shared_ptr<blob_log> log) {
  bare_piece(self, to, log, 0);
  return {[](const acknowledged&) {}};
}

// --- raw TCP -------------------------------------------------------------------------------------

owned_fd raw_connection(std::uint16_t port) {
  owned_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval patience{.tv_sec = 60, .tv_usec = 0};
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) fd.reset();
  return fd;
}

bool send_whole(int fd, const char* from, std::size_t bytes) {
  while (bytes > 0) {
    const auto put = ::send(fd, from, bytes, MSG_NOSIGNAL);
    if (put <= 0) return false;
    from += put;
    bytes -= static_cast<std::size_t>(put);
  }
  return true;
}

} // namespace

result<link_ends> connect_link(caf::actor_system& system, link_peer& peer) {
  const auto port = peer.way();
  if (!port) return port.error();
  // CAF's heartbeats may kill a hand-shake that is under way at a tick.
  auto door = system.middleman().remote_actor<link_door>("127.0.0.1", *port);
  if (!door) door = system.middleman().remote_actor<link_door>("127.0.0.1", *port);
  if (!door)
    return error{make_error_code(cluster_errc::unreachable),
                 "the other process can't be reached: " + from_caf(door.error()).message()};
  caf::scoped_actor self{system};
  const auto fetch = [&](bool ours) {
    link_target out;
    self->request(*door, 5s, ours)
        .receive(
            [&](const caf::strong_actor_ptr& found) { out = caf::actor_cast<link_target>(found); },
            [](const caf::error&) {});
    return out;
  };
  link_ends out{fetch(true), fetch(false)};
  if (!out.ours || !out.bare)
    return error{make_error_code(cluster_errc::failed),
                 "the other process does not tell its actors"};
  return out;
}

past_trades sample_batch() {
  past_trades out;
  out.instrument.text = "BTC-USDT@binance";
  for (std::uint64_t i = 0; i < events_per_batch; ++i)
    out.trades.push_back(
        {.id = {},
         .number = 3'000'000'000 + i,
         .first = 5'000'000'000 + 2 * i,
         .last = 5'000'000'001 + 2 * i,
         .at = market_time{1'700'000'000'000'000'000 + static_cast<std::int64_t>(i) * 1'000'000},
         .at_price = price{6'000'000 + static_cast<std::int64_t>(i)},
         .quantity = size{100'000 + static_cast<std::int64_t>(i)},
         .taker = i % 2 == 0 ? side::buy : side::sell});
  return out;
}

std::size_t batch_bytes() {
  auto batch = sample_batch();
  std::vector<char> out;
  caf::binary_serializer sink{nullptr, out};
  return sink(batch) ? 0 : out.size();
}

std::int64_t run_batches(caf::actor_system& system, const link_ends& ends, link_way how,
                         std::uint64_t batches) {
  const auto end = std::make_shared<finish_line>();
  const auto window =
      how == link_way::unbounded ? std::numeric_limits<std::size_t>::max() : batches_in_flight;
  const auto begin = monotonic_ns();
  const ended_with_run driver{
      how == link_way::ours
          ? spawn_actor<batch_driver_state>(system, {}, ends.ours, batches, end)
          : batch_driver{system.spawn(bare_batch_driver, ends.bare, batches, window, end)}};
  return end->wait() ? monotonic_ns() - begin : 0;
}

std::int64_t run_raw_batches(std::uint16_t port, std::uint64_t batches) {
  const auto fd = raw_connection(port);
  const std::string batch(batch_bytes(), 'x');
  const std::uint64_t all = batch.size() * batches;
  const auto begin = monotonic_ns();
  if (!send_whole(fd.get(), reinterpret_cast<const char*>(&all), sizeof all)) return 0;
  for (std::uint64_t i = 0; i < batches; ++i)
    if (!send_whole(fd.get(), batch.data(), batch.size())) return 0;
  char answer = 0;
  return ::recv(fd.get(), &answer, 1, MSG_WAITALL) == 1 ? monotonic_ns() - begin : 0;
}

std::vector<std::int64_t> run_pings(caf::actor_system& system, const link_ends& ends, link_way how,
                                    ping_plan plan) {
  const auto log = std::make_shared<ping_log>();
  log->plan = plan;
  const ended_with_run driver{how == link_way::ours
                                  ? spawn_actor<ping_driver_state>(system, {}, ends.ours, log)
                                  : ping_driver{system.spawn(bare_ping_driver, ends.bare, log)}};
  return log->end->wait() ? log->took : std::vector<std::int64_t>{};
}

std::vector<std::int64_t> run_raw_pings(std::uint16_t port, std::size_t count) {
  std::vector<std::int64_t> out;
  const auto fd = raw_connection(port);
  std::string question(sizeof(std::uint64_t) + raw_ping_bytes, '\0'); // zero: a question follows
  char answer[raw_ping_bytes];
  while (out.size() < count) {
    const auto asked = monotonic_ns();
    if (!send_whole(fd.get(), question.data(), question.size())
        || ::recv(fd.get(), answer, sizeof answer, MSG_WAITALL) != sizeof answer)
      break;
    out.push_back(monotonic_ns() - asked);
  }
  return out;
}

blob_figures run_pings_beside_blob(caf::actor_system& system, const link_ends& ends, link_way how,
                                   ping_plan pings, blob_plan blob) {
  const auto log = std::make_shared<blob_log>();
  log->plan = blob;
  const ended_with_run driver{how == link_way::ours
                                  ? spawn_actor<blob_driver_state>(system, {}, ends.ours, log)
                                  : blob_driver{system.spawn(bare_blob_driver, ends.bare, log)}};
  blob_figures out;
  out.pings = run_pings(system, ends, how, pings);
  log->stop = true;
  if (!log->end->wait() || log->blobs == 0) return out;
  out.blobs = log->blobs;
  out.mib_per_s = static_cast<double>(log->sent) / (1 << 20)
                  / (static_cast<double>(log->ended - log->began) / 1e9);
  return out;
}

} // namespace troupe
