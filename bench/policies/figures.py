"""The figures that decide a case: what each reads of a run, and whether more of it is better."""


class Figure:
    def __init__(self, unit, more_is_better, read):
        self.unit = unit
        self.more_is_better = more_is_better
        self._read = read

    def value(self, figures):
        """Of one row's figures, as a bench binary reports them; None where it has none."""
        return self._read(figures)

    def merit(self, figures):
        """The value so that more is better, as verdicts want it; None where it has none."""
        value = self.value(figures)
        if self.more_is_better or value is None:
            return value
        return 1 / value if value > 0 else None

    def text(self, merit):
        """A merit as the figure that it came from."""
        value = merit if self.more_is_better else 1 / merit
        if self.unit == "%":
            return "%.1f %%" % (100 * value)
        number = "{:,.0f}".format(value) if value >= 100 else "%.3g" % value
        return (number + " " + self.unit).rstrip()


def _named(name, scale=1.0):
    return lambda figures: figures[name] * scale if name in figures else None


def _hit_ratio(figures):
    hits = figures.get("engine_cache_hits", 0)
    asked = hits + figures.get("engine_cache_misses", 0)
    return hits / asked if asked > 0 else None


def _false_positives(figures):
    asked = figures.get("engine_table_searches", 0)
    return figures.get("engine_filter_false_positives", 0) / asked if asked > 0 else None


FIGURES = {
    "throughput": Figure("ops/s", True, _named("items_per_second")),
    "p50": Figure("us", False, _named("p50_ns", 1e-3)),
    "p99": Figure("us", False, _named("p99_ns", 1e-3)),
    "p99.9": Figure("us", False, _named("p99.9_ns", 1e-3)),
    "CPU": Figure("ns an operation", False, _named("cpu_ns_per_op")),
    "write amplification": Figure("", False, _named("write_amplification")),
    "log bytes": Figure("B an operation", False, _named("wal_bytes_per_op")),
    "disk": Figure("MB", False, _named("disk_bytes", 1e-6)),
    "space": Figure("B a live byte", False, _named("disk_over_live")),
    "memory": Figure("MiB", False, _named("peak_rss_mib")),
    "hit ratio": Figure("%", True, _hit_ratio),
    "false positives": Figure("%", False, _false_positives),
}
