"""What an interrupted comparison leaves behind, so that --resume goes on where it stopped.

    line 1        {"plan": {...}}     what was asked for, and a hash of every binary
    every other   {"key": ..., ...}   one finished run

A run is one line, written whole and synced before the next begins. A last line that was cut off is
dropped. A plan that differs refuses to be resumed: two builds never share a table.
"""

import hashlib
import json
import os


class PlanChanged(Exception):
    """The state on disk is of another comparison."""


def default_path(plan):
    """One file for each comparison, outside of the source tree."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(cache):
        cache = "/tmp"
    identity = {name: value for name, value in plan.items() if name != "binaries"}
    text = json.dumps(identity, sort_keys=True)
    return os.path.join(cache, "ashlar", "compare_%s.jsonl" % hashlib.sha256(
        text.encode()).hexdigest()[:12])


def _read(path):
    entries = []
    try:
        with open(path) as file:
            for line in file:
                if not line.endswith("\n"):
                    break
                entries.append(json.loads(line))
    except (FileNotFoundError, ValueError):
        pass
    return entries


class State:
    def __init__(self, path, plan, resume):
        """Starts a file of its own, or, where `resume`, goes on with the one that is there."""
        self.path = path
        self.runs = {}
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if resume:
            self._load(plan)
        # Written anew in both cases: what was cut off must not stand before the next line.
        with open(path + ".new", "w") as file:
            file.write(json.dumps({"plan": plan}) + "\n")
            for run in self.runs.values():
                file.write(json.dumps(run) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".new", path)

    def _load(self, plan):
        entries = _read(self.path)
        if not entries:
            return
        old = entries[0].get("plan")
        # Through JSON, as the old one went: tuples are lists there.
        if old != json.loads(json.dumps(plan)):
            changed = [name for name in plan if (old or {}).get(name) != plan[name]]
            raise PlanChanged("%s is of another comparison (%s differ): run without --resume" % (
                self.path, ", ".join(changed) or "its arguments"))
        self.runs = {entry["key"]: entry for entry in entries[1:]}

    def add(self, run):
        self.runs[run["key"]] = run
        with open(self.path, "a") as file:
            file.write(json.dumps(run) + "\n")
            file.flush()
            os.fsync(file.fileno())
