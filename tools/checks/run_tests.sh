# Sourced by ./troupe: everything CI runs. `run_tests --fast` runs the fast tests of the release build only.
# Order: what fails soonest first; the complete release run, whose ctest summary closes the log, last.

fuzz_seconds=${TROUPE_FUZZ_SECONDS:-20}

find_recordings() {
  export TROUPE_DATA=${TROUPE_DATA:-$root/../shared/data}
  if [[ -d $TROUPE_DATA/venues ]]; then
    TROUPE_DATA=$(cd "$TROUPE_DATA" && pwd)
    say "recordings: $TROUPE_DATA"
  else
    unset TROUPE_DATA
    say "recordings: none (set TROUPE_DATA); tests on them will be skipped"
  fi
}

build_tests() {
  local preset=$1
  shift
  configure "$preset"
  compile "$preset" "$@"
}

run_ctest() {
  local preset=$1
  shift
  (cd "$root/build/$preset" && ctest --output-on-failure --no-tests=error -j1 "$@")
}

# Counts the tests on real recordings in the log of the last ctest run; a skip fails where there are recordings.
count_recordings() {
  local log=$root/build/$1/Testing/Temporary/LastTest.log
  local used skipped
  used=$(grep -c '^recording: ' "$log" || true)
  skipped=$(grep -c '^skipped: ' "$log" || true)
  printf 'recordings: %s uses by tests, %s skips\n' "$used" "$skipped"
  if ((skipped > 0)) && [[ -n ${TROUPE_DATA:-} ]]; then
    grep '^skipped: ' "$log" >&2
    say "tests were skipped although the recordings are there"
    return 1
  fi
}

# fuzz_one TARGET: its log and what breaks it stand beside the programs.
fuzz_one() {
  local target=$1 name
  name=$(basename "$target")
  local corpus=$root/build/fuzz/corpus/$name
  mkdir -p "$corpus"
  "$target" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
    -artifact_prefix="$root/build/fuzz/" "$corpus" >"$root/build/fuzz/$name.log" 2>&1 && return
  tail -n 40 "$root/build/fuzz/$name.log" >&2
  say "$name found an input that breaks it"
  return 1
}

# As many at once as there are cores.
run_fuzzers() {
  build_tests fuzz fuzzers
  local target running=0 failed=0 cores
  cores=$(nproc)
  for target in "$root"/build/fuzz/tests/fuzz/fuzz_*; do
    [[ -x $target && -f $target ]] || continue
    if ((running == cores)); then
      wait -n || failed=1
      running=$((running - 1))
    fi
    say "fuzzing $(basename "$target") for ${fuzz_seconds} s"
    fuzz_one "$target" &
    running=$((running + 1))
  done
  for (( ; running > 0; running--)); do wait -n || failed=1; done
  return $failed
}

# A linker that runs out of disk says little: this says it before an hour is spent.
check_room() {
  local needed_gib=$1 free_kib
  free_kib=$(df --output=avail -k "$root" | tail -n 1)
  ((free_kib / 1048576 >= needed_gib)) && return
  say "the tests need $needed_gib GiB of disk under $root, $((free_kib / 1048576)) GiB are free"
  return 1
}

# The sanitizers' trees are large and only looked at when something failed: CI keeps none that passed.
drop_tree() {
  [[ -z ${CI:-} ]] || rm -rf "${root:?}/build/$1"
}

run_tests() {
  local started=$SECONDS
  [[ -d $root/build/release ]] || check_room 18
  find_recordings
  "$root/tools/checks/house.sh" "$root"
  "$root/tools/checks/promtool.sh"
  build_tests release all
  run_ctest release -L fast
  if [[ ${1:-} == --fast ]]; then
    count_recordings release
    return 0
  fi
  say "sanitizers: address and undefined behaviour"
  build_tests dev all
  run_ctest dev -L fast -LE no_sanitizer
  drop_tree dev
  say "sanitizer: threads (runtime)"
  build_tests tsan runtime_tests
  run_ctest tsan -R '^test_(runtime|supervisor)$'
  drop_tree tsan
  run_fuzzers
  drop_tree fuzz
  say "the complete release run"
  local failed=0
  run_ctest release || failed=1
  count_recordings release || failed=1
  say "tests took $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
  return $failed
}
