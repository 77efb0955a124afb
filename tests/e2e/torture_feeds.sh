#!/usr/bin/env bash
# Connectors and feeds against simulators of all venues over TLS, with faults one after the other: what a venue's numbers
# or checksums prove is noticed, no wrong book is published, no limit of a venue is broken.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$0")/common.sh"

seed=${TROUPE_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "seed $seed"
code=0
"$troupe" torture feeds --seed "$seed" --seconds "${TROUPE_TORTURE_SECONDS:-30}" >"$work/report" 2>"$work/log" || code=$?
((code == 0)) || fail "torture feeds --seed $seed ended with $code: $(grep '^torture feeds:' "$work/log" || tail -n 3 "$work/log")"
python3 - "$work/report" <<'PY' || failures=$((failures + 1))
import json, sys
report = json.load(open(sys.argv[1]))
struck = sum(c["struck"] for v in report["venues"] for c in v["injected"].values())
right = sum(v["books_right"] for v in report["venues"])
print(f"{len(report['venues'])} venues, {struck} faults, {right} books compared, "
      f"valid again in band p99 {report['valid_again_in_band']['p99_ms']} ms, by REST p99 {report['valid_again_by_rest']['p99_ms']} ms; "
      f"{report['silence_noticed']['count']} silences noticed within {report['silence_noticed']['max_ms']} ms, valid again after that "
      f"within {report['valid_again_after_silence_in_band']['max_ms']} ms in band, {report['valid_again_after_silence_by_rest']['max_ms']} ms by REST; "
      f"the host's clock was set {report['host_clock']['set']} times")
late = [v["venue"] for v in report["venues"] if v["quiet"]["late"]]
if late:
    sys.exit(f"FAILED: silence was noticed too late at {late}")
if len(report["venues"]) != 12 or struck < 24 or right < 1000:
    sys.exit("FAILED: too little was tried")
PY
((failures == 0)) || exit 1
