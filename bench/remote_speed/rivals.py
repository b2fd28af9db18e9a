"""One run of //bench:remote or of redis-benchmark, and what came of it.

Both send the same commands on the same keys: redis-benchmark is given the command that the load of
ours sends, with __rand_int__ for the twelve digits of its keys. Keys and values are then of one
size on both sides, which its own tests (-t) would not give.
"""

import csv
import io
import json
import os
import tempfile

from bench.compare import machine, runner
from bench.compare.runner import RunFailed

OURS, THEIRS = "ours", "redis-benchmark"
VALUE_BYTES = 100
DIGITS = 12  # of a key, on both sides


class Cell:
    """What is run: GET or SET, so many in flight on so many connections.

    `rate`: requests a second, which only ours can; None: each as soon as there is room for it.
    """

    def __init__(self, test, pipeline, connections, keys, requests, rate=None):
        self.rate = rate
        self.test = test
        self.pipeline = pipeline
        self.connections = connections
        self.keys = keys
        self.requests = requests

    @property
    def name(self):
        return "%s, pipeline %d" % (self.test.upper(), self.pipeline)

    @property
    def prefix(self):
        # What the other one writes does not begin with its key's number, for which ours looks when
        # it reads: so there are keys to be written and keys to be read.
        return "speed-%s:" % self.test

    def flags(self):
        return ["--load=redis_" + self.test, "--prefix=" + self.prefix,
                "--keys=%d" % self.keys, "--value_size=%d" % VALUE_BYTES,
                "--connections=%d" % self.connections] + (
                    ["--rate=%d" % self.rate] if self.rate else [])

    def command(self):
        key = self.prefix + "string:__rand_int__"
        return ["GET", key] if self.test == "get" else ["SET", key, "x" * VALUE_BYTES]


class Programs:
    """Where the two are."""

    def __init__(self, remote, redis_benchmark):
        self.remote = remote
        self.redis_benchmark = redis_benchmark


def load(programs, url, cell):
    """Writes the keys of a cell."""
    _execute([programs.remote, "--url=" + url, "--keep", "--requests=1000", "--warmup=0"] +
             cell.flags(), allowed=(0, 1))


def run(system, programs, server, cell, seed):
    """Makes one run against `server` (server.Server); returns a dict that goes into JSON."""
    make = _ours if system == OURS else _theirs
    before = server.counters()
    watch = machine.Watch()
    figures, cpu_seconds = make(programs, server.url, cell, seed)
    after = server.counters()
    used = {name: after[name] - before[name] for name in before if name in after}
    figures["cpu_ns"] = 1e9 * cpu_seconds / cell.requests
    figures["foreign_cpus"] = watch.foreign_cpus(cpu_seconds + used.get("cpu", 0))
    figures.update(_of_server(used, figures["rate"]))
    return figures


def _of_server(used, rate):
    """Nothing of a server that does not tell."""
    if used.get("commands", 0) <= 0 or "cpu" not in used:
        return {}
    found = {"server_cpu_ns": 1e9 * used["cpu"] / used["commands"]}
    found["server_share"] = used["cpu"] / used["commands"] * rate
    if used.get("reads", 0) > 0:
        found["commands_per_read"] = used["commands"] / used["reads"]
    return found


def _execute(command, allowed=(0,)):
    status, output, cpu_seconds = runner.execute(command, None)
    if status not in allowed:
        raise RunFailed("exit status %d of %s\n%s" % (status, " ".join(command), output.strip()))
    return output, cpu_seconds


def _ours(programs, url, cell, seed):
    with tempfile.TemporaryDirectory(prefix="ashlar_speed_") as directory:
        path = os.path.join(directory, "report.json")
        command = [programs.remote, "--url=" + url] + cell.flags() + [
            "--pipeline=%d" % cell.pipeline, "--requests=%d" % cell.requests, "--warmup=0",
            "--preload=no", "--keep", "--seed=%d" % seed, "--json=" + path]
        # 1: a row that may not be believed. Where the generator is at its limit that is what is
        # looked for here; errors and misses are told below.
        output, cpu_seconds = _execute(command, allowed=(0, 1))
        try:
            with open(path) as file:
                row = json.load(file)["benchmarks"][0]
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise RunFailed("%s: no readable report (%r)\n%s" % (
                " ".join(command), error, output.strip())) from error
    if row["ops"] != cell.requests or row["errors"] or row["misses"]:
        raise RunFailed("%s: %d of %d answered, %d errors, %d misses" % (
            " ".join(command), row["ops"], cell.requests, row["errors"], row["misses"]))
    figures = {"rate": row["items_per_second"],
               "driving_cpu_ns": row["generator_cpu_ns_per_op"],
               "spun_ns": 1e9 * row["generator_spun_seconds"] / row["ops"]}
    for name in ("p50", "p99", "p999", "max"):
        figures[name + "_us"] = row[name + "_ns"] / 1e3
    return figures, cpu_seconds


def _theirs(programs, url, cell, _):
    host, _, port = url.removeprefix("redis://").rpartition(":")
    output, cpu_seconds = _execute([
        programs.redis_benchmark, "-h", host, "-p", port, "-c", str(cell.connections),
        "-P", str(cell.pipeline), "-n", str(cell.requests), "-r", str(cell.keys), "--csv"] +
        cell.command())
    return parse_csv(output), cpu_seconds


def parse_csv(output):
    """What redis-benchmark --csv printed, of one test."""
    lines = [line for line in csv.reader(io.StringIO(output)) if len(line) > 1]
    if len(lines) != 2 or lines[0][:2] != ["test", "rps"]:
        raise RunFailed("redis-benchmark printed what is not understood:\n" + output.strip())
    row = dict(zip(lines[0], lines[1]))
    try:
        figures = {"rate": float(row["rps"])}
        for name in ("p50", "p99", "max"):
            figures[name + "_us"] = 1e3 * float(row[name + "_latency_ms"])
    except (KeyError, ValueError) as error:
        raise RunFailed("redis-benchmark printed what is not understood (%r):\n%s" % (
            error, output.strip())) from error
    if figures["rate"] <= 0:
        raise RunFailed("redis-benchmark did nothing:\n" + output.strip())
    return figures
