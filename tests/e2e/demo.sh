#!/usr/bin/env bash
# The demonstration end to end. Second argument: plain or chaos.
source "$(dirname "$0")/common.sh"
kind=${2:-plain}
recordings
export TMPDIR=$work
flags=()
[[ $kind == chaos ]] && flags=(--chaos)
"$troupe" demo --for 90s "${flags[@]}" --json --folder "$work/run" >"$work/summary" 2>"$work/words" || {
  fail "demo --for 90s ${flags[*]} ended with $?"
  cat "$work/words" >&2
}
cat "$work/summary"
[[ $(json "$work/summary" 'd["orders_lost"] + d["orders_duplicated"] + d["trained_twice"]') == 0 ]] || fail "lost, duplicated or trained twice"
[[ $(json "$work/summary" 'd["source"]') == looped ]] || fail "the source must be the looped recording"
# The keys of .env appear in no file that the programs wrote, nor in what they printed, but in .env itself.
[[ -s $work/words && -s $work/summary && -s $work/run/data/exec.log && -e $work/run/logs/simulator.log ]] || fail "nothing to search"
no_canary "$work" "$work/run/config/.env"
finish
