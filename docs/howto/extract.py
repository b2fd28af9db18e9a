"""Prints a file that a tutorial shows.

    extract.py add-a-memtable.md kv/memtable/binary_tree.h

The file is all fenced blocks that open with ```cpp and its path, one after the other, so a tutorial
may show it in pieces, with words between them.
"""

import re
import sys


def blocks(text):
    """[(path, content)] of the fenced blocks that name a path."""
    return re.findall(r"^```\w+ (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def extract(text, path):
    pieces = [content for named, content in blocks(text) if named == path]
    if not pieces:
        shown = sorted({named for named, _ in blocks(text)})
        raise SystemExit("no block is %s; there are %s" % (path, ", ".join(shown) or "none"))
    return "".join(pieces)


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as document:
        sys.stdout.write(extract(document.read(), sys.argv[2]))


if __name__ == "__main__":
    main()
