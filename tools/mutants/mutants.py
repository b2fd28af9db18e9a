"""Plants bugs in a copy of the sources, one at a time, and shows that a test notices each.

  bazel run //tools/mutants                                        all; about half a minute each
  bazel run //tools/mutants -- --layers=crash,kill
  bazel run //tools/mutants -- --only="a table is not synced"
  bazel run //tools/mutants -- --markdown=docs/mutants.md          the table, when all were run
  bazel run //tools/mutants -- --list

The sound sources come first: each test that is about to catch something must pass without it. A
mutant is caught when its test is built, run, and fails with the words that planted.py expects. One
that is not has survived, which is a finding about the tests.

The copy is in ~/.cache/ashlar/mutants (--scratch), and kept, so that a second run builds less. What
is copied are the files that git knows, as they are in the work tree.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time

from bench.compare import cli
from tools.mutants import planted, report

EPILOG = """exit status: 0 all were caught; 1 one survived, or a sound test fails; 2 the command
line is wrong; 130 interrupted
"""

# Bazel's own: all passed, the build failed, a test failed.
_PASSED, _TEST_FAILED = 0, 3


class Outcome:
    def __init__(self, mutant, caught, seconds, why=""):
        self.mutant = mutant
        self.caught = caught
        self.seconds = seconds
        self.why = why  # it was not


def _parser():
    p = argparse.ArgumentParser(prog="mutants", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--layers", default="", help="some of " + ",".join(planted.LAYERS))
    p.add_argument("--only", default="", help="the mutants whose names hold these words")
    p.add_argument("--scratch", default=os.path.expanduser("~/.cache/ashlar/mutants"),
                   help="where the copy is")
    p.add_argument("--markdown", default=None, help="write the table")
    p.add_argument("--bazel", default="bazel", help="the Bazel to call")
    p.add_argument("--list", action="store_true", help="list the mutants")
    return p


def chosen(args):
    layers = [name.strip() for name in args.layers.split(",") if name.strip()]
    for name in layers:
        if name not in planted.LAYERS:
            raise ValueError("no layer %s; there are %s" % (name, ", ".join(planted.LAYERS)))
    found = [mutant for mutant in planted.MUTANTS
             if (not layers or mutant.layer in layers) and args.only in mutant.name]
    if not found:
        raise ValueError("no mutant has the words: " + args.only)
    return found


class Copy:
    """The scratch copy of a workspace. Files change only where they differ: Bazel goes by that."""

    def __init__(self, workspace, scratch):
        self.workspace = workspace
        self.scratch = scratch

    def refresh(self):
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                                 "--exclude-standard"], cwd=self.workspace, check=True,
                                stdout=subprocess.PIPE).stdout
        names = [name for name in os.fsdecode(listed).split("\0") if name]
        names = [name for name in names if os.path.lexists(os.path.join(self.workspace, name))]
        wanted = set(names)
        for folder, folders, files in os.walk(self.scratch):
            folders[:] = [name for name in folders if not name.startswith("bazel-")
                          or name in ("bazel",)]
            for name in files:
                path = os.path.join(folder, name)
                if os.path.relpath(path, self.scratch) not in wanted:
                    os.remove(path)
        for name in names:
            self._copy(os.path.join(self.workspace, name), os.path.join(self.scratch, name))

    @staticmethod
    def _copy(source, to):
        os.makedirs(os.path.dirname(to), exist_ok=True)
        if os.path.islink(source):
            if os.path.lexists(to):
                os.remove(to)
            os.symlink(os.readlink(source), to)
            return
        with open(source, "rb") as file:
            content = file.read()
        if os.path.exists(to):
            with open(to, "rb") as file:
                if file.read() == content:
                    return
        shutil.copy(source, to)

    def read(self, name):
        with open(os.path.join(self.scratch, name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        with open(os.path.join(self.scratch, name), "w", encoding="utf-8") as file:
            file.write(text)


def planted_text(mutant, text):
    """The file's text with the bug in it."""
    count = text.count(mutant.find)
    if count != 1:
        raise ValueError("%s: what is to be changed stands %d times in %s" % (
            mutant.name, count, mutant.file))
    return text.replace(mutant.find, mutant.replace)


