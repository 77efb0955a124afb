#include "runtime/cluster/front.hpp"

#include "runtime/cluster/front_pipe.hpp"

#include <fstream>
#include <iterator>
#include <pthread.h>
#include <thread>

namespace troupe {
namespace {

constexpr nanoseconds usual_round = std::chrono::milliseconds{100};
constexpr nanoseconds rig_round = std::chrono::milliseconds{10};
constexpr nanoseconds accept_pause = std::chrono::milliseconds{200};
constexpr std::size_t most_dials_per_peer = 8;
constexpr std::uintmax_t most_fault_text = 64 * 1024;

std::string numeric_host(const std::string& host) {
  return host == "localhost" ? "127.0.0.1" : host;
}

std::set<std::string> hosts_of(const nodes_conf& conf) {
  std::set<std::string> out;
  for (const auto& node : conf.nodes())
    out.insert(numeric_host(node.host));
  return out;
}

std::vector<std::string> names_of(const nodes_conf& conf) {
  std::vector<std::string> out;
  for (const auto& node : conf.nodes())
    out.push_back(node.name.text);
  return out;
}

/// A socket that listens; the error is the kernel's.
std::shared_ptr<tcp::acceptor> open_acceptor(asio::io_context& context, const tcp::endpoint& at,
                                             boost_error& ec) {
  auto out = std::make_shared<tcp::acceptor>(context);
  out->open(at.protocol(), ec);
  if (!ec) out->set_option(tcp::acceptor::reuse_address{true}, ec);
  if (!ec) out->bind(at, ec);
  if (!ec) out->listen(asio::socket_base::max_listen_connections, ec);
  return out;
}

} // namespace

struct cluster_front::impl {
  explicit impl(front_options how) : core{std::move(how), {}}, round{core.context}, pause{core.context} {}

  /// A loopback port that leads to one peer.
  struct way_out {
    std::string peer;
    tcp::endpoint to;
    std::uint16_t port = 0;
    std::shared_ptr<tcp::acceptor> acceptor;
  };

  status load();
  status open_ways();
  void run();
  void look_around();
  void read_faults();
  void accept_incoming();
  void take(tcp::socket socket);
  void accept_outgoing(way_out& way);
  void wait_then(asio::steady_timer& timer, nanoseconds pause, std::function<void()> then);

