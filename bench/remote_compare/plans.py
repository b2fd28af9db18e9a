"""What is compared: cells, each one call of //bench:remote made many times against each server.

A plan in a file (`--plan=FILE.json`) has the same names:

    {"name": "sessions", "blocks": 40, "figures": ["throughput", "p99"], "place": "together",
     "flags": {"duration": "1s", "warmup": "200ms"},
     "cells": [{"name": "small", "load": "getset",
                "flags": {"value_size": 100, "connections": 50, "keys": "100k"}}]}

`flags` are those of //bench:remote, without the dashes; a cell's go before those of the plan.
`place` is where local servers and the generator run unless --place says otherwise.
"""

import json
import math

from bench.compare import schedule, systems
from bench.remote_compare import judge, paired, placement

# Flags that say how data is used, not what data there is: cells that differ in nothing else share
# one preload.
_USE = ("connections", "threads", "pipeline", "rate", "burst", "pace", "speed", "duration",
        "requests", "warmup", "read_ratio", "interval")
# Those that say when to send. The throughput is then what was asked for.
_SCHEDULES = ("rate", "burst", "pace")
# Flags that are the comparison's own to set.
_OURS = ("url", "server", "server_setting", "load", "seed", "json", "hdr_log", "label", "preload",
         "keep", "flush", "repetitions", "operations", "list", "help")

class Cell:
    """One load with its flags."""

    def __init__(self, name, load, flags, extra=()):
        self.name = name
        self.load = load
        self.options = dict(flags)
        self.extra = list(extra)  # flags handed through as they are

    def flags(self):
        return ["--load=" + self.load] + [
            "--%s=%s" % (name, value) for name, value in sorted(self.options.items())] + self.extra

    def short(self, requests):
        """The same load on the same data, only so many requests of it."""
        return Cell(self.name, self.load, {
            **{name: value for name, value in self.options.items()
               if name not in _SCHEDULES + ("speed", "duration", "warmup")},
            "requests": requests}, self.extra)

    def data(self):
        """What a server has to hold for this cell; equal for cells that can share it."""
        return json.dumps([self.load, {name: value for name, value in self.options.items()
                                       if name not in _USE}], sort_keys=True)

    def figures(self, asked):
        """Those of `asked` that mean anything here: at a fixed rate, throughput is the rate."""
        return [name for name in asked
                if name != "throughput" or not set(_SCHEDULES) & set(self.options)]

    def as_json(self):
        return {"name": self.name, "load": self.load, "flags": self.options, "extra": self.extra}


class Plan:
    def __init__(self, name, blocks, cells, figures=judge.DEFAULT_FIGURES, place="apart"):
        self.name = name
        self.blocks = blocks
        self.cells = cells
        self.figures = list(figures)
        self.place = place  # of local servers and the generator: one of placement.CHOICES

    def runs(self, systems_per_block):
        return len(self.cells) * self.blocks * paired.RUNS_OF_A_BLOCK * systems_per_block

    def rows(self):
        """At least so many rows come of it: a load may have several."""
        return sum(len(cell.figures(self.figures)) for cell in self.cells)

    def enough_blocks(self):
        """Blocks under which Holm's correction lets no row be told, if there are no more rows."""
        return max(judge.MINIMUM_BLOCKS, paired.blocks_for(judge.ALPHA / self.rows()))

    def as_json(self):
        return {"name": self.name, "blocks": self.blocks, "figures": self.figures,
                "cells": [cell.as_json() for cell in self.cells]}


def _quick():
    # Runs are as short as they may be beside the 20 ms that one takes to start, so that what
    # disturbs the machine for longer than a block falls on both servers; data are few, since each
    # block loads them. Few connections: the server's time for them is in that for its requests.
    common = {"duration": "60ms", "warmup": "5ms", "connections": 10, "keys": "10k",
              "value_size": 100}
    cells = [
        Cell("get-set", "getset", common),
        Cell("pipelined", "getset", {**common, "pipeline": 16}),
        Cell("structures", "structures", {**common, "keys": 200}),
    ]
    return Plan("quick", 70, cells, place="together")


def _elasticache():
    cells = []
    # As many keys as make 100 MB or 100,000.
    for size, text, keys in ((100, "100 B", "100k"), (1000, "1 KB", "100k"),
                             (10_000, "10 KB", "10k"), (100_000, "100 KB", "1k")):
        for reads in (20, 50, 80, 95):
            for clients in (1, 10, 50, 100):
                cells.append(Cell(
                    "%s, %d %% reads, %d client%s" % (
                        text, reads, clients, "" if clients == 1 else "s"),
                    "getset",
                    {"value_size": size, "keys": keys, "read_ratio": reads / 100,
                     "connections": clients, "duration": "1s", "warmup": "200ms"}))
    # Of 192 rows, each corrected for all: 13 blocks could just do, 14 leave room for one odd block.
    return Plan("elasticache", 14, cells)


