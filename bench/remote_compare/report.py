"""The report of a comparison: for people, as Markdown, as JSON."""

import math
import statistics

from bench.compare import verdict as verdicts
from bench.remote_compare import judge

_HEAD = ("", "figure", "A", "B", "B / A", "95 % interval", "p", "noise", "verdict")


def number(value):
    if value is None:
        return "-"
    return "{:,.0f}".format(value) if value >= 1000 else "%.3g" % value


def _value(row, system):
    value = row.medians.get(system)
    return "-" if value is None else number(value * row.figure.scale)


def interval(row):
    if row.low is None or row.low <= 0 or not math.isfinite(row.high):
        return "-"
    return "%.3f-%.3f" % (row.low, row.high)


def verdict_text(row):
    if row.verdict == verdicts.NOT_RUN:
        return "not run"
    if row.verdict == verdicts.SAME:
        return "no difference (within %.2g %%)" % (100 * row.threshold)
    if row.verdict != verdicts.INCONCLUSIVE:
        return "B is %s" % row.verdict
    if row.under_floor:
        return "inconclusive: within the noise"
    return "inconclusive: about %d more runs of each" % row.more


def _cells(row):
    return (
        row.name,
        "%s %s" % (row.figure.name.replace("_", " "), row.figure.unit),
        _value(row, judge.A),
        _value(row, judge.B),
        "%.3f" % row.ratio if row.ratio is not None else "-",
        interval(row),
        "%.2g" % row.p if row.p is not None else "-",
        "%.1f %%" % (100 * row.floor) if row.floor is not None else "-",
        verdict_text(row),
    )


def _aligned(lines, left):
    """Columns as wide as they need to be; those in `left` to the left."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  " + "  ".join(
        text.ljust(width) if i in left else text.rjust(width)
        for i, (text, width) in enumerate(zip(line, widths))).rstrip() for line in lines]


def _servers_lines(known):
    lines = [("",) + tuple(system.upper() for system in known.names)]
    lines.append(("",) + tuple(known.names.values()))
    lines += [(title,) + tuple(values.values()) for title, values in known.table()]
    return lines


def _markdown_table(lines):
    def line_of(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    return [line_of(lines[0]), "|" + "---|" * len(lines[0])] + [line_of(l) for l in lines[1:]]


def headline(known):
    """The one line that a table of servers which are not comparable must not go without."""
    reasons = known.not_comparable()
    return "not comparable: " + "; ".join(reasons) if reasons else ""


def summary(rows):
    counts = {}
    for row in rows:
        said = row.verdict if row.verdict not in (verdicts.FASTER, verdicts.SLOWER) else (
            "B is " + row.verdict)
        counts[said] = counts.get(said, 0) + 1
    return "%d rows: %s" % (len(rows), ", ".join(
        "%d %s" % (count, said) for said, count in counts.items()))


def _method(context):
    return ("%d blocks of each cell, order by chance; ratios of blocks, signed-rank test, p "
            "corrected for all rows; seed %s" % (context["blocks"], context["seed"]))


def shared_notes(rows, runs, place):
    """What figures mean where server and generator take turns on one processor."""
    if not place.is_shared:
        return []
    shares = [figures["server_cpu_ns_per_op"] * figures["items_per_second"] / 1e9
              for run in runs if not run["invalid"] and run["system"] == judge.A
              for figures in run["rows"].values()
              if figures.get("server_cpu_ns_per_op") and figures.get("items_per_second")]
    share = ", %.0f %% of it in the median" % (100 * statistics.median(shares)) if shares else ""
    return ["servers and generator share a processor: throughput and latency are of both, and a "
            "difference between the servers shows in them by the server's share of the time%s" %
            share] + (["server cpu is of the servers alone, with the time that they take for "
                       "connections and INFO"]
                      if any(row.figure.name == "server_cpu" for row in rows) else [])


def text(rows, known, context, notes):
    machine = context["machine"]
    lines = ["generator  %s, %s CPUs, %s; %s" % (
        machine["cpu_model"], machine["cpus"], machine["kernel"], context["place"])]
    lines.append("plan       %s: %s" % (context["plan"]["name"], _method(context)))
    lines += ["", "servers"] + _aligned(_servers_lines(known), range(9)) + [""]
    if headline(known):
        lines.append(headline(known))
    lines += _aligned([_HEAD] + [_cells(row) for row in rows], (0, 1, 8))
    lines += ["", summary(rows)]
    return "\n".join(lines + ["  * " + note for note in notes])


def markdown(rows, known, context, notes, command):
    machine = context["machine"]
    lines = ["# %s against %s" % tuple(known.names[s] for s in (judge.A, judge.B)), "",
             "`%s`, %s, from %s (%s CPUs, %s; %s). %s." % (
                 command, context["date"], machine["cpu_model"], machine["cpus"],
                 machine["kernel"], context["place"], _method(context)), ""]
    lines += _markdown_table(_servers_lines(known)) + [""]
    if headline(known):
        lines += ["**%s**" % headline(known), ""]
    lines += _markdown_table([_HEAD] + [_cells(row) for row in rows])
    lines += ["", summary(rows) + ".", ""]
    lines += ["- " + note for note in notes]
    return "\n".join(lines).rstrip() + "\n"


def _finite(value):
    return value if value is None or math.isfinite(value) else None


def rows_as_json(rows):
    return [{
        "name": row.name,
        "cell": row.cell,
        "load": row.load,
        "figure": row.figure.name,
        "counter": row.figure.counter,
        "higher_is_better": row.figure.higher_is_better,
        "medians": row.medians,
        "blocks": row.blocks,
        "ratio": row.ratio,
        "ratio_low": row.low,
        "ratio_high": _finite(row.high),
        "p_holm": row.p,
        "noise_floor": row.floor,
        "twin_ratio": row.twin_ratio,
        "twin_p_holm": row.twin_p,
        "threshold": row.threshold,
        "verdict": row.verdict,
        "more_runs": row.more,
        "within_noise": row.under_floor,
    } for row in rows]
