#include "tools/bench/ingest_streams.hpp"

#include "actors/connectors/binance/codec.hpp"
#include "tools/bench/ingest_rates.hpp"
#include "tools/feed_verify/recorded_frames.hpp"
#include "tools/venue_sim/data/dialect.hpp"
#include "tools/venue_sim/order_flow.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <fstream>
#include <sstream>

namespace troupe::bench {
namespace {

using path = std::filesystem::path;

constexpr nanoseconds no_limit = std::chrono::hours{24 * 365};
constexpr std::int64_t generated_start = 1'723'161'255'000'000'000;
constexpr nanoseconds dialect_tick = std::chrono::milliseconds{100};
constexpr nanoseconds image_after = std::chrono::milliseconds{100}; // a REST answer's way
constexpr nanoseconds least_length = std::chrono::seconds{20};
constexpr nanoseconds tried_length = std::chrono::seconds{240};
constexpr double least_activity = 0.0005;

error unusable(std::string text) {
  return {std::make_error_code(std::errc::invalid_argument), std::move(text)};
}

// --- recorded ------------------------------------------------------------------------------------

/// Binance's recordings: socket frames and the REST image in one file of lines.
result<venue_stream> binance_stream(const venue_description& venue,
                                    const std::vector<path>& files) {
  venue_stream out;
  out.venue = &venue;
  auto read = read_recordings(files, [&](const recorded_frame& frame) -> status {
    if (out.frames.empty()) out.start = frame.received;
    const bool image = frame.rest || frame.text.starts_with(R"({"lastUpdateId":)");
    out.frames.push_back({frame.received - out.start, image, std::string{frame.text}});
    return ok;
  });
  if (!read) return std::move(read).error();
  const auto image =
      std::find_if(out.frames.begin(), out.frames.end(), [](const auto& f) { return f.image; });
  if (image == out.frames.end())
    return unusable(files.front().string() + ": holds no image of the book");
  const auto scales = binance::scales_of_image(image->text);
  if (!scales) return scales.error();
  const bool perpetual = venue.name == "binance-usdm";
  out.spec.id.text =
      std::string{perpetual ? "BTC-USDT-PERP@" : "BTC-USDT@"} + std::string{venue.name};
  out.spec.venue_symbol = "BTCUSDT";
  out.spec.kind = perpetual ? contract_kind::linear : contract_kind::spot;
  out.spec.price_scale = static_cast<std::uint8_t>(scales->price_scale);
  out.spec.size_scale = static_cast<std::uint8_t>(scales->size_scale);
  out.spec.tick = scales->tick;
  return out;
}

/// A capture: a line with the pair, then per frame a line "time bytes", the frame, a newline.
result<venue_stream> kraken_stream(const venue_description& venue, const path& file) {
  std::ifstream in{file, std::ios::binary};
  std::string line;
  if (!std::getline(in, line)) return unusable(file.string() + ": can't be read");
  venue_stream out;
  out.venue = &venue;
  out.channel = "book.25"; // what its checksums fit
  out.spec.id.text = "BTC-USD@kraken";
  out.spec.venue_symbol = "BTC/USD";
  out.spec.price_scale = 1;
  out.spec.size_scale = 8;
  out.spec.tick = {1};
  const auto protocol = venue.protocol();
  protocol->begin();
  while (std::getline(in, line)) {
    std::istringstream head{line};
    std::int64_t at = 0;
    std::size_t count = 0;
    if (!(head >> at >> count) || count > (1U << 24))
      return unusable(file.string() + ": damaged at '" + line + "'");
    std::string text(count, '\0');
    in.read(text.data(), static_cast<std::streamsize>(count));
    in.ignore(1);
    if (!in) break;
    if (protocol->take(text).kind != inbound_kind::data) continue;
    if (out.frames.empty()) out.start = {at};
    out.frames.push_back({market_time{at} - out.start, false, std::move(text)});
  }
  return out;
}

result<venue_stream> recorded_stream(const venue_description& venue, const path& data) {
  const auto tapes = data / "venues" / "nkaz001+hftbacktest" / "examples";
  const auto captures = data / "venues" / "jdardash+crossbook" / "tests" / "fixtures";
  if (venue.name == "binance")
    return binance_stream(venue, {tapes / "spot" / "btcusdt_20240808.gz"});
  if (venue.name == "binance-usdm")
    return binance_stream(venue, {tapes / "usdm" / "btcusdt_20240808.gz"});
  return kraken_stream(venue, captures / "kraken_btcusd_sample.cbcap");
}

/// The other venues' recordings hold half a minute at most, of ten quiet instruments, or a retired
/// interface.
bool is_recorded(const venue_description& venue, const path& data) {
  std::error_code ignored;
  if (venue.name == "binance" || venue.name == "binance-usdm")
    return std::filesystem::exists(data / "venues" / "nkaz001+hftbacktest" / "examples" / "usdm",
                                   ignored);
  return venue.name == "kraken"
         && std::filesystem::exists(data / "venues" / "jdardash+crossbook" / "tests" / "fixtures",
                                    ignored);
}

// --- generated -----------------------------------------------------------------------------------

class collecting_port final : public venue_sim::dialect_port {
public:
  void send(std::string frame) override { frames.push_back(std::move(frame)); }
  void send_binary(std::string frame) override { frames.push_back(std::move(frame)); }
  void publish(const venue_sim::frame_topic&, std::string frame, bool) override {
    frames.push_back(std::move(frame));
  }
  void close(std::uint16_t, std::string reason) override { complaint = "closed: " + reason; }
  void violation(std::string_view fact) override { complaint = fact; }

