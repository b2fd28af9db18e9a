"""Rules about how files stand to each other: layers, tests, dead and hidden headers."""

import ast
import os
import re

from tree import Finding, read_list

EXCEPTIONS = "tools/tidy/exceptions.txt"
COMPOSITIONS = "engines/engines.bzl"

POLICIES = (
    "cache",
    "commit",
    "compaction",
    "compression",
    "expiry",
    "filter",
    "memtable",
    "merge",
    "striping",
)
_TOP = ("bench", "clients", "tools")

# What each room may include besides itself; the longest matching folder decides. The same order is
# in kv/BUILD.bazel as visibility. This rule also catches an include that needs no dependency,
# because the header comes along with another one.
_BELOW = {
    "kv/base": (),
    "kv/io": ("kv/base",),
    "kv/contract": ("kv/base", "kv/io"),
    "kv/testing": ("kv/base", "kv/io", "kv/contract"),
    **{f"kv/{name}": ("kv/base", "kv/io", "kv/contract") for name in POLICIES},
    "engines": ("kv", "coord"),
    "engines/compositions": ("kv", "engines"),
    "coord": ("kv/base",),
    **{name: ("kv", "engines", "coord") + _TOP for name in _TOP},
}


def _inside(path, folder):
    return path.startswith(folder + "/")


def _room(path):
    rooms = [room for room in _BELOW if _inside(path, room)]
    return max(rooms, key=len) if rooms else None


def _is_test(path):
    return path.endswith(("_test.cc", "_benchmark.cc", "_conformance.cc", "_fuzz.cc"))


def layers(tree):
    for path in tree.sources():
        room = _room(path)
        # Tests and benchmarks also use kv/testing; Bazel's visibility has the word there.
        if room is None or _is_test(path):
            continue
        # Each engine is a room of its own, so that none includes another.
        own = "/".join(path.split("/")[:2]) if room == "engines" else room
        for included in tree.includes(path):
            target = _room(included)
            if target is None or _inside(included, own):
                continue
            if not any(_inside(included, folder) for folder in _BELOW[room]):
                yield Finding(path, 0, "layer", f"{own} may not include {included}")


def missing_includes(tree):
    """Own headers are included from the root of the repository."""
    known = set(tree.paths)
    for path in tree.sources():
        for included in tree.includes(path):
            beside = os.path.join(os.path.dirname(path), included)
            if included not in known and (_room(included) or beside in known):
                yield Finding(path, 0, "missing-include", f'no file "{included}" under the root')


def _compositions(tree):
    """Headers of the entries of engines.bzl. Their BUILD file makes its rules from that list."""
    text = tree.text(COMPOSITIONS) if COMPOSITIONS in tree.paths else ""
    names = re.findall(r'\bname = "(\w+)"', text)
    return {f"engines/compositions/{name}.h" for name in names}


def listed_headers(tree):
    """A header that no BUILD file names is invisible to those who depend on the library."""
    for path in sorted(set(tree.headers()) - _compositions(tree)):
        folder, name = os.path.split(path)
        build = os.path.join(folder, "BUILD.bazel")
        text = tree.text(build) if build in tree.paths else ""
        if f'"{name}"' not in text and '"*.h"' not in text:
            yield Finding(path, 0, "unlisted-header", f"{build} does not name it")


def exported_folders(tree):
    """//:ashlar, the target for downstream workspaces, carries every folder of headers."""
    text = tree.text("BUILD.bazel") if "BUILD.bazel" in tree.paths else ""
    for folder in sorted({os.path.dirname(path) for path in tree.headers()}):
        if folder.startswith("kv/testing"):
            continue
        if folder.startswith(("kv/", "engines/", "coord")):
            if f'"//{folder}"' not in text:
                yield Finding("BUILD.bazel", 0, "not-exported", f"//:ashlar lacks //{folder}")


def dead_headers(tree):
    included = {name for path in tree.sources() for name in tree.includes(path) if name != path}
    for path in sorted(set(tree.headers()) - _compositions(tree)):
        if path not in included:
            yield Finding(path, 0, "dead-header", "no file includes it")


def _reached(tree, path):
    """What `path` includes from its own folder, directly or through other headers there."""
    folder = os.path.dirname(path)
    reached = set()
    waiting = [path]
    while waiting:
        for name in tree.includes(waiting.pop()):
            if os.path.dirname(name) == folder and name in tree.paths and name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached


