#!/usr/bin/env bash
# The program itself: starts fast, links no LibTorch, speaks JSON, fails on unknown words.
source "$(dirname "$0")/common.sh"

if ldd "$troupe" | grep -qE 'libtorch|libc10'; then fail "troupe links LibTorch"; fi

# Help within 50 ms: the median of 15 runs, since one run alone measures the machine.
python3 - "$troupe" <<'P' || fail "troupe --help takes longer than 50 ms"
import statistics, subprocess, sys, time
times = []
for _ in range(15):
    begin = time.perf_counter()
    subprocess.run([sys.argv[1], "--help"], stdout=subprocess.DEVNULL, check=True)
    times.append((time.perf_counter() - begin) * 1000)
print(f"--help: median {statistics.median(times):.1f} ms")
sys.exit(statistics.median(times) > 50)
P
for words in demo up node status "tape import" "tape info" "tape verify" "venue sim" "feed verify" "config check" \
  "config show" halt resume version "bench feed" "torture executor" "journal dump" "journal verify" "journal adopt" \
  "journal repair" init doctor "debug bundle" completion help; do
  # shellcheck disable=SC2086
  "$troupe" $words --help >"$work/out" || fail "$words --help"
  grep -q -- "--json" "$work/out" || "$troupe" --help | grep -q -- "--json" || fail "$words does not know --json"
done
"$troupe" --json version >"$work/out" && [[ $(json "$work/out" 'len(d["schema"])') == 16 ]] || fail "version --json"
mkdir "$work/config"
"$troupe" --json --config "$work/config" config show --origin >"$work/out" || fail "config show"
[[ $(json "$work/out" 'd["trading.mode"]["origin"]') == default ]] || fail "the origin of a default"
TROUPE__TRADING__MODE=testnet "$troupe" --json --config "$work/config" config show --origin >"$work/out"
[[ $(json "$work/out" 'd["trading.mode"]["origin"]') == "environment TROUPE__TRADING__MODE" ]] || fail "the origin of a variable"
code=0
"$troupe" nonsense >/dev/null 2>&1 || code=$?
((code == 2)) || fail "an unknown command must end with 2, not $code"
finish
