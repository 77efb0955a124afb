#!/usr/bin/env bash
# Bad input: a one-line error that names file, place and remedy, exit code not 0, nothing written.
source "$(dirname "$0")/common.sh"

# A configuration with a typo, a wrong value, a syntax error.
mkdir "$work/config"
printf 'predictor:\n  intervall: 10s\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:2" "did you mean 'predictor.interval'" -- "$troupe" --config "$work/config" config check
printf 'risk:\n  max_open_orders: many\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:2" "whole number" -- "$troupe" --config "$work/config" config check
printf 'risk: [1,2]\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:1: 'risk' is a section" "write its keys below it" -- "$troupe" --config "$work/config" config check
printf 'risk: [\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:" -- "$troupe" --config "$work/config" config check
rm "$work/config/troupe.yaml"

# Credentials that others may read.
printf 'TROUPE_MAIN_BINANCE_KEY=canary-key-0001\n' >"$work/config/.env"
chmod 644 "$work/config/.env"
refused ".env" "chmod 600" -- "$troupe" --config "$work/config" config check
grep -q canary "$work/err" && fail "the error shows the key"
rm "$work/config/.env"

# What no single file shows: nodes.conf, instruments and their rules, the account.
refused "nodes.conf" "No such file" -- "$troupe" --config "$work/config" config check
printf 'node exec host=0.0.0.0 port=4411 roles=execution accounts=main@binance\n' >"$work/config/nodes.conf"
refused "nodes.conf:1: host=0.0.0.0" "names no machine" -- "$troupe" --config "$work/config" config check
printf 'node exec host=127.0.0.1 port=4411 roles=execution accounts=main@binance\n' >"$work/config/nodes.conf"
refused "venues.yaml has no venue 'binance'" -- "$troupe" --config "$work/config" config check
printf 'venues:\n  binance:\n    stream: wss://127.0.0.1:1\n    instruments:\n      BTC-USDT:\n        symbol: BTCUSDT\n' \
  >"$work/config/venues.yaml"
