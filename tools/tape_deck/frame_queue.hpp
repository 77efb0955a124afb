#pragma once

/// The queue between the thread that reads sockets and the one that writes a tape: bounded in bytes. Who
/// pushes into a full queue waits, which leaves the sockets unread and so slows the venue's side; only when
/// the writer stands still for `longest_wait` is a frame dropped, counted, and the recording a failure.

#include "messages/time.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

struct queued_frame {
  std::size_t instrument = 0; ///< place in the recorder's list
  market_time received;
  std::string payload;
};

/// Thread-safe.
class frame_queue {
public:
  struct counts {
    std::uint64_t pushed = 0;
    std::uint64_t waits = 0;   ///< pushes that had to wait for room
    std::uint64_t dropped = 0; ///< frames that found no room in time, or a closed queue
    std::size_t most_bytes = 0;
  };

  frame_queue(std::size_t most_bytes, nanoseconds longest_wait)
      : most_bytes_{most_bytes}, longest_wait_{longest_wait} {}

  /// False when the frame was dropped. A frame larger than the whole queue is taken when it is empty.
  bool push(queued_frame&& frame) {
    std::unique_lock lock{mutex_};
    const auto fits = [&] { return closed_ || bytes_ == 0 || bytes_ + frame.payload.size() <= most_bytes_; };
    if (!fits()) {
      ++counts_.waits;
      room_.wait_for(lock, longest_wait_, fits);
    }
    if (closed_ || !fits()) {
      ++counts_.dropped;
      return false;
    }
    bytes_ += frame.payload.size();
    counts_.most_bytes = std::max(counts_.most_bytes, bytes_);
    ++counts_.pushed;
    frames_.push_back(std::move(frame));
    filled_.notify_one();
    return true;
  }

  /// Takes all there is, waiting at most `longest`. False when the queue is closed and empty.
  bool pop(std::vector<queued_frame>& out, nanoseconds longest) {
    out.clear();
    std::unique_lock lock{mutex_};
    filled_.wait_for(lock, longest, [&] { return closed_ || !frames_.empty(); });
    out.swap(frames_);
    bytes_ = 0;
    room_.notify_all();
    return !closed_ || !out.empty();
  }

  /// What is in it can still be popped; nothing more comes in.
  void close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

  [[nodiscard]] counts count() const {
    const std::lock_guard lock{mutex_};
    return counts_;
  }

private:
  const std::size_t most_bytes_;
  const nanoseconds longest_wait_;
  mutable std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::vector<queued_frame> frames_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
  counts counts_;
};

} // namespace troupe
