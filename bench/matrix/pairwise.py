"""Chooses the combinations of the matrix that are compiled and tested on every run.

    python3 bench/matrix/pairwise.py            writes covering.bzl beside policies.bzl
    python3 bench/matrix/pairwise.py --check    exits with 1 when covering.bzl is not what it writes

Most faults of a combination show with two of its policies, whatever the others are (D. Kuhn et al,
"Software fault interactions", 2004). So every pair of policies of different slots is in at least
one chosen combination, or in a composition of //engines/compositions, which runs the same suite. A
combination costs some 8 s of compiling, so there should be few.
"""

import collections
import itertools
import os
import random
import re
import sys
from types import SimpleNamespace

# Each attempt is a greedy choice with other draws; the smallest wins.
_ATTEMPTS = 60
_CANDIDATES = 30

_HEAD = '''\
"""The combinations that are tested: every pair of policies of two slots is in one of them.

Or it is in a composition of //engines/compositions. Written by pairwise.py from policies.bzl and
from these; do not edit.
"""

# An engine and a policy for each of its slots; the name has "__" between them.
COVERING = [line.strip().replace(" ", "__") for line in """
'''

_TAIL = '''\
""".strip().splitlines()]
'''


def _values_of(path):
    """The values of a .bzl file that is Python as well."""
    scope = {"struct": SimpleNamespace}
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), scope)
    return scope


class Engine:
    """An engine of COMBINED: the names of each slot's policies, and the pairs that are tested."""

    def __init__(self, entry, headers):
        self.slots = [list(policies) for policies in entry.slots.values()]
        self.tested = set()
        for header in headers:
            if '#include "%s"' % entry.header in header:
                self.tested |= pairs_of_header(entry.slots, header)


def pairs_of_header(slots, header):
    """The pairs of a composition that is written as `using <slot> = <type>;`, line by line."""
    types = dict(re.findall(r"using (\w+) = ([^;]+);", header))
    return set(itertools.combinations(
        [(i, name) for i, (slot, policies) in enumerate(slots.items())
         for name, (_, type_) in policies.items() if types.get(slot) == type_], 2))


def read_matrix(root):
    """{name: Engine} of the repository at `root`."""
    headers = []
    for composition in _values_of(os.path.join(root, "engines/engines.bzl"))["COMPOSITIONS"]:
        path = os.path.join(root, "engines/compositions", composition.name + ".h")
        with open(path) as file:
            headers.append(file.read())
    matrix = _values_of(os.path.join(root, "bench/matrix/policies.bzl"))["COMBINED"]
    return {name: Engine(entry, headers) for name, entry in matrix.items()}


def pairs_of(combination):
    """The pairs that a combination holds, each as ((slot, policy), (slot, policy))."""
    return set(itertools.combinations(enumerate(combination), 2))


def all_pairs(slots):
    pairs = set()
    for (i, left), (j, right) in itertools.combinations(enumerate(slots), 2):
        pairs |= {((i, a), (j, b)) for a in left for b in right}
    return pairs


def _one_attempt(slots, missing, generator):
    missing = set(missing)
    chosen = []
    while missing:
        best = None
        seeds = sorted(missing)
        for _ in range(_CANDIDATES):
            # Built around a missing pair; the other slots in random order, each the best so far.
            (i, a), (j, b) = generator.choice(seeds)
            candidate = {i: a, j: b}
            others = [k for k in range(len(slots)) if k not in candidate]
            generator.shuffle(others)
            for k in others:
                def gain(policy):
                    # A pair begins with the earlier slot.
                    here = (k, policy)
                    return sum((((there, here) if there[0] < k else (here, there)) in missing)
                               for there in candidate.items())
                policies = list(slots[k])
                generator.shuffle(policies)
                candidate[k] = max(policies, key=gain)
            combination = tuple(candidate[k] for k in range(len(slots)))
            covered = len(pairs_of(combination) & missing)
            if best is None or covered > best[0]:
                best = (covered, combination)
        chosen.append(best[1])
        missing -= pairs_of(best[1])
    return chosen


def least_possible(missing):
    """No set can have fewer combinations: each holds one pair of two given slots."""
    return max(collections.Counter((i, j) for (i, _), (j, _) in missing).values(), default=0)


def covering(slots, tested=frozenset()):
    """Combinations that hold all pairs but the tested, in the order of the slots.

    Equal slots and equal pairs, equal choice.
    """
    if len(slots) < 2:
        return [(policy,) for policy in slots[0]]
    missing = all_pairs(slots) - tested
    generator = random.Random(0)
    best = None
    for _ in range(_ATTEMPTS):
        chosen = _one_attempt(slots, missing, generator)
        if best is None or len(chosen) < len(best):
            best = chosen
        if len(best) == least_possible(missing):
            break
    return sorted(best, key=lambda c: [slots[i].index(policy) for i, policy in enumerate(c)])


def text_of(matrix):
    lines = ["    %s\n" % " ".join((name,) + combination)
             for name, engine in matrix.items()
             for combination in covering(engine.slots, engine.tested)]
    return _HEAD + "".join(lines) + _TAIL


def main(arguments):
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "covering.bzl")
    wanted = text_of(read_matrix(os.path.join(here, "../..")))
    if arguments == ["--check"]:
        with open(path) as file:
            if file.read() == wanted:
                return 0
        print("covering.bzl is not what pairwise.py writes: run it", file=sys.stderr)
        return 1
    if arguments:
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    with open(path, "w") as file:
        file.write(wanted)
    print("%d combinations in %s" % (wanted.count("\n    "), path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