class Runner:
    def __init__(self, copy, bazel):
        self._copy = copy
        self._bazel = bazel

    def test(self, mutant):
        """(Bazel's exit status, all that was said)."""
        command = [self._bazel, "test", "--color=no", "--curses=no", "--noshow_progress",
                   "--test_output=errors", "--test_summary=short"]
        if mutant.config:
            command.append("--config=" + mutant.config)
        if mutant.filter:
            command.append("--test_arg=--gtest_filter=" + mutant.filter)
        done = subprocess.run(command + [mutant.test], cwd=self._copy.scratch,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace")
        return done.returncode, done.stdout

    def sound(self, mutants):
        """Runs each test without a bug. Those that do not pass, and what they said."""
        wrong = []
        seen = set()
        for mutant in mutants:
            key = (mutant.test, mutant.filter, mutant.config)
            if key in seen:
                continue
            seen.add(key)
            cli.say("sound sources: %s%s" % (mutant.test, _filter(mutant)))
            status, said = self.test(mutant)
            if status != _PASSED:
                wrong.append((mutant, said))
        return wrong

    def catch(self, mutant):
        text = self._copy.read(mutant.file)
        start = time.monotonic()
        self._copy.write(mutant.file, planted_text(mutant, text))
        try:
            status, said = self.test(mutant)
        finally:
            self._copy.write(mutant.file, text)
        seconds = time.monotonic() - start
        if status == _PASSED:
            return Outcome(mutant, False, seconds, "the test passes")
        if status != _TEST_FAILED:
            return Outcome(mutant, False, seconds, "it does not build:\n" + _tail(said))
        if mutant.words not in said:
            return Outcome(mutant, False, seconds,
                           "the test fails, but does not say %r:\n%s" % (mutant.words, _tail(said)))
        return Outcome(mutant, True, seconds)


def _filter(mutant):
    words = (" " + mutant.filter if mutant.filter else "")
    return words + (" --config=" + mutant.config if mutant.config else "")


def _tail(text, lines=30):
    return "\n".join(text.splitlines()[-lines:])


def main(arguments=None):
    args = _parser().parse_args(arguments)
    try:
        mutants = chosen(args)
    except ValueError as error:
        print("error: %s" % error, file=sys.stderr)
        return 2
    if args.list:
        for mutant in mutants:
            print("%-13s %s (%s): %s%s" % (mutant.layer, mutant.name, mutant.file, mutant.test,
                                           _filter(mutant)))
        return 0
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not workspace:
        print("error: it needs the workspace: bazel run //tools/mutants", file=sys.stderr)
        return 2
    copy = Copy(workspace, cli.from_caller(args.scratch))
    copy.refresh()
    runner = Runner(copy, args.bazel)
    try:
        wrong = runner.sound(mutants)
        for mutant, said in wrong:
            print("%s fails without a bug:\n%s" % (mutant.test, _tail(said)), file=sys.stderr)
        if wrong:
            return 1
        outcomes = []
        for number, mutant in enumerate(mutants, 1):
            outcome = runner.catch(mutant)
            outcomes.append(outcome)
            cli.say("[%d/%d] %s: %s, %.0f s%s" % (
                number, len(mutants), mutant.name, "caught" if outcome.caught else "SURVIVED",
                outcome.seconds, "; " + outcome.why if outcome.why else ""))
    except KeyboardInterrupt:
        return 130
    caught = sum(outcome.caught for outcome in outcomes)
    print("%d mutants: %d caught, %d survived" % (len(outcomes), caught, len(outcomes) - caught))
    if args.markdown:
        with open(cli.from_caller(args.markdown), "w", encoding="utf-8") as file:
            file.write(report.markdown(outcomes))
    return 0 if caught == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