"$troupe" --config "$work/config" config check >"$work/out" 2>&1 || fail "a good folder is refused: $(cat "$work/out")"
grep -q "1 nodes, 1 instruments" "$work/out" || fail "config check does not count nodes and instruments: $(cat "$work/out")"
printf 'instruments: [BTC-USDT@binance, BTC-USDT@binanc]\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:1" "did you mean 'binance'" -- "$troupe" --config "$work/config" config check
printf 'instruments: [BTC-USTD@binance]\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:1" "venues.binance.instruments.BTC-USTD" "did you mean 'BTC-USDT'" -- "$troupe" --config "$work/config" config check
printf 'trading:\n  account: other@binance\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:2" "other@binance is an account of no node" -- "$troupe" --config "$work/config" config check
refused "/nonexist: no such folder" "--config" -- "$troupe" --config /nonexist config check
rm "$work/config"/*

# Words and options that nobody knows, values out of range.
refused "unknown command 'tpae'; did you mean 'tape'?" -- "$troupe" tpae
refused "unknown command 'imprt'; did you mean 'import'?" -- "$troupe" tape imprt
refused "unknown option '--speeed'; did you mean '--speed'?" -- "$troupe" demo --speeed 3
refused "--orders-per-10s" -- "$troupe" venue sim --folder "$work/sim" --orders-per-10s -1
refused "--base -5" -- "$troupe" venue sim --folder "$work/sim" --base -5
[[ ! -e $work/sim ]] || fail "a refused simulator left its folder behind"

# A demonstration on bad inputs leaves nothing behind.
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
printf '1723161253937000000 {}\n1723161253938000000 {"cut":\n' >"$work/cut"
refused "cut:2" "no JSON" -- "$troupe" demo --tape "$work/cut" --for 10s
refused "--speed" -- "$troupe" demo --generated --speed fast --for 10s
refused "unknown key 'risk.max_ordre'" "did you mean" -- "$troupe" --set risk.max_ordre=1 demo --generated --for 10s
refused "none.ttape" -- "$troupe" demo --tape "$work/none.ttape" --for 10s
refused "cut:2" -- "$troupe" demo --tape "$work/cut" --for 10s --folder "$work/kept"
[[ ! -e $work/kept && -z $(ls "$TMPDIR") ]] || fail "a refused demonstration left files behind: $(ls "$TMPDIR" "$work/kept")"
unset TMPDIR

# A damaged tape: made from lines, then one byte in the middle is flipped.
for i in $(seq 1 400); do
  printf '17231612539370%05d {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":%d,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}\n' "$i" "$i"
done >"$work/lines"
"$troupe" tape import "$work/lines" -o "$work/good.ttape" --instrument BTC-USDT@binance --venue binance >/dev/null || fail "import"
"$troupe" tape verify "$work/good.ttape" >/dev/null || fail "a good tape must verify"
python3 - "$work/good.ttape" "$work/bad.ttape" <<'P'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 0x10
open(sys.argv[2], "wb").write(data)
P
if "$troupe" tape verify "$work/bad.ttape" >"$work/out" 2>"$work/err"; then fail "a damaged tape must not verify"; fi
grep -q "bad.ttape" "$work/out" "$work/err" || fail "the damage must name the file"
refused "bad.ttape" -- "$troupe" feed verify "$work/bad.ttape"

# Lines that are no recording: refused, nothing written.
printf 'this is no recording\n' >"$work/garbage"
refused "garbage" -- "$troupe" tape import "$work/garbage" -o "$work/none.ttape"
[[ ! -e $work/none.ttape ]] || fail "a refused import left a tape behind"
refused "good.ttape" -- "$troupe" tape import "$work/lines" -o "$work/good.ttape"

# Frames that are no JSON: refused with their line, taken when that is asked for.
{ head -3 "$work/lines"; echo '1723161253937085799 {"stream":"btcusdt@tr'; } >"$work/cut"
refused "cut:4" "no JSON" "--binary" -- "$troupe" tape import "$work/cut" -o "$work/none.ttape"
[[ ! -e $work/none.ttape && ! -e $work/none.ttape.part ]] || fail "a refused import left a tape behind"
"$troupe" tape import --binary "$work/cut" -o "$work/binary.ttape" >"$work/out" || fail "import --binary"
grep -q "1 frames that are no JSON" "$work/out" || fail "import --binary does not count: $(cat "$work/out")"
refused_feed() {
  code=0
  "$troupe" feed verify "$@" >"$work/out" 2>"$work/err" || code=$?
  ((code == 1)) || fail "feed verify $* ended with $code"
}
refused_feed "$work/cut"
grep -q "damaged frame(s), the first at .*cut:4 (" "$work/err" || fail "feed verify names no line: $(cat "$work/err")"

# A tape without its end: every command says so, recover says what is lost.
head -c $(($(wc -c <"$work/good.ttape") - 30)) "$work/good.ttape" >"$work/short.ttape"
refused_feed "$work/short.ttape"
grep -q "short.ttape: the tape was never finished or its end is cut off: only its first 400 frames" "$work/err" \
  || fail "feed verify does not say that the tape is unfinished: $(cat "$work/err")"
"$troupe" --json feed verify --allow-unfinished "$work/short.ttape" >"$work/out" 2>"$work/err" || fail "--allow-unfinished is refused"
[[ $(json "$work/out" 'len(d["unfinished"])') == 1 ]] || fail "JSON does not name the unfinished tape"
grep -q "never finished" "$work/err" || fail "--allow-unfinished says nothing"
"$troupe" --json tape recover "$work/bad.ttape" -o "$work/again.ttape" >"$work/out" || fail "recover"
[[ $(json "$work/out" 'd["tape"]["records"] + d["lost_records"]') == 400 ]] || fail "recover does not count: $(cat "$work/out")"
[[ $(json "$work/out" 'd["lost_blocks"]') -ge 1 ]] || fail "recover counts no blocks: $(cat "$work/out")"
refused "--silence -5s" -- "$troupe" tape verify --silence -5s "$work/good.ttape"

# nodes.conf with a typo; a port in use.
printf 'node ingest host=127.0.0.1 port=4410 rolls=ingest\n' >"$work/config/nodes.conf"
refused "nodes.conf:1" "roles" -- "$troupe" --config "$work/config" --data "$work/data" up
python3 - "$work/port" <<'P' &
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
open(sys.argv[1], "w").write(str(s.getsockname()[1]))
time.sleep(60)
P
holder=$!
for _ in $(seq 1 200); do [[ -s $work/port ]] && break; python3 -c 'import select; select.select([],[],[],0.05)'; done
port=$(cat "$work/port")
printf 'node ingest host=127.0.0.1 port=%s roles=ingest,gateway\n' "$port" >"$work/config/nodes.conf"
printf 'venues:\n  binance:\n    rest: https://127.0.0.1:1\n    stream: wss://127.0.0.1:1\n    instruments:\n      BTC-USDT:\n        symbol: BTCUSDT\n' \
  >"$work/config/venues.yaml"
refused "$port" -- "$troupe" --config "$work/config" --data "$work/data" node ingest
kill "$holder"

# A checkpoint of another shape: the train node names folder, tensor and shapes, and starts nothing.
if [[ -x $bin/troupe-model ]]; then
  printf 'node train host=127.0.0.1 port=%s roles=train\n' "$port" >"$work/config/nodes.conf"
  printf 'models:\n  cnn:\n    width: 16\n' >"$work/config/models.yaml"
  "$bin/troupe-model" --config "$work/config" --data "$work/data" node train 2>"$work/err" &
  trainer=$!
  for _ in $(seq 1 400); do
    grep -q '"all actors run"' "$work/err" && break
    python3 -c 'import select; select.select([],[],[],0.05)'
  done
  kill "$trainer"
  wait "$trainer" || fail "the train node did not stop in order"
  code=0
  "$bin/troupe-model" --config "$work/config" --data "$work/data" --set models.cnn.width=24 node train >"$work/out" 2>"$work/err" || code=$?
  ((code == 65)) || fail "a checkpoint of another shape must end the node with 65, not $code"
  grep '^troupe: ' "$work/err" >"$work/words" || fail "no words about the checkpoint"
  (($(wc -l <"$work/words") == 1)) || fail "not a one-line error: $(cat "$work/words")"
  for text in "checkpoints/cnn" "expected shape [24, 16, 5], found [16, 16, 5]" "move that folder away"; do
    grep -qF "$text" "$work/words" || fail "'$text' is missing in: $(cat "$work/words")"
  done
fi

finish
