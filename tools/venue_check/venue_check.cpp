#include "tools/venue_check/venue_check.hpp"

#include "actors/connectors/venue_connector_actor.hpp"
#include "actors/feeds/feed_actor.hpp"
#include "messages/type_ids.hpp"
#include "runtime/actor/directory.hpp"
#include "runtime/clock.hpp"
#include "runtime/cluster/actor_system.hpp"
#include "tools/json_view.hpp"

#include <caf/actor_system.hpp>
#include <caf/after.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using enum check_verdict;

constexpr auto look_every = 100ms;
constexpr auto status_deadline = 5s;
constexpr std::int64_t fewest_judged = 10; // pairs of best prices
constexpr nanoseconds clock_fine = 500ms;  // orders are refused by venues from about a second on
constexpr nanoseconds clock_bearable = 5s;

/// The actors of one check. They end with it.
class rig {
public:
  explicit rig(const venue_check_options& options)
      : environment_{&market_, &steady_, &names_, static_cast<std::uint64_t>(market_.now().ns)} {
    for (const auto& spec : options.instruments) {
      feed_actor_options how;
      how.core.spec = spec;
      how.book_channel = options.book_channel;
      how.bar_store.clear();
      feeds_.push_back(
          spawn_actor<feed_state>(system_, {.name = "feed/" + spec.id.text}, environment_, how));
      publish("feed/" + spec.id.text, feeds_.back());
    }
    const auto name = "connector/" + std::string{options.venue->name};
    venue_connector_options how;
    how.venue = options.venue;
    how.instruments = options.instruments;
    how.what.book_channel = options.book_channel;
    how.rest = options.rest;
    how.sockets = options.sockets;
    how.authority = options.authority;
    how.traits = options.traits;
    how.weight = options.weight;
    how.weight_window = options.weight_window;
    connector_ = spawn_actor<venue_connector_state>(system_, {.name = name}, environment_, how);
    publish(name, connector_);
  }
  ~rig() {
    names_.clear();
    send_shutdown(connector_);
    for (const auto& feed : feeds_)
      send_shutdown(feed);
    connector_ = nullptr;
    feeds_.clear();
    system_.await_all_actors_done();
  }
  rig(const rig&) = delete;
  rig& operator=(const rig&) = delete;

  json_view connector() { return status_of(connector_); }
  json_view feed(std::size_t i) { return status_of(feeds_[i]); }
  [[nodiscard]] steady_time now() const { return steady_.now(); }
  void wait(std::chrono::milliseconds time) {
    caf::scoped_actor self{system_};
    self->receive(caf::after(time) >> [] {});
  }

private:
  template <class Handle>
  void publish(const std::string& name, const Handle& handle) {
    names_.put(name,
               {caf::actor_cast<caf::strong_actor_ptr>(handle), {}, names_.next_incarnation()});
  }
  template <class Handle>
  json_view status_of(const Handle& handle) {
    caf::scoped_actor self{system_};
    json_view out;
    self->request(handle, status_deadline, status_request{})
        .receive([&](const status_report& report) { out = json_view::parse(report.json); },
                 [](const caf::error&) {});
    return out;
  }

  wall_clock market_;
  monotonic_clock steady_;
  directory names_;
  actor_environment environment_;
  system_config settings_{{.threads = 2, .network = false}};
  caf::actor_system system_{settings_};
  std::vector<feed_actor> feeds_;
  connector_actor connector_;
};

bool valid(const json_view& feed) {
  return feed.text("validity") == "valid";
}

/// All that can be hoped for has been seen.
bool complete(const json_view& feed) {
  return valid(feed) && feed.integer("trades") > 0 && feed.integer("quotes_same_number") > 0;
}

std::string seconds(nanoseconds time) {
  return format_decimal_short(time.count() / 1'000'000, 3) + " s";
}

/// Sockets and subscriptions, as the connector tells of them.
check_list socket_lines(const json_view& status) {
  check_list out;
  const auto sessions = status.items("sessions");
  const auto connected = static_cast<std::int64_t>(session_state::connected);
  const auto up = std::count_if(sessions.begin(), sessions.end(), [&](const json_view& each) {
    return each.integer("state") == connected;
  });
  const auto words =
      std::to_string(up) + " of " + std::to_string(sessions.size()) + " sockets subscribed";
  out.push_back(
      {"subscriptions", !sessions.empty() && up == std::ssize(sessions) ? pass : fail, words});
  for (const auto& each : sessions) {
    for (const auto& refused : each.items("refused"))
      out.push_back(
          {"subscriptions", fail, refused.text("topic") + " refused: " + refused.text("why")});
    if (const auto breaks = each.integer("reconnects"); breaks > 0)
      out.push_back({"subscriptions", note,
                     std::to_string(breaks)
                         + " broken connections; last error: " + each.text("last_failure")});
    if (const auto odd = each.integer("damaged") + each.integer("unknown"); odd > 0)
      out.push_back({"subscriptions", note, std::to_string(odd) + " frames of no known kind"});
  }
  return out;
}

