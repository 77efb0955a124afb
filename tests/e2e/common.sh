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

# json FILE EXPRESSION: the value of a Python expression over the document d.
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

finish() {
  ((failures == 0)) || exit 1
  echo "ok"
}
