#include "tools/bench/frame_buffer.hpp"

#include "tools/feed_verify/recorded_frames.hpp"

namespace troupe::bench {

result<frame_buffer> frame_buffer::load(const std::vector<std::filesystem::path>& files) {
  frame_buffer out;
  auto done = read_recordings(files, [&](const recorded_frame& frame) -> status {
    out.add(frame.received, frame.text);
    return ok;
  });
  if (!done) return std::move(done).error();
  out.pad();
  return out;
}

void frame_buffer::add(market_time received, std::string_view text) {
  const bool depth = text.substr(0, 80).find("depthUpdate") != std::string_view::npos;
  if (image_.empty() && text.starts_with(R"({"lastUpdateId":)")) image_ = text;
  frames_.push_back({received, bytes_.size(), static_cast<std::uint32_t>(text.size()), depth});
  bytes_ += text;
}

} // namespace troupe::bench
