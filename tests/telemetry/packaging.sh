#!/usr/bin/env bash
# What is shipped beside the programs, checked with the tools it is made for.
#   packaging.sh alerts   promtool checks the rules and runs their unit tests
#   packaging.sh units    systemd-analyze: exposure of each unit at most 1.5
#   packaging.sh deb      the packages: what is in them, that nothing secret is, and that the installed program runs
# A tool that is missing is named and the test ends with 77, which ctest shows as skipped.
set -euo pipefail
source_dir=${TROUPE_SOURCE:?}
build=${TROUPE_BUILD:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

not_run() {
  echo "not run: $*"
  exit 77
}

finish() {
  ((failures == 0)) || exit 1
  echo "ok"
}

alerts() {
  local promtool
  promtool=$(command -v promtool || true)
  [[ -n $promtool ]] || promtool=$source_dir/build/promtool/promtool
  [[ -x $promtool ]] || not_run "promtool is not there; tools/checks/promtool.sh fetches it"
  cp "$source_dir"/packaging/prometheus/*.yml "$work"
  "$promtool" check rules "$work/troupe.rules.yml" >"$work/out" 2>&1 || fail "check rules: $(cat "$work/out")"
  "$promtool" test rules "$work/troupe.rules.test.yml" >"$work/out" 2>&1 || fail "test rules: $(cat "$work/out")"
  # The tests themselves: a rule that never fires must be noticed.
  sed -i 's/troupe_risk_halted) == 1/troupe_risk_halted) == 2/' "$work/troupe.rules.yml"
  if "$promtool" test rules "$work/troupe.rules.test.yml" >/dev/null 2>&1; then fail "a rule that can't fire passes its test"; fi
  local page=$build/Testing/Temporary/metrics.page
  if [[ -s $page ]]; then "$promtool" check metrics <"$page" || fail "check metrics"; fi
  finish
}

units() {
  command -v systemd-analyze >/dev/null || not_run "systemd-analyze is not installed (package systemd)"
  local unit score
  for unit in "$source_dir"/packaging/systemd/*.service; do
    score=$(systemd-analyze security --offline=true "$unit" 2>&1 | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
    [[ -n $score ]] || fail "$unit: no score"
    echo "$(basename "$unit"): exposure $score"
    awk -v s="${score:-9}" 'BEGIN { exit !(s <= 1.5) }' || fail "$unit: exposure $score is above 1.5"
    grep -q '^Type=notify' "$unit" || fail "$unit does not wait for READY=1"
    grep -q '^WatchdogSec=' "$unit" || fail "$unit has no watchdog"
    # The programs they start are there under these names.
    grep -qE '^ExecStart=/usr/bin/troupe(-model)? ' "$unit" || fail "$unit starts something else"
  done
  finish
}

deb() {
  local tool
  for tool in cpack dpkg-deb dpkg-shlibdeps; do command -v "$tool" >/dev/null || not_run "$tool is not installed (cmake, dpkg, dpkg-dev)"; done
  [[ -x $build/tools/troupe ]] || not_run "the program is not built"
  (cd "$build" && cpack -G DEB -B "$work" >"$work/log" 2>&1) || fail "cpack: $(tail -n 20 "$work/log")"
  local package=("$work"/troupe_*.deb)
  [[ -f ${package[0]} ]] || { fail "no package"; finish; }
  dpkg-deb --info "${package[0]}" >"$work/info"
  dpkg-deb --contents "${package[0]}" >"$work/contents"
  grep -qE '^ Depends: .*libc6.*libcaf-core' <(tr '\n' ' ' <"$work/info" | sed 's/ Depends/\n Depends/') \
    || fail "Depends were not computed: $(grep Depends "$work/info")"
  local path
  for path in usr/bin/troupe usr/lib/systemd/system/troupe.service usr/lib/systemd/system/troupe-node@.service etc/troupe/troupe.yaml \
    etc/troupe/venues.yaml etc/troupe/models.yaml etc/troupe/nodes.conf usr/share/man/man1/troupe.1.gz \
    usr/share/bash-completion/completions/troupe usr/share/zsh/vendor-completions/_troupe \
    usr/share/fish/vendor_completions.d/troupe.fish usr/share/troupe/prometheus/troupe.rules.yml \
    usr/share/troupe/grafana/troupe.json usr/share/doc/troupe/copyright; do
    grep -qE " \./$path( |$)" "$work/contents" || fail "$path is not in the package"
  done
  grep -qE ' root/root ' "$work/contents" || fail "files do not belong to root"
  dpkg-deb -x "${package[0]}" "$work/root"
  dpkg-deb -e "${package[0]}" "$work/control"
  for path in etc/troupe/troupe.yaml etc/troupe/nodes.conf; do
    grep -qx "/$path" "$work/control/conffiles" || fail "/$path is no conffile"
  done
  if find "$work/root" -name '.env' | grep -q .; then fail "a .env is in the package"; fi
  if grep -rlE -- '-----BEGIN [A-Z ]*PRIVATE KEY' "$work/root/etc" "$work/root/usr/share" | grep -q .; then fail "a key is in the package"; fi
  "$work/root/usr/bin/troupe" version || fail "the installed program does not run"
  "$work/root/usr/bin/troupe" --config "$work/root/etc/troupe" config check || fail "the shipped configuration does not pass"
  # Into a root of its own, with dpkg's own database.
  mkdir -p "$work/target/var/lib/dpkg/"{info,updates}
  touch "$work/target/var/lib/dpkg/status"
  dpkg --root="$work/target" --force-depends --force-script-chrootless --force-not-root --unpack "${package[0]}" >"$work/log" 2>&1 \
    || fail "dpkg --unpack: $(cat "$work/log")"
  "$work/target/usr/bin/troupe" --json version >/dev/null || fail "the program does not run from dpkg's root"
  echo "size: $(stat -c %s "${package[0]}") bytes"
  finish
}

"$1"
