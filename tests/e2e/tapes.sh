#!/usr/bin/env bash
# Import and verify of the recorded Binance streams: the figures that are known of them, and the wrong replay caught.
source "$(dirname "$0")/common.sh"
recordings
streams=$data/venues/nkaz001+hftbacktest/examples
expectations=$data/venues/derived/replay_expectations/expectations.json

# check NAME VALUES… : key=value pairs of feed verify's JSON.
check() {
  local name=$1
  shift
  local pair
  for pair in "$@"; do
    local have
    have=$(json "$work/verify" "d['feeds'][0]['${pair%%=*}']")
    [[ $have == "${pair#*=}" ]] || fail "$name: ${pair%%=*} is $have instead of ${pair#*=}"
  done
}

# verify OUTPUT INSTRUMENT VENUE RECORDINGS…: as tape of our own, and against the independent expectations.
verify() {
  local output=$1 instrument=$2 venue=$3
  shift 3
  "$troupe" tape import "$@" -o "$work/$output" --instrument "$instrument" --venue "$venue" >/dev/null || fail "import of $output"
  "$troupe" tape verify "$work/$output" >/dev/null || fail "the tape $output is damaged"
  "$troupe" --json feed verify "$work/$output" >"$work/verify" || fail "feed verify of $output"
  "$troupe" feed verify --expect "$expectations" "$@" >"$work/out" 2>&1 || fail "differs: $(cat "$work/out")"
}

verify spot.ttape BTC-USDT@binance binance "$streams/spot/btcusdt_20240808.gz" "$streams/spot/btcusdt_20240809.gz"
check spot depth_applied=6493 stale_dropped=2 gaps=0 last_update_id=50093696318 trades=19904
verify usdm.ttape BTC-USDT-PERP@binance-usdm binance-usdm "$streams/usdm/btcusdt_20240808.gz"
check usdm depth_applied=6547 stale_dropped=4 gaps=0 last_update_id=5123135475514 trades=21313
verify cm.ttape BTC-USD-PERP@binance-coinm binance-coinm "$streams/cm/btcusd_perp_20240808.gz" "$streams/cm/btcusd_perp_20240809.gz"
check cm depth_applied=44772 stale_dropped=23 gaps=0 last_update_id=1007206781963 trades=5235
if "$troupe" feed verify --line-order "$work/spot.ttape" >"$work/out" 2>&1; then
  fail "the wrong replay in line order was not caught"
fi
grep -qi "crossed" "$work/out" || fail "the wrong replay must end crossed: $(cat "$work/out")"

# Every recording of every venue by its own decoder and books, against what is known of each.
"$troupe" --json feed verify --all "$data/venues" >"$work/all" || fail "feed verify --all: $("$troupe" feed verify --all "$data/venues" | grep -B3 difference: || true)"
(($(json "$work/all" "len(d['recordings'])") >= 40)) || fail "feed verify --all knows only $(json "$work/all" "len(d['recordings'])") recordings"
[[ $(json "$work/all" "sum(r['figures'].get('checksums', 0) - r['figures'].get('checksums_equal', 0) for r in d['recordings'])") == 0 ]] ||
  fail "a checksum of a venue is not ours"
# A recording that lost one message must be told.
mkdir "$work/venues"
cp -rs "$data/venues/." "$work/venues/"
lossy=$work/venues/bmoscon+cryptofeed/sample_data/GATEIO.ws.1.0
rm "$lossy"
awk '/order_book_update/ && /"event":"update"/ && ++n == 100 {next} {print}' \
  "$data/venues/bmoscon+cryptofeed/sample_data/GATEIO.ws.1.0" >"$lossy"
if "$troupe" feed verify --all "$work/venues" >"$work/out" 2>&1; then fail "feed verify --all missed a lost message"; fi
grep -q "difference: gaps: expected 0, found 1" "$work/out" || fail "the lost message must be a gap: $(tail -n 3 "$work/out")"
finish