  std::deque<std::string> frames;
  std::string complaint;
};

/// The simulator's dialect of a venue, spoken to by the venue's own protocol, without sockets. A
/// feed looks on: the images it asks for become part of the stream.
class generator final : private feed_listener {
public:
  generator(const venue_description& venue, std::uint64_t seed, double activity);
  result<venue_stream> run(nanoseconds length);

private:
  struct socket {
    market_socket_plan plan;
    std::unique_ptr<market_protocol> protocol;
    collecting_port port;
    std::unique_ptr<venue_sim::dialect_connection> speaks;
    std::int64_t heartbeat_at = 0;
  };

  [[nodiscard]] std::int64_t now() const { return now_ns_; }
  std::optional<venue_sim::data_reply> ask(const rest_call& call);
  status learn_instrument();
  status connect();
  void say(socket& s, const std::vector<std::string>& texts);
  void subscribe(socket& s);
  void take_frames(socket& s);
  void take_image();
  void on_image_needed(std::string_view) override { image_at_ = now() + image_after.count(); }
  void tick(socket& s);

  const venue_description& venue_;
  venue_sim::data_world world_;
  std::unique_ptr<venue_sim::venue_dialect> dialect_;
  std::deque<socket> sockets_;
  venue_stream out_;
  std::int64_t now_ns_ = generated_start;
  std::int64_t image_at_ = 0;
  std::unique_ptr<feed_core> feed_;
};

int decimals_of(std::int64_t step) {
  int out = 8;
  for (; out > 0 && step % 10 == 0; step /= 10)
    --out;
  return out;
}

generator::generator(const venue_description& venue, std::uint64_t seed, double activity) : venue_{venue} {
  auto source = std::make_unique<venue_sim::flow_market>(
      venue_sim::with_activity(venue_sim::btcusdt_flow(), activity), seed, generated_start, venue_sim::venue_kind::binance_spot);
  venue_sim::data_instrument one;
  one.base = "BTC";
  one.quote = "USDT";
  one.perpetual = venue.name == "binance-usdm";
  one.tick_e8 = source->shape().tick_e8;
  one.step_e8 = source->shape().step_e8;
  one.price_decimals = decimals_of(one.tick_e8);
  one.quantity_decimals = decimals_of(one.step_e8);
  world_.seed = seed;
  world_.now_ms = generated_start / 1'000'000;
  world_.markets.push_back(std::make_unique<venue_sim::data_market>(one, std::move(source)));
  dialect_ = venue_sim::make_dialect(venue.name, world_);
  out_.venue = &venue;
  out_.start = {generated_start};
}

std::optional<venue_sim::data_reply> generator::ask(const rest_call& call) {
  const std::string_view target = call.target;
  const auto mark = std::min(target.find('?'), target.size());
  return dialect_->rest({call.method, target.substr(0, mark),
                         target.substr(std::min(mark + 1, target.size())), call.body},
                        "localhost");
}

status generator::learn_instrument() {
  for (const auto& call : venue_.instruments()) {
    const auto reply = ask(call);
    if (!reply) return unusable(std::string{venue_.name} + ": the dialect has no " + call.target);
    auto specs = venue_.read_instruments(reply->body, {1});
    if (!specs) return specs.error();
    if (!specs->empty()) out_.spec = specs->front();
  }
  if (out_.spec.id.text.empty())
    return unusable(std::string{venue_.name} + ": the dialect lists no instrument");
  return ok;
}

status generator::connect() {
  std::string ticketed;
  if (venue_.ticket != nullptr) {
    const auto reply = ask(venue_.ticket());
    auto url = venue_.ticket_url(reply ? reply->body : "");
    if (!url) return url.error();
    const auto host = url->find("//");
    const auto slash = url->find('/', host == std::string::npos ? 0 : host + 2);
    ticketed = slash == std::string::npos ? "/" : url->substr(slash);
  }
  for (auto& plan : venue_.plan({&out_.spec, 1}, {})) {
    auto& s = sockets_.emplace_back();
    s.plan = std::move(plan);
    s.protocol = venue_.protocol();
    s.protocol->at({now()});
    const std::string_view target = ticketed.empty() ? s.plan.target : ticketed;
    const auto mark = std::min(target.find('?'), target.size());
    s.speaks = dialect_->accept(target.substr(0, mark),
                                target.substr(std::min(mark + 1, target.size())), s.port);
    if (!s.speaks)
      return unusable(std::string{venue_.name} + ": the dialect has no socket "
                      + std::string{target});
    s.speaks->opened(now());
    say(s, s.protocol->begin());
    if (!s.protocol->traits().waits_for_welcome) subscribe(s);
    take_frames(s);
  }
  return ok;
}

void generator::say(socket& s, const std::vector<std::string>& texts) {
  for (const auto& text : texts)
    s.speaks->on_message(text, now());
}

void generator::subscribe(socket& s) {
  if (s.plan.subscribed) return;
  for (const auto& command : s.protocol->subscribe(s.plan.topics))
    s.speaks->on_message(command.text, now());
}

void generator::take_frames(socket& s) {
  while (!s.port.frames.empty()) {
    const auto frame = std::move(s.port.frames.front());
    s.port.frames.pop_front();
    const auto& in = s.protocol->take(frame);
    const bool ours =
        std::find(in.symbols.begin(), in.symbols.end(), out_.spec.venue_symbol) != in.symbols.end();
    if (ours) {
      out_.frames.push_back({market_time{now()} - out_.start, false, std::string{in.text}});
      feed_->on_frame({now()}, out_.frames.back().text);
    }
    const bool welcome = in.kind == inbound_kind::welcome;
    say(s, {in.replies.begin(), in.replies.end()});
    if (welcome) subscribe(s);
  }
}

void generator::take_image() {
  if (image_at_ == 0 || now() < image_at_ || venue_.image == nullptr) return;
  image_at_ = 0;
  const auto reply = ask(venue_.image(out_.spec, 0));
  if (!reply) return;
  out_.frames.push_back({market_time{now()} - out_.start, true, reply->body});
  feed_->on_image({now()}, reply->body, 1);
}

void generator::tick(socket& s) {
  s.protocol->at({now()});
  const auto every = s.protocol->traits().heartbeat_every.count();
  if (every > 0 && now() >= s.heartbeat_at) {
    s.heartbeat_at = now() + every;
    if (auto text = s.protocol->heartbeat(); !text.empty()) s.speaks->on_message(text, now());
  }
  s.speaks->tick(now());
}

result<venue_stream> generator::run(nanoseconds length) {
  if (!dialect_) return unusable("the simulator speaks no dialect of " + std::string{venue_.name});
  auto& market = *world_.markets.front();
  if (auto learnt = learn_instrument(); !learnt) return learnt.error();
  feed_ = std::make_unique<feed_core>(core_options(out_), venue_.decoder(out_.spec),
                                      static_cast<feed_listener&>(*this));
  feed_->on_session(1, true, out_.start);
  if (auto connected = connect(); !connected) return connected.error();
  auto next_tick = now();
  while (now() - generated_start < length.count()) {
    const auto next = std::min(market.next_time(), next_tick);
    now_ns_ = std::max(now_ns_, next);
    world_.now_ms = now_ns_ / 1'000'000;
    if (next == next_tick) {
      next_tick += dialect_tick.count();
      for (auto& s : sockets_)
        tick(s);
    } else {
      const auto event = market.advance();
      if (event.what->kind == venue_sim::frame_kind::depth) dialect_->on_change(market, event);
      for (auto& s : sockets_)
        s.speaks->on_event(market, event);
    }
    for (auto& s : sockets_) {
      take_frames(s);
      if (!s.port.complaint.empty())
        return unusable(std::string{venue_.name} + ": the dialect says: " + s.port.complaint);
    }
    take_image();
  }
  return std::move(out_);
}

// --- what a feed makes of it ---------------------------------------------------------------------

struct quote_places final : feed_listener {
  void on_quote(const quote&) override { places.push_back(frame); }
  void on_validity(book_validity, book_validity, std::string_view why) override {
    last_change = why;
  }
  std::string last_change;
  std::vector<std::uint32_t> places;
  std::uint32_t frame = venue_stream::no_frame;
};

/// Plays the stream once; its quotes tell later which frame a feed has come to. A recording in
/// which the market leaves the levels of its only image ends there: a feed would ask for the next
/// image.
status complete(venue_stream& stream) {
  if (stream.frames.size() < 2)
    return unusable(std::string{stream.venue->name} + ": a stream without frames");
  quote_places seen;
  feed_core core{core_options(stream), stream.venue->decoder(stream.spec), seen};
  core.on_session(1, true, stream.start);
  std::size_t quotes = 0;
  bool ever_valid = false;
  for (std::size_t n = 0; n < stream.frames.size(); ++n) {
    const auto& frame = stream.frames[n];
    const bool was_valid = core.validity() == book_validity::valid;
    quotes = seen.places.size();
    seen.frame = static_cast<std::uint32_t>(n);
    if (frame.image)
      core.on_image(stream.start + frame.at, frame.text, 1);
    else
      core.on_frame(stream.start + frame.at, frame.text);
    ever_valid = ever_valid || core.validity() == book_validity::valid;
    if (stream.source == "GENERATED" || !was_valid || core.validity() == book_validity::valid)
      continue;
    stream.frames.resize(n);
    seen.places.resize(quotes);
  }
  stream.length = stream.frames.back().at + std::chrono::milliseconds{10};
  for (const auto& frame : stream.frames)
    stream.bytes += frame.text.size();
  stream.quote_frames = std::move(seen.places);
  const auto end = core.report();
  if (ever_valid && stream.length >= least_length && end.gaps == 0 && end.damaged_frames == 0)
    return ok;
  return unusable(std::string{stream.venue->name} + ": the " + std::string{stream.source}
                  + " stream of " + std::to_string(stream.length.count() / 1'000'000'000)
                  + " s ends with a book that is " + std::string{name_of(end.validity)} + ", "
                  + std::to_string(end.gaps) + " gaps, " + std::to_string(end.damaged_frames)
                  + " damaged of " + std::to_string(end.frames) + " frames: " + seen.last_change);
}

} // namespace

feed_core_options core_options(const venue_stream& stream) {
  feed_core_options out;
  out.spec = stream.spec;
  out.rules = stream.venue->rules_of(stream.channel);
  out.stale_after = no_limit;
  out.image_retry = no_limit;
  return out;
}

double activity_of(const venue_description& venue, std::uint64_t seed) {
  const auto wanted = recorded_rate(venue.name);
  if (!wanted) return 1;
  double low = least_activity, high = 1; // between them, halved in its logarithm
  for (int n = 0; n < 8; ++n) {
    const double tried = std::sqrt(low * high);
    const auto stream = generator{venue, seed, tried}.run(tried_length);
    const bool less =
        stream && static_cast<double>(stream->frames.size()) * 1e9 / static_cast<double>(tried_length.count()) < *wanted;
    (less ? low : high) = tried;
  }
  return std::sqrt(low * high);
}

result<venue_stream> make_stream(const venue_description& venue, const path& data,
                                 nanoseconds length, std::uint64_t seed, double activity) {
  const bool recorded = is_recorded(venue, data);
  auto out = recorded ? recorded_stream(venue, data) : generator{venue, seed, activity}.run(length);
  if (!out) return out;
  out->source = recorded ? "CLONED" : "GENERATED";
  if (auto done = complete(*out); !done) return done.error();
  return out;
}

} // namespace troupe::bench
