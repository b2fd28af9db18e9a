"""The program //bench:remote_compare; cli.py has its help."""

import datetime
import json
import os
import sys

from bench.compare import machine, state, systems
from bench.compare.verdict import NOT_RUN
from bench.remote_compare import (cli, comparable, experiment, judge, placement, plans, report,
                                  runner, servers)

OK, BELOW_GATE, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


class Question:
    """What is asked for, checked before anything is started."""

    def __init__(self, args):
        self.plan = plans.plan_of(args.plan, cli.from_caller(args.plan))
        self.plan.blocks = args.blocks or self.plan.blocks
        for cell in self.plan.cells:
            cell.options.update(plans.setting_of(text) for text in args.set)
            cell.extra = args.extra
        if args.figures:
            self.plan.figures = plans.figures_of(
                [name.strip() for name in args.figures.split(",") if name.strip()])
        a, b = servers.chosen(args.a, args.b, cli.say)
        self.specs = {judge.A: a, judge.B: b}
        noise = args.noise or ("aa" if a.is_local or args.twin else "pairs")
        if noise == "pairs" and args.twin:
            raise systems.UsageError("--twin is for --noise=aa")
        if noise == "aa":
            if not a.is_local and not args.twin:
                raise systems.UsageError("--noise=aa needs --twin, a second server equal to --a")
            # A local twin is a process of its own; there is no second server behind one URL.
            self.specs[judge.TWIN] = servers.parse(args.twin) if args.twin else a
        self.noise = noise
        local = all(spec.is_local for spec in self.specs.values())
        self.place = placement.CHOICES[args.place or (self.plan.place if local else "anywhere")]()
        self.seed = args.seed
        self.binary = os.path.abspath(args.remote)
        if not self.plan.rows():
            raise systems.UsageError("no cell of plan %s has one of these figures" % self.plan.name)
        if self.plan.blocks < self.plan.enough_blocks():
            cli.say("with %d blocks no row of this plan can be told from chance; %d could" % (
                self.plan.blocks, self.plan.enough_blocks()))

    @property
    def names(self):
        return {system: spec.text for system, spec in self.specs.items()}

    def as_plan(self):
        """What has to be equal for runs to share a table."""
        return {"servers": self.names, "plan": self.plan.as_json(), "noise": self.noise,
                "seed": self.seed, "place": self.place.text(),
                "binaries": {"remote": systems.digest(self.binary),
                             **{system: systems.digest(spec.program)
                                for system, spec in self.specs.items() if spec.is_local}}}


def _measure(args):
    if args.list:
        print(plans.listing())
        return OK
    question = Question(args)
    for cell in question.plan.cells:
        runner.check(question.binary, cell)
    plan = question.as_plan()
    path = cli.from_caller(args.state) or state.default_path({"program": "remote_compare", **plan})
    kept = state.State(path, plan, args.resume)
    if kept.runs:
        cli.say("going on after %d finished runs (%s)" % (len(kept.runs), path))
    cli.say("%d runs of %d cells, plan %s" % (
        question.plan.runs(len(question.specs)), len(question.plan.cells), question.plan.name))
    runs = []
    try:
        with servers.Servers(os.path.abspath(args.local_server), question.place) as started:
            runs = experiment.make_runs(
                question.binary, servers.Fleet(started, question.specs), question.plan,
                question.seed, kept,
                keep_data=all(spec.is_local for spec in question.specs.values()),
                busy=machine.busy_now())
    except KeyboardInterrupt:
        cli.say("interrupted; the same command with --resume goes on after %d runs" %
                len(kept.runs))
        return INTERRUPTED
    return _conclude(args, question, runs)


def _notes(rows, runs, known, busy, plan, place):
    notes = known.notes() + experiment.notes_of(runs, known.names) + report.shared_notes(
        rows, runs, place)
    if busy > machine.BUSY_CPUS:
        notes.append("the machine was not quiet before the runs: %.1f of %s CPUs were busy" % (
            busy, os.cpu_count()))
    for row in judge.told_apart_twins(rows):
        notes.append("%s, %s: two servers equal to A were told apart (%.3f, p %.2g); something "
                     "besides the server is measured here" % (
                         row.name, row.figure.name, row.twin_ratio, row.twin_p))
    for name in judge.untold(rows, plan.cells, plan.figures):
        notes.append("the servers do not tell %s" % name.replace("_", " "))
    notes.append("latencies of cells without a rate are service times of a closed loop")
    return notes


def _conclude(args, question, runs):
    busy = max(run["busy_cpus_before"] for run in runs)
    rows = judge.rows_of(runs, question.plan.cells, question.plan.figures, question.plan.blocks)
    judge.judge_all(rows, args.threshold)
    known = comparable.Servers(runs, question.names)
    context = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(),
        "busy_cpus_before": busy,
        "plan": question.plan.as_json(),
        "blocks": question.plan.blocks,
        "noise": question.noise,
        "seed": question.seed,
        "place": question.place.text(),
        "servers": known.as_json(),
        "not_comparable": known.not_comparable(),
    }
    notes = _notes(rows, runs, known, busy, question.plan, question.place)
    print(report.text(rows, known, context, notes))
    if args.markdown:
        with open(cli.from_caller(args.markdown), "w") as file:
            file.write(report.markdown(rows, known, context, notes, _command(args)))
    if args.json:
        with open(cli.from_caller(args.json), "w") as file:
            json.dump({"context": context, "notes": notes, "rows": report.rows_as_json(rows),
                       "runs": runs}, file, indent=1)
    if any(row.verdict == NOT_RUN for row in rows):
        return FAILED
    if args.gate is None:
        return OK
    below = judge.below_gate(rows, args.gate)
    for row in below:
        print("below the gate of %g: %s, %s: %.3f (%s)" % (
            args.gate, row.name, row.figure.name, row.ratio, report.interval(row)))
    return BELOW_GATE if below else OK


def _command(args):
    """How to do it again, without passwords and paths of results."""
    given = [("a", servers.redacted(args.a)), ("b", servers.redacted(args.b)),
             ("twin", servers.redacted(args.twin)), ("plan", args.plan), ("blocks", args.blocks),
             ("figures", args.figures), ("noise", args.noise), ("place", args.place),
             ("seed", args.seed)]
    return " ".join(["bazel run //bench:remote_compare --"] + [
        "--%s=%s" % (name, value) for name, value in given if value] + [
            "--set=" + setting for setting in args.set] + [
                "--extra=" + flag for flag in args.extra])


def main(arguments=None):
    args = cli.parser().parse_args(arguments)
    try:
        return _measure(args)
    except (systems.UsageError, state.PlanChanged) as error:
        print("error: %s" % error, file=sys.stderr)
        return USAGE
    except (runner.RunFailed, servers.ServerError, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
