"""Systems under comparison: what a name on the command line means, and how its binary comes about.

    lsm_leveled                                a composition of //engines:engines.bzl
    lsm__skip_list__leveled__single__group     a combination of //bench/matrix:policies.bzl
    sharded_hash_map                           a peer of //bench/peers:peers.bzl
    redis                                      a local server, started for each run
    before=some/where/lsm_leveled              a bench binary, under a name of your choice

The lists of names are in systems.json beside this file, which the build writes from the .bzl files.
"""

import difflib
import hashlib
import json
import os
import subprocess


class UsageError(Exception):
    """The command line asks for something that does not exist."""


class BuildError(Exception):
    """Bazel could not build a binary."""


def nearest(name, names):
    """The end of a message about an unknown name."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    hint = "; did you mean %s?" % " or ".join(near) if near else ""
    return hint + " (--list lists them)"


class Known:
    """The names that the build offers."""

    def __init__(self, compositions, matrix, slots=None, engines=None, peers=(), servers=()):
        self.compositions = compositions  # names
        self.matrix = matrix  # {engine: [policies of slot 1, of slot 2, ...]}
        self.slots = slots or {}  # {engine of the matrix: [name of slot 1, ...]}
        self.engines = engines or {}  # {composition: engine}
        self.peers = list(peers)  # names of what a program would use instead
        self.servers = list(servers)  # names of bench binaries of servers

    @staticmethod
    def load():
        path = os.path.join(os.path.dirname(__file__), "systems.json")
        with open(path) as file:
            lists = json.load(file)
        return Known(lists["compositions"], lists["matrix"], lists["slots"], lists["engines"],
                     lists["peers"], lists["servers"])

    def policies(self, engine, slot):
        """The policies that the matrix has for a slot of an engine."""
        return self.matrix[engine][self.slots[engine].index(slot)]

    def combination(self, engine, chosen):
        """The matrix name of {slot: policy}, which has each slot of the engine, perhaps others."""
        return "__".join([engine] + [chosen[slot] for slot in self.slots[engine]])

    def target(self, name):
        """The Bazel target of a name; UsageError with the nearest names where there is none."""
        if name in self.compositions + self.servers:
            return "//bench:" + name
        if name in self.peers:
            return "//bench/peers:" + name
        engine, *policies = name.split("__")
        slots = self.matrix.get(engine)
        if policies and slots is not None:
            self._check_policies(name, engine, policies, slots)
            return "//bench/matrix:" + name
        names = self.compositions + self.peers + self.servers
        raise UsageError("unknown system: " + name + nearest(name, names))

    @staticmethod
    def _check_policies(name, engine, policies, slots):
        if len(policies) != len(slots):
            raise UsageError("%s: %s has %d slots in the matrix, the name gives %d policies" % (
                name, engine, len(slots), len(policies)))
        for policy, offered in zip(policies, slots):
            if policy not in offered:
                raise UsageError("%s: no policy %s here; there are %s" % (
                    name, policy, ", ".join(offered)))

    def text(self):
        """What --list prints of the systems."""
        lines = ["compositions:"] + ["  " + name for name in self.compositions]
        lines += ["peers, which are not ours:"] + ["  " + name for name in self.peers]
        lines += ["servers, started for each run:"] + ["  " + name for name in self.servers]
        lines.append("combinations, built when named (one policy of each braces):")
        for engine, slots in self.matrix.items():
            lines.append("  " + "__".join([engine] + ["{%s}" % ",".join(s) for s in slots]))
        return "\n".join(lines)


class System:
    def __init__(self, name, target="", binary="", arguments=()):
        self.name = name
        self.target = target
        self.binary = binary
        self.arguments = list(arguments)  # before those of the request


def parse(text, known):
    """The systems that --systems names, in its order; the first is the baseline."""
    systems = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, equals, path = word.partition("=")
        if equals:
            path = os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), path)
            if not os.access(path, os.X_OK):
                raise UsageError("%s: %s is not a program" % (name, path))
            systems.append(System(name, binary=os.path.abspath(path)))
        else:
            systems.append(System(name, target=known.target(name)))
    names = [system.name for system in systems]
    for name in names:
        if names.count(name) > 1:
            raise UsageError("system %s is named twice; name=path gives it another name" % name)
    if not systems:
        raise UsageError("--systems names no system (--list lists them)")
    return systems


def build(systems, workspace, say, options=("-c", "opt")):
    """Builds the binaries that are not given by path, optimised by default; sets their paths."""
    wanted = [system for system in systems if not system.binary]
    if not wanted:
        return
    if not workspace:
        raise UsageError("start it with bazel run, which says where the sources are; or give every "
                         "system as name=path")
    bazel = os.path.join(workspace, "bazelw")
    targets = list(dict.fromkeys(system.target for system in wanted))
    say("building %s" % " ".join(targets))
    command = [bazel, "build", *options] + targets
    if subprocess.run(command, cwd=workspace).returncode != 0:
        raise BuildError("failed: %s" % " ".join(command))
    found = subprocess.run([bazel, "info", *options, "bazel-bin"], cwd=workspace,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if found.returncode != 0:
        raise BuildError("bazel info does not say where the binaries are")
    root = found.stdout.strip()
    for system in wanted:
        system.binary = os.path.join(root, *system.target[2:].split(":"))


def digest(path):
    """A hash of a binary, so that one comparison never mixes two builds of it."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]
