#define CAF_SUITE net
#include <caf/test/unit_test.hpp>

#include "runtime/net/http_client.hpp"
#include "runtime/net/http_server.hpp"
#include "runtime/net/ws_client.hpp"

#include <condition_variable>
#include <fstream>
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <sys/stat.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::net;
using namespace std::chrono_literals;

namespace {

class fixed_clock final : public market_clock {
public:
  [[nodiscard]] market_time now() const noexcept override { return {ns_.fetch_add(1)}; }

private:
  mutable std::atomic<std::int64_t> ns_{1'000'000};
};

/// What callbacks of the I/O thread collect and the test waits for.
class collector {
public:
  void add(std::string line) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  bool wait(std::size_t count, std::chrono::milliseconds limit = 8000ms) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return lines_.size() >= count; });
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

struct fixture {
  fixture() {
    char pattern[] = "/tmp/troupe_net_XXXXXX";
    directory = ::mkdtemp(pattern);
    auto made = make_self_signed(directory, {"localhost", "127.0.0.1"});
    CAF_REQUIRE(made.has_value());
    files = *made;
  }
  ~fixture() {
    client.reset();
    socket.reset();
    server.reset();
    io.stop();
    std::filesystem::remove_all(directory);
  }

  void serve(http_server::request_handler on_request, http_server::upgrade_handler on_upgrade = {},
             bool tls = true, http_server_options options = {}) {
    options.tls = tls;
    options.clock = &clock;
    if (tls) {
      auto context = tls_context::server(files.certificate, files.key);
      CAF_REQUIRE(context.has_value());
      options.certificate = *context;
    }
    auto started = http_server::start(io, options, std::move(on_request), std::move(on_upgrade));
    CAF_REQUIRE(started.has_value());
    server = std::move(*started);
  }

  http_client_options client_options(bool tls = true, const std::string& host = "localhost") {
    http_client_options out;
    out.server = {tls, host, server->port(), ""};
    out.clock = &clock;
    if (tls) out.tls = *tls_context::client(files.authority);
    return out;
  }

  ws_client_options socket_options(const std::string& target = "/ws", bool tls = true) {
    ws_client_options out;
    out.server = {tls, "localhost", server->port(), ""};
    out.target = target;
    out.clock = &clock;
    if (tls) out.tls = *tls_context::client(files.authority);
    return out;
  }

  /// On the I/O thread, so that handlers find `socket` set.
  void open_socket(const ws_client_options& options, const ws_handlers& handlers) {
    std::promise<void> made;
    io.post([&] {
      socket = std::make_unique<ws_client>(io, options, handlers);
      made.set_value();
    });
    made.get_future().get();
  }

  result<http_response> ask(http_request request, nanoseconds deadline = 5s) {
    std::promise<result<http_response>> promise;
    auto future = promise.get_future();
    client->send(std::move(request), deadline,
                 [&](result<http_response> r) { promise.set_value(std::move(r)); });
    if (future.wait_for(15s) != std::future_status::ready) {
      CAF_FAIL("request without an end");
    }
    return future.get();
  }

  result<http_response> get(const std::string& target, nanoseconds deadline = 5s) {
    http_request request;
    request.target = target;
    return ask(std::move(request), deadline);
  }

  std::filesystem::path directory;
  certificate_files files;
  fixed_clock clock;
  io_runner io;
  std::unique_ptr<http_server> server;
  std::unique_ptr<http_client> client;
  std::unique_ptr<ws_client> socket;
};

void echo(const http_request& request, const http_responder& responder) {
  http_response response;
  response.fields.add("Content-Type", "text/plain");
  response.body = request.method + ' ' + request.target + ' ' + request.body;
  responder.respond(std::move(response));
}

bool is(const error& err, net_errc code) { return err.code == make_error_code(code); }

} // namespace

CAF_TEST_FIXTURE_SCOPE(net_tests, fixture)

