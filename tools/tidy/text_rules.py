"""Rules that look at one file at a time. Each is a generator: tree in, findings out."""

import re

from tree import Finding, read_list

LONG_FILES = "tools/tidy/long_files.txt"
MAX_LINES = 400
MAX_COLUMNS = 100

_CODE = (".h", ".cc", ".py", ".sh", ".bzl", "bazelw", ".ci/run")
# Put together here so that this file does not break the rule itself.
_UNFINISHED = re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")))
_MACHINE_PATH = re.compile(r"(?<![\w.*}$)])/(%s)/" % "|".join(("work", "root", "home")))
_OWN_MACRO = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*?\b((?:KV|ASHLAR|COORD|BENCH)_\w+)")
# Where the build says what is compiled: the bench main, the test sources of a composition, and the
# header that leads either to std::atomic or to the model of it.
_SELECTION_PLACES = (
    "bench/bench_main.cc",
    "kv/base/atomic.h",
    "kv/testing/composition_under_test.cc",
)
_ATOMIC_REACH = 6


def long_files(tree):
    """Over 400 lines wants a reason, and a file with a reason may shrink but not grow."""
    rows, findings = read_list(tree, LONG_FILES, fields=2)
    yield from findings
    recorded = {path: int(limit) for path, limit, _ in rows}
    for path in tree.with_suffix(".h", ".cc", ".py", ".bzl"):
        count = len(tree.lines(path))
        limit = recorded.pop(path, MAX_LINES)
        if count > limit:
            yield Finding(path, 0, "long-file", f"{count} lines, {limit} allowed ({LONG_FILES})")
        elif count <= MAX_LINES < limit:
            yield Finding(LONG_FILES, 0, "long-file", f"{path} is short now: remove its entry")
    for path in recorded:
        yield Finding(LONG_FILES, 0, "long-file", f"{path} does not exist")


def long_lines(tree):
    for path in tree.with_suffix(*_CODE):
        for number, line in enumerate(tree.lines(path), 1):
            if len(line) > MAX_COLUMNS and "://" not in line and "#include" not in line:
                message = f"{len(line)} columns, {MAX_COLUMNS} allowed"
                yield Finding(path, number, "long-line", message)


def whitespace(tree):
    for path in tree.paths:
        text = tree.text(path)
        if text and not text.endswith("\n"):
            yield Finding(path, 0, "whitespace", "no newline at the end")
        for number, line in enumerate(tree.lines(path), 1):
            # Two spaces at the end of a line are a line break in Markdown.
            if line != line.rstrip() and not path.endswith((".md", ".test")):
                yield Finding(path, number, "whitespace", "space at the end of the line")


def unfinished(tree):
    for path in tree.paths:
        for number, line in enumerate(tree.lines(path), 1):
            match = _UNFINISHED.search(line)
            if match:
                yield Finding(path, number, "unfinished", f"finish it or open an issue: {match[0]}")


def machine_paths(tree):
    for path in tree.paths:
        for number, line in enumerate(tree.lines(path), 1):
            match = _MACHINE_PATH.search(line)
            if match:
                yield Finding(path, number, "machine-path", f"a path of one machine: {match[0]}")


def opening_comment(tree):
    """A header opens with its contract: at least one full sentence before the include guard."""
    for path in tree.headers():
        opening = []
        for line in tree.lines(path):
            if not line.startswith("//"):
                break
            opening.append(line.lstrip("/ "))
        if len(" ".join(opening)) < 40:
            yield Finding(path, 1, "opening-comment", "a header opens with what it is for")


def include_guard(tree):
    for path in tree.headers():
        guard = re.sub(r"\W", "_", path).upper() + "_"
        directives = [line for line in tree.lines(path) if line.startswith("#")]
        if directives[:2] != [f"#ifndef {guard}", f"#define {guard}"]:
            yield Finding(path, 0, "include-guard", f"the guard must be {guard}")


def using_namespace(tree):
    for path in tree.headers():
        for number, line in enumerate(tree.lines(path), 1):
            if re.match(r"\s*using\s+namespace\b", line):
                yield Finding(path, number, "using-namespace", "not in a header")


def selection_macros(tree):
    """What is chosen at compile time is chosen by templates; the mains are the exception."""
    for path in tree.sources():
        guard = re.sub(r"\W", "_", path).upper() + "_"
        if path in _SELECTION_PLACES:
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = _OWN_MACRO.match(line)
            if match and match[1] != guard:
                message = f"only {' and '.join(_SELECTION_PLACES)} may test {match[1]}"
                yield Finding(path, number, "selection-macro", message)


def atomics(tree):
    """An atomic names its order, and a comment nearby says why that order and what it pairs with.

    Nearby: on the line, within the six lines above, or within six lines of a use that is covered.
    A paragraph "Memory order:" in the opening comment of a file covers all of it.
    """
    for path in tree.sources():
        lines = tree.lines(path)
        # Tests use atomics for counters and flags; the subtle orders are in the code under test.
        if path.endswith(("_test.cc", "_benchmark.cc", "_fuzz.cc")):
            continue
        if any(line.startswith("// Memory order:") for line in lines):
            continue
        covered = -_ATOMIC_REACH - 1
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0]
            if "//" in line:
                covered = number
            if ".load()" in code:
                yield Finding(path, number, "atomic-order", "name the memory order")
            if "memory_order_" in code or "memory_order::" in code:
                if number - covered <= _ATOMIC_REACH:
                    covered = number
                else:
                    yield Finding(path, number, "atomic-order", "say why this order, and its pair")


def absl_mutex(tree):
    """Thread sanitizer cannot see into the system's Abseil and would report every use of it."""
    for path in tree.sources():
        for number, line in enumerate(tree.lines(path), 1):
            if "absl/synchronization/" in line or "absl::Mutex" in line.split("//")[0]:
                yield Finding(path, number, "absl-mutex", "use std::mutex: TSan sees through that")


RULES = [
    long_files,
    long_lines,
    whitespace,
    unfinished,
    machine_paths,
    opening_comment,
    include_guard,
    using_namespace,
    selection_macros,
    atomics,
    absl_mutex,
]
