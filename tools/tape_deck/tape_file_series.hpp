#pragma once

/// The tapes of one venue's recording, one behind the other: a new file when the current one holds enough
/// bytes or time. Each names its instruments with their rules, so that `feed verify` needs nothing else.

#include "actors/connectors/venue.hpp"
#include "storage/tape/tape_writer.hpp"
#include "tools/tape_deck/frame_queue.hpp"

#include <optional>

namespace troupe {

struct tape_series_options {
  std::filesystem::path folder;
  std::string venue;
  std::string book_channel; ///< empty: the venue's default
  std::vector<instrument_spec> instruments;
  std::uint64_t file_bytes = 1U << 30;               ///< plain bytes of frames a file
  nanoseconds file_time = std::chrono::hours{1};     ///< receive time a file
  nanoseconds flush_every = std::chrono::seconds{2}; ///< receive time between synced blocks
};

/// What the head's remarks say of a recording of ours; see `parse_remarks`.
std::string recording_remarks(const tape_series_options& options);

/// Instruments and book channel out of a recording's head.
struct recording_facts {
  std::string book_channel;
  std::vector<instrument_spec> instruments;
};

/// Nothing when the head is not that of a recording of `troupe tape record`.
std::optional<recording_facts> facts_of(const tape_head& head);

/// Not thread-safe.
class tape_file_series {
public:
  explicit tape_file_series(tape_series_options options);

  /// Appends a frame; opens and ends files as needed. After an error every call fails.
  status append(const queued_frame& frame);
  /// Ends the current file.
  status finish();

  [[nodiscard]] const std::vector<std::filesystem::path>& files() const noexcept { return files_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Frames whose clock had gone back (a REST reply read before frames of a socket, a clock that was set):
  /// they bear the time of the frame before.
  [[nodiscard]] std::uint64_t set_forward() const noexcept { return set_forward_; }

private:
  status open(market_time at);
  result<std::uint32_t> channel_of(std::size_t instrument, bool rest);

  tape_series_options options_;
  std::vector<std::unique_ptr<frame_decoder>> decoders_; ///< where images come by REST: to tell them apart
  std::optional<tape_writer> writer_;
  std::vector<std::optional<std::uint32_t>> channels_; ///< two an instrument: socket, REST
  std::vector<std::filesystem::path> files_;
  market_time opened_, last_, flushed_;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t frames_ = 0, bytes_ = 0, set_forward_ = 0;
};

} // namespace troupe
