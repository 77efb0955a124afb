#!/usr/bin/env bash
# What an operator does beside trading: a first configuration, the doctor, metrics, a node under systemd's eyes, a debug
# bundle without secrets, completions, manual pages.
source "$(dirname "$0")/common.sh"

# --- a first configuration passes its own check, and nothing is written twice ---
"$troupe" init "$work/config" >"$work/out" 2>"$work/err" || fail "init: $(cat "$work/err")"
[[ $(grep -c '^written ' "$work/out") == 5 ]] || fail "init did not write five files: $(cat "$work/out")"
"$troupe" --config "$work/config" config check >"$work/out" 2>&1 || fail "the first configuration is refused: $(cat "$work/out")"
echo '# mine' >>"$work/config/models.yaml"
"$troupe" --json init "$work/config" >"$work/out" || fail "a second init"
[[ $(json "$work/out" 'sum(f["written"] for f in d["files"])') == 0 ]] || fail "a second init wrote something"
grep -q '^# mine' "$work/config/models.yaml" || fail "init changed a file that was there"

# --- what nodes would refuse, the check refuses ---
refused "models.yaml has no model 'cnm'" "did you mean 'cnn'" -- \
  "$troupe" --config "$work/config" --set predictor.model=cnm config check
refused "--set" "trading.mode live is not part of this version" -- \
  "$troupe" --config "$work/config" --set trading.mode=live config check
refused "metrics.port" "the port of node" -- "$troupe" --config "$work/config" --set metrics.port=4410 config check

# --- a node of one's own, as systemd would start it ---
read -r port metrics < <(python3 -c '
import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
printf 'node desk host=127.0.0.1 port=%s roles=gateway\n' "$port" >"$work/config/nodes.conf"
sed -i "s/^  port: 9464/  port: $metrics/" "$work/config/troupe.yaml"
canaries
python3 - "$work/notify" "$work/notified" <<'P' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "w") as out:
    while True:
        out.write(s.recv(4096).decode() + "\n")
        out.flush()
P
listener=$!
trap 'kill "$listener" 2>/dev/null || true; rm -rf "$work"' EXIT
wait_for_file "$work/notify"
NOTIFY_SOCKET="$work/notify" WATCHDOG_USEC=2000000 \
  "$troupe" --config "$work/config" --data "$work/data" node desk >"$work/node.out" 2>"$work/desk.log" &
node=$!
wait_for_text "READY=1" "$work/notified"
wait_for_text "WATCHDOG=1" "$work/notified"

# --- metrics ---
scrape() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen("http://127.0.0.1:%s/metrics" % sys.argv[1], timeout=5).read().decode(), end="")' "$metrics"; }
scrape >"$work/page" || fail "no metrics"
grep -q '^troupe_build_info{node="desk",build=' "$work/page" || fail "no build on the page"
grep -q '^process_resident_memory_bytes{node="desk"}' "$work/page" || fail "no memory on the page"
mkdir -p "$bin/../Testing/Temporary" && cp "$work/page" "$bin/../Testing/Temporary/metrics.page"
# The cost of a scrape as the node itself measures it: the median of 15.
costs=$(for _ in $(seq 15); do scrape | sed -n 's/^troupe_scrape_seconds{[^}]*} //p'; done | sort -g | sed -n 8p)
echo "scrape: median $costs s"
awk -v c="$costs" 'BEGIN { exit !(c < 0.005) }' || fail "a scrape costs $costs s"

# --- doctor ---
code=0
"$troupe" --json --config "$work/config" --data "$work/data" doctor >"$work/out" || code=$?
[[ $(json "$work/out" '{c["check"] for c in d["checks"]} >= {"configuration","clock","disk sync","file system","disk space","keys","data folder","ports","memory","descriptors"}') == True ]] \
  || fail "a check is missing: $(cat "$work/out")"
[[ $(json "$work/out" '(1 if any(c["verdict"] == "fail" for c in d["checks"]) else 0)') == "$code" ]] || fail "exit code $code does not fit"
[[ $(json "$work/out" 'all(c["remedy"] or c["verdict"] == "pass" for c in d["checks"])') == True ]] || fail "a finding without a remedy"
[[ $(json "$work/out" '[c["verdict"] for c in d["checks"] if c["check"] == "keys"][0]') == pass ]] || fail "keys of mode 0600 don't pass"
chmod 644 "$work/config/.env"
code=0
"$troupe" --config "$work/config" --data "$work/data" doctor >"$work/out" || code=$?
((code == 1)) || fail "the doctor ends with $code although others may read the keys"
grep -q '^fail  keys' "$work/out" && grep -q 'chmod 600' "$work/out" || fail "no remedy for keys: $(cat "$work/out")"
chmod 600 "$work/config/.env"

# --- debug bundle: keys planted where they might leak are not in it ---
sed 's/^[^=]*=//' "$work/config/.env" | while read -r secret; do
  echo "request with apiKey=$secret and $(printf %s "$secret" | base64 -w0)" >>"$work/data/desk.log"
  echo "# $secret" >>"$work/config/venues.yaml"