CAF_TEST(addresses are parsed strictly) {
  auto a = parse_url("wss://localhost:19443/base/");
  CAF_REQUIRE(a.has_value());
  CAF_CHECK_EQUAL(a->host, "localhost");
  CAF_CHECK_EQUAL(a->port, 19443);
  CAF_CHECK_EQUAL(a->path, "/base");
  CAF_CHECK(a->tls);
  CAF_CHECK(parse_url("http://h").value().port == 80);
  CAF_CHECK(parse_url("https://h").value().port == 443);
  for (const char* bad : {"localhost", "ftp://h", "https://", "https://h:0", "https://h:70000",
                          "https://h:1x", "https://user:secret@h", "https://a b"})
    CAF_CHECK(!parse_url(bad).has_value());
}

CAF_TEST(queries decode and encode) {
  auto pairs = parse_query("symbol=BTCUSDT&text=a%20b%2Bc&empty=&flag");
  CAF_REQUIRE(pairs.has_value());
  CAF_REQUIRE_EQUAL(pairs->size(), 4u);
  CAF_CHECK((*pairs)[1].second == "a b+c");
  CAF_CHECK((*pairs)[2].second.empty());
  CAF_CHECK(!parse_query("a=%2").has_value());
  CAF_CHECK(!parse_query("a=%zz").has_value());
  CAF_CHECK(!parse_query("a=%").has_value());
  CAF_CHECK_EQUAL(percent_encode("１2 a-_.~"), "%EF%BC%912%20a-_.~");
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CAF_CHECK(percent_decode(percent_encode(all)).value() == all);
}

CAF_TEST(the key of a loopback certificate is for its owner only) {
  struct stat info{};
  CAF_REQUIRE_EQUAL(::stat(files.key.c_str(), &info), 0);
  CAF_CHECK_EQUAL(info.st_mode & 0777, 0600u);
}

CAF_TEST(requests travel over verified TLS and reuse the connection) {
  serve(echo);
  client = std::make_unique<http_client>(io, client_options());
  for (int i = 0; i < 20; ++i) {
    http_request request;
    request.method = i % 2 == 0 ? "POST" : "DELETE";
    request.target = "/api/v3/order?n=" + std::to_string(i);
    request.body = i % 2 == 0 ? "payload" : "";
    auto answer = ask(std::move(request));
    CAF_REQUIRE(answer.has_value());
    CAF_CHECK_EQUAL(answer->status, 200u);
    CAF_CHECK_EQUAL(answer->body, (i % 2 == 0 ? "POST /api/v3/order?n=" : "DELETE /api/v3/order?n=")
                                      + std::to_string(i) + (i % 2 == 0 ? " payload" : " "));
    CAF_CHECK(answer->received.ns > 0);
  }
  CAF_CHECK(client->counters().connects == 1u);
  CAF_CHECK(client->counters().responses == 20u);
  CAF_CHECK(client->counters().in_flight == 0u);
}

CAF_TEST(a server of another name is refused) {
  // 127.0.0.2 is loopback too, but not in the certificate.
  http_server_options options;
  options.bind = "127.0.0.2";
  serve(echo, {}, true, options);
  client = std::make_unique<http_client>(io, client_options(true, "127.0.0.2"));
  auto answer = get("/");
  CAF_REQUIRE(!answer.has_value());
  CAF_CHECK(is(answer.error(), net_errc::certificate_refused));
  CAF_CHECK(surely_unsent(answer.error()));
}

CAF_TEST(a server of another authority is refused) {
  serve(echo);
  auto other = make_self_signed(directory / "other", {"localhost"});
  CAF_REQUIRE(other.has_value());
  auto options = client_options();
  options.tls = *tls_context::client(other->authority);
  client = std::make_unique<http_client>(io, options);
  auto answer = get("/");
  CAF_REQUIRE(!answer.has_value());
  CAF_CHECK(is(answer.error(), net_errc::certificate_refused));
}