def untested_headers(tree):
    """A test or fuzz target beside a header includes it, or a header there that is built on it."""
    for path in tree.headers():
        folder = os.path.dirname(path)
        # The macro behind engines.bzl makes the tests of compositions.
        if os.path.basename(path) == "concept.h" or folder == "engines/compositions":
            continue
        tests = tree.with_suffix("_test.cc", "_fuzz.cc")
        tests = [name for name in tests if os.path.dirname(name) == folder]
        if not any(path in _reached(tree, test) for test in tests):
            yield Finding(path, 0, "untested-header", f"no test in {folder} includes it")


def conformance(tree):
    """Every policy goes through the suite of its slot. A policy is a header that has a kName."""
    for path in tree.headers():
        folder, name = os.path.split(path)
        if folder not in [f"kv/{policy}" for policy in POLICIES] or name == "concept.h":
            continue
        if not re.search(r"\bkName\b", tree.text(path)):
            continue
        candidates = (f"{folder}/conformance_test.cc", path[: -len(".h")] + "_test.cc")
        tests = [test for test in candidates if test in tree.paths]
        if not any(path in tree.includes(test) for test in tests):
            yield Finding(path, 0, "conformance", "a policy without a conformance test")


def _opens_with_composition(text):
    includes = re.findall(r"^\s*#\s*include\s+(\S+)", text, re.M)
    return includes[:1] == ["ASHLAR_HEADER"]


def _headers_compiled(tree, build):
    """The hdrs of each headers_compile() of a BUILD file, as lists of those that share a source."""
    text = tree.text(build) if build in tree.paths else ""
    for call in re.findall(r"^headers_compile\(.*?^\)", text, re.M | re.S):
        for argument in ast.parse(call).body[0].value.keywords:
            if argument.arg == "hdrs":
                for entry in ast.literal_eval(argument.value):
                    yield [entry] if isinstance(entry, str) else entry


def _included_by(tree, path):
    """All that `path` includes, directly or through other headers of the tree."""
    found = set()
    left = [path]
    while left:
        new = set(tree.includes(left.pop())) - found
        found |= new
        left.extend(name for name in new if name in tree.paths)
    return found


def self_contained(tree):
    """A header that stands first in some file has been compiled on its own.

    That is free where x_test.cc opens with x.h. The others are named in a headers_compile(), but
    for those that nobody includes who does not test this repository. Headers that share a source
    there have been compiled on their own as well, if each includes what stands before it.
    A file that opens with `#include ASHLAR_HEADER` is compiled for each entry of engines.bzl.
    """
    first = {names[0] for path in tree.with_suffix(".cc") if (names := tree.includes(path))}
    if any(_opens_with_composition(tree.text(path)) for path in tree.with_suffix(".cc")):
        first |= _compositions(tree)
    for build in tree.with_suffix("BUILD.bazel"):
        for names in _headers_compiled(tree, build):
            shared = [os.path.join(os.path.dirname(build), name) for name in names]
            first.update(shared)
            for before, path in zip(shared, shared[1:]):
                if before not in _included_by(tree, path):
                    message = f"shares a source with {before}, but does not include it"
                    yield Finding(path, 0, "self-contained", message)
    for path in tree.headers():
        ours = path.startswith("kv/testing/") or path.endswith("_testing.h")
        if path not in first and not ours:
            message = "include it first in a .cc file or name it in headers_compile()"
            yield Finding(path, 0, "self-contained", message)


def without_exceptions(tree, findings):
    """Drops what exceptions.txt allows. An exception that nothing needs any more is a finding."""
    rows, problems = read_list(tree, EXCEPTIONS, fields=2)
    allowed = {(rule, path): False for rule, path, _ in rows}
    kept = list(problems)
    for finding in findings:
        key = (finding.rule, finding.path)
        if key in allowed:
            allowed[key] = True
        else:
            kept.append(finding)
    for (rule, path), used in allowed.items():
        if not used:
            kept.append(Finding(EXCEPTIONS, 0, "list", f"{rule} {path} is not needed: remove it"))
    return kept


RULES = [
    layers,
    missing_includes,
    listed_headers,
    exported_folders,
    dead_headers,
    untested_headers,
    conformance,
    self_contained,
]
