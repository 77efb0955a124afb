# Sourced by the end-to-end tests: the program under test, a folder of one's own, and few words to check with.
set -euo pipefail
bin=${1:?folder of the programs}
troupe=$bin/troupe
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# refused TEXT… -- COMMAND…: the command must fail with one line on standard error that holds every text.
refused() {
  local texts=()
  while [[ $1 != -- ]]; do
    texts+=("$1")
    shift
  done
  shift
  local code=0
  "$@" >"$work/out" 2>"$work/err" || code=$?
  ((code != 0)) || fail "$* should have been refused"
  ((code < 126)) || fail "$* died with $code"
  (($(wc -l <"$work/err") == 1)) || fail "$*: not a one-line error: $(cat "$work/err")"
  local text
  for text in "${texts[@]}"; do
    grep -qF -- "$text" "$work/err" || fail "$*: '$text' is missing in: $(cat "$work/err")"
  done
}

# recordings: sets $data, or says why the test is skipped and ends it.
recordings() {
  data=${TROUPE_DATA:-}
  if [[ -z $data || ! -d $data/venues ]]; then
    echo "skipped: no recordings (set TROUPE_DATA)"
    exit 0
  fi
  echo "recording: $data"
}

# wait_for_text TEXT FILE: until the file holds the text, at most 30 s.
wait_for_text() {
  for _ in $(seq 1 600); do
    grep -qF -- "$1" "$2" 2>/dev/null && return
    python3 -c 'import select; select.select([], [], [], 0.05)'
  done
  fail "'$1' did not appear in $2: $(cat "$2")"
}

# wait_for_file FILE: until the file is there, at most 30 s.
wait_for_file() {
  for _ in $(seq 1 600); do
    [[ -e $1 ]] && return
    python3 -c 'import select; select.select([], [], [], 0.05)'
  done
  fail "$1 did not appear"
}

# canaries: puts keys into $work/config/.env that are found again wherever they leak.
canaries() {
  printf 'TROUPE_MAIN_BINANCE_KEY=canary-key-4f1d9b7c2e\nTROUPE_MAIN_BINANCE_SECRET=canary-secret-83ac65d01f\n' >"$work/config/.env"
  chmod 600 "$work/config/.env"
}

# leaks SECRET FOLDER: the files below the folder, but for .env files, that hold the secret as it is, in base64 or in hex.
leaks() {
  local form
  for form in "$1" "$(printf %s "$1" | base64 -w0 | head -c $((${#1} * 4 / 3)))" "$(printf %s "$1" | od -An -tx1 | tr -d ' \n')"; do
    grep -rlaiF --exclude=.env -- "$form" "$2" || (($? == 1)) || fail "$2 can't be searched"
  done | sort -u
}

# no_canary FOLDER [ENV]: no value of the .env file may stand in any file of the folder: data, journals, logs, and what
# the programs printed. First the search itself is proven: a planted key must be found.
no_canary() {
  local env=${2:-$work/config/.env} count=0 name secret found
  while IFS='=' read -r name secret; do
    count=$((count + 1))
    printf 'x%sx' "$secret" >"$1/planted"
    [[ $(leaks "$secret" "$1") == "$1/planted" ]] || fail "the search for $name does not find exactly the planted key: $(leaks "$secret" "$1")"
    printf '%s' "$secret" | base64 -w0 >"$1/planted"
    [[ $(leaks "$secret" "$1") == *"$1/planted"* ]] || fail "the search for $name misses base64"
    rm "$1/planted"
    found=$(leaks "$secret" "$1")
    [[ -z $found ]] || fail "the value of $name stands in: $found"
  done <"$env"
  ((count == 2)) || fail "$env holds $count keys instead of 2"
}

# json FILE EXPRESSION: the value of a Python expression over the document d.
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

finish() {
  ((failures == 0)) || exit 1
  echo "ok"
}