check_line book_line(const std::string& id, const json_view& feed,
                     std::optional<nanoseconds> first) {
  const auto point = id + ": book";
  if (!first)
    return {point, fail,
            "never valid: " + feed.text("validity") + " after "
                + std::to_string(feed.integer("frames")) + " frames"};
  const auto words = "valid after " + seconds(*first) + ", "
                     + std::to_string(feed.integer("bid_levels")) + " × "
                     + std::to_string(feed.integer("ask_levels")) + " levels, " + feed.text("bid")
                     + " / " + feed.text("ask");
  if (!valid(feed)) return {point, fail, words + ", now " + feed.text("validity")};
  return {point, pass, words};
}

check_line integrity_line(const std::string& id, const json_view& feed) {
  const auto gaps = feed.integer("gaps"), damaged = feed.integer("damaged_frames");
  const auto unknown = feed.integer("unknown_frames"), crossed = feed.integer("crossed");
  const auto words = std::to_string(feed.integer("frames")) + " frames, " + std::to_string(gaps)
                     + " gaps, " + std::to_string(crossed) + " crossed, " + std::to_string(damaged)
                     + " damaged, " + std::to_string(unknown) + " unknown";
  const auto verdict = damaged > 0 || crossed > 0 ? fail : gaps > 0 || unknown > 0 ? note : pass;
  return {id + ": sequence", verdict, words};
}

/// Only pairs of the same number are judged: some venues thin their best prices out.
check_line agreement_line(const std::string& id, const json_view& feed) {
  const auto compared = feed.integer("quotes_same_number"),
             equal = feed.integer("quotes_same_number_equal");
  const auto point = id + ": best bid and ask";
  if (compared == 0)
    return {point, note, "nothing of the same number to compare with while it was watched"};
  const auto words =
      std::to_string(equal) + " of " + std::to_string(compared) + " equal the venue's own";
  const bool few = compared < fewest_judged;
  return {point, equal == compared ? pass : few || equal * 10 >= compared * 9 ? note : fail, words};
}

/// A simulator on this machine has a time of its own.
check_line clock_line(const std::string& id, const json_view& feed, bool simulator) {
  const nanoseconds offset{feed.integer("clock_offset")};
  const auto away = offset < 0ns ? -offset : offset;
  const auto point = id + ": clock";
  const auto words =
      "received " + seconds(away) + (offset < 0ns ? " before" : " after") + " the venue's time";
  if (away <= clock_fine) return {point, pass, words};
  if (simulator) return {point, note, words + ", which is a simulator's"};
  return {point, away <= clock_bearable ? note : fail, words + "; set this machine's clock (NTP)"};
}

check_list feed_lines(const std::string& id, const json_view& feed, std::optional<nanoseconds> first,
                      bool simulator) {
  check_list out{book_line(id, feed, first)};
  if (feed.integer("frames") == 0) return out;
  out.push_back(integrity_line(id, feed));
  const auto trades = feed.integer("trades");
  out.push_back({id + ": trades", trades > 0 ? pass : note,
                 trades > 0 ? std::to_string(trades) + " trades"
                            : "none while it was watched: a quiet market?"});
  out.push_back(agreement_line(id, feed));
  out.push_back(clock_line(id, feed, simulator));
  return out;
}

} // namespace

check_list check_market_data(const venue_check_options& options) {
  rig actors{options};
  const auto begin = actors.now();
  std::vector<std::optional<nanoseconds>> first(options.instruments.size());
  std::vector<json_view> feeds(options.instruments.size());
  for (auto passed_time = 0ns; passed_time < options.most; passed_time = actors.now() - begin) {
    bool all = true;
    for (std::size_t i = 0; i < feeds.size(); ++i) {
      feeds[i] = actors.feed(i);
      if (!first[i] && valid(feeds[i])) first[i] = actors.now() - begin;
      all = all && complete(feeds[i]);
    }
    if (all && passed_time >= options.least) break;
    actors.wait(look_every);
  }
  const auto& host = options.sockets.host;
  const bool simulator = host == "localhost" || host.starts_with("127.");
  auto out = socket_lines(actors.connector());
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    auto lines = feed_lines(options.instruments[i].id.text, feeds[i], first[i], simulator);
    out.insert(out.end(), std::make_move_iterator(lines.begin()),
               std::make_move_iterator(lines.end()));
  }
  return out;
}

} // namespace troupe
