"""The runs of a comparison, block after block: servers, the data that they lack, runs."""

import math
import time

from bench.compare import experiment
from bench.remote_compare import plans, runner

# An invalid run is made again so often before its place stays empty.
ATTEMPTS = 3
# Of a run that only loads or removes data.
_FEW_REQUESTS = 100
# Seconds between lines of progress: runs may be much shorter.
_SHOWN_EVERY = 1.0


class InMemory:
    """Stands for state.State where nothing is to be resumed."""

    def __init__(self):
        self.runs = {}

    def add(self, run):
        self.runs[run["key"]] = run


class Data:
    """Which data the servers hold; it is loaded before the first run that needs it."""

    def __init__(self, binary, seed):
        self._binary = binary
        self._seed = seed
        self._cells = {}  # {URL: the cell whose data is there}

    def load(self, cell, urls):
        for url in urls:
            if url in self._cells and self._cells[url].data() == cell.data():
                continue
            self._remove(url)
            self._cells[url] = cell
            self._run(cell, url, "--keep")

    def forget(self, urls):
        """Other servers are there now, which hold nothing."""
        for url in urls:
            self._cells.pop(url, None)

    def clean_up(self):
        for url in list(self._cells):
            self._remove(url)

    def _remove(self, url):
        cell = self._cells.pop(url, None)
        if cell is not None:
            self._run(cell, url, "--preload=no")  # and keeps nothing

    def _run(self, cell, url, how):
        # Whether these few requests are to be believed does not matter; a failure does.
        runner.run(self._binary, url,
                   cell.short(_FEW_REQUESTS).flags() + [how, "--seed=%d" % self._seed])


def key_of(cell, run):
    return "%s/%s" % (cell.name, run.key)


def _seed_of(seed, cell_number, run):
    # Both systems of a half get the same requests, every other run of the comparison others.
    return (seed * 1000 + cell_number) * 10_000 + 2 * run.block + run.half


def _run_valid(binary, url, flags):
    """A run, made again while it is invalid; `again` has the reasons of those that were left."""
    again = []
    while True:
        result = runner.run(binary, url, flags)
        if not result["invalid"] or len(again) + 1 == ATTEMPTS:
            return {**result, "again": again}
        again.append(result["invalid"])


def make_runs(binary, fleet, plan, seed, kept, quiet=False, keep_data=False, busy=0.0):
    """Makes every run of the plan that `kept` lacks; returns all of them, in order.

    `fleet`: servers.Fleet or servers.Kept, its systems as in judge.py. `keep_data`: the servers are
    ours and end soon, so the last data need not be removed. `busy`: CPUs that were so before; kept
    with the runs, since those of another day were made under other circumstances.
    """
    planned = plans.schedule_of(plan, fleet.systems, seed)
    numbers = {cell.name: number for number, cell in enumerate(plan.cells)}
    data = Data(binary, seed)
    block = None
    progress = experiment.ProgressLine(len(planned))
    shown = -math.inf
    try:
        for number, (cell, run) in enumerate(planned):
            key = key_of(cell, run)
            if key in kept.runs:
                continue
            begin = time.monotonic()
            if not quiet and begin - shown >= _SHOWN_EVERY:
                progress.start(number, "%s, block %d, %s" % (cell.name, run.block + 1, run.system))
                shown = begin
            if block != (cell.name, run.block):
                block = cell.name, run.block
                data.forget(fleet.renew())
                data.load(cell, fleet.urls.values())
            flags = cell.flags() + ["--preload=no", "--keep", "--seed=%d" % _seed_of(
                seed, numbers[cell.name], run)]
            result = _run_valid(binary, fleet.urls[run.system], flags)
            kept.add({**result, "key": key, "cell": cell.name, "block": run.block,
                      "half": run.half, "system": run.system, "busy_cpus_before": busy})
            progress.made(time.monotonic() - begin)
    finally:
        if not quiet:
            progress.clear()
    if not keep_data:
        data.clean_up()
    return [kept.runs[key_of(cell, run)] for cell, run in planned]


def notes_of(runs, names):
    """Sentences on the runs that were left out; equal ones once, with their number."""
    counts = {}
    for run in runs:
        system = run["system"]
        where = "%s (%s) at %s" % (system.upper(), names[system], run["cell"])
        for reason in run["again"]:
            text = "invalid and made again, of %s: %s" % (where, reason)
            counts[text] = counts.get(text, 0) + 1
        if run["invalid"]:
            text = "invalid %d times and left out with the block, of %s: %s" % (
                ATTEMPTS, where, run["invalid"])
            counts[text] = counts.get(text, 0) + 1
    return ["%s %s" % ("a run was" if count == 1 else "%d runs were" % count, text)
            for text, count in counts.items()]
