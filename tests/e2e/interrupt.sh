#!/usr/bin/env bash
# ctrl-C while the demonstration starts and while it runs: every process stops, the summary says interrupted.
source "$(dirname "$0")/common.sh"

# start NAME WORDS…: a demonstration in the background, in a folder of its own.
start() {
  local name=$1
  shift
  "$troupe" demo --generated --folder "$work/$name" "$@" >"$work/$name.json" 2>"$work/$name.err" &
  demo=$!
}

# ends NAME CODE: the demonstration must end with that code and leave no process.
ends() {
  local code=0
  wait "$demo" || code=$?
  ((code == $2)) || fail "$1 ended with $code instead of $2: $(tail -3 "$work/$1.err")"
  if pgrep -f -- "$work/$1/" >"$work/left"; then fail "$1 left processes behind: $(cat "$work/left")"; fi
}

start starting --for 60s
wait_for_file "$work/starting/logs/up.log"
kill -INT "$demo"
ends starting 130
[[ $(json "$work/starting.json" 'd["interrupted"]') == True ]] || fail "the summary does not say interrupted"
grep -q interrupted "$work/starting.err" || fail "no words about the interruption: $(cat "$work/starting.err")"

start running --for 60s
wait_for_text "look in" "$work/running.err"
kill -INT "$demo"
ends running 130
[[ $(json "$work/running.json" 'd["interrupted"]') == True ]] || fail "the summary does not say interrupted"
[[ $(json "$work/running.json" 'd["settled"]') == True ]] || fail "it did not come to rest: $(cat "$work/running.json")"

# Without --for ctrl-C is how it ends.
start open
wait_for_text "look in" "$work/open.err"
kill -INT "$demo"
ends open 0
[[ $(json "$work/open.json" 'd["interrupted"]') == False ]] || fail "an ordinary end is called interrupted"
finish
