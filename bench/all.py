"""Runs every composition of //engines:engines.bzl at a short set of workloads, in one table.

    bazel run //bench:all                          about two minutes
    bazel run //bench:all -- --repetitions=10      with verdicts
    bazel run //bench:all -- --workloads=ycsb_e    what else //bench:compare takes

It is //bench:compare with all compositions as its systems, the first of the list as the baseline,
and one run of each: enough to see what is there, not to say which is faster.
"""

import os
import sys

from bench.compare import compare

_STANDARD = [
    "--workloads=fillrandom,readrandom,readmissing,readseq,seekrandom,ycsb_a,cas",
    "--num=100k",
    "--min-time=1s",
    "--repetitions=1",
]


def main():
    arguments = sys.argv[1:]
    binaries = [argument for argument in arguments if not argument.startswith("-")]
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
    else:
        systems = ["%s=%s" % (os.path.basename(path), os.path.abspath(path)) for path in binaries]
        arguments = ["--systems=" + ",".join(systems)] + _STANDARD + arguments
    return compare.main([a for a in arguments if a not in binaries], "all")


if __name__ == "__main__":
    sys.exit(main())
