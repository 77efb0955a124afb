#include "actors/connectors/mexc/wire.hpp"

#include <google/protobuf/wire_format_lite.h>

namespace troupe::mexc {

using google::protobuf::internal::WireFormatLite;

bool wire_reader::take_bytes(std::string_view& out) noexcept {
  std::uint32_t length = 0;
  if (!in_.ReadVarint32(&length) || length > INT32_MAX) return false;
  if (length == 0) return true;
  const void* at = nullptr;
  int left = 0;
  if (!in_.GetDirectBufferPointer(&at, &left) || static_cast<std::uint32_t>(left) < length) return false;
  out = {static_cast<const char*>(at), length};
  return in_.Skip(static_cast<int>(length));
}

bool wire_reader::next(wire_field& out) noexcept {
  if (!fine_) return false;
  out = {};
  const auto tag = in_.ReadTag();
  if (tag == 0) {
    fine_ = in_.ConsumedEntireMessage();
    return false;
  }
  out.number = WireFormatLite::GetTagFieldNumber(tag);
  if (out.number == 0) return fine_ = false;
  switch (WireFormatLite::GetTagWireType(tag)) {
  case WireFormatLite::WIRETYPE_VARINT:
    out.is_integer = true;
    fine_ = in_.ReadVarint64(&out.value);
    break;
  case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
    out.is_bytes = true;
    fine_ = take_bytes(out.bytes);
    break;
  default: fine_ = WireFormatLite::SkipField(&in_, tag); break;
  }
  return fine_;
}

namespace {

constexpr bool is_body(int number) noexcept { return number >= 301 && number < 400; }

body_kind kind_of(int number) noexcept {
  switch (static_cast<body_kind>(number)) {
  case body_kind::limit_depths:
  case body_kind::spot_kline:
  case body_kind::aggre_depths:
  case body_kind::aggre_deals:
  case body_kind::aggre_book_ticker: return static_cast<body_kind>(number);
  case body_kind::none: break;
  }
  return body_kind::none;
}

/// The part behind the `index`-th '@'.
std::string_view part_of(std::string_view channel, int index) noexcept {
  for (int i = 0; i < index; ++i) {
    const auto at = channel.find('@');
    if (at == std::string_view::npos) return {};
    channel.remove_prefix(at + 1);
  }
  return channel.substr(0, channel.find('@'));
}

/// "spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT" has the symbol last; "spot@public.kline.v3.api.pb@
/// BTCUSDT@Min15" and "spot@public.limit.depth.v3.api.pb@BTCUSDT@20" third.
std::string_view symbol_of_channel(std::string_view channel) noexcept {
  const bool aggregated = channel.find("public.aggre.") != std::string_view::npos;
  return part_of(channel, aggregated ? 3 : 2);
}

} // namespace

bool read_push(std::string_view frame, push& out) noexcept {
  out = {};
  wire_reader in{frame};
  wire_field f;
  while (in.next(f)) {
    if (f.number == 1 && f.is_bytes) out.channel = f.bytes;
    else if (f.number == 3 && f.is_bytes) out.symbol = f.bytes;
    else if (f.number == 5 && f.is_integer) out.create_time = static_cast<std::int64_t>(f.value);
    else if (f.number == 6 && f.is_integer) out.send_time = static_cast<std::int64_t>(f.value);
    else if (is_body(f.number) && f.is_bytes) out.kind = kind_of(f.number), out.body = f.bytes;
  }
  if (!in.fine() || out.channel.empty()) return false;
  if (out.symbol.empty()) out.symbol = symbol_of_channel(out.channel);
  return true;
}

std::string_view version_of(const push& from) noexcept {
  int number = 0;
  if (from.kind == body_kind::aggre_depths || from.kind == body_kind::aggre_book_ticker) number = 5;
  if (from.kind == body_kind::limit_depths) number = 4;
  std::string_view out;
  if (number == 0) return out;
  wire_reader in{from.body};
  wire_field f;
  while (in.next(f))
    if (f.number == number && f.is_bytes) out = f.bytes;
  return out;
}

} // namespace troupe::mexc
