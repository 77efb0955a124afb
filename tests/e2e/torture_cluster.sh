#!/usr/bin/env bash
# Seven nodes behind TLS, each in a network namespace of its own, killed, stopped, cut off, slowed down and started anew
# by the plan of one seed, while the account trades against the venue simulator. TROUPE_TORTURE_FOR=10m is the soak.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

if [[ $(id -u) != 0 || ! -c /dev/net/tun ]]; then
  echo "skipped: a network of one's own needs root and /dev/net/tun"
  exit 0
fi
recordings # under full replay load: a generated market makes fewer orders
export TMPDIR=$work
seed=${TROUPE_SEED:-$((RANDOM * 32768 + RANDOM))}
length=${TROUPE_TORTURE_FOR:-2m}
echo "seed $seed, $length"
nodes=$(cd "$(dirname "$0")/../cluster" && pwd)/seven-nodes.conf

# The seed is the schedule, whatever the machine does.
for copy in 1 2; do
  "$troupe" torture cluster "$nodes" --seed "$seed" --for "$length" --plan >"$work/plan.$copy"
done
cmp "$work/plan.1" "$work/plan.2" || fail "one seed gave two plans"
code=0
"$troupe" torture cluster "$nodes" --seed "$seed" --for "$length" --folder "$work/run" >"$work/report" 2>"$work/log" || code=$?
grep -v '^troupe: ' "$work/log" || true
python3 - "$work/report" "$work/plan.1" <<'PY' || failures=$((failures + 1))
import json, sys
report, plan = (json.load(open(name)) for name in sys.argv[1:3])
print({k: v for k, v in report.items() if k not in ("each", "shortfalls")})
done = [(f["kind"], f["node"], f["lasts_ms"]) for f in report["each"]]
if done != [(f["kind"], f["node"], f["lasts_ms"]) for f in plan][: len(done)]:
    sys.exit(f"FAILED: other faults than planned: {done}")
PY
((code == 0)) || fail "torture cluster --seed $seed --for $length: $(grep '^troupe: ' "$work/log")"
((failures == 0)) || exit 1
