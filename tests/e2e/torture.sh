#!/usr/bin/env bash
# kill -9 of the exec process, 25 times, under load.
source "$(dirname "$0")/common.sh"
recordings
export TMPDIR=$work
seed=${TROUPE_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "seed $seed"
"$troupe" torture executor --seed "$seed" --kills 25 --folder "$work/run" >"$work/summary" || fail "torture with seed $seed"
cat "$work/summary"
[[ $(json "$work/summary" 'd["kills"]') == 25 ]] || fail "not all kills happened"
finish
