#include "storage/tape/tape_reader.hpp"

#include "messages/msgpack.hpp"
#include "storage/tape/tape_blocks.hpp"

#include <algorithm>
#include <numeric>

namespace troupe {

using namespace tape_bytes;

struct tape_reader::state {
  explicit state(source from) : file{std::move(from)} {}

  source file;
  tape_info info;
  std::vector<tape_block> blocks;
  std::size_t next_block = 0;
  std::string plain;
  std::size_t position = 0;
  std::uint64_t seen = 0;
  bool loaded = false;

  std::string here() const {
    const auto number = next_block - 1;
    return place(file, number, blocks[number].offset);
  }

  /// Loads the next block; the item loop checks it while it is read.
  status load() {
    const auto number = next_block;
    auto block = read_block(file, blocks[number].offset, number);
    if (!block) return std::move(block).error();
    const auto& header = block->header;
    const auto& row = blocks[number];
    if (header.records != row.records || header.first != row.first || header.last != row.last)
      return {storage_errc::damaged,
              place(file, number, row.offset) + ": block and index disagree"};
    if (auto done = unpack_block(*block, place(file, number, row.offset), plain); !done)
      return done;
    ++next_block;
    position = 0;
    seen = 0;
    loaded = true;
    return ok;
  }

  /// The next frame within the loaded block; false at its end.
  result<bool> next_in_block(tape_record& record) {
    while (position < plain.size()) {
      const auto at = position;
      const auto found = next_item(plain, position);
      if (!found)
        return {storage_errc::damaged,
                here() + ": item at byte " + std::to_string(at) + " is cut off"};
      if (found->channel == announcement) continue;
      const auto& row = blocks[next_block - 1];
      if (found->channel >= info.channels.size())
        return {storage_errc::damaged,
                here() + ": unknown channel " + std::to_string(found->channel)};
      if (found->received < row.first || found->received > row.last)
        return {storage_errc::damaged, here() + ": time outside of the block's"};
      ++seen;
      record = {found->received, found->channel, found->payload};
      return true;
    }
    if (loaded && seen != blocks[next_block - 1].records)
      return {storage_errc::damaged, here() + ": " + std::to_string(seen) + " records instead of "
                                         + std::to_string(blocks[next_block - 1].records)};
    loaded = false;
    return false;
  }

  /// Takes the tables from the index, or from the blocks themselves where there is none.
  status use_index(parsed_index parsed, std::uint64_t first_block) {
    auto& index = parsed.index;
    std::uint64_t floor = first_block;
    market_time last{std::numeric_limits<std::int64_t>::min()};
    for (std::size_t i = 0; i < index.blocks.size(); ++i) {
      const auto& b = index.blocks[i];
      if (b.offset < floor || b.offset >= parsed.offset || b.last < b.first || b.first < last)
        return {storage_errc::damaged,
                file.name() + ":index: row of block " + std::to_string(i) + " is wrong"};
      floor = b.offset + block_header_bytes;
      last = b.last;
    }
    info.finished = true;
    info.channels = std::move(index.channels);
    info.records_by_channel = std::move(index.records_by_channel);
    info.payload_bytes = index.payload_bytes;
    info.content = std::move(index.content);
    blocks = std::move(index.blocks);
    return ok;
  }

  /// Reads all whole blocks from the start; returns where the readable prefix ends.
  std::uint64_t scan(std::uint64_t offset) {
    std::string bytes;
    for (std::uint64_t number = 0;; ++number) {
      auto block = read_block(file, offset, number);
      if (!block) return offset;
      if (!unpack_block(*block, {}, bytes)) return offset;
      if (!take_scanned(bytes, block->header)) return offset;
      blocks.push_back({.offset = offset,
                        .first = block->header.first,
                        .last = block->header.last,
                        .records = block->header.records});
      offset += block_header_bytes + block->header.packed;
    }
  }

