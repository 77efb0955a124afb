#pragma once

/// Reads a tape, with every checksum verified. Damage is named as file:block:offset.
/// ```
/// auto tape = tape_reader::open(real_disk(), "btc.ttape");
/// tape_record r;
/// for (auto more = tape->next(r); more && *more; more = tape->next(r)) use(r);
/// ```

#include "storage/file.hpp"
#include "storage/tape/tape_format.hpp"

namespace troupe {

struct tape_open_options {
  /// Accept a tape whose writer was stopped, up to its last whole block. Without it such a tape is
  /// refused (`storage_errc::unfinished`), so that a cut-off file is never replayed unnoticed.
  bool allow_unfinished = false;
};

/// Not thread-safe; movable.
class tape_reader {
public:
  static result<tape_reader> open(disk& on, const std::filesystem::path& path,
                                  tape_open_options options = {});

  tape_reader(tape_reader&&) noexcept;
  tape_reader& operator=(tape_reader&&) noexcept;
  ~tape_reader();

  /// Reads the next frame; false at the end. `record.payload` stays valid until the next call.
  result<bool> next(tape_record& record);

  /// The next frame read is the first one received at or after `t`; past the end when there is
  /// none.
  status seek(market_time t);
  /// Back to the first frame.
  status rewind();

  [[nodiscard]] const tape_info& info() const noexcept;
  [[nodiscard]] const std::vector<tape_channel>& channels() const noexcept {
    return info().channels;
  }
  /// Channel by id; null when the tape has none such.
  [[nodiscard]] const tape_channel* channel(std::uint32_t id) const noexcept;
  /// All blocks, in order of time.
  [[nodiscard]] const std::vector<tape_block>& blocks() const noexcept;

private:
  struct state;
  explicit tape_reader(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

} // namespace troupe
