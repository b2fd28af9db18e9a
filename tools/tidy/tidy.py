#!/usr/bin/env python3
"""Checks the rules of STYLE.md that a script can check. Prints findings; exits 1 if there are any.

bazel test //tools/tidy           the whole tree
python3 tools/tidy/tidy.py [DIR]  the same, or the tree under DIR
"""

import os
import re
import subprocess
import sys

import include_rules
import structure_rules
import text_rules
from tree import Finding, Tree

# Releases of clang-format differ in small ways; Debian 12's is the one that decides.
CLANG_FORMAT_MAJOR = "14"


def clang_format_major():
    """The major version of the clang-format in PATH, or None where there is none."""
    try:
        command = ["clang-format", "--version"]
        version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        return None
    return re.search(r"version (\d+)", version)[1]


def clang_format(tree):
    paths = tree.sources()
    major = clang_format_major()
    if not paths:
        return
    if major is None:
        yield Finding(".clang-format", 0, "format", "clang-format is not installed: run ./bazelw")
        return
    if major != CLANG_FORMAT_MAJOR:
        print(f"tidy: format not checked, clang-format is {major} and not {CLANG_FORMAT_MAJOR}")
        return
    command = ["clang-format", "--dry-run", "--ferror-limit=1", *paths]
    result = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: warning:", result.stderr, re.M):
        yield Finding(path, int(line), "format", f"run clang-format -i {path}")


def check(root):
    """All findings of the tree under `root`, sorted by path."""
    tree = Tree(root)
    findings = []
    rules = text_rules.RULES + include_rules.RULES + structure_rules.RULES + [clang_format]
    for rule in rules:
        findings.extend(rule(tree))
    return sorted(structure_rules.without_exceptions(tree, findings)), len(tree.paths)


def main():
    # Bazel shows this file as a symbolic link; what it points to stands in the tree to be checked.
    here = os.path.dirname(os.path.realpath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here))
    findings, count = check(root)
    for finding in findings:
        print(finding)
    print(f"tidy: {count} files, {len(findings)} findings")
    # A tree without files is a mistake in finding the tree.
    return 1 if findings or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