  bool take_scanned(std::string_view bytes, const block_header& header) {
    std::size_t at = 0;
    std::uint64_t records = 0;
    while (at < bytes.size()) {
      const auto found = next_item(bytes, at);
      if (!found) return false;
      if (found->channel != announcement) {
        if (found->channel >= info.channels.size()) return false;
        ++records;
        ++info.records_by_channel[found->channel];
        info.payload_bytes += found->payload.size();
        continue;
      }
      auto channel = from_msgpack<tape_channel>(found->payload);
      if (!channel || channel->id != info.channels.size() || channel->id >= max_channels)
        return false;
      info.channels.push_back(std::move(*channel));
      info.records_by_channel.push_back(0);
    }
    return records == header.records;
  }

  void sum_up() {
    info.file_bytes = file.size();
    info.blocks = blocks.size();
    info.records = 0;
    for (const auto& b : blocks)
      info.records += b.records;
    const auto filled = [](const tape_block& b) { return b.records > 0; };
    if (const auto it = std::find_if(blocks.begin(), blocks.end(), filled); it != blocks.end())
      info.first = it->first;
    if (const auto it = std::find_if(blocks.rbegin(), blocks.rend(), filled); it != blocks.rend())
      info.last = it->last;
  }
};

tape_reader::tape_reader(std::unique_ptr<state> s) : state_{std::move(s)} {}
tape_reader::tape_reader(tape_reader&&) noexcept = default;
tape_reader& tape_reader::operator=(tape_reader&&) noexcept = default;
tape_reader::~tape_reader() = default;

result<tape_reader> tape_reader::open(disk& on, const std::filesystem::path& path,
                                      tape_open_options options) {
  auto file = source::open(on, path);
  if (!file) return std::move(file).error();
  auto s = std::make_unique<state>(std::move(*file));
  auto head = read_head(s->file);
  if (!head) return std::move(head).error();
  s->info.head = std::move(head->head);
  auto index = read_index(s->file);
  if (index) {
    if (auto done = s->use_index(std::move(*index), head->bytes); !done)
      return std::move(done).error();
  } else {
    if (!options.allow_unfinished) {
      if (index.error().code != storage_errc::unfinished) return std::move(index).error();
      return {storage_errc::unfinished,
              path.string() + ": the tape was never finished or its end is cut off ("
                  + std::to_string(s->file.size())
                  + " bytes); `troupe tape verify` shows what is readable, `troupe tape recover` "
                    "copies it"};
    }
    s->info.unread_bytes = s->file.size() - s->scan(head->bytes);
  }
  s->sum_up();
  return tape_reader{std::move(s)};
}

result<bool> tape_reader::next(tape_record& record) {
  auto& s = *state_;
  while (true) {
    if (s.loaded) {
      auto found = s.next_in_block(record);
      if (!found || *found) return found;
    }
    if (s.next_block >= s.blocks.size()) return false;
    if (auto done = s.load(); !done) return std::move(done).error();
  }
}

status tape_reader::rewind() {
  auto& s = *state_;
  s.loaded = false;
  s.next_block = 0;
  return ok;
}

status tape_reader::seek(market_time t) {
  auto& s = *state_;
  const auto it = std::partition_point(s.blocks.begin(), s.blocks.end(),
                                       [&](const tape_block& b) { return b.last < t; });
  s.loaded = false;
  s.next_block = static_cast<std::size_t>(it - s.blocks.begin());
  if (s.next_block >= s.blocks.size()) return ok;
  if (auto done = s.load(); !done) return done;
  while (true) {
    const auto before = s.position;
    const auto seen = s.seen;
    tape_record record;
    auto found = s.next_in_block(record);
    if (!found) return std::move(found).error();
    if (!*found) return ok;
    if (record.received >= t) {
      s.position = before;
      s.seen = seen;
      return ok;
    }
  }
}

const tape_info& tape_reader::info() const noexcept {
  return state_->info;
}
const std::vector<tape_block>& tape_reader::blocks() const noexcept {
  return state_->blocks;
}

const tape_channel* tape_reader::channel(std::uint32_t id) const noexcept {
  const auto& all = state_->info.channels;
  return id < all.size() ? &all[id] : nullptr;
}

} // namespace troupe
