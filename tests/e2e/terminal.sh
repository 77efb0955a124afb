# Sourced after common.sh: a console in a real terminal (tmux), its keys and its screen. Sets `server`, and ends it with
# the test by `close_terminal`.
command -v tmux >/dev/null || { echo "skipped: tmux is not installed"; exit 0; }
export LC_ALL=C.UTF-8
server=(tmux -L "console$$" -f /dev/null)
exec {quiet}<> <(:)
pause() { read -rt "$1" -u "$quiet" || true; }
screen() { "${server[@]}" capture-pane -p -t t; }
keys() { "${server[@]}" send-keys -t t "$@"; }
typed() { "${server[@]}" send-keys -t t -l "$1"; }
close_terminal() { "${server[@]}" kill-server 2>/dev/null || true; }

# shown TEXT [SECONDS]: until the screen shows it, at most 10 s.
shown() {
  local i
  for ((i = 0; i < ${2:-10} * 20; i++)); do
    screen | grep -qF -- "$1" && return
    pause 0.05
  done
  fail "'$1' is not on the screen: $(screen)"
}
gone() {
  local i
  for ((i = 0; i < 200; i++)); do
    screen | grep -qF -- "$1" || return 0
    pause 0.05
  done
  fail "'$1' stays on the screen"
}

# start_console WIDTH HEIGHT ENVIRONMENT…: the command of the array `console` in the terminal.
start_console() {
  local size=(-x "$1" -y "$2")
  shift 2
  "${server[@]}" new-session -d -s t "${size[@]}" "env $* ${console[*]}; ended=\$?; stty sane; echo; echo console ended with \$ended; cat"
}
stop_console() {
  keys q
  shown "console ended with 0"
  "${server[@]}" kill-session -t t
}

# open_actor NAME NODE: a name beyond the rows that are here is looked for, and opened from the table.
open_actor() {
  keys g
  typed "$1"
  keys Enter
  shown "$1 "
  screen | grep -qF "$1 on " || keys Enter
  shown "$1 on $2"
}
