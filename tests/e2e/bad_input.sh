#!/usr/bin/env bash
# Bad input: a one-line error that names file, place and remedy, exit code not 0, nothing written.
source "$(dirname "$0")/common.sh"

# A configuration with a typo, a wrong value, a syntax error.
mkdir "$work/config"
printf 'predictor:\n  intervall: 10s\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:2" "did you mean 'predictor.interval'" -- "$troupe" --config "$work/config" config check
printf 'risk:\n  max_open_orders: many\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:2" "whole number" -- "$troupe" --config "$work/config" config check
printf 'risk: [\n' >"$work/config/troupe.yaml"
refused "troupe.yaml:" -- "$troupe" --config "$work/config" config check
rm "$work/config/troupe.yaml"

# Credentials that others may read.
printf 'TROUPE_MAIN_BINANCE_KEY=canary-key-0001\n' >"$work/config/.env"
chmod 644 "$work/config/.env"
refused ".env" "chmod 600" -- "$troupe" --config "$work/config" config check
grep -q canary "$work/err" && fail "the error shows the key"
rm "$work/config/.env"

# A damaged tape: made from lines, then one byte in the middle is flipped.
for i in $(seq 1 400); do
  printf '17231612539370857%02d {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":%d,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}\n' $((i % 100)) "$i"
done | sort -n >"$work/lines"
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
  ((code != 0)) || fail "a checkpoint of another shape was taken"
  grep '^troupe: ' "$work/err" >"$work/words" || fail "no words about the checkpoint"
  (($(wc -l <"$work/words") == 1)) || fail "not a one-line error: $(cat "$work/words")"
  for text in "checkpoints/cnn" "expected shape [24, 16, 5], found [16, 16, 5]" "move that folder away"; do
    grep -qF "$text" "$work/words" || fail "'$text' is missing in: $(cat "$work/words")"
  done
fi

finish
