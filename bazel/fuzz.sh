#!/usr/bin/env bash
# Runs a fuzz target, as bazel/fuzz.bzl has compiled it. The caller is in the runfiles.
#
#   fuzz.sh PROGRAM TARGET SEED RUNS MAX_LEN [FLAG | DIRECTORY | FILE]...
#
# Writes the target's seeds and runs inputs made of them: RUNS of them, or as many as libFuzzer's
# own flags say, when there are any. A directory takes the inputs that reach something new, and
# hands them over the next time. Files are run once each: that replays what was found.
#
# What is found is kept in the directory from which `bazel run` was called, or under `bazel test` in
# the test's outputs (bazel-testlogs/.../test.outputs).
set -euo pipefail

program=$(realpath "$1") target=$2 seed=$3 runs=$4 max_len=$5
shift 5

scratch=$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/fuzz.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/seeds" "$scratch/corpus" "$scratch/found"
kept=${BUILD_WORKING_DIRECTORY:-${TEST_UNDECLARED_OUTPUTS_DIR:-$PWD}}
[[ -z ${BUILD_WORKING_DIRECTORY:-} ]] || cd "$BUILD_WORKING_DIRECTORY"

# Leaks are for the other tests to find; here they would be looked for after each input. The names
# of functions come from binutils where LLVM's own tool for it is not installed. Little of the
# memory that an input gave back is kept from use by the next ones: 256 MB are slow to fill.
options=detect_leaks=0:allow_addr2line=1:quarantine_size_mb=8
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}$options"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1"

[[ $# -gt 0 ]] || set -- "-runs=$runs"
inputs=("$scratch/corpus" "$scratch/seeds")
for argument in "$@"; do
  [[ ! -f $argument ]] || inputs=()
done

"$program" "--seeds=$scratch/seeds"

# What the caller says comes last and counts.
status=0
"$program" -seed="$seed" -max_len="$max_len" -timeout=60 -detect_leaks=0 -print_final_stats=1 \
  -artifact_prefix="$scratch/found/" "$@" ${inputs[@]+"${inputs[@]}"} || status=$?

name=${target#//}
for found in "$scratch/found"/*; do
  [[ -f $found ]] || continue
  file=$kept/$(tr '/:' '__' <<<"$name")-$(basename "$found")
  cp "$found" "$file"
  echo "found: $file"
  echo "replay it with: bazel run $target -- $file"
  echo "the same bytes in base64:"
  base64 "$file"
done
exit "$status"
