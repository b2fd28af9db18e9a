"""A stand-in for //bench:remote, the local servers and the proxy, for the tests: by its own name.

remote        reports what its environment tells it to, in the form of //bench:remote:
  FAKE_RATES    JSON: {part of a URL: operations a second}; 10,000 otherwise
  FAKE_CONTEXT  JSON: {part of a URL: {name: value}} for the report's context
  FAKE_SERVER_CPU  ns an operation, 5000 otherwise; empty: it is not told
  FAKE_NOISE    standard deviation of the logarithm of a run's rate
  FAKE_FAULT    "<part of a URL>|<fault>": exit, garbage, error, nothing, invalid, marked, interrupt
  FAKE_FAULT_ONCE  a path; the fault happens only while it does not exist, and only to a run that
                measures on data that are there
local_server  prints a URL with another port each time
slow_proxy    prints a URL that tells remote its delay
All of them add a line to FAKE_LOG for each call, remote with " at <URL>" behind it.

InProcess runs remote without a process, so that tests may make thousands of runs.
"""

import contextlib
import io
import json
import math
import os
import random
import sys
from unittest import mock

from bench.compare import runner

LOADS = ("getset", "structures", "suite")


def fault_of(flags):
    part, _, fault = os.environ.get("FAKE_FAULT", "").partition("|")
    once = os.environ.get("FAKE_FAULT_ONCE")
    if not fault or part not in flags["url"]:
        return ""
    if once:
        if os.path.exists(once) or "preload" not in flags or "keep" not in flags:
            return ""
        open(once, "w").close()
    return fault


def told(variable, url, otherwise):
    for part, value in json.loads(os.environ.get(variable, "{}")).items():
        if part in url:
            return value
    return otherwise


def row_of(name, rate, generator):
    wide = math.exp(generator.gauss(0, 0.02))
    server_cpu = os.environ.get("FAKE_SERVER_CPU", "5000")
    return {"name": name, "run_type": "iteration", "threads": 1, "ops": 1000,
            "items_per_second": rate, "p50_ns": 0.9e9 / rate, "p90_ns": 1.2e9 / rate,
            "p99_ns": 2e9 / rate * wide, "p999_ns": 3e9 / rate * wide, "max_ns": 9e9 / rate,
            "errors": 0, "hits": 800, "misses": 0, "valid": 1,
            **({"server_cpu_ns_per_op": float(server_cpu)} if server_cpu else {})}


def rows_of(flags, rate, generator):
    if flags["load"] == "suite":
        return [row_of("redis/%s/connections:%s" % (load, flags["connections"]), rate, generator)
                for load in ("first", "second")]
    path = "redis/%s/%sconnections:%s"
    rows = [row_of(path % (flags["load"], "", flags["connections"]), rate, generator)]
    if flags["load"] == "structures":
        rows += [row_of(path % (flags["load"], operation + "/", flags["connections"]), rate,
                        generator) for operation in ("LPUSH", "HGET")]
    return rows


def remote(flags):
    if "list" in flags:
        if flags.get("value_size") == "bad":
            print("error: --value_size: not valid: bad")
            return 2
        print("\n".join(load + "  a load" for load in LOADS))
        return 0
    url = flags["url"]
    fault = fault_of(flags)
    if fault == "exit":
        print("error: %s: connection refused" % url)
        return 1
    if fault == "interrupt":
        raise KeyboardInterrupt
    # Equal calls make equal reports, so that no test depends on luck.
    generator = random.Random("%s %s %s" % (flags["seed"], url, flags["load"]))
    rate = told("FAKE_RATES", url, 1e4)
    if "delay-" in url:
        rate = 1 / (1 / rate + 1e-9 * float(url.partition("delay-")[2].partition(":")[0]))
    rate *= math.exp(generator.gauss(0, float(os.environ.get("FAKE_NOISE", "0.004"))))
    rows = rows_of(flags, rate, generator)
    context = {"url": url, "server": "redis", "version": "7.0.15", "maxmemory": "no limit",
               "persistence": "save ''; appendonly no", "io_threads": "1",
               "seed": flags["seed"], **told("FAKE_CONTEXT", url, {})}
    if fault == "nothing":
        rows[0]["ops"] = 0
    if fault == "marked":
        rows[0]["valid"] = 0
    if fault == "invalid":
        rows[0]["valid"] = 0
        context["invalid"] = {rows[0]["name"]: ["the generator was CPU-bound"]}
    if fault == "error":
        rows[0].update(error_occurred=True, error_message="OOM command not allowed")
    with open(flags["json"], "w") as file:
        if fault == "garbage":
            file.write("{")
        else:
            json.dump({"context": context, "benchmarks": rows}, file)
    return 1 if fault else 0


def serve(url):
    print(url, flush=True)
    sys.stdin.read()
    return 0


def main(command):
    name = os.path.basename(command[0])
    flags = dict(argument[2:].partition("=")[::2] for argument in command[1:])
    served = ""
    if flags.get("url", "").startswith("env:"):
        flags["url"] = os.environ[flags["url"].removeprefix("env:")]
        served = " at " + flags["url"]
    with open(os.environ["FAKE_LOG"], "a+") as log:
        log.seek(0)
        calls = len(log.readlines())
        log.write("%s %s%s\n" % (name, " ".join(command[1:]), served))
    if name == "local_server":
        if os.environ.get("FAKE_FAULT") == "server":
            print("error: the server ended: out of memory", file=sys.stderr)
            return 1
        return serve("redis://127.0.0.1:%d" % (10_000 + calls))
    if name == "slow_proxy":
        return serve("redis://delay-%s:%d" % (flags["delay_ns"], 10_000 + calls))
    return remote(flags)


class InProcess:
    """While it is entered, a command whose program is called remote is a call of main()."""

    def __init__(self):
        self._execute = runner.execute

    def execute(self, command, environment):
        if os.path.basename(command[0]) != "remote":
            return self._execute(command, environment)
        with mock.patch.dict(os.environ, environment or {}), \
                contextlib.redirect_stdout(io.StringIO()) as output:
            status = main(command)
        return status, output.getvalue(), 0.0

    def __enter__(self):
        self._patch = mock.patch.object(runner, "execute", self.execute)
        return self._patch.__enter__()

    def __exit__(self, *error):
        return self._patch.__exit__(*error)


def install(folder, name, addition=""):
    """A program of that name which does as this file says."""
    path = os.path.join(folder, name)
    with open(os.path.abspath(__file__)) as source, open(path, "w") as file:
        file.write("#!%s\nimport sys\nsys.path[:0] = %r\n" % (sys.executable, sys.path) +
                   source.read() + addition)
    os.chmod(path, 0o755)
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv))
