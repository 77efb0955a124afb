#pragma once

/// Internal to the TLS front: what all links of a process share. Everything here is used on the front's
/// own thread, the ledger's functions excepted.

#include "runtime/clock.hpp"
#include "runtime/cluster/front.hpp"
#include "runtime/cluster/front_faults.hpp"
#include "runtime/log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <utility>

namespace troupe {

namespace asio = boost::asio;
using boost_error = boost::system::error_code;
using tcp = asio::ip::tcp;

/// Figures of one open link; written by the front's thread, read by any.
struct link_figures {
  std::string peer;
  bool dialled = false;
  std::string address;
  steady_time opened;
  std::string node_id; ///< what the dialling side's CAF said first; under the ledger's lock
  std::atomic<std::int64_t> heard{0};
  std::atomic<std::uint64_t> bytes_in{0}, bytes_out{0}, frames_in{0}, frames_out{0};
  std::atomic<std::int64_t> round_trip{0};
  std::atomic<std::uint64_t> retransmits{0};
  std::atomic<std::uint64_t> credit{0};
};

/// Counts what happens; thread-safe.
class front_ledger {
public:
  std::shared_ptr<link_figures> open(const std::string& peer, bool dialled, const std::string& address);
  void close(const std::shared_ptr<link_figures>& link);
  void trouble(const std::string& peer, const std::string& words);
  void refused(const std::string& kind);
  void accepted();
  void set_waiting(std::size_t n);
  void set_faults(bool on);
  void set_node_id(link_figures& link, const std::string& bytes);
  [[nodiscard]] std::set<std::string> certified_as(std::string_view node_id) const;
  [[nodiscard]] std::string last_trouble(const std::string& peer) const;
  /// Fills links, peers and counts.
  void report(front_report& out) const;

private:
  struct peer_counts {
    front_peer counts;
    steady_time troubled{};
  };
  mutable std::mutex guard_;
  std::list<std::shared_ptr<link_figures>> links_;
  std::map<std::string, peer_counts> peers_;
  std::map<std::string, std::uint64_t> refused_;
  std::uint64_t accepted_ = 0;
  std::uint64_t waiting_ = 0;
  bool faults_on_ = false;
};

class front_pipe;

struct front_core {
  explicit front_core(front_options how, std::set<std::string> known)
      : options{std::move(how)}, admission{options.admission, std::move(known)} {}

  front_options options;
  asio::io_context context{1};
  asio::ssl::context tls{asio::ssl::context::tlsv13};
  front_admission admission;
  line_throttle throttle;
  link_faults faults;
  front_ledger ledger;
  std::list<std::weak_ptr<front_pipe>> pipes;
  tcp::endpoint inner; ///< CAF's own listener
  bool stopping = false;

  [[nodiscard]] bool rig() const noexcept { return !options.faults.empty(); }
  /// A node writes what happens to its links into its log; an operator's program has no log.
  void note(const std::string& what, std::initializer_list<log::attribute> attributes) const;
  /// One warning a key and ten seconds; the rest is counted.
  void warn(const std::string& key, const std::string& what, const std::string& where,
            const std::string& why);
};

/// "127.0.0.1:4410", for log lines.
std::string endpoint_text(const tcp::endpoint& endpoint);

} // namespace troupe
