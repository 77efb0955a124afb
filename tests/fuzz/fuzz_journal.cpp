// Hostile bytes as a journal segment, and as messages in records with right checksums.

#include "storage/journal_files.hpp"
#include "storage/journal_tools.hpp"
#include "tests/storage/disks.hpp"

#include <cstdlib>

using namespace troupe;
using namespace troupe::test;

namespace {

constexpr std::size_t segment_bytes = 16u << 10;

/// Records whose kind, schema and payload come from the input.
std::string records_of(std::string_view bytes) {
  static const std::uint64_t schemas[] = {
      schema_hash<journal_session>(), schema_hash<intent>(),
      schema_hash<journal_sent>(),    schema_hash<order_report>(),
      schema_hash<journal_cursor>(),  schema_hash<halt_state>(),
      schema_hash<decision>(),        schema_hash<journal_note>(),
      schema_hash<journal_balance>()};
  std::string out;
  std::uint64_t sequence = 0;
  while (bytes.size() > 2 && out.size() < segment_bytes / 2) {
    const auto kind = static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) % 11);
    const auto length =
        std::min<std::size_t>(static_cast<unsigned char>(bytes[1]), bytes.size() - 2);
    const auto schema = kind >= 1 && kind <= 9 ? schemas[kind - 1] : 0;
    ++sequence;
    append_record(
        out,
        {.kind = kind, .schema = schema, .sequence = sequence, .epoch = 1, .durable = sequence - 1},
        bytes.substr(2, length));
    bytes.remove_prefix(2 + length);
  }
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  memory_disk on;
  const journal_options options{
      .directory = "/j", .identity = {"n", "m", "a"}, .segment_bytes = segment_bytes};
  {
    if (!order_journal::open(on, options)) std::abort();
  }
  auto& segment = on.content(journal_files::segment_path("/j", 1));
  const auto body =
      data[0] % 2 == 0 ? std::string{bytes.substr(0, segment_bytes / 2)} : records_of(bytes);
  segment.replace(journal_files::first_record, std::string::npos,
                  segment_bytes - journal_files::first_record, '\0');
  segment.replace(journal_files::first_record, body.size(), body);
  std::uint64_t rows = 0;
  (void)read_journal(on, "/j", [&](const journal_row& row) -> status {
    (void)journal_row_json(row);
    ++rows;
    return ok;
  });
  (void)verify_journal(on, "/j");
  if (auto journal = order_journal::open(on, options); journal) {
    // What was valid is there, and the journal goes on behind it.
    if (journal->recovery().records != rows || journal->last_sequence() != rows + 1) std::abort();
    if (!journal->read(0, 10)) std::abort();
  } else if (repair_journal(on, "/j")) {
    if (!order_journal::open(on, options)) std::abort();
  }
  return 0;
}
