#include "tools/tape_deck/tape_player.hpp"

#include "messages/json.hpp"
#include "storage/tape/tape_reader.hpp"

#include <simdjson.h>

#include <chrono>
#include <ctime>
#include <ostream>
#include <poll.h>

namespace troupe {
namespace {

/// One tape with its next frame.
struct playing_tape {
  tape_reader reader;
  tape_record next;
  bool there = false;

  status advance() {
    const auto more = reader.next(next);
    if (!more) return more.error();
    there = *more;
    return ok;
  }
};

const char* kind_text(const tape_channel* channel) {
  if (channel == nullptr || channel->kind == channel_kind::socket) return "socket";
  return channel->kind == channel_kind::rest ? "rest" : "sent";
}

std::string hex_of(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

void print_frame(std::ostream& out, const playing_tape& tape, std::size_t number) {
  const auto* channel = tape.reader.channel(tape.next.channel);
  const bool text = simdjson::validate_utf8(tape.next.payload.data(), tape.next.payload.size());
  json_writer w;
  w.begin_object().field("at", tape.next.received.ns).field("tape", number);
  w.field("venue", tape.reader.info().head.venue);
  w.field("channel", channel == nullptr ? std::string_view{} : std::string_view{channel->name});
  w.field("kind", kind_text(channel));
  if (text) w.field("frame", tape.next.payload);
  else w.field("hex", hex_of(tape.next.payload));
  out << w.end_object().text() << '\n';
}

} // namespace

result<std::uint64_t> play_tapes(const tape_play_options& options, std::ostream& out) {
  std::vector<playing_tape> tapes;
  for (const auto& file : options.tapes) {
    auto opened = tape_reader::open(real_disk(), file, {.allow_unfinished = options.allow_unfinished});
    if (!opened) return std::move(opened).error();
    tapes.push_back({std::move(*opened), {}, false});
    if (auto done = tapes.back().advance(); !done) return std::move(done).error();
  }
  const auto start = std::chrono::steady_clock::now();
  const auto wait = options.wait ? options.wait : [start](nanoseconds behind) {
    for (;;) {
      const auto left = start + behind - std::chrono::steady_clock::now();
      if (left <= nanoseconds::zero()) return;
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec wait{static_cast<std::time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
      ::ppoll(nullptr, 0, &wait, nullptr);
    }
  };
  std::uint64_t count = 0;
  market_time first;
  for (;;) {
    std::size_t chosen = tapes.size();
    for (std::size_t i = 0; i < tapes.size(); ++i)
      if (tapes[i].there && (chosen == tapes.size() || tapes[i].next.received < tapes[chosen].next.received)) chosen = i;
    if (chosen == tapes.size()) break;
    const auto at = tapes[chosen].next.received;
    if (count == 0) first = at;
    if (options.speed > 0)
      wait(nanoseconds{static_cast<std::int64_t>(static_cast<double>((at - first).count()) / options.speed)});
    print_frame(out, tapes[chosen], chosen);
    if (options.speed > 0) out.flush(); // whoever reads the pipe hears it now
    if (!out) return error{std::make_error_code(std::errc::broken_pipe), "tape replay: nobody reads the output any more"};
    ++count;
    if (auto done = tapes[chosen].advance(); !done) return std::move(done).error();
  }
  out.flush();
  return count;
}

} // namespace troupe
