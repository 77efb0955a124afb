#!/usr/bin/env bash
# The order journal in a person's hands: a second process, a file cut short, repair, a move to this machine.
source "$(dirname "$0")/common.sh"

wait_for() { # FILE TEXT
  for _ in $(seq 1 600); do
    grep -qF -- "$2" "$1" 2>/dev/null && return
    python3 -c 'import select; select.select([],[],[],0.05)'
  done
  fail "'$2' never came: $(tail -n 3 "$1")"
}

mkdir "$work/config"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
other=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'node exec host=127.0.0.1 port=%s roles=execution accounts=main@binance\n' "$port" >"$work/config/nodes.conf"
printf 'node exec host=127.0.0.1 port=%s roles=execution accounts=main@binance\n' "$other" >"$work/config/other.conf"
printf 'venues:\n  binance:\n    instruments:\n      BTC-USDT:\n        symbol: BTCUSDT\n' >"$work/config/venues.yaml"
printf 'trading:\n  gateway: paper\n' >"$work/config/troupe.yaml"
program=("$troupe" --config "$work/config" --data "$work/data")
journal=$work/data/exec/journal/main@binance

run_once() { # starts the node, waits until it runs, stops it in order
  : >"$work/err" # else the words of the run before may be found
  "${program[@]}" node exec 2>>"$work/err" &
  local pid=$!
  wait_for "$work/err" '"all actors run"'
  kill "$pid"
  wait "$pid" || fail "the node did not stop in order: $(tail -n 3 "$work/err")"
}

# A second process on the same data folder: one line, nothing touched, though its port is free.
"${program[@]}" node exec 2>"$work/first" &
first=$!
wait_for "$work/first" '"all actors run"'
cp "$work/data/exec/INCARNATION" "$work/counter"
refused "node 'exec' already runs on $work/data/exec as process $first" "end that one first" -- \
  "${program[@]}" --set "cluster.nodes=$work/config/other.conf" node exec
cmp -s "$work/data/exec/INCARNATION" "$work/counter" || fail "a refused process raised the incarnation"
"${program[@]}" journal verify "$journal" >"$work/out" || fail "a running journal must verify: $(cat "$work/out")"
refused "stop that one first" "is held by" -- "${program[@]}" journal repair "$journal" --confirm=main@binance
kill "$first"
wait "$first" || fail "the node did not stop in order"
for i in 1 2 3; do run_once; done
"${program[@]}" journal dump "$journal" >"$work/before" || fail "dump"

# Cut short in the middle of its records: refused with one line and code 65, nothing changed, no flood.
segment=$journal/segment-00000001.journal
cp "$segment" "$work/segment"
used=$(python3 -c 'import sys; print(len(open(sys.argv[1], "rb").read().rstrip(b"\0")))' "$segment")
truncate -s $((used - 9)) "$segment"
cp "$segment" "$work/cut"
cp "$journal/EPOCH" "$work/epoch"
code=0
"${program[@]}" node exec >"$work/out" 2>"$work/err" || code=$?
((code == 65)) || fail "a damaged journal must end the node with 65, not $code"
grep '^troupe: ' "$work/err" >"$work/words" || fail "no words about the journal"
(($(wc -l <"$work/words") == 1)) || fail "not a one-line error: $(cat "$work/words")"
for text in "$segment:$((used - 9)): " "troupe journal repair" "nothing was changed"; do
  grep -qF -- "$text" "$work/words" || fail "'$text' is missing in: $(cat "$work/words")"
done
loud=$(grep -cE '"SeverityText":"(WARN|ERROR|FATAL)"' "$work/err" || true)
((loud < 8)) || fail "$loud warnings and errors about one fault: $(cat "$work/err")"
cmp -s "$segment" "$work/cut" && cmp -s "$journal/EPOCH" "$work/epoch" || fail "a refused start changed the journal"

# The parent process reports it and does not try again.
code=0
timeout 30 "${program[@]}" up >"$work/out" 2>"$work/err" || code=$?
((code == 1)) || fail "up with a damaged journal must end with 1, not $code"
grep -qF "node exec is not started again: exit code 65" "$work/err" || fail "up: $(cat "$work/err")"
grep -qF "$segment" "$work/err" || fail "up does not name the file: $(cat "$work/err")"
! grep -q "starting it again" "$work/err" || fail "up tried again: $(cat "$work/err")"

# Verify names it; repair asks for the account, keeps what was there, leaves lines in the audit log.
code=0
"${program[@]}" --json journal verify "$journal" >"$work/out" || code=$?
((code == 1)) && [[ $(json "$work/out" 'd["intact"], len(d["findings"])') == "(False, 1)" ]] || fail "verify: $(cat "$work/out")"
refused "--confirm=main@binance" -- "${program[@]}" journal repair "$journal"
refused "--confirm=main@binance" -- "${program[@]}" journal repair "$journal" --confirm=main
cmp -s "$segment" "$work/cut" || fail "a refused repair changed the journal"
"${program[@]}" --json journal repair "$journal" --confirm=main@binance >"$work/out" || fail "repair"
[[ $(json "$work/out" 'd["intact"]') == False ]] || fail "repair must say what it found"
cmp -s "$journal/damaged-segment-00000001.journal" "$work/cut" || fail "repair must keep the segment as it was"
(($(grep -c '"verb":"journal repair"' "$work/data/exec/audit.log") == 4)) || fail "audit: $(cat "$work/data/exec/audit.log")"
"${program[@]}" journal verify "$journal" >/dev/null || fail "a repaired journal must verify"
"${program[@]}" journal dump "$journal" >"$work/after"
(($(wc -l <"$work/after") == $(wc -l <"$work/before") - 1)) || fail "repair must lose the cut record only"
run_once

# A damaged IDENTITY: the node refuses, adopting rebuilds it, the journal goes on with all its records.
python3 - "$journal/IDENTITY" <<'P'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 0x10
open(sys.argv[1], "wb").write(data)
P
code=0
"${program[@]}" node exec >"$work/out" 2>"$work/err" || code=$?
((code == 65)) && grep -q '^troupe: .*IDENTITY.*troupe journal adopt' "$work/err" || fail "IDENTITY: $code $(tail -n 2 "$work/err")"
refused "--confirm=main@binance" -- "${program[@]}" journal adopt "$journal" --node exec
"${program[@]}" --json journal adopt "$journal" --node exec --confirm=main@binance >"$work/out" || fail "adopt"
(($(json "$work/out" 'd["recovery"]["records"]') > $(wc -l <"$work/after"))) || fail "adopt: $(cat "$work/out")"
grep -q '"verb":"journal adopt".*"done":true' "$work/data/exec/audit.log" || fail "adopt leaves no audit line"
run_once
"${program[@]}" journal dump "$journal" | grep -q 'adopted this journal for node exec' || fail "adopt leaves no note"
finish
