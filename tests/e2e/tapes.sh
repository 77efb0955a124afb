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
    have=$(json "$work/verify" "d['files'][0]['${pair%%=*}']")
    [[ $have == "${pair#*=}" ]] || fail "$name: ${pair%%=*} is $have instead of ${pair#*=}"
  done
}

import() {
  local output=$1 instrument=$2 venue=$3
  shift 3
  "$troupe" tape import "$@" -o "$work/$output" --instrument "$instrument" --venue "$venue" >/dev/null || fail "import of $output"
  "$troupe" --json feed verify "$work/$output" >"$work/verify" || fail "feed verify of $output"
}

import spot.ttape BTC-USDT@binance binance "$streams/spot/btcusdt_20240808.gz" "$streams/spot/btcusdt_20240809.gz"
check spot diffs_applied=6493 diffs_stale=2 gaps=0 sequence=50093696318 trades=19904
import usdm.ttape BTC-USDT-PERP@binance-usdm binance-usdm "$streams/usdm/btcusdt_20240808.gz"
check usdm diffs_applied=6547 diffs_stale=4 gaps=0 sequence=5123135475514 trades=21313
import cm.ttape BTC-USD-PERP@binance-coinm binance-coinm "$streams/cm/btcusd_perp_20240808.gz" "$streams/cm/btcusd_perp_20240809.gz"
check cm diffs_applied=44772 diffs_stale=23 gaps=0 sequence=1007206781963 trades=5235
"$troupe" feed verify --expect "$expectations" "$work/spot.ttape" "$work/usdm.ttape" "$work/cm.ttape" >"$work/out" ||
  fail "the figures differ from the expectations: $(cat "$work/out")"
if "$troupe" feed verify --line-order "$work/spot.ttape" >"$work/out" 2>&1; then
  fail "the wrong replay in line order was not caught"
fi
finish