CAF_TEST(the system store does not trust a loopback authority) {
  serve(echo);
  auto options = client_options();
  options.tls = *tls_context::client();
  client = std::make_unique<http_client>(io, options);
  auto answer = get("/");
  CAF_REQUIRE(!answer.has_value());
  CAF_CHECK(is(answer.error(), net_errc::certificate_refused));
}

CAF_TEST(nobody listening is an error that proves the request unsent) {
  serve(echo);
  auto options = client_options();
  server.reset();
  client = std::make_unique<http_client>(io, options);
  auto answer = get("/");
  CAF_REQUIRE(!answer.has_value());
  CAF_CHECK(is(answer.error(), net_errc::connect_failed));
  CAF_CHECK(surely_unsent(answer.error()));
}

CAF_TEST(a slow server meets the deadline and the request counts as sent) {
  serve([](const http_request&, const http_responder& responder) { responder.hold(); });
  client = std::make_unique<http_client>(io, client_options());
  const auto before = std::chrono::steady_clock::now();
  auto answer = get("/slow", 150ms);
  const auto took = std::chrono::steady_clock::now() - before;
  CAF_REQUIRE(!answer.has_value());
  CAF_CHECK(is(answer.error(), net_errc::deadline));
  CAF_CHECK(!surely_unsent(answer.error()));
  CAF_CHECK(took >= 150ms);
  CAF_CHECK(took < 5s);
}

CAF_TEST(waiting behind a slow request ends unsent) {
  serve([](const http_request& request, const http_responder& responder) {
    if (request.target == "/slow") responder.hold();
    else echo(request, responder);
  });
  auto options = client_options();
  options.connections = 1;
  client = std::make_unique<http_client>(io, options);
  collector seen;
  http_request slow;
  slow.target = "/slow";
  client->send(slow, 2s, [&](result<http_response> r) { seen.add(r ? "slow answered" : "slow ended"); });
  http_request second;
  client->send(second, 100ms, [&](result<http_response> r) {
    seen.add(!r && is(r.error(), net_errc::deadline_unsent) && surely_unsent(r.error()) ? "unsent" : "wrong");
  });
  CAF_REQUIRE(seen.wait(2));
  CAF_CHECK(seen.lines()[0] == "unsent");
  CAF_CHECK(seen.lines()[1] == "slow ended");
  // The connection under the slow one was given up; a new one serves.
  CAF_CHECK(get("/again").has_value());
  CAF_CHECK(client->counters().connects == 2u);
}

CAF_TEST(urgent requests overtake waiting ones and the queue is bounded) {
  collector order;
  std::mutex mutex;
  std::optional<http_responder> first;
  serve([&](const http_request& request, const http_responder& responder) {
    order.add(request.target);
    if (request.target == "/0") {
      const std::lock_guard lock{mutex};
      first = responder;
    } else echo(request, responder);
  });
  auto options = client_options();
  options.connections = 1;
  options.queue = 3;
  client = std::make_unique<http_client>(io, options);
  collector done;
  const auto send = [&](const char* target, bool urgent) {
    http_request request;
    request.target = target;
    client->send(request, 10s, [&, target](result<http_response> r) {
      done.add(std::string{target} + (r ? " ok" : is(r.error(), net_errc::queue_full) ? " full" : " failed"));
    }, urgent);
  };
  send("/0", false);
  CAF_REQUIRE(order.wait(1));
  send("/1", false);
  send("/2", false);
  send("/cancel", true);
  send("/3", false);
  CAF_REQUIRE(done.wait(1));
  CAF_CHECK(done.lines()[0] == "/3 full");
  {
    const std::lock_guard lock{mutex};
    CAF_CHECK(first->respond({}));
    CAF_CHECK(!first->respond({}));
    first.reset();
  }
  CAF_REQUIRE(done.wait(5));
  CAF_CHECK((order.lines() == std::vector<std::string>{"/0", "/cancel", "/1", "/2"}));
}

