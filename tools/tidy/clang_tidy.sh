#!/usr/bin/env bash
# Runs clang-tidy, with the checks of .clang-tidy, over headers; without arguments over all of them.
#
#   tools/tidy/clang_tidy.sh [kv/base/bytes.h ...]
#   bazel test //tools/tidy:clang_tidy
set -euo pipefail

# Under Bazel this file is a symbolic link into the source tree.
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

if ! command -v clang-tidy >/dev/null; then
  echo "clang-tidy is not installed: run ./bazelw" >&2
  exit 2
fi

if [[ $# -gt 0 ]]; then
  files=("$@")
else
  mapfile -t files < <(find bench clients coord engines kv tools -name '*.h' 2>/dev/null | sort)
fi
echo "clang-tidy: ${#files[@]} headers" >&2

# One header per process keeps memory low; two processes suit the smallest machine we build on.
# The shell exists to put the compiler's flags behind each name and to say which header failed.
printf '%s\0' "${files[@]}" | xargs -0 -P 2 -I {} bash -c '
  output=$(clang-tidy --quiet "$1" -- -x c++ -std=c++20 -I . 2>&1) ||
    { printf "%s\n" "$output"; exit 1; }
' clang_tidy {}
