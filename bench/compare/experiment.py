"""A comparison from its plan to its rows: makes the runs that are missing, then judges."""

import sys
import time

from bench.compare import machine, rows, runner, schedule, state, systems, verdict

# An invalid run is made again so often before its place stays empty.
_ATTEMPTS = 3


def plan_of(chosen, request, repetitions, seed):
    """What has to be equal for runs to share a table."""
    return {
        "systems": [system.name for system in chosen],
        "binaries": {system.name: systems.digest(system.binary) for system in chosen},
        "flags": request.flags(seed),
        "repetitions": repetitions,
        "seed": seed,
    }


class ProgressLine:
    """Which run is on and how long the rest takes; rewritten in place on a terminal."""

    def __init__(self, total):
        self._total = total
        self._out = sys.stderr
        self._made = 0
        self._seconds = 0.0

    def start(self, done, what):
        """Says that `what` is on, after `done` runs that are finished or were kept."""
        left = ""
        if self._made:
            seconds = self._seconds / self._made * (self._total - done)
            left = ", about %s left" % (
                "%.0f s" % seconds if seconds < 100 else "%.0f min" % (seconds / 60))
        text = "[%d/%d] %s%s" % (done + 1, self._total, what, left)
        if self._out.isatty():
            self._out.write("\r\033[K" + text)
        else:
            self._out.write(text + "\n")
        self._out.flush()

    def made(self, seconds):
        self._made += 1
        self._seconds += seconds

    def clear(self):
        if self._out.isatty():
            self._out.write("\r\033[K")
            self._out.flush()


def _run_one(planned, command, request, seed):
    for attempt in range(_ATTEMPTS):
        # Both systems of a block get the same data; another block gets other data.
        result = runner.run(command, request, seed * 1000 + planned.block)
        if not result["invalid"]:
            break
    result.update(key=planned.key, block=planned.block, system=planned.system,
                  attempts=attempt + 1)
    return result


def make_runs(chosen, request, repetitions, seed, kept):
    """Makes every run of the schedule that `kept` lacks; returns all of them, in order."""
    commands = {system.name: [system.binary] + system.arguments for system in chosen}
    plan = schedule.schedule(list(commands), repetitions, seed)
    progress = ProgressLine(len(plan))
    try:
        for number, planned in enumerate(plan):
            if planned.key in kept.runs:
                continue
            progress.start(number, "block %d, %s" % (planned.block + 1, planned.system))
            begin = time.monotonic()
            kept.add(_run_one(planned, commands[planned.system], request, seed))
            progress.made(time.monotonic() - begin)
    finally:
        progress.clear()
    return [kept.runs[planned.key] for planned in plan]


def run_kept(chosen, request, repetitions, seed, path=None, resume=False):
    """All runs of one experiment, kept in the file `path` (state.default_path) as they finish."""
    plan = plan_of(chosen, request, repetitions, seed)
    kept = state.State(path or state.default_path(plan), plan, resume)
    return make_runs(chosen, request, repetitions, seed, kept)


def judged_rows(runs, chosen, request, repetitions, seed, threshold):
    names = [system.name for system in chosen]
    result = rows.rows_of(runs, names, request, schedule.blocks_of(repetitions))
    verdict.judge_all(result, names[0], seed, threshold)
    return result


def context_of(runs, request, seed, busy_before):
    """The machine, the binaries' own context, the probes, and who else was at work."""
    context = machine.describe()
    context["seed"] = seed
    context["flags"] = request.flags(seed)
    context["busy_cpus_before"] = busy_before
    contexts = {run["system"]: run["context"] for run in runs if run["context"]}
    context["systems"] = contexts
    for one in contexts.values():
        context.setdefault("binaries_context", {}).update(
            {name: value for name, value in one.items()
             if name not in ("composition", "descriptor")})
    probes = [value for run in runs for value in run.get("fdatasync_us", [])]
    if probes:
        ordered = sorted(probes)
        context["fdatasync_us"] = [ordered[len(ordered) // 2], ordered[0], ordered[-1]]
    context["foreign_cpus"] = max((run.get("foreign_cpus", 0) for run in runs), default=0)
    return context


def notes_of(runs, context):
    """Sentences on how far the figures can be believed."""
    notes = []
    if max(context["foreign_cpus"], context["busy_cpus_before"]) > machine.BUSY_CPUS:
        notes.append("the machine was not quiet: other programs kept up to %.1f of %s CPUs busy; "
                     "do not quote these figures" % (
                         max(context["foreign_cpus"], context["busy_cpus_before"]),
                         context["cpus"]))
    probes = context.get("fdatasync_us")
    if probes and probes[2] > 2 * probes[1]:
        notes.append("the disk was not steady: fdatasync took %.0f to %.0f us" % (
            probes[1], probes[2]))
    builds = {one.get("build") for one in context["systems"].values()}
    if len(builds) > 1:
        notes.append("the systems were compiled differently: " + "; ".join(
            sorted(str(build) for build in builds)))
    for run in runs:
        if run["invalid"]:
            notes.append("an invalid run of %s was left out: %s" % (run["system"], run["invalid"]))
        elif run["attempts"] > 1:
            notes.append("a run of %s was invalid and was made again" % run["system"])
    return list(dict.fromkeys(notes))
