#pragma once

/// The tape: raw frames of one or more venue channels with their receive times.
///
/// ```
/// file    = head block* [ index end ]
/// head    = "TRTAPE01" | version u32 | length u32 | xxh3 u64 | msgpack of tape_head
/// block   = "TBLK" | records u32 | plain u32 | packed u32 | first i64 | last i64 | number u64 |
///           xxh3 of the packed bytes u64 | xxh3 of the 48 bytes before u64 | zstd bytes
/// plain   = item*;  item = time i64 | channel u32 | length u32 | bytes
/// index   = "TIDX" | length u32 | xxh3 u64 | msgpack of tape_index
/// end     = "TEND" | version u32 | offset of the index u64 | xxh3 of the 16 bytes before u64
/// ```
/// All numbers are little-endian. A channel is announced in the stream before its first record
/// (item of channel 0xffffffff, msgpack of tape_channel), so a tape whose writer was killed can be
/// read up to its last whole block. Receive times never go backwards.

#include "messages/market.hpp"

namespace troupe {

/// What a channel of a tape carries.
enum class channel_kind : std::uint8_t {
  socket, ///< received on a socket
  rest,   ///< body of a REST reply
  sent,   ///< sent by the client on a socket
};

struct tape_channel {
  std::uint32_t id = 0;
  std::string name;
  channel_kind kind = channel_kind::socket;
  std::string url;

  TROUPE_FIELDS(tape_channel, "One stream of a tape.", TROUPE_FIELD(id, "number in the records"),
                TROUPE_FIELD(name, "for people"),
                TROUPE_FIELD(kind, "0 socket, 1 REST reply, 2 sent by the client"),
                TROUPE_FIELD(url, "address; empty when the source did not say"))
};

/// What is known when the recording starts.
struct tape_head {
  std::string instrument;
  std::string venue;
  std::string source;
  std::string remarks;

  TROUPE_FIELDS(tape_head, "What a tape holds and where it came from.",
                TROUPE_FIELD(instrument, "\"BTC-USDT@binance\"; empty when it holds several"),
                TROUPE_FIELD(venue, "venue name"),
                TROUPE_FIELD(source, "recorder, or the imported files"),
                TROUPE_FIELD(remarks, "for people"))
};

struct tape_block {
  std::uint64_t offset = 0;
  market_time first;
  market_time last;
  std::uint64_t records = 0;

  TROUPE_FIELDS(tape_block, "Where a block stands and what times it holds.",
                TROUPE_FIELD(offset, "in the file"),
                TROUPE_FIELD(first, "receive time of the first record"),
                TROUPE_FIELD(last, "and of the last"), TROUPE_FIELD(records, "records in it"))
};

struct tape_index {
  std::vector<tape_channel> channels;
  std::vector<tape_block> blocks;
  std::vector<std::uint64_t> records_by_channel;
  std::uint64_t payload_bytes = 0;
  std::string content;

  TROUPE_FIELDS(tape_index, "The table at the end of a tape.",
                TROUPE_FIELD(channels, "all channels"), TROUPE_FIELD(blocks, "all blocks"),
                TROUPE_FIELD(records_by_channel, "in the order of channels"),
                TROUPE_FIELD(payload_bytes, "sum of the frames' lengths"),
                TROUPE_FIELD(content, "XXH3-128 over all records, hex"))
};

/// Figures of a whole tape.
struct tape_info {
  tape_head head;
  bool finished = false;
  std::uint64_t records = 0;
  std::uint64_t blocks = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t unread_bytes = 0;
  market_time first;
  market_time last;
  std::vector<tape_channel> channels;
  std::vector<std::uint64_t> records_by_channel;
  std::string content;

  TROUPE_FIELDS(tape_info, "Figures of a tape.", TROUPE_FIELD(head, "what it holds"),
                TROUPE_FIELD(finished,
                             "false: the writer was stopped; the readable prefix is described"),
                TROUPE_FIELD(records, "frames"), TROUPE_FIELD(blocks, "compressed blocks"),
                TROUPE_FIELD(payload_bytes, "sum of the frames' lengths"),
                TROUPE_FIELD(file_bytes, "length of the file"),
                TROUPE_FIELD(unread_bytes,
                             "unfinished only: bytes behind the readable prefix, a cut-off or damaged block"),
                TROUPE_FIELD(first, "first receive time"), TROUPE_FIELD(last, "last receive time"),
                TROUPE_FIELD(channels, "channel table"),
                TROUPE_FIELD(records_by_channel, "in the order of channels"),
                TROUPE_FIELD(content, "XXH3-128 over all records, hex; empty when unfinished"))
};

/// One frame; `payload` is valid until the next call on the reader.
struct tape_record {
  market_time received;
  std::uint32_t channel = 0;
  std::string_view payload;
};

} // namespace troupe
