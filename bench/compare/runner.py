"""One run of one bench binary: a fresh process on a fresh directory, and what its JSON says.

A run that fails (exit status, unreadable JSON, a row in error) raises RunFailed with what the
binary printed. A run that ends but cannot be believed has `invalid` set to the reason.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from bench.compare import machine

_NOT_RUN = re.compile(r"(\w+): not run, ([^\n]+)")
# Context of the binary's report that every table and file repeats.
CONTEXT = ("composition", "descriptor", "compiler", "build", "cpu_model", "kernel", "key_size",
           "value_size", "num", "memtable_bytes", "cache_bytes", "file_system", "commit", "load")


class RunFailed(Exception):
    """A binary did not do what it was asked to; the text has its command and its output."""


class Request:
    """What every binary is asked for."""

    def __init__(self, workloads, threads=(1,), num=None, value_size=None, min_time=None,
                 extra=(), directory=None):
        self.workloads = list(workloads)
        self.threads = list(threads)
        self.num = num
        self.value_size = value_size
        self.min_time = min_time
        self.extra = list(extra)  # flags handed through as they are
        self.directory = directory  # where the stores go; None: the system's temporary place

    def flags(self, seed):
        flags = [
            "--workloads=" + ",".join(self.workloads),
            "--threads=" + ",".join(str(count) for count in self.threads),
            "--seed=%d" % seed,
        ]
        if self.num is not None:
            flags.append("--num=%s" % self.num)
        if self.value_size is not None:
            flags.append("--value_size=%s" % self.value_size)
        if self.min_time is not None:
            flags.append("--duration=%s" % self.min_time)
        return flags + self.extra


def _parse_rows(report):
    """{(workload, threads): figures}; of repetitions the last one counts."""
    rows = {}
    for row in report["benchmarks"]:
        if row.get("run_type", "iteration") != "iteration":
            continue
        if row.get("error_occurred"):
            raise RunFailed("%s: %s" % (row["name"], row.get("error_message", "failed")))
        # <composition>/<workload>/threads:<asked for>; "compact" runs on one thread all the same.
        _, workload, threads = row["name"].split("/")[:3]
        figures = {name: value for name, value in row.items() if isinstance(value, (int, float))}
        rows[workload, int(threads.removeprefix("threads:"))] = figures
    return rows


def _why_invalid(rows):
    for (workload, threads), figures in rows.items():
        if figures.get("ops", 0) <= 0 or figures.get("items_per_second", 0) <= 0:
            return "%s did nothing" % workload
        for name in figures:
            if name.endswith("over_1h"):
                return "%s: latencies over the histogram's hour" % workload
        if figures.get("mismatches", 0) > 0:
            return "%s: wrong reads" % workload
    return ""


def execute(command, environment):
    """(status, output, CPU seconds). An interrupt kills the child, too."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                                   env=environment)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return process.returncode, text, usage.ru_utime + usage.ru_stime


def run(command, request, seed):
    """Makes one run. `command` is a list: the binary and arguments of its own.

    Returns the run as a dict that goes into JSON: rows, refused, context, fdatasync_us, ...
    """
    directory = tempfile.mkdtemp(prefix="ashlar_compare_", dir=request.directory)
    try:
        return _run_in(directory, command, request, seed)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run_in(directory, command, request, seed):
    report_path = os.path.join(directory, "report.json")
    command = command + request.flags(seed) + [
        "--dir=" + os.path.join(directory, "store"), "--json=" + report_path]
    environment = {k: v for k, v in os.environ.items() if k != "BUILD_WORKING_DIRECTORY"}
    probe_before = machine.probe_fdatasync(directory)
    watch = machine.Watch()
    begin = time.monotonic()
    status, output, own_seconds = execute(command, environment)
    seconds = time.monotonic() - begin
    foreign = watch.foreign_cpus(own_seconds)
    refused = dict(_NOT_RUN.findall(output))
    if status == 1 and refused and "nothing to run" in output:
        return {"rows": [], "refused": {name: refused.get(name, next(iter(refused.values())))
                                        for name in request.workloads},
                "context": {}, "seconds": seconds, "invalid": ""}
    if status != 0:
        raise RunFailed("exit status %d of %s\n%s" % (status, " ".join(command), output.strip()))
    try:
        with open(report_path) as file:
            report = json.load(file)
        rows = _parse_rows(report)
    except (OSError, ValueError, KeyError) as error:
        raise RunFailed("%s: no readable report (%r)\n%s" % (
            " ".join(command), error, output.strip())) from error
    except RunFailed as failure:
        raise RunFailed("%s\n%s" % (" ".join(command), failure)) from failure
    result = {
        "rows": [{"workload": w, "threads": t, "figures": f} for (w, t), f in rows.items()],
        "refused": refused,
        "context": {k: report["context"][k] for k in CONTEXT if k in report["context"]},
        "seconds": seconds,
        "foreign_cpus": foreign,
        "invalid": _why_invalid(rows),
    }
    if "directory" in report["context"]:
        result["fdatasync_us"] = [probe_before * 1e6, machine.probe_fdatasync(directory) * 1e6]
    return result
