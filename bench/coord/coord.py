"""Measures coordinators beside what a program would use instead, and holds them against aims.

  bazel run //bench:coord                                   all experiments, about eight minutes
  bazel run //bench:coord -- --only=source,calls --repetitions=10
  bazel run //bench:coord -- --json=coord.json --gate       exit with 1 when an aim is missed
  bazel run //bench:coord -- --resume                       after an interruption

The systems of an experiment run interleaved in randomised blocks (//bench:compare), each run in a
process of its own. A table for each workload and number of threads shows operations a second, and
the ratio to the first system with its 95 % bootstrap interval. What the workloads are: --list.

What it does not measure: runs that do something, more processors than the machine has.
"""

import argparse
import json
import os
import sys

from bench.compare import (cli, experiment, machine, report, runner, significance, state, systems)
from bench.coord import table

EPILOG = """exit status: 0; 1 with --gate, when an aim is missed; 2 the command line is wrong; 3 a
build or a run failed; 130 interrupted, --resume goes on
"""

_THRESHOLD = 0.03


def _parser():
    p = argparse.ArgumentParser(prog="coord", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="", help="comma-separated experiments; all by default")
    p.add_argument("--repetitions", type=int, default=6, help="runs of each system, 6 by default")
    p.add_argument("--min-time", dest="min_time", help="of each row, instead of its own")
    p.add_argument("--num", help="slots of a thread, instead of the experiment's own")
    p.add_argument("--seed", type=int, default=1, help="of the order, the data and the bootstrap")
    p.add_argument("--json", default=None, help="write contexts, rows and aims")
    p.add_argument("--gate", action="store_true", help="exit with 1 when an aim is missed")
    p.add_argument("--resume", action="store_true", help="go on where the same call stopped")
    p.add_argument("--binary", default="", help="path of the micro program, if it is built")
    p.add_argument("--list", action="store_true", help="list experiments and their workloads")
    return p


def experiments_of(text):
    words = [word.strip() for word in text.split(",") if word.strip()]
    names = [one.name for one in table.EXPERIMENTS]
    for word in words:
        if word not in names:
            raise systems.UsageError("no experiment %s%s" % (word, systems.nearest(word, names)))
    return [one for one in table.EXPERIMENTS if not words or one.name in words]


class Outcome:
    """How an aim was met. `value` and its interval are in the aim's own terms."""

    def __init__(self, aim, rows):
        find = {(row.system, row.workload, row.threads): row for row in rows}
        ours = find[rows[0].system, aim.workload, aim.threads]
        other = find.get((aim.against, aim.workload, aim.threads), ours)
        self.aim = aim
        self.value = self.low = self.high = None
        self.reached = False
        if not ours.runs or not other.runs:
            return
        if aim.kind == "times":
            self.value, self.low, self.high = significance.bootstrap_ratio(
                ours.blocks, other.blocks, seed=1)
        elif aim.kind == "nanos":
            self.value = 1e9 / ours.median
            self.low, self.high = (1e9 / rate for rate in (max(ours.runs), min(ours.runs)))
        else:
            self.value = other.figures["p99_ns"] / ours.figures["p99_ns"]
            self.low = self.high = self.value
        self.reached = (self.value <= aim.bound if aim.kind == "nanos"
                        else self.value >= aim.bound)

    def text(self):
        aim = self.aim
        where = "%s, %d thread%s" % (aim.workload, aim.threads, "" if aim.threads == 1 else "s")
        if self.value is None:
            return "%-26s not measured" % where
        if aim.kind == "nanos":
            return "%-26s %.2f ns (%.2f to %.2f), aim %.3g ns" % (
                where, self.value, self.low, self.high, aim.bound)
        if aim.kind == "p99":
            return "%-26s 99th percentile: %s takes %.2f times ours, aim %.3g" % (
                where, aim.against, self.value, aim.bound)
        return "%-26s %.2fx of %s (%.2f to %.2f), aim %.3gx" % (
            where, self.value, aim.against, self.low, self.high, aim.bound)

    def as_json(self):
        aim = self.aim
        return {"workload": aim.workload, "threads": aim.threads, "kind": aim.kind,
                "against": aim.against, "aim": aim.bound, "value": self.value, "low": self.low,
                "high": self.high, "reached": self.reached}


def _run(one, args):
    """(rows, context) of an experiment; prints its tables."""
    request = runner.Request(one.workloads, one.threads, args.num or one.num, None,
                             args.min_time or one.min_time)
    chosen = [systems.System(name, target=table.MICRO, binary=args.binary,
                             arguments=["--system=" + name]) for name in one.systems]
    systems.build(chosen, os.environ.get("BUILD_WORKSPACE_DIRECTORY"), cli.say)
    runs = experiment.run_kept(chosen, request, args.repetitions, args.seed, resume=args.resume)
    rows = experiment.judged_rows(runs, chosen, request, args.repetitions, args.seed, _THRESHOLD)
    context = experiment.context_of(runs, request, args.seed, 0.0)
    print("\n== " + one.name)
    print(report.table(rows), flush=True)
    for note in experiment.notes_of(runs, context):
        print("  * " + note)
    return rows, context


def _list():
    for one in table.EXPERIMENTS:
        print("%s: %s" % (one.name, ", ".join(one.workloads)))
        print("    of %s; threads %s" % (", ".join(one.systems), one.threads))
    return 0


def _measure(args):
    if args.list:
        return _list()
    if args.binary:
        args.binary = os.path.abspath(args.binary)
    chosen = experiments_of(args.only)
    busy = machine.busy_now()
    if busy > machine.BUSY_CPUS:
        cli.say("the machine is busy: %.1f CPUs before the first run" % busy)
    outcomes, measured = [], {}
    for one in chosen:
        rows, context = _run(one, args)
        outcomes += [Outcome(aim, rows) for aim in table.AIMS if aim.experiment == one.name]
        measured[one.name] = {"context": context, "rows": report.rows_as_json(rows)}
    missed = [outcome for outcome in outcomes if not outcome.reached]
    print("\n%d of %d aims reached" % (len(outcomes) - len(missed), len(outcomes)))
    for outcome in missed:
        print("  missed: " + outcome.text())
    for outcome in outcomes:
        if outcome.reached:
            print("  reached: " + outcome.text())
    if args.json:
        path = cli.from_caller(args.json)
        with open(path, "w") as file:
            json.dump({"experiments": measured, "aims": [o.as_json() for o in outcomes]}, file,
                      indent=1)
        print("  * JSON written to " + path)
    return 1 if args.gate and missed else 0


def main(arguments=None):
    args = _parser().parse_args(arguments)
    try:
        return _measure(args)
    except (systems.UsageError, ValueError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 2
    except (systems.BuildError, runner.RunFailed, state.PlanChanged, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        cli.say("interrupted; the same command with --resume goes on")
        return 130


if __name__ == "__main__":
    sys.exit(main())
