#!/usr/bin/env bash
# Seven nodes as processes, the account trading against the venue simulator: all run within 20 s; a model moves by an
# operator's word, and to the other node when its own is silent for good; interrupted, everything is gone within 10 s.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

nodes=$(cd "$(dirname "$0")/../cluster" && pwd)/seven-nodes.conf
config=$work/config
mkdir -p "$config" "$work/sim" "$work/data-sim"
printf 'TROUPE_MAIN_BINANCE_KEY=%s\nTROUPE_MAIN_BINANCE_SECRET=%s\n' seven-nodes-key seven-nodes-secret >"$config/.env"
chmod 600 "$config/.env"
now_ms() { python3 -c 'import time; print(time.monotonic_ns() // 1000000)'; }

"$troupe" venue sim --folder "$work/sim" --speed 20 --credentials "$config/.env" --orders-per-10s 1000 >"$work/sim.ready" 2>"$work/sim.err" &
simulators=($!)
wait_for_text '"ready":true' "$work/sim.ready"
at() { json "$work/$1.ready" "d['$2']"; }
"$troupe" venue sim --venue bybit --symbol BTC-USDT --folder "$work/data-sim" --speed 20 --origin-market "$(at sim origin_market_ns)" \
  --origin-steady "$(at sim origin_steady_ns)" >"$work/data.ready" 2>"$work/data.err" &
simulators+=($!)
wait_for_text '"ready":true' "$work/data.ready"

orders=127.0.0.1:$(at sim port)
books=127.0.0.1:$(at data port)
cat >"$config/troupe.yaml" <<YAML
cluster:
  nodes: $nodes
clock:
  market:
    rate: 20
    origin: $(at sim origin_market_ns)
    steady: $(at sim origin_steady_ns)
instruments: [BTC-USDT@binance, BTC-USDT@bybit]
source:
  kind: generated
placement:
  pins: [BTC-USDT@binance=ingest-1, BTC-USDT@bybit=ingest-2]
  settle: 3s
  pause: 1s
trading:
  mode: paper
  account: main@binance
  gateway: venue
orchestrator:
  dead_band: 0
  full_score: 0.5
  min_holding: 0s
  long_only: false
executor:
  order_life: 10s
  reprice_ticks: 500
YAML
cat >"$config/models.yaml" <<YAML
models:
  cnn:
    checkpoint_samples: 256
    checkpoint_every: 5s
YAML
cat >"$config/venues.yaml" <<YAML
venues:
  binance:
    rest: https://$orders
    stream: wss://$orders
    api: wss://$orders/ws-api/v3
    ca: $(at sim ca)
    orders: 1000
    processing: 1s
    instruments:
      BTC-USDT:
        symbol: BTCUSDT
  bybit:
    rest: https://$books
    stream: wss://$books
    ca: $(at data ca)
    instruments:
      BTC-USDT:
        symbol: BTCUSDT
        price_scale: 2
        size_scale: 8
        tick: 0.01
        lot: 0.000001
YAML
common=(--config "$config" --data "$work/data")
status() { "$troupe" "${common[@]}" status --json --reports >"$work/status.json" 2>/dev/null; }
places() { "$troupe" "${common[@]}" actor places --json >"$work/places.json" 2>/dev/null; }
# within SECONDS WHAT COMMAND…: until the command succeeds; says how long it took.
within() {
  local most=$1 what=$2 begun
  shift 2
  begun=$(now_ms)
  until "$@"; do
    if (($(now_ms) - begun > most * 1000)); then
      fail "not within $most s: $what"
      return 0
    fi
    python3 -c 'import select; select.select([], [], [], 0.1)'
  done
  local took=$(($(now_ms) - begun))
  echo "$what: $took ms"
  ((took <= most * 1000 + 1000)) || fail "$what took $took ms, more than $most s"
}
end() {
  kill "${simulators[@]}" "${up:-}" 2>/dev/null || true
  wait 2>/dev/null || true
  [[ -z ${KEEP:-} ]] || cp -r "$work" "$KEEP"
  rm -rf "$work"
}
trap end EXIT

