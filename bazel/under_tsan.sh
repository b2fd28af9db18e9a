#!/bin/sh
# Runs a test of --config=tsan (.bazelrc) with the suppressions, which lie in its runfiles.
export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}suppressions=$PWD/bazel/tsan_suppressions.txt"
exec "$@"
