#pragma once

/// A raw client of the simulator for its tests: signed requests, sockets, the control endpoint.

#include "runtime/net/http_client.hpp"
#include "runtime/net/ws_client.hpp"
#include "tools/venue_sim/parameters.hpp"

#include <simdjson.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>

namespace troupe::venue_sim::test {

using namespace std::chrono_literals;

class counting_clock final : public market_clock {
public:
  [[nodiscard]] market_time now() const noexcept override { return {ns_.fetch_add(1)}; }

private:
  mutable std::atomic<std::int64_t> ns_{1};
};

/// A member of a JSON text by pointer ("/exchange/orders"); empty when it isn't there.
inline std::string member(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element doc, found;
  if (parser.parse(json.data(), json.size()).get(doc) != simdjson::SUCCESS) return {};
  if (doc.at_pointer(pointer).get(found) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (found.get(text) == simdjson::SUCCESS) return std::string{text};
  return simdjson::minify(found);
}

inline std::int64_t number(std::string_view json, std::string_view pointer) {
  const auto text = member(json, pointer);
  return text.empty() ? -1 : std::stoll(text);
}

/// What arrives on a socket; tests wait for it.
class inbox {
public:
  void add(std::string_view text) {
    const std::lock_guard lock{mutex_};
    frames_.emplace_back(text);
    changed_.notify_all();
  }
  void close(const error& why) {
    const std::lock_guard lock{mutex_};
    closed_ = why.message();
    over_ = true;
    changed_.notify_all();
  }
  /// The first frame that contains `part`, waited for; empty when none came.
  std::string wait_for(std::string_view part, std::chrono::milliseconds limit = 8000ms) {
    std::unique_lock lock{mutex_};
    std::size_t at = 0;
    std::string found;
    changed_.wait_for(lock, limit, [&] {
      for (; at < frames_.size(); ++at)
        if (frames_[at].find(part) != std::string::npos) {
          found = frames_[at];
          return true;
        }
      return false;
    });
    return found;
  }
  bool wait_count(std::size_t count, std::chrono::milliseconds limit = 8000ms) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return frames_.size() >= count; });
  }
  bool wait_closed(std::chrono::milliseconds limit = 8000ms) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return over_; });
  }
  std::vector<std::string> frames() const {
    const std::lock_guard lock{mutex_};
    return frames_;
  }
  void clear() {
    const std::lock_guard lock{mutex_};
    frames_.clear();
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> frames_;
  std::string closed_;
  bool over_ = false;
};

class venue_client {
public:
  venue_client(std::uint16_t port, std::uint16_t control_port, const std::filesystem::path& authority)
      : port_{port}, tls_{*net::tls_context::client(authority)} {
    net::http_client_options options;
    options.server = {true, "localhost", port, ""};
    options.clock = &clock_;
    options.tls = tls_;
    rest_ = std::make_unique<net::http_client>(io_, options);
    options.server = {false, "127.0.0.1", control_port, ""};
    control_ = std::make_unique<net::http_client>(io_, options);
  }
  ~venue_client() {
    sockets_.clear();
    rest_.reset();
    control_.reset();
    io_.stop();
  }

  result<net::http_response> ask(std::string method, std::string target, std::string key = {}) {
    net::http_request request;
    request.method = std::move(method);
    request.target = std::move(target);
    if (!key.empty()) request.fields.add("X-MBX-APIKEY", key);
    return send(*rest_, std::move(request));
  }
  std::string get(std::string target) {
    auto reply = ask("GET", std::move(target));
    return reply ? reply->body : reply.error().message();
  }
  /// A signed request at the venue's own time.
  result<net::http_response> signed_ask(std::string method, const std::string& path, std::string query) {
    if (!query.empty()) query += '&';
    query += "timestamp=" + std::to_string(venue_ms()) + "&recvWindow=60000";
    query += "&signature=" + hmac_hex("simulator-secret", query);
    return ask(std::move(method), path + "?" + query, "simulator-key");
  }
  std::int64_t venue_ms() { return number(get("/api/v3/time"), "/serverTime"); }

  result<net::http_response> control(std::string method, std::string path, std::string body = {}) {
    net::http_request request;
    request.method = std::move(method);
    request.target = std::move(path);
    request.body = std::move(body);
    return send(*control_, std::move(request));
  }
  std::string state() { return control("GET", "/state").value_or({}).body; }
  /// Status of the answer to POST /faults.
  unsigned script(std::string faults) {
    return control("POST", "/faults", std::move(faults)).value_or({}).status;
  }

  /// Opens a socket that fills an inbox.
  std::pair<std::shared_ptr<inbox>, net::ws_client*> socket(std::string target) {
    auto box = std::make_shared<inbox>();
    net::ws_client_options options;
    options.server = {true, "localhost", port_, ""};
    options.target = std::move(target);
    options.tls = tls_;
    options.clock = &clock_;
    net::ws_handlers handlers;
    handlers.on_frame = [box](std::string_view text, market_time) { box->add(text); };
    handlers.on_close = [box](const error& why) { box->close(why); };
    sockets_.push_back(std::make_unique<net::ws_client>(io_, options, handlers));
    return {box, sockets_.back().get()};
  }
  /// A socket of the private stream, subscribed.
  std::shared_ptr<inbox> private_stream() {
    auto [box, ws] = socket("/ws-api/v3");
    const auto stamp = std::to_string(venue_ms());
    const auto text = "apiKey=simulator-key&recvWindow=60000&timestamp=" + stamp;
    ws->send_text(
        R"({"id":"s","method":"userDataStream.subscribe.signature","params":{"apiKey":"simulator-key",)"
        R"("recvWindow":60000,"timestamp":)"
        + stamp + R"(,"signature":")" + hmac_hex("simulator-secret", text) + "\"}}");
    if (box->wait_for("subscriptionId").empty()) return nullptr;
    return box;
  }

private:
  result<net::http_response> send(net::http_client& through, net::http_request request) {
    auto done = std::make_shared<std::promise<result<net::http_response>>>();
    auto future = done->get_future();
    through.send(std::move(request), 8s,
                 [done](result<net::http_response> r) { done->set_value(std::move(r)); });
    return future.get();
  }

  std::uint16_t port_;
  counting_clock clock_;
  net::io_runner io_{1};
  net::tls_context tls_;
  std::unique_ptr<net::http_client> rest_;
  std::unique_ptr<net::http_client> control_;
  std::vector<std::unique_ptr<net::ws_client>> sockets_;
};

} // namespace troupe::venue_sim::test
