"""Measures every published headline figure side by side: theirs, ours, pass or fail.

  bazel run //bench:claims                               all rows, about a minute a repetition
  bazel run //bench:claims -- --only=commit,stripes      some experiments (--list)
  bazel run //bench:claims -- --repetitions=10 --json=claims.json --dir=some/disk

The two sides of a ratio run interleaved in randomised blocks (//bench:compare); the figure is the
ratio of medians with its 95 % bootstrap interval. A figure that is held against one of another
machine is the upper quartile of its runs, and a peer, a structure of the standard kind behind
locks, runs beside it. A row that falls short is a FAIL, unless its explanation holds by the
measurements of the same run. While theirs lies within the interval of a row, be the row a pass or a
failure, or an explanation does not hold, the experiment is run on when all others have run, to
three times the repetitions at most. Rows whose compositions do not exist are not shown.
"""

import argparse
import json
import os
import sys
import tempfile

from bench.claims import judge, table
from bench.compare import cli, experiment, machine, rows, runner, schedule, state, systems

EPILOG = """exit status: 0; 1 a row fails and nothing explains it; 2 the command line is wrong;
3 a build or a run failed; 130 interrupted
"""


def _parser():
    p = argparse.ArgumentParser(prog="claims", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="", help="comma-separated experiments, by how they begin")
    p.add_argument("--repetitions", type=int, default=6, help="runs of each system, 6 by default")
    p.add_argument("--min-time", dest="min_time", help="of each row, instead of its own")
    p.add_argument("--dir", default=None, help="where the stores go; a disk, not tmpfs")
    p.add_argument("--seed", type=int, default=1, help="of the order, the data and the bootstrap")
    p.add_argument("--json", default=None, help="write the context and all rows")
    p.add_argument("--binary", action="append", default=[],
                   help="name=path of a system, or of micro, that is not to be built; repeatable")
    p.add_argument("--list", action="store_true", help="list experiments and rows")
    return p


def present(one, known):
    """Whether every system of an experiment exists."""
    if one.micro:
        return True
    try:
        for name in one.systems:
            known.target(name)
    except systems.UsageError:
        return False
    return True


def wanted(known, only):
    starts = [word.strip() for word in only.split(",") if word.strip()]
    chosen = [e for e in table.experiments(known) if present(e, known)]
    for start in starts:
        if not any(e.name.startswith(start) for e in chosen):
            raise systems.UsageError("no experiment begins with %s%s" % (
                start, systems.nearest(start, [e.name for e in chosen])))
    return [e for e in chosen if not starts or any(e.name.startswith(s) for s in starts)]


def _systems_of(one, known, given):
    made = []
    for name in one.systems:
        path = given.get("micro" if one.micro else name, "")
        target = table.MICRO if one.micro else known.target(name)
        arguments = ["--system=" + name] if one.micro else []
        made.append(systems.System(name, target=target, binary=path, arguments=arguments))
    return made


class _Trial:
    """An experiment with the runs that it has had so far."""

    # The rounds that one which stays undecided is in.
    ROUNDS = 3

    def __init__(self, one, claims, chosen, args, scratch):
        self._claims = claims
        self._systems = chosen
        self._args = args
        self._request = runner.Request(one.workloads, one.threads, one.num,
                                       None if one.micro else one.value_size,
                                       args.min_time or one.min_time, one.extra, args.dir)
        self._kept = state.State(
            os.path.join(scratch, one.name.replace(" ", "_")),
            experiment.plan_of(chosen, self._request, args.repetitions, args.seed), False)
        self.name = one.name
        self.outcomes = []
        self.context = {}

    def run(self, number):
        """Makes the runs up to those of round `number`, from 1; then judges all of them."""
        repetitions = number * self._args.repetitions
        runs = experiment.make_runs(self._systems, self._request, repetitions, self._args.seed,
                                    self._kept)
        read = (judge.net_of_making
                if any(claim.kind == "nanos_per_batch" for claim in self._claims)
                else rows.throughput)
        results = judge.Results(rows.rows_of(runs, [system.name for system in self._systems],
                                             self._request, schedule.blocks_of(repetitions), read))
        self.outcomes = [judge.outcome_of(claim, results) for claim in self._claims]
        self.context = experiment.context_of(runs, self._request, self._args.seed, 0.0)

    def undecided(self):
        return [outcome.claim.title for outcome in self.outcomes if outcome.undecided]


def _print(trial):
    probes = trial.context.get("fdatasync_us")
    print("\n== %s%s" % (trial.name, "" if not probes else
                         "   fdatasync %.0f us (%.0f to %.0f)" % tuple(probes)))
    for outcome in trial.outcomes:
        print(text_of(outcome), flush=True)


