"""Compares systems by randomised interleaved runs and says which differences are real.

  bazel run //bench:compare -- --systems=lsm_leveled,lsm_leveled_skiplist \\
      --workloads=fillrandom,readrandom,ycsb_a --repetitions=10
  bazel run //bench:compare -- --systems=lsm__bplus_tree__leveled__single__group,\\
lsm__bplus_tree__leveled__hashed256__group --workloads=cas --threads=2,10 --min-time=2s
  bazel run //bench:compare -- --systems=before=old/memory,memory --gate=0.95
  bazel run //bench:compare -- --systems=memory,memory_ordered --workloads=ycsb_b --resume

The first system is the baseline. Systems are built when they are named. They run in blocks: each
system once in a random order, then once more in the reverse order; every run is a fresh process on
a fresh directory and does all the workloads, in their order, on one store. A table for each
workload shows medians, the ratio to the baseline with its 95 % bootstrap interval (whole blocks
resampled), the p value of the Mann-Whitney U test after Holm's correction over all rows, and a
verdict:

  faster, slower   the interval excludes 1 and p < 0.05
  no difference    the interval lies within the threshold
  inconclusive     neither; with an estimate of the runs it would take

Fewer than 6 runs of each system settle nothing. Throughput is compared, latencies are shown.
"""

import argparse
import os
import sys

EPILOG = """What it does not measure: closed-loop load only, one machine, no network; the page cache
is not dropped between runs.

exit status:
  0    done, and no row failed the gate
  1    a row is credibly below --gate
  2    the command line is wrong
  3    a build or a run failed, or a row has only invalid runs
  130  interrupted; --resume goes on
"""


def _repetitions(text):
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError("1 to 1000")
    return value


def _threads(text):
    counts = [int(part) for part in text.split(",") if part]
    if not counts or min(counts) < 1:
        raise argparse.ArgumentTypeError("a list such as 1,4")
    return counts


def _threshold(text):
    if text == "noise":
        return None
    value = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("a share such as 0.03 or 3%, or the word noise")
    return value


def _gate(text):
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("a ratio such as 0.95")
    return value


def parser(program="compare"):
    p = argparse.ArgumentParser(prog=program, description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--systems", default="", help="comma-separated; the first is the baseline")
    p.add_argument("--workloads", default="fillrandom,readrandom",
                   help="comma-separated names of --list; run in this order on one store")
    p.add_argument("--repetitions", type=_repetitions, default=6,
                   help="runs of each system, 6 by default; two make a block")
    p.add_argument("--threads", type=_threads, default=[1], help="such as 1,4; 1 by default")
    p.add_argument("--num", help="keys, as the binaries take it (200k by default)", default="200k")
    p.add_argument("--value-size", dest="value_size", help="bytes of a value")
    p.add_argument("--min-time", dest="min_time",
                   help="run rows for this long (2s) instead of by count; fills end at --num too")
    p.add_argument("--extra", action="append", default=[],
                   help="one more flag for every binary, such as --extra=--cache_mb=8; repeatable")
    p.add_argument("--dir", default=None, help="where the stores go; a disk, not tmpfs")
    p.add_argument("--seed", type=int, default=1, help="of the order, the data and the bootstrap")
    p.add_argument("--threshold", type=_threshold, default=0.03,
                   help="what counts as no difference: 3%% by default; noise: the measured floor")
    p.add_argument("--gate", type=_gate, default=None,
                   help="exit with 1 when a row is credibly below this ratio to the baseline")
    p.add_argument("--json", default=None, help="write context, every run and all rows")
    p.add_argument("--state", default=None, help="where finished runs are kept")
    p.add_argument("--resume", action="store_true", help="go on where the same comparison stopped")
    p.add_argument("--list", action="store_true", help="list systems and workloads")
    return p


def from_caller(path):
    """A path as the caller means it: bazel run starts programs in another directory."""
    caller = os.environ.get("BUILD_WORKING_DIRECTORY")
    return os.path.join(caller, path) if path and caller else path


def say(text):
    print(text, file=sys.stderr, flush=True)
