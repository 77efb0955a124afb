#!/usr/bin/env bash
# Actors of a running demonstration are killed by name: one of each kind through the console, all others with
# `troupe actor kill`. Each is back in time, as its supervisor measured it, with the state it had; at the end nothing is
# lost and nothing is doubled.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/terminal.sh"
export TMPDIR=$work
"$troupe" demo --json --folder "$work/run" >"$work/summary" 2>"$work/words" &
demo=$!
cleanup() {
  close_terminal
  kill -INT "$demo" 2>/dev/null || true
  wait "$demo" 2>/dev/null || true
  [[ -z ${KEEP:-} ]] || cp -r "$work" "$KEEP"
  rm -rf "$work"
}
trap cleanup EXIT
common=("$troupe" --config "$work/run/config" --data "$work/run/data")
console=("${common[@]}" console)
page() { "${common[@]}" --json actor show "$1" 2>/dev/null; }
# until_true SECONDS WHAT COMMAND…
until_true() {
  local most=$1 what=$2 i
  shift 2
  for ((i = 0; i < most * 5; i++)); do
    "$@" && return
    kill -0 "$demo" 2>/dev/null || break
    pause 0.2
  done
  fail "not within $most s: $what: $(tail -n 3 "$work/words")"
  exit 1
}
# figures EXPRESSION: over r, what all actors say of themselves by name.
figures() {
  "${common[@]}" --json status --reports >"$work/status.json" 2>/dev/null || return 1
  [[ $(json "$work/status.json" "(lambda r: $1)({k: v for n in d['nodes'] for k, v in (n['status'] or {}).get('reports', {}).items()})" 2>/dev/null) == True ]]
}
until_true 120 'fills' figures "r['executor/main@binance']['fills'] >= 3"

# --- one order through all actors ------------------------------------------------------------------
"${common[@]}" --json actor tap --order next --count 8 --rate 1000 --for 60s >"$work/taps" 2>"$work/err" || fail "tap: $(cat "$work/err")"
python3 - "$work/taps" <<'END' || fail "the tap does not show the way of an order: $(head -c 3000 "$work/taps")"
import json, sys
rows = [json.loads(line)["data"] for line in open(sys.argv[1])]
way = [(r["sender"], r["actor"], r["type"]) for r in rows]
account = "main@binance"
wanted = [("orchestrator", "executor/" + account, "decision"), ("executor/" + account, "risk", "risk_request"),
          ("risk", "executor/" + account, "risk_verdict"), ("executor/" + account, "journal/" + account, "journal_append"),
          ("executor/" + account, "gateway/" + account, "intent"), ("gateway/" + account, "executor/" + account, "order_report")]
at = 0
for step in wanted:
    assert step in way[at:], (step, way)
    at = way.index(step, at) + 1
ids = {json.loads(r["text"])["client_id"] for r in rows if r["type"] == "order_report"}
assert len(ids) == 1, ids  # nothing of any other order
print("an order's way:", " ".join(f"{a}→{b}:{t}" for a, b, t in way[:8]))
END

# --- a console that dies in the middle of such a tap leaves none behind ----------------------------
tapped() { "${common[@]}" --json actor list >"$work/page" && json "$work/page" 'sum(r["actor"]["tapped"] for r in d["data"]["rows"])'; }
start_console 120 40 TERM=tmux-256color
shown "nodes 4/4"
keys 6
keys t
typed id:next
keys Enter
shown risk_request 60
(($(tapped) > 0)) || fail "nobody is tapped while the console taps"
kill -KILL "$(pgrep -P "$("${server[@]}" display-message -p -t t '#{pane_pid}')")"
shown "console ended with 137"
"${server[@]}" kill-session -t t
no_tap() { [[ $(tapped) == 0 ]]; }
until_true 5 'no tap is left' no_tap

until_true 120 'checkpoints and outcomes over an hour' figures "r['trainer/cnn']['checkpoints'] >= 2 and r['model/cnn']['inferences'] >= 20 and r['predictor/BTC-USDT@binance/60m']['matured'] >= 1"

# judge BEFORE AFTER NAME RESTARTS: prints "waits WHY" or "back MICROSECONDS" of the newest restart; fails in words on state
# that is gone for good.
cat >"$work/judge.py" <<'END'
import json, sys
before, after = (json.load(open(f)).get("data") or {} for f in sys.argv[1:3])
name = sys.argv[3]
old, new = before.get("state") or {}, after.get("state") or {}
child = (after.get("slot") or {}).get("child") or {}
earlier = ((before.get("slot") or {}).get("child") or {}).get("restarts", 0)
history = child.get("history") or []
if child.get("restarts", 0) <= earlier or not history or "back_us" not in history[-1]:
    print("waits it has not answered yet"); sys.exit()

def waits(why): print("waits", why); sys.exit()
def lost(why): print(f"lost {why}: {json.dumps(old)[:600]} then {json.dumps(new)[:600]}"); sys.exit()
def grows(*keys):
    for k in keys:
        if new[k] < old[k]: lost(f"{k} was {old[k]} and is {new[k]}")
def sums(s, k): return sum(i[k][h] for i in s["instruments"] for h in i[k])

if "error" in new: waits(new["error"])
kind = name.split("/")[0]
if kind == "executor":
    if new["state_name"] != "live": waits("it is " + new["state_name"])
    grows("epoch", "intents", "orders", "fills", "journal_records")
    if new["ready_after"] > 2_000_000_000: lost(f"it was reconciled after {new['ready_after']} ns")
