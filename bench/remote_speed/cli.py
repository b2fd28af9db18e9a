"""The command line of //bench:remote_speed."""

import argparse

from bench.remote_compare import placement

DESCRIPTION = """What one thread of //bench:remote drives, held against redis-benchmark: the same
commands on the same keys, both in randomised blocks in one run.

  bazel run //bench:remote_speed                                all rows, about four minutes
  bazel run //bench:remote_speed -- --blocks=20 --json=out.json
  bazel run //bench:remote_speed -- --program=valkey --pipelines=1,4,16,64
  bazel run //bench:remote_speed -- --blocks=1 --requests=2000  a smoke run; its figures say nothing

Three tables:
  a server          GET and SET on a local server that is started for it. Where the server itself
                    works without a rest, both generators show its limit and not their own; the
                    column "server" tells
  an instant one    the same on a server that does nothing but answer (instant_server.cc): the
                    generators' own limit
  own latency       p50, p99 and p99.9 of ours on that server, one request at a time, with 50
                    connections at a fixed rate, and with 50 as fast as it goes

Ratios are ours over redis-benchmark's, with their 95 % intervals over blocks. Processor time is
all that a program used from its start to its end, divided by its requests.
"""

EPILOG = """exit status:
  0    done: every aim is reached, or open
  1    an aim is missed: its whole interval is on the wrong side
  2    the command line is wrong
  3    a server or a run failed
  130  interrupted
"""


def _counts(text):
    values = [int(part) for part in text.split(",")]
    if not all(1 <= value <= 1000 for value in values) or len(set(values)) < len(values):
        raise argparse.ArgumentTypeError("numbers from 1 to 1000 such as 1,16")
    return values


def _number(least, most):
    def parse(text):
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError("%d to %d" % (least, most))
        return value
    return parse


def parser():
    p = argparse.ArgumentParser(prog="remote_speed", description=DESCRIPTION, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="redis", help="redis, valkey, or a server's path")
    p.add_argument("--redis-benchmark", default="redis-benchmark", metavar="PROGRAM",
                   help="redis-benchmark of PATH by default")
    p.add_argument("--blocks", type=_number(1, 1000), default=10,
                   help="of each row, 10 by default; two runs of each program make one, and under "
                   "6 have no interval")
    p.add_argument("--pipelines", type=_counts, default=[1, 16], help="1,16 by default")
    p.add_argument("--connections", type=_number(1, 1000), default=50, help="50 by default")
    p.add_argument("--keys", type=_number(1, 10_000_000), default=100_000,
                   help="100000 by default")
    p.add_argument("--requests", type=_number(100, 100_000_000), default=600_000,
                   help="of a run at pipeline 16; fewer at smaller ones. 600000 by default")
    p.add_argument("--rate", type=_number(1, 1_000_000), default=10_000,
                   help="of the latencies at a fixed rate, 10000 a second by default")
    p.add_argument("--place", choices=tuple(placement.CHOICES), default="apart",
                   help="processors of server and generators; apart by default")
    p.add_argument("--seed", type=_number(0, 10 ** 9), default=1,
                   help="of the order and of our requests")
    p.add_argument("--json", default=None, help="write context, rows and every run")
    p.add_argument("--remote", required=True, help="the binary of //bench:remote (set by Bazel)")
    p.add_argument("--local-server", required=True, help="the helper's binary (set by Bazel)")
    p.add_argument("--instant-server", required=True, help="its binary (set by Bazel)")
    return p
