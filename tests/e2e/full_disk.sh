#!/usr/bin/env bash
# The disk of one node of a running demonstration fills up: its store says so and refuses, predictors abstain, everything
# else goes on; once there is space again it goes on by itself, and at the end nothing is lost, doubled or left out.
source "$(dirname "$0")/common.sh"
export TMPDIR=$work
small=$work/run/data/ingest
cleanup() {
  [[ -z ${demo:-} ]] || { kill -INT "$demo" 2>/dev/null && wait "$demo" 2>/dev/null; } || true
  [[ -z ${KEEP:-} ]] || cp -r "$work" "$KEEP"
  umount "$small" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
mkdir "$work/try"
if ! mount -t tmpfs -o size=1M tmpfs "$work/try" 2>/dev/null; then
  echo "skipped: a full disk needs root and tmpfs"
  exit 0
fi
umount "$work/try"

"$troupe" demo --json --folder "$work/run" >"$work/summary" 2>"$work/words" &
demo=$!
# The folder of the nodes is there some time before the first node is.
for _ in $(seq 1 3000); do
  [[ -d $work/run/data ]] && break
  read -rt 0.01 <> <(:) || true
done
mkdir -p "$small"
mount -t tmpfs -o size=96M tmpfs "$small" || fail "no tmpfs at $small"
common=("$troupe" --config "$work/run/config" --data "$work/run/data")
wait_for() { # SECONDS WHAT EXPRESSION over r: reports of all actors by name
  local most=$1 what=$2 i
  for ((i = 0; i < most * 4; i++)); do
    if "${common[@]}" --json status --reports >"$work/status.json" 2>/dev/null; then
      [[ $(json "$work/status.json" "(lambda r: $3)({k: v for n in d['nodes'] for k, v in (n['status'] or {}).get('reports', {}).items()})" 2>/dev/null) != True ]] || return 0
    fi
    kill -0 "$demo" 2>/dev/null || break
    read -rt 0.25 <> <(:) || true
  done
  fail "not within $most s: $what: $(tail -n 3 "$work/words") $(tail -c 1500 "$work/status.json")"
  exit 1
}
figure() { json "$work/status.json" "(lambda r: $1)({k: v for n in d['nodes'] for k, v in (n['status'] or {}).get('reports', {}).items()})"; }
mountpoint -q "$small" || fail "the node's folder is not the small disk"
wait_for 120 'predictions, outcomes and fills' "sum(r['store']['learning_counts']['matured']) > 50 and r['executor/main@binance']['fills'] > 3"

# --- full ------------------------------------------------------------------------------------------
dd if=/dev/zero of="$small/ballast" bs=64k 2>/dev/null || true
(($(df --output=avail "$small" | tail -n 1) == 0)) || fail "the disk is not full: $(df "$small")"
wait_for 60 'the store says that its disk is full' "r['store']['failures'] > 0 and 'failure' in r['store']"
grep -qiE 'no space|disk is full' <<<"$(figure "r['store']['failure']")" || fail "not in words: $(figure "r['store']['failure']")"
grep -rqiE "closed after a failure.*(no space|disk is full)" "$work/run/logs" "$work/run/data/ingest.log" || fail "the log does not say that the disk is full"
frames=$(figure "r['feed/BTC-USDT@binance']['frames']")
wait_for 20 'the feed of that node goes on' "r['feed/BTC-USDT@binance']['frames'] > $frames and r['feed/BTC-USDT@binance']['validity'] == 'valid'"
[[ $(figure "r['executor/main@binance']['state_name']") == live ]] || fail "the executor of another node is disturbed"
[[ $(json "$work/status.json" "sum(1 for n in d['nodes'] if n['trouble'] == '')") == 4 ]] || fail "a node is away"

# --- space again -----------------------------------------------------------------------------------
made=$(figure "max(r[k]['made'] for k in r if k.startswith('predictor/'))")
rm "$small/ballast"
wait_for 60 'the store is open again' "r['store']['open'] is True"
wait_for 60 'predictions go on' "max(r[k]['made'] for k in r if k.startswith('predictor/')) > $made + 10"
kill -INT "$demo"
code=0
wait "$demo" || code=$?
demo=
cat "$work/summary"
((code == 0)) || fail "the demonstration ended with $code: $(tail -n 5 "$work/words")"
[[ $(json "$work/summary" 'd["orders_lost"] + d["orders_duplicated"] + d["trained_twice"] + d["training_gaps"]') == 0 ]] || fail "lost, duplicated, trained twice or left out"
[[ $(json "$work/summary" 'd["restarts"]') == 0 ]] || fail "a node was restarted"
finish
