"""Measures for each policy of each slot the load at which it should be the best choice.

  bazel run //bench:policies                                        all slots; a slot takes minutes
  bazel run //bench:policies -- --slots=commit,memtable --repetitions=12
  bazel run //bench:policies -- --markdown=docs/policies.md --json=policies.json --dir=some/disk
  bazel run //bench:policies -- --slots=cache --smoke               toy sizes: does it run?
  bazel run //bench:policies -- --resume                            after an interruption

A case is a policy, a load and the figure that decides (cases.py, shown by --list). Its system runs
beside one for each other policy of the slot, interleaved in randomised blocks (//bench:compare);
the verdict is on the ratio to each other choice:

  best           credibly better than each
  level          none is credibly better, and with one at least there is no difference
  not the best   another is credibly better, or the policy breaks the limit of its own case
  only           no other policy is a choice at this load
  inconclusive   none of these; more runs would tell

Fewer than 6 runs settle nothing.
"""

import argparse
import datetime
import json
import os
import sys

from bench.compare import cli, experiment, machine, runner, state, systems
from bench.policies import cases, judge, report

EPILOG = """exit status: 0; 1 with --gate, when a policy is not the best at its load; 2 the command
line is wrong; 3 a build or a run failed; 130 interrupted, --resume goes on
"""

_SMOKE_NUM, _SMOKE_TIME, _SMOKE_REPETITIONS = "2k", "20ms", 2


