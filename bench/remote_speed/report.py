"""The tables of //bench:remote_speed: for people, and as JSON."""

import math

from bench.compare import machine
from bench.remote_speed import aims
from bench.remote_speed.rivals import OURS, THEIRS

_HEAD = ("", "k/s ours", "theirs", "ratio", "95 %", "aim", "", "cpu ns ours", "theirs", "ratio",
         "95 %", "aim", "", "server us ours", "theirs", "server %", "cmds/read")
_LATENCY_HEAD = ("", "k/s", "p50 us", "p99 us", "p99 of runs", "aim", "", "p99.9 us",
                 "cpu ns", "of it awake")


def _aligned(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  " + "  ".join(
        text.rjust(width) if i else text.ljust(width)
        for i, (text, width) in enumerate(zip(line, widths))).rstrip() for line in lines]


def _interval(ratio):
    if ratio.low <= 0 or not math.isfinite(ratio.high):
        return "-"
    return "%.2f-%.2f" % (ratio.low, ratio.high)


def _ratio(ratio, scale):
    return ("%.0f" % (ratio.medians[OURS] * scale), "%.0f" % (ratio.medians[THEIRS] * scale),
            "%.2f" % ratio.ratio, _interval(ratio), ratio.aim.text() if ratio.aim else "",
            ratio.verdict)


def _both(row, figure, scale, form):
    return [form % (row.details[system][figure] * scale) if figure in row.details[system] else "-"
            for system in (OURS, THEIRS)]


def _cells(row):
    return ((row.name,) + _ratio(row.rate, 1e-3) + _ratio(row.cpu, 1) +
            tuple(_both(row, "server_cpu_ns", 1e-3, "%.2f")) +
            ("/".join(_both(row, "server_share", 100, "%.0f")),
             "/".join(_both(row, "commands_per_read", 1, "%.1f"))))


def _latency_cells(latency):
    found = latency.figures
    return (latency.name, "%.1f" % (found["rate"] / 1e3), "%.1f" % found["p50_us"],
            "%.1f" % found["p99_us"], "%.1f-%.1f" % (latency.least, latency.greatest),
            latency.aim.text() if latency.aim else "", latency.verdict,
            "%.1f" % found["p999_us"], "%.0f" % found["cpu_ns"], "%.0f" % found["spun_ns"])


class Result:
    """All tables and what is to be said of them."""

    def __init__(self, on_server, on_instant, latencies, context):
        self.on_server = on_server
        self.on_instant = on_instant
        self.latencies = latencies
        self.context = context
        self.notes = []
        for row in on_server:
            if row.server_is_the_limit:
                self.notes.append(
                    "%s: the server worked without a rest for both, so the ratio of rates is that "
                    "of its processor time for a command, which no generator changes by being "
                    "faster" % row.name)
        self.notes.append(
            "in closed loop requests wait for each other: %d connections over %.0f k/s are "
            "%.0f us in flight, whoever drives" % (
                context["connections"], latencies[-1].figures["rate"] / 1e3,
                1e6 * context["connections"] / latencies[-1].figures["rate"]))
        if context["busy_cpus_before"] > machine.BUSY_CPUS:
            self.notes.append("the machine was not quiet before: %.1f of %d CPUs were busy" % (
                context["busy_cpus_before"], context["machine"]["cpus"]))

    def note_foreign_work(self, runs):
        busy = [run["foreign_cpus"] for run in runs if "server_cpu_ns" in run]
        if busy and sum(busy) / len(busy) > machine.BUSY_CPUS:
            self.notes.append("others kept %.1f CPUs busy meanwhile: ratios stand, rates and "
                              "latencies of a quiet machine are better" % (sum(busy) / len(busy)))

    def _verdicts(self):
        for table, rows in (("server", self.on_server), ("instant server", self.on_instant)):
            for row in rows:
                yield "rate, %s on the %s" % (row.name, table), row.rate.verdict
                yield "processor time, %s on the %s" % (row.name, table), row.cpu.verdict
        for latency in self.latencies:
            yield "p99, %s" % latency.name, latency.verdict

    def missed(self):
        return [name for name, verdict in self._verdicts() if verdict == aims.MISSED]

    def _summary(self):
        verdicts = [verdict for _, verdict in self._verdicts() if verdict]
        counts = ", ".join("%d %s" % (verdicts.count(one), one)
                           for one in (aims.REACHED, aims.OPEN, aims.MISSED) if one in verdicts)
        text = "%d aims: %s" % (len(verdicts), counts)
        return [text] + ["  missed: " + name for name in self.missed()]

    def text(self):
        context = self.context
        lines = ["%s, %s CPUs, %s; %s" % (
            context["machine"]["cpu_model"], context["machine"]["cpus"],
            context["machine"]["kernel"], context["place"])]
        lines.append("%d connections, %d keys, values of %d B; %d blocks; ours: //bench:remote, "
                     "one thread; theirs: redis-benchmark" % (
                         context["connections"], context["keys"], context["value_bytes"],
                         context["blocks"]))
        lines += ["", "%s-server" % context["server"]
                  if "/" not in context["server"] else context["server"]]
        lines += _aligned([_HEAD] + [_cells(row) for row in self.on_server])
        without = [_cells(row)[:-4] for row in self.on_instant]
        lines += ["", "a server that answers at once"] + _aligned([_HEAD[:-4]] + without)
        lines += ["", "own latency, against the same"]
        lines += _aligned([_LATENCY_HEAD] + [_latency_cells(one) for one in self.latencies])
        lines += [""] + self._summary()
        return "\n".join(lines + ["  * " + note for note in self.notes])

    def as_json(self):
        return {"context": self.context, "notes": self.notes, "missed": self.missed(),
                "server": [row.as_json() for row in self.on_server],
                "instant_server": [row.as_json() for row in self.on_instant],
                "latency": [latency.as_json() for latency in self.latencies]}