  front_core core;
  asio::steady_timer round;
  asio::steady_timer pause;
  certificate_facts certificate;
  std::map<std::string, way_out> ways;
  std::shared_ptr<tcp::acceptor> incoming;
  mutable std::mutex guard; // listening
  std::string listening;
  std::string fault_text;
  std::thread thread;
};

// --- start ---------------------------------------------------------------------------------------

status cluster_front::impl::load() {
  const auto& options = core.options;
  const auto files =
      find_tls_files(options.directory, options.node,
                     options.node.empty() ? names_of(options.conf) : std::vector<std::string>{});
  if (!files) return files.error();
  if (auto configured = configure_tls(core.tls.native_handle(), *files); !configured) return configured;
  auto facts = read_certificate(files->certificate);
  if (!facts) return std::move(facts).error();
  certificate = std::move(*facts);
  const auto file = files->certificate.string();
  if (certificate.nodes.size() != 1 || (!options.node.empty() && certificate.nodes.front() != options.node))
    return {cluster_errc::refused,
            file + ": is the certificate of '"
                + (certificate.nodes.empty() ? std::string{} : certificate.nodes.front()) + "', not of node '"
                + options.node + "'; `troupe cluster issue " + options.node + "` makes the right one"};
  if (options.node.empty()) return ok;
  const auto now = wall_clock{}.now();
  if (const auto words = expiry_warning(certificate, "the certificate " + file, now); !words.empty())
    log::write(now >= certificate.until ? log::severity::error : log::severity::warn, "front", words);
  const auto authority = read_certificate(files->authority);
  if (!authority) return authority.error();
  if (const auto words = expiry_warning(*authority, "the authority " + files->authority.string(), now);
      !words.empty())
    log::write(now >= authority->until ? log::severity::error : log::severity::warn, "front", words);
  return ok;
}

status cluster_front::impl::open_ways() {
  for (const auto& node : core.options.conf.nodes()) {
    if (!node.tls || node.name.text == core.options.node) continue;
    boost_error ec;
    way_out way;
    way.peer = node.name.text;
    way.to = {asio::ip::make_address(numeric_host(node.host), ec), node.port};
    if (!ec) way.acceptor = open_acceptor(core.context, {asio::ip::address_v4::loopback(), 0}, ec);
    if (!ec) way.port = way.acceptor->local_endpoint(ec).port();
    if (ec)
      return {cluster_errc::failed,
              "no loopback port for the way to node '" + node.name.text + "': " + ec.message()};
    ways.emplace(way.peer, std::move(way));
  }
  return ok;
}

result<std::shared_ptr<cluster_front>> cluster_front::start(front_options options) {
  auto known = hosts_of(options.conf);
  auto parts = std::make_unique<impl>(std::move(options));
  parts->core.admission = front_admission{parts->core.options.admission, std::move(known)};
  if (auto loaded = parts->load(); !loaded) return std::move(loaded).error();
  if (auto opened = parts->open_ways(); !opened) return std::move(opened).error();
  if (parts->core.rig()) parts->read_faults();
  for (auto& [peer, way] : parts->ways)
    parts->accept_outgoing(way);
  parts->look_around();
  auto* const it = parts.get();
  parts->thread = std::thread{[it] { it->run(); }};
  return std::shared_ptr<cluster_front>{new cluster_front{std::move(parts)}};
}

void cluster_front::impl::run() {
  pthread_setname_np(pthread_self(), "tr.front");
  while (!core.stopping) {
    try {
      core.context.run();
      return;
    } catch (const std::exception& e) {
      // Memory may run out in one connection; the others go on.
      log::error("front", "a connection was dropped", {{"why", e.what()}});
    }
  }
}

cluster_front::cluster_front(std::unique_ptr<impl> parts) : impl_{std::move(parts)} {}

cluster_front::~cluster_front() {
  stop();
}

void cluster_front::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->core.context, [it = impl_.get()] {
    it->core.stopping = true;
    boost_error ignored;
    if (it->incoming) it->incoming->close(ignored);
    for (auto& [peer, way] : it->ways)
      way.acceptor->close(ignored);
    for (const auto& weak : it->core.pipes)
      if (const auto pipe = weak.lock()) pipe->abort("");
    it->round.cancel();
    it->pause.cancel();
    it->core.context.stop();
  });
  impl_->thread.join();
  // What the stop left behind refers to the parts: it goes first.
  impl_->core.context.restart();
  impl_->core.context.poll();
}

// --- incoming ------------------------------------------------------------------------------------

status cluster_front::listen(const node_spec& self, std::uint16_t inner_port) {
  boost_error ec;
  const tcp::endpoint at{asio::ip::make_address(numeric_host(self.host), ec), self.port};
  std::shared_ptr<tcp::acceptor> acceptor;
  if (!ec) acceptor = open_acceptor(impl_->core.context, at, ec);
  if (ec == asio::error::address_in_use)
    return {cluster_errc::port_in_use,
            "port " + endpoint_text(at) + " of node '" + self.name.text
                + "' is in use by another process; end it (`ss -ltnp 'sport = :" + std::to_string(self.port)
                + "'` shows it) or give the node another port in nodes.conf"};
  if (ec)
    return {cluster_errc::failed, "port " + endpoint_text(at) + " of node '" + self.name.text
                                      + "' can't be opened: " + ec.message()
                                      + "; nodes.conf must name an address of this machine"};
  {
    const std::lock_guard lock{impl_->guard};
    impl_->listening = endpoint_text(at);
  }
  asio::post(impl_->core.context, [it = impl_.get(), acceptor, inner_port] {
    it->core.inner = {asio::ip::address_v4::loopback(), inner_port};
    it->incoming = acceptor;
    it->accept_incoming();
  });
  return ok;
}

void cluster_front::impl::wait_then(asio::steady_timer& timer, nanoseconds wait, std::function<void()> then) {
  timer.expires_after(wait);
  timer.async_wait([this, then = std::move(then)](const boost_error& ec) {
    if (!ec && !core.stopping) then();
  });
}

void cluster_front::impl::accept_incoming() {
  nanoseconds again{};
  // A flood waits in the kernel's queue and costs us nothing; links that stand are not touched by it.
  if (!core.admission.may_accept({monotonic_ns()}, again))
    return wait_then(pause, again, [this] { accept_incoming(); });
  incoming->async_accept([this](const boost_error& ec, tcp::socket socket) {
    if (core.stopping || ec == asio::error::operation_aborted) return;
    if (ec) {
      core.warn("accept", "no connection can be taken in", listening, ec.message());
      return wait_then(pause, accept_pause, [this] { accept_incoming(); });
    }
    take(std::move(socket));
    accept_incoming();
  });
}

