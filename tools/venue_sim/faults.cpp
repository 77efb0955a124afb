#include "tools/venue_sim/faults.hpp"

#include "messages/json.hpp"
#include "tools/venue_sim/venue_sim.hpp"

#include <simdjson.h>

namespace troupe::venue_sim {
namespace {

constexpr std::array<std::string_view, fault_kinds> names{
    "drop_before_accept", "accept_then_drop", "slow_ack",   "error_unknown",  "too_many_requests",
    "duplicate_event",    "missing_event",    "close_1000", "close_1006",     "tcp_reset",
    "private_reset",      "silent_topic",     "drop_diff",  "duplicate_diff", "reorder_diff",
    "wrong_frame",        "server_shutdown",  "black_hole", "wrong_checksum", "crossed_book",
    "slow_image",         "refused_request",  "banned",     "skewed_clock",
    "muted_topic",        "silent_socket",   "refused_connect"};

error bad(std::string text) {
  return {make_error_code(venue_sim_errc::bad_option), "faults: " + std::move(text)};
}

/// Reads one member's object.
status read_setting(std::string_view name, simdjson::dom::element from, fault_setting& out) {
  out = {.on = true, .stream = {}, .struck = out.struck};
  simdjson::dom::object members;
  if (from.get(members) != simdjson::SUCCESS)
    return bad("'" + std::string{name} + "' must be an object or null");
  for (const auto [key, value] : members) {
    std::string_view text;
    std::int64_t number = 0;
    const bool is_number = value.get(number) == simdjson::SUCCESS && number >= 0;
    if (key == "per_million" && is_number)
      out.per_million = number;
    else if (key == "count" && is_number)
      out.left = number;
    else if (key == "ms" && is_number)
      out.ms = number;
    else if (key == "stream" && value.get(text) == simdjson::SUCCESS)
      out.stream = text;
    else
      return bad("'" + std::string{name} + "': unknown or wrong member '" + std::string{key} + "'");
  }
  return ok;
}

} // namespace

std::string_view text_of(fault f) noexcept {
  return names[static_cast<std::size_t>(f)];
}

status fault_plan::configure(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object members;
  if (parser.parse(json.data(), json.size()).get(members) != simdjson::SUCCESS)
    return bad("not a JSON object");
  auto fresh = settings_;
  for (const auto [key, value] : members) {
    if (key == "all" && value.is_null()) {
      for (auto& s : fresh)
        s = {.on = false, .stream = {}, .struck = s.struck};
      continue;
    }
    std::size_t at = 0;
    while (at < names.size() && names[at] != key)
      ++at;
    if (at == names.size()) return bad("no fault is called '" + std::string{key} + "'");
    if (value.is_null())
      fresh[at].on = false;
    else if (auto read = read_setting(key, value, fresh[at]); !read)
      return read;
  }
  settings_ = fresh;
  return ok;
}

/// splitmix64 (Steele, Lea, Flood 2014): one seed, the same faults everywhere.
std::uint64_t fault_plan::draw() {
  state_ += 0x9e3779b97f4a7c15ULL;
  auto z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

bool fault_plan::strikes(fault f) {
  auto& s = settings_[static_cast<std::size_t>(f)];
  if (!s.on || s.left == 0) return false;
  if (s.per_million < 1'000'000 && static_cast<std::int64_t>(draw() % 1'000'000) >= s.per_million)
    return false;
  if (s.left > 0) --s.left;
  ++s.struck;
  return true;
}

std::string fault_plan::to_json() const {
  json_writer w;
  w.begin_object();
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    const auto& s = settings_[i];
    if (!s.on && s.struck == 0) continue;
    w.key(names[i]).begin_object().field("on", s.on && s.left != 0).field("per_million", s.per_million);
    w.field("left", s.left).field("ms", s.ms).field("struck", s.struck).end_object();
  }
  w.end_object();
  return std::move(w).text();
}

} // namespace troupe::venue_sim
