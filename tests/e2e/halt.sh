#!/usr/bin/env bash
# Halts towards an exec process: taken, audited, and what is said when the process is frozen. Keys in .env show nowhere.
source "$(dirname "$0")/common.sh"
mkdir "$work/config"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'node exec host=127.0.0.1 port=%s roles=execution accounts=main@binance\n' "$port" >"$work/config/nodes.conf"
printf 'venues:\n  binance:\n    stream: wss://127.0.0.1:1\n    instruments:\n      BTC-USDT:\n        symbol: BTCUSDT\n' \
  >"$work/config/venues.yaml"
canaries
run() { "$troupe" --config "$work/config" --data "$work/data" "$@"; }

"$troupe" --config "$work/config" --data "$work/data" up >"$work/up.out" 2>"$work/up.err" &
up=$!
trap 'kill "$up" 2>/dev/null || true; wait "$up" 2>/dev/null || true; rm -rf "$work"' EXIT
wait_for_text "every node runs" "$work/up.err"

run halt --reason "first" >"$work/out" 2>"$work/err" || fail "halt: $(cat "$work/err")"
grep -q "trading is halted" "$work/out" || fail "halt says: $(cat "$work/out")"
run resume --reason "second" >"$work/out" 2>"$work/err" || fail "resume: $(cat "$work/err")"
for text in '"verb":"halted"' '"reason":"first"' '"verb":"active"' '"reason":"second"' '"done":true'; do
  grep -qF -- "$text" "$work/data/exec/audit.log" || fail "$text is missing in audit.log"
done

# Frozen: the halt is refused in words that say what is known, and nothing claims that it was taken.
run --json status >"$work/status" || fail "status"
pid=$(json "$work/status" 'd["parent"]["nodes"][0]["pid"]')
kill -STOP "$pid"
refused "the halt was NOT taken by node 'exec'" "takes connections but does not answer" "process $pid is running" \
  "starts it again: say it again then" -- "$troupe" --config "$work/config" --data "$work/data" halt --reason "third"
refused "the resume was NOT taken" -- "$troupe" --config "$work/config" --data "$work/data" resume --reason "fourth"
code=0
run status >"$work/out" 2>&1 || code=$?
((code == 1)) || fail "status with a frozen node ended with $code"
grep -q "takes connections but does not answer" "$work/out" || fail "status says: $(cat "$work/out")"
kill -CONT "$pid"
for _ in $(seq 1 100); do
  run halt --reason "fifth" >"$work/out" 2>"$work/err" && break
  python3 -c 'import select; select.select([], [], [], 0.1)'
done
grep -q "trading is halted" "$work/out" || fail "no halt after the process went on: $(cat "$work/err")"
# What came before the fifth has been handled by now.
grep -q third "$work/data/exec/audit.log" && fail "a halt that was called not taken stands in the audit"
kill "$up"
wait "$up" || fail "the parent did not stop in order"
refused "the halt was NOT taken" "can't be reached" -- "$troupe" --config "$work/config" --data "$work/data" halt --reason "sixth"
no_canary "$work"
finish
