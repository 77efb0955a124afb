#include "actors/connectors/htx/inflate.hpp"

#include <algorithm>
#include <zlib.h>

namespace troupe::htx {

struct inflater::stream {
  z_stream z{};
  bool ready = false;
};

inflater::inflater(std::size_t max_bytes) : max_bytes_{max_bytes}, stream_{std::make_unique<stream>()} {
  stream_->ready = inflateInit2(&stream_->z, 15 + 16) == Z_OK; // 16: gzip only
  buffer_.resize(std::min<std::size_t>(max_bytes_, 64 << 10));
}

inflater::~inflater() {
  if (stream_->ready) inflateEnd(&stream_->z);
}

std::string_view inflater::text_of(std::string_view frame, frame_damage& damage) noexcept {
  damage = frame_damage::none;
  return is_gzip(frame) ? inflate_all(frame, damage) : frame;
}

std::string_view inflater::inflate_all(std::string_view frame, frame_damage& damage) noexcept {
  auto& z = stream_->z;
  const auto failed = [&](frame_damage why) {
    damage = why;
    return std::string_view{};
  };
  if (frame.size() > max_bytes_) return failed(frame_damage::too_large);
  if (!stream_->ready || inflateReset(&z) != Z_OK) return failed(frame_damage::not_json);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(frame.data()));
  z.avail_in = static_cast<uInt>(frame.size());
  std::size_t have = 0;
  for (;;) {
    z.next_out = reinterpret_cast<Bytef*>(buffer_.data() + have);
    z.avail_out = static_cast<uInt>(buffer_.size() - have);
    const auto said = inflate(&z, Z_NO_FLUSH);
    have = buffer_.size() - z.avail_out;
    if (said == Z_STREAM_END) break;
    if (said != Z_OK && said != Z_BUF_ERROR) return failed(frame_damage::not_json);
    if (z.avail_out != 0) return failed(frame_damage::not_json); // the frame ends too early
    if (buffer_.size() >= max_bytes_) return failed(frame_damage::too_large);
    buffer_.resize(std::min(max_bytes_, buffer_.size() * 2));
  }
  if (z.avail_in != 0) return failed(frame_damage::not_json); // something stands behind it
  return {buffer_.data(), have};
}

} // namespace troupe::htx
