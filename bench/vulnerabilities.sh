#!/usr/bin/env bash
# Runs govulncheck, and says so when its database cannot be reached: a check
# that did not run is not a check that passed.
set -uo pipefail
out=$(./bin/govulncheck ./... 2>&1)
status=$?
if [ $status -ne 0 ] && grep -qE 'dial tcp|no such host|fetching vulnerabilities|Forbidden|connection refused' <<<"$out"; then
  echo "govulncheck SKIPPED: the vulnerability database cannot be reached from here"
  exit 0
fi
echo "$out"
exit $status
