#include "storage/tape/line_source.hpp"

#include <zlib.h>

namespace troupe {

struct line_source::state {
  std::unique_ptr<disk_file> file;
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  std::uint64_t number = 0;
  std::string input = std::string(256u << 10, '\0');
  std::string buffer; ///< plain bytes not yet handed out
  std::size_t position = 0;
  bool packed = false;
  bool between_members = true; ///< gzip: no member is open
  bool ended = false;
  z_stream stream{};

  ~state() {
    if (packed) inflateEnd(&stream);
  }

  /// Appends more plain bytes to the buffer, or sets `ended`.
  status fill() {
    const auto got = file->read_at(offset, input);
    if (!got) return got.error();
    offset += *got;
    if (*got == 0) {
      ended = true;
      if (packed && !between_members)
        return {storage_errc::damaged, name + ": the gzip file ends early, at byte "
                                           + std::to_string(offset) + "; fetch it again"};
      return ok;
    }
    if (!packed) {
      buffer.append(input, 0, *got);
      return ok;
    }
    return inflate_some(*got);
  }

  status inflate_some(std::size_t length) {
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(length);
    while (stream.avail_in > 0) {
      if (between_members) {
        inflateReset(&stream);
        between_members = false;
      }
      const auto old = buffer.size();
      constexpr std::size_t step = 256u << 10;
      buffer.resize(old + step);
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data() + old);
      stream.avail_out = step;
      const int code = inflate(&stream, Z_NO_FLUSH);
      buffer.resize(old + step - stream.avail_out);
      if (code == Z_STREAM_END)
        between_members = true;
      else if (code != Z_OK)
        return {storage_errc::damaged, name + ": damaged gzip data near byte "
                                           + std::to_string(offset - stream.avail_in)
                                           + "; fetch it again"};
    }
    return ok;
  }
};

line_source::line_source(std::unique_ptr<state> s) : state_{std::move(s)} {}
line_source::line_source(line_source&&) noexcept = default;
line_source& line_source::operator=(line_source&&) noexcept = default;
line_source::~line_source() = default;

result<line_source> line_source::open(disk& on, const std::filesystem::path& path) {
  auto file = on.open(path, open_mode::read);
  if (!file) return std::move(file).error();
  auto s = std::make_unique<state>();
  s->file = std::move(*file);
  s->name = path.string();
  const auto size = s->file->size();
  if (!size) return size.error();
  s->size = *size;
  char magic[2] = {};
  const auto got = s->file->read_at(0, magic);
  if (!got) return got.error();
  if (*got == 2 && magic[0] == '\x1f' && magic[1] == '\x8b') {
    if (inflateInit2(&s->stream, 15 + 16) != Z_OK)
      return {storage_errc::too_large, s->name + ": no memory to unpack"};
    s->packed = true;
  }
  return line_source{std::move(s)};
}

result<bool> line_source::next(std::string_view& line) {
  auto& s = *state_;
  std::size_t searched = s.position;
  while (true) {
    const auto end = s.buffer.find('\n', searched);
    if (end != std::string::npos) {
      line = std::string_view{s.buffer}.substr(s.position, end - s.position);
      s.position = end + 1;
      ++s.number;
      break;
    }
    if (s.ended) {
      if (s.position >= s.buffer.size()) return false;
      line = std::string_view{s.buffer}.substr(s.position);
      s.position = s.buffer.size();
      ++s.number;
      break;
    }
    if (s.buffer.size() - s.position > max_line)
      return {storage_errc::too_large, s.name + ":" + std::to_string(s.number + 1)
                                           + ": line of more than " + std::to_string(max_line)
                                           + " bytes"};
    s.buffer.erase(0, s.position);
    s.position = 0;
    searched = s.buffer.size();
    if (auto done = s.fill(); !done) return std::move(done).error();
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

std::uint64_t line_source::number() const noexcept {
  return state_->number;
}
std::uint64_t line_source::bytes_read() const noexcept {
  return state_->offset;
}
std::uint64_t line_source::file_bytes() const noexcept {
  return state_->size;
}
std::string line_source::place() const {
  return state_->name + ":" + std::to_string(state_->number);
}

} // namespace troupe
