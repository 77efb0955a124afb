#pragma once

/// MEXC's protobuf frames, read field by field without generated code, so that texts stay views into the
/// frame. Fields that are not known are skipped: the venue's schema grows. Internal to the codec.
/// Field numbers: mexcdevelop/websocket-proto, PushDataV3ApiWrapper and its bodies.

#include <google/protobuf/io/coded_stream.h>

#include <cstdint>
#include <string_view>

namespace troupe::mexc {

/// One field; `value` of integers, `bytes` of texts and messages, neither of what is skipped.
struct wire_field {
  int number = 0;
  bool is_integer = false;
  bool is_bytes = false;
  std::uint64_t value = 0;
  std::string_view bytes;
};

/// Walks over the fields of one message. Any bytes are safe.
class wire_reader {
public:
  /// @pre message is shorter than 2 GB
  explicit wire_reader(std::string_view message) noexcept
      : in_{reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size())} {}

  /// False at the end of the message, and where it can't be read.
  bool next(wire_field& out) noexcept;

  /// False when the message ended within a field, or held what is no field.
  [[nodiscard]] bool fine() const noexcept { return fine_; }

private:
  bool take_bytes(std::string_view& out) noexcept;

  google::protobuf::io::CodedInputStream in_;
  bool fine_ = true;
};

/// Numbers of the bodies that are of use.
enum class body_kind : int {
  none = 0,
  limit_depths = 303,
  spot_kline = 308,
  aggre_depths = 313,
  aggre_deals = 314,
  aggre_book_ticker = 315
};

/// The outer message.
struct push {
  std::string_view channel;
  std::string_view symbol; ///< out of the channel where the message has none
  std::int64_t create_time = 0; ///< ms, 0 when absent
  std::int64_t send_time = 0;   ///< ms, 0 when absent
  body_kind kind = body_kind::none; ///< none: a body that is of no use here
  std::string_view body;
};

/// False when the bytes are no such message or name no channel.
bool read_push(std::string_view frame, push& out) noexcept;

/// The version that a depth, limited depth or book ticker body carries, as text; empty for others.
std::string_view version_of(const push& from) noexcept;

/// True for the venue's JSON frames: control answers, REST bodies. No protobuf frame begins so.
constexpr bool is_json(std::string_view frame) noexcept { return !frame.empty() && frame.front() == '{'; }

} // namespace troupe::mexc
