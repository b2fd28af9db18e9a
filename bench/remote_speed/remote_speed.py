"""The program //bench:remote_speed; cli.py has its help."""

import datetime
import json
import os
import shutil
import sys
import time

from bench.compare import experiment, machine, schedule, systems
from bench.compare.cli import from_caller, say
from bench.remote_compare import paired, placement, servers
from bench.remote_speed import aims, cli, report, rivals, server
from bench.remote_speed.rivals import OURS, THEIRS

OK, MISSED, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

TESTS = ("get", "set")
# Of the requests of a run at pipeline 16: round trips, not requests, are what takes the time.
_FULL_PIPELINE = 16


def requests_of(pipeline, requests):
    return max(100, requests * min(pipeline, _FULL_PIPELINE) // _FULL_PIPELINE)


class Measurement:
    """All runs, in order."""

    def __init__(self, args, programs):
        self.args = args
        self.programs = programs
        self.runs = []  # all, for the JSON
        self.cells = [
            rivals.Cell(test, pipeline, args.connections, args.keys,
                        requests_of(pipeline, args.requests))
            for pipeline in args.pipelines for test in TESTS]
        self.latencies = [
            ("1 connection", self._latency(1, None), True),
            ("%d connections, %d/s" % (args.connections, args.rate),
             self._latency(args.connections, args.rate), True),
            ("%d connections, closed loop" % args.connections,
             self._latency(args.connections, None), False)]
        latencies = len(self.latencies) * args.blocks
        self.progress = experiment.ProgressLine(
            2 * len(self.cells) * args.blocks * paired.RUNS_OF_A_BLOCK * 2 + latencies)
        self.made = 0

    def _latency(self, connections, rate):
        args = self.args
        return rivals.Cell("set", 1, connections, args.keys, requests_of(1, args.requests), rate)

    def _run(self, what, system, where, cell, seed):
        self.progress.start(self.made, "%s, %s" % (what, system))
        begin = time.monotonic()
        found = rivals.run(system, self.programs, where, cell, seed)
        self.made += 1
        self.progress.made(time.monotonic() - begin)
        self.runs.append({"what": what, "system": system, **found})
        return found

    def rows(self, where, name):
        """A row of each cell. Blocks of all cells take turns, so that drift falls on all."""
        args = self.args
        runs = {cell.name: [] for cell in self.cells}
        order = {cell.name: schedule.schedule(
            (OURS, THEIRS), args.blocks * paired.RUNS_OF_A_BLOCK,
            "%s %s %d" % (name, cell.name, args.seed)) for cell in self.cells}
        for block in range(args.blocks):
            for cell in self.cells:
                for one in order[cell.name]:
                    if one.block != block:
                        continue
                    found = self._run("%s on %s, block %d" % (cell.name, name, block + 1),
                                      one.system, where, cell, args.seed + 2 * block + one.half)
                    runs[cell.name].append({"system": one.system, "block": block, **found})
        return [aims.Row(cell.name, cell, runs[cell.name], args.blocks,
                         cell.pipeline == aims.RATE_PIPELINE) for cell in self.cells]

    def own_latencies(self, where):
        found = {name: [] for name, _, _ in self.latencies}
        for block in range(self.args.blocks):
            for name, cell, _ in self.latencies:
                found[name].append(self._run("latency of %s" % name, OURS, where, cell,
                                             self.args.seed + block))
        return [aims.Latency(name, found[name], has_aim) for name, _, has_aim in self.latencies]


def _program(name, advice):
    found = shutil.which(name)
    if not found:
        raise systems.UsageError("%s is not installed%s" % (name, advice))
    return found


def _measure(args):
    if args.program not in servers.PROGRAMS:
        args.program = os.path.abspath(from_caller(args.program))
    _program(servers.PROGRAMS.get(args.program, args.program), ": run bazelw, or give --program")
    programs = rivals.Programs(
        os.path.abspath(args.remote),
        _program(args.redis_benchmark, ": Debian's package redis-tools has it; run bazelw"))
    place = placement.CHOICES[args.place]()
    busy = machine.busy_now()
    if args.blocks < aims.ENOUGH_BLOCKS:
        say("%d blocks are too few for an interval: every aim at a ratio stays open" % args.blocks)
    measurement = Measurement(args, programs)
    try:
        with servers.Servers(os.path.abspath(args.local_server), place) as started:
            real = server.start(started, os.path.abspath(args.local_server), args.program)
            for cell in measurement.cells:
                rivals.load(programs, real.url, cell)
            on_server = measurement.rows(real, args.program)
        with servers.Servers(os.path.abspath(args.local_server), place) as started:
            instant = server.start_instant(started, args.instant_server)
            on_instant = measurement.rows(instant, "an instant server")
            latencies = measurement.own_latencies(instant)
    finally:
        measurement.progress.clear()
    result = report.Result(on_server, on_instant, latencies, {
        "date": datetime.date.today().isoformat(), "machine": machine.describe(),
        "busy_cpus_before": busy, "server": args.program, "place": place.text(),
        "blocks": args.blocks, "connections": args.connections, "keys": args.keys,
        "requests": args.requests, "value_bytes": rivals.VALUE_BYTES, "seed": args.seed})
    result.note_foreign_work(measurement.runs)
    print(result.text())
    if args.json:
        with open(from_caller(args.json), "w") as file:
            json.dump({**result.as_json(), "runs": measurement.runs}, file, indent=1)
    return MISSED if result.missed() else OK


def main(arguments=None):
    args = cli.parser().parse_args(arguments)
    try:
        return _measure(args)
    except systems.UsageError as error:
        print("error: %s" % error, file=sys.stderr)
        return USAGE
    except (rivals.RunFailed, servers.ServerError, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