done
"$troupe" --config "$work/config" --data "$work/data" debug bundle --out "$work/b.tar.zst" >"$work/out" 2>"$work/err" || fail "bundle: $(cat "$work/err")"
"$troupe" --config "$work/config" --data "$work/data" debug bundle --out "$work/b.tar.gz" >/dev/null 2>&1 || fail "bundle as gz"
refused "can't be written" -- "$troupe" --config "$work/config" --data "$work/data" debug bundle --out "$work/b.tar.gz"
refused ".tar.zst or" -- "$troupe" --config "$work/config" --data "$work/data" debug bundle --out "$work/b.zip"
mkdir "$work/bundle" "$work/bundle.gz"
python3 -c 'import tarfile, sys; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$work/b.tar.gz" "$work/bundle.gz" || fail "the archive can't be read"
if command -v zstd >/dev/null; then zstd -qdc "$work/b.tar.zst" | tar -x -C "$work/bundle"; else cp -r "$work/bundle.gz/." "$work/bundle"; fi
for name in versions.txt settings.txt status.json doctor.json metrics/desk.txt config/troupe.yaml config/nodes.conf data.txt host.txt \
  logs/desk.log; do
  [[ -s $work/bundle/$name ]] || fail "$name is not in the bundle"
done
[[ $(json "$work/bundle/status.json" 'd["nodes"][0]["status"]["node"]') == desk ]] || fail "the bundle's status"
[[ $(stat -c %a "$work/b.tar.zst") == 600 ]] || fail "others may read the bundle"
no_canary "$work/bundle"
no_canary "$work/bundle.gz"

# --- the node ends in order and says so ---
kill -TERM "$node"
code=0
wait "$node" || code=$?
((code == 0)) || fail "the node ended with $code: $(tail -n 3 "$work/desk.log")"
wait_for_text "STOPPING=1" "$work/notified"

# --- the parent speaks for all its nodes, and they don't speak for it ---
: >"$work/notified.up"
kill "$listener"
rm "$work/notify"
python3 - "$work/notify" "$work/notified.up" <<'P' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "w") as out:
    while True:
        out.write(s.recv(4096).decode() + "\n")
        out.flush()
P
listener=$!
wait_for_file "$work/notify"
NOTIFY_SOCKET="$work/notify" WATCHDOG_USEC=2000000 "$troupe" --config "$work/config" --data "$work/data" up 2>"$work/up.log" &
up=$!
wait_for_text "READY=1" "$work/notified.up"
wait_for_text "WATCHDOG=1" "$work/notified.up"
kill -TERM "$up"
wait "$up" || fail "up ended with $?: $(cat "$work/up.log")"
wait_for_text "STOPPING=1" "$work/notified.up"
[[ $(grep -c 'READY=1' "$work/notified.up") == 1 ]] || fail "READY=1 was said more than once: $(cat "$work/notified.up")"

# --- completions in the real shells ---
"$troupe" completion bash >"$work/complete.bash"
offers=$(bash --norc -c "source '$work/complete.bash'; COMP_WORDS=(troupe debug ''); COMP_CWORD=2; _troupe; printf '%s ' \"\${COMPREPLY[@]}\"")
[[ $offers == "bundle " ]] || fail "bash offers '$offers' behind 'troupe debug'"
offers=$(bash --norc -c "source '$work/complete.bash'; COMP_WORDS=(troupe completion ''); COMP_CWORD=2; _troupe; printf '%s ' \"\${COMPREPLY[@]}\"")
[[ $offers == "bash zsh fish " ]] || fail "bash offers '$offers' behind 'troupe completion'"
# Each command of --help is offered.
"$troupe" --help | sed -n '/^Subcommands:/,$ s/^  \([a-z-]*\) .*/\1/p' >"$work/commands"
offers=$(bash --norc -c "source '$work/complete.bash'; COMP_WORDS=(troupe ''); COMP_CWORD=1; _troupe; printf '%s\n' \"\${COMPREPLY[@]}\"")
[[ $(sort <<<"$offers") == $(sort "$work/commands") ]] || fail "completion and --help differ: $(diff <(sort <<<"$offers") <(sort "$work/commands"))"
for shell in zsh fish; do
  if ! command -v "$shell" >/dev/null; then echo "not run: $shell is not installed"; continue; fi
  "$troupe" completion "$shell" >"$work/complete.$shell"
  "$shell" -n "$work/complete.$shell" || fail "$shell does not take its completion"
done

# --- manual pages: one for the program, one for each command, without a warning ---
"$troupe" help man --out "$work/man" || fail "help man"
[[ $(find "$work/man" -name 'troupe*.1' | wc -l) == $(($(wc -l <"$work/commands") + 1)) ]] || fail "a manual page is missing"
checked=0
for page in "$work/man"/*.1; do
  if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$page" >"$work/out" 2>&1 || fail "mandoc: $(head -n 3 "$work/out")"
    checked=1
  elif command -v groff >/dev/null; then
    groff -man -ww -z -Tutf8 "$page" >"$work/out" 2>&1
    [[ ! -s $work/out ]] || fail "groff: $page: $(head -n 3 "$work/out")"
    checked=1
  fi
done
((checked)) || echo "not run: neither mandoc nor groff is installed"
finish