CAF_TEST(resets and truncated answers leave the outcome open) {
  serve([](const http_request& request, const http_responder& responder) {
    http_response response;
    response.body = std::string(1000, 'x');
    if (request.target == "/reset") responder.reset();
    else if (request.target == "/cut-body") responder.respond_truncated(response, 300);
    else if (request.target == "/cut-head") responder.respond_truncated(response, 9);
    else echo(request, responder);
  });
  client = std::make_unique<http_client>(io, client_options());
  for (const char* target : {"/reset", "/cut-body", "/cut-head"}) {
    auto answer = get(target);
    CAF_REQUIRE(!answer.has_value());
    CAF_CHECK(!surely_unsent(answer.error()));
    CAF_CHECK(get("/fine").has_value());
  }
}

CAF_TEST(a forgotten responder is a 500 and a thousand bytes too many a 413) {
  http_server_options options;
  options.body_limit = 1000;
  serve([](const http_request& request, const http_responder& responder) {
    if (request.target != "/forget") echo(request, responder);
  }, {}, true, options);
  client = std::make_unique<http_client>(io, client_options());
  CAF_CHECK(get("/forget").value().status == 500u);
  http_request big;
  big.method = "POST";
  big.body = std::string(2000, 'x');
  auto refused = ask(big);
  CAF_REQUIRE(refused.has_value());
  CAF_CHECK_EQUAL(refused->status, 413u);
  http_request wide;
  wide.fields.add("X-Wide", std::string(10'000, 'x'));
  auto too_wide = ask(wide);
  CAF_REQUIRE(too_wide.has_value());
  CAF_CHECK_EQUAL(too_wide->status, 431u);
  CAF_CHECK(get("/fine").value().status == 200u);
}

CAF_TEST(an oversize answer is refused by the client) {
  serve([](const http_request&, const http_responder& responder) {
    http_response response;
    response.body = std::string(5000, 'x');
    responder.respond(response);
  });
  auto options = client_options();
  options.body_limit = 4000;
  client = std::make_unique<http_client>(io, options);
  auto answer = get("/");
  CAF_REQUIRE(!answer.has_value());
  CAF_CHECK(is(answer.error(), net_errc::body_too_large));
}

CAF_TEST(connections beyond the cap are refused and capacity comes back) {
  http_server_options options;
  options.connections = 1;
  serve(echo, {}, false, options);
  client = std::make_unique<http_client>(io, client_options(false));
  CAF_CHECK(get("/").has_value());
  auto second = std::make_unique<http_client>(io, client_options(false));
  std::promise<bool> promise;
  second->send({}, 2s, [&](result<http_response> r) { promise.set_value(r.has_value()); });
  CAF_CHECK(!promise.get_future().get());
  CAF_CHECK_EQUAL(server->refused(), 1u);
  client.reset();
  bool served = false;
  for (int i = 0; i < 50 && !served; ++i) {
    std::promise<bool> again;
    second->send({}, 2s, [&](result<http_response> r) { again.set_value(r.has_value()); });
    served = again.get_future().get();
  }
  CAF_CHECK(served);
}

CAF_TEST(deferred answers come from another thread) {
  std::vector<std::thread> threads;
  serve([&](const http_request& request, const http_responder& responder) {
    threads.emplace_back([request, responder] { echo(request, responder); });
  });
  client = std::make_unique<http_client>(io, client_options());
  CAF_CHECK(get("/later").value().body == "GET /later ");
  for (auto& thread : threads) thread.join();
}

// --- WebSocket ----------------------------------------------------------------------------------

CAF_TEST(frames go both ways in order with growing receive times) {
  collector at_server;
  serve(echo, [&](const http_request& request, ws_session session) {
    at_server.add(request.target);
    upgrade_answer answer;
    answer.handlers.on_open = [session] { session.send("welcome"); };
    answer.handlers.on_frame = [&, session](std::string_view text, market_time) {
      at_server.add(std::string{text});
      session.send("echo " + std::string{text});
    };
    answer.handlers.on_close = [&](const error&) { at_server.add("closed"); };
    return answer;
  });
  collector at_client;
  std::atomic<std::int64_t> last{0};
  std::atomic<bool> ordered{true};
  ws_handlers handlers;
  handlers.on_open = [&] { at_client.add("open"); };
  handlers.on_frame = [&](std::string_view text, market_time at) {
    if (at.ns <= last.exchange(at.ns)) ordered = false;
    at_client.add(std::string{text});
  };
  handlers.on_close = [&](const error& why) { at_client.add("closed " + why.message()); };
  open_socket(socket_options("/stream?streams=a/b"), handlers);
  CAF_REQUIRE(at_client.wait(2));
  for (int i = 0; i < 100; ++i) {
    CAF_CHECK(socket->send_text(std::to_string(i)));
  }
  CAF_REQUIRE(at_client.wait(102));
  const auto lines = at_client.lines();
  CAF_CHECK_EQUAL(lines[0], "open");
  CAF_CHECK_EQUAL(lines[1], "welcome");
  for (int i = 0; i < 100; ++i) {
    CAF_CHECK_EQUAL(lines[static_cast<std::size_t>(i) + 2], "echo " + std::to_string(i));
  }
  CAF_CHECK(ordered);
  CAF_CHECK(at_server.lines()[0] == "/stream?streams=a/b");
  socket->close();
  CAF_REQUIRE(at_client.wait(103));
  CAF_REQUIRE(at_server.wait(102));
  CAF_CHECK(at_server.lines().back() == "closed");
  CAF_CHECK(!socket->send_text("after the end"));
}

CAF_TEST(pings are answered with the same payload and count as life) {
  collector seen;
  std::optional<ws_session> at_server;
  std::mutex mutex;
  serve(echo, [&](const http_request&, ws_session session) {
    const std::lock_guard lock{mutex};
    at_server = session;
    upgrade_answer answer;
    answer.handlers.on_close = [&](const error&) { seen.add("server closed"); };
    return answer;
  });
  ws_handlers handlers;
  handlers.on_open = [&] { seen.add("open"); };
  handlers.on_ping = [&] { seen.add("ping"); };
  handlers.on_close = [&](const error& why) { seen.add(is(why, net_errc::idle) ? "idle" : why.message()); };
  auto options = socket_options();
  options.idle = 400ms;
  open_socket(options, handlers);
  CAF_REQUIRE(seen.wait(1));
  for (int i = 0; i < 8; ++i) {
    std::promise<void> elapsed;
    io.after(100ms, [&] { elapsed.set_value(); });
    elapsed.get_future().get();
    const std::lock_guard lock{mutex};
    at_server->ping("42");
  }
  CAF_REQUIRE(seen.wait(9));
  CAF_CHECK(seen.lines()[8] == "ping");
  // From here on the server says nothing: the client notices by itself.
  CAF_REQUIRE(seen.wait(10));
  CAF_CHECK(seen.lines()[9] == "idle");
  // The server's side ends too; its handler must not outlive what it writes to.
  CAF_REQUIRE(seen.wait(11));
  const std::lock_guard lock{mutex};
  at_server.reset();
}

CAF_TEST(a black hole is noticed by silence) {
  std::optional<ws_session> at_server;
  std::mutex mutex;
  collector seen;
  serve(echo, [&](const http_request&, ws_session session) {
    const std::lock_guard lock{mutex};
    at_server = session;
    upgrade_answer answer;
    answer.handlers.on_frame = [&](std::string_view, market_time) { seen.add("server heard"); };
    return answer;
  });
  ws_handlers handlers;
  handlers.on_open = [&] { seen.add("open"); };
  handlers.on_frame = [&](std::string_view, market_time) { seen.add("frame"); };
  handlers.on_close = [&](const error& why) { seen.add(is(why, net_errc::idle) ? "idle" : why.message()); };
  auto options = socket_options();
  options.idle = 300ms;
  open_socket(options, handlers);
  CAF_REQUIRE(seen.wait(1));
  {
    const std::lock_guard lock{mutex};
    at_server->send("before");
  }
  CAF_REQUIRE(seen.wait(2));
  {
    const std::lock_guard lock{mutex};
    at_server->black_hole();
    at_server->send("into the void");
  }
  CAF_REQUIRE(seen.wait(3));
  CAF_CHECK(seen.lines()[2] == "idle");
  const std::lock_guard lock{mutex};
  at_server.reset();
}

CAF_TEST(an abrupt reset and a refused upgrade are told apart) {
  std::atomic<bool> refuse{true};
  serve(echo, [&](const http_request&, ws_session session) {
    upgrade_answer answer;
    answer.accept = !refuse;
    answer.refusal.status = 429;
    answer.handlers.on_open = [session] { session.reset(); };
    return answer;
  });
  collector seen;
  ws_handlers handlers;
  handlers.on_close = [&](const error& why) { seen.add(why.message()); };
  open_socket(socket_options(), handlers);
  CAF_REQUIRE(seen.wait(1));
  CAF_CHECK(seen.lines()[0].find("429") != std::string::npos);
  refuse = false;
  open_socket(socket_options(), handlers);
  CAF_REQUIRE(seen.wait(2));
  CAF_CHECK(seen.lines()[1].find("reset") != std::string::npos);
}

CAF_TEST(a paused reader slows the sender and loses nothing) {
  std::optional<ws_session> at_server;
  std::mutex mutex;
  collector seen;
  serve(echo, [&](const http_request&, ws_session session) {
    const std::lock_guard lock{mutex};
    at_server = session;
    return upgrade_answer{};
  });
  std::atomic<std::size_t> next{0};
  std::atomic<bool> ordered{true};
  ws_handlers handlers;
  handlers.on_open = [&] { seen.add("open"); };
  handlers.on_frame = [&](std::string_view text, market_time) {
    if (std::stoul(std::string{text.substr(0, 8)}) != next++) ordered = false;
    if (next == 10) socket->pause_reading();
    if (next == 400) seen.add("all");
  };
  auto options = socket_options();
  open_socket(options, handlers);
  CAF_REQUIRE(seen.wait(1));
  std::optional<ws_session> session;
  {
    const std::lock_guard lock{mutex};
    session = std::exchange(at_server, std::nullopt);
  }
  for (std::size_t i = 0; i < 400; ++i) {
    auto text = std::to_string(i);
    text = std::string(8 - text.size(), '0') + text + std::string(10'000, 'x');
    CAF_CHECK(session->send(std::move(text)));
  }
  // The server can't get rid of it all while the client doesn't read.
  for (int i = 0; i < 20; ++i) {
    std::promise<void> elapsed;
    io.after(10ms, [&] { elapsed.set_value(); });
    elapsed.get_future().get();
  }
  CAF_CHECK_EQUAL(next.load(), 10u);
  socket->resume_reading();
  CAF_REQUIRE(seen.wait(2));
  CAF_CHECK(ordered);
  CAF_CHECK_EQUAL(socket->frames_read(), 400u);
}

CAF_TEST(a burst of frames of all sizes arrives whole and in order) {
  constexpr std::size_t frames = 3000;
  const auto text_of = [](std::size_t n) { // small ones travel together, those beyond a TLS record alone
    return std::to_string(n) + std::string(n % 97 == 0 ? n * 13 % 40'000 : n * 7 % 300, 'x');
  };
  std::promise<ws_session> at_server;
  collector seen;
  serve(echo, [&](const http_request&, ws_session session) {
    at_server.set_value(session);
    return upgrade_answer{};
  });
  std::atomic<std::size_t> next{0}, pings{0};
  std::atomic<bool> right{true};
  ws_handlers handlers;
  handlers.on_open = [&] { seen.add("open"); };
  handlers.on_ping = [&] { ++pings; };
  handlers.on_frame = [&](std::string_view text, market_time) {
    const auto n = next++;
    if (text != text_of(n)) right = false;
    if (n + 1 == frames) seen.add("all");
  };
  open_socket(socket_options(), handlers);
  CAF_REQUIRE(seen.wait(1));
  const auto session = at_server.get_future().get();
  for (std::size_t n = 0; n < frames; ++n) {
    if (n % 500 == 0) CAF_CHECK(session.ping("p"));
    if (n == 1000) session.stall(true);
    CAF_CHECK(session.send(text_of(n)));
    if (n == 2000) session.stall(false);
  }
  CAF_REQUIRE(seen.wait(2));
  CAF_CHECK(right);
  CAF_CHECK_EQUAL(next.load(), frames);
  CAF_CHECK(pings > 0);
}

CAF_TEST(a reader that stays too slow is cut by the server) {
  collector seen;
  std::optional<ws_session> at_server;
  std::mutex mutex;
  http_server_options server_options;
  server_options.ws_queue_bytes = 100'000;
  serve(echo, [&](const http_request&, ws_session session) {
    const std::lock_guard lock{mutex};
    at_server = session;
    upgrade_answer answer;
    answer.handlers.on_close = [&](const error& why) {
      seen.add(is(why, net_errc::queue_full) ? "cut" : why.message());
    };
    return answer;
  }, true, server_options);
  ws_handlers handlers;
  handlers.on_open = [&] {
    socket->pause_reading();
    seen.add("open");
  };
  open_socket(socket_options(), handlers);
  CAF_REQUIRE(seen.wait(1));
  const std::lock_guard lock{mutex};
  bool sent = true;
  for (int i = 0; i < 10'000 && sent; ++i) sent = at_server->send(std::string(10'000, 'x'));
  CAF_CHECK(!sent);
  CAF_REQUIRE(seen.wait(2));
  CAF_CHECK(seen.lines()[1] == "cut");
  at_server.reset();
}

CAF_TEST(an inbound message beyond the limit ends the session) {
  http_server_options server_options;
  server_options.message_limit = 1000;
  collector seen;
  serve(echo, [&](const http_request&, ws_session) {
    upgrade_answer answer;
    answer.handlers.on_close = [&](const error& why) {
      seen.add(is(why, net_errc::body_too_large) ? "too large" : why.message());
    };
    return answer;
  }, true, server_options);
  ws_handlers handlers;
  handlers.on_open = [&] { socket->send_text(std::string(5000, 'x')); };
  open_socket(socket_options(), handlers);
  CAF_REQUIRE(seen.wait(1));
  CAF_CHECK(seen.lines()[0] == "too large");
}

CAF_TEST(destroying clients under way leaves nothing running) {
  serve([](const http_request&, const http_responder& responder) { responder.hold(); },
        [](const http_request&, ws_session) { return upgrade_answer{}; });
  std::atomic<int> called{0};
  for (int i = 0; i < 20; ++i) {
    http_client short_lived{io, client_options()};
    short_lived.send({}, 5s, [&](result<http_response>) { ++called; });
    ws_handlers handlers;
    ws_client short_socket{io, socket_options(), handlers};
  }
  client = std::make_unique<http_client>(io, client_options());
  collector seen;
  client->send({}, 5s, [&](result<http_response> r) { seen.add(r ? "answered" : r.error().message()); });
  client->close();
  CAF_REQUIRE(seen.wait(1));
  CAF_CHECK_EQUAL(called.load(), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
