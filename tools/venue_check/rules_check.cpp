// What REST says: whether the venue is there, and the rules of its instruments.

#include "runtime/clock.hpp"
#include "runtime/net/http_client.hpp"
#include "storage/instrument_rules.hpp"
#include "tools/venue_check/venue_check.hpp"

#include <algorithm>
#include <future>

namespace troupe {
namespace {

constexpr auto rest_deadline = std::chrono::seconds{15};
constexpr std::size_t largest_page = 64u << 20;

result<net::http_response> call_once(net::http_client& client, rest_call call,
                                     nanoseconds deadline) {
  auto promise = std::make_shared<std::promise<result<net::http_response>>>();
  auto answer = promise->get_future();
  net::http_request request;
  request.method = std::move(call.method);
  request.target = std::move(call.target);
  request.body = std::move(call.body);
  client.send(std::move(request), deadline, [promise](result<net::http_response> reply) {
    promise->set_value(std::move(reply));
  });
  return answer.get(); // the client answers by the deadline
}

std::string host_of(const net::address& at) {
  return at.host + ":" + std::to_string(at.port);
}

/// The lines that tell how far a connection came.
check_list reach(const venue_check_options& options, const error* why) {
  using enum check_verdict;
  using net::net_errc;
  const auto host = host_of(options.rest);
  const auto is = [&](net_errc code) {
    return why != nullptr && why->code == make_error_code(code);
  };
  if (is(net_errc::resolve_failed)) return {{"name", fail, why->message()}};
  check_list out{{"name", pass, options.rest.host + " has an address"}};
  if (is(net_errc::connect_failed) || is(net_errc::connect_deadline)) {
    out.push_back({"connection", fail, why->message()});
    return out;
  }
  out.push_back({"connection", pass, host + " accepts connections"});
  if (is(net_errc::tls_failed) || is(net_errc::certificate_refused)) {
    out.push_back({"TLS", fail, why->message() + "; --ca FILE names another authority"});
    return out;
  }
  if (options.rest.tls)
    out.push_back({"TLS", pass, "certificate and host name are right"});
  else
    out.push_back({"TLS", note, "the address is without TLS"});
  if (why != nullptr) out.push_back({"instruments", fail, why->message()});
  return out;
}

std::string step_text(std::int64_t raw, int scale) {
  return format_decimal_short(raw, scale);
}

check_line compare(const instrument_spec& mine, const std::vector<instrument_spec>& all) {
  using enum check_verdict;
  const auto point = mine.id.text + ": rules";
  const auto* theirs = find_rules(all, mine);
  if (theirs == nullptr)
    return {point, fail,
            "the venue lists no '" + mine.venue_symbol + "' of that kind; set venues."
                + std::string{mine.id.venue()} + ".instruments." + std::string{mine.id.symbol()}
                + ".symbol"};
  const auto fitted = with_rules(mine, *theirs);
  if (!fitted) return {point, fail, fitted.error().text};
  const auto tick = step_text(mine.tick.raw, mine.price_scale),
             lot = step_text(mine.lot.raw, mine.size_scale);
  const auto their_tick = step_text(theirs->tick.raw, theirs->price_scale);
  const auto their_lot = step_text(theirs->lot.raw, theirs->size_scale);
  auto words = "tick " + their_tick + ", lot " + their_lot;
  if (theirs->id != mine.id) words += ", known here as " + theirs->id.text;
  const bool same = tick == their_tick && lot == their_lot;
  if (!same) words += "; configured until a node has heard it: tick " + tick + ", lot " + lot;
  return {point, same && theirs->id == mine.id ? pass : note, words};
}

} // namespace

std::string_view name_of(check_verdict verdict) noexcept {
  switch (verdict) {
  case check_verdict::pass:
    return "pass";
  case check_verdict::note:
    return "note";
  case check_verdict::fail:
    return "FAIL";
  }
  return "?";
}

bool passed(const check_list& list) noexcept {
  return std::none_of(list.begin(), list.end(),
                      [](const check_line& each) { return each.verdict == check_verdict::fail; });
}

result<std::vector<instrument_spec>> fetch_instruments(const venue_check_options& options,
                                                       nanoseconds deadline) {
  auto tls = net::tls_context::client(options.authority);
  if (!tls) return std::move(tls).error();
  const wall_clock clock;
  net::io_runner io;
  net::http_client_options how;
  how.server = options.rest;
  how.tls = *tls;
  how.clock = &clock;
  how.body_limit = largest_page;
  net::http_client client{io, std::move(how)};
  std::vector<instrument_spec> out;
  constexpr std::size_t most_pages = 100; // a cursor that never ends must end here
  auto calls = options.venue->instruments();
  for (std::size_t n = 0; n < calls.size() && n < most_pages; ++n) {
    auto call = calls[n];
    const auto asked = call;
    const auto target = call.target;
    auto reply = call_once(client, std::move(call), deadline);
    if (!reply) return std::move(reply).error();
    if (reply->status != 200)
      return {net::net_errc::bad_message, target + " answered HTTP " + std::to_string(reply->status)
                                              + ": " + reply->body.substr(0, 200)};
    auto read = options.venue->read_instruments(reply->body, clock.now());
    if (!read) return std::move(read).error();
    if (const auto more = options.venue->more_instruments; more != nullptr)
      if (auto next = more(asked, reply->body); !next.target.empty()) calls.push_back(std::move(next));
    // Some venues list an instrument in more than one answer.
    for (auto& each : *read)
      if (std::ranges::find(out, each.id, &instrument_spec::id) == out.end())
        out.push_back(std::move(each));
  }
  return out;
}

check_list check_rules(const venue_check_options& options) {
  const auto all = fetch_instruments(options, rest_deadline);
  auto out = reach(options, all ? nullptr : &all.error());
  if (!all) return out;
  out.push_back({"instruments", all->empty() ? check_verdict::fail : check_verdict::pass,
                 std::to_string(all->size()) + " listed and understood"});
  for (const auto& each : options.instruments)
    out.push_back(compare(each, *all));
  return out;
}

} // namespace troupe
