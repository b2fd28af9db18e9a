"""The outcomes as text for a terminal, as a Markdown document, and as JSON."""

import math

from bench.compare import report as compare_report
from bench.policies import figures, judge


def _interval(row):
    if row is None:
        return "-"
    if row.low <= 0 or not math.isfinite(row.high):
        return "%.2f" % row.ratio
    return "%.2f (%.2f to %.2f)" % (row.ratio, row.low, row.high)


def verdict_text(outcome):
    return outcome.verdict + (": " + outcome.reason if outcome.reason else "")


def _own_figure(outcome):
    if outcome.own.median is None:
        return "-"
    return figures.FIGURES[outcome.case.figure].text(outcome.own.median)


def _best_other(outcome):
    name = outcome.best_sibling
    if name is None:
        return "-"
    figure = figures.FIGURES[outcome.case.figure]
    return "%s %s" % (name, figure.text(outcome.pairs[name][1].median))


def line(outcome):
    case = outcome.case
    return "%-14s %-16s %-20s against %-26s %-22s %s" % (
        case.slot, case.policy, _own_figure(outcome), _best_other(outcome),
        _interval(outcome.against_best), verdict_text(outcome))


def _left_out(outcomes):
    """Who was no choice at which load, a sentence for each reason."""
    lines = []
    for outcome in outcomes:
        reasons = {}
        for policy, why in outcome.no_choice.items():
            reasons.setdefault(why, []).append("`%s`" % policy)
        for why, policies in reasons.items():
            lines.append("- `%s`, %s: without %s (%s)." % (
                outcome.case.policy, outcome.case.title, ", ".join(policies), why))
    return lines


def flags_of(case):
    """The flags of a bench binary at the case's load."""
    flags = ["--workloads=" + ",".join(case.workloads), "--num=" + case.num]
    if case.threads != 1:
        flags.append("--threads=%d" % case.threads)
    if case.value_size != 100:
        flags.append("--value_size=%d" % case.value_size)
    if case.min_time:
        flags.append("--duration=" + case.min_time)
    return " ".join(flags + case.extra)


def _section(slot, outcomes, systems):
    lines = ["", "## " + slot, "",
             "| policy | load | decided by | its own | best other | ratio, 95 % interval "
             "| verdict |",
             "|---|---|---|---|---|---|---|"]
    for outcome in outcomes:
        case = outcome.case
        lines.append("| `%s` | %s | %s | %s | %s | %s | %s |" % (
            case.policy, case.title, case.figure, _own_figure(outcome), _best_other(outcome),
            _interval(outcome.against_best), verdict_text(outcome)))
    left_out = _left_out(outcomes)
    if left_out:
        lines += [""] + left_out
    lines += ["", "| policy | system | flags |", "|---|---|---|"]
    for outcome in outcomes:
        lines.append("| `%s` | `%s` | `%s` |" % (
            outcome.case.policy, systems[outcome.case], flags_of(outcome.case)))
    return lines


def markdown(outcomes, systems, contexts, notes, command, date, repetitions):
    """The document. `systems` is {case: the policy's own system}."""
    context = next(iter(contexts.values()), {})
    lines = [
        "# Policies: where each is the best choice", "",
        "Written by `%s` on %s; do not edit. `bench/policies/cases.py` has the cases." % (
            command, date), "",
        "- Machine: %s, %s CPUs, %s." % (
            context.get("cpu_model", "unknown"), context.get("cpus", "?"),
            context.get("kernel", "unknown"))]
    shared = context.get("binaries_context", {})
    if shared:
        lines.append("- Build: %s, %s." % (shared.get("compiler", "?"), shared.get("build", "?")))
    probes = [c["fdatasync_us"] for c in contexts.values() if c.get("fdatasync_us")]
    if probes:
        lines.append(
            "- Disk: %s; fdatasync of a 4 KiB overwrite, before and after each run: %.0f us "
            "(%.0f to %.0f)." % (
                shared.get("file_system", "file system unknown"),
                sorted(p[0] for p in probes)[len(probes) // 2], min(p[1] for p in probes),
                max(p[2] for p in probes)))
    lines += [
        "- Runs: %d of each system, interleaved in randomised blocks, each in a fresh process on a "
        "fresh directory; closed loop; the page cache is not dropped." % repetitions,
        "- Ratios are of medians, above 1 where the policy is better, with 95 % bootstrap "
        "intervals against the best other choice. *Best* is credibly better than each other choice "
        "(Mann-Whitney, Holm's correction over the slot).",
    ] + ["- Note: %s." % note for note in notes]
    slots = {}
    for outcome in outcomes:
        slots.setdefault(outcome.case.slot, []).append(outcome)
    for slot, some in slots.items():
        lines += _section(slot, some, systems)
    return "\n".join(lines) + "\n"


def as_json(outcome):
    return {
        "slot": outcome.case.slot,
        "policy": outcome.case.policy,
        "load": outcome.case.title,
        "figure": outcome.case.figure,
        "flags": flags_of(outcome.case),
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "best_sibling": outcome.best_sibling,
        "no_choice": outcome.no_choice,
        "figures": outcome.own.figures,
        "against": {name: compare_report.rows_as_json([row])[0]
                    for name, (row, _) in outcome.pairs.items()},
    }


def summary(outcomes):
    counts = {}
    for outcome in outcomes:
        counts[outcome.verdict] = counts.get(outcome.verdict, 0) + 1
    order = (judge.BEST, judge.LEVEL, judge.ONLY, judge.NOT_BEST, judge.INCONCLUSIVE)
    return ", ".join("%d %s" % (counts[name], name) for name in order if name in counts)
