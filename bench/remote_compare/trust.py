"""Compares servers that are known to be equal, and ones that are known not to be: may the
comparison be trusted?

  bazel run //bench:remote_trust                                        both, some minutes
  bazel run //bench:remote_trust -- --comparisons=40 --slowdown=0.03
  bazel run //bench:remote_trust -- --comparisons=10 --slowed=40 --slowdown=0.02 --blocks=16

Each comparison has two servers of its own, started for it, each behind a proxy (slow_proxy.cc), and
is made as //bench:remote_compare makes it: blocks in an order drawn by chance, a process for each
run, the signed-rank test over the blocks, verdicts with the same threshold. Of equal ones, which
have the same proxy twice, at most 5 % may be told apart. In the others B's proxy holds each request
back by a fixed time, the given share of the round trip that is measured through A's proxy just
before; most of them should be told, and in the right direction.

Throughput is judged. The load is GET and SET in a closed loop on one connection, where a longer
round trip is a lower throughput and nothing else. Runs are short and many, so that what disturbs a
machine for longer than a block falls on both servers and cancels.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import sys

from bench.compare import machine, systems
from bench.compare.verdict import FASTER, SLOWER
from bench.remote_compare import (cli, experiment, judge, placement, plans, report, runner,
                                  servers)

EPILOG = """exit status: 0; 1 when more equal servers were told apart than 5 % allows, or most of
the slowed ones were not told; 2 the command line is wrong; 3 a server or a run failed
"""

OK, NOT_TRUSTED, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130
_CALIBRATIONS = 3


def binomial_tail(count, trials, rate):
    """P(X >= count) of so many trials."""
    return sum(math.comb(trials, k) * rate ** k * (1 - rate) ** (trials - k)
               for k in range(count, trials + 1))


def rate_interval(count, trials, confidence=0.95):
    """The rates that `count` of `trials` does not refuse (C. Clopper and E. Pearson, 1934)."""
    def edge(holds):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return low
    tail = (1 - confidence) / 2
    lowest = 0.0 if count == 0 else edge(
        lambda rate: binomial_tail(count, trials, rate) < tail)
    highest = 1.0 if count == trials else edge(
        lambda rate: 1 - binomial_tail(count + 1, trials, rate) > tail)
    return lowest, highest


class Outcome:
    """What one comparison of A against B came to."""

    def __init__(self, number, slowed, delay_ns, round_trip_ns, row):
        self.number = number
        self.slowed = slowed
        self.delay_ns = delay_ns
        self.round_trip_ns = round_trip_ns
        self.row = row

    @property
    def told(self):
        return self.row.verdict in (FASTER, SLOWER)

    def text(self):
        kind = "slowed" if self.slowed else "equal "
        delay = ", %.2f us more than %.1f us" % (
            self.delay_ns / 1000, self.round_trip_ns / 1000) if self.slowed else ""
        return "%s %.4f (%s), p %.2g: %s%s" % (
            kind, self.row.ratio or math.nan, report.interval(self.row),
            1.0 if self.row.p is None else self.row.p, report.verdict_text(self.row), delay)

    def as_json(self):
        return {"number": self.number, "slowed": self.slowed, "delay_ns": self.delay_ns,
                "round_trip_ns": self.round_trip_ns, "row": report.rows_as_json([self.row])[0]}


class Trial:
    """How each comparison is made."""

    def __init__(self, args):
        self.remote, self.helper, self.proxy = (
            os.path.abspath(path) for path in (args.remote, args.local_server, args.slow_proxy))
        self.spec = servers.parse(args.server)
        self.place = placement.CHOICES[args.place]()
        self.slowdown = args.slowdown
        self.connections = args.connections
        self.threshold = args.threshold
        self.seed = args.seed
        self.cell = plans.Cell("get-set", "getset", {
            "connections": args.connections, "keys": "1k", "value_size": 100,
            "requests": args.requests, "warmup": args.warmup})
        self.plan = plans.Plan("trust", args.blocks, [self.cell], ["throughput"])

    def _proxy_of(self, started, upstream, delay_ns):
        return started.start([self.proxy, "--upstream=" + upstream, "--delay_ns=%d" % delay_ns])

    def _round_trip_ns(self, url, seed):
        """Of the load as it is, through a proxy that holds nothing back."""
        flags = self.cell.flags() + ["--preload=no", "--keep"]
        rates = []
        for number in range(_CALIBRATIONS):
            found = runner.run(self.remote, url, flags + ["--seed=%d" % (seed + number)])
            rates += [row["items_per_second"] for row in found["rows"].values()]
        return 1e9 * self.connections / statistics.median(rates)

    def compare(self, number, slowed):
        seed = self.seed * 1000 + number
        with servers.Servers(self.helper, self.place) as started:
            upstream = [started.url_of(self.spec) for _ in range(2)]
            delay_ns = round_trip_ns = 0
            url = self._proxy_of(started, upstream[0], 0)
            if slowed:
                data = experiment.Data(self.remote, seed)
                data.load(self.cell, [url])
                round_trip_ns = self._round_trip_ns(url, seed * 10)
                delay_ns = round(self.slowdown * round_trip_ns)
                data.clean_up()
            urls = {judge.A: url, judge.B: self._proxy_of(started, upstream[1], delay_ns)}
            runs = experiment.make_runs(self.remote, servers.Kept(urls), self.plan, seed,
                                        experiment.InMemory(), quiet=True, keep_data=True)
        rows = judge.rows_of(runs, [self.cell], self.plan.figures, self.plan.blocks)
        judge.judge_all(rows, self.threshold)
        return Outcome(number, slowed, delay_ns, round_trip_ns, rows[0])


def order_of(equal, slowed):
    """Which comparisons are slowed, both kinds spread evenly over the whole time."""
    marks = [((i + 0.5) / equal, False) for i in range(equal)]
    marks += [((i + 0.5) / slowed, True) for i in range(slowed)]
    return [kind for _, kind in sorted(marks)]


class Counts:
    """How many comparisons of one kind were told apart."""

    def __init__(self, outcomes):
        self.total = len(outcomes)
        self.told = sum(outcome.told for outcome in outcomes)
        self.slower = sum(outcome.row.verdict == SLOWER for outcome in outcomes)
        self.ratios = sorted(outcome.row.ratio for outcome in outcomes if outcome.row.ratio)

    def text(self, what):
        low, high = rate_interval(self.told, self.total)
        ratios = ""
        if self.ratios:
            ratios = "; ratios %.4f, from %.4f to %.4f" % (
                statistics.median(self.ratios), self.ratios[0], self.ratios[-1])
        return "%s: %d of %d told apart, %d of them as slower; a rate of %.0f to %.0f %%%s" % (
            what, self.told, self.total, self.slower, 100 * low, 100 * high, ratios)

    def as_json(self):
        return {"comparisons": self.total, "told": self.told, "slower": self.slower,
                "rate_interval": list(rate_interval(self.told, self.total))}


def complaints(equal, slowed):
    """Why the comparison may not be trusted."""
    found = []
    if equal.total and binomial_tail(equal.told, equal.total, judge.ALPHA) < judge.ALPHA:
        found.append("more equal servers were told apart than a rate of 5 % allows")
    if slowed.total and 2 * slowed.slower <= slowed.total:
        found.append("no more than half of the slowed servers were told as slower")
    return found


def _parser():
    p = argparse.ArgumentParser(prog="remote_trust", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--comparisons", type=int, default=40, help="of equal servers, 40 by default")
    p.add_argument("--slowed", type=int, default=None, help="the others; as many by default")
    p.add_argument("--slowdown", type=float, default=0.03,
                   help="share of the round trip, 0.03 by default")
    p.add_argument("--blocks", type=int, default=30, help="of each comparison, 30 by default")
    p.add_argument("--requests", type=int, default=500, help="of a run, 500 by default")
    p.add_argument("--warmup", default="10ms", help="of a run")
    p.add_argument("--connections", type=int, default=1, help="1 by default")
    p.add_argument("--place", choices=tuple(placement.CHOICES), default="together",
                   help="processors of servers, proxies and generator; together by default")
    p.add_argument("--threshold", type=float, default=judge.DEFAULT_THRESHOLD,
                   help="what counts as no difference: 0.01 by default")
    p.add_argument("--server", default="", help="redis, valkey, redis:PATH, valkey:PATH")
    p.add_argument("--seed", type=int, default=1, help="of the order and the requests")
    p.add_argument("--json", default=None, help="write counts and every comparison")
    p.add_argument("--remote", required=True, help="the binary of //bench:remote (set by Bazel)")
    p.add_argument("--local-server", required=True, help="the helper's binary (set by Bazel)")
    p.add_argument("--slow-proxy", required=True, help="the proxy's binary (set by Bazel)")
    return p


def _checked(args):
    if not args.server:
        args.server = "redis" if shutil.which(servers.PROGRAMS["redis"]) else "valkey"
    if args.slowed is None:
        args.slowed = args.comparisons
    if min(args.comparisons, args.slowed) < 0 or args.comparisons + args.slowed == 0:
        raise systems.UsageError("there is nothing to compare")
    if not 0 <= args.slowdown <= 10:
        raise systems.UsageError("--slowdown is a share such as 0.03")
    if not judge.MINIMUM_BLOCKS <= args.blocks <= judge.MOST_BLOCKS:
        raise systems.UsageError("--blocks is a number from %d to %d: fewer settle nothing" % (
            judge.MINIMUM_BLOCKS, judge.MOST_BLOCKS))
    if min(args.requests, args.connections) < 1:
        raise systems.UsageError("--requests and --connections are at least 1")
    trial = Trial(args)
    if trial.spec.url:
        raise systems.UsageError("--server is started here, and is no URL")
    return trial


def _run(args):
    trial = _checked(args)
    runner.check(trial.remote, trial.cell)
    busy = machine.busy_now()
    kinds = order_of(args.comparisons, args.slowed)
    outcomes = []
    for number, slowed in enumerate(kinds):
        outcomes.append(trial.compare(number, slowed))
        cli.say("[%d/%d] %s" % (number + 1, len(kinds), outcomes[-1].text()))
    equal = Counts([outcome for outcome in outcomes if not outcome.slowed])
    slowed = Counts([outcome for outcome in outcomes if outcome.slowed])
    print("each of %d blocks, a run of %d requests on %d connection%s, threshold %.3g %%; %s" % (
        args.blocks, args.requests, args.connections, "" if args.connections == 1 else "s",
        100 * args.threshold, trial.place.text()))
    if equal.total:
        print(equal.text("equal servers"))
    if slowed.total:
        print(slowed.text("slowed by %.3g %%" % (100 * args.slowdown)))
    if busy > machine.BUSY_CPUS:
        print("  * the machine was not quiet before: %.1f CPUs were busy" % busy)
    found = complaints(equal, slowed)
    for text in found:
        print("  * " + text)
    if args.json:
        with open(cli.from_caller(args.json), "w") as file:
            json.dump({"machine": machine.describe(), "seed": args.seed, "equal": equal.as_json(),
                       "slowed": slowed.as_json(), "slowdown": args.slowdown,
                       "comparisons": [outcome.as_json() for outcome in outcomes]}, file, indent=1)
    return NOT_TRUSTED if found else OK


def main(arguments=None):
    args = _parser().parse_args(arguments)
    try:
        return _run(args)
    except systems.UsageError as error:
        print("error: %s" % error, file=sys.stderr)
        return USAGE
    except (runner.RunFailed, servers.ServerError, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
