#!/usr/bin/env bash
# The cluster's authority and certificates in a person's hands, and a node behind TLS asked with them.
source "$(dirname "$0")/common.sh"

mkdir "$work/config"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'node pages host=127.0.0.1 port=%s roles=gateway tls=on\nnode model host=127.0.0.1 port=1 roles=model\n' "$port" >"$work/config/nodes.conf"
printf 'venues:\n  binance:\n    instruments:\n      BTC-USDT:\n        symbol: BTCUSDT\n' >"$work/config/venues.yaml"
printf 'trading:\n  gateway: paper\n' >"$work/config/troupe.yaml"
program=("$troupe" --config "$work/config" --data "$work/data")
tls=$work/config/tls

# Without certificates no node behind TLS starts, and none is asked.
refused "nodes.conf has tls=on" "troupe cluster issue pages" -- "${program[@]}" node pages
refused "troupe cluster init-ca" "--ca names where one is" -- "${program[@]}" cluster issue pages

"${program[@]}" cluster init-ca >"$work/out" 2>"$work/err" || fail "init-ca: $(cat "$work/err")"
grep -qF "$tls/authority/ca.key  its key, mode 0600" "$work/out" || fail "init-ca does not say what it wrote: $(cat "$work/out")"
refused "is there already" "would lock out every node" -- "${program[@]}" cluster init-ca
refused "nodes.conf has no node 'page'" "did you mean 'pages'?" -- "${program[@]}" cluster issue page
"${program[@]}" --json cluster issue pages >"$work/out" || fail "issue"
python3 - "$work/out" "$tls" <<'END' || fail "issue --json: $(cat "$work/out")"
import json, os, stat, sys
made = json.load(open(sys.argv[1]))
assert made["node"] == "pages" and made["certificate"] == sys.argv[2] + "/pages/node.pem", made
assert stat.S_IMODE(os.stat(made["key"]).st_mode) == 0o600
assert stat.S_IMODE(os.stat(sys.argv[2] + "/authority/ca.key").st_mode) == 0o600
assert stat.S_IMODE(os.stat(sys.argv[2] + "/pages").st_mode) == 0o700
assert len(made["serial"]) >= 8 and made["until"] > made["from"]
END
refused "node.pem is there already" "--replace" -- "${program[@]}" cluster issue pages
"${program[@]}" cluster issue pages --replace --days 10 >/dev/null || fail "issue --replace"
"${program[@]}" cluster issue model 2>"$work/err" >/dev/null || fail "issue model"
grep -qF "has tls=off" "$work/err" || fail "a certificate that nobody uses is not told"
if command -v openssl >/dev/null; then
  openssl verify -x509_strict -CAfile "$tls/authority/ca.pem" "$tls/pages/node.pem" >"$work/out" || fail "openssl verify: $(cat "$work/out")"
  openssl x509 -in "$tls/pages/node.pem" -noout -ext subjectAltName,extendedKeyUsage >"$work/out"
  grep -qF "URI:troupe://node/pages, DNS:pages.troupe" "$work/out" || fail "names: $(cat "$work/out")"
fi

# A node behind TLS, asked through it.
"${program[@]}" node pages 2>"$work/node" &
node=$!
wait_for_text '"all actors run"' "$work/node"
grep -qF "node.pem expires on" "$work/node" || fail "ten days are not told at the start"
"${program[@]}" --json cluster links >"$work/out" 2>/dev/null || true # the other node does not run
python3 - "$work/out" "$port" <<'END' || fail "links: $(cat "$work/out")"
import json, sys
pages = json.load(open(sys.argv[1]))["nodes"][0]
links = pages["links"]
assert pages["trouble"] == "" and links["listening"] == "127.0.0.1:" + sys.argv[2], pages
assert links["certificate"] == "pages" and links["certificate_days_left"] in (9, 10), links
assert links["links"][0]["bytes_in"] > 0, links # this very question
END
"${program[@]}" cluster links >"$work/out" 2>/dev/null || true
grep -qE '^pages +← pages' "$work/out" || fail "links in words: $(cat "$work/out")"
kill "$node"
wait "$node" || fail "the node did not stop in order: $(tail -n 3 "$work/node")"
"${program[@]}" cluster issue pages --replace >/dev/null || fail "issue --replace again"
chmod 640 "$tls/pages/node.key"
refused "others may read it" "chmod 600 $tls/pages/node.key" -- "${program[@]}" node pages
finish
