#include "storage/tape/tape_writer.hpp"

#include "messages/msgpack.hpp"
#include "storage/tape/tape_blocks.hpp"

#include <algorithm>
#include <zstd.h>

namespace troupe {

using namespace tape_bytes;

namespace {

struct free_zstd {
  void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
};

} // namespace

struct tape_writer::state {
  disk* on = nullptr;
  std::filesystem::path path;
  std::filesystem::path part;
  std::unique_ptr<disk_file> file;
  tape_head head;
  tape_writer_options options;
  tape_index index;
  std::string plain;
  std::string packed;
  block_header block;
  std::uint64_t offset = 0;
  std::uint64_t records = 0;
  market_time first;
  market_time last;
  bool failed = false;
  content_hash content;
  std::unique_ptr<ZSTD_CCtx, free_zstd> zstd;

  status usable() const {
    if (failed) return {storage_errc::failed, part.string() + ": an earlier write failed"};
    if (!file) return {storage_errc::bad_input, path.string() + " is finished"};
    return ok;
  }

  status write(std::string_view bytes) {
    auto done = file->write_at(offset, bytes);
    if (!done)
      failed = true;
    else
      offset += bytes.size();
    return done;
  }

  status write_block() {
    if (plain.empty()) return ok;
    packed.resize(ZSTD_compressBound(plain.size()));
    const auto size =
        ZSTD_compress2(zstd.get(), packed.data(), packed.size(), plain.data(), plain.size());
    if (ZSTD_isError(size) != 0) {
      failed = true;
      return {storage_errc::io_failed,
              part.string() + ": compression failed: " + ZSTD_getErrorName(size)};
    }
    packed.resize(size);
    if (block.records == 0) block.first = block.last = last;
    block.plain = static_cast<std::uint32_t>(plain.size());
    block.packed = static_cast<std::uint32_t>(size);
    block.number = index.blocks.size();
    block.checksum = hash64(packed);
    index.blocks.push_back(
        {.offset = offset, .first = block.first, .last = block.last, .records = block.records});
    if (auto done = write(block_header_text(block) + packed); !done) return done;
    plain.clear();
    block = {};
    return ok;
  }

  tape_info info() const {
    tape_info out;
    out.head = head;
    out.finished = true;
    out.records = records;
    out.blocks = index.blocks.size();
    out.payload_bytes = index.payload_bytes;
    out.file_bytes = offset;
    out.first = first;
    out.last = last;
    out.channels = index.channels;
    out.records_by_channel = index.records_by_channel;
    out.content = index.content;
    return out;
  }
};

tape_writer::tape_writer(std::unique_ptr<state> s) : state_{std::move(s)} {}
tape_writer::tape_writer(tape_writer&&) noexcept = default;
tape_writer& tape_writer::operator=(tape_writer&&) noexcept = default;
tape_writer::~tape_writer() = default;

result<tape_writer> tape_writer::create(disk& on, const std::filesystem::path& path,
                                        const tape_head& head, tape_writer_options options) {
  const auto there = on.exists(path);
  if (!there) return there.error();
  if (*there)
    return {storage_errc::exists,
            path.string() + " exists already; choose another name or remove it"};
  auto s = std::make_unique<state>();
  s->on = &on;
  s->path = path;
  s->part = path;
  s->part += ".part";
  s->head = head;
  s->options = options;
  s->options.block_bytes = std::clamp<std::size_t>(options.block_bytes, 4096, 8u << 20);
  s->zstd.reset(ZSTD_createCCtx());
  if (!s->zstd) return {storage_errc::too_large, "no memory for a tape writer"};
  ZSTD_CCtx_setParameter(s->zstd.get(), ZSTD_c_compressionLevel, std::clamp(options.level, 1, 19));
  auto file = on.open(s->part, open_mode::truncate);
  if (!file) return std::move(file).error();
  s->file = std::move(*file);
  if (auto done = s->write(head_bytes(head)); !done) {
    (void)on.remove(s->part);
    return std::move(done).error();
  }
  return tape_writer{std::move(s)};
}

result<std::uint32_t> tape_writer::add_channel(std::string name, channel_kind kind,
                                               std::string url) {
  auto& s = *state_;
  if (auto fine = s.usable(); !fine) return std::move(fine).error();
  if (s.index.channels.size() >= max_channels)
    return {storage_errc::too_large,
            s.path.string() + ": more than " + std::to_string(max_channels) + " channels"};
  const auto id = static_cast<std::uint32_t>(s.index.channels.size());
  s.index.channels.push_back(
      {.id = id, .name = std::move(name), .kind = kind, .url = std::move(url)});
  s.index.records_by_channel.push_back(0);
  s.plain += announcement_bytes(s.index.channels.back());
  return id;
}

status tape_writer::append(market_time received, std::uint32_t channel, std::string_view payload) {
  auto& s = *state_;
  if (auto fine = s.usable(); !fine) return fine;
  if (channel >= s.index.channels.size())
    return {storage_errc::bad_input,
            s.path.string() + ": channel " + std::to_string(channel) + " was never added"};
  if (payload.size() > max_frame_bytes)
    return {storage_errc::too_large,
            s.path.string() + ": frame of " + std::to_string(payload.size()) + " bytes"};
  if (s.records > 0 && received < s.last)
    return {storage_errc::bad_input, s.path.string() + ": receive time goes back by "
                                         + std::to_string((s.last - received).count())
                                         + " ns at record " + std::to_string(s.records)};
  if (!s.plain.empty()
      && s.plain.size() + item_header_bytes + payload.size() > s.options.block_bytes)
    if (auto done = s.write_block(); !done) return done;
  const auto header = item_header(received, channel, static_cast<std::uint32_t>(payload.size()));
  s.plain += header;
  s.plain += payload;
  s.content.update(header, payload);
  if (s.block.records++ == 0) s.block.first = received;
  s.block.last = s.last = received;
  if (s.records++ == 0) s.first = received;
  ++s.index.records_by_channel[channel];
  s.index.payload_bytes += payload.size();
  return ok;
}

status tape_writer::flush() {
  auto& s = *state_;
  if (auto fine = s.usable(); !fine) return fine;
  if (auto done = s.write_block(); !done) return done;
  auto done = s.file->sync_data();
  if (!done) s.failed = true;
  return done;
}

result<tape_info> tape_writer::finish() {
  auto& s = *state_;
  if (auto fine = s.usable(); !fine) return std::move(fine).error();
  if (auto done = s.write_block(); !done) return std::move(done).error();
  s.index.content = s.content.hex();
  const auto index_offset = s.offset;
  if (auto done = s.write(index_bytes(s.index) + end_text(index_offset)); !done)
    return std::move(done).error();
  if (auto done = s.file->sync(); !done) {
    s.failed = true;
    return std::move(done).error();
  }
  s.file.reset();
  if (auto done = s.on->rename(s.part, s.path); !done) return std::move(done).error();
  if (auto done = s.on->sync_directory(s.path.parent_path()); !done) return std::move(done).error();
  return s.info();
}

status tape_writer::discard() {
  state_->file.reset();
  return state_->on->remove(state_->part);
}

} // namespace troupe