def _parser():
    p = argparse.ArgumentParser(prog="policies", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--slots", default="", help="comma-separated, in any case; all by default")
    p.add_argument("--repetitions", type=int, default=8, help="runs of each system, 8 by default")
    p.add_argument("--dir", default=None, help="where the stores go; a disk, not tmpfs")
    p.add_argument("--seed", type=int, default=1, help="of the order, the data and the bootstrap")
    p.add_argument("--json", default=None, help="write contexts, outcomes and their rows")
    p.add_argument("--markdown", default=None, help="write the document")
    p.add_argument("--smoke", action="store_true", help="toy sizes: every case runs, none counts")
    p.add_argument("--gate", action="store_true", help="exit with 1 when a policy is not the best")
    p.add_argument("--resume", action="store_true", help="go on where the same call stopped")
    p.add_argument("--binary", action="append", default=[],
                   help="name=path of a system that is not to be built; repeatable")
    p.add_argument("--list", action="store_true", help="list slots, policies and their loads")
    return p


def slots_of(text):
    """The slots that --slots names, in the order of cases.SLOTS."""
    names = {slot.name.lower(): slot for slot in cases.SLOTS}
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in names:
            raise systems.UsageError("no slot %s%s" % (word, systems.nearest(word, list(names))))
    return [slot for slot in cases.SLOTS if not words or slot.name.lower() in words]


def systems_of(case, slot, known):
    """{policy: name of its system} of all policies that run in a case."""
    if slot.engine is None:
        return {name: name for name in cases.ENGINES}
    return {policy: known.combination(
        slot.engine, {**slot.beside, **case.beside, slot.name: policy})
            for policy in known.policies(slot.engine, slot.name)}


def request_of(case, args):
    num, min_time = case.num, case.min_time
    extra = list(case.extra)
    if args.smoke:
        num, min_time = _SMOKE_NUM, _SMOKE_TIME if case.min_time else None
        extra = [flag for flag in extra if not flag.startswith("--reads=")]
    return runner.Request(case.workloads, [case.threads], num, case.value_size, min_time, extra,
                          args.dir)


class Experiment:
    """Systems that run interleaved with the same flags: what cases of equal load share."""

    def __init__(self, names, request):
        self.names = names
        self.request = request
        self.runs = []
        self.context = {}

    @property
    def key(self):
        return (tuple(self.names), tuple(self.request.flags(0)))


class Plan:
    """The cases of some slots, and the experiments that they need."""

    def __init__(self, slots, known, args):
        self.cases = []
        self.systems = {}  # {case: {policy: system}}
        self.experiments = {}  # by key
        self._of_case = {}
        for slot in slots:
            for case in cases.CASES:
                if case.slot != slot.name:
                    continue
                self.cases.append(case)
                self.systems[case] = systems_of(case, slot, known)
                one = Experiment(list(self.systems[case].values()), request_of(case, args))
                self._of_case[case] = self.experiments.setdefault(one.key, one)

    def experiment(self, case):
        return self._of_case[case]

    def names(self):
        return list(dict.fromkeys(
            name for one in self.experiments.values() for name in one.names))


def _list(plan):
    slot = None
    for case in plan.cases:
        if case.slot != slot:
            slot = case.slot
            print("%s: %s" % (slot, ", ".join(plan.systems[case])))
        print("  %-16s %-20s %s" % (case.policy, case.figure, case.title))


def _runs_of(one, chosen, args):
    if args.resume:
        try:
            return experiment.run_kept(
                chosen, one.request, args.repetitions, args.seed, resume=True)
        except state.PlanChanged:
            # The call that is resumed has not come this far; the kept runs are of an older one.
            cli.say("its kept runs are of other binaries: it is run anew")
    return experiment.run_kept(chosen, one.request, args.repetitions, args.seed, resume=False)


def _measure(plan, binaries, args):
    count = len(plan.experiments)
    for number, one in enumerate(plan.experiments.values(), 1):
        cli.say("experiment %d of %d: %s" % (number, count, " ".join(one.request.flags(args.seed))))
        chosen = [binaries[name] for name in one.names]
        one.runs = _runs_of(one, chosen, args)
        one.context = experiment.context_of(one.runs, one.request, args.seed, 0.0)


def _judged(plan, seed):
    outcomes = [judge.outcome_of(case, plan.systems[case], plan.experiment(case).runs)
                for case in plan.cases]
    for slot in dict.fromkeys(case.slot for case in plan.cases):
        judge.judge([o for o in outcomes if o.case.slot == slot], seed)
    return outcomes


def _notes(plan):
    """What is to be said of the runs: of the machine once, of runs that were left out each."""
    notes = []
    foreign = max((one.context["foreign_cpus"] for one in plan.experiments.values()), default=0)
    if foreign > machine.BUSY_CPUS:
        notes.append("the machine was not quiet: other programs kept up to %.1f CPUs busy; do not "
                     "quote these figures" % foreign)
    for one in plan.experiments.values():
        notes += ["an invalid run of %s was left out: %s" % (run["system"], run["invalid"])
                  for run in one.runs if run["invalid"]]
    return list(dict.fromkeys(notes))


def _command(arguments):
    return " ".join(["bazel run //bench:policies"] + (["--"] + arguments if arguments else []))


def _write(plan, outcomes, args, arguments):
    notes = _notes(plan)
    for note in notes:
        print("  * " + note)
    contexts = {" ".join(one.request.flags(args.seed)): one.context
                for one in plan.experiments.values()}
    if args.json:
        with open(cli.from_caller(args.json), "w") as file:
            json.dump({"contexts": contexts, "notes": notes,
                       "policies": [report.as_json(o) for o in outcomes]}, file, indent=1)
    if args.markdown:
        own = {case: plan.systems[case][case.policy] for case in plan.cases}
        shown = [a for a in arguments if not a.startswith(("--markdown", "--json", "--dir",
                                                           "--binary", "--resume"))]
        with open(cli.from_caller(args.markdown), "w") as file:
            file.write(report.markdown(outcomes, own, contexts, notes, _command(shown),
                                       datetime.date.today().isoformat(), args.repetitions))


def _run(args, arguments):
    known = systems.Known.load()
    plan = Plan(slots_of(args.slots), known, args)
    if args.list:
        _list(plan)
        return 0
    given = {name: os.path.abspath(path) for name, path in
             (word.split("=", 1) for word in args.binary)}
    binaries = {name: systems.System(name, target=known.target(name), binary=given.get(name, ""))
                for name in plan.names()}
    systems.build(list(binaries.values()), os.environ.get("BUILD_WORKSPACE_DIRECTORY"), cli.say)
    _measure(plan, binaries, args)
    outcomes = _judged(plan, args.seed)
    for outcome in outcomes:
        print(report.line(outcome))
    print(report.summary(outcomes))
    _write(plan, outcomes, args, arguments)
    return 1 if args.gate and any(o.verdict == judge.NOT_BEST for o in outcomes) else 0


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(arguments)
    args.dir = cli.from_caller(args.dir)
    if args.dir:
        os.makedirs(args.dir, exist_ok=True)
    if args.smoke:
        args.repetitions = _SMOKE_REPETITIONS
    try:
        return _run(args, arguments)
    except (systems.UsageError, ValueError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 2
    except (systems.BuildError, runner.RunFailed, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        cli.say("interrupted; the same command with --resume goes on")
        return 130


if __name__ == "__main__":
    sys.exit(main())