# --- start ---------------------------------------------------------------------------------------
begun=$(now_ms)
"$troupe" "${common[@]}" up "$nodes" 2>"$work/up.err" &
up=$!
all_up() { grep -qF 'every node runs' "$work/up.err" && status; }
everything_placed() { places && [[ $(json "$work/places.json" "all(r['running'] for k in ('movable','fixed') for r in d[k])") == True ]]; }
within 30 'every node runs' all_up
within 10 'every actor runs where it is placed' everything_placed
took=$(($(now_ms) - begun))
echo "all running after $took ms"
((took <= 20000)) || fail "all running after $took ms, not within 20 s: $(cat "$work/up.err")"
[[ $(json "$work/status.json" "sum(1 for n in d['nodes'] if n['trouble'] == '')") == 7 ]] || fail "status does not show seven nodes"

place_of() { places && json "$work/places.json" "next(r['node'] for k in ('movable','fixed') for r in d[k] if r['name'] == '$1')"; }
[[ $(place_of feed/BTC-USDT@binance) == ingest-1 && $(place_of feed/BTC-USDT@bybit) == ingest-2 ]] || fail "the pins of the feeds are not followed"

# --- predictions and orders flow -----------------------------------------------------------------
# page NODE ACTOR KEY: a figure of an actor's own page.
page() { json "$work/status.json" "next((n['status'] or {}).get('reports', {}).get('$2', {}).get('$3', 0) for n in d['nodes'] if n['name'] == '$1')"; }
made() {
  status || true
  echo $(($(page ingest-1 predictor/BTC-USDT@binance/1m made) + $(page ingest-2 predictor/BTC-USDT@bybit/1m made)))
}
predictions_from_both() { status && (($(page ingest-1 predictor/BTC-USDT@binance/1m made) > 0 && $(page ingest-2 predictor/BTC-USDT@bybit/1m made) > 0)); }
within 90 'predictions on both ingest nodes' predictions_from_both
more_than() { (($(made) > $1)); }
trained_on_both() { status && [[ $(json "$work/status.json" "next(len([p for p in n['status']['reports']['trainer/cnn']['streams'].values() if p > 0]) for n in d['nodes'] if n['name'] == 'train')") == 2 ]]; }
within 120 'trained on the streams of both' trained_on_both
orders_sent() { "$troupe" "${common[@]}" journal verify "$work/data/exec/journal/main@binance" --json >"$work/journal.json" 2>/dev/null; status && grep -q '"executor/main@binance"' "$work/status.json"; }
within 10 'the executor answers' orders_sent

# --- a model moves by word -----------------------------------------------------------------------
serves() { [[ $(place_of model/cnn) == "$1" ]] && everything_placed; }
first=$(place_of model/cnn)
other=model-1
[[ $first == model-1 ]] && other=model-2
"$troupe" "${common[@]}" actor move model/cnn "$other" || fail "the move was refused"
within 5 "the model serves on $other after the move" serves "$other"
before=$(made)
within 20 'predictions go on after the move' more_than "$before"
refused "can't run" -- "$troupe" "${common[@]}" actor move model/cnn train
refused 'stays on its node' -- "$troupe" "${common[@]}" actor move feed/BTC-USDT@binance ingest-2
refused 'nothing movable is called' -- "$troupe" "${common[@]}" actor move model/cnm "$first"
grep -q '"move"' "$work"/data/*/audit.log || fail "the move is not in the audit log"

# --- its node falls silent for good --------------------------------------------------------------
status
kill -STOP "$(json "$work/status.json" "next(n['status']['pid'] for n in d['nodes'] if n['name'] == '$other')")"
before=$(made)
within 11 "the model serves on $first after $other fell silent" serves "$first"
within 20 'predictions go on' more_than "$before"
back() { status; }
within 30 "$other is back by itself" back
within 20 "the model went home to $other, as it was told" serves "$other"

# --- ctrl-C --------------------------------------------------------------------------------------
begun=$(now_ms)
kill -INT "$up"
code=0
wait "$up" || code=$?
took=$(($(now_ms) - begun))
echo "stopped after $took ms"
((code == 0)) || fail "up ended with $code: $(tail -n 5 "$work/up.err")"
((took <= 10500)) || fail "the stop took $took ms"
finish
