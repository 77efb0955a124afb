#include "tools/bench/simulator_control.hpp"

#include "runtime/clock.hpp"
#include "runtime/net/http_client.hpp"
#include "tools/json_view.hpp"

#include <future>

namespace troupe::bench {
namespace {

constexpr auto control_within = std::chrono::seconds{10};

result<std::string> ask(std::uint16_t port, std::string method, std::string path) {
  const wall_clock clock;
  net::io_runner io{1};
  net::http_client_options how;
  how.server = {false, "127.0.0.1", port, ""};
  how.clock = &clock;
  net::http_client client{io, std::move(how)};
  auto promise = std::make_shared<std::promise<result<net::http_response>>>();
  auto answer = promise->get_future();
  net::http_request request;
  request.method = std::move(method);
  request.target = std::move(path);
  client.send(std::move(request), control_within,
              [promise](result<net::http_response> reply) { promise->set_value(std::move(reply)); });
  auto reply = answer.get(); // the client answers by the deadline
  if (!reply) return std::move(reply).error();
  return std::move(reply->body);
}

} // namespace

status begin_lag(std::uint16_t control_port) {
  auto answer = ask(control_port, "POST", "/measure");
  if (!answer) return std::move(answer).error();
  return ok;
}

result<simulator_lag> lag_of(std::uint16_t control_port) {
  auto answer = ask(control_port, "GET", "/state");
  if (!answer) return std::move(answer).error();
  const auto said = json_view::parse(*answer);
  return simulator_lag{static_cast<std::uint64_t>(said.integer("behind.events")), said.real("behind.p50_ms"),
                       said.real("behind.p99_ms"), said.real("behind.most_ms")};
}

} // namespace troupe::bench
