"""Tortures compositions: threads, power cuts, faults, full disks, flipped bits and kills.

  bazel run //tools/torture -- --composition=lsm_leveled --duration=60s --seed=7
  bazel run //tools/torture -- --all --duration=10m
  bazel run //tools/torture -- --composition=log,btree --only=crash,kill
  bazel run //tools/torture -- --composition=log --only=crash --seed=77 --rounds=1   one round again

The time is for all of them together: two at a time on two processors, each has its share. Layers
take turns, each round from a seed of its own (kv/testing/torture.h says what each layer checks). A
failure prints what went wrong, histories shrunk, and the command that replays the round.

They are built as tests are, with assertions. Stores are in memory and in the directory for
temporary files ($TEST_TMPDIR, or /tmp), and gone afterwards.
"""

import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

from bench.compare import cli, systems

EPILOG = """exit status: 0 no check failed; 1 one did; 2 the command line is wrong; 3 a build
failed; 130 interrupted, after the rounds under way
"""

LAYERS = ["history", "concurrent", "crash", "fault", "full", "corruption", "kill"]
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds_of(text):
    """"90", "90s", "10m" or "8h" in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not match:
        raise argparse.ArgumentTypeError("a time such as 60s, 10m or 8h")
    return float(match.group(1)) * _UNITS[match.group(2)]


def layers_of(text):
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in LAYERS:
            raise argparse.ArgumentTypeError("no layer %s; there are %s" % (
                name, ", ".join(LAYERS)))
    return names


def parser():
    p = argparse.ArgumentParser(prog="torture", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    which = p.add_mutually_exclusive_group(required=True)
    which.add_argument("--composition", default="", help="names, comma-separated")
    which.add_argument("--all", action="store_true", help="every composition")
    which.add_argument("--list", action="store_true", help="list compositions and layers")
    p.add_argument("--duration", type=seconds_of, default=60, help="60s by default; 10m, 8h")
    p.add_argument("--seed", type=int, default=1, help="of the first round of each composition")
    p.add_argument("--rounds", type=int, default=None, help="at most so many of each composition")
    p.add_argument("--only", type=layers_of, default=[], help="some of " + ",".join(LAYERS))
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1,
                   help="compositions at a time; one for each processor by default")
    p.add_argument("--json", default=None, help="write the tallies of each composition")
    p.add_argument("--binary", action="append", default=[],
                   help="name=path of one that is not to be built; repeatable")
    return p


def chosen(args, known):
    """The compositions that are asked for, as systems."""
    given = dict(word.split("=", 1) for word in args.binary)
    names = known if args.all else [n.strip() for n in args.composition.split(",") if n.strip()]
    for name in names:
        if name not in known:
            raise systems.UsageError(
                "unknown composition: " + name + systems.nearest(name, known))
    if not names:
        raise systems.UsageError("--composition names none (--list lists them)")
    return [systems.System(name, target="//engines/compositions:%s_torture" % name,
                           binary=os.path.abspath(given[name]) if name in given else "")
            for name in dict.fromkeys(names)]


def command_of(system, args, seconds, tally):
    command = [system.binary, "--seed=%d" % args.seed, "--seconds=%g" % seconds,
               "--tally=" + tally]
    if args.rounds is not None:
        command.append("--rounds=%d" % args.rounds)
    if args.only:
        command.append("--only=" + ",".join(args.only))
    return command


def run(subjects, args):
    """{name: (exit status, tally)}; a tally is empty where there was no round."""
    seconds = args.duration * min(args.jobs, len(subjects)) / len(subjects)
    interrupted = []
    # The programs get the terminal's interrupt themselves, and end after the round under way.
    signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))

    def one(system):
        if interrupted:
            return 130, {}
        with tempfile.TemporaryDirectory() as directory:
            tally = os.path.join(directory, "tally.json")
            status = subprocess.run(command_of(system, args, seconds, tally)).returncode
            if not os.path.exists(tally):
                return status, {}
            with open(tally) as file:
                return status, json.load(file)

    with concurrent.futures.ThreadPoolExecutor(max_workers=args.jobs) as pool:
        return dict(zip((s.name for s in subjects), pool.map(one, subjects)))


def summary(results):
    total = {}
    for _, tally in results.values():
        for name, count in tally.items():
            total[name] = total.get(name, 0) + count
    failed = [name for name, (status, _) in results.items() if status not in (0, 130)]
    text = "%d compositions: %s; %s" % (
        len(results),
        ", ".join("{:,} {}".format(count, name.replace("_", " ")) for name, count in total.items()),
        "FAILED: " + ", ".join(failed) if failed else "none failed")
    return text, failed


def main(arguments=None):
    args = parser().parse_args(arguments)
    try:
        known = systems.Known.load().compositions
        if args.list:
            print("compositions:\n  " + "\n  ".join(known) + "\nlayers:\n  " + "\n  ".join(LAYERS))
            return 0
        subjects = chosen(args, known)
        systems.build(subjects, os.environ.get("BUILD_WORKSPACE_DIRECTORY"), cli.say,
                      options=["--config=checked"])
    except systems.UsageError as error:
        print("error: %s" % error, file=sys.stderr)
        return 2
    except (systems.BuildError, OSError) as error:
        print("error: %s" % error, file=sys.stderr)
        return 3
    results = run(subjects, args)
    text, failed = summary(results)
    print(text)
    if args.json:
        with open(cli.from_caller(args.json), "w") as file:
            json.dump({name: {"status": status, **tally}
                       for name, (status, tally) in results.items()}, file, indent=1)
    if failed:
        return 1
    return 130 if any(status == 130 for status, _ in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
