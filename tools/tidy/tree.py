"""The source tree as the rules of //tools/tidy see it: paths relative to the root, and texts."""

import dataclasses
import os
import re

_SUFFIXES = (".h", ".cc", ".py", ".sh", ".bzl", ".bazel", ".BUILD", ".md", ".txt", ".test")
_NAMES = ("WORKSPACE", "bazelw", "run", ".bazelrc", ".bazeliskrc", ".clang-format", ".clang-tidy")
_SKIPPED_FOLDERS = re.compile(r"^(\.git|\.cache|__pycache__|bazel-.*)$")
_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """One broken rule. `line` is 0 where the whole file is meant."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: [{self.rule}] {self.message}"


class Tree:
    """Text files under a root. Reads each once."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(self._walk())
        self._texts = {}

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not _SKIPPED_FOLDERS.match(name)]
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(_SUFFIXES) or name in _NAMES:
                    if not os.path.islink(path):
                        yield os.path.relpath(path, self.root)

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def lines(self, path):
        return self.text(path).splitlines()

    def includes(self, path):
        """Paths named by #include "..." in the order of the file."""
        return _INCLUDE.findall(self.text(path))

    def with_suffix(self, *suffixes):
        return [path for path in self.paths if path.endswith(suffixes)]

    def headers(self):
        return self.with_suffix(".h")

    def sources(self):
        return self.with_suffix(".h", ".cc")


def read_list(tree, path, fields):
    """Rows of a list file: `fields` words, then a reason, which is required. # opens a comment."""
    rows = []
    findings = []
    if path not in tree.paths:
        return rows, findings
    for number, line in enumerate(tree.lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=fields)
        if len(words) <= fields:
            findings.append(Finding(path, number, "list", "an entry needs a reason"))
        else:
            rows.append(words)
    return rows, findings
