#pragma once

/// What goes out to one client's socket, with the faults that strike it on the way: left out, doubled, in another
/// order, damaged, held back, silent by topic or as a whole. Pure: time and the way out are handed in.

#include "tools/venue_sim/data/dialect.hpp"
#include "tools/venue_sim/faults.hpp"

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace troupe::venue_sim {

class client_outlet {
public:
  /// Where frames leave: text and whether it is binary.
  using way_out = std::function<void(std::string, bool)>;

  client_outlet(fault_plan& faults, way_out out) : faults_{faults}, out_{std::move(out)} {}

  /// A control frame: only a socket that is mute or stalled keeps it back.
  void control(std::string frame, bool binary, std::int64_t steady_ns) { leave(std::move(frame), binary, steady_ns); }

  /// Market data.
  void publish(const frame_topic& topic, std::string frame, bool binary, std::int64_t steady_ns);

  /// The client said something: a topic that fell silent until it is subscribed to anew speaks again.
  void heard(std::string_view text);

  /// From now on nothing leaves, while the connection stays as it is.
  void mute() noexcept { mute_ = true; }
  [[nodiscard]] bool muted() const noexcept { return mute_; }

  /// Lets go what was held back for long enough; to be called every so often.
  void flush(std::int64_t steady_ns);

private:
  static constexpr std::int64_t ms_ns = 1'000'000;
  static constexpr std::int64_t until_subscribed = std::numeric_limits<std::int64_t>::max();
  static constexpr std::size_t most_stalled = 100'000;

  void leave(std::string frame, bool binary, std::int64_t steady_ns);
  bool silent(const frame_topic& topic, std::int64_t steady_ns);
  void change(const frame_topic& topic, std::string frame, bool binary, std::int64_t steady_ns);

  fault_plan& faults_;
  way_out out_;
  std::map<std::string, std::pair<std::string, bool>, std::less<>> held_back_; ///< by topic
  std::map<std::string, std::int64_t, std::less<>> silent_until_;
  std::vector<std::pair<std::string, bool>> stalled_;
  std::int64_t stalled_until_ = 0;
  bool mute_ = false;
};

} // namespace troupe::venue_sim
