#!/usr/bin/env bash
# Shows that a fuzz target finds what it is for: each bug of planted_fuzz.cc within the runs of a
# test, and without one nothing.
set -uo pipefail

output=$TEST_TMPDIR/output
failed=0

# Runs the target with the bug; it has to fail, and say `words` and where the input is.
finds() {
  local bug=$1 words=$2
  if PLANTED=$bug bazel/planted_fuzz.sh >"$output" 2>&1; then
    echo "planted_fuzz passes with the bug '$bug'"
  elif ! grep -qF -- "$words" "$output"; then
    echo "planted_fuzz fails with the bug '$bug', but does not say: $words"
  elif ! grep -q '^found: .*crash-' "$output"; then
    echo "planted_fuzz finds the bug '$bug', but does not say with which input"
  else
    return
  fi
  failed=1
  tail -n 50 "$output"
}

finds outside 'heap-buffer-overflow'
finds undefined 'shift exponent'
finds wrong 'BROKEN PROMISE: a body begins with by'

if ! bazel/planted_fuzz.sh >"$output" 2>&1; then
  echo "planted_fuzz fails without a bug"
  failed=1
  tail -n 50 "$output"
fi
exit $failed
