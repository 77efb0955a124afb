#!/usr/bin/env bash
# Gets promtool, which checks the alert rules, out of Debian's package of Prometheus, without installing the server:
# build/promtool/promtool. Does nothing when a promtool is installed; says so when none can be had.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$root/build/promtool
if command -v promtool >/dev/null || [[ -x $folder/promtool ]]; then exit 0; fi
mkdir -p "$folder"
cd "$folder"
if apt-get download prometheus >"$folder/log" 2>&1 && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool; then
  rm -f prometheus_*.deb
else
  echo "promtool could not be had: $(tail -n 1 "$folder/log"); the alert rules are not tested" >&2
fi