def _run_all(trials):
    """Prints each experiment when it is decided.

    What a round leaves undecided waits for the next, until when all others have run: a neighbour of
    this machine comes and goes within minutes.
    """
    left = trials
    for number in range(1, _Trial.ROUNDS + 1):
        waiting = []
        for position, trial in enumerate(left, 1):
            cli.say("round %d, experiment %d of %d: %s" % (number, position, len(left),
                                                           trial.name))
            trial.run(number)
            undecided = trial.undecided()
            if undecided and number < _Trial.ROUNDS:
                cli.say("undecided, to be run on: %s" % "; ".join(undecided))
                waiting.append(trial)
            else:
                _print(trial)
        left = waiting


def _figure(kind, value):
    if value is None:
        return "-"
    if kind == "ratio":
        return "%.2fx" % value if value < 1000 else "{:,.0f}x".format(value)
    if kind == "saving":
        return "%.1f %%" % (100 * value)
    if kind == "rate":
        return "{:,.0f}/s".format(value)
    return "{:,.0f} ns".format(value)


def text_of(outcome):
    claim = outcome.claim
    interval = ""
    if outcome.low != outcome.high and outcome.low > 0 and outcome.high != float("inf"):
        interval = " (%s to %s)" % (_figure(claim.kind, outcome.low),
                                    _figure(claim.kind, outcome.high))
    lines = ["%-62s theirs %-12s ours %-12s%s  %s" % (
        claim.title, _figure(claim.kind, claim.theirs), _figure(claim.kind, outcome.ours),
        interval, outcome.verdict)]
    if claim.kind == "rate" and claim.theirs is not None:
        lines.append("    %s ns a call, theirs %s ns" % tuple(
            "{:,.0f}".format(1e9 / rate) for rate in (outcome.ours, claim.theirs)))
    if outcome.peer is not None:
        lines.append("    against the best peer, %s: %.2fx" % (claim.peer, outcome.peer))
    percentiles = ["%s %.3g us" % (name, outcome.row.figures[key] / 1000) for name, key in (
        ("p50", "p50_ns"), ("p99", "p99_ns"), ("p99.9", "p99.9_ns"))
        if key in outcome.row.figures]
    lines.append("    " + "; ".join(filter(None, [claim.conditions, ", ".join(percentiles)])))
    if claim.omits:
        lines.append("    does not measure: " + claim.omits)
    if outcome.explanation:
        lines.append("    because " + outcome.explanation)
    return "\n".join(lines)


def json_of(outcome):
    claim = outcome.claim
    return {
        "title": claim.title,
        "experiment": claim.experiment,
        "kind": claim.kind,
        "theirs": claim.theirs,
        "ours": outcome.ours,
        "low": outcome.low,
        "high": outcome.high if outcome.high != float("inf") else None,
        "verdict": outcome.verdict,
        "explanation": outcome.explanation,
        "over_peer": outcome.peer,
        "conditions": claim.conditions,
        "omits": claim.omits,
        "figures": outcome.row.figures,
        "blocks": outcome.row.blocks,
    }


def _claims_of(one, known):
    return [claim for claim in table.claims(known) if claim.experiment == one.name]


def _list(chosen, known):
    for one in chosen:
        print("%s: %s" % (one.name, ", ".join(one.systems)))
        for claim in _claims_of(one, known):
            print("  %-60s theirs %s" % (claim.title, _figure(claim.kind, claim.theirs)))


def _measure(args):
    known = systems.Known.load()
    chosen = wanted(known, args.only)
    if args.list:
        _list(chosen, known)
        return 0
    given = {name: os.path.abspath(path) for name, path in
             (word.split("=", 1) for word in args.binary)}
    args.dir = cli.from_caller(args.dir)
    all_systems = {one.name: _systems_of(one, known, given) for one in chosen}
    systems.build([s for made in all_systems.values() for s in made],
                  os.environ.get("BUILD_WORKSPACE_DIRECTORY"), cli.say)
    busy = machine.busy_now()
    with tempfile.TemporaryDirectory() as scratch:
        trials = [_Trial(one, _claims_of(one, known), all_systems[one.name], args, scratch)
                  for one in chosen]
        _run_all(trials)
    outcomes = [outcome for trial in trials for outcome in trial.outcomes]
    contexts = {trial.name: trial.context for trial in trials}
    foreign = max([busy] + [context["foreign_cpus"] for context in contexts.values()])
    counts = {verdict: sum(o.verdict == verdict for o in outcomes)
              for verdict in (judge.PASS, judge.FAIL, judge.EXPLAINED)}
    print("\n%(pass)d pass, %(FAIL)d fail, %(explained)d fall short with an explanation" % counts)
    if foreign > machine.BUSY_CPUS:
        print("  * the machine was not quiet (%.1f CPUs busy with other work): do not quote these "
              "figures" % foreign)
    if args.json:
        path = cli.from_caller(args.json)
        with open(path, "w") as file:
            json.dump({"context": contexts, "claims": [json_of(o) for o in outcomes]}, file,
                      indent=1)
        print("  * JSON written to " + path)
    return 1 if counts[judge.FAIL] else 0


def main(arguments=None):
    args = _parser().parse_args(arguments)
    try:
        return _measure(args)
    except (systems.UsageError, ValueError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 2
    except (systems.BuildError, runner.RunFailed, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
