"""The tables: for each workload one, a line for each system, the baseline first."""

import math

from bench.compare import verdict

_COLUMNS = "  %-*s %12s %8s %8s %8s %7s  %-15s %8s  %s"
_HEAD = ("", "ops/s", "p50 us", "p99 us", "p99.9 us", "ratio", "95 % interval", "p", "verdict")


def _rate(value):
    return "{:,.0f}".format(value) if value >= 100 else "%.3g" % value


def _micros(figures, name):
    return "%.3g" % (figures[name] / 1000) if name in figures else "-"


def _interval(row):
    if row.low is None or not math.isfinite(row.high):
        return "-"
    return "%.3f-%.3f" % (row.low, row.high)


def verdict_text(row):
    if row.verdict == verdict.NOT_RUN:
        return "-"
    if row.verdict == verdict.INCONCLUSIVE:
        return "inconclusive: about %d more runs of each" % row.more
    if row.verdict == verdict.SAME:
        return "no difference (within %.1f %%)" % (100 * row.threshold)
    return row.verdict


def _line(row, width):
    columns = (
        width,
        row.system,
        _rate(row.median) if row.median is not None else "-",
        _micros(row.figures, "p50_ns"),
        _micros(row.figures, "p99_ns"),
        _micros(row.figures, "p99.9_ns"),
        "%.3f" % row.ratio if row.ratio is not None else "-",
        _interval(row),
        "%.2g" % row.p if row.p is not None else "-",
        verdict_text(row),
    )
    return (_COLUMNS % columns).rstrip()


def _size(count):
    for unit in ("", "k", "M", "G"):
        if count < 1000 or count % 1000:
            return "%d%s" % (count, unit)
        count //= 1000
    return "%dT" % count


def preamble(context):
    """What a reader has to know to believe the figures."""
    lines = ["machine  %s, %s CPUs, %s" % (
        context.get("cpu_model", "unknown"), context.get("cpus", "?"),
        context.get("kernel", "unknown"))]
    shared = context.get("binaries_context", {})
    if shared:
        lines.append("data     %s keys of %s B, values of %s B unless the workload differs" % (
            _size(int(shared.get("num", 0))), shared.get("key_size", "?"),
            shared.get("value_size", "?")))
        lines.append("memory   memtable %d MiB, block cache %d MiB, page cache not dropped" % (
            int(shared.get("memtable_bytes", 0)) >> 20, int(shared.get("cache_bytes", 0)) >> 20))
        lines.append("build    %s, %s" % (shared.get("compiler", "?"), shared.get("build", "?")))
        if "file_system" in shared:
            lines.append("disk     " + shared["file_system"])
    lines.append("load     closed loop; seed %s" % context.get("seed"))
    probes = context.get("fdatasync_us")
    if probes:
        lines.append("         fdatasync of a 4 KiB overwrite, before and after each run: "
                     "%.0f us (%.0f-%.0f)" % tuple(probes))
    return "\n".join(lines)


def table(rows):
    text = []
    title = None
    width = max((len(row.system) for row in rows), default=0)
    for row in rows:
        if title != (row.workload, row.threads):
            title = (row.workload, row.threads)
            noises = [r.noise for r in rows if (r.workload, r.threads) == title and r.noise]
            runs = max(len(r.runs) for r in rows if (r.workload, r.threads) == title)
            noise = ", noise floor %.1f %%" % (100 * max(noises)) if noises else ""
            text.append("\n%s, %d thread%s (median of %d runs%s)" % (
                row.workload, row.threads, "" if row.threads == 1 else "s", runs, noise))
            text.append(_COLUMNS % (width, *_HEAD))
        text.append(_line(row, width))
    return "\n".join(text)


def not_run(rows):
    """Why rows are empty: a sentence for each reason, with the workloads that it holds for."""
    workloads = {}
    for row in rows:
        if row.verdict == verdict.NOT_RUN:
            names = workloads.setdefault((row.system, row.reason or "interrupted before"), [])
            if row.workload not in names:
                names.append(row.workload)
    return ["%s at %s: not run, %s" % (system, ", ".join(names), reason)
            for (system, reason), names in workloads.items()]


def _finite(value):
    return value if value is None or math.isfinite(value) else None


def rows_as_json(rows):
    return [{
        "workload": row.workload,
        "threads": row.threads,
        "system": row.system,
        "median_ops_per_second": row.median,
        "blocks": row.blocks,
        "figures": row.figures,
        "ratio": row.ratio,
        "ratio_low": row.low,
        "ratio_high": _finite(row.high),
        "p_holm": row.p,
        "noise_floor": row.noise,
        "threshold": row.threshold,
        "verdict": row.verdict,
        "more_runs": row.more,
        "reason": row.reason,
    } for row in rows]
