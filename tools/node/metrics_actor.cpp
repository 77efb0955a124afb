#include "tools/node/metrics_actor.hpp"

#include "messages/json.hpp"
#include "runtime/actor/actor_table.hpp"
#include "runtime/clock.hpp"
#include "runtime/config/errc.hpp"
#include "runtime/log.hpp"
#include "runtime/telemetry/process_figures.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace troupe::node {
namespace {

using namespace std::chrono_literals;

constexpr nanoseconds slow_handler = 100ms;
constexpr nanoseconds listen_again = 5s;
constexpr nanoseconds ask_again = 10s;
/// Making pages takes one part in so many of a core: with very many actors pages become rarer, not dearer.
constexpr int pages_share = 50;

net::http_response plain(unsigned status, std::string body) {
  net::http_response out;
  out.status = status;
  out.fields.add("Content-Type", "text/plain; charset=utf-8");
  out.body = std::move(body);
  return out;
}

/// A page of another site may make a browser ask under a name that leads here; only these are ours.
bool is_loopback_name(std::string_view host) {
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']'))
    host = host.substr(0, colon);
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

} // namespace

struct metrics_state::shared_page {
  std::mutex guard;
  std::shared_ptr<const std::string> text;
  std::atomic<std::int64_t> made{0}; // monotonic ns
  std::atomic<std::int64_t> last_scrape{0};
  std::atomic<std::uint64_t> scrapes{0};
  std::vector<metric_label> labels;
  std::filesystem::path data;

  /// On the I/O thread.
  net::http_response answer() {
    const auto begin = monotonic_ns();
    std::shared_ptr<const std::string> page;
    {
      const std::lock_guard lock{guard};
      page = text;
    }
    net::http_response out;
    out.fields.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    if (page) out.body = *page;
    scrape_figures figures{.page_age = nanoseconds{begin - made.load()},
                           .last_scrape = nanoseconds{last_scrape.load()}};
    for (const auto& handler : actor_table::instance().running_longer_than(slow_handler)) {
      ++figures.stuck;
      figures.longest = std::max(figures.longest, handler.running);
    }
    append_scrape_metrics(out.body, figures, labels);
    append_process_metrics(out.body, read_process_figures(), read_disk_figures(data), labels);
    last_scrape = monotonic_ns() - begin;
    ++scrapes;
    return out;
  }

  net::http_response route(const net::http_request& request) {
    if (!is_loopback_name(request.fields.find("Host"))) return plain(403, "Ask as 127.0.0.1 or localhost.\n");
    if (request.method != "GET") return plain(405, "Only GET.\n");
    if (request.path() == "/metrics") return answer();
    return plain(404, "Metrics are at /metrics.\n");
  }
};

metrics_state::metrics_state(self_pointer self, actor_environment env, metrics_options options)
    : self_{self}, env_{env}, options_{std::move(options)}, page_{options_.who},
      shared_{std::make_shared<shared_page>()} {
  shared_->labels = {page_.node_label()};
  shared_->data = options_.data;
  shared_->made = monotonic_ns();
}

metrics_state::~metrics_state() {
  server_.reset();
  if (io_) io_->stop();
}

observable_actor::behavior_type metrics_state::make_behavior() {
  listen();
  collect();
  return {
      [this](const status_request&) -> reply<status_report> {
        return status_report{.name = self_->core().name(), .json = status_json()};
      },
  };
}

void metrics_state::listen() {
  if (!io_) io_ = std::make_unique<net::io_runner>();
  net::http_server_options how;
  how.port = options_.port;
  how.clock = options_.clock;
  how.connections = 32;
  how.body_limit = 0;
  auto started = net::http_server::start(
      *io_, how, [page = shared_](const net::http_request& request, const net::http_responder& answer) {
        answer.respond(page->route(request));
      });
  if (started) {
    server_ = std::move(*started);
    trouble_.clear();
    log::info("metrics", "page is served",
              {{"url", "http://127.0.0.1:" + std::to_string(server_->port()) + "/metrics"}});
    return;
  }
  // Trading goes on without figures; whoever holds the port may let it go.
  if (trouble_ != started.error().text) log::error("metrics", "no page: " + started.error().text);
  trouble_ = started.error().text;
  schedule(self_, listen_again, [this] { listen(); });
}

void metrics_state::collect() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : env_.names->list()) {
    if (!entry.node.text.empty() || !entry.handle || !metrics_page::wants(name)) continue;
    names.push_back(name);
    if (!asked_.insert(name).second) continue;
    ask(self_, caf::actor_cast<observable_actor>(entry.handle), options_.answer_within, status_request{})
        .then(
            [this, name = name](const status_report& report) {
              asked_.erase(name);
              page_.take_report(name, report.json, env_.steady->now());
            },
            [this, name = name](const error&) {
              ++unanswered_;
              // One that is stuck is not flooded with questions.
              schedule(self_, ask_again, [this, name] { asked_.erase(name); });
            });
  }
  page_.keep_only(names);
  const auto begin = monotonic_ns();
  publish();
  const nanoseconds cost{monotonic_ns() - begin};
  schedule(self_, std::max(options_.every, cost * pages_share), [this] { collect(); });
}

void metrics_state::publish() {
  page_.take_actors(actor_table::instance().list());
  auto text = std::make_shared<const std::string>(page_.text(env_.steady->now()));
  {
    const std::lock_guard lock{shared_->guard};
    shared_->text.swap(text);
  }
  shared_->made = monotonic_ns();
  ++pages_;
}

std::string metrics_state::status_json() const {
  json_writer w;
  w.begin_object().field("open", true).field("listening", server_ != nullptr);
  w.field("port", server_ ? server_->port() : options_.port)
      .field("pages", pages_)
      .field("unanswered", unanswered_);
  w.field("scrapes", shared_->scrapes.load()).field("last_scrape_ns", shared_->last_scrape.load());
  w.field("trouble", trouble_).end_object();
  return std::move(w).text();
}

result<std::uint16_t> metrics_port_of(std::int64_t first, const nodes_conf& nodes, std::string_view node) {
  if (first == 0) return std::uint16_t{0};
  const auto port = first + static_cast<std::int64_t>(nodes.position(node));
  if (first < 0 || port > 65535)
    return {config_errc::bad_value, "metrics.port " + std::to_string(first)
                                        + ": with the node's place in nodes.conf added it"
                                          " must lie between 1 and 65535"};
  for (const auto& other : nodes.nodes())
    if (other.port == port)
      return {config_errc::bad_value, "metrics.port " + std::to_string(first) + ": node '" + std::string{node}
                                          + "' would serve its"
                                            " metrics at "
                                          + std::to_string(port) + ", the port of node '" + other.name.text
                                          + "'; choose another"};
  return static_cast<std::uint16_t>(port);
}

} // namespace troupe::node
