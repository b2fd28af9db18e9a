#!/usr/bin/env bash
# The embedding example builds and runs in a Bazel workspace of its own, which knows Ashlar as a
# local_repository.
set -euo pipefail

root=$(dirname "$(readlink -f WORKSPACE)")
# Bazel wants a home, and the outer one may have none to give. The copy keeps the inner bazel-*
# links out of the source tree.
export HOME=$TEST_TMPDIR
cp -R "$root/examples/embed" "$TEST_TMPDIR/embed"
sed -i "s|path = \"../..\"|path = \"$root\"|" "$TEST_TMPDIR/embed/WORKSPACE"
cd "$TEST_TMPDIR/embed"

inner=(bazel --output_user_root="$TEST_TMPDIR/bazel" --max_idle_secs=1)
trap '"${inner[@]}" shutdown >/dev/null 2>&1 || true' EXIT
"${inner[@]}" build --jobs=1 --color=no --curses=no //:embed
for run in first second; do
  output=$(bazel-bin/embed "$TEST_TMPDIR/archive")
  [[ $output == "stone = cut" ]] || { echo "$run run printed: $output" >&2; exit 1; }
done
