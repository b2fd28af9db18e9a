"""The program //bench:compare; cli.py has its help, README.md its place."""

import json
import os
import subprocess
import sys

from bench.compare import cli, experiment, machine, report, runner, state, systems, verdict

OK, BELOW_GATE, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def _workloads(text):
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise systems.UsageError("--workloads names no workload")
    for name in names:
        if names.count(name) > 1:
            raise systems.UsageError("workload %s is named twice" % name)
    return names


def _check_workloads(binary, request):
    """Lets a binary judge the flags, before an hour is spent on a typing error."""
    command = [binary] + request.flags(0) + ["--list"]
    found = subprocess.run([binary, "--list"], stdout=subprocess.PIPE, text=True)
    names = [line.split()[0] for line in found.stdout.splitlines() if line.split()]
    for name in request.workloads:
        if found.returncode == 0 and name not in names:
            raise systems.UsageError("unknown workload: %s%s" % (name, systems.nearest(
                name, names)))
    checked = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if checked.returncode == 2:
        raise systems.UsageError(checked.stderr.strip().removeprefix("error: "))


def _list(known, workspace):
    print(known.text())
    print("workloads: bazel run //bench:%s -- --list" % known.compositions[0])
    return OK


def _compare(args, workspace):
    known = systems.Known.load()
    if args.list:
        return _list(known, workspace)
    chosen = systems.parse(args.systems, known)
    request = runner.Request(
        _workloads(args.workloads), args.threads, args.num, args.value_size, args.min_time,
        args.extra, cli.from_caller(args.dir))
    if request.directory:
        os.makedirs(request.directory, exist_ok=True)
    systems.build(chosen, workspace, cli.say)
    _check_workloads(chosen[0].binary, request)
    plan = experiment.plan_of(chosen, request, args.repetitions, args.seed)
    path = cli.from_caller(args.state) or state.default_path(plan)
    kept = state.State(path, plan, args.resume)
    if kept.runs:
        cli.say("going on after %d finished runs (%s)" % (len(kept.runs), path))
    busy = machine.busy_now()
    if busy > machine.BUSY_CPUS:
        cli.say("the machine is busy: %.1f of %d CPUs before the first run" % (
            busy, os.cpu_count()))
    try:
        runs = experiment.make_runs(chosen, request, args.repetitions, args.seed, kept)
    except KeyboardInterrupt:
        cli.say("interrupted; the same command with --resume goes on after %d runs" %
                len(kept.runs))
        return INTERRUPTED
    return _conclude(args, chosen, request, runs, busy)


def _conclude(args, chosen, request, runs, busy):
    rows = experiment.judged_rows(runs, chosen, request, args.repetitions, args.seed,
                                  args.threshold)
    context = experiment.context_of(runs, request, args.seed, busy)
    print(report.preamble(context))
    print(report.table(rows))
    notes = report.not_run(rows) + experiment.notes_of(runs, context)
    for note in notes:
        print("  * " + note)
    if args.json:
        path = cli.from_caller(args.json)
        with open(path, "w") as file:
            json.dump({"context": context, "notes": notes, "runs": runs,
                       "rows": report.rows_as_json(rows)}, file, indent=1)
        print("  * JSON written to " + path)
    if any(row.verdict == verdict.NOT_RUN and row.reason.startswith("invalid") for row in rows):
        return FAILED
    if args.gate is None:
        return OK
    below = verdict.below_gate(rows, args.gate)
    for row in below:
        print("below the gate of %g: %s at %s, %d thread(s): %.3f (%.3f-%.3f)" % (
            args.gate, row.system, row.workload, row.threads, row.ratio, row.low, row.high))
    return BELOW_GATE if below else OK


def main(arguments=None, program="compare"):
    args = cli.parser(program).parse_args(arguments)
    try:
        return _compare(args, os.environ.get("BUILD_WORKSPACE_DIRECTORY"))
    except (systems.UsageError, state.PlanChanged) as error:
        print("error: %s" % error, file=sys.stderr)
        return USAGE
    except (systems.BuildError, runner.RunFailed, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
