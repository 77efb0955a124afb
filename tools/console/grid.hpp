#pragma once

/// A screen as a value: styled cells. What actors and venues wrote reaches the terminal only through here,
/// where control characters and wide or invisible code points are replaced: no text can move the cursor.
/// Not thread-safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::console {

/// What a cell means; the terminal decides how that looks. Meaning never hangs on colour alone.
enum class style : unsigned char { normal, dim, title, heading, good, warn, bad, selected, prompt, border };

struct cell {
  char32_t glyph = U' ';
  style look = style::normal;
  friend bool operator==(const cell&, const cell&) = default;
};

struct screen_size {
  int width = 80;
  int height = 24;
  friend bool operator==(const screen_size&, const screen_size&) = default;
};

/// The characters of lines and gauges, in UTF-8 or in ASCII.
struct glyphs {
  char32_t horizontal;
  char32_t ellipsis;
  char32_t folded;
  char32_t unfolded;
  char32_t leaf;
  char32_t missing;
  char32_t bar;
  std::u32string_view spark; ///< eight heights
};

const glyphs& glyphs_of(bool utf8) noexcept;

/// Decodes UTF-8; what is damaged, invisible, wide or a control character becomes U+00B7, or '?' in ASCII.
std::u32string printable(std::string_view text, bool utf8);

class grid {
public:
  grid(screen_size size, bool utf8);

  [[nodiscard]] int width() const noexcept { return size_.width; }
  [[nodiscard]] int height() const noexcept { return size_.height; }
  [[nodiscard]] bool utf8() const noexcept { return utf8_; }
  [[nodiscard]] const glyphs& marks() const noexcept { return glyphs_of(utf8_); }
  [[nodiscard]] const cell& at(int x, int y) const { return cells_[index(x, y)]; }

  /// Writes text into at most `room` cells, the rest of the room stays; returns the cells used. What
  /// lies outside the screen is left out.
  int put(int x, int y, int room, std::string_view text, style look = style::normal);
  /// The same, at the right end of the room.
  void put_right(int x, int y, int room, std::string_view text, style look = style::normal);
  /// Text that does not fit is cut in its middle: the ends of names tell them apart.
  int put_name(int x, int y, int room, std::string_view text, style look = style::normal);
  void put_glyph(int x, int y, char32_t glyph, style look);
  /// Sets the look of cells that are written already.
  void paint(int x, int y, int room, style look);
  void rule(int x, int y, int room);

  /// One line as UTF-8 without the blanks at its end; for tests and pictures.
  [[nodiscard]] std::string line(int y) const;
  /// All lines, each ended by a line feed.
  [[nodiscard]] std::string text() const;

private:
  [[nodiscard]] std::size_t index(int x, int y) const noexcept {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(size_.width) + static_cast<std::size_t>(x);
  }
  [[nodiscard]] bool inside(int x, int y) const noexcept {
    return x >= 0 && y >= 0 && x < size_.width && y < size_.height;
  }
  int put_decoded(int x, int y, int room, std::u32string_view text, style look);

  screen_size size_;
  bool utf8_;
  std::vector<cell> cells_;
};

/// Appends a code point as UTF-8.
void append_utf8(std::string& out, char32_t glyph);

} // namespace troupe::console
