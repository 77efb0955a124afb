#include "storage/tape/tape_tools.hpp"

#include "messages/json.hpp"
#include "messages/msgpack.hpp"
#include "storage/tape/tape_blocks.hpp"

#include <algorithm>

namespace troupe {

using namespace tape_bytes;

namespace {

constexpr std::size_t max_silences = 1000;
constexpr std::size_t max_damage_lines = 1000;

/// Walks all blocks of a file, past damaged ones, and hands out every readable record.
class walker {
public:
  walker(source& from, tape_verification& into) : from_{from}, into_{into} {}

  std::vector<tape_channel> channels;

  template <class Visit>
  status run(std::uint64_t offset, std::uint64_t end, Visit&& visit) {
    std::uint64_t number = 0;
    while (offset < end) {
      auto block = read_block(from_, offset, number);
      if (block) {
        if (auto done = take(*block, number, offset, visit); !done) return done;
        offset += block_header_bytes + block->header.packed;
        ++number;
        continue;
      }
      // The header may still be right, or a later one found by its magic and checksum.
      note(block.error().text);
      const auto next = find_header(offset, end, number);
      into_.lost_bytes += (next ? next->first : end) - offset;
      if (!next) return ok;
      offset = next->first;
      number = next->second;
    }
    return ok;
  }

private:
  void note(const std::string& text) {
    if (into_.damage.size() < max_damage_lines) into_.damage.push_back(text);
  }

  /// The next block behind a damaged one: by the damaged one's own header where that is valid.
  std::optional<std::pair<std::uint64_t, std::uint64_t>>
  find_header(std::uint64_t offset, std::uint64_t end, std::uint64_t number) {
    std::string bytes;
    if (end - offset >= block_header_bytes && from_.read(offset, block_header_bytes, bytes)) {
      const auto header = parse_block_header(bytes);
      if (header && header->number == number) {
        into_.lost_records += header->records;
        ++into_.lost_blocks;
        if (header->packed > end - offset - block_header_bytes) return {}; // cut off here
        return std::pair{offset + block_header_bytes + header->packed, number + 1};
      }
    }
    into_.lost_is_exact = false;
    constexpr std::uint64_t step = 1u << 20;
    for (std::uint64_t at = offset + 1; at < end; at += step) {
      const auto length = std::min<std::uint64_t>(step + block_header_bytes, end - at);
      if (length < block_header_bytes || !from_.read(at, length, bytes)) break;
      for (auto hit = bytes.find("TBLK"); hit != std::string::npos;
           hit = bytes.find("TBLK", hit + 1)) {
        const auto header = parse_block_header(std::string_view{bytes}.substr(hit));
        if (!header || header->number <= number) continue;
        into_.lost_blocks += header->number - number;
        return std::pair{at + hit, header->number};
      }
    }
    ++into_.lost_blocks;
    return {};
  }

  template <class Visit>
  status take(const found_block& block, std::uint64_t number, std::uint64_t offset, Visit&& visit) {
    const auto where = place(from_, number, offset);
    if (auto done = unpack_block(block, where, plain_); !done) {
      note(done.error().text);
      into_.lost_records += block.header.records;
      ++into_.lost_blocks;
      into_.lost_bytes += block_header_bytes + block.packed.size();
      return ok;
    }
    std::size_t at = 0;
    std::uint64_t records = 0;
    while (at < plain_.size()) {
      const auto found = next_item(plain_, at);
      if (!found) {
        note(where + ": item is cut off");
        break;
      }
      if (found->channel == announcement) {
        auto channel = from_msgpack<tape_channel>(found->payload);
        if (channel && channel->id < max_channels)
          remember(std::move(*channel));
        else
          note(where + ": channel announcement is damaged");
        continue;
      }
      ++records;
      if (auto done = visit(*found, where); !done) return done;
    }
    if (records == block.header.records) return ok;
    note(where + ": record count is wrong");
    if (records > block.header.records) return ok;
    into_.lost_records += block.header.records - records;
    ++into_.lost_blocks;
    return ok;
  }

  /// Announcements in a damaged block may be missing: their places stay empty.
  void remember(tape_channel channel) {
    if (channels.size() <= channel.id) channels.resize(channel.id + 1);
    channels[channel.id] = std::move(channel);
  }

