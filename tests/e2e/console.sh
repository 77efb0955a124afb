#!/usr/bin/env bash
# The console in a real terminal (tmux), over a node of 10,000 actors of which some die and come back all the time, and a
# small one beside it. Second argument: the test's node program.
source "$(dirname "$0")/common.sh"
crowd_node=${2:?the test node}
source "$(dirname "$0")/terminal.sh"
config=$(cd "$(dirname "$0")/../../config" && pwd)
pids=()
cleanup() {
  close_terminal
  ((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

read -r port_a port_b < <(python3 -c '
import socket
s = [socket.socket() for _ in range(2)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
printf 'node crowd host=127.0.0.1 port=%s roles=ingest threads=2\nnode small host=127.0.0.1 port=%s roles=ingest threads=2\n' \
  "$port_a" "$port_b" >"$work/nodes.conf"
start_node() { # NAME ACTORS
  mkdir -p "$work/$1"
  "$crowd_node" "$work/nodes.conf" "$1" "$work/$1" "$2" >"$work/$1.out" 2>&1 &
  pids+=($!)
  wait_for_text ready "$work/$1.out"
}
start_node crowd 10000
crowd=${pids[0]}
start_node small 60
small=${pids[1]}
console=("$troupe" --config "$config" --data "$work" --set "cluster.nodes=$work/nodes.conf" console)

# --- where no console can be -----------------------------------------------------------------------
refused "needs a terminal" "troupe status" -- "${console[@]}"
for terminal in '' dumb nonsense; do
  start_console 80 24 "TERM=$terminal"
  shown "console ended with 1"
  case $terminal in
  '') shown "TERM is not set" ;;
  dumb) shown "'dumb' can't place its cursor" ;;
  nonsense) shown "'nonsense' (TERM) is not known here" ;;
  esac
  "${server[@]}" kill-session -t t
done
python3 - "$troupe" <<'END' || fail "troupe --help takes more than 50 ms of CPU"
import resource, subprocess, sys
best = 1.0
for _ in range(10):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.argv[1], "--help"], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
print(f"troupe --help: {best * 1e3:.0f} ms of CPU")
sys.exit(best > 0.050)
END

# --- pages -----------------------------------------------------------------------------------------
pages() { # WIDTH
  keys 1
  shown "NODE"
  shown "nodes 2/2"
  shown "actors 10.1k"
  for section in feeds models account alerts; do shown " $section "; done
  keys 2
  shown "SUPERVISION TREE"
  shown "supervisor/root (one_for_one, 40)"
  shown "supervisor/crowd0 (one_for_one, 250)"
  keys 3
  shown "top by mailbox, absolute"
  shown "of 10.1k actors"
  (($1 < 160)) || shown "LAST ERROR"
  keys '>' '>'
  shown "top by rate"
  shown churn/crowd
  keys '<' '<'
  keys 4
  shown "handler p50"
  keys 5
  shown "SUSPICION"
  shown "crowd"
  shown "0.0"
  keys 6
  shown "no tap runs"
  keys 7
  shown "restart"
  keys '?'
  shown "k kill   r restart"
  (($(screen | wc -L) <= $1)) || fail "wider than $1"
}
start_console 80 24 TERM=tmux-256color
pages 80
"${server[@]}" resize-window -t t -x 200 -y 60
keys 1
shown "ROLES"
pages 200
[[ $(screen | wc -l) == 60 ]] || fail "not 60 lines after the window grew"
"${server[@]}" capture-pane -e -p -t t | grep -qE $'\e\\[[0-9;]*3[0-7]m' || fail "no colour where the terminal has it"
"${server[@]}" resize-window -t t -x 80 -y 24
shown "q quit"

# --- keys: kill by name, suspend, resume -----------------------------------------------------------
open_actor crowd/3 crowd
keys k
shown "kill crowd/3 on crowd"
keys n
shown "nothing was done"
keys k
shown "y/n?"
keys y
shown "once more"
keys y
shown "back after"
back=$(screen | grep -oE 'back after [0-9]+' | head -n 1 | grep -oE '[0-9]+')
echo "crowd/3 was back after $back ms"
((back < 100)) || fail "crowd/3 was back after $back ms"
shown "restarts 1"
grep -q '"verb":"kill","target":"crowd/3"' "$work/crowd/audit.log" || fail "the kill is not in the audit log"
grep -qE "\"who\":\"($(id -un)|uid $(id -u))\"" "$work/crowd/audit.log" || fail "the audit log does not say who"
keys s
keys y
keys y
shown SUSPENDED
keys s
shown "resume crowd/3"
keys y
keys y
gone SUSPENDED

# --- a tap, and a console that dies in its middle --------------------------------------------------
open_actor churn/crowd crowd
keys t
shown "tap of churn/crowd"
shown "status_report"
keys 4
shown "TAPPED"
console_pid=$(pgrep -P "$("${server[@]}" display-message -p -t t '#{pane_pid}')")
kill -KILL "$console_pid"
shown "console ended with 137"
"${server[@]}" kill-session -t t
start_console 200 60 TERM=tmux-256color NO_COLOR=1
shown "nodes 2/2"
open_actor churn/crowd crowd
gone "TAPPED"
shown '"ticks"'
"${server[@]}" capture-pane -e -p -t t | grep -qE $'\e\\[[0-9;]*3[0-7]m' && fail "colour although NO_COLOR is set"

# --- nodes that die or freeze while they are watched -----------------------------------------------
keys 1
shown "nodes 2/2"
kill -KILL "$small"
shown "nodes 1/2"
screen | grep -E '^small ' | grep -q silent || fail "the dead node is not shown silent: $(screen)"
kill -STOP "$crowd"
shown "nodes 0/2" 15
shown "does not answer"
for page in 2 3 5 7 1; do
  keys "$page"
  case $page in
  2) shown "SUPERVISION TREE" 1 ;;
  3) shown "top by" 1 ;;
  5) shown "SUSPICION" 1 ;;
  7) shown "newest first" 1 ;;
  1) shown "alerts" 1 ;;
  esac
done
kill -CONT "$crowd"
shown "nodes 1/2"
stop_console

# --- what it costs the node ------------------------------------------------------------------------
# used SECONDS: CPU of the node meanwhile, in microseconds.
used() { python3 - "$crowd" "$1" <<'END'
import select, sys
def cpu():
    import glob
    return sum(int(open(f).read().split()[0]) for f in glob.glob(f"/proc/{sys.argv[1]}/task/*/schedstat"))
before = cpu()
select.select([], [], [], float(sys.argv[2]))
print((cpu() - before) // 1000)
END
}
without_before=$(used 10)
start_console 200 60 TERM=tmux-256color
shown "nodes 1/2"
keys 3
shown "top by"
with=$(used 10)
stop_console
without_after=$(used 10)
rise=$((with - (without_before + without_after) / 2))
echo "CPU of the node with 10,000 actors over 10 s: $without_before, with the console $with, $without_after us: rise $((rise / 10000)) of 1,000 (goal 10)"
((rise <= 100000)) || fail "the console costs the node more than 1 % of a core"
finish
