"""One run of //bench:remote against one server, and what its JSON says.

A run that fails (no readable JSON, a status that it has no word for) raises RunFailed with what the
program printed. One that ends but cannot be believed has `invalid` set to the reasons: the program
judges that itself, by hits, errors, its own CPU time and its schedule.
"""

import json
import os
import tempfile
import time

from bench.compare import runner, systems
from bench.compare.runner import RunFailed
from bench.remote_compare import servers

_USAGE = 2
# Has the URL of a run: a command line is for all users of the machine to see, passwords and all.
_URL = "ASHLAR_REMOTE_URL"
# Context of the program's report that is kept with each run.
_CONTEXT = ("server", "version", "maxmemory", "persistence", "io_threads")


def check(binary, cell):
    """Lets the program judge a cell's flags, before an hour is spent on a typing error."""
    status, output, _ = runner.execute([binary] + cell.flags() + ["--list"], None)
    if status == _USAGE:
        raise systems.UsageError("cell %s: %s" % (
            cell.name, output.strip().removeprefix("error: ")))
    loads = [line.split()[0] for line in output.splitlines() if line.split()]
    if status == 0 and cell.load not in loads:
        raise systems.UsageError("cell %s: unknown load %s%s" % (
            cell.name, cell.load, systems.nearest(cell.load, loads)))


def _load_of(name):
    """<label>/<load>[/<operation>]/connections:<n>[/...]: the load; None for one of its operations.

    What follows the connections is what tells rows of one load apart, and stays with its name.
    """
    head, mark, tail = name.partition("/connections:")
    words = head.split("/")[1:]
    if not mark or len(words) != 1:
        return None
    _, slash, suffix = tail.partition("/")
    return words[0] + slash + suffix


def _rows_of(report):
    rows = {}
    for row in report["benchmarks"]:
        load = _load_of(row["name"])
        if row.get("run_type", "iteration") != "iteration" or load is None:
            continue
        if row.get("error_occurred"):
            raise RunFailed("%s: %s" % (row["name"], row.get("error_message", "failed")))
        rows[load] = {name: value for name, value in row.items()
                      if isinstance(value, (int, float)) and not isinstance(value, bool)}
    return rows


def _why_invalid(report, rows):
    told = report["context"].get("invalid", {})
    if isinstance(told, str):
        told = json.loads(told) if told else {}
    reasons = ["%s: %s" % (_load_of(name) or name, ", ".join(found))
               for name, found in told.items() if found]
    for load, figures in rows.items():
        if figures.get("ops", 0) <= 0 or figures.get("items_per_second", 0) <= 0:
            reasons.append("%s: nothing was done" % load)
        elif figures.get("valid", 1) != 1 and not reasons:
            reasons.append("%s: marked invalid" % load)
    if not rows:
        reasons.append("no row at all")
    return "; ".join(reasons)


def run(binary, url, flags):
    """Makes one run; returns it as a dict that goes into JSON: rows, context, invalid, seconds."""
    with tempfile.TemporaryDirectory(prefix="ashlar_remote_") as directory:
        path = os.path.join(directory, "report.json")
        command = [binary, "--url=env:" + _URL] + flags + ["--json=" + path]
        begin = time.monotonic()
        status, output, _ = runner.execute(command, {**os.environ, _URL: url})
        seconds = time.monotonic() - begin
        try:
            with open(path) as file:
                report = json.load(file)
            rows = _rows_of(report)
            invalid = _why_invalid(report, rows)
        except (OSError, ValueError, KeyError, AttributeError, RunFailed) as error:
            raise _failed(command, url, status, output, error) from error
    if status != 0 and not invalid:
        raise _failed(command, url, status, output, "no row is invalid")
    context = {name: str(report["context"][name]) for name in _CONTEXT
               if name in report["context"]}
    context["url"] = servers.redacted(url)
    return {
        "rows": rows,
        "context": context,
        "seconds": seconds,
        "invalid": invalid,
    }


def _failed(command, url, status, output, reason):
    text = "exit status %d of %s\n%s\n(%s)" % (status, " ".join(command), output.strip(), reason)
    # As a command that can be repeated, but for the password, which no server's words show either.
    return RunFailed(text.replace("env:" + _URL, url).replace(url, servers.redacted(url)))