elif kind == "journal": grows("epoch", "records")
elif kind == "store":
    if not new["open"]: waits("it is not open")
    for k in old["learning_counts"]:
        if any(a > b for a, b in zip(old["learning_counts"][k], new["learning_counts"][k])): lost(k)
    grows("training_newest")
elif kind == "risk":
    if not new["epochs"]: waits("no executor has asked it yet")
    if any(new[k] != old[k] for k in ("state", "who", "reason")): lost("the trading state")
elif kind == "orchestrator":
    if sums(new, "scored") < sums(old, "scored"): lost("what it learned")
elif kind == "predictor":
    if not new["ready"]: waits("it is not ready")
    if name.endswith("60m") and new["loaded"] * 2 < old["pending"]: lost("predictions without outcome")
elif kind == "model":
    if not new["ready"]: waits("it serves nothing")
    grows("step", "trained_to")
elif kind == "trainer":
    if not new["resumed_from"]: lost("it did not resume")
    if new["consumed"] < old["chain"]["trained_to"]: lost("what the newest checkpoint had taken in")
    if new["chain"]["trained_twice"] or new["chain"]["gaps"]: lost("the chain of training")
elif kind == "feed":
    if new["validity"] != "valid": waits("its book is " + new["validity"])
elif kind == "connector":
    if not new.get("instruments") or not all(i["connected"] for i in new["instruments"]): waits("an instrument is not connected")
elif kind == "consolidator":
    if new["joined"] < 1: waits("it has no venue yet")
print("back", history[-1]["back_us"])
END

longest_us=0
# killed NAME: once it was killed; $work/before is its page from before.
killed() {
  local name=$1 word=waits rest= i most=100000
  for ((i = 0; i < 75; i++)); do
    page "$name" >"$work/after" || true
    read -r word rest < <(python3 "$work/judge.py" "$work/before" "$work/after" "$name" 2>&1 | tail -n 1)
    [[ $word == waits ]] || break
    pause 0.2
  done
  case $word in
  back) ;;
  *)
    fail "$name after its kill: $word $rest"
    return
    ;;
  esac
  # Weights are read from the disk and tried before a model answers. The store is left the time that RocksDB takes
  # to replay its log beside other work; alone it is within 100 ms, too.
  [[ $name != model/* && $name != trainer/* ]] || most=1000000
  [[ $name != store ]] || most=250000
  echo "$name was back after $rest us"
  ((rest <= most)) || fail "$name was back after $rest us, not within $most"
  ((rest <= longest_us)) || longest_us=$rest
}

"${common[@]}" --json actor list >"$work/list" || fail "actor list: $(cat "$work/list")"
# Kept by a supervisor, and none itself; one of each kind first.
python3 - "$work/list" >"$work/names" <<'END'
import json, sys
rows = [r for r in json.load(open(sys.argv[1]))["data"]["rows"] if r["actor"]["parent"].startswith(("supervisor/", "root"))]
seen = set()
for r in sorted(rows, key=lambda r: r["actor"]["name"]):
    kind = r["actor"]["kind"]
    if kind == "supervisor": continue
    print("typed" if kind in seen else "shown", r["node"], r["actor"]["name"])
    seen.add(kind)
END
cat "$work/names"
for kind in connector feed consolidator store predictor model trainer orchestrator risk journal executor; do
  grep -q "^shown .* $kind" "$work/names" || fail "no actor $kind in the list"
done

# --- kills -----------------------------------------------------------------------------------------
start_console 120 40 TERM=tmux-256color
shown "nodes 4/4"
mapfile -t rows <"$work/names"
for row in "${rows[@]}"; do
  read -r how node name <<<"$row"
  page "$name" >"$work/before" || fail "no page of $name: $(cat "$work/before")"
  if [[ $how == shown ]]; then
    open_actor "$name" "$node"
    keys k
    shown "kill $name on $node"
    keys y
    case $name in
    executor/* | journal/* | risk | orchestrator)
      shown "type the name"
      typed "$name"
      keys Enter
      ;;
    *)
      shown "once more"
      keys y
      ;;
    esac
    shown "killed by an operator, back after" 20
  else
    "${common[@]}" actor kill "$name" 2>"$work/err" || fail "kill of $name: $(cat "$work/err")"
  fi
  killed "$name"
  grep -q "\"verb\":\"kill\",\"target\":\"$name\"" "$work/run/data/$node/audit.log" || fail "the kill of $name is not audited"
done
stop_console
echo "killed ${#rows[@]} actors, the slowest was back after $longest_us us"

# It goes on: the executor is live and takes up newer decisions than at the last kill.
decided() { page executor/main@binance >"$work/page" && json "$work/page" 'd["data"]["state"]["instruments"][0]["decision"] if d["data"]["state"]["state_name"] == "live" else 0'; }
before=$(decided)
newer_decisions() { (($(decided) > before)); }
until_true 60 'decisions after all kills' newer_decisions
kill -INT "$demo"
code=0
wait "$demo" || code=$?
cat "$work/summary"
((code == 0)) || fail "the demonstration ended with $code: $(tail -n 5 "$work/words")"
[[ $(json "$work/summary" 'd["orders_lost"] + d["orders_duplicated"] + d["trained_twice"] + d["training_gaps"]') == 0 ]] || fail "lost, duplicated or trained twice"
[[ $(json "$work/summary" 'd["restarts"]') == 0 ]] || fail "a node was restarted, not an actor"
finish
