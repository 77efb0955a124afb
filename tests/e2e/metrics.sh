#!/usr/bin/env bash
# Metrics of the whole system while it trades and learns: every node's page is well formed, and what the table lists is
# there – a report that renames a field loses its metric, and this test notices.
source "$(dirname "$0")/common.sh"
recordings
export TMPDIR=$work

# Four ports in a row that are free now.
base=$(python3 -c '
import random, socket, sys
random.seed()
for _ in range(200):
    first, held = random.randrange(20000, 30000), []
    try:
        for port in range(first, first + 4):
            s = socket.socket()
            s.bind(("127.0.0.1", port))
            held.append(s)
        print(first)
        break
    except OSError:
        pass
    finally:
        for s in held: s.close()')
TROUPE__METRICS__PORT=$base "$troupe" demo --for 90s --folder "$work/run" >"$work/summary" 2>"$work/words" &
demo=$!
python3 - "$base" "$work" <<'P' || fail "the pages of the four nodes did not come"
import select, sys, time, urllib.request
base, work = int(sys.argv[1]), sys.argv[2]
end = time.monotonic() + 80
def page(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2).read().decode()
    except OSError:
        return ""
wanted = ["troupe_predictor_hit_ratio{", "troupe_executor_equity{", 'troupe_model_ready{', "troupe_trainer_loss{"]
while time.monotonic() < end:
    pages = [page(base + i) for i in range(4)]
    if all(any(w in p for p in pages) for w in wanted):
        for i, p in enumerate(pages):
            open(f"{work}/page.{i}", "w").write(p)
        sys.exit(0)
    select.select([], [], [], 0.25)
for i, p in enumerate(pages):
    open(f"{work}/page.{i}", "w").write(p)
print("missing:", [w for w in wanted if not any(w in p for p in pages)], file=sys.stderr)
sys.exit(1)
P
# What is shown is what counts here; whether the demo earned its exit code, its own test tells.
kill -INT "$demo" 2>/dev/null || true
wait "$demo" || true
promtool=$(command -v promtool || true)
[[ -n $promtool ]] || promtool=$(dirname "$0")/../../build/promtool/promtool
for page in "$work"/page.*; do
  # All lines of a page are the same node's, whose costs are told.
  [[ $(grep -o 'node="[a-z]*"' "$page" | sort -u | wc -l) == 1 ]] || fail "$page speaks of several nodes"
  if [[ -x $promtool ]]; then "$promtool" check metrics <"$page" || fail "promtool: $page"; fi
done
[[ -x $promtool ]] || echo "not run: promtool is not installed"
# Every name of the table, but for what this system has none of: links with TLS, back-fill, refusals, other venues' kinds of proof.
sed -n '/^constexpr metric_row rows/,/^};/ s/^ *{"\(troupe_[a-z0-9_]*\)".*/\1/p' "$(dirname "$0")/../../tools/node/metrics_table.cpp" | sort -u >"$work/listed"
cat "$work"/page.* | sed -n 's/^# TYPE \([a-z0-9_]*\) .*/\1/p' | sort -u >"$work/shown"
missing=$(comm -23 "$work/listed" "$work/shown" | grep -vE '^troupe_(link_|backfill_|risk_denied_|feed_best_)' || true)
[[ -z $missing ]] || fail "not on any page: $missing"
echo "metrics shown: $(wc -l <"$work/shown")"
finish
