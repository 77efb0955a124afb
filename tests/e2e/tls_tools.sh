#!/usr/bin/env bash
# Console, `troupe actor …` and the other tools against three nodes behind TLS, with the certificates of the configuration.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/terminal.sh"
mkdir "$work/config"
cleanup() {
  close_terminal
  [[ -z ${up:-} ]] || { kill -INT "$up" 2>/dev/null && wait "$up" 2>/dev/null; } || true
  [[ -z ${KEEP:-} ]] || cp -r "$work" "$KEEP"
  rm -rf "$work"
}
trap cleanup EXIT
read -r a b c < <(python3 -c '
import socket
s = [socket.socket() for _ in range(3)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
printf 'node %s host=127.0.0.1 port=%s roles=%s tls=on\n' one "$a" ingest,gateway two "$b" gateway \
  three "$c" "execution accounts=main@binance" >"$work/config/nodes.conf"
printf 'venues:\n  binance:\n    rest: https://127.0.0.1:1\n    stream: wss://127.0.0.1:1\n    instruments:\n      BTC-USDT:\n        symbol: BTCUSDT\n' \
  >"$work/config/venues.yaml"
printf 'instruments: [BTC-USDT@binance]\ntrading:\n  gateway: paper\n  account: main@binance\n' >"$work/config/troupe.yaml"
program=("$troupe" --config "$work/config" --data "$work/data")
"${program[@]}" cluster init-ca >/dev/null || fail init-ca
for node in one two three; do "${program[@]}" cluster issue "$node" >/dev/null || fail "issue $node"; done
"${program[@]}" up 2>"$work/up.err" &
up=$!
wait_for_text 'every node runs' "$work/up.err"

# --- the tools -------------------------------------------------------------------------------------
answers() { # EXPRESSION over d -- COMMAND…
  local expression=$1
  shift 2
  "${program[@]}" --json "$@" >"$work/out" 2>"$work/err" || fail "$*: $(cat "$work/err" "$work/out")"
  [[ $(json "$work/out" "$expression") == True ]] || fail "$*: $(head -c 2000 "$work/out")"
}
for _ in $(seq 1 100); do
  "${program[@]}" --json status >"$work/out" 2>/dev/null && [[ $(json "$work/out" 'all(n["trouble"] == "" for n in d["nodes"])') == True ]] && break
  pause 0.1
done
answers 'len(d["nodes"]) == 3 and all(n["trouble"] == "" for n in d["nodes"])' -- status
answers 'd["ok"] and {r["node"] for r in d["data"]["rows"]} == {"one", "two", "three"}' -- actor list
answers 'd["ok"] and len(d["data"]["rows"]) > 0' -- actor top --by rate --window 500ms
answers 'd["ok"] and len(d["data"]) == 3' -- actor tree
answers 'd["ok"] and d["data"]["state"]["state"] == "active"' -- actor show risk
answers 'd["ok"] and d["data"]["verb"] == "kill"' -- actor kill store
answers 'd["ok"]' -- actor log-level two warn
answers 'True' -- actor places
answers 'all(n["links"]["certificate"] == n["node"] and n["links"]["certificate_days_left"] > 300 for n in d["nodes"])' -- cluster links
"${program[@]}" actor timeline --out "$work/trace.json" 2>"$work/err" || fail "timeline: $(cat "$work/err")"
[[ $(json "$work/trace.json" 'len({e["pid"] for e in d["traceEvents"]}) == 3') == True ]] || fail "the time line does not show three nodes"
"${program[@]}" --json actor tap one/member --count 3 --for 10s >"$work/taps" 2>"$work/err" || fail "tap: $(cat "$work/err" "$work/taps")"
(($(wc -l <"$work/taps") == 3)) || fail "a tap of member shows $(wc -l <"$work/taps") messages instead of 3"
"${program[@]}" debug bundle --out "$work/bundle.tar.gz" >"$work/out" 2>"$work/err" || fail "bundle: $(cat "$work/err")"
python3 - "$work/bundle.tar.gz" <<'END' || fail "the bundle holds no status of the nodes"
import json, sys, tarfile
status = json.load(tarfile.open(sys.argv[1]).extractfile("status.json"))
assert [n["trouble"] for n in status["nodes"]] == ["", "", ""], [n["trouble"] for n in status["nodes"]]
END
"${program[@]}" feed list >"$work/out" 2>"$work/err" || fail "feed list: $(cat "$work/err")"
"${program[@]}" halt --reason "a test" >/dev/null 2>"$work/err" || fail "halt: $(cat "$work/err")"
answers 'd["data"]["state"]["state"] == "halted"' -- actor show risk
"${program[@]}" audit verify >"$work/out" 2>&1 || fail "audit verify: $(cat "$work/out")"

# --- the console -----------------------------------------------------------------------------------
console=("${program[@]}" console)
start_console 120 40 TERM=tmux-256color
shown "nodes 3/3"
keys 5
shown SUSPICION
# Both ends of each of the three links, with round trip, credit and bytes that passed.
links_are_whole() {
  screen | python3 -c '
import re, sys
rows = [line.split() for line in sys.stdin if re.match(r"(one|two|three) +(one|two|three) +up ", line)]
assert len(rows) == 6, rows
head = "FROM TO STATE RTT SUSPICION SILENT CREDIT IN OUT JOINS FAULTS".split()
for row in rows:
    figures = dict(zip(head, row))
    assert all("–" not in figures[k] for k in head), row
    assert figures["CREDIT"] != "0" and figures["IN"] != "0" and figures["OUT"] != "0" and float(figures["SUSPICION"]) < 5, row
print("\n".join(" ".join(row) for row in rows))' >"$work/links" 2>"$work/err"
}
for _ in $(seq 1 100); do
  links_are_whole && break
  pause 0.1
done
links_are_whole || fail "the links page: $(tail -n 1 "$work/err") $(screen)"
cat "$work/links"
keys 2
shown "supervisor/execution"
open_actor risk three
shown "halted"
open_actor feed/BTC-USDT@binance one
keys k
shown "kill feed/BTC-USDT@binance on one"
keys y
shown "once more"
keys y
shown "back after"
stop_console

# --- a tool without certificates is told what to do ------------------------------------------------
cp -r "$work/config" "$work/bare"
rm -rf "$work/bare/tls"
if "$troupe" --config "$work/bare" --data "$work/data" --json status >"$work/out" 2>"$work/err"; then fail "status without a certificate should fail"; fi
grep -qF "certificate" "$work/err" "$work/out" || fail "it does not say that a certificate is missing: $(cat "$work/err" "$work/out")"
begun=$(date +%s%3N)
kill -INT "$up"
code=0
wait "$up" || code=$?
up=
((code == 0)) || fail "up ended with $code: $(tail -n 5 "$work/up.err")"
(($(date +%s%3N) - begun <= 10500)) || fail "the stop took too long"
finish
