"""A stand-in for a bench binary, for the tests: reports what its name and environment tell it to.

FAKE_RATES     JSON: {system: operations a second}; the system is this file's name
FAKE_LOG       appends a line for each run
FAKE_FAULT     "<system>:<fault>": exit, garbage, error, nothing, overflow, unordered, interrupt
FAKE_FAULT_ONCE  a path; the fault happens only while it does not exist
"""

import json
import os
import random
import signal
import sys

KNOWN = ["fillrandom", "readrandom", "readseq", "readreverse"]
ORDERED = ["readseq", "readreverse"]


def fault_of(name):
    system, _, fault = os.environ.get("FAKE_FAULT", "").partition(":")
    once = os.environ.get("FAKE_FAULT_ONCE")
    if system != name:
        return ""
    if once:
        if os.path.exists(once):
            return ""
        open(once, "w").close()
    return fault


def main():
    name = os.path.basename(sys.argv[0])
    flags = dict(argument[2:].partition("=")[::2] for argument in sys.argv[1:])
    if "list" in flags:
        print("\n".join(known + "  a workload" for known in KNOWN))
        return 2 if "bad_flag" in flags else 0
    with open(os.environ["FAKE_LOG"], "a") as log:
        log.write("%s %s\n" % (name, " ".join(sys.argv[1:])))
    fault = fault_of(name)
    if fault == "exit":
        print("error: the disk is full", file=sys.stderr)
        return 1
    if fault == "interrupt":
        os.kill(os.getppid(), signal.SIGINT)
        signal.pause()
    rate = json.loads(os.environ["FAKE_RATES"])[name]
    workloads = flags["workloads"].split(",")
    if fault == "unordered":
        refused = [w for w in workloads if w in ORDERED]
        workloads = [w for w in workloads if w not in ORDERED]
        for workload in refused:
            print("  * %s: not run, %s is not ordered" % (workload, name))
        if not workloads:
            print("error: nothing to run: readseq: not run, %s is not ordered" % name,
                  file=sys.stderr)
            return 1
    generator = random.Random("%s %s %d" % (name, flags["seed"], os.getpid()))
    rows = []
    for threads in flags["threads"].split(","):
        for workload in workloads:
            row = {
                "name": "%s/%s/threads:%s" % (name, workload, threads),
                "run_type": "iteration",
                "threads": int(threads),
                "ops": 0 if fault == "nothing" else 1000,
                "items_per_second": rate * generator.gauss(1, 0.005),
                "p50_ns": 1500.0,
                "p99_ns": 2500.0,
            }
            if fault == "overflow":
                row["over_1h"] = 1
            if fault == "error":
                row["error_occurred"] = True
                row["error_message"] = "checksum mismatch"
            rows.append(row)
    with open(flags["json"], "w") as file:
        if fault == "garbage":
            file.write("{")
        else:
            json.dump({"context": {"num": "1000", "key_size": "16", "value_size": "100",
                                   "directory": flags["dir"], "build": "fake"},
                       "benchmarks": rows}, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
