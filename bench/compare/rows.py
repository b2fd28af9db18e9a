"""From finished runs to the rows of the tables."""

import statistics

from bench.compare.verdict import Row

# Figures whose medians the table shows or the JSON repeats for each row.
_FIGURES = ("p50_ns", "p90_ns", "p99_ns", "p99.9_ns", "p99.99_ns", "max_ns", "write_amplification",
            "disk_over_live", "peak_rss_mib", "cpu_ns_per_op", "gen_ns", "found_share",
            "wal_bytes_per_op")


def throughput(figures):
    return figures["items_per_second"]


def rows_of(runs, systems, request, blocks, read=throughput):
    """One Row for each workload, thread count and system, in this order, with its runs by block.

    Invalid runs are left out, and so are those of whose figures `read` makes None.
    """
    rows = []
    for threads in request.threads:
        for workload in request.workloads:
            for system in systems:
                rows.append(row_of(runs, workload, threads, system, blocks, read))
    return rows


def row_of(runs, workload, threads, system, blocks, read=throughput):
    """The Row of one system at one workload; what is compared is what `read` takes of a run."""
    row = Row(workload, threads, system)
    row.blocks = [[] for _ in range(blocks)]
    figures = {}
    for run in runs:
        if run["system"] != system:
            continue
        if run["invalid"]:
            row.reason = "invalid: " + run["invalid"]
            continue
        row.reason = run["refused"].get(workload, row.reason)
        for measured in run["rows"]:
            if (measured["workload"], measured["threads"]) != (workload, threads):
                continue
            value = read(measured["figures"])
            if value is not None:
                row.blocks[run["block"]].append(value)
            for name in _FIGURES:
                if name in measured["figures"]:
                    figures.setdefault(name, []).append(measured["figures"][name])
    row.figures = {name: statistics.median(values) for name, values in figures.items()}
    return row
