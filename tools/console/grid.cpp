#include "tools/console/grid.hpp"

#include <algorithm>

namespace troupe::console {
namespace {

constexpr glyphs unicode_glyphs{U'─', U'…', U'▸', U'▾', U'·', U'–', U'█', U"▁▂▃▄▅▆▇█"};
constexpr glyphs ascii_glyphs{U'-', U'~', U'+', U'-', U'.', U'-', U'#', U"_.,-=+*#"};

/// Code points that take no cell, two cells, or change the direction of writing.
bool is_unplaceable(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad) return true;
  if (c >= 0x300 && c < 0x370) return true;
  if (c >= 0x590 && c < 0x900) return true;
  if (c >= 0x1100 && c < 0x1200) return true;
  if (c >= 0x200b && c < 0x2010) return true;
  if (c >= 0x2028 && c < 0x2030) return true;
  if (c >= 0x2060 && c < 0x2070) return true;
  return c >= 0x2e80;
}

/// One code point from the front of `text`; U+FFFF for damaged bytes.
char32_t next_code_point(std::string_view& text) {
  constexpr char32_t damaged = 0xffff;
  const auto lead = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
  if (more == 0 || lead >= 0xf5 || text.size() < static_cast<std::size_t>(more)) return damaged;
  char32_t out = lead & (0x3fu >> more);
  for (int i = 0; i < more; ++i) {
    const auto next = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
    if ((next & 0xc0) != 0x80) return damaged;
    out = out << 6 | (next & 0x3fu);
  }
  text.remove_prefix(static_cast<std::size_t>(more));
  return out;
}

} // namespace

const glyphs& glyphs_of(bool utf8) noexcept { return utf8 ? unicode_glyphs : ascii_glyphs; }

std::u32string printable(std::string_view text, bool utf8) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto c = next_code_point(text);
    if (c == U'\t') c = U' ';
    if (is_unplaceable(c)) c = utf8 ? U'·' : U'?';
    if (!utf8 && c >= 0x80) {
      if (c == U'–') c = U'-';
      else if (c == U'…') c = U'~';
      else c = U'?';
    }
    out.push_back(c);
  }
  return out;
}

grid::grid(screen_size size, bool utf8)
    : size_{std::clamp(size.width, 1, 1000), std::clamp(size.height, 1, 500)}, utf8_{utf8},
      cells_(static_cast<std::size_t>(size_.width) * static_cast<std::size_t>(size_.height)) {}

int grid::put_decoded(int x, int y, int room, std::u32string_view text, style look) {
  int used = 0;
  for (const auto c : text) {
    if (used >= room) break;
    put_glyph(x + used, y, c, look);
    ++used;
  }
  return used;
}

int grid::put(int x, int y, int room, std::string_view text, style look) {
  auto decoded = printable(text.substr(0, static_cast<std::size_t>(std::max(room, 0)) * 4 + 4), utf8_);
  if (room > 0 && decoded.size() > static_cast<std::size_t>(room)) {
    decoded.resize(static_cast<std::size_t>(room));
    decoded.back() = marks().ellipsis;
  }
  return put_decoded(x, y, room, decoded, look);
}

void grid::put_right(int x, int y, int room, std::string_view text, style look) {
  const auto decoded = printable(text, utf8_);
  const int length = std::min(static_cast<int>(decoded.size()), room);
  put_decoded(x + room - length, y, length, decoded, look);
}

int grid::put_name(int x, int y, int room, std::string_view text, style look) {
  auto decoded = printable(text, utf8_);
  const auto cells = static_cast<std::size_t>(std::max(room, 0));
  if (decoded.size() > cells && cells >= 5) {
    const auto head = (cells - 1) / 2;
    const auto tail = cells - 1 - head;
    decoded = decoded.substr(0, head) + marks().ellipsis + decoded.substr(decoded.size() - tail);
  }
  return put_decoded(x, y, room, decoded, look);
}

void grid::put_glyph(int x, int y, char32_t glyph, style look) {
  if (inside(x, y)) cells_[index(x, y)] = {glyph, look};
}

void grid::paint(int x, int y, int room, style look) {
  for (int i = 0; i < room; ++i)
    if (inside(x + i, y)) cells_[index(x + i, y)].look = look;
}

void grid::rule(int x, int y, int room) {
  for (int i = 0; i < room; ++i) put_glyph(x + i, y, marks().horizontal, style::border);
}

std::string grid::line(int y) const {
  std::string out;
  for (int x = 0; x < size_.width; ++x) append_utf8(out, at(x, y).glyph);
  const auto last = out.find_last_not_of(' ');
  out.resize(last == std::string::npos ? 0 : last + 1);
  return out;
}

std::string grid::text() const {
  std::string out;
  for (int y = 0; y < size_.height; ++y) out += line(y) + '\n';
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

} // namespace troupe::console