  source& from_;
  tape_verification& into_;
  std::string plain_;
};

/// The index knows what there was: better than what headers still say.
void count_losses(const std::optional<parsed_index>& index, std::uint64_t saved, tape_verification& into) {
  if (!index) return;
  std::uint64_t there = 0;
  for (const auto& block : index->index.blocks) there += block.records;
  into.lost_records = there - std::min(there, saved);
  into.lost_blocks = std::min<std::uint64_t>(into.lost_blocks, index->index.blocks.size());
  into.lost_is_exact = true;
}

/// Where blocks end and the tables of the whole file, as far as they are readable.
struct outline {
  parsed_head head;
  std::optional<parsed_index> index;
  std::string index_problem;
  std::uint64_t end = 0;
};

result<outline> read_outline(source& from) {
  outline out;
  auto head = read_head(from);
  if (!head) return std::move(head).error();
  out.head = std::move(*head);
  auto index = read_index(from);
  if (index) {
    out.end = index->offset;
    out.index = std::move(*index);
  } else {
    out.end = from.size();
    out.index_problem = index.error().text;
  }
  return out;
}

/// Says where a tape came from, within what its recorder wrote of it: that may be JSON, which readers go by.
std::string recovered_remarks(std::string remarks, std::string_view from) {
  if (!remarks.starts_with('{') || !remarks.ends_with('}'))
    return remarks + (remarks.empty() ? "" : "; ") + "recovered from " + std::string{from};
  json_writer name;
  name.string(from);
  remarks.pop_back();
  return remarks + (remarks == "{" ? "" : ",") + "\"recovered_from\":" + std::move(name).text() + '}';
}

} // namespace

result<tape_info> tape_info_of(disk& on, const std::filesystem::path& path) {
  auto tape = tape_reader::open(on, path, {.allow_unfinished = true});
  if (!tape) return std::move(tape).error();
  return tape->info();
}

result<tape_verification> verify_tape(disk& on, const std::filesystem::path& path,
                                      nanoseconds silence) {
  auto from = source::open(on, path);
  if (!from) return std::move(from).error();
  auto outline = read_outline(*from);
  if (!outline) return std::move(outline).error();
  tape_verification out;
  auto& tape = out.tape;
  tape.head = outline->head.head;
  tape.file_bytes = from->size();
  tape.finished = outline->index.has_value();
  if (!tape.finished) out.damage.push_back(outline->index_problem);

  content_hash content;
  walker walk{*from, out};
  auto done = walk.run(
      outline->head.bytes, outline->end, [&](const item& x, const std::string& where) -> status {
        const auto header =
            item_header(x.received, x.channel, static_cast<std::uint32_t>(x.payload.size()));
        content.update(header, x.payload);
        if (out.records++ == 0)
          tape.first = x.received;
        else if (x.received < tape.last && out.damage.size() < max_damage_lines)
          out.damage.push_back(where + ": receive time goes backwards");
        else if (silence > nanoseconds{0} && x.received - tape.last > silence
                 && out.silences.size() < max_silences)
          out.silences.push_back({tape.last, x.received});
        tape.last = x.received;
        tape.payload_bytes += x.payload.size();
        if (x.channel >= max_channels) return ok;
        if (tape.records_by_channel.size() <= x.channel)
          tape.records_by_channel.resize(x.channel + 1);
        ++tape.records_by_channel[x.channel];
        return ok;
      });
  if (!done) return std::move(done).error();

  count_losses(outline->index, out.records, out);
  tape.records = out.records;
  tape.channels = std::move(walk.channels);
  tape.records_by_channel.resize(std::max(tape.channels.size(), tape.records_by_channel.size()));
  if (outline->index) {
    const auto& index = outline->index->index;
    tape.blocks = index.blocks.size();
    tape.content = content.hex();
    if (tape.content != index.content)
      out.damage.push_back(path.string() + ":index: content hash does not match");
    if (tape.records_by_channel != index.records_by_channel)
      out.damage.push_back(path.string() + ":index: record counts do not match");
    tape.channels = index.channels;
  }
  out.intact = out.damage.empty();
  return out;
}

result<tape_recovery> recover_tape(disk& on, const std::filesystem::path& from_path,
                                   const std::filesystem::path& to) {
  auto from = source::open(on, from_path);
  if (!from) return std::move(from).error();
  auto outline = read_outline(*from);
  if (!outline) return std::move(outline).error();
  auto head = outline->head.head;
  head.remarks = recovered_remarks(std::move(head.remarks), from_path.filename().string());
  auto out = tape_writer::create(on, to, head);
  if (!out) return std::move(out).error();

  tape_verification found;
  if (!outline->index) found.damage.push_back(outline->index_problem);
  walker walk{*from, found};
  if (outline->index) walk.channels = outline->index->index.channels;
  std::uint32_t added = 0;
  std::uint64_t saved = 0;
  market_time last{std::numeric_limits<std::int64_t>::min()};
  auto done =
      walk.run(outline->head.bytes, outline->end, [&](const item& x, const std::string&) -> status {
        if (x.channel >= max_channels || x.received < last) return ++found.lost_records, ok;
        if (x.channel >= walk.channels.size()) walk.channels.resize(x.channel + 1);
        for (; added < walk.channels.size(); ++added) {
          const auto& c = walk.channels[added];
          if (auto id = out->add_channel(c.name, c.kind, c.url); !id) return std::move(id).error();
        }
        last = x.received;
        ++saved;
        return out->append(x.received, x.channel, x.payload);
      });
  auto info = done ? out->finish() : result<tape_info>{std::move(done).error()};
  if (!info) {
    (void)out->discard();
    return std::move(info).error();
  }
  count_losses(outline->index, saved, found);
  return tape_recovery{.tape = std::move(*info),
                       .lost_records = found.lost_records,
                       .lost_blocks = found.lost_blocks,
                       .lost_bytes = found.lost_bytes,
                       .lost_is_exact = found.lost_is_exact,
                       .damage = std::move(found.damage)};
}

} // namespace troupe
