#!/usr/bin/env bash
# An unmodified client of another project (npm ccxt, its version pinned) watches the simulator's order books over TLS, a venue
# at a time, and must end with the very book of the simulator, having broken none of the venue's rules.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

client=$(cd "$(dirname "$0")/../ccxt" && pwd)
modules=$bin/../ccxt

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "not run: node and npm are needed for the independent client"
  exit 0
fi
mkdir -p "$modules"
cp "$client"/package.json "$client"/watch_book.mjs "$modules"/
if [[ ! -d $modules/node_modules/ccxt ]]; then
  if ! (cd "$modules" && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >"$work/npm" 2>&1); then
    echo "not run: npm could not fetch the independent client: $(tail -n 1 "$work/npm")"
    exit 0
  fi
fi

# watch VENUE SYMBOL SECONDS [VOLATILITY]
watch() {
  local venue=$1 symbol=$2 seconds=$3 volatility=${4:-1}
  local folder=$work/$venue-$symbol
  mkdir -p "$folder"
  "$troupe" venue sim --venue "$venue" --symbol "$symbol" --volatility "$volatility" --folder "$folder" >"$folder/ready" 2>"$folder/err" &
  local simulator=$!
  wait_for_text '"ready":true' "$folder/ready"
  local answer code=0
  answer=$(cd "$modules" && NODE_EXTRA_CA_CERTS=$folder/tls/ca.pem timeout 90 node watch_book.mjs "$(cat "$folder/ready")" "$symbol" "$seconds") || code=$?
  kill "$simulator" 2>/dev/null || true
  wait "$simulator" 2>/dev/null || true
  echo "$answer"
  ((code == 0)) || fail "$venue $symbol: the client's book is not the simulator's: $answer"
}

watch binance BTC-USDT 5
watch binance-usdm BTC-USDT-PERP 5
watch bybit BTC-USDT 5
watch bybit BTC-USDT-PERP 5
watch deribit BTC-USDT 5
watch mexc BTC-USDT 12 0  # the client takes an image of 100 levels, behind 25 changes: the market must not leave them
watch coinbase BTC-USDT 5
watch kraken BTC-USDT 5
watch okx BTC-USDT 5
watch kucoin BTC-USDT 5 0 # the same: the venue tells no more to who has no key
watch gate BTC-USDT 5
watch bitfinex BTC-USDT 5
watch htx BTC-USDT 5

((failures == 0)) || exit 1
echo "independent client: 13 books equal"
