#include "tools/console/terminal.hpp"

#include "tools/console/errc.hpp"

// ncurses' macros would rename half of the standard library.
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#undef tab

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <optional>

namespace troupe::console {
namespace {

std::atomic<bool> stop_wanted{false};
std::atomic<bool> size_changed{false};

void on_stop(int) { stop_wanted.store(true); }
void on_size(int) { size_changed.store(true); }

/// Colour pairs of ncurses, 0 = none.
enum pair_number : short { no_pair, green_pair, yellow_pair, red_pair, cyan_pair };

attr_t attributes_of(style look) {
  switch (look) {
  case style::normal:
  case style::good: return A_NORMAL;
  case style::dim:
  case style::border: return A_DIM;
  case style::title:
  case style::selected: return A_REVERSE;
  case style::heading:
  case style::warn: return A_BOLD;
  case style::bad: return A_BOLD | A_UNDERLINE;
  case style::prompt: return A_BOLD;
  }
  return A_NORMAL;
}

attr_t coloured_attributes_of(style look) { return look == style::bad ? A_BOLD : attributes_of(look); }

short pair_of(style look) {
  switch (look) {
  case style::good: return green_pair;
  case style::warn: return yellow_pair;
  case style::bad: return red_pair;
  case style::prompt:
  case style::heading: return cyan_pair;
  default: return no_pair;
  }
}

std::optional<key_press> key_of(int how, wint_t code) {
  if (how == KEY_CODE_YES) switch (code) {
    case KEY_UP: return key_press{key::up, 0};
    case KEY_DOWN: return key_press{key::down, 0};
    case KEY_LEFT: return key_press{key::left, 0};
    case KEY_RIGHT: return key_press{key::right, 0};
    case KEY_PPAGE: return key_press{key::page_up, 0};
    case KEY_NPAGE: return key_press{key::page_down, 0};
    case KEY_HOME: return key_press{key::home, 0};
    case KEY_END: return key_press{key::end, 0};
    case KEY_ENTER: return key_press{key::enter, 0};
    case KEY_BACKSPACE: return key_press{key::backspace, 0};
    default: return std::nullopt;
    }
  switch (code) {
  case '\r':
  case '\n': return key_press{key::enter, 0};
  case '\t': return key_press{key::tab, 0};
  case 27: return key_press{key::escape, 0};
  case 8:
  case 127: return key_press{key::backspace, 0};
  default: break;
  }
  if (code < 32) return std::nullopt;
  return key_press{key::glyph, static_cast<char32_t>(code)};
}

void set_handler(int signal_number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal_number, &action, nullptr);
}

} // namespace

struct terminal::parts {
  SCREEN* screen = nullptr;
  bool colours = false;
  std::optional<grid> last;
  bool gone = false;
};

terminal_environment terminal_environment_of_process() {
  terminal_environment out;
  // Only the characters: a locale's decimal comma must not reach numbers.
  if (std::setlocale(LC_CTYPE, "") == nullptr) std::setlocale(LC_CTYPE, "C");
  out.utf8 = std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
  out.is_terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  const char* term = std::getenv("TERM");
  out.term = term == nullptr ? "" : term;
  const char* no_color = std::getenv("NO_COLOR");
  out.no_color = no_color != nullptr && *no_color != '\0';
  return out;
}

terminal::terminal(std::unique_ptr<parts> made, bool utf8) : parts_{std::move(made)}, utf8_{utf8} {}

result<std::unique_ptr<terminal>> terminal::open(const terminal_environment& where) {
  static const std::string instead = "; `troupe status` prints the same figures once";
  if (!where.is_terminal)
    return {console_errc::no_terminal,
            "the console needs a terminal, and standard input or output is none" + instead};
  if (where.term.empty())
    return {console_errc::no_terminal,
            "TERM is not set, so the kind of this terminal is not known: try TERM=xterm" + instead};
  int outcome = 0;
  if (::setupterm(where.term.c_str(), STDOUT_FILENO, &outcome) == ERR)
    return {console_errc::no_terminal,
            "terminal '" + where.term + "' (TERM) is not known here: try TERM=xterm" + instead};
  const char* placing = ::tigetstr(const_cast<char*>("cup"));
  if (placing == nullptr || placing == reinterpret_cast<const char*>(-1))
    return {console_errc::no_terminal,
            "terminal '" + where.term + "' can't place its cursor, which a full screen needs" + instead};
  auto made = std::make_unique<parts>();
  made->screen = ::newterm(where.term.c_str(), stdout, stdin);
  if (made->screen == nullptr)
    return {console_errc::no_terminal, "terminal '" + where.term + "' can't be used" + instead};
  ::set_escdelay(50);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::curs_set(0);
  if (!where.no_color && ::has_colors() && ::start_color() == OK) {
    const bool own_background = ::use_default_colors() == OK;
    const short background = own_background ? -1 : COLOR_BLACK;
    ::init_pair(green_pair, COLOR_GREEN, background);
    ::init_pair(yellow_pair, COLOR_YELLOW, background);
    ::init_pair(red_pair, COLOR_RED, background);
    ::init_pair(cyan_pair, COLOR_CYAN, background);
    made->colours = true;
  }
  stop_wanted = false;
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) set_handler(signal_number, on_stop);
  set_handler(SIGWINCH, on_size);
  return std::unique_ptr<terminal>{new terminal{std::move(made), where.utf8}};
}

terminal::~terminal() {
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) set_handler(signal_number, SIG_DFL);
  ::endwin();
  ::delscreen(parts_->screen);
}

screen_size terminal::size() const {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0)
    return {window.ws_col, window.ws_row};
  return {getmaxx(stdscr), getmaxy(stdscr)};
}

bool terminal::ended() const noexcept { return stop_wanted.load() || parts_->gone; }

std::vector<key_press> terminal::wait(int wake_fd, nanoseconds most) {
  pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {wake_fd, POLLIN, 0}};
  ::poll(fds, 2, static_cast<int>(most.count() / 1'000'000));
  if ((fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) parts_->gone = true;
  if ((fds[1].revents & POLLIN) != 0) {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto n = ::read(wake_fd, &ignored, sizeof ignored);
  }
  std::vector<key_press> out;
  constexpr std::size_t most_keys = 256;
  for (wint_t code = 0; out.size() < most_keys;) {
    const int how = ::wget_wch(stdscr, &code);
    if (how == ERR) break;
    if (how == KEY_CODE_YES && code == KEY_RESIZE) {
      size_changed = true;
      continue;
    }
    if (const auto pressed = key_of(how, code)) out.push_back(*pressed);
  }
  return out;
}

void terminal::show(const grid& next) {
  if (size_changed.exchange(false) || !parts_->last || parts_->last->width() != next.width()
      || parts_->last->height() != next.height()) {
    ::resizeterm(next.height(), next.width());
    ::wclear(stdscr);
    parts_->last.reset();
  }
  for (int y = 0; y < next.height(); ++y)
    for (int x = 0; x < next.width(); ++x) {
      const auto& cell = next.at(x, y);
      if (parts_->last && parts_->last->at(x, y) == cell) continue;
      const wchar_t text[2] = {static_cast<wchar_t>(cell.glyph), L'\0'};
      cchar_t shown{};
      const auto look = parts_->colours ? coloured_attributes_of(cell.look) : attributes_of(cell.look);
      ::setcchar(&shown, text, look, parts_->colours ? pair_of(cell.look) : short{no_pair}, nullptr);
      ::mvwadd_wch(stdscr, y, x, &shown);
    }
  ::wrefresh(stdscr);
  parts_->last = next;
}

} // namespace troupe::console
