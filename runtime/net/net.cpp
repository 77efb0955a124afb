#include "runtime/net/detail.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::net {
namespace {

class net_category final : public std::error_category {
  const char* name() const noexcept override { return "net"; }
  std::string message(int value) const override {
    switch (static_cast<net_errc>(value)) {
    case net_errc::bad_url: return "not an address of ours";
    case net_errc::resolve_failed: return "host name has no address";
    case net_errc::connect_failed: return "can't connect";
    case net_errc::connect_deadline: return "connecting took too long";
    case net_errc::tls_failed: return "TLS failed";
    case net_errc::certificate_refused: return "the server's certificate is not trusted";
    case net_errc::handshake_refused: return "WebSocket upgrade refused";
    case net_errc::queue_full: return "queue full";
    case net_errc::not_connected: return "not connected";
    case net_errc::stopped: return "stopped by us";
    case net_errc::deadline_unsent: return "deadline passed before it was sent";
    case net_errc::deadline: return "no answer within the deadline";
    case net_errc::broken: return "connection broke";
    case net_errc::closed: return "closed by the peer";
    case net_errc::reset: return "reset by the peer";
    case net_errc::idle: return "nothing heard for too long";
    case net_errc::body_too_large: return "body beyond the limit";
    case net_errc::header_too_large: return "header beyond the limit";
    case net_errc::bad_message: return "not the protocol expected";
    case net_errc::listen_failed: return "can't listen";
    case net_errc::bad_certificate_file: return "certificate or key unusable";
    case net_errc::out_of_entropy: return "no randomness for a key";
    }
    return "unknown";
  }
};

} // namespace

std::error_code make_error_code(net_errc code) noexcept {
  static const net_category category;
  return {static_cast<int>(code), category};
}

bool surely_unsent(const error& err) noexcept {
  static constexpr net_errc unsent[] = {
      net_errc::bad_url,          net_errc::resolve_failed,      net_errc::connect_failed,
      net_errc::connect_deadline, net_errc::tls_failed,          net_errc::certificate_refused,
      net_errc::queue_full,       net_errc::not_connected,       net_errc::stopped,
      net_errc::deadline_unsent,
  };
  return std::any_of(std::begin(unsent), std::end(unsent),
                     [&](net_errc code) { return err.code == make_error_code(code); });
}

net_errc classify(const boost_error& ec, net_errc fallback) noexcept {
  if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated || ec == http::error::end_of_stream
      || ec == websocket::error::closed || ec == http::error::partial_message)
    return net_errc::closed;
  if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe) return net_errc::reset;
  if (ec == http::error::body_limit || ec == websocket::error::message_too_big)
    return net_errc::body_too_large;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return net_errc::header_too_large;
  if (ec == beast::error::timeout) return net_errc::deadline;
  if (ec.category() == asio::error::get_ssl_category()) {
    if (ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED)
      return net_errc::certificate_refused;
    return net_errc::tls_failed;
  }
  if (ec.category() == http::make_error_code(http::error::bad_method).category()
      || ec.category() == websocket::make_error_code(websocket::error::bad_opcode).category())
    return net_errc::bad_message;
  return fallback;
}

error net_error(net_errc code, const std::string& where, const boost_error& ec) {
  return {make_error_code(code), ec ? where + ": " + ec.message() : where};
}

std::string host_field(const address& server) {
  const bool usual = server.port == (server.tls ? 443 : 80);
  return usual ? server.host : server.host + ':' + std::to_string(server.port);
}

// --- addresses and text -------------------------------------------------------------------------

result<address> parse_url(std::string_view url) {
  const auto bad = [&](const char* why) -> result<address> {
    return {net_errc::bad_url, "address '" + std::string{url} + "': " + why
                                   + "; write https://host:port/path or wss://host:port/path"};
  };
  const auto mark = url.find("://");
  if (mark == std::string_view::npos) return bad("no scheme");
  const auto scheme = url.substr(0, mark);
  address out;
  if (scheme == "https" || scheme == "wss") out.tls = true;
  else if (scheme == "http" || scheme == "ws") out.tls = false;
  else return bad("unknown scheme");
  auto rest = url.substr(mark + 3);
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos) out.path = rest.substr(slash);
  while (!out.path.empty() && out.path.back() == '/') out.path.pop_back();
  rest = rest.substr(0, slash);
  if (rest.find('@') != std::string_view::npos) return bad("credentials don't belong into an address");
  out.port = out.tls ? 443 : 80;
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos) {
    const auto text = rest.substr(colon + 1);
    const auto end = text.data() + text.size();
    const auto [stop, ec] = std::from_chars(text.data(), end, out.port);
    if (ec != std::errc{} || stop != end || out.port == 0) return bad("port is no number from 1 to 65535");
    rest = rest.substr(0, colon);
  }
  if (rest.empty() || rest.find_first_of(" \t\r\n?#") != std::string_view::npos) return bad("no host name");
  out.host = rest;
  return out;
}

std::string_view http_fields::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : items)
    if (beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  return {};
}

namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

} // namespace

result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') out += ' ';
    else if (text[i] != '%') out += text[i];
    else {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return {net_errc::bad_message, "damaged % escape in a query"};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                       || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) out += raw;
    else {
      out += '%';
      out += hex[c >> 4];
      out += hex[c & 15];
    }
  }
  return out;
}

result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto item = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (item.empty()) continue;
    const auto equals = item.find('=');
    auto name = percent_decode(item.substr(0, equals));
    if (!name) return std::move(name).error();
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view{}
                                                                 : item.substr(equals + 1));
    if (!value) return std::move(value).error();
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

// --- I/O threads --------------------------------------------------------------------------------

io_runner::io_runner(int threads) : impl_{std::make_shared<impl>(std::max(threads, 1))} {
  for (int i = 0; i < std::max(threads, 1); ++i)
    impl_->threads.emplace_back([self = impl_.get()] { self->context.run(); });
}

io_runner::~io_runner() { stop(); }

void io_runner::stop() {
  impl_->work.reset();
  impl_->context.stop();
  for (auto& thread : impl_->threads)
    if (thread.joinable()) thread.join();
  const std::lock_guard lock{impl_->mutex};
  impl_->timers.clear();
}

void io_runner::post(std::function<void()> job) { asio::post(impl_->context, std::move(job)); }

std::uint64_t io_runner::after(nanoseconds delay, std::function<void()> job) {
  auto timer = std::make_shared<asio::steady_timer>(impl_->context, delay);
  const std::lock_guard lock{impl_->mutex};
  const auto token = impl_->next_token++;
  impl_->timers.emplace(token, timer);
  timer->async_wait([self = impl_.get(), token, job = std::move(job)](const boost_error& ec) {
    {
      const std::lock_guard inner{self->mutex};
      if (self->timers.erase(token) == 0 || ec) return;
    }
    job();
  });
  return token;
}

void io_runner::cancel_timer(std::uint64_t token) {
  const std::lock_guard lock{impl_->mutex};
  impl_->timers.erase(token);
}

bool io_runner::on_io_thread() const noexcept {
  return impl_->context.get_executor().running_in_this_thread();
}

} // namespace troupe::net
