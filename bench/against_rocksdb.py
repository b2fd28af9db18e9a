"""Runs Ashlar's LSM compositions against RocksDB's db_bench, interleaved, and prints the ratios.

    bazel run //bench:against_rocksdb
    bazel run //bench:against_rocksdb -- --rounds=5 --num=1000000 --dir=/mnt/disk

Both sides get 16-byte keys, 100-byte values, 10-bit Bloom filters, no compression and a cache that
holds the data (Ashlar reads the mapped files); memtables have their default sizes.
Each round runs both, in changing order (A B, B A, ...), each in a process of its own on a fresh
directory; a row's figure is the median of the rounds, its spread the
smallest and largest ratio of a round. Durable rows stand beside a probe of the device: the median
time of an fdatasync of an overwritten block, taken before each round.

Needs db_bench (Debian: rocksdb-tools). Measure on an idle machine: when other programs are at
work, or the probes differ two-fold, the tool says so. Exit status: 0; 1 a run failed; 2 no
db_bench.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from bench.compare import cli, machine

ASSERTIONS = "assertions"
READS = ["fillrandom", "readrandom", "readmissing", "readseq"]


def run(command):
    """Returns the output of a command and its peak RSS in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit("failed: %s\n%s" % (" ".join(command), output))
    return output, usage.ru_maxrss / 1024


def ashlar(binary, workloads, num, threads, directory):
    """Returns {workload: operations a second}, and the peak RSS."""
    report = os.path.join(directory, "report.json")
    run([
        binary,
        "--workloads=" + ",".join(workloads),
        "--num=%d" % num,
        "--threads=%d" % threads,
        "--dir=" + os.path.join(directory, "store"),
        "--json=" + report,
    ])
    with open(report) as file:
        rows = json.load(file)["benchmarks"]
    # The kernel's own peak would be the last row's: the bench resets it before each.
    rss = max(row["peak_rss_mib"] for row in rows)
    return {row["name"].split("/")[1]: row["items_per_second"] for row in rows}, rss


def rocksdb(workloads, num, threads, directory, sync):
    """The same of db_bench, whose --num is for each thread."""
    output, rss = run([
        "db_bench",
        "--benchmarks=" + ",".join(workloads),
        "--num=%d" % num,
        "--threads=%d" % threads,
        "--db=" + os.path.join(directory, "store"),
        "--key_size=16",
        "--value_size=100",
        "--bloom_bits=10",
        "--compression_type=none",
        "--cache_size=%d" % (1 << 30),
        "--sync=%d" % sync,
    ])
    found = re.findall(r"^(\w+)\s*:\s*[\d.]+ micros/op (\d+) ops/sec", output, re.M)
    rates = {name: float(rate) for name, rate in found}
    if "Assertions are enabled" in output:
        rates[ASSERTIONS] = 1.0
    missing = set(workloads) - set(rates)
    if missing:
        sys.exit("db_bench did not report %s:\n%s" % (", ".join(missing), output))
    return rates, rss


class Pair:
    """One pair of commands and the rows that they give."""

    def __init__(self, title, workloads, num, threads, binary, sync):
        self.title = title
        self.workloads = workloads
        self.num = num
        self.threads = threads
        self.binary = binary
        self.sync = sync
        self.rounds = []  # (ours, our RSS, theirs, their RSS)

    def run_round(self, number, parent):
        sides = {}
        for side in ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours"):
            directory = tempfile.mkdtemp(dir=parent)
            try:
                if side == "ours":
                    sides[side] = ashlar(self.binary, self.workloads, self.num, self.threads,
                                         directory)
                else:
                    sides[side] = rocksdb(self.workloads, self.num, self.threads, directory,
                                          self.sync)
            finally:
                shutil.rmtree(directory, ignore_errors=True)
        self.rounds.append(sides["ours"] + sides["theirs"])

    def print_rows(self):
        for workload in self.workloads:
            ours = [r[0][workload] for r in self.rounds]
            theirs = [r[2][workload] for r in self.rounds]
            print_row("%s, %d thread(s)" % (self.title % workload, self.threads), ours, theirs,
                      1e-3)
        print_row("  peak RSS, MiB (less is better)", [r[1] for r in self.rounds],
                  [r[3] for r in self.rounds], 1)


def print_row(title, ours, theirs, scale):
    ratios = [a / b for a, b in zip(ours, theirs)]
    print("%-44s %10.1f %10.1f %8.2fx   %.2f-%.2f" % (
        title, statistics.median(ours) * scale, statistics.median(theirs) * scale,
        statistics.median(ratios), min(ratios), max(ratios)))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unsynced", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--durable", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved runs of each side")
    parser.add_argument("--num", type=int, default=1000000, help="keys of the rows not synced")
    parser.add_argument("--syncs", type=int, default=4000, help="durable puts of each thread")
    parser.add_argument("--dir", default=None, help="where the stores go; a disk, not tmpfs")
    args = parser.parse_args()
    if shutil.which("db_bench") is None:
        print("db_bench is not installed (Debian: apt-get install rocksdb-tools)", file=sys.stderr)
        return 2
    pairs = [Pair("%s", READS, args.num, 1, args.unsynced, 0)]
    pairs += [Pair("durable %s", ["fillrandom"], args.syncs, threads, args.durable, 1)
              for threads in (1, 16)]
    parent = tempfile.mkdtemp(dir=cli.from_caller(args.dir))
    busy = machine.busy_now()
    probes = []
    try:
        for number in range(args.rounds):
            for pair in pairs:
                probes.append(machine.probe_fdatasync(parent))
                pair.run_round(number, parent)
                print("round %d of %d: %s, %d thread(s)" % (
                    number + 1, args.rounds, pair.title % "rows", pair.threads), file=sys.stderr)
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    print("%-44s %10s %10s %9s   %s" % ("k operations/s, median", "Ashlar", "RocksDB", "ratio",
                                        "rounds"))
    for pair in pairs:
        pair.print_rows()
    print("fdatasync probe: %.0f us (%.0f-%.0f); CPUs busy at the start %.1f" % (
        statistics.median(probes) * 1e6, min(probes) * 1e6, max(probes) * 1e6, busy))
    if any(ASSERTIONS in r[2] for pair in pairs for r in pair.rounds):
        print("This db_bench was built with assertions, which slow RocksDB down.")
    if busy > machine.BUSY_CPUS or max(probes) > 2 * min(probes):
        print("The machine was not quiet: do not quote these figures.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
