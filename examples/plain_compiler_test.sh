#!/usr/bin/env bash
# The embedding example compiles with a plain compiler call and runs: header-only means an include
# path and the third-party libraries that are used.
set -euo pipefail

root=$(dirname "$(readlink -f WORKSPACE)")
${CXX:-g++} -std=c++20 -O1 -I"$root" "$root/examples/embed/embed.cc" -o "$TEST_TMPDIR/embed" \
  $(pkg-config --cflags --libs absl_status absl_statusor absl_strings libzstd) -lfmt -lpthread

for run in first second; do
  output=$("$TEST_TMPDIR/embed" "$TEST_TMPDIR/archive")
  [[ $output == "stone = cut" ]] || { echo "$run run printed: $output" >&2; exit 1; }
done