void cluster_front::impl::take(tcp::socket socket) {
  core.ledger.accepted();
  boost_error ec;
  const auto end = socket.remote_endpoint(ec);
  if (ec) return; // gone already
  const auto address = end.address().to_string();
  if (auto let_in = core.admission.arrive(address); !let_in) {
    core.ledger.refused("cap");
    core.warn("cap " + address, "connection refused", endpoint_text(end), let_in.error().text);
    socket.set_option(asio::socket_base::linger{true, 0}, ec);
    return;
  }
  core.ledger.set_waiting(core.admission.waiting());
  const auto pipe = std::make_shared<front_pipe>(core, std::move(socket), address);
  core.pipes.push_back(pipe);
  pipe->start_incoming();
}

// --- outgoing ------------------------------------------------------------------------------------

void cluster_front::impl::accept_outgoing(way_out& way) {
  way.acceptor->async_accept([this, &way](const boost_error& ec, tcp::socket socket) {
    if (core.stopping || ec == asio::error::operation_aborted) return;
    if (ec) {
      core.warn("dial " + way.peer, "no connection of our own can be taken in", endpoint_text(way.to),
                ec.message());
      auto timer = std::make_shared<asio::steady_timer>(core.context);
      return wait_then(*timer, accept_pause, [this, &way, timer] { accept_outgoing(way); });
    }
    std::size_t open = 0;
    for (const auto& weak : core.pipes)
      if (const auto pipe = weak.lock()) open += pipe->peer() == way.peer ? 1 : 0;
    if (open < 2 * most_dials_per_peer) {
      const auto pipe = std::make_shared<front_pipe>(core, std::move(socket), way.peer, way.to);
      core.pipes.push_back(pipe);
      pipe->start_outgoing();
    }
    accept_outgoing(way);
  });
}

// --- housekeeping --------------------------------------------------------------------------------

void cluster_front::impl::look_around() {
  if (core.rig()) read_faults();
  const steady_time now{monotonic_ns()};
  core.pipes.remove_if([](const auto& weak) { return weak.expired(); });
  const auto open = core.pipes; // a pipe that closes may not disturb this round
  for (const auto& weak : open) {
    const auto pipe = weak.lock();
    if (!pipe) continue;
    if (core.faults.any() && !pipe->peer().empty() && core.faults.cut(pipe->peer()))
      pipe->abort("cut by the rig");
    pipe->look_after(now);
  }
  wait_then(round, core.rig() ? rig_round : usual_round, [this] { look_around(); });
}

void cluster_front::impl::read_faults() {
  std::string text(most_fault_text, '\0');
  std::ifstream in{core.options.faults, std::ios::binary};
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (text == fault_text) return;
  fault_text = text;
  auto plan = parse_link_faults(text, core.options.faults.string());
  if (!plan)
    return log::error("front", "faults not understood; those before go on", {{"why", plan.error().text}});
  core.faults = link_faults{std::move(*plan)};
  core.ledger.set_faults(core.faults.any());
  log::warn("front", core.faults.any() ? "the rig disturbs links" : "the rig disturbs no link",
            {{"file", core.options.faults.string()}});
}

// --- questions -----------------------------------------------------------------------------------

std::uint16_t cluster_front::port_to(const std::string& peer) const {
  const auto i = impl_->ways.find(peer);
  return i == impl_->ways.end() ? std::uint16_t{0} : i->second.port;
}

std::set<std::string> cluster_front::certified_as(std::string_view node_id) const {
  return impl_->core.ledger.certified_as(node_id);
}

std::string cluster_front::last_trouble(const std::string& peer) const {
  return impl_->core.ledger.last_trouble(peer);
}

front_report cluster_front::report() const {
  front_report out;
  {
    const std::lock_guard lock{impl_->guard};
    out.listening = impl_->listening;
  }
  out.certificate = impl_->certificate.nodes.front();
  out.certificate_until = utc_text(impl_->certificate.until);
  out.certificate_days_left =
      (impl_->certificate.until - wall_clock{}.now()).count() / (24LL * 3600 * 1'000'000'000);
  impl_->core.ledger.report(out);
  return out;
}

} // namespace troupe