BUILT_IN = {
    "quick": (_quick, "three loads in three minutes: GET and SET, pipelined, data structures"),
    "elasticache": (_elasticache, "values of 100 B to 100 KB x 20 to 95 % reads x 1 to 100 "
                                  "clients: 64 cells, some two hours"),
}


def _mistake(path, text):
    return systems.UsageError("%s: %s" % (path, text))


def _cell_of(entry, common, path):
    if not isinstance(entry, dict) or not isinstance(entry.get("load"), str):
        raise _mistake(path, "a cell is an object with a load")
    unknown = set(entry) - {"name", "load", "flags"}
    if unknown:
        raise _mistake(path, "a cell has no %s" % ", ".join(sorted(unknown)))
    flags = {**common, **entry.get("flags", {})}
    for name, value in flags.items():
        if name in _OURS:
            raise _mistake(path, "the flag %s is not a cell's to set" % name)
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise _mistake(path, "the flag %s takes a text or a number" % name)
        if isinstance(value, float) and not math.isfinite(value):
            raise _mistake(path, "the flag %s is not a number" % name)
    return Cell(str(entry.get("name", entry["load"])), entry["load"], flags)


def _from_file(path):
    try:
        with open(path) as file:
            text = json.load(file)
    except OSError as error:
        raise _mistake(path, error.strerror) from error
    except ValueError as error:
        raise _mistake(path, "not JSON: %s" % error) from error
    if not isinstance(text, dict) or not isinstance(text.get("cells"), list) or not text["cells"]:
        raise _mistake(path, "a plan is an object with cells")
    unknown = set(text) - {"name", "blocks", "figures", "flags", "cells", "place"}
    if unknown:
        raise _mistake(path, "a plan has no %s" % ", ".join(sorted(unknown)))
    common = text.get("flags", {})
    if not isinstance(common, dict):
        raise _mistake(path, "flags is an object")
    cells = [_cell_of(entry, common, path) for entry in text["cells"]]
    names = [cell.name for cell in cells]
    for name in names:
        if names.count(name) > 1:
            raise _mistake(path, "two cells are named %s" % name)
    blocks = text.get("blocks", 10)
    if not isinstance(blocks, int) or not 1 <= blocks <= judge.MOST_BLOCKS:
        raise _mistake(path, "blocks is a number from 1 to %d" % judge.MOST_BLOCKS)
    place = text.get("place", "apart")
    if place not in placement.CHOICES:
        raise _mistake(path, "place is one of %s" % ", ".join(placement.CHOICES))
    return Plan(str(text.get("name", "plan")), blocks, cells,
                figures_of(text.get("figures", list(judge.DEFAULT_FIGURES))), place)


def setting_of(text):
    """(name, value) of a flag for all cells, as in duration=200ms."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise systems.UsageError("--set=%s: name=value is wanted" % text)
    if name in _OURS:
        raise systems.UsageError("--set=%s: the flag %s is not a cell's to set" % (text, name))
    return name, value


def figures_of(names):
    if not isinstance(names, list) or not names:
        raise systems.UsageError("no figure is named")
    for name in names:
        if name not in judge.FIGURES:
            raise systems.UsageError("no figure %s%s" % (
                name, systems.nearest(str(name), list(judge.FIGURES))))
    return list(dict.fromkeys(names))


def plan_of(text, path):
    """The plan of `--plan`: a built-in name, or `path`, the file as the caller means it."""
    if text in BUILT_IN:
        return BUILT_IN[text][0]()
    if text.endswith(".json"):
        return _from_file(path)
    raise systems.UsageError("no plan %s%s" % (text, systems.nearest(text, list(BUILT_IN))))


def schedule_of(plan, names, seed):
    """[(cell, run)] of the whole plan. Cell by cell, so that each is measured in one stretch."""
    made = []
    for number, cell in enumerate(plan.cells):
        # A seed for each cell: no order of systems is that of every cell's first block.
        for run in schedule.schedule(names, plan.blocks * paired.RUNS_OF_A_BLOCK,
                                     "%s cell %d" % (seed, number)):
            made.append((cell, run))
    return made


def listing():
    lines = ["plans:"]
    for name, (make, description) in BUILT_IN.items():
        plan = make()
        lines.append("  %-12s %s" % (name, description))
        lines.append("  %-12s %d blocks of each of %d cells, %s; local servers %s" % (
            "", plan.blocks, len(plan.cells), ", ".join(plan.figures), plan.place))
        for cell in plan.cells[:8]:
            lines.append("    %-32s %s" % (cell.name, " ".join(cell.flags())))
        if len(plan.cells) > 8:
            lines.append("    and %d more" % (len(plan.cells) - 8))
    lines.append("figures:")
    for figure in judge.FIGURES.values():
        lines.append("  %-12s %s, %s is better" % (
            figure.name, figure.unit, "more" if figure.higher_is_better else "less"))
    lines.append("loads of a plan's cells: bazel run //bench:remote -- --list")
    return "\n".join(lines)
