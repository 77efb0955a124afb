#!/usr/bin/env bash
# The rules of the house that a machine can check; prints each departure and fails if there is one.
#   pure code knows no ambient time, randomness, environment, threads, files or sockets
#   only *_actor files, runtime/, tools/ and the registration headers of messages/ include CAF
#   LibTorch's headers stay in actors/models and actors/trainers; no test or core sleeps to synchronise
set -euo pipefail
root=${1:-.}
cd "$root"
found=0

# complain TEXT: every line on standard input is a departure.
complain() {
  local line
  while IFS= read -r line; do
    printf '%s: %s\n' "$1" "$line" >&2
    found=1
  done
}

pure_sources() {
  git ls-files -co --exclude-standard 'messages/*.[ch]pp' 'actors/*.[ch]pp' | grep -v '_actors\?\.[ch]pp$' || true
}

all_sources() { git ls-files -co --exclude-standard '*.[ch]pp'; }

ambient='(system_clock|steady_clock|high_resolution_clock)::now|\brand\(\)|std::random_device|\bgetenv\(|std::thread\b|std::jthread\b'
complain 'ambient state in pure code' < <(pure_sources | xargs -r grep -nE "$ambient" || true)
complain 'CAF outside the shells' < <(pure_sources | grep -vE '^messages/(actors|type_ids|type_ids\.cpp)' |
  xargs -r grep -nE '#\s*include\s*<caf/' || true)
complain 'LibTorch outside its rooms' < <(all_sources | grep -vE '^(actors/models|actors/trainers|tests/models)/' |
  xargs -r grep -nE '#\s*include\s*<(torch|ATen|c10)/' || true)
complain 'sleep as synchronisation' < <(all_sources | xargs -r grep -nE 'sleep_for|sleep_until|\busleep\(|\bsleep\(' || true)
# runtime/actor keeps every ask's finite time-out itself, beside CAF; benchmarks measure bare CAF.
complain 'an await or an infinite time-out' < <(all_sources | grep -vE '^(tests|runtime/actor|tools/bench)/' |
  xargs -r grep -nE '\)\.await\(|caf::infinite' || true)
# Written apart, so that this line does not find itself.
complain 'unfinished' < <(all_sources | xargs -r grep -nE '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' || true)
complain 'a file of more than 700 lines' < <(all_sources | xargs -r wc -l | awk '$1 > 700 && $2 != "total" {print $2 ": " $1}')

if ((found)); then
  echo 'house rules: departures found' >&2
  exit 1
fi
echo 'house rules: kept' >&2
