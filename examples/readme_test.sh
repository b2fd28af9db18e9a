#!/usr/bin/env bash
# The embedding example in the README is the one that is compiled.
set -euo pipefail

example=$(sed '1,/^\/\/ \[README\]$/d; /^\/\/ \[README\]$/,$d' examples/embed/embed.cc)
[[ -n $example ]] || { echo "no [README] part in embed.cc" >&2; exit 1; }
[[ $(<README.md) == *"$example"* ]] || {
  echo "README.md does not contain this, which is in examples/embed/embed.cc:" >&2
  echo "$example" >&2
  exit 1
}
