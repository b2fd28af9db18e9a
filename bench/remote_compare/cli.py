"""Compares two Redis-protocol servers and says which differences are real.

  bazel run //bench:remote_compare                         local redis-server against valkey-server
  bazel run //bench:remote_compare -- --a=redis://10.0.0.1 --b=redis://10.0.0.2 --plan=elasticache
  bazel run //bench:remote_compare -- --a=redis --b=redis:build/redis-server --gate=0.97
  bazel run //bench:remote_compare -- --a=URL --b=URL --twin=URL --plan=mine.json --json=out.json
  bazel run //bench:remote_compare -- --plan=elasticache --resume     after an interruption

Each cell of the plan is run in blocks, A B B A or B A A B as chance has it; a run is one process of
//bench:remote with a seed of its own. Local servers are started anew for each block: two processes
of one program differ, too, and by chance. What counts is the
log ratio of each block: the signed-rank test over them is right whatever the noise is like
(paired.py). The rows show medians, the ratio of B to A with its 95 % interval, p after Holm's
correction over all rows, the noise floor, and a verdict:

  B is faster, slower   p < 0.05, the interval excludes 1, and the effect exceeds the threshold
                        and the noise floor; of a latency, faster means less
  no difference         the interval lies within the threshold
  inconclusive          neither; with an estimate of the runs it would take

The noise floor is what equal servers differ by: with --noise=aa, the default for a local A or with
--twin, a second server equal to A runs in the same blocks; with --noise=pairs it is what chance
does, from the two runs of each server in a block.

The number of blocks is fixed by the plan before the first run, and nothing is judged on the way, so
that no stopping rule inflates the error rate. Who wants more runs makes a comparison with more
--blocks; --resume goes on with the one that was asked for, and with no other.
"""

import argparse

from bench.compare import cli as shared
from bench.remote_compare import placement

EPILOG = """What it does not measure: servers apart from the one client machine, which is part of
every figure; what they do over hours (persistence, fragmentation, fail-over), or threads of theirs
that --place=together leaves no processor for. At a URL data is loaded once for each kind of cell
and removed at the end, under one prefix; an interruption leaves it there.

exit status:
  0    done, and no row failed the gate
  1    B is credibly slower than --gate in a row
  2    the command line is wrong
  3    a server or a run failed, or a row has no valid runs
  130  interrupted; --resume goes on
"""


def _blocks(text):
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError("1 to 1000")
    return value


def _share(text):
    value = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("a share such as 0.01 or 1%")
    return value


def _gate(text):
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError("a ratio such as 0.97")
    return value


def parser(program="remote_compare"):
    p = argparse.ArgumentParser(prog=program, description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--a", default="", help="a URL, or redis, valkey, redis:PATH, valkey:PATH; "
                   "env:NAME: what that variable has, so that ps shows no password")
    p.add_argument("--b", default="", help="the same of what is held against it")
    p.add_argument("--twin", default="", help="a second server equal to A, for --noise=aa")
    p.add_argument("--plan", default="quick", help="quick, elasticache, or a .json file (--list)")
    p.add_argument("--blocks", type=_blocks, default=None, help="of each cell, instead of the "
                   "plan's; two runs of each server make one")
    p.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                   help="a flag of every cell, instead of its own: --set=duration=200ms "
                   "--set=warmup=40ms; repeatable")
    p.add_argument("--figures", default="", help="comma-separated, instead of the plan's (--list)")
    p.add_argument("--noise", choices=("aa", "pairs"), default=None, help="see above")
    p.add_argument("--place", choices=tuple(placement.CHOICES), default=None,
                   help="processors of local servers and of the generator: together, all on one; "
                   "apart, one half each; anywhere, the default where not all servers are local. "
                   "Otherwise the plan says (--list)")
    p.add_argument("--threshold", type=_share, default=0.01,
                   help="what counts as no difference: 0.01 by default")
    p.add_argument("--gate", type=_gate, default=None,
                   help="exit with 1 when B is credibly below this ratio (of a latency: above its "
                   "inverse)")
    p.add_argument("--extra", action="append", default=[],
                   help="one more flag for every run, such as --extra=--cacert=ca.pem; repeatable")
    p.add_argument("--seed", type=int, default=1, help="of the order and the requests")
    p.add_argument("--json", default=None, help="write context, rows and every run")
    p.add_argument("--markdown", default=None, help="write the report as a document")
    p.add_argument("--state", default=None, help="where finished runs are kept")
    p.add_argument("--resume", action="store_true", help="go on where the same comparison stopped")
    p.add_argument("--list", action="store_true", help="list plans, their cells, and figures")
    p.add_argument("--remote", required=True, help="the binary of //bench:remote (set by Bazel)")
    p.add_argument("--local-server", required=True, help="the helper's binary (set by Bazel)")
    return p


from_caller = shared.from_caller
say = shared.say
